"""Personal data made of digits and signs: ids, phones, cards, accounts, orders, plates, IP addresses.

Every rule goes by shape and context. A check digit that fails does not exempt a number: people mistype.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from pipeline.mask_spans import Found, mask_words

_SEP: Final = r"[ \-.·_—–\u3000]"
_MONEY_BEFORE: Final = re.compile(r"(?:[¥￥$€£]|RMB|rmb|USD|人民币|金额|价格|价值|共计|合计|total of) ?$")
_MONEY_AFTER: Final = re.compile(
    r" ?(?:元|块|万|亿|圆|美元|港币|日元|RMB|rmb|CNY|USD|dollars?|yuan|人|次|件|个|单|笔|份|台|套|条|位"
    r"|家|天|公里|units?\b|items?\b|[KMGT]B|[%％])"
)
_BOOK: Final = re.compile(r"97[89]\d{10}")
_TIMESTAMP: Final = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"
)
_ORDER_WORD: Final = (
    r"订单|订单编?号|单号|运单|快递单|物流单|流水|流水号|交易号|交易单|凭证|工单|发票|合同|保单|预订号"
    r"|预定号|确认号|票号|退货单|退款单"
    r"|order|transaction|tracking|invoice|booking|reservation|confirmation|reference|refno|ref|ticket"
    r"|case|PNR|parcel|shipment"
)
_ACCOUNT_WORD: Final = (
    r"账号|帐号|账户|帐户|户号|会员号|会员卡号?|客户号|客户编号|用户号|用户ID|卡号|尾号|社保号|医保号"
    r"|公积金号|驾照号|驾驶证号?|设备号|IMEI"
    r"|account|acct|a/c|member(?:ship)?|customer id|user ?id|card|policy|licen[cs]e|routing|sort code"
    r"|swift|bic|medicare|tax id|tin"
)
_JOIN: Final = (
    r"(?:\s*(?:编号|号码|号|代码|ID|id|no\.?|No\.?|NO\.?|num(?:ber)?|Number|code|#|＃|是|为|is|was|:|："
    r"|=|\())*\s*"
)


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(text, flags)


_EMAIL: Final = _pattern(
    r"[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63}\s?(?:@|\(at\)|\[at\]|【at】)\s?(?:[A-Za-z0-9\-]{1,63}\s?(?:\."
    r"|\(dot\)|\[dot\])\s?){1,4}"
    r"[A-Za-z]{2,18}"
)
_IPV4: Final = _pattern(
    r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)"
)
_IPV6: Final = _pattern(
    r"(?<![0-9A-Fa-f:])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
    r"|(?:[0-9A-Fa-f]{1,4}:){2,6}(?::[0-9A-Fa-f]{1,4}){1,4}|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})"
    r"(?![0-9A-Fa-f:])"
)
_VERSION_BEFORE: Final = re.compile(
    r"(?:版本|版|固件|系统|升级到|更新到|version|ver|build|release|v)[ .:：是为号]{0,3}$", re.I
)
_ID_CARD: Final = _pattern(
    rf"(?<![0-9A-Za-z])[1-9]\d{{5}}{_SEP}?(?:18|19|20)\d\d{_SEP}?(?:0[1-9]|1[0-2]){_SEP}?(?:0[1-9]"
    rf"|[12]\d|3[01]){_SEP}?"
    rf"\d{{3}}[\dXx](?![0-9A-Za-z])"
    rf"|(?<![0-9A-Za-z])[1-9]\d{{5}}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}(?![0-9A-Za-z])"
    rf"|(?<![0-9A-Za-z])[1-9]\d{{2,5}}[*xX]{{6,12}}\d{{2,4}}[\dXx]?(?![0-9A-Za-z])"
)
_ID_CONTEXT: Final = _pattern(
    rf"(?:身份证|证件|身份号码|ID ?card|identity card){_JOIN}(\d[\dXx \-]{{12,24}}[\dXx]|\d{{6,}}[\dXx]?)",
    re.I,
)
_MOBILE: Final = _pattern(
    rf"(?<![\d.])(?:(?:\+|00)?86{_SEP}{{0,2}}|\(\+?86\){_SEP}?)?"
    rf"(?:1[3-9]\d{{9}}|1[3-9]\d{_SEP}{{1,2}}\d{{4}}{_SEP}{{1,2}}\d{{4}}|1[3-9]\d{_SEP}\d{{8}}"
    rf"|1[3-9]\d{{5}}{_SEP}\d{{4}}"
    rf"|1[3-9]\d{_SEP}\d{{3}}{_SEP}\d{{5}}|1[3-9]\d{_SEP}\d\d{_SEP}\d{{3}}{_SEP}\d{{3}}"
    rf"|1[3-9]\d{{3}}{_SEP}\d{{3}}{_SEP}\d{{3}}"
    rf"|1(?P<one>{_SEP})[3-9](?:(?P=one)\d){{9}}|1[3-9](?P<two>{_SEP})\d\d(?:(?P=two)\d\d){{3}}(?P=two)\d"
    rf"|1[3-9]\d[*xX]{{4}}\d{{4}})(?!\d)"
)
_LANDLINE: Final = _pattern(
    rf"(?<![\d.])(?:(?:\+|00)86{_SEP}?)?(?:\(0\d{{2,3}}\){_SEP}?"
    rf"|0\d{{2,3}}{_SEP}{{0,2}})[2-9]\d{{2,3}}{_SEP}?\d{{4}}(?!\d)(?:{_SEP}?(?:转|ext\.?|分机)"
    rf" ?\d{{1,6}})?"
    rf"|(?<!\d)[48]00{_SEP}\d{{3,4}}{_SEP}?\d{{3,4}}(?!\d)"
)
_FOREIGN_PHONE: Final = _pattern(
    r"(?<![\d.])(?:\+|00)[1-9]\d{0,2}(?:[ \-.]?\(?\d{1,5}\)?){2,5}(?!\d)(?: ?(?:x|ext\.?) ?\d{1,6})?"
    r"|(?<![\d.\-])(?:1[ \-.])?(?:\(\d{3}\) ?|\d{3}[ \-.])\d{3}[ \-.]\d{4}(?!\d)(?: ?(?:x|ext\.?) ?\d{1,6})?"
    r"|(?<![\d.\-])0\d{2,4}[ \-]\d{3,4}[ \-]\d{3,4}(?!\d)"
)
_PHONE_CONTEXT: Final = _pattern(
    r"(?:电话|手机|手机号|座机|desk|office|热线|传真|联系方式|致电|拨打|回电|来电|打给我|tel|telephone"
    r"|phone|mobile|cell|cellphone|fax|call(?: me)?(?: back)?(?: at| on)?|text me(?: at| on)?|reach me"
    r"(?: at| on)?)"
    rf"{_JOIN}(\+?\(?\d(?:[ \-.()]{{0,2}}\d){{6,14}})(?!\d)",
    re.I,
)
# Groups of digits as other countries write them; no date, no 1 000 000.
_GROUPED: Final = _pattern(
    r"(?<![\d.,\-/])(?!(?:19|20)\d\d[ \-.]|\d\d[ \-.]\d\d[ \-.](?:19|20)\d\d|[\d ]*000(?!\d))(?="
    r"(?:\D?\d){8,12}(?!\D?\d))"
    r"\d{2,4}(?P<gs>[ \-])\d{2,4}(?:(?P=gs)\d{2,4}){1,3}(?![\d\-]|[.,]\d| ?[xX*×/])"
)
_SSN: Final = _pattern(
    r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])|(?:ssn|social security)(?: number| no\.?)?(?: is|:)?"
    r" ?(\d{3}[ \-]?\d{2}[ \-]?\d{4})(?!\d)",
    re.I,
)
_IBAN: Final = _pattern(
    r"(?<![A-Za-z0-9])(?:A[DELTZ]|B[AEGHRY]|C[HRYZ]|D[EKO]|E[EGS]|F[IOR]|G[BEILRT]|H[RU]|I[ELQST]|JO"
    r"|K[WZ]|L[BCITUVY]"
    r"|M[CDEKRTU]|N[LO]|P[KLST]|QA|R[OSU]|S[ACEIKMTV]|T[LNR]|UA|V[AG]|XK)\d{2}(?: ?[A-Z0-9]{4}){2,7}(?:"
    r" ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])"
)
_CARD: Final = _pattern(
    rf"(?<![\dA-Za-z.])(?:\d{{4}}(?P<cs>{_SEP}{{1,3}})\d{{4}}(?P=cs)\d{{4}}(?P=cs)\d{{1,4}}(?:"
    rf"(?P=cs)\d{{1,4}})?|\d{{4}}{_SEP}\d{{6}}{_SEP}\d{{5}}"
    rf"|\d{{6}}{_SEP}\d{{9,13}}|[3-6]\d{{3,5}}[*xX]{{4,12}}\d{{3,4}})(?!\d)"
)
_LONG: Final = _pattern(r"(?<![\d.])\d{12,40}(?!\d)(?!\.\d)")
_TAIL: Final = _pattern(
    r"(?:尾号|末四位|后四位|last (?:four|4)(?: digits)?|ending(?: in| with)?)(?:是|为|:|：| |is|are"
    r"|of)*(\d{3,6})(?!\d)",
    re.I,
)
_PLATE: Final = _pattern(
    rf"[{mask_words().regions}][A-HJ-NP-Za-hj-np-z] ?[·.\-—•]? ?"
    r"(?:(?=[A-Za-z]{0,2}[0-9])(?=(?:[A-Za-z]*\d){3})[A-HJ-NP-Za-hj-np-z0-9]{5}|(?="
    r"(?:[A-Za-z]*\d){3})[A-HJ-NP-Za-hj-np-z0-9]{4}[挂学警港澳]"
    r"|[DABCEFGHJKdabcefghjk][A-HJ-NP-Za-hj-np-z0-9]\d{4}|\d{5}[DABCEFGHJKdabcefghjk])(?![A-Za-z0-9])"
)
_PASSPORT: Final = _pattern(
    r"(?<![A-Za-z0-9])(?:[EeGgDdSsPpHhKkMmCcLl]\d{8}|[Ee][A-HJ-NP-Za-hj-np-z]\d{7}|[HhMmCc]\d{10})"
    r"(?![A-Za-z0-9])"
    rf"|(?:护照|通行证|回乡证|passport){_JOIN}([A-Za-z]{{0,3}}\d{{6,10}})(?![A-Za-z0-9])",
    re.I,
)
_BIRTH: Final = _pattern(
    r"(?:出生日期|出生年月日?|生日|出生于|生于|date of birth|d\.?o\.?b\.?|born on|birthday)(?:是|为|:"
    r"|：| |is)*"
    r"((?:\d{4}[年\-/. ]\d{1,2}(?:[月\-/. ]\d{1,2}日?)?|\d{8}|\d{1,2}[/\-. ]\d{1,2}[/\-. ]\d{2,4}"
    r"|[A-Z][a-z]{2,8} \d{1,2},? \d{4}|\d{1,2} [A-Z][a-z]{2,8},? \d{4}))",
    re.I,
)
_SECRET: Final = _pattern(
    r"(?:验证码|校验码|动态码|密码|口令|取件码|提货码|cvv2?|cvc|password|passcode|passwd|pwd|otp|"
    r"(?<![a-z])pin(?: code| number)?|verification code|security code)"
    r"(?:是|为|:|：|=|\s|is|was)*((?=[A-Za-z_@#$!%\-]*\d)[A-Za-z0-9_@#$!%\-]{3,32})(?!\d)",
    re.I,
)
_WECHAT: Final = _pattern(
    r"(?:微信|薇信|威信|V信|加[vVｖ]|(?<![A-Za-z])(?:wechat|weixin|wx|vx))(?P<join>(?:号码|号|账号|帐号"
    r"|id|是|为|:|：|=|\s|is)*)(?P<id>[A-Za-z][A-Za-z0-9_\-]{5,19}|\d{6,11})(?![A-Za-z0-9_])",
    re.I,
)
_QQ: Final = _pattern(
    r"(?:(?<![A-Za-z])qq|扣扣|抠抠|企鹅号|q号|q群)(?:群|号码|号|是|为|:|：|=|\s|is)*([1-9]\d{4,11})(?!\d)",
    re.I,
)
_ORDER: Final = _pattern(
    rf"(?:{_ORDER_WORD}){_JOIN}((?=[A-Za-z\-_]*\d)[A-Za-z0-9](?:[A-Za-z0-9]|[\-_]"
    rf"(?=[A-Za-z0-9])){{4,39}})(?![A-Za-z0-9])",
    re.I,
)
_PNR: Final = _pattern(
    r"(?:PNR|订座记录|booking ref(?:erence)?|confirmation code)(?:编号|号|码|是|为|:|：|\s|is"
    r"|code)*([A-Z0-9]{6})(?![A-Za-z0-9])"
)
_WAYBILL: Final = _pattern(r"(?<![A-Za-z0-9])[A-Za-z]{1,4}[\-_]?\d{9,24}(?:[\-_]\d+)*(?![A-Za-z0-9])")
_ACCOUNT: Final = _pattern(
    rf"(?:{_ACCOUNT_WORD}){_JOIN}((?=(?:[A-Za-z\-_]*\d){{4}})[A-Za-z0-9](?:[A-Za-z0-9]|[\-_ ]"
    rf"(?=\d)){{4,30}})(?![A-Za-z0-9])",
    re.I,
)
_ORDER_NEAR: Final = re.compile(rf"(?:{_ORDER_WORD})[^，。！？,!?\n]{{0,8}}$", re.I)


def find_numbers(text: str, add: Callable[[Found], None]) -> None:
    """Report every number-like span of `text` (digits already ASCII), most specific rule first."""
    for found in _candidates(text):
        add(found)


def find_email(text: str, add: Callable[[Found], None]) -> None:
    """Report e-mail addresses."""
    for match in _EMAIL.finditer(text):
        add(Found(match.start(), match.end(), "EMAIL"))


def find_handles(text: str, add: Callable[[Found], None]) -> None:
    """Report WeChat and QQ ids, which need their context."""
    for match in _WECHAT.finditer(text):
        handle, join = match["id"], match["join"]
        told = any(word in join for word in ("号", "是", ":", "：", "=")) or "id" in join.lower()
        follows_word = re.match(r" [A-Za-z]", text[match.end() :]) is not None
        if any(sign.isdigit() or sign in "_-" for sign in handle) or (told and not follows_word):
            add(Found(match.start("id"), match.end("id"), "WECHAT"))
    yield_groups(_QQ, text, "QQ", add)


def yield_groups(pattern: re.Pattern[str], text: str, kind: str, add: Callable[[Found], None]) -> None:
    """Report group 1 of each match, or the whole match where group 1 took no part."""
    for match in pattern.finditer(text):
        group = 1 if pattern.groups and match[1] is not None else 0
        add(Found(match.start(group), match.end(group), kind))


def _candidates(text: str) -> Iterator[Found]:
    for pattern, kind in (
        (_SECRET, "SECRET"),
        (_BIRTH, "BIRTH_DATE"),
        (_ID_CARD, "ID_CARD"),
        (_ID_CONTEXT, "ID_CARD"),
        (_SSN, "SSN"),
        (_PASSPORT, "PASSPORT"),
        (_PLATE, "PLATE"),
        (_IBAN, "IBAN"),
        (_MOBILE, "PHONE"),
        (_PHONE_CONTEXT, "PHONE"),
        (_CARD, "BANK_CARD"),
        (_PNR, "ORDER"),
        (_ORDER, "ORDER"),
        (_LANDLINE, "PHONE"),
        (_FOREIGN_PHONE, "PHONE"),
        (_GROUPED, "PHONE"),
        (_ACCOUNT, "ACCOUNT"),
        (_TAIL, "ACCOUNT"),
        (_WAYBILL, "ORDER"),
        (_IPV6, "IP"),
        (_IPV4, "IP"),
    ):
        for match in pattern.finditer(text):
            group = 1 if pattern.groups and not pattern.groupindex else 0
            if group and match[group] is None:
                group = 0
            start, end = match.span(group)
            if not _exempt(text, start, end, kind):
                card = (
                    kind == "ACCOUNT"
                    and 13 <= end - start <= 23
                    and text[start:end].replace(" ", "").isdigit()
                )
                yield Found(start, end, "BANK_CARD" if card else kind)
    yield from _long_numbers(text)


def _exempt(text: str, start: int, end: int, kind: str) -> bool:
    if kind == "IP":
        return bool(_VERSION_BEFORE.search(text[max(0, start - 12) : start]))
    if kind in ("SSN", "ID_CARD", "PLATE", "PASSPORT", "IBAN", "SECRET", "BIRTH_DATE"):
        return False
    if (
        kind == "PHONE"
        and not 7 <= sum(sign.isdigit() for sign in text[start:end]) <= 22
        and "*" not in text[start:end]
    ):
        return True
    if kind == "ORDER" and sum(sign.isdigit() for sign in text[start:end]) < 3:
        return True
    return _is_amount(text, start, end)


def _is_amount(text: str, start: int, end: int) -> bool:
    return bool(_MONEY_BEFORE.search(text[max(0, start - 10) : start]) or _MONEY_AFTER.match(text, end))


def _long_numbers(text: str) -> Iterator[Found]:
    """A run of twelve digits or more is no count and no price unless it says so."""
    for match in _LONG.finditer(text):
        start, end = match.span()
        digits = match.group()
        if _is_amount(text, start, end):
            continue
        if _ORDER_NEAR.search(text[max(0, start - 20) : start]):
            yield Found(start, end, "ORDER")
        elif _TIMESTAMP.fullmatch(digits):
            continue
        elif not _BOOK.fullmatch(digits):
            yield Found(start, end, "BANK_CARD" if 13 <= len(digits) <= 19 else "ORDER")
