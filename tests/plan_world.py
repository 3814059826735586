"""Three months in which Guangdong's deliveries are late, a plan against it, and what the plan then does."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from store.clock import FixedClock
from store.records import Sentiment
from store.sqlite_operations import SqliteOperationStore
from tests.retention_world import NOW, World
from tools.context import Asker, ToolContext
from tools.plans import create_action_plan
from tools.registry import spec

PLAN = spec(create_action_plan, acts=True, role="analyst")
REGIONS = ("广东", "浙江", "江苏")
# The plan is drawn up 62 days ago; the deliveries were late for 58 days then.
ASKED = NOW - timedelta(days=62)
Does = Literal["works", "nothing", "worse"]
LATE_AFTER: dict[Does, float] = {"works": 0.0, "nothing": 0.5, "worse": 0.95}


def asked_about(shift: int = 0) -> dict[str, Any]:
    """The two months before the plan against the two before them, `shift` days earlier."""
    days = [(ASKED + timedelta(days=back - shift)).date().isoformat() for back in (-118, -58, 0)]
    return {"period": {"from": days[1], "to": days[2]}, "compare_to": {"from": days[0], "to": days[1]}}


def three_months(home: Path, does: Does, *, seed: int = 7, until: int = 0, shift: int = 0) -> World:
    """A world whose plan works, does nothing or makes it worse; feedback up to `until` days ago.

    `shift` moves everything so many days back, for what runs by the real clock.
    """
    draw = random.Random(seed)
    world = World(home)
    for day in range(180, until, -1):
        for i in range(12):
            region = REGIONS[i % 3]
            odds = 0.04 if day > 120 or region != "广东" else 0.5 if day >= 61 else LATE_AFTER[does]
            late = draw.random() < odds
            # What works goes beyond where it was before, or half of such plans would just miss the target.
            better = does == "works" and day < 61 and region == "广东"
            upset = late or draw.random() < (0.02 if better else 0.12)
            topic = "logistics/speed" if late else draw.choice(["product/quality", "service/attitude"])
            world.says(
                f"c{day}-{i}",
                shift + day - draw.random() * 0.4,
                f"{'等了十天还没到' if late else '一般' if upset else '不错'} {day}-{i}",
                Sentiment.NEGATIVE if upset else Sentiment.POSITIVE,
                topics=(topic,),
                nps=draw.choice([1, 2, 3]) if upset else draw.choice([8, 9, 10]),
                region=region,
                org_unit=f"hq/{region}",
            )
    return world


def at_the_time(world: World, home: Path, *, shift: int = 0, **changes: Any) -> ToolContext:
    """The context on the day on which the plan was drawn up, with operations of that day."""
    clock = FixedClock(ASKED - timedelta(days=shift))
    operations = SqliteOperationStore(home / "operations.sqlite", clock)
    return world.context(clock=clock, operations=operations, **changes)


def approved_plan(world: World, home: Path, *, shift: int = 0, **arguments: Any) -> dict[str, Any]:
    """The plan as proposed and approved at the time."""
    context = at_the_time(world, home, shift=shift, asker=Asker("max", "manager"), approved=True)
    found = PLAN.run({**asked_about(shift), "limit": 3, **arguments}, context).data["plan"]
    context.operations.close()
    return dict(found)
