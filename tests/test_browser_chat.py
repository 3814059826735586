"""The chat, the import and the settings in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.agent_home import QUESTION, make_home, open_home
from tests.browser import browser, need_browser, overflow, serious, watched
from tests.serving import serve_api

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.allow_hosts(["127.0.0.1"])]
UPLOAD = (
    "评价时间,评价内容,总体评分\n2026-11-01,物流太慢了等了一周,2\n"
    "2026-11-02,客服态度很好,5\n2026-11-03,一般,7\n2026-11-04,包装破了,1\n"
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    need_browser()
    home = make_home(tmp_path_factory.mktemp("page"))
    with open_home(home) as app, serve_api(app) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(base: str) -> Iterator["Browser"]:
    with browser() as opened:
        yield opened


def ask(page: "Page", question: str) -> None:
    page.get_by_role("textbox").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn").last.locator(".turn-foot").wait_for()


def test_a_question_and_its_follow_up(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/chat")
        ask(page, QUESTION)
        answer = page.locator(".turn .answer")
        assert "0.0" in answer.inner_text()
        figure = page.locator(".mark", has_text="56").first
        figure.hover()
        page.get_by_role("tooltip").filter(has_text="NPS").filter(has_text="2026年10月").wait_for()
        figure.click()
        source = page.get_by_role("dialog")
        assert "nps_stats" in source.inner_text() and "28" in source.inner_text()
        page.keyboard.press("Escape")
        source.wait_for(state="detached")
        assert page.evaluate("document.activeElement.className") == "mark"
        page.locator(".steps-head").first.click()
        assert page.locator(".steps li").count() == 1
        ask(page, "上海呢？")
        assert "上海" in page.locator(".turn").last.inner_text()
        # The address is the conversation: opened anew it is all there, the last answer with its figures.
        page.reload()
        page.locator(".turn").nth(1).wait_for()
        assert page.locator(".turn").last.locator(".mark").count() > 0
        assert not serious(page)


def test_conversations_are_renamed_and_deleted(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/chat")
        ask(page, QUESTION)
        now = page.locator(".threads li.now")
        now.hover()
        now.get_by_role("button").click()
        page.get_by_role("menuitem").nth(0).click()
        page.get_by_role("dialog").get_by_role("textbox").fill("十月复盘")
        page.keyboard.press("Enter")
        page.locator(".threads li.now", has_text="十月复盘").wait_for()
        now.hover()
        now.get_by_role("button").click()
        page.get_by_role("menuitem").nth(1).click()
        page.get_by_role("dialog").locator(".danger").click()
        page.locator(".threads li", has_text="十月复盘").wait_for(state="detached")
        page.locator(".start").wait_for()


def test_what_customers_write_never_becomes_markup(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/chat")
        ask(page, "<img src=x onerror=alert(1)> **NPS** <script>alert(2)</script>")
        assert "<img src=x" in page.locator(".question").inner_text()
        assert page.locator(".turns img, .turns script").count() == 0


@pytest.mark.parametrize(
    ("size", "language", "dark"),
    [("phone", "en", True), ("laptop", "en", False), ("wide", "zh", True)],
)
def test_every_page_of_it_fits_and_reads(
    chromium: "Browser", base: str, size: str, language: str, dark: bool
) -> None:
    with watched(chromium, base, size=size, language=language, dark=dark) as page:
        for place in (
            "chat",
            "upload",
            "jobs",
            "settings",
            "settings/taxonomy",
            "settings/policy",
            "settings/keys",
        ):
            page.goto(f"/#/{place}")
            page.locator("main h1").wait_for(state="attached")
            page.locator("main .bone").first.wait_for(state="detached")
            assert overflow(page) <= 0, place
            assert not serious(page), place
        assert page.evaluate("document.documentElement.lang") == ("zh-CN" if language == "zh" else "en")


def test_all_of_it_by_keyboard(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/settings")
        page.locator("main h1").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.locator("#settings-taxonomy[aria-selected=true]").wait_for()
        assert page.evaluate("document.activeElement.id") == "settings-taxonomy"


def test_a_file_is_looked_at_and_imported(chromium: "Browser", base: str, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(UPLOAD, encoding="utf-8")
    with watched(chromium, base) as page:
        page.goto("/#/upload")
        page.locator("input[type=file]").set_input_files(file)
        rating = page.get_by_role("combobox", name="总体评分")
        assert rating.input_value() == "rating"
        assert [one.inner_text() for one in page.locator(".figures .value").all()] == ["4", "3", "0", "1"]
        # Every row has a place once the column is no score of 1 to 5.
        rating.select_option("dim:总体评分")
        page.locator(".figures .value").nth(3).get_by_text("0").wait_for()
        rating.select_option("rating")
        page.locator(".figures .value").nth(3).get_by_text("1").wait_for()
        page.locator(".upload-go .primary").click()
        with page.expect_download() as told:
            # The first import loads the encoder.
            page.get_by_role("button", name="下载拒收的行").click(timeout=90_000)
        assert "一般" in told.value.path().read_text(encoding="utf-8")


def test_topics_that_are_wrong_are_not_saved(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/settings/taxonomy")
        editor = page.get_by_role("textbox")
        editor.fill("branches:\n  logistics: 3\n")
        page.get_by_role("button", name="检查").click()
        page.locator(".settings-panel [role=alert]").wait_for()
        editor.fill("")
        page.get_by_role("button", name="检查").click()
        page.get_by_text("没有问题").wait_for()


def test_the_policy_is_checked_saved_and_brought_back(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/settings/policy")
        editor = page.get_by_label("策略（YAML）")
        shipped = editor.input_value()
        editor.fill(shipped.replace("threshold: 60 ", "threshold: 600 "))
        page.get_by_role("button", name="检查").click()
        page.locator(".settings-panel [role=alert]").get_by_text("health.threshold").wait_for()
        editor.fill(shipped.replace("threshold: 60 ", "threshold: 65 "))
        page.get_by_role("button", name="检查").click()
        page.get_by_text("60 → 65").wait_for()
        page.get_by_role("button", name="保存").click()
        page.get_by_role("dialog").get_by_role("button", name="保存").click()
        page.get_by_text("当前生效的是版本 2").wait_for()
        page.get_by_role("row", name="已停用").get_by_role("button", name="恢复到此版本").click()
        page.get_by_role("dialog").get_by_role("button", name="恢复到此版本").click()
        page.get_by_text("当前生效的是版本 3").wait_for()


def test_language_and_appearance_are_kept(chromium: "Browser", base: str) -> None:
    with watched(chromium, base) as page:
        page.goto("/#/settings")
        page.get_by_role("button", name="深色").click()
        page.get_by_role("main").get_by_role("button", name="English").click()
        page.get_by_role("heading", name="Settings").wait_for()
        page.reload()
        page.get_by_role("heading", name="Settings").wait_for()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
