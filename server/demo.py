"""`voiceloop demo`: the main job from nothing, offline, on the sample feed, in a data folder of its own."""

import asyncio
import itertools
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server.cli_agent import show_answer
from server.cli_data import ingest_and_index, show_themes
from server.console import DEMO_FOLDER, err, out, print_json, progress_bars

if TYPE_CHECKING:
    from agent.ask_events import Answer
    from agent.wiring import App
    from evals.simulate import SampleFeed

QUESTION = "上个月NPS为什么下降？应该怎么做？"
_THREAD = "demo"
_RISKY = 5
_ITEMS = 18_700


def run_demo(*, seed: int, question: str | None, as_json: bool) -> None:
    """Simulate, ingest, index, cluster, then show figures and ask the agent."""
    from agent.settings import Settings
    from agent.wiring import open_app
    from server.remote import beside_server, running_server

    started = time.monotonic()
    settings = Settings()
    home = settings.home / DEMO_FOLDER
    server = running_server(home)
    if server is not None:
        raise beside_server(server)
    shutil.rmtree(home, ignore_errors=True)
    with open_app(settings.model_copy(update={"home": home})) as app:
        feed = _write_feed(app, home, seed)
        account = _bring_in(app, feed, show=not as_json)
        figures = _figures(app)
        answer = asyncio.run(_ask(app, question or QUESTION))
        titles = app.taxonomy.titles("zh")
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print_json({"ingest": account, **figures, "answer": answer, "elapsed_s": seconds, "home": str(home)})
    else:
        _show(account, figures, question or QUESTION, answer, seconds, home, titles)


def _write_feed(app: "App", home: Path, seed: int) -> "SampleFeed":
    from evals.simulate import write_sample_feed

    today = app.clock.now().astimezone(app.settings.zone).date()
    err().print("[dim]生成样例数据 writing the sample feed[/dim]")
    feed = write_sample_feed(home / "sample", seed, today + timedelta(days=1), items=_ITEMS)
    shutil.copyfile(feed.calendar, home / "calendar.csv")
    return feed


def _bring_in(app: "App", feed: "SampleFeed", *, show: bool) -> dict[str, Any]:
    from pipeline.account import IngestOptions

    others = {
        "customers": feed.customers,
        "events": feed.events,
        "outcomes": feed.outcomes,
        "rates": feed.rates,
    }
    with progress_bars(show) as progress:
        report = ingest_and_index(app, [feed.feedback], IngestOptions(), progress)
        for kind, path in others.items():
            app.ingestor.ingest([path], IngestOptions.model_validate({"kind": kind}), None)
    counts = {key: getattr(report, key) for key in ("read", "stored", "duplicates", "rejected")}
    files = [{"path": Path(file.path).name, "rows": file.rows} for file in report.files]
    return {**counts, "near_duplicates": report.near_duplicates, "files": files}


def _figures(app: "App") -> dict[str, Any]:
    """What the tools say, as they say it."""
    from tools.catalogue import run_tool
    from tools.context import Asker

    app.scan_alerts(Asker().user)
    context = app.context(Asker())

    def call(name: str, **args: Any) -> dict[str, Any]:
        return run_tool(name, {**args, "language": app.settings.language}, context).model_dump(
            mode="json", by_alias=True
        )

    monthly = call("nps_stats", group_by=["month"])
    return {
        "nps": monthly,
        "themes": call("list_themes", limit=8, sort="heat"),
        "largest_drop": _largest_drop(monthly, call),
        "at_risk": call("churn_risk", limit=_RISKY),
        "alerts": call("list_alerts", limit=_RISKY),
    }


def _largest_drop(monthly: dict[str, Any], call: Any) -> dict[str, Any] | None:
    """The root cause of the largest fall between two successive whole months."""
    groups = [group for group in monthly["data"]["groups"] if group["nps"] is not None]
    falls = [
        (later["nps"] - earlier["nps"], later["key"], earlier["key"])
        for earlier, later in itertools.pairwise(groups[:-1])  # the month that runs is no whole one
    ]
    if not falls:
        return None
    change, month, before = min(falls)
    causes: dict[str, Any] = call("root_cause", metric="nps", period=month, compare_to=before)
    return {"month": month, "before": before, "change": round(change, 1), "root_cause": causes}


async def _ask(app: "App", question: str) -> "Answer":
    from tools.context import Asker

    async with app.assistant() as assistant:
        return await assistant.ask(question, thread_id=_THREAD, asker=Asker())


def _show(
    account: dict[str, Any],
    figures: dict[str, Any],
    question: str,
    answer: "Answer",
    seconds: float,
    home: Path,
    titles: Mapping[str, str],
) -> None:
    from rich.markup import escape
    from rich.rule import Rule

    console = out()
    console.print(Rule("1 数据入库 · Ingest"))
    console.print(
        f"读取 {account['read']:,} = 入库 {account['stored']:,} + 重复 {account['duplicates']:,}"
        f" + 拒收 {account['rejected']:,}  （近似重复 {account['near_duplicates']:,}，"
        f"{len(account['files'])} 个文件）"
    )
    console.print(Rule("2 NPS"))
    _show_nps(figures["nps"])
    console.print(Rule("3 主题 · Themes"))
    show_themes(figures["themes"]["data"]["themes"], "zh")
    console.print(Rule("4 最大降幅的根因 · Root cause of the largest drop"))
    _show_drop(figures["largest_drop"], titles)
    console.print(Rule("5 预警 · Alerts"))
    _show_alerts(figures["alerts"]["data"])
    console.print(Rule("6 问智能体 · Ask the agent"))
    console.print(f"[bold cyan]> {escape(question)}[/bold cyan]\n")
    show_answer(answer, False)
    console.print(Rule())
    console.print(f"[bold]{seconds:.0f} s[/bold]  接下来 next:")
    program = sys.argv[0]  # as it was typed: `make demo` calls it by its path
    on_demo = f"VOICELOOP_HOME={home} {program}"
    console.print(f"  {on_demo} ask '那上海呢？' --thread {_THREAD}")
    console.print(f"  {on_demo} approve {_THREAD}")
    console.print(f"  {program} serve   → http://127.0.0.1:8000")
    console.print(f"  {program} ingest 你的数据.xlsx  &&  {program} ask '客户主要抱怨什么？'")


def _show_alerts(data: dict[str, Any]) -> None:
    from rich.markup import escape

    from agent.phrases import name

    tiers = "，".join(
        f"{name(f'value_tier_{tier}', 'zh', tier)} {n:,}"
        for tier, n in reversed(data["by_tier"].items())
        if n
    )
    out().print(f"共 {data['open']:,} 条未关闭（{tiers or '无'}）  voiceloop alerts list")
    for alert in data["alerts"]:
        reasons = "；".join(alert["reasons"][:2])
        tier = name(f"value_tier_{alert['tier']}", "zh", "-")
        due = alert["due_at"][:16].replace("T", " ")
        out().print(f"  {alert['customer_id']}  {tier}  {alert['owner']} {due} 前  {escape(reasons)}")


def _show_nps(result: dict[str, Any]) -> None:
    data = result["data"]
    interval = f"95% 置信区间 {data['ci_low']:.1f} 到 {data['ci_high']:.1f}"
    out().print(f"全部 {data['nps']:.1f}  （{interval}，n={result['n']:,}）")
    for group in data["groups"]:
        bar = "█" * max(0, round(group["nps"] / 2))
        out().print(
            f"  {group['key']}  {group['nps']:6.1f}  [{group['ci_low']:6.1f}, {group['ci_high']:6.1f}]"
            f"  n={group['n']:<5,} [green]{bar}[/green]"
        )


def _show_drop(drop: dict[str, Any] | None, titles: Mapping[str, str]) -> None:
    from agent.frame import Frame
    from agent.wording import conditions

    if drop is None:
        out().print("没有可比较的月份 no two months to compare")
        return
    out().print(f"{drop['before']} → {drop['month']}：NPS {drop['change']:+.1f}")
    data = drop["root_cause"]["data"]
    if data["verdict"] != "cause_found":
        out().print("没有找到原因 no cause found")
    said_in = Frame("", "zh", topics=titles)
    for cause in data.get("causes", [])[:3]:
        named = conditions(cause["conditions"], said_in)
        out().print(
            f"  [bold]{named}[/bold]：影响 {cause['effect']:+.1f}，解释 {cause['share']:.0%}，"
            f"证据等级 {cause['evidence_grade']}"
        )
