"""Chinese names of people, told by a label, a title, or a way of introducing oneself."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from pipeline.mask_spans import Found, MaskWords, mask_words

_HAN: Final = "\u4e00-\u9fff"
_AFTER_NAME: Final = re.compile(
    rf"[^{_HAN}]|$|先生|女士|小姐|的(?!士)|是|在|和|与|，|电话|手机|身份|联系|地址|住|今|昨|来自|您好"
    rf"|你好|经理|医生|老师|师傅|处理|接待|服务|态度|帮|给|说|告诉|非常|很|特别|太|真|热情|也|反映|反馈|称|表示|投诉|要求|申请|咨询|办|送|一直"
    rf"|我|他|她|为"
)
_NEVER_IN_NAME: Final = re.compile("[的了是在我你他她它们这那吗吧呢啊很太不也都还没个就会要]")
_LEFT_NAME_LIMIT: Final = frozenset("是叫给和的找位员谢跟对向请让由经了但问与被服理机手专售购生任接见有名的")


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = mask_words()
    label = re.compile(rf"(?:{'|'.join(words.name_labels)})[ :：是为叫]{{0,3}}")
    lead = re.compile(rf"(?:{'|'.join(words.name_leads)})[ :：]{{0,2}}")
    title = re.compile("|".join(words.titles))
    return label, lead, title


def find_chinese_names(text: str, add: Callable[[Found], None]) -> None:
    """Report Chinese names that a label, a lead word or a title gives away."""
    words = mask_words()
    label, lead, title = _patterns()
    for match in label.finditer(text):
        end = _name_from(text, match.end(), words, firm=not match.group().startswith("我叫"))
        if end:
            add(Found(match.end(), end, "NAME"))
        elif match.group()[-1] in ":： ":
            field = re.compile(
                r"[A-Za-z][A-Za-z.\-]+(?: [A-Za-z.\-]+){0,2}|[\u4e00-\u9fff]{2,4}(?=[\s，,;；。|]|$)"
            ).match(text, match.end())
            if field and field.group() not in words.not_names:
                add(Found(field.start(), field.end(), "NAME"))
    for match in lead.finditer(text):
        end = _name_from(text, match.end(), words, firm=False)
        if end and end - match.end() >= 2:
            add(Found(match.end(), end, "NAME"))
    for match in title.finditer(text):
        start = _name_before(
            text, match.start(), words, formal=match.group() in ("先生", "女士", "小姐", "太太", "夫人")
        )
        if start is not None:
            add(Found(start, match.start(), "NAME"))


def _name_from(text: str, start: int, words: MaskWords, *, firm: bool) -> int | None:
    """End of the Chinese name that begins at `start`, if one does.

    A firm label ("联系人：") needs a surname only; a loose lead ("我是") also a plausible end.
    """
    surname = 2 if text[start : start + 2] in words.compound_surnames else 1
    if surname == 1 and text[start : start + 1] not in words.surnames:
        return None
    doubtful = not firm and surname == 1 and text[start : start + 1] in words.doubtful_surnames
    for given in (2, 1):
        end = start + surname + given
        name = text[start:end]
        if len(name) < surname + given or not _all_han(name):
            continue
        if doubtful and any(sign not in words.given_signs for sign in name[1:]):
            continue
        if (
            _NEVER_IN_NAME.search(name)
            or name in words.not_names
            or name[:2] in words.not_names
            or any(name.endswith(title) for title in words.titles)
        ):
            continue
        if _AFTER_NAME.match(text, end) and not (
            given == 2
            and _AFTER_NAME.match(text, end - 1)
            and text[end - 1] in "的是在和与也很太给说帮我他她为"
        ):
            return end
    return None


def _name_before(text: str, end: int, words: MaskWords, *, formal: bool) -> int | None:
    """Start of the Chinese name that ends at `end`, before a title, if one does."""
    plausible: list[tuple[int, bool]] = []
    for length in (4, 3, 2, 1):
        start = end - length
        if start < 0:
            continue
        name = text[start:end]
        compound = name[:2] in words.compound_surnames
        if (length == 4 and not compound) or not _all_han(name):
            continue
        if not compound and name[0] not in words.surnames:
            continue
        if (
            _NEVER_IN_NAME.search(name)
            or name in words.not_names
            or name[:2] in words.not_names
            or text[max(0, start - 1) : start + 1] in words.not_names
        ):
            continue
        if name[0] in words.doubtful_surnames and not compound:
            likely = start == 0 and all(sign in words.given_signs for sign in name[1:])
            if length == 1 or not (formal or likely):
                continue
        if "前台" in name or "小姐" in name:
            continue
        bounded = start == 0 or not _all_han(text[start - 1]) or text[start - 1] in _LEFT_NAME_LIMIT
        given = name[2:] if compound else name[1:]
        if not bounded and any(sign not in words.given_signs for sign in given):
            continue
        plausible.append((start, bounded))
    for start, bounded in plausible:
        if bounded:
            return start
    shortest = plausible[-1][0] if plausible else None
    # 李师傅, without a boundary, may as well be a kind of master; 李先生 is a person.
    return shortest if shortest is not None and (formal or end - shortest == 1) else None


def _all_han(text: str) -> bool:
    return all("\u4e00" <= sign <= "\u9fff" for sign in text)
