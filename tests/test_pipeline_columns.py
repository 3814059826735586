import csv
import gzip
import io
import random
from pathlib import Path
from typing import Any

import pytest

from pipeline.columns import Mapping, guess_mapping, parse_overrides
from pipeline.headers import Cell, RawRow
from pipeline.profiles import profile_rows
from pipeline.readers import open_table
from store.errors import InputError

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data sets are not at {DATA}")

TEXTS = [
    "物流太慢了，等了整整一个星期",
    "质量很好，下次还会再来买",
    "客服态度差，问了半天没人理",
    "性价比高，包装也很用心",
    "APP 总是闪退，根本没法用",
]


def table(n: int = 60, /, **columns: Any) -> list[RawRow]:
    return [
        RawRow(row, {name: values[row % len(values)] for name, values in columns.items()}) for row in range(n)
    ]


def guess(rows: list[RawRow], **options: Any) -> Mapping:
    return guess_mapping(profile_rows(rows)[0], **options)


def texts(n: int = 60) -> list[Cell]:
    return [f"{TEXTS[i % 5]}，第{i}次" for i in range(n)]


def test_a_shop_export() -> None:
    mapping = guess(
        table(
            订单编号=[f"D2026{n:06d}" for n in range(60)],
            买家昵称=[f"小{n}" for n in range(60)],
            商品名称=["吹风机", "电饭煲"],
            评价星级=[5, 4, 1, 3],
            初评=texts(),
            追评=["", "用了一周还不错"],
            评价时间=[f"2026-03-{n % 28 + 1:02d} 10:00" for n in range(60)],
            商家回复=["感谢您的支持，欢迎再次光临本店，祝您生活愉快，万事如意"],
            收货省份=["广东", "浙江"],
            手机号=[f"1380000{n:04d}" for n in range(60)],
        )
    )
    shown = mapping.shown()
    assert {
        key: shown[key] for key in ("text", "rating", "occurred_at", "customer_id", "product", "region")
    } == {
        "text": "初评",
        "rating": "评价星级",
        "occurred_at": "评价时间",
        "customer_id": "买家昵称",
        "product": "商品名称",
        "region": "收货省份",
    }
    assert shown["dim:商家回复"] == "商家回复"
    assert "personal" in mapping.ignored()["手机号"]


def test_a_questionnaire_with_questions_for_headers() -> None:
    question = "1、您有多大可能将我们推荐给朋友或同事？"
    mapping = guess(
        table(
            **{
                "序号": list(range(1, 61)),
                "提交答卷时间": [f"2026/3/{n % 28 + 1} 9:05:00" for n in range(60)],
                question: [0, 6, 8, 9, 10],
                "2、您对服务的总体满意度": ["非常满意", "满意", "一般", "不满意"],
                "3、您给出以上评分的原因是什么？": texts(),
                "来自IP": ["10.0.0.1"],
            }
        )
    )
    shown = mapping.shown()
    assert shown["nps"] == question
    assert shown["csat"] == "2、您对服务的总体满意度"
    assert shown["text"] == "3、您给出以上评分的原因是什么？"
    assert shown["occurred_at"] == "提交答卷时间"
    assert mapping.ignored() == {"序号": "row numbers", "来自IP": "personal data, not kept"}
    assert next(c for c in mapping.choices if c.target == "csat").words


def test_an_english_ticket_export() -> None:
    mapping = guess(
        table(
            **{
                "Ticket ID": [f"T-{n}" for n in range(60)],
                "Created At": ["2026-03-05T10:00:00Z", "2026-03-06T11:00:00Z"],
                "Updated At": ["2026-04-05T10:00:00Z"],
                "Subject": ["Late", "Refund please"],
                "Description": [f"The parcel arrived {n} days late and was damaged" for n in range(60)],
                "Channel": ["Email", "Phone", "Live chat"],
                "Priority": ["high", "low"],
                "CSAT": [1, 5, 4, ""],
            }
        )
    )
    assert mapping.shown() == {
        "feedback_id": "Ticket ID",
        "occurred_at": "Created At",
        "text": "Description",
        "channel": "Channel",
        "csat": "CSAT",
        "dim:Updated At": "Updated At",
        "dim:Subject": "Subject",
        "dim:given_Priority": "Priority",
    }


@pytest.mark.parametrize(
    ("header", "values", "target", "scale"),
    [
        ("评分", [5, 4, 1], "rating", "1-5"),
        ("评分", [10, 8, 7, 6, 2], "metric:评分", "1-10"),
        ("score", [0, 3, 10, 9, 8, 7], "metric:score", "0-10"),
        ("NPS", [0, 3, 10, 9, 8, 7], "nps", "0-10"),
        ("likelihood to recommend", [0, 3, 10], "nps", "0-10"),
        ("recommended", [0, 1], "metric:recommended", "0-1"),
        ("满意度", [5, 4, 1], "csat", "1-5"),
        ("满意度", [10, 9, 8, 7, 2], "metric:满意度", "1-10"),
        ("满意度", [100, 85, 92, 77], "metric:满意度", "0-100"),
        ("费力度", [7, 1, 3], "ces", "1-7"),
        ("comfort_rating", [5, 4, 1], "metric:comfort_rating", "1-5"),
        ("星级", ["5星", "4星", "一星"], "rating", "1-5"),
        ("stars", ["★★★★★", "★☆☆☆☆"], "rating", "1-5"),
        ("label", [0, 1], "metric:label", "0-1"),
        ("年龄", [18, 45, 33], "metric:年龄", None),
        ("Clothing ID", [767, 1080, 1077], "dim:Clothing ID", None),
        ("邮编", [518000, 100000], "dim:邮编", None),
    ],
)
def test_scores_are_told_by_header_and_range(
    header: str, values: list[Cell], target: str, scale: str | None
) -> None:
    mapping = guess(table(评价=texts(), **{header: values}))
    choice = next(choice for choice in mapping.choices if choice.column == header)
    assert choice.target == target
    assert (str(choice.scale) if choice.scale else None) == scale


@pytest.mark.parametrize(
    ("header", "values", "target"),
    [
        ("name", ["王小明", *[f"李{n}" for n in range(59)]], "-"),
        ("name", ["如家酒店", "汉庭酒店"], "dim:name"),
        ("来电人电话", [f"138{n * 7919:08d}" for n in range(60)], "-"),
        ("state", ["open", "closed"], "dim:state"),
        ("state", ["CA", "NY", "TX", "PA", "WA"], "region"),
        ("诉求编号", [f"SQ{n * 3:06d}" for n in range(60)], "feedback_id"),
        ("订单编号", [f"DD{n * 3:06d}" for n in range(60)], "dim:订单编号"),
        ("评价星级", ["star5", "star1", "star4"], "rating"),
        ("How satisfied are you?", ["Very satisfied", "Neutral", "Dissatisfied"], "csat"),
    ],
)
def test_headers_that_mislead(header: str, values: list[Cell], target: str) -> None:
    mapping = guess(table(评价=texts(), **{header: values}))
    assert next(choice for choice in mapping.choices if choice.column == header).target == target


def test_impossible_values_do_not_move_a_scale() -> None:
    values: list[Any] = [5, 4, 3, 2, 1] * 10 + [9, 99, -1]
    assert guess(table(53, 评价=texts(53), 评分=values)).shown()["rating"] == "评分"
    values = [0, 5, 10, 9, 8] * 10 + [11, -1]
    assert guess(table(52, 评价=texts(52), NPS=values)).shown()["nps"] == "NPS"


def test_a_few_high_marks_show_that_the_scale_is_ten() -> None:
    chance = random.Random(3)
    values: list[Any] = [chance.randint(1, 5) for _ in range(970)] + [6, 7, 8, 9, 10] * 6
    mapping = guess(table(1000, text=texts(1000), overall_rating=values))
    assert mapping.shown()["metric:overall_rating"] == "overall_rating"
    assert mapping.scales() == {"overall_rating": "1-10"}


def test_the_file_name_may_say_that_scores_are_recommendations() -> None:
    rows = table(comment=texts(), score=[0, 10, 9, 7])
    assert "nps" not in guess(rows).shown()
    assert guess(rows, context="nps_2026Q1").shown()["nps"] == "score"


def test_unnamed_headers_leave_it_to_the_contents() -> None:
    mapping = guess(table(c1=["a", "b"], c2=texts(), c3=["2026-01-02", "2026-02-03"], c4=[1, 2, 3]))
    assert mapping.shown() == {"text": "c2", "occurred_at": "c3", "dim:c1": "c1", "metric:c4": "c4"}


def test_overrides_win_and_errors_name_the_columns() -> None:
    rows = table(评价=texts(), 备注=texts(), 总体评分=[1, 5], 店名=["东门店"], 其他=["x"])
    overrides = parse_overrides(["text=备注", "metric:满意=总体评分", "dim:门店=店名", "-=其他"])
    shown = guess(rows, overrides=overrides).shown()
    assert shown == {"text": "备注", "metric:满意": "总体评分", "dim:门店": "店名", "dim:评价": "评价"}
    for items, says in (
        (["text=没有"], "评价, 备注"),
        (["colour=评价"], "occurred_at"),
        (["text=评价", "text=备注"], None),
        (["text"], "field=column"),
    ):
        if says is None:
            assert guess(rows, overrides=parse_overrides(items)).shown()["text"] == "备注"
            continue
        with pytest.raises(InputError, match=says):
            guess(rows, overrides=parse_overrides(items))
    file = {"text": "评价", "-": ["备注", "其他"]}
    assert guess(rows, overrides=parse_overrides(["text=备注"], file)).shown()["text"] == "备注"


def test_neither_text_nor_score_is_refused_with_the_columns() -> None:
    with pytest.raises(InputError, match=r"neither a text nor a score.*编号, 省份"):
        guess(table(编号=["A1", "A2"], 省份=["广东", "浙江"]))


def test_long_second_texts_are_left_out_and_said_so() -> None:
    mapping = guess(table(content=texts(), transcript_notes=["很" * 700]), overrides={"content": "text"})
    assert "500" in mapping.ignored()["transcript_notes"]


def test_other_kinds_need_their_fields() -> None:
    rows = table(客户编号=["C1"], 姓名=["张三"], 会员等级=["金卡"], 行业=["零售"])
    assert guess(rows, kind="customers").shown() == {
        "customer_id": "客户编号",
        "name": "姓名",
        "tier": "会员等级",
        "dim:行业": "行业",
    }
    with pytest.raises(InputError, match="occurred_at, outcome"):
        guess(rows, kind="outcomes")


@needs_data
@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "en_skytrax_lounge_seat/lounge.csv",
            {"text": "content", "occurred_at": "date", "metric:overall_rating": "overall_rating"},
        ),
        (
            "en_skytrax_lounge_seat/seat.csv",
            {"text": "content", "occurred_at": "date", "metric:recommended": "recommended"},
        ),
        ("zh_reviews_evaluation/waimai_10k.csv.gz", {"text": "review", "metric:label": "label"}),
        ("zh_reviews_evaluation/hotel_7k.csv.gz", {"text": "review", "metric:label": "label"}),
        ("en_womens_clothing/reviews.csv.gz", {"text": "Review Text", "rating": "Rating"}),
        (
            "en_cfpb_complaints_sample/complaints.csv",
            {
                "text": "Consumer complaint narrative",
                "occurred_at": "Date received",
                "feedback_id": "Complaint ID",
                "product": "Product",
                "channel": "Submitted via",
            },
        ),
        ("zh_asap_sample/train_sample.csv", {"text": "reviewbody", "rating": "star"}),
    ],
)
def test_real_files_are_understood_unaided(file: str, expected: dict[str, str]) -> None:
    shown = guess_mapping(profile_rows(open_table(DATA / file).rows())[0]).shown()
    assert expected.items() <= shown.items()


@needs_data
@pytest.mark.data
def test_profiles_count_what_the_file_holds() -> None:
    path = DATA / "zh_reviews_evaluation" / "waimai_10k.csv.gz"
    with gzip.open(path, "rb") as packed:
        plain = list(csv.DictReader(io.TextIOWrapper(packed, "utf-8-sig")))
    profiles, count = profile_rows(open_table(path).rows())
    assert count == len(plain)
    assert profiles["label"].numbers[1.0] == sum(row["label"] == "1" for row in plain)
