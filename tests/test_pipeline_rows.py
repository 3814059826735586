from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.columns import Mapping, guess_mapping, parse_overrides
from pipeline.dates import DateProfile
from pipeline.headers import Cell, RawRow
from pipeline.profiles import profile_rows
from pipeline.rows import Draft, FeedbackRows, RejectedRow, customer_key
from store.records import Channel

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def reader(header: str, maps: tuple[str, ...] = (), *, lenient: bool = False) -> FeedbackRows:
    """Rows of a table whose meaning is given by `maps` alone."""
    names = header.split(",")
    rows = [RawRow(1, dict.fromkeys(names, "x"))]
    profiles = profile_rows(rows)[0]
    mapping: Mapping = guess_mapping(profiles, overrides=parse_overrides(maps))
    return FeedbackRows(
        mapping,
        DateProfile().decide(ZONE),
        source="shop",
        channel=Channel.REVIEW,
        zone=ZONE,
        now=NOW,
        clean=str.strip,
        lenient=lenient,
    )


MAPS = ("text=评价", "rating=评分", "occurred_at=时间", "customer_id=客户")


def row(text: Cell = "很好", mark: Cell = "5", at: Cell = "2026-03-05 10:00", who: Cell = "c1") -> RawRow:
    return RawRow(2, {"评价": text, "评分": mark, "时间": at, "客户": who})


def test_a_sound_row() -> None:
    draft = reader("评价,评分,时间,客户", MAPS).draft(row())
    assert draft.text == "很好"
    assert draft.fields["rating"] == 5
    assert draft.fields["occurred_at"] == datetime(2026, 3, 5, 2, tzinfo=UTC)
    assert draft.fields["customer_id"] == "c1"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row(mark="9"), "评分 9 is outside 1-5"),
        (row(mark="很多"), "评分 '很多' is not a number"),
        (row(at="2026-02-30"), "impossible date"),
        (row(at="昨天"), "not a date"),
        (row(text="长" * 100_001), "text longer than 100000 characters"),
        (row(text="坏\udce5"), "bytes that are not valid"),
        (row(text="", mark=""), "neither a text nor a score"),
        (RawRow(2, {"": "x"}, "3 cells where the header has 4"), "3 cells"),
        (row(mark="9", at="2026-02-30"), "评分 9 is outside 1-5; impossible date|impossible date.*; 评分"),
    ],
)
def test_impossible_rows_are_rejected_with_every_reason(bad: RawRow, says: str) -> None:
    with pytest.raises(RejectedRow, match=says):
        reader("评价,评分,时间,客户", MAPS).draft(bad)


def test_lenient_leaves_the_value_out_and_counts_it() -> None:
    rows = reader("评价,评分,时间,客户", MAPS, lenient=True)
    draft = rows.draft(row(mark="9", at="2026-02-30"))
    assert "rating" not in draft.fields
    assert "occurred_at" not in draft.fields
    assert rows.account.left_out == {"评分": 1, "时间": 1}


def test_a_score_without_words_is_feedback() -> None:
    assert reader("评价,评分,时间,客户", MAPS).draft(row(text="")).text == ""


def ids(rows: FeedbackRows, *raw: RawRow) -> list[str]:
    return [rows.draft(one).fields["feedback_id"] for one in raw]


def test_the_same_row_of_a_known_customer_is_a_duplicate() -> None:
    first, second = ids(reader("评价,评分,时间,客户", MAPS), row(), row())
    assert first == second
    assert first == ids(reader("评价,评分,时间,客户", MAPS), row())[0]


def test_rows_that_differ_in_anything_are_two_items() -> None:
    assert len(set(ids(reader("评价,评分,时间,客户", MAPS), row(), row(mark="4"), row(who="c2")))) == 3


def test_anonymous_rows_of_one_day_are_as_many_as_they_are() -> None:
    anonymous = [row(who="匿名用户", at="2026-03-05")] * 3
    found = ids(reader("评价,评分,时间,客户", MAPS), *anonymous)
    assert len(set(found)) == 3
    assert found == ids(reader("评价,评分,时间,客户", MAPS), *anonymous)
    to_the_minute = [row(who="", at="2026-03-05 10:01:33")] * 2
    assert len(set(ids(reader("评价,评分,时间,客户", MAPS), *to_the_minute))) == 1


def test_scores_of_one_day_without_names_or_words_are_not_lost() -> None:
    rows = reader("评分,日期", ("rating=评分", "occurred_at=日期"))
    raw = [RawRow(n, {"评分": str(1 + n % 3), "日期": "2026-03-05"}) for n in range(9)]
    assert len(set(ids(rows, *raw))) == 9


def drafted(header: str, maps: tuple[str, ...], **values: Cell) -> Draft:
    return reader(header, maps).draft(RawRow(2, dict(values)))


def test_channels_keep_the_words_of_the_source() -> None:
    draft = drafted("t,via", ("text=t", "channel=via"), t="很好", via="小红书笔记")
    assert (draft.fields["channel"], draft.attributes) == (Channel.SOCIAL, {"via": "小红书笔记"})
    assert drafted("t,via", ("text=t", "channel=via"), t="很好", via="chat").attributes == {}


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("微博", "social"),
        ("400热线", "call"),
        ("在线客服", "chat"),
        ("微信", "chat"),
        ("工单系统", "ticket"),
        ("满意度问卷", "survey"),
        ("门店", "offline"),
        ("天猫评价", "review"),
        ("Phone", "call"),
        ("E-mail", "email"),
        ("iOS", "app"),
        ("量子纠缠", "other"),
    ],
)
def test_channel_words(word: str, channel: str) -> None:
    assert drafted("t,via", ("text=t", "channel=via"), t="很好", via=word).fields["channel"] == channel


def test_date_and_time_of_day_in_two_columns() -> None:
    draft = drafted(
        "t,日,时", ("text=t", "occurred_at=日", "occurred_time=时"), t="很好", 日="2026/3/5", 时="14:30:05"
    )
    assert draft.fields["occurred_at"] == datetime(2026, 3, 5, 6, 30, 5, tzinfo=UTC)


def test_yes_no_columns_are_a_share_and_a_group() -> None:
    rows = [RawRow(n, {"t": f"评价{n}", "label": str(n % 2)}) for n in range(8)]
    mapping = guess_mapping(profile_rows(rows)[0], overrides={"t": "text"})
    reading = FeedbackRows(
        mapping,
        DateProfile().decide(ZONE),
        source="s",
        channel=Channel.OTHER,
        zone=ZONE,
        now=NOW,
        clean=str.strip,
    )
    draft = reading.draft(rows[1])
    assert (draft.metrics, draft.attributes) == ({"label": 1.0}, {"label": "1"})


@pytest.mark.parametrize(
    ("cell", "kept"),
    [("C-17", "C-17"), (1001.0, "1001"), ("匿名用户", None), ("Anonymous", None), ("", None)],
)
def test_customer_keys(cell: Cell, kept: str | None) -> None:
    assert customer_key(cell) == kept


@pytest.mark.parametrize("cell", ["13812345678", "138 1234 5678", "li@example.com", "11010119900307721X"])
def test_personal_ids_become_stable_pseudonyms(cell: str) -> None:
    key = customer_key(cell)
    assert key is not None
    assert key.startswith("p")
    assert len(key) == 25
    assert cell[:6] not in key
    assert key == customer_key(f" {cell} ")


def test_ids_that_may_not_be_unique_lose_nothing() -> None:
    numbers = ["7", "8", "7", "7"]
    texts = ["物流太慢了等了很久", "质量很好", "物流太慢了等了很久", "另一条意见"]
    raw = [RawRow(n, {"编号": numbers[n], "t": texts[n]}) for n in range(4)]
    rows = [RawRow(n, {"编号": str(n * 3), "t": f"第{n}条评价内容很好"}) for n in range(30)]
    mapping = guess_mapping(profile_rows(rows)[0], overrides={"t": "text"})
    assert mapping.shown()["feedback_id"] == "编号"
    reading = FeedbackRows(
        mapping,
        DateProfile().decide(ZONE),
        source="shop",
        channel=Channel.OTHER,
        zone=ZONE,
        now=NOW,
        clean=str.strip,
    )
    found = ids(reading, *raw)
    assert found[:2] == ["shop:7", "shop:8"]
    assert found[2] == found[0]
    assert found[3] not in found[:3]
