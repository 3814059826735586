"""What an answer says customers said: quotations word for word, feedback ids that exist and support it."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from agent.figures import find_figures
from agent.lock_reasons import FailedClaim, failed
from agent.lock_values import Evidence, folded, plain
from agent.lock_words import concept_words, lock_words, words

_CITATION = re.compile(r"\[([^\[\]\s]{3,})\](?!\()")
_ID_LIKE = re.compile(r"(?=.*\d)[A-Za-z0-9_\-:.#]+")
_QUOTE = re.compile(r"「([^「」\n]+)」|『([^『』\n]+)』|“([^“”\n]+)”|\"([^\"\n]+)\"")
_CJK = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{3,}")
_LONG_ZH, _LONG_EN = 7, 5
_HEADING = re.compile(r"[:：]\**\s*$")
_FIGURE = re.compile(r"\d")


class Citations:
    """Checks sentences against the texts of the evidence."""

    def __init__(self, evidence: Evidence, questions: str) -> None:
        self._ids = evidence.ids | {text for text, _, path in evidence.strings if _is_id_path(path)}
        self._texts: Mapping[str, tuple[str, ...]] = evidence.texts
        self._labels = evidence.labels
        self._evidence = evidence
        self._asked = plain(questions)
        names = {
            t for t, _, p in evidence.strings if p.endswith(("label", "theme", "name", "area", "topic_label"))
        }
        self._names = tuple(folded(name) for name in names if len(name) > 1)

    def check(self, text: str) -> list[FailedClaim]:
        """Failed quotations and citations of a sentence, and a saying that cites nothing."""
        quotes = [m for m in _QUOTE.finditer(text) if self._is_quote(text, m)]
        ids = [m for m in _CITATION.finditer(text) if _ID_LIKE.fullmatch(m[1])]
        found = [
            failed("citation", "misquoted", m.span(), _inner(m), text)
            for m in quotes
            if not self._is_verbatim(_inner(m))
        ]
        found += [
            failed("citation", "unknown_id", m.span(), m.group(), text) for m in ids if m[1] not in self._ids
        ]
        found += self._unsupported(text, ids)
        if not found and not ids:
            found += self._uncited(text, quotes)
        return found

    def verbatim_spans(self, text: str) -> list[tuple[int, int]]:
        """Spans of quotations that repeat a result word for word: figures in them are customers'."""
        return [
            m.span()
            for m in _QUOTE.finditer(text)
            if len(plain(_inner(m))) > 1 and self._is_verbatim(_inner(m))
        ]

    def figures_of(self, text: str) -> list[float]:
        """Figures in the texts that a sentence cites."""
        cited = [one for m in _CITATION.finditer(text) for one in self._texts.get(m[1], ())]
        return [figure.value for one in cited for figure in find_figures(one)]

    def is_known(self, citation: str) -> bool:
        """Whether an id is one of the evidence."""
        return citation in self._ids

    def _is_quote(self, text: str, match: re.Match[str]) -> bool:
        """Whether quotation marks hold somebody's words, and not a term, a name or a question to ask."""
        inner = _inner(match)
        before = text[max(0, match.start() - 12) : match.start()]
        if words("asking_before_quote").search(before) or plain(inner) in self._asked:
            return False
        after = text[match.end() :]
        cited = _CITATION.search(after)
        if (cited and not _QUOTE.search(after[: cited.start()])) or _saying().search(text[: match.start()]):
            return True
        zh = len(_CJK.findall(inner))
        return zh >= _LONG_ZH or (zh == 0 and len(inner.split()) >= _LONG_EN)

    def _is_verbatim(self, quote: str) -> bool:
        wanted = [plain(part) for part in re.split(r"…+|\.{3,}|⋯+", quote)]
        parts = [part for part in wanted if part]
        return not parts or any(all(part in known for part in parts) for known in self._evidence.plain)

    def _unsupported(self, text: str, ids: Sequence[re.Match[str]]) -> Iterator[FailedClaim]:
        start = 0
        for at, match in enumerate(ids):
            texts = [one for one in self._texts.get(match[1], ()) if one]
            words = [one for one in texts if not one.startswith("topic:")]
            said = text[start : match.start()]
            run = at + 1 < len(ids) and not text[match.end() : ids[at + 1].start()].strip(" ,，、和与and")
            if not run:
                start = match.end()
            if not words:
                continue
            own = [
                q
                for q in _QUOTE.finditer(text)
                if q.end() <= match.start() and q.start() >= match.start() - len(said)
            ]
            if own:
                parts = [p for p in (plain(x) for x in re.split(r"…+|\.{3,}", _inner(own[-1]))) if p]
                good = any(all(p in plain(one) for p in parts) for one in words)
            else:
                good = self._supports(said, texts)
            if not good:
                yield failed("citation", "unsupported", match.span(), match.group(), text)

    def _supports(self, said: str, texts: Sequence[str]) -> bool:
        """Whether texts share the meaning of what is said: words of one sense, else words themselves."""
        heard = " ".join(texts)
        topics = [one.removeprefix("topic:") for one in texts if one.startswith("topic:")]
        spoken = " ".join([*(one for one in texts if not one.startswith("topic:"))])
        wanted = concepts(said)
        known = concepts(spoken)
        if any((a in wanted and b in known and a not in known) for a, b in _opposites()):
            return False
        if wanted:
            if (wanted - known) & set(lock_words()["particular"]):
                return False
            if wanted & known:
                return True
            labels = " ".join(self._labels.get(topic, "") for topic in topics)
            named = {part for topic in topics for part in re.split(r"[/_]", topic)}
            if not known and (wanted & concepts(f"{labels} {' '.join(named)}")):
                return True
        return (
            _overlap(said, spoken, need=2 if wanted and known else 1, loose=not wanted)
            if _same_script(said, heard)
            else not (wanted and known)
        )

    def _uncited(self, text: str, quotes: Sequence[re.Match[str]]) -> Iterator[FailedClaim]:
        match = _saying().search(text)
        if match is None or quotes or _HEADING.search(text) or _FIGURE.search(text):
            return
        if any(name in folded(text) for name in self._names) or words("supposed").search(
            text[: match.start()]
        ):
            return
        told = text[match.end() :]
        if concepts(text) or len(_CJK.findall(told)) >= 4 or len(told.split()) >= 3:
            yield failed("citation", "uncited", match.span(), match.group(), text)


def concepts(text: str) -> frozenset[str]:
    """Senses (of lock_words.yaml) whose words a text holds."""
    return frozenset(name for name, pattern in concept_words() if pattern.search(text))


@lru_cache(maxsize=1)
def _saying() -> re.Pattern[str]:
    patterns = lock_words()["saying"]
    return re.compile(f"{patterns['zh']}|{patterns['en']}", re.IGNORECASE)


def _opposites() -> list[tuple[str, str]]:
    pairs = lock_words()["opposites"]
    return [(a, b) for a, b in pairs] + [(b, a) for a, b in pairs]


def _overlap(said: str, heard: str, *, need: int, loose: bool) -> bool:
    """Whether two texts share a pair of Chinese characters or an English word that carries meaning."""
    pairs = _pairs(said) & _pairs(heard)
    if len(pairs) >= need:
        return True
    stems = {w.lower()[:5] for w in _LATIN.findall(said) if w.lower() not in lock_words()["stop_en"]}
    if len(stems & {w.lower()[:5] for w in _LATIN.findall(heard)}) >= need:
        return True
    single = set(_CJK.findall(said)) & set(_CJK.findall(heard)) - set(lock_words()["stop_zh"])
    return loose and len(single) >= 2


def _pairs(text: str) -> set[str]:
    chars = [c if _CJK.fullmatch(c) and c not in set(lock_words()["stop_zh"]) else " " for c in text]
    return {a + b for a, b in itertools.pairwise(chars) if a != " " and b != " "}


def _same_script(a: str, b: str) -> bool:
    return bool(_CJK.search(a)) == bool(_CJK.search(b.replace("topic:", "")))


def _is_id_path(path: str) -> bool:
    return path.rpartition(".")[2].partition("[")[0] in (
        "id",
        "feedback_id",
        "evidence",
        "customer_id",
        "task_id",
        "plan_id",
        "theme_id",
    )


def _inner(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)
