"""Chinese postal addresses, by their units: 省市区, 路号, 小区幢室, 村组."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from pipeline.mask_spans import Found, mask_words

_H: Final = r"[\u4e00-\u9fff]"
_NUMBER: Final = r"[0-9一二三四五六七八九十百]{1,6}(?:[-—之][0-9]{1,4})?"
_ROAD: Final = (
    r"(?:大道|大街|公路|胡同|(?<![一条上这那同半思网线电公铁马])路|(?<!逛)街|巷|弄|(?<![大知通味])道)"
)
_PLACE: Final = (
    r"(?:小区|花园|家园|新村|公寓|大厦|广场|中心|苑|花苑|佳苑|豪庭|华庭|名都|国际|科技园|工业园|产业园"
    r"|社区|大院|村|屯|组|宿舍|校区|写字楼|大学)"
)
_INSIDE: Final = (
    rf"(?:[ ,，]?(?:[东南西北]?(?:{_NUMBER}|[A-Za-z]\d{{0,4}}) ?(?:号楼|号院|号|弄|栋|幢|座|单元|层|楼"
    rf"|室|房|门|户|梯|#)|[东南西北]区|[A-Z]座|\d{{3,4}}(?!\d)))"
)
_ANCHOR: Final = re.compile(
    rf"{_H}{{1,8}}?{_ROAD}(?:{_H}{{0,2}}段)? ?(?:{_NUMBER} ?[号#]|\d{{1,5}} ?弄)(?!线|店员|那|就|之前"
    rf"|以前|下午|上午|晚|早|到|发|收)(?:{_H}{{2,12}}?{_PLACE})?{_INSIDE}{{0,6}}"
    rf"|{_H}{{2,10}}?{_PLACE}(?:{_H}期)? ?(?:{_NUMBER}|[A-Z]\d{{0,2}}) ?(?:号楼|号院|号|弄|栋|幢|座|单元"
    rf"|组)(?!线|那|下午|上午|晚){_INSIDE}{{0,5}}"
    rf"|(?<![0-9])\d{{1,4}}(?:栋|幢|号楼|座) ?(?:\d{{1,2}}|[一二三四五六]|[A-Za-z]) ?单元 ?(?:\d{{3,4}}"
    rf" ?(?:室|房|号|户)?)?"
)
_TRIGGER: Final = re.compile(
    r"(?:(?:收货|家庭|通讯|联系|居住|邮寄|寄送|配送|单位|公司|现住|户籍)?(?:地址|住址)|家住|我住在?"
    r"|住在|寄到|送到|配送到|寄往|户籍所在地)[是为:： ]{0,3}"
)
_ADMIN: Final = re.compile(
    r"省|市|区|县|镇|乡|街道|路|街|巷|弄|村|小区|花园|苑|公寓|大厦|广场|号|栋|幢|单元|室"
)
_STRONG: Final = re.compile(r"路|大道|街|巷|弄|村|小区|花园|苑|公寓|大厦|栋|幢|单元")
_STOP: Final = re.compile(
    r"[，。！？；、,!?;\n|]|(?:电话|手机|收件|联系|姓名|但是|不过|结果|可是|快递|了|的|很|太|都|就|没"
    r"|不|吧|吗)"
)
_DOOR: Final = re.compile(r"[\d一二三四五六七八九十]|[省市区县镇乡]")
_REGION: Final = re.compile(r"[省市区县镇乡]")
# A unit with a number near it; without one no rule below finds a door.
_CALL: Final = re.compile(
    r"[路街巷弄道村区园苑厦寓场心组同屯寨院元]\D{0,8}[\d一二三四五六七八九十]|\d(?:栋|幢|号楼|座|号)"
)
_FIRST_NUMBER: Final = re.compile(r"\d")
_LEFT_STOP: Final = re.compile(
    r".*(?:[在到至是住址于往从去我给寄送按有:：，。,！!？?；; \n了]|地址|家住|位于)", re.DOTALL
)


@cache
def _province() -> re.Pattern[str]:
    return re.compile("|".join(mask_words().provinces))


def find_addresses(text: str, add: Callable[[Found], None], *, told: bool) -> None:
    """Report addresses that lead to a door: road and number, compound and building, or a told one."""
    if not told and not _CALL.search(text):
        return
    for match in _ANCHOR.finditer(text):
        start = _widen(text, match.start(), match.end())
        add(Found(start, match.end(), "ADDRESS"))
    for match in _TRIGGER.finditer(text):
        stop = _STOP.search(text, match.end(), match.end() + 60)
        end = min(stop.start() if stop else len(text), match.end() + 60)
        place = text[match.end() : end]
        if len(_ADMIN.findall(place)) >= 2 and _STRONG.search(place) and _DOOR.search(place):
            add(Found(match.end(), end, "ADDRESS"))


def _widen(text: str, start: int, end: int) -> int:
    """Where the address known by its road or compound begins: 省市区 before it, no other word."""
    anchor = text[start:end]
    number = _FIRST_NUMBER.search(anchor)
    units = list(_STRONG.finditer(anchor, 0, number.start() if number else len(anchor)))
    if not units:
        return start
    unit = start + units[-1].start()
    left = text[max(0, unit - 30) : unit]
    stop = _LEFT_STOP.match(left)
    left = left[stop.end() :] if stop else left
    province = _province().search(left)
    if province:
        return unit - len(left) + province.start()
    if _REGION.search(left):
        return unit - len(left)
    return unit - min(len(left), 4)
