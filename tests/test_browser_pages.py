"""A person's path through the pages in a real Chromium: from a file to the report, in both languages."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from evals.simulate import SampleFeed, write_sample_feed
from pipeline.account import IngestOptions
from tests.browser import SIZES, browser, need_browser, overflow, serious, watched
from tests.serving import serve_api

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.allow_hosts(["127.0.0.1"])]
UPLOADED = "问卷.csv"
PLACES = ("dashboard", "explore", "feedback", "themes", "customers", "alerts", "tasks", "plans")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, SampleFeed]]:
    """A data folder of the sample feed without its survey, which is uploaded by hand, and a scan for alerts."""
    need_browser()
    folder = tmp_path_factory.mktemp("pages")
    with open_app(Settings(home=folder / "home", _env_file=None)) as app:
        today = app.clock.now().astimezone(app.settings.zone).date()
        feed = write_sample_feed(folder / "sample", 7, today + timedelta(days=1), items=1_500)
        files = sorted(path for path in feed.feedback.iterdir() if path.name != UPLOADED)
        app.ingestor.ingest(files, IngestOptions())
        app.ingestor.ingest([feed.customers], IngestOptions(kind="customers"))
        app.ingestor.ingest([feed.events], IngestOptions(kind="events"))
        app.scan_alerts("test")
        yield app, feed


@pytest.fixture(scope="module")
def base(world: tuple[App, SampleFeed]) -> Iterator[str]:
    with serve_api(world[0]) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(base: str) -> Iterator["Browser"]:
    with browser() as opened:
        yield opened


def settled(page: "Page") -> None:
    """Wait until nothing of the page is still being fetched."""
    page.locator("main h1").first.wait_for(state="attached")
    page.locator("main .bone").first.wait_for(state="detached", timeout=60_000)


def ask(page: "Page", question: str) -> str:
    page.get_by_role("textbox").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn").last.locator(".turn-foot").wait_for(timeout=60_000)
    return str(page.locator(".turn").last.inner_text())


@pytest.mark.parametrize(
    ("language", "first", "second", "approve", "correct", "save", "markdown"),
    [
        ("zh", "近90天NPS是多少？", "按渠道呢？", "批准", "更正标签", "保存", "客户之声"),
        (
            "en",
            "What was the NPS in the last 90 days?",
            "And by channel?",
            "Approve",
            "Correct a label",
            "Save",
            "#",
        ),
    ],
)
def test_from_a_file_to_the_report(
    chromium: "Browser",
    base: str,
    world: tuple[App, SampleFeed],
    language: str,
    first: str,
    second: str,
    approve: str,
    correct: str,
    save: str,
    markdown: str,
) -> None:
    app, feed = world
    with watched(chromium, base, language=language) as page:
        page.goto("/#/upload")
        page.locator("input[type=file]").set_input_files(feed.feedback / UPLOADED)
        page.locator(".upload-go .primary").click(timeout=60_000)
        page.locator(".upload-done, .notice, .figures").first.wait_for()
        page.get_by_role("main").get_by_role("link").first.wait_for(timeout=90_000)
        page.goto("/#/dashboard?period=all")
        settled(page)
        assert re.search(r"-?\d+\.\d", page.locator(".headlines .value").first.inner_text())
        assert page.locator(".board .line").count() > 3
        page.goto("/#/chat")
        assert re.search(r"\d", ask(page, first))
        assert "NPS" in ask(page, second)
        page.goto("/#/themes?period=all&sort=size")
        page.locator("tbody tr .link").first.click()
        settled(page)
        page.locator(".quote").first.click()
        drawer = page.get_by_role("dialog")
        drawer.get_by_role("button", name=correct).click()
        shown = drawer.locator("form select").nth(1)
        wanted = "positive" if shown.input_value() != "positive" else "negative"
        shown.select_option(wanted)
        drawer.get_by_role("button", name=save).click()
        drawer.get_by_role("button", name=correct).wait_for()
        feedback_id = drawer.locator("dd.mono").inner_text()
        assert app.human_labels.find()[-1].feedback_id == feedback_id
        page.keyboard.press("Escape")
        page.goto("/#/tasks?status=pending_approval")
        page.locator("a.work").first.click()
        page.get_by_role("main").get_by_role("button", name=approve, exact=True).click()
        page.get_by_role("main").get_by_role("button", name=approve, exact=True).wait_for(state="detached")
        task_id = page.url.rpartition("/")[2]
        assert next(one for one in app.operations.tasks() if one.task_id == task_id).status == "open"
        page.goto("/#/report")
        page.locator(".report-wait").wait_for(state="detached", timeout=90_000)
        with page.expect_download(timeout=60_000) as told:
            page.get_by_role("button", name="Markdown").click()
        assert markdown in told.value.path().read_text(encoding="utf-8")


def test_clicks_lead_to_the_feedback_behind_and_back(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/dashboard?period=all")
        settled(page)
        page.locator(".heat-negative a.heat-cell").first.click()
        settled(page)
        assert "d.sentiment=negative" in page.url and "/explore?" in page.url
        assert page.locator(".trail li").count() == 3
        page.locator("a.bars-row").first.click()
        page.locator(".trail li").nth(3).wait_for()
        settled(page)
        assert "n = " in page.locator(".headlines").inner_text()
        page.go_back()
        page.locator(".trail li").nth(3).wait_for(state="detached")
        page.go_back()
        page.locator(".heat-negative").wait_for()


def test_the_parts_of_an_alert_add_up_and_it_is_judged(
    chromium: "Browser", base: str, world: tuple[App, SampleFeed]
) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/alerts")
        page.locator("a.work").first.click()
        page.locator(".points-row.total").wait_for()
        shown = [
            float(one.inner_text().replace("−", "-")) for one in page.locator(".points-row > .end").all()
        ]
        assert abs(sum(shown[:-1]) - shown[-1]) < 0.06 * len(shown)
        page.get_by_role("button", name="误报").click()
        dialog = page.get_by_role("dialog")
        assert dialog.get_by_role("button", name="保存").is_disabled()
        dialog.get_by_role("textbox").fill("说的是别家的商品")
        dialog.get_by_role("button", name="保存").click()
        page.get_by_text("说的是别家的商品").last.wait_for()
        alert_id = page.url.rpartition("/")[2]
        verdicts = world[0].operations.verdicts(alert_id=alert_id)
        assert [(one.verdict, one.reason) for one in verdicts] == [("false_alarm", "说的是别家的商品")]


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize(("language", "dark"), [("zh", False), ("en", True)])
def test_pages_fit_and_axe_is_content(
    chromium: "Browser", base: str, size: str, language: str, dark: bool, tmp_path: Path
) -> None:
    with watched(chromium, base, size=size, language=language, dark=dark) as page:
        for place in PLACES:
            page.goto(f"/#/{place}?period=all")
            settled(page)
            assert overflow(page) <= 0, place
            assert not serious(page), place
        text = page.locator("body").inner_text()
        assert not re.search(r"\b(dashboard|drill|themes|alerts|tasks|plans|customers)\.[a-z_]+\b", text)
