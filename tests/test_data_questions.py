"""Questions over real reviews: every figure must equal a recomputation from the files themselves."""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from evals.session import asker
from store.clock import FixedClock

DATA = Path(__file__).parents[2] / "shared" / "data"
LOUNGE = DATA / "en_skytrax_lounge_seat" / "lounge.csv"
REVIEWS = DATA / "zh_reviews_evaluation"
NOW = datetime(2015, 8, 3, 2, tzinfo=UTC)
ROUNDING = 0.00006  # tools give four decimals

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout"),
]

Row = Mapping[str, str]
Rows = Sequence[Row]


class Lounge(NamedTuple):
    """The lounge reviews, ingested, and their rows as they stand in the file."""

    app: App
    rows: Rows
    ask: Callable[[str], Mapping[str, Any]]
    talk: Callable[[str, str], Mapping[str, Any]]


class Told(NamedTuple):
    """Chinese reviews, ingested, and what the classifier says of each row's text when asked directly."""

    rows: Rows
    sentiments: Sequence[str]
    topics: Sequence[frozenset[str]]
    ask: Callable[[str], Mapping[str, Any]]


def _open(home: Path) -> App:
    settings = Settings(home=home, llm_base_url=None, timezone="Asia/Shanghai", workers=1)
    return open_app(settings, FixedClock(NOW))


def _asker(app: App) -> tuple[Callable[[str], Mapping[str, Any]], Callable[[str, str], Mapping[str, Any]]]:
    talk, threads = asker(app, None), count()
    return lambda question: talk(question, f"thread-{next(threads)}"), talk


@pytest.fixture(scope="module")
def lounge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lounge]:
    with LOUNGE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with _open(tmp_path_factory.mktemp("lounge")) as app:
        report = app.ingestor.ingest([LOUNGE])
        assert (report.read, report.stored, report.rejected) == (len(rows), len(rows), 0)
        yield Lounge(app, rows, *_asker(app))


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    yield from _told("waimai_10k", tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def hotel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    yield from _told("hotel_7k", tmp_path_factory.mktemp("hotel"))


def _told(name: str, folder: Path) -> Iterator[Told]:
    """About 3,000 rows, from all over the file: it is sorted by its label."""
    from pipeline.clean import clean
    from pipeline.mask import mask_texts

    with gzip.open(REVIEWS / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        everything = list(csv.DictReader(stream))
    rows = everything[:: max(1, len(everything) // 3_000)][:3_000]
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with _open(folder / "home") as app:
        report = app.ingestor.ingest([path])
        assert (report.read, report.stored, report.rejected) == (len(rows), len(rows), 0)
        labels = app.classifier.classify(mask_texts([clean(row["review"]) for row in rows]))
        yield Told(
            rows,
            [label.sentiment.value for label in labels],
            [frozenset(topic.topic for topic in label.topics) for label in labels],
            _asker(app)[0],
        )


def _states(answer: Mapping[str, Any], *values: float) -> None:
    """Each value is a bound figure of the answer, and its words stand in the text."""
    for value in values:
        near = [f for f in answer["figures"] if _close(f["value"], value)]
        assert near, f"{value} is not among {[(f['text'], f['value']) for f in answer['figures']]}"
        assert any(f["text"] in answer["answer"] for f in near)


def _close(found: Any, value: float) -> bool:
    return isinstance(found, (int, float)) and abs(abs(found) - abs(value)) <= ROUNDING


def _only(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    (call,) = answer["tool_calls"]
    result: Mapping[str, Any] = call["result"]
    return result


def _mean(rows: Rows, column: str) -> tuple[float, int]:
    values = [float(row[column]) for row in rows if row[column]]
    return fmean(values), len(values)


def _where(rows: Rows, **wanted: str) -> list[Row]:
    """Rows whose columns begin with these values (`date="2014"` is a year)."""
    return [row for row in rows if all(row[name].startswith(value) for name, value in wanted.items())]


def _means(rows: Rows, by: str, column: str) -> dict[str, tuple[float, int]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row[by] and row[column]:
            groups.setdefault(row[by], []).append(row)
    return {key: _mean(group, column) for key, group in groups.items()}


# --- airport lounges: dated, in English, a 1-10 score and eight more


@pytest.mark.parametrize("question", ["How many reviews are there in total?", "这批数据里总共有多少条反馈？"])
def test_everything_is_counted(lounge: Lounge, question: str) -> None:
    answer = lounge.ask(question)
    _states(answer, len(lounge.rows))
    assert answer["language"] == ("zh" if "多少" in question else "en")


def test_a_count_within_a_country_and_a_year(lounge: Lounge) -> None:
    expected = len(_where(lounge.rows, date="2013", author_country="Australia"))
    _states(lounge.ask("How many comments did Australia leave during 2013?"), expected)


def test_a_country_by_its_chinese_name(lounge: Lounge) -> None:
    expected = len(_where(lounge.rows, date="2014", author_country="United States"))
    _states(lounge.ask("来自美国的评论里，有多少条是2014年的？"), expected)


def test_a_count_over_half_a_year(lounge: Lounge) -> None:
    half = [row for row in lounge.rows if "2013-01" <= row["date"][:7] <= "2013-06"]
    _states(lounge.ask("2013年1月到6月一共收到多少条反馈？"), len(half))


def test_a_mean_of_a_year(lounge: Lounge) -> None:
    value, n = _mean(_where(lounge.rows, date="2014"), "overall_rating")
    answer = lounge.ask("What's the mean overall rating in 2014?")
    _states(answer, value, n)
    assert _only(answer)["data"]["value"] == pytest.approx(value, abs=ROUNDING)


def test_a_mean_of_a_column_in_a_chinese_sentence(lounge: Lounge) -> None:
    value, n = _mean(_where(lounge.rows, author_country="United Kingdom"), "staff_service_rating")
    _states(lounge.ask("英国客户的staff service rating平均多少？"), value, n)


def test_a_score_by_what_it_is_given_for(lounge: Lounge) -> None:
    value, n = _mean(
        [row for row in lounge.rows if "2014-07" <= row["date"][:7] <= "2014-09"], "washrooms_rating"
    )
    _states(lounge.ask("In the third quarter of 2014, how satisfied were people with washrooms?"), value, n)


def test_a_mean_of_one_airline(lounge: Lounge) -> None:
    value, n = _mean(_where(lounge.rows, airline_name="british-airways"), "catering_rating")
    _states(lounge.ask("British Airways的catering_rating均分"), value, n)


@pytest.mark.parametrize(
    ("question", "column", "left_out"),
    [
        ("Excluding British Airways, what is the average overall rating?", "airline_name", "british-airways"),
        ("除了英国，其他国家的overall_rating平均是多少？", "author_country", "United Kingdom"),
    ],
)
def test_a_mean_of_the_rest(lounge: Lounge, question: str, column: str, left_out: str) -> None:
    rest = [row for row in lounge.rows if row[column] != left_out]
    answer = lounge.ask(question)
    assert set(_only(answer)["filters"]["exclude"]) == {column}
    _states(answer, *_mean(rest, "overall_rating"))


def test_a_share_of_a_year(lounge: Lounge) -> None:
    year = _where(lounge.rows, date="2014")
    share = len(_where(year, author_country="Australia")) / len(year)
    _states(lounge.ask("What share of the 2014 reviews came from Australia?"), share)


def test_a_share_of_a_kind(lounge: Lounge) -> None:
    share = len(_where(lounge.rows, lounge_type="First Class")) / len(lounge.rows)
    _states(lounge.ask("What proportion of reviews are about First Class?"), share)


def test_two_years_compared(lounge: Lounge) -> None:
    before, n_before = _mean(_where(lounge.rows, date="2013"), "overall_rating")
    after, n_after = _mean(_where(lounge.rows, date="2014"), "overall_rating")
    answer = lounge.ask("2014和2013比，整体评分涨了吗？")
    assert _only(answer)["data"]["change"] == pytest.approx(after - before, abs=2 * ROUNDING)
    _states(answer, before, after, n_before, n_after)
    assert "下降" in answer["answer"]


def test_the_ends_of_a_range_compared(lounge: Lounge) -> None:
    before, n_before = _mean(_where(lounge.rows, date="2012"), "wifi_connectivity_rating")
    after, n_after = _mean(_where(lounge.rows, date="2015"), "wifi_connectivity_rating")
    answer = lounge.ask("Did the average wifi connectivity rating go up between 2012 and 2015?")
    _states(answer, before, after, n_before, n_after)
    assert "not enough evidence" in answer["answer"]


def test_two_kinds_side_by_side(lounge: Lounge) -> None:
    answer = lounge.ask("Compare First Class and Business Class on comfort rating")
    for kind in ("First Class", "Business Class"):
        _states(answer, *_mean(_where(lounge.rows, lounge_type=kind), "comfort_rating"))


def test_a_count_by_year(lounge: Lounge) -> None:
    answer = lounge.ask("按年份看评论数量")
    years = sorted({row["date"][:4] for row in lounge.rows})
    assert [group["key"] for group in _only(answer)["data"]["groups"]] == years
    _states(answer, *(len(_where(lounge.rows, date=year)) for year in years))


@pytest.mark.parametrize(
    ("question", "by", "column", "best"),
    [
        ("Which lounge type is rated worst on cleanliness?", "lounge_type", "cleanliness_rating", False),
        ("overall_rating最低的航空公司是哪家？", "airline_name", "overall_rating", False),
        ("哪个国家的overall rating最高？", "author_country", "overall_rating", True),
    ],
)
def test_the_extreme_group_and_the_one_with_enough_items(
    lounge: Lounge, question: str, by: str, column: str, best: bool
) -> None:
    means = _means(lounge.rows, by, column)
    extreme = (max if best else min)(means.values())[0]
    enough = {key: value for key, value in means.items() if value[1] >= 30}
    solid = (max if best else min)(enough, key=lambda key: enough[key][0])
    answer = lounge.ask(question)
    first = answer["answer"].splitlines()[0]
    assert any(key in first for key, (value, _) in means.items() if value == extreme), first
    _states(answer, extreme)
    if means[solid][0] != extreme:
        assert solid in answer["answer"].splitlines()[1]
        _states(answer, *means[solid])


def test_best_and_worst_of_more_groups_than_are_listed(lounge: Lounge) -> None:
    means = [value for value, _ in _means(lounge.rows, "airline_name", "overall_rating").values()]
    answer = lounge.ask("Which airlines have the highest and lowest average overall rating?")
    _states(answer, max(means), min(means))


def test_a_question_that_leans_on_the_one_before(lounge: Lounge) -> None:
    lounge.talk("What did Canadians give for bar beverages on average in 2014?", "leaning")
    answer = lounge.talk("and in 2013?", "leaning")
    year = _where(lounge.rows, date="2013", author_country="Canada")
    _states(answer, *_mean(year, "bar_beverages_rating"))


@pytest.mark.parametrize("question", ["来自火星的评论有多少条？", "评分最低的车型是哪个？"])
def test_what_the_data_does_not_have_is_said_and_no_other_figure_given(lounge: Lounge, question: str) -> None:
    answer = lounge.ask(question)
    assert answer["figures"] == [] and answer["tool_calls"] == []
    assert "数据里没有" in answer["answer"]


# --- food delivery and hotels: undated Chinese texts with a 0/1 label


def test_the_mean_of_a_plain_column(delivery: Told) -> None:
    _states(delivery.ask("label的平均值是多少"), *_mean(delivery.rows, "label"))


@pytest.mark.parametrize("question", ["差评占多少？", "What percentage of feedback is negative?"])
def test_a_share_of_a_sentiment(delivery: Told, question: str) -> None:
    _states(delivery.ask(question), delivery.sentiments.count("negative") / len(delivery.rows))


def test_a_count_of_a_sentiment(delivery: Told) -> None:
    _states(delivery.ask("How many reviews are positive?"), delivery.sentiments.count("positive"))


def test_how_many_speak_of_a_topic(delivery: Told) -> None:
    expected = sum("logistics/speed" in topics for topics in delivery.topics)
    assert expected > 100
    _states(delivery.ask("说到配送速度的有多少条"), expected)


def test_mood_among_those_who_speak_of_a_topic(hotel: Told) -> None:
    about = [
        s for s, topics in zip(hotel.sentiments, hotel.topics, strict=True) if "service/attitude" in topics
    ]
    answer = hotel.ask("提到服务态度的评价里，负面占比多少？")
    _states(answer, about.count("negative") / len(about), len(about))


def test_hotel_reviews_are_counted(hotel: Told) -> None:
    answer = hotel.ask("中性评价有几条？")
    neutral = hotel.sentiments.count("neutral")
    assert _only(answer)["data"]["value"] == neutral
    if neutral:  # where there is none the answer says so in words
        _states(answer, neutral)


def test_a_period_over_undated_reviews_finds_nothing_and_says_so(hotel: Told) -> None:
    answer = hotel.ask("2014年的好评率是多少？")
    assert _only(answer)["n"] == 0
    assert "%" not in answer["answer"].replace("95%", "")
