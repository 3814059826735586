"""What people call columns besides their names: 国家 for author_country, 卫生 for cleanliness_rating."""

import re
from collections.abc import Iterable, Mapping, Sequence

_TELLING = 4
# Parts of names that say what form a column has, and not what is in it.
_FORMS = frozenset(
    [
        "name",
        "type",
        "code",
        "date",
        "time",
        "text",
        "flag",
        "number",
        "value",
        "status",
        "level",
        "group",
        "class",
        "title",
    ]
)
_PARTS = re.compile(r"[^A-Za-z\u3400-\u9fff]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[\u3400-\u9fff])")


def dimension_words(columns: Iterable[str], nouns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Words for columns that are named after a common noun: word to column.

    `nouns`: an English noun and what else it is called, in any language. A noun stands for the column of
    that name, else for the only one that has it as last word, else for the only one that has it at all.
    """
    parts = {column: _parts(column) for column in columns}
    found = {}
    for noun, others in nouns.items():
        words = {noun, *others}
        ranks = (
            [c for c, p in parts.items() if "".join(p) in words],
            [c for c, p in parts.items() if p and p[-1] in words],
            [c for c, p in parts.items() if words & set(p)],
        )
        meant = next((columns for columns in ranks if columns), [])
        if len(meant) == 1:
            found.update(dict.fromkeys(words, meant[0]))
    # A word that only one column has in its name stands for it ("by cabin": cabin_flown).
    for column, words_of in parts.items():
        for word in words_of:
            alone = sum(word in other for other in parts.values()) == 1
            if alone and len(word) >= _TELLING and word not in _FORMS:
                found.setdefault(word, column)
    return found


def aspect_words(
    metrics: Iterable[str], aspects: Mapping[str, Sequence[str]], scoring: Sequence[str]
) -> dict[str, str]:
    """Words that tell one score from the others: word to metric.

    `aspects`: an English word for what is scored and what else it is called; `scoring`: words that only say
    that something is scored (rating, 评分). A word that several metrics share tells nothing and is left out.
    """
    bare = sorted(scoring, key=len, reverse=True)
    claims: dict[str, set[str]] = {}
    for metric in metrics:
        words = {word for part in _parts(metric) if (word := _without(part, bare))}
        for noun, others in aspects.items():
            if words & {noun, *others}:
                words |= {noun, *others}
        for word in words:
            claims.setdefault(word, set()).add(metric)
    return {word: next(iter(named)) for word, named in claims.items() if len(named) == 1 and len(word) > 1}


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PARTS.split(name) if part]


def _without(part: str, scoring: Sequence[str]) -> str:
    """A part of a name without the word for scoring that it is or ends with (服务评分)."""
    for word in scoring:
        if part == word or (not part.isascii() and part.endswith(word)):
            return part.removesuffix(word)
    return part
