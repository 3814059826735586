"""Chinese names without a label: 小李, 王姐, 李建国态度很好, a name beside a telephone number."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from pipeline.mask_spans import Found, MaskWords, mask_words

_H: Final = "\u4e00-\u9fff"
_HAN: Final = re.compile(f"[{_H}]")
_DOTS: Final = "·•‧・∙"
_DOT: Final = re.compile(f"[{_DOTS}]")
_CLAUSE_BEGINS: Final = ' ，。！？；、,.!?;\n“"（('


class _Patterns(NamedTuple):
    """Each begins with a class of signs: a text without one of them is passed over quickly."""

    nickname: re.Pattern[str]
    kin: re.Pattern[str]
    full: re.Pattern[str]
    short: re.Pattern[str]
    called: re.Pattern[str]
    beside: re.Pattern[str]
    dotted: re.Pattern[str]
    no_nickname: re.Pattern[str]
    no_name: re.Pattern[str]
    behind: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    words = mask_words()
    surname, given = f"[{words.firm_surnames}]", f"[{words.given_signs}]"
    compound = "|".join(sorted(words.compound_surnames))
    kin, acts, roles = "|".join(words.kin_titles), "|".join(words.name_acts), "|".join(words.roles)
    firm = "".join(sorted(words.surnames - words.doubtful_surnames))
    anyone = f"(?:{compound}|[{firm}])[{_H}]{{1,2}}"
    ends = rf"(?=[^{_H}]|$|的(?!士)|是|在|和|与|{acts})"
    phone = r"(?:1[3-9]\d{9}(?!\d)|\[PHONE(?:_\d+)?\])"
    return _Patterns(
        nickname=re.compile(rf"[小老阿]{surname}(?![{words.after_nickname}]){ends}"),
        kin=re.compile(rf"{surname}(?={kin})(?!(?:{kin})[{words.after_kin}])"),
        full=re.compile(rf"(?:{surname}{given}{{2}}|(?:{compound}){given}{{1,2}}){ends}"),
        short=re.compile(rf"{surname}[{words.strong_given_signs}](?={acts})"),
        called=re.compile(rf"[叫名][叫做为]?(?P<v>{anyone}?)的[{_H}]{{0,2}}(?:{roles})"),
        beside=re.compile(
            rf"(?P<before>{anyone}) ?[，,:：(（\-—]{{0,2}} ?(?=(?:电话|手机|tel)?[:：]?{phone})"
            rf"|{phone} ?[，,(（\-—]{{0,2}} ?(?P<after>{anyone})(?=[^{_H}]|$|收|女士|先生)"
        ),
        dotted=re.compile(rf"[{_H}]{{1,7}}[{_DOTS}][{_H}]{{1,7}}(?:[{_DOTS}][{_H}]{{1,7}}){{0,2}}"),
        no_nickname=re.compile(words.no_nicknames),
        no_name=re.compile(words.no_full_names),
        behind=re.compile(rf"(?:[{words.before_name}]|{'|'.join(words.name_leads)})$"),
    )


def find_free_names(text: str, add: Callable[[Found], None], *, titled: bool) -> None:
    """Report Chinese names that nothing announces, where their own signs and what follows give them away.

    `titled` says whether a title (姐, 师傅, 经理 ...) is somewhere in the text.
    """
    words, patterns = mask_words(), _patterns()
    for match in patterns.nickname.finditer(text):
        at = match.start()
        if text[max(0, at - 1) : at] not in words.before_no_nickname and not patterns.no_nickname.match(
            text, at
        ):
            add(Found(at, match.end(), "NAME"))
    for pattern in (patterns.kin, patterns.full) if titled else (patterns.full,):
        for match in pattern.finditer(text):
            # 谢谢师傅
            doubled = text[max(0, match.start() - 1) : match.start() + 1] in words.not_names
            if (
                not doubled
                and _is_bounded(text, match.start(), patterns)
                and _is_name(match.group(), words, patterns)
            ):
                add(Found(match.start(), match.end(), "NAME"))
    for match in patterns.short.finditer(text):
        begins = not match.start() or text[match.start() - 1] in _CLAUSE_BEGINS
        if begins and _is_name(match.group(), words, patterns):
            add(Found(match.start(), match.end(), "NAME"))
    _in_company(text, add, words, patterns)
    if _DOT.search(text):
        _dotted(text, add, words)


def _in_company(text: str, add: Callable[[Found], None], words: MaskWords, patterns: _Patterns) -> None:
    """Names told as such (叫李娜的店员) or written beside a telephone number."""
    for match in patterns.called.finditer(text) if "叫" in text or "名" in text else ():
        if _is_name(match["v"], words, patterns):
            add(Found(match.start("v"), match.end("v"), "NAME"))
    for match in patterns.beside.finditer(text) if "1" in text or "[PHONE" in text else ():
        group = "before" if match["before"] else "after"
        bounded = group == "after" or _is_bounded(text, match.start(), patterns)
        if bounded and _is_name(match[group], words, patterns):
            add(Found(match.start(group), match.end(group), "NAME"))


def _is_bounded(text: str, start: int, patterns: _Patterns) -> bool:
    """Whether a name can begin here: no Chinese sign before it, or one of those that come before a name."""
    if not start or not _HAN.match(text[start - 1]):
        return True
    ahead = text[max(0, start - 4) : start]
    if ahead[-1] in "小老大":
        return _is_bounded(text, start - 1, patterns)
    return patterns.behind.search(ahead) is not None


def _is_name(told: str, words: MaskWords, patterns: _Patterns) -> bool:
    titled = told[1:] in words.titles or told[1:] in words.kin_titles
    known = told in words.not_names or told[:2] in words.not_names
    return not titled and not known and not patterns.no_name.match(told)


def _dotted(text: str, add: Callable[[Found], None], words: MaskWords) -> None:
    """Names of several parts (阿依古丽·买买提), where a part is known or titled: brands have dots too."""
    for match in _patterns().dotted.finditer(text):
        told = match.group()
        titled = any(title in told or text.startswith(title, match.end()) for title in words.titles)
        labelled = any(label in told or text.endswith(label, 0, match.start()) for label in words.name_labels)
        if not (titled or labelled or any(part in told for part in words.minority_parts)):
            continue
        start, end = 0, len(told)
        first = _DOT.search(told)
        for lead in (*words.name_labels, *words.name_leads, *words.name_before_dot):
            at = told.find(lead)
            if first is not None and 0 <= at < first.start():
                start = max(start, at + len(lead))
        last = max(told.rfind(dot) for dot in _DOTS)
        for act in (*words.titles, *words.name_acts, "的", "是", "在", "和"):
            at = told.find(act, last + 2)
            if at > 0:
                end = min(end, at)
        add(Found(match.start() + start, match.start() + end, "NAME"))
