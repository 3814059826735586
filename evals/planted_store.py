"""A planted world as a data folder that the tools can be asked over."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from agent.settings import Settings
from evals.planted_worlds import END, ITEMS, World
from store.clock import FixedClock

ZONE = "Asia/Shanghai"
_ATTRIBUTES = ("承运商", "活动")
_INSERT = """
INSERT INTO feedback BY NAME
SELECT 'planted-' || i AS feedback_id, 'planted' AS source, channel,
    local_at - INTERVAL 8 HOUR AS occurred_at, local_at AS occurred_local, 'c' || i % 5000 AS customer_id,
    text || i AS text, md5(text || i) AS text_key, 'zh' AS language, region, city, product, version, tier,
    customer_type, nps, csat, MAP {} AS metrics,
    CASE WHEN promotion IS NULL THEN MAP {'承运商': courier}
        ELSE MAP {'承运商': courier, '活动': promotion} END AS attributes,
    sentiment, 0.9 AS sentiment_confidence, 'neutral' AS emotion, 'other' AS intent, 'normal' AS priority,
    'planted' AS labeller,
    '{"sentiment":"' || sentiment || '","sentiment_confidence":0.9,"labeller":"planted"}' AS labels,
    [topic] AS topics, [split_part(topic, '/', 1)] AS topic_areas, [] AS risks, [] AS competitors,
    [] AS compliance
FROM planted
"""


def settings(home: Path) -> Settings:
    """Settings of a throwaway data folder, whatever the environment says."""
    return Settings(home=home, llm_base_url=None, timezone=ZONE, workers=1, language="zh")


def clock() -> FixedClock:
    """The moment the questions are asked at: the day after the later window."""
    return FixedClock(datetime.fromisoformat(f"{END.isoformat()}T09:00:00+08:00"))


def fill(home: Path, world: World, seed: int) -> None:
    """Make the data folder of a world."""
    import duckdb
    import pyarrow as pa

    from agent.wiring import open_app

    with open_app(settings(home), clock()) as app:
        app.facts.catalogue()
    with duckdb.connect(str(home / "facts.duckdb")) as connection:
        connection.begin()
        connection.register("planted", pa.table(_columns(world, seed)))
        connection.execute(_INSERT)
        connection.executemany("INSERT INTO known_name VALUES ('attribute', ?)", [[n] for n in _ATTRIBUTES])
        connection.execute("DELETE FROM meta WHERE key = 'catalogue'")
        connection.commit()


def _columns(world: World, seed: int) -> dict[str, Any]:
    import pyarrow as pa

    columns = world.columns
    start = datetime.combine(END - timedelta(days=world.days * 4), datetime.min.time())
    minutes = np.random.default_rng(seed).integers(0, 60, ITEMS)
    seconds = columns["day"] * 86400 + columns["hour_number"] * 3600 + minutes * 60
    given = {
        "i": np.arange(ITEMS),
        "local_at": np.datetime64(start, "us") + seconds.astype("timedelta64[s]").astype("timedelta64[us]"),
        "courier": columns["承运商"],
        "promotion": columns["活动"],
    }
    for name in ("channel", "region", "city", "product", "version", "tier", "customer_type", "text"):
        given[name] = columns[name]
    given |= {name: columns[name] for name in ("sentiment", "topic")}
    scores = {name: pa.array(columns[name], from_pandas=True) for name in ("nps", "csat")}
    return {name: pa.array(values) for name, values in given.items()} | scores
