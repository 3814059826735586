"""Finds a segment that a question names and the data does not have (洗碗机的评分, rating of the hair dryer).

Without this, the words would be passed over and the figure of everything given as that of the segment.
"""

import re
from collections.abc import Iterable, Sequence

from agent.word_matching import Hit, matcher

_METRIC = "\x01"
_SECTIONS = (
    ("goals",),
    ("lowest",),
    ("highest",),
    ("year_on_year",),
    ("previous",),
    ("exclude_before",),
    ("each",),
    ("time_group",),
    ("share",),
    ("overview",),
    ("up",),
    ("down",),
    ("neutral",),
    ("everything",),
    ("pronouns",),
    ("measures",),
    ("generic",),
)
_ZH_OF = re.compile(rf"([\u4e00-\u9fff]{{2,10}}?)的?\s*{_METRIC}")
# 来自火星的, 得分最低的车型是哪个, 哪种车型评分最高: what is named or asked for is not in the data.
_ZH_ASKED = re.compile(
    r"来自([\u4e00-\u9fff]{2,10}?)的"
    r"|最[高低好差多少大小]的?([\u4e00-\u9fff]{2,6}?)是?(?:哪|什么|谁)"
    r"|哪[个家些种类款]([\u4e00-\u9fff]{2,6}?)(?=[的最得打评给]|[？?，,。 ]|$)"
)
_NAME = re.compile(r"[\u4e00-\u9fff]{2,}")
_EMPTY = re.compile(r"[的有了是在里中呢吗么和与把被给让到人\s]+")
# "at Heathrow", "against Equifax": with these a name needs its capital, else "in general" were one.
_EN_AT = re.compile(
    r"\b(?:at|in|with|by|on|against|from|for)\s+(?:the\s+)?"
    r"([A-Z][\w&'-]+(?: (?:[A-Z][\w&'-]*|and(?= [A-Z])))*)"
)
_EN_HOW = re.compile(
    r"\bhow\s+(?:does|do|is|are|did)\s+(?:the\s+|our\s+)?([a-z][a-z'-]+(?: [a-z][a-z'-]+){0,2}?)\s+"
    r"(?:\x01+|rated?|score|do|doing|perform|performing|fare|faring)(?![a-z])",
    re.IGNORECASE,
)
_EN_AND = re.compile(
    r"^\s*(?:and|what about|how about)\s+(?:the\s+)?([A-Za-z][\w&' -]+?)\s*[?.!]?\s*$", re.IGNORECASE
)
_ZH_PEOPLE = re.compile(r"([\u4e00-\u9fff]{2,6}?)(?:\x02)")
_EN_OF = re.compile(
    r"(?:\b(?:of|for|from|about)\s+(?:(?:the|our|a|an)\s+)?|\x01\s+(?:the|our|a|an)\s+)"
    r"([a-z][a-z'-]+(?: [a-z][a-z'-]+){0,2})\s*"
    r"(?=[?.!,;)]|$|\b(?:in|over|during|last|this|by|and|vs|is|was|are|doing|since|compared)\b)",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r" [A-Z][a-z]+(?: [A-Z][a-z]+)*")
_PEOPLE = re.compile(r"客户|用户|顾客|地区|市场|分公司")
# 陆家嘴 before 店, 9.9.9 before 版本: a name beside the word for its column.
_BEFORE_NOUN = re.compile(
    r"([\u4e00-\u9fff]{2,8}|(?<![A-Za-z])[A-Z0-9][A-Za-z0-9.\-]*(?: [A-Z0-9][A-Za-z0-9.\-]*)*"
    r"|(?<![A-Za-z])[a-z]+(?: [a-z]+)?(?=\s*$|这))\s*$"
)
_AFTER_NOUN = re.compile(r"^\s*(\d+(?:\.\d+)+|[A-Z][\w.-]*\d[\w.-]*)")
_TIMES = frozenset({"date", "week", "month", "quarter", "year", "hour", "weekday", "day_type"})
# 和海南 after 广东: what stands beside a value is a value too.
_BESIDE = re.compile(
    r"^\s*(?:和|跟|与|同|、|以及|还有|vs\.?|versus|and|or)\s*(?:the\s+)?"
    r"([\u4e00-\u9fff]{2,5}(?=[\s\d的在上本这去各今]|$|[，,？?])|[A-Z][a-z]{2,}(?: [A-Z][a-z]+)?)"
)


def unknown_names(
    text: str,
    metrics: Iterable[tuple[int, int]],
    values: Iterable[tuple[int, int]],
    dimensions: Sequence[Hit],
) -> tuple[str, ...]:
    """Names that stand where a segment would stand and that nothing recognises.

    `text`: the question with its periods blanked; `metrics`, `values`: spans of metric words and of values;
    `dimensions`: words for columns. An adverb or a polite phrase is no name: see `generic` in
    vocabulary.yaml.
    """
    chars = list(text)
    for match in _PEOPLE.finditer(text):
        chars[match.start() : match.end()] = "\x02" * (match.end() - match.start())
    known = [*values]
    spans = [(hit.start, hit.end) for section in _SECTIONS for hit in matcher(*section).find(text)]
    for start, end in [*known, *((hit.start, hit.end) for hit in dimensions), *spans]:
        if chars[start] != "\x02":
            chars[start:end] = " " * (end - start)
    metrics = [*metrics]
    for start, end in metrics:
        chars[start:end] = _METRIC * (end - start)
    left = "".join(chars)
    found = [m[1] for pattern in (_ZH_OF, _ZH_PEOPLE, _EN_OF) for m in pattern.finditer(left)]
    asked = [left[slice(*m.span(m.lastindex or 0))].strip() for m in _ZH_ASKED.finditer(text)]
    found += [name for name in asked if _NAME.fullmatch(name)]
    found += _beside_nouns(text, left, dimensions) + _beside_values(left, known)
    found += [m[1] for pattern in (_EN_AT, _EN_AND) for m in pattern.finditer(left)]
    found += [m[1] for m in _EN_HOW.finditer(_without(text, [*known, *metrics])) if not _is_generic(m[1])]
    found += _longer_names(text, left, known)
    found = [name for name in found if not _names_a_value(text, name, known)]
    names = [name for name in dict.fromkeys(_trimmed(name) for name in found) if _is_name(name)]
    return tuple(n for n in names if not any(n != other and other.endswith(f" {n}") for other in names))


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    chars = list(text)
    for start, end in spans:
        chars[start:end] = " " * (end - start)
    return "".join(chars)


def _is_generic(name: str) -> bool:
    return all(matcher("generic").find(word) or matcher("function_words").find(word) for word in name.split())


def _longer_names(text: str, left: str, values: Sequence[tuple[int, int]]) -> list[str]:
    """Ryanair Express, where only Ryanair is known: a capital after a capital belongs to the name."""
    found = []
    for start, end in values:
        after = _CAPITAL.match(left[end:])
        if after and text[start].isupper():
            found.append(text[start:end] + after.group())
    return found


def _names_a_value(text: str, name: str, values: Sequence[tuple[int, int]]) -> bool:
    """Texas (TX): the value itself stands in brackets after its name."""
    brackets = [start for start, _ in values if start and text[start - 1] in "(（"]
    return any(text[: start - 1].rstrip().endswith(name) for start in brackets)


def _beside_nouns(text: str, left: str, dimensions: Sequence[Hit]) -> list[str]:
    found = []
    for hit in dimensions:
        if hit.tag in _TIMES:
            continue
        before = _BEFORE_NOUN.search(left[: hit.start])
        # The column's own word touches the name, or "this" stands between them.
        if before and before[1].islower() and text[hit.start].isascii():
            continue  # "rank the stores": without a capital an English word before a noun is no name
        if before and len(left[before.end(1) : hit.start]) <= 2:
            found.append(before[1])
        elif after := _AFTER_NOUN.search(left[hit.end :]):
            found.append(after[1])
    return found


def _beside_values(left: str, values: Sequence[tuple[int, int]]) -> list[str]:
    return [match[1] for _, end in values if (match := _BESIDE.search(left[end:]))]


def _trimmed(name: str) -> str:
    """A name without the function words that were caught at its ends."""
    words = name.strip().strip("的").split()
    for end in (-1, 0):
        while words and matcher("function_words").find(words[end]):
            del words[end]
    return " ".join(words)


def _is_name(name: str) -> bool:
    if len(name) < 2 or name.isdigit() or _EMPTY.fullmatch(name):
        return False
    return not matcher("function_words").find(name)
