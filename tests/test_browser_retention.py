"""The retention loop on the page in a real Chromium: what to say, messages, the pool, outcomes, lessons, replay."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from retention.message_deeds import opt_out
from retention.policy import POLICY_FILE
from store.alerts import VerdictKind
from store.clock import FixedClock
from store.records import Sentiment
from store.sqlite_operations import SqliteOperationStore
from tests.browser import browser, need_browser, overflow, serious, watched
from tests.retention_world import NOW, World
from tests.serving import serve_api

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.allow_hosts(["127.0.0.1"])]
JUDGED = 48
MARKUP = "<img src=x onerror=alert(1)>这个功能太难用了"
PLACES = ("alerts", "alerts?view=outcomes&span=all", "pool", "surveys", "tasks", "settings/policy")


def fill(home: Path) -> None:
    """A customer about to leave, one in trouble with the product, and judged ones that teach a lesson."""
    home.mkdir()
    made = World(home)
    made.says("red", 0.1, "我要解约", Sentiment.NEGATIVE, signals=("cancel",))
    made.says("stuck", 1, MARKUP, Sentiment.NEGATIVE, topics=("product/usability",))
    made.says("low", 3, nps=4)
    for n in range(JUDGED):
        leaves = n % 2 == 0
        signals = ("competitor",) if leaves else ("refund",)
        made.says(f"c{n:02}", 1, "换别家" if leaves else "退款", Sentiment.NEGATIVE, signals=signals)
        for day in (300, 200, 100):
            made.says(f"c{n:02}", day, nps=4.0 if leaves else 7.0)
    made.context()
    made.close()
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW)) as app:
        app.scan_alerts("test")
        alerts = sorted(app.operations.alerts(), key=lambda alert: alert.alert_id)
        opt_out(
            app.contacts,
            "stuck",
            "all",
            known=app.policy_book.live().messages.channels,
            actor="ann",
            role="admin",
            now=NOW,
            source="test",
        )
        app.message_sender.run()
    for n, alert in enumerate(one for one in alerts if one.customer_id.startswith("c")):
        operations = SqliteOperationStore(home / "operations.sqlite", FixedClock(NOW + timedelta(minutes=n)))
        verdict: VerdictKind = "accurate" if int(alert.customer_id[1:]) % 2 == 0 else "false_alarm"
        operations.record_verdict(alert.alert_id, verdict, "", actor="ann")
        operations.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    need_browser()
    home = tmp_path_factory.mktemp("loop") / "home"
    fill(home)
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW + timedelta(days=1))) as opened:
        yield opened


@pytest.fixture(scope="module")
def base(app: App) -> Iterator[str]:
    with serve_api(app) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(base: str) -> Iterator["Browser"]:
    with browser() as opened:
        yield opened


def settled(page: "Page") -> None:
    page.locator("main h1").first.wait_for(state="attached")
    page.locator("main .bone").first.wait_for(state="detached")


def alert_of(app: App, customer: str) -> str:
    [alert] = app.operations.alerts(customer_id=customer)
    return alert.alert_id


def test_an_alert_says_what_to_say(chromium: "Browser", base: str, app: App) -> None:
    with watched(chromium, base) as page:
        page.goto(f"/#/alerts/{alert_of(app, 'red')}")
        settled(page)
        said = page.locator(".say")
        assert said.locator("dt").all_inner_texts() == ["致歉", "价值", "回报", "权限", "承诺", "避免"]
        assert "解约" in said.locator(".apology").inner_text()


def test_a_message_that_was_not_sent_says_why(chromium: "Browser", base: str, app: App) -> None:
    with watched(chromium, base, language="en") as page:
        page.goto(f"/#/alerts/{alert_of(app, 'stuck')}")
        settled(page)
        message = page.locator(".message")
        assert "Not sent" in message.inner_text()
        assert "opted out" in message.inner_text()
        # What the customer wrote is quoted in the advice; it stays text.
        page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
        assert page.locator("main img").count() == 0


def test_a_task_is_snoozed_and_commented_and_keeps_its_history(
    chromium: "Browser", base: str, app: App
) -> None:
    [task] = app.operations.tasks(customer_id="low") or app.operations.tasks(customer_id="red")
    with watched(chromium, base) as page:
        page.goto(f"/#/tasks/{task.task_id}")
        settled(page)
        if task.status == "pending_approval":
            page.get_by_role("button", name="批准", exact=True).click()
        page.get_by_role("button", name="暂缓").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("暂缓至").fill("2026-11-23T20:00")
        dialog.get_by_role("button", name="保存").click()
        page.get_by_role("button", name="结束暂缓").click()
        page.get_by_role("button", name="暂缓", exact=True).wait_for()
        page.get_by_role("textbox", name="添加备注").fill("已致电，周五回复")
        page.get_by_role("button", name="添加备注").click()
        page.locator(".course").get_by_text("已致电，周五回复").wait_for()
        page.get_by_role("heading", name="备注（1）").wait_for()
        assert page.locator(".course", has_text="暂缓至").locator("li").count() >= 3
    fields = [one.field for one in app.operations.task_events(task.task_id)]
    assert fields.count("snoozed_until") == 2 and fields[-1] == "comment"


def test_a_customer_is_put_in_the_pool_and_taken_out(chromium: "Browser", base: str, app: App) -> None:
    with watched(chromium, base, size="phone") as page:
        page.goto("/#/pool")
        settled(page)
        before = page.locator(".cards > li").count()
        page.get_by_role("button", name="放入客户").click()
        dialog = page.get_by_role("dialog")
        assert dialog.get_by_role("button", name="保存").is_disabled()
        dialog.get_by_label("客户编号").fill("quiet")
        dialog.get_by_label("原因").fill("续约前没有动静")
        dialog.get_by_role("button", name="保存").click()
        stay = page.locator(".cards > li", has_text="quiet")
        assert "续约前没有动静" in stay.inner_text() and "客户关怀小组" in stay.inner_text()
        assert page.locator(".cards > li").count() == before + 1
        stay.get_by_role("button", name="移出").click()
        page.get_by_role("dialog").get_by_role("button", name="移出").click()
        stay.wait_for(state="detached")
        page.get_by_role("button", name="包括以往").click()
        page.locator(".cards > li", has_text="人工移出").wait_for()
    [entry] = app.operations.pool(customer_id="quiet", past=True)
    assert entry.left_because == "removed"


def test_a_lesson_is_shown_and_only_watched(chromium: "Browser", base: str, app: App) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/settings/policy")
        page.get_by_role("button", name="看看能学到什么").click()
        page.get_by_role("heading", name="在没见过的判定上").wait_for()
        assert page.get_by_role("region", name="处调整").locator("tbody tr").count() > 0
        assert not serious(page)
        page.get_by_role("button", name="只观察（影子模式）").last.click()
        page.get_by_role("dialog").get_by_role("button", name="只观察（影子模式）").click()
        page.get_by_role("row", name="影子模式").wait_for()
    shadow = app.policy_book.store.in_state("shadow")
    assert shadow is not None and shadow.report is not None
    assert shadow.report["lesson"]["verdicts"] == JUDGED
    assert app.policy_book.live().learnt.empty


def test_a_draft_is_tried_on_the_past(chromium: "Browser", base: str, app: App) -> None:
    graver = POLICY_FILE.read_text(encoding="utf-8").replace(
        "{points: -15, tier: orange}", "{points: -15, tier: red}"
    )
    with watched(chromium, base) as page:
        page.clock.set_fixed_time(NOW + timedelta(days=1))
        page.goto("/#/settings/policy")
        page.get_by_label("策略（YAML）").fill(graver)
        page.get_by_role("button", name="检查").click()
        page.get_by_role("button", name="7 天").first.click()
        page.get_by_role("button", name="用这份草稿回放历史").click()
        page.get_by_role("region", name="两份策略的结果").wait_for(timeout=60_000)
        page.get_by_role("button", name="级别变化").click()
        moved = page.get_by_role("region", name="级别变化").locator("tbody tr")
        assert moved.count() == JUDGED // 2
        assert "橙色" in moved.first.inner_text() and "红色" in moved.first.inner_text()


def test_a_leading_question_is_told(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/surveys")
        page.get_by_label("问题").fill("您是否喜欢我们的产品？")
        page.get_by_role("button", name="检查").click()
        page.get_by_text("有诱导", exact=True).wait_for()
        page.get_by_role("heading", name="建议改为").wait_for()


@pytest.mark.parametrize(("size", "language", "dark"), [("phone", "zh", True), ("laptop", "en", False)])
def test_the_loop_fits_and_axe_is_content(
    chromium: "Browser", base: str, app: App, size: str, language: str, dark: bool
) -> None:
    [task] = app.operations.tasks(customer_id="red")
    with watched(chromium, base, size=size, language=language, dark=dark) as page:
        for place in (*PLACES, f"alerts/{alert_of(app, 'stuck')}", f"tasks/{task.task_id}"):
            page.goto(f"/#/{place}")
            settled(page)
            assert overflow(page) <= 0, place
            assert not serious(page), place
