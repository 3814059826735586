"""Names of people in Latin letters: known names, capitals, and what stands around them, scored together."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, NamedTuple

from pipeline.mask_latin_words import Gazetteer, LatinWords, alternatives, fold, gazetteer, latin_words
from pipeline.mask_spans import Found

_UPPER: Final = "A-Z" + "".join(chr(sign) for sign in range(0xC0, 0x250) if chr(sign).isupper())
_WORD: Final = rf"[{_UPPER}](?:[\w'’\-]+|\.)?"
_SMALL: Final = r"(?:(?:de|da|del|della|di|dos|du|la|le|van|von|der|den|ten|ter|zu|bin|al|el|y) ){0,2}"
# A dot ends the run unless it belongs to an initial.
_RUN: Final = re.compile(rf"(?<![A-Za-zÀ-ɏ0-9_@/.\[]){_WORD}(?:[ ]{_SMALL}{_WORD})*")
_PART: Final = re.compile(r"[^ ]+")
_INITIAL: Final = re.compile(rf"[{_UPPER}]\.?")
_NAME_SHAPED: Final = re.compile(rf"(?:[OD]['’])?[{_UPPER}][^\W\d_]+(?:['’\-][^\W\d_]+)*")
_WORD_BEFORE: Final = re.compile(r"(\w+)[ -]$")
_BEHIND: Final = re.compile(r",?(?: |'|’)?[\w'’]*")
_LOWER_NAME: Final = re.compile(
    r"(?i:\bmy (?:full )?name(?:'s| is)) (?P<name>[a-z][a-z'\-]+(?: (?!and\b|but\b|i\b|from\b|my\b|is\b"
    r"|the\b)[a-z][a-z'\-]+)?)"
)
_SENTENCE_END: Final = '.!?\n>:"“'
_ENOUGH: Final = 2.0
_WEIGHT: Final = {"c": 2.0, "g": 1.5, "f": 1.4, "d": 0.8, "w": 0.5, "i": 0.7, "u": 0.5, "p": 0.0}


class _Token(NamedTuple):
    """A capitalised word: where it is, its folded form, and what the lists say of it."""

    start: int
    end: int
    word: str
    # c(ommon given), g(iven), f(amily), d(oubtful), w(ord too), i(nitial), o(rdinary), n(o name), u(nknown),
    # p(article)
    kind: str


def find_latin_names(text: str, add: Callable[[Found], None]) -> None:
    """Report names of people; a name told once is hidden wherever the text repeats it."""
    words, names = latin_words(), gazetteer()
    labels: dict[int, float] | None = None
    told: set[str] = set()
    spans: list[tuple[int, int]] = []
    before = False
    for run in _RUN.finditer(text):
        tokens = list(_tokens(run, words, names))
        for part in _candidates(tokens):
            if labels is None:
                labels = _labelled(text)
            label = labels.get(part[0].start, 0.0)
            listed = before and text[max(0, part[0].start - 6) : part[0].start].strip(" ,&") in ("", "and")
            if _score(text, part, tokens, label, listed, words) >= _ENOUGH:
                end = part[-1].end
                spans.append((part[0].start, end - (text[end - 1] == "." and len(part[-1].word) > 2)))
                told.update(token.word for token in part if token.kind in "cgfdwu" and len(token.word) > 2)
                before = True
            else:
                before = False
    for match in _LOWER_NAME.finditer(text) if "name" in text else ():
        if match["name"].split()[0] not in words.not_names and match["name"].split()[0] not in names.ordinary:
            spans.append(match.span("name"))
    for start, end in (*spans, *_repeated(text, told, spans)):
        add(Found(start, end, "NAME"))


def _tokens(run: re.Match[str], words: LatinWords, names: Gazetteer) -> Iterator[_Token]:
    for part in _PART.finditer(run.group()):
        start, shown = run.start() + part.start(), part.group()
        bare = re.sub(r"(?:['’]s|['’])$", "", shown.rstrip("."))
        end = start + len(bare) + (len(bare) == 1 and shown.endswith("."))
        word = fold(bare)
        kind = "i" if shown in ("I.", "A.") else _kind(bare, word, words, names)
        yield _Token(start, end, word, kind)


def _kind(shown: str, word: str, words: LatinWords, names: Gazetteer) -> str:
    if word.strip("x") == "" or (shown.isupper() and 1 < len(shown) < 5):
        return "n"
    if len(shown) == 1:
        return "n" if shown in "IA" else "i"
    if not shown[0].isupper():
        return "p"
    if word in words.not_names or word in words.titles or word in words.organisations:
        return "n"
    if not _NAME_SHAPED.fullmatch(shown):
        return "n"
    for pieces in ((word,), tuple(re.split(r"[\-'’]", word)) if "-" in word else ()):
        if not pieces:
            continue
        if any(piece in names.common for piece in pieces):
            return "c"
        if any(piece in names.given for piece in pieces):
            return "g"
        if any(piece in names.family for piece in pieces):
            return "f"
        if any(piece in names.doubtful for piece in pieces):
            return "d"
        if any(piece in names.wordlike for piece in pieces):
            return "w"
    if shown.isupper() or word in names.places:
        return "n"
    if word in names.ordinary or word.rstrip("s") in names.ordinary:
        return "o"
    return "u"


def _candidates(tokens: list[_Token]) -> Iterator[list[_Token]]:
    """Stretches of a run that may be a name: known, unknown and initials; no ordinary word."""
    part: list[_Token] = []
    for token in [*tokens, None]:
        if token is not None and token.kind in "cgfdwiup" and not (token.kind == "p" and not part):
            part.append(token)
            continue
        while part and part[-1].kind in "ip":
            part.pop()
        if part:
            yield part[:4]
        part = []


def _score(
    text: str, part: list[_Token], run: list[_Token], label: float, listed: bool, words: LatinWords
) -> float:
    """How much speaks for a name; `_ENOUGH` hides it."""
    kinds = "".join(token.kind for token in part)
    start, end = part[0].start, part[-1].end
    if label < 1.5 and _is_no_person(text, part, run, words):
        return 0.0
    known = sum(_WEIGHT[kind] for kind in kinds if kind in "cgfdw")
    score = sum(_WEIGHT[kind] for kind in kinds)
    if label >= _ENOUGH:
        return score + label
    score += label
    score += 1.2 if listed and (len(part) > 1 or known) else 0.0
    begins = start == 0 or text[:start].rstrip(" ")[-1:] in _SENTENCE_END or text[start - 1] == "\n"
    after = _after(text, end)
    if after in words.strong_after or (known and (after in words.after or text[end : end + 1] == ":")):
        score += 1.0
    elif after in words.after:
        score += 0.4
    if len(part) == 1 and begins and not label:
        # A sentence begins with a capital whatever the word is.
        score -= 0.5
    if text[start:end].isupper() and end - start > 2:
        score -= 0.8 if len(part) == 2 and known >= 3.4 else 2.0
    if len(part) in (2, 3) and _ends_line(text, end) and known:
        # A signature, or the name above an address.
        score += 0.7
    if len([token for token in run if token.kind in "on"]) >= 3:
        # In A Heading Every Word Has A Capital.
        score -= 1.2
    return score


def _is_no_person(text: str, part: list[_Token], run: list[_Token], words: LatinWords) -> bool:
    """A firm, a place, a street, a product: by the word right behind or before."""
    before = run.index(part[0])
    if part[0].word in words.place_begins or (before and run[before - 1].word in words.place_begins):
        return True
    last = run.index(part[-1])
    if last + 1 < len(run) and run[last + 1].word in words.organisations and len(part) < 3:
        return True
    end = part[-1].end
    if re.match(r"[ ]\d{1,5}\b|\d", text[end : end + 7]):
        return True
    behind = re.match(r" ([a-z]{4,})", text[end : end + 16])
    if behind is not None and behind[1] in words.organisations:
        return True
    ahead = _WORD_BEFORE.search(text[max(0, part[0].start - 12) : part[0].start])
    if ahead is not None and ahead[1].lower() in words.not_before:
        return True
    told = " ".join(token.word for token in run[before : last + 2])
    return len(run) > 1 and any(name in told for name in words.no_persons)


def _after(text: str, end: int) -> str:
    found = _BEHIND.match(text, end)
    return found.group().strip(" ,").lower().replace("’", "'") if found else ""


def _ends_line(text: str, end: int) -> bool:
    return "\n" in text and text[end : end + 2].strip(" ,")[:1] in ("\n", "")


@cache
def _label_pattern() -> re.Pattern[str]:
    words = latin_words()
    firm = alternatives(words.firm_labels)
    introduced = alternatives(words.introductions)
    weak = alternatives(words.weak_labels)
    titles = alternatives(tuple(words.titles))
    return re.compile(
        rf"(?<!\w)(?:(?P<title>{titles})\.?,?|(?P<firm>{firm})|(?P<introduced>{introduced})"
        rf"|(?P<weak>{weak}))(?!\w)[ \n:]*(?:(?:{titles})\.? )?"
        rf"(?=(?-i:[{_UPPER}]))",
        re.I,
    )


def _labelled(text: str) -> dict[int, float]:
    """Where a label, a title or an introduction ends before a capital, and how much it speaks for a name."""
    found: dict[int, float] = {}
    at = 0
    while match := _label_pattern().search(text, at):
        weight = 1.3 if match["weak"] else 1.6 if match["introduced"] else _ENOUGH
        found[match.end()] = max(weight, found.get(match.end(), 0.0))
        at = match.start() + 1
    return found


def _repeated(text: str, told: set[str], spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    if not told:
        return
    for match in re.finditer(_WORD, text):
        bare = re.sub(r"(?:['’]s|['’])$", "", match.group().rstrip("."))
        if fold(bare) in told and not any(low <= match.start() < high for low, high in spans):
            yield match.start(), match.start() + len(bare)
