"""Personal data made of digits and signs, by the rules of `mask_rules.yaml`.

Every rule goes by shape and context. A check digit that fails does not exempt a number: people mistype.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from pipeline.mask_rules import Rule
from pipeline.mask_spans import Found

_MONEY_BEFORE: Final = re.compile(
    r"(?:[¥￥$€£]|RMB|rmb|USD|人民币|金额|价格|价值|共计|合计|消费|花了|支付了|付了|total of) ?$"
)
_MONEY_AFTER: Final = re.compile(
    r" ?(?:元|块|万|亿|圆|美元|港币|日元|RMB|rmb|CNY|USD|dollars?|yuan|人|次|件|个|单|笔|份|台|套|条|位"
    r"|家|天|公里|units?\b|items?\b|[KMGT]B|[%％])"
)
_BOOK: Final = re.compile(r"97[89]\d{10}")
_TIMESTAMP: Final = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"
)
_VERSION_BEFORE: Final = re.compile(
    r"(?:版本|版|固件|系统|升级到|更新到|version|ver|build|release|v)[ .:：是为号]{0,3}$", re.I
)
_ORDER_NEAR: Final = re.compile(
    r"(?:单号|订单|运单|流水|交易|凭证|工单|发票|合同|保单|order|transaction|tracking|invoice|ref)"
    r"[^，。！？,!?\n]{0,8}$",
    re.I,
)
_TOLD: Final = ("号", "是", "为", "叫", "搜", "id", ":", "：", "=", "名")
# Words of the world behind 微信 and its kin that are no ids.
_NO_HANDLE: Final = re.compile(
    r"(?:pay|payment|payments|login|group|mini|app|apps|music|official|account|android|iphone|ios|page|live"
    r"|marketplace|messenger|support|team|store|shop|video|story|stories|message|messages|post|posts|with"
    r"|from|that|this|have|your|they|about|https?|www)$",
    re.I,
)
_KEEP_DIGITS: Final = ("PHONE", "ORDER")


class Cue(NamedTuple):
    """A rule to try at `end`, right behind its cue word."""

    rule: int
    end: int


def find_numbers(
    text: str,
    rules: tuple[Rule, ...],
    anywhere: Iterable[int],
    cues: Iterable[Cue],
    add: Callable[[Found], None],
) -> None:
    """Report every number-like span of `text` (digits already ASCII), most specific rule first.

    `anywhere` are the numbers of the rules to search for in the whole text, `cues` those to try behind a
    cue. What is public (a company's number, a hotline) is not reported, nor what lies within it.
    """
    at: dict[int, list[int]] = {}
    for cue in cues:
        at.setdefault(cue.rule, []).append(cue.end)
    public: list[tuple[int, int]] = []
    for number in sorted({*anywhere, *at}):
        rule = rules[number]
        for match in _matches(rule, text, at.get(number)):
            start, end = match.span("v" if "v" in rule.pattern.groupindex and match["v"] is not None else 0)
            if rule.type == "PUBLIC":
                public.append((start, end))
            elif not any(low <= start and end <= high for low, high in public):
                for found in _judged(rule, match, text, start, end):
                    add(found)


def _matches(rule: Rule, text: str, ends: list[int] | None) -> Iterator[re.Match[str]]:
    if not rule.cues:
        yield from rule.pattern.finditer(text)
        return
    for end in ends or ():
        match = rule.pattern.match(text, end)
        if match:
            yield match


def _judged(rule: Rule, match: re.Match[str], text: str, start: int, end: int) -> Iterator[Found]:
    kind = rule.type
    value = text[start:end]
    if kind == "LONG":
        kind = _long_kind(text, start, end, value)
        if not kind:
            return
    elif kind in ("WECHAT", "HANDLE") and "id" in rule.pattern.groupindex and match["id"] is not None:
        start, end = match.span("id")
        if not _is_handle(match["id"], match["join"], text[end : end + 2]):
            return
    elif _exempt(rule, text, start, end):
        return
    elif kind == "ACCOUNT" and 13 <= end - start <= 23 and value.replace(" ", "").replace("-", "").isdigit():
        kind = "BANK_CARD"
    yield Found(start, end, kind)


def _is_handle(handle: str, join: str, after: str) -> bool:
    """Whether what follows "微信" or "twitter" is an id: told as one, or no plain word."""
    if _NO_HANDLE.match(handle) or re.match(r" [A-Za-z]", after):
        return False
    if any(sign.isdigit() or sign in "_" for sign in handle):
        return not re.fullmatch(r"\d{1,4}", handle)
    return handle.startswith("@") or any(word in join.lower() for word in _TOLD)


def _exempt(rule: Rule, text: str, start: int, end: int) -> bool:
    kind = rule.type
    if kind == "IP":
        return bool(_VERSION_BEFORE.search(text[max(0, start - 12) : start]))
    if kind in _KEEP_DIGITS:
        digits = sum(sign.isdigit() for sign in text[start:end])
        masked = any(sign in "*•●\u20e3" or sign.isalpha() for sign in text[start:end])
        if kind == "PHONE" and not 7 <= digits <= 22 and not masked:
            return True
        if kind == "ORDER" and digits < 3:
            return True
    return (rule.amounts or kind == "PHONE") and _is_amount(text, start, end)


def _is_amount(text: str, start: int, end: int) -> bool:
    return bool(_MONEY_BEFORE.search(text[max(0, start - 10) : start]) or _MONEY_AFTER.match(text, end))


def _long_kind(text: str, start: int, end: int, digits: str) -> str:
    """What a run of twelve digits or more is; empty for an amount, a time or a book."""
    if _is_amount(text, start, end):
        return ""
    if _ORDER_NEAR.search(text[max(0, start - 20) : start]):
        return "ORDER"
    if _TIMESTAMP.fullmatch(digits) or _BOOK.fullmatch(digits):
        return ""
    return "BANK_CARD" if 13 <= len(digits) <= 19 else "ORDER"
