"""Names for themes: the phrases and words that set a cluster apart, in its own language."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vectorstore.tokens import Clause, Script, StopWords, stop_words

_KEYWORDS = 8
_LONGEST = {"zh": 4, "en": 4}
_MOST_CHARS = {"zh": 9, "en": 40}
# A phrase that names this share of a theme may stand for it alone.
_ENOUGH = 0.25
_LEAST_LIFT = 1.5
_SEPARATOR = {"zh": "、", "en": ", "}


Terms = frozenset[Clause]
"""Words, and phrases as tuples of words, that a text holds."""


class ThemeName(NamedTuple):
    """A label for people and the words it was drawn from, most telling first."""

    label: str
    keywords: tuple[str, ...]


class _Term(NamedTuple):
    words: Clause
    score: float
    share: float


def name_themes(
    clusters: Sequence[Sequence[Terms]], script: Script, taken: set[str] | None = None
) -> list[ThemeName]:
    """Name each cluster (a sequence of texts, each the terms of it).

    Labels differ from each other and from those in `taken`, to which they are added.

    Terms are scored by class-based TF-IDF (Grootendorst 2022): how often in the cluster, against how
    often elsewhere, counted once a text. Phrases keep the order in which customers wrote them.
    """
    stop = stop_words(script)
    inside = [Counter(term for text in texts for term in text) for texts in clusters]
    everywhere: Counter[Clause] = Counter()
    for counts in inside:
        everywhere.update(counts)
    total = sum(map(len, clusters))
    names: list[ThemeName] = []
    taken = set() if taken is None else taken
    for texts, counts in zip(clusters, inside, strict=True):
        terms = _telling(counts, everywhere, len(texts), total, stop)
        words = [term.words[0] for term in terms if len(term.words) == 1]
        phrases = _without_parts([term for term in terms if len(term.words) > 1])
        label = _label(phrases, words, script, taken)
        taken.add(label)
        names.append(ThemeName(label, tuple(words[:_KEYWORDS])))
    return names


def terms_of(text: Sequence[Clause], script: Script) -> Terms:
    """Content words and phrases of one text, clause by clause.

    A phrase opens with a content word or a negator and ends with a content word; no word inside it is empty
    but those that join; one without a negator holds two content words.
    """
    stop = stop_words(script)
    found: set[Clause] = set()
    for clause in text:
        content = [stop.content(word) for word in clause]
        for start, first in enumerate(clause):
            negated = first in stop.negators
            if not negated and not content[start]:
                continue
            if content[start]:
                found.add((first,))
            told = int(content[start])
            for last in range(start + 1, min(start + _LONGEST[script], len(clause))):
                told += content[last]
                if content[last] and (negated or told >= 2):
                    words = clause[start : last + 1]
                    if len(set(words)) == len(words) and len(_spelt(words, script)) <= _MOST_CHARS[script]:
                        found.add(words)
                elif not content[last] and not stop.inner(clause[last]):
                    break
    return frozenset(found)


def _telling(
    counts: Counter[Clause], everywhere: Counter[Clause], size: int, total: int, stop: StopWords
) -> list[_Term]:
    """Terms that are common here and rarer elsewhere, best first."""
    least = max(2, math.ceil(size * 0.01)) if size > 3 else 1
    lifts = {
        words: here / size / (everywhere[words] / total) for words, here in counts.items() if here >= least
    }
    telling = {words: lift for words, lift in lifts.items() if lift >= _LEAST_LIFT}
    terms = []
    # Where nothing sets a cluster apart, what is common in it must do.
    for words, lift in (telling or dict.fromkeys(lifts, 2.0)).items():
        here = counts[words]
        # A phrase says more than a word of the same strength, and one that judges says what is wrong.
        judges = any(word in stop.negators or word in stop.degrees for word in words)
        bonus = (1.0 + 0.25 * (len(words) - 1)) * (1.5 if judges else 1.0)
        terms.append(_Term(words, here * math.log(lift) * bonus, here / size))
    return sorted(terms, key=lambda term: (-term.score, term.words))


def _without_parts(phrases: Sequence[_Term]) -> list[_Term]:
    """Drop a phrase that is mostly part of a longer one, and one that is part of a better one."""
    kept: list[_Term] = []
    for phrase in phrases[:40]:
        longer = [
            other
            for other in phrases[:40]
            if len(other.words) > len(phrase.words)
            and _contains(other.words, phrase.words)
            and other.share >= 0.6 * phrase.share
        ]
        if not longer and not any(set(phrase.words) & set(other.words) for other in kept):
            kept.append(phrase)
    return kept


def _contains(longer: Clause, shorter: Clause) -> bool:
    size = len(shorter)
    return any(longer[start : start + size] == shorter for start in range(len(longer) - size + 1))


def _label(phrases: Sequence[_Term], words: Sequence[str], script: Script, taken: set[str]) -> str:
    """The best phrase, with a second part where it names too little of the theme or is taken."""
    parts: list[str] = []
    for part, share in _parts(phrases, words, script):
        if any(part in other or other in part for other in parts):
            continue
        parts.append(part)
        label = _SEPARATOR[script].join(parts)
        label = label[0].upper() + label[1:]
        enough = share >= _ENOUGH or len(parts) >= 2
        if enough and label not in taken:
            return label
    label = _SEPARATOR[script].join(parts) or {"zh": "其他反馈", "en": "Other feedback"}[script]
    number = 2
    unique = label
    while unique in taken:
        unique = f"{label} {number}"
        number += 1
    return unique


def _parts(phrases: Sequence[_Term], words: Sequence[str], script: Script) -> Iterable[tuple[str, float]]:
    """Phrases first, then single words; a strong single word may lead where no phrase is common."""
    used: defaultdict[str, int] = defaultdict(int)
    for phrase in phrases[:2]:
        used.update(dict.fromkeys(phrase.words, 1))
        yield _spelt(phrase.words, script), phrase.share
    for word in words[:6]:
        if not used[word]:
            yield word, 0.0
    for phrase in phrases[2:8]:
        yield _spelt(phrase.words, script), phrase.share


def _spelt(words: Clause, script: Script) -> str:
    if script == "en":
        return " ".join(words)
    spelt = words[0]
    for word in words[1:]:
        both_latin = spelt[-1].isascii() and word[0].isascii()
        spelt += (" " if both_latin else "") + word
    return spelt
