"""A store of any size for the bench: the rows are made inside DuckDB, in one statement, in order of time.

Feedback arrives as it is given, so a store that grew day by day lies in that order too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from evals.wording import read_yaml
from store.clock import FixedClock

if TYPE_CHECKING:
    import duckdb

ZONE = "Asia/Shanghai"

# Everything about row i is a hash of i, so that rows differ and each run makes the same ones.
_INSERT = """
INSERT INTO feedback BY NAME
WITH raw AS (
    SELECT i,
        TIMESTAMP '{end}' - INTERVAL 1 MINUTE * CAST(hash(concat(i, 'at')) % ({days} * 1440) AS BIGINT)
            AS local_at,
        CAST(hash(concat(i, 'text')) % {distinct_texts} AS BIGINT) AS said,
        {picks}
    FROM range({items}) AS numbers(i)
), item AS (
    SELECT *, region = '广东' AND product = '空气炸锅' AND local_at >= TIMESTAMP '{end}' - INTERVAL 30 DAY
        AS bad, hash(concat(i, 'mood')) % 100 AS mood, hash(concat(i, 'score')) % 100 AS score
    FROM raw
), felt AS (
    SELECT *, CASE WHEN bad AND mood < 80 OR mood < 25 THEN 'negative'
        WHEN mood < 85 THEN 'positive' ELSE 'neutral' END AS sentiment
    FROM item
)
SELECT 'bench-' || i AS feedback_id, 'bench' AS source, channel,
    local_at - INTERVAL 8 HOUR AS occurred_at, local_at AS occurred_local,
    'c' || CAST(hash(concat(i, 'customer')) % {customers} AS VARCHAR) AS customer_id,
    words || '，编号' || said AS text, md5('bench' || said) AS text_key, 'zh' AS language,
    region, product, version, tier,
    CASE WHEN score < 60 THEN CASE WHEN bad THEN 2 + mood % 5 ELSE 4 + mood % 7 END END AS nps,
    CASE WHEN score >= 60 THEN 1 + mood % 5 END AS csat,
    MAP {{'{metric}': CAST(mood AS DOUBLE)}} AS metrics, MAP {{'{attribute}': courier}} AS attributes,
    sentiment, 0.9 AS sentiment_confidence, emotion, 'other' AS intent, 'normal' AS priority,
    'bench' AS labeller,
    '{{"sentiment":"' || sentiment || '","sentiment_confidence":0.9,"labeller":"bench"}}' AS labels,
    [topic] AS topics, [split_part(topic, '/', 1)] AS topic_areas,
    CASE WHEN mood < 8 THEN [risk] ELSE [] END AS risks, [] AS competitors, [] AS compliance,
    'bench-theme-' || said % {themes} AS theme_id
FROM felt ORDER BY occurred_at
"""
_THEME_OF_TEXT = """
INSERT INTO theme_of_text SELECT md5('bench' || said), 'bench-theme-' || said % {themes}
FROM range({distinct_texts}) AS texts(said)
"""


def settings(home: Path) -> Settings:
    """Settings of a throwaway data folder, whatever the environment says; each call is worked out anew."""
    return Settings(home=home, llm_base_url=None, timezone=ZONE, workers=1, language="zh", result_cache=0)


def clock() -> FixedClock:
    """The moment at which the bench's questions are asked."""
    return FixedClock(datetime.fromisoformat(_plan()["now"]))


def fill(home: Path, items: int, now: datetime | None = None) -> None:
    """Make a data folder with `items` labelled rows of one year, themes included.

    The year ends at the bench's own moment, or at `now` (in the zone) for who asks by the real clock.
    """
    import duckdb

    from agent.wiring import open_app
    from store.records import Theme

    plan = _plan() if now is None else {**_plan(), "now": now.isoformat()}
    with open_app(settings(home), clock()) as app:
        app.facts.save_themes(
            [Theme(theme_id=f"bench-theme-{n}", label=f"主题{n}") for n in range(plan["themes"])], {}
        )
    picked = {name: list(values) for name, values in plan["rows"].items()}
    known = [("metric", plan["metric"]), ("attribute", plan["attribute"])]
    with duckdb.connect(str(home / "facts.duckdb")) as connection:
        connection.begin()
        connection.execute(_INSERT.format(**_values(plan, items)), picked)
        connection.execute(_THEME_OF_TEXT.format(**_values(plan, items)))
        connection.executemany("INSERT INTO known_name VALUES (?, ?)", known)
        connection.execute("DELETE FROM meta WHERE key = 'catalogue'")
        connection.commit()


COLUMNS = "nps, region, channel, sentiment, strftime(occurred_local, '%Y-%m-%d %H:%M:%S') AS at"


@contextmanager
def raw_rows(home: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A cursor over the columns that the peers are asked about, every row."""
    import duckdb

    with duckdb.connect(str(home / "facts.duckdb"), read_only=True) as connection:
        yield connection.execute(f"SELECT {COLUMNS} FROM feedback")


def _values(plan: Mapping[str, Any], items: int) -> dict[str, Any]:
    names = list(plan["rows"])
    picks = ", ".join(
        f"list_extract(${name}, 1 + CAST(hash(concat(i, '{name}')) % len(${name}) AS BIGINT)) AS {name}"
        for name in names
    )
    end = datetime.fromisoformat(plan["now"]).strftime("%Y-%m-%d %H:%M:%S")
    return {**plan, "items": items, "customers": max(1, items // 20), "picks": picks, "end": end}


def _plan() -> Mapping[str, Any]:
    plan: Mapping[str, Any] = read_yaml("bench.yaml")
    return plan
