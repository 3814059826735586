"""A reader of questions over an invented catalogue, for tests of the offline planner."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agent.period_reading import PeriodReader
from agent.understanding import Reader
from agent.vocabulary import Vocabulary
from store.facts import Catalogue, DimensionInfo, MetricInfo
from tools.dimensions import vocabulary as dimension_words

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
VALUES = {
    "region": ("广东", "上海", "浙江", "四川"),
    "channel": ("survey", "ticket", "call", "app", "review"),
    "product": ("扫地机器人", "空气炸锅"),
    "version": ("5.1.0", "5.2.0"),
    "org_unit": ("华东大区/上海/徐汇店", "华南大区/广州/天河店"),
    "tier": ("金卡", "银卡"),
    "author_country": ("United Kingdom", "Australia"),
}
METRICS = ("nps", "csat", "rating", "订单金额", "overall_rating")


def make_reader() -> Reader:
    """A reader that knows the values above and one customer, C100001."""
    catalogue = Catalogue(
        items=1000,
        first_at=datetime(2026, 5, 1, tzinfo=UTC),
        last_at=NOW,
        dimensions={
            name: DimensionInfo(name, 1000, len(values), tuple((value, 100) for value in values))
            for name, values in VALUES.items()
        },
        metrics={name: MetricInfo(name, 500, 0, 10) for name in METRICS},
        customers=100,
        languages={"zh": 900, "en": 100},
    )
    names = {
        word: name
        for name, entry in dimension_words()["dimensions"].items()
        for word in (name, *entry["words"])
    }
    topics = {"配送速度": "logistics/speed", "delivery speed": "logistics/speed"}

    known = Vocabulary(catalogue, names, topics)
    return Reader(known, PeriodReader(lambda: NOW, ZONE), lambda customer: customer == "C100001")
