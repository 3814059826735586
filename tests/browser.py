"""A real Chromium on the page of a real server, watched: no console error, no other host, no serious finding of axe."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM: Final = os.environ.get("VOICELOOP_TEST_CHROMIUM") or shutil.which("chromium") or ""
SIZES: Final = {"phone": (390, 844), "laptop": (1280, 900), "wide": (1920, 1080)}


def need_browser() -> None:
    """Skip, saying why, where there is no Chromium or no playwright."""
    pytest.importorskip("playwright.sync_api", reason="needs the group `browser`: make test-browser")
    if not CHROMIUM:
        pytest.skip("needs a Chromium: apt install chromium, or VOICELOOP_TEST_CHROMIUM")


@contextmanager
def browser() -> Iterator["Browser"]:
    """The system's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def watched(
    opened: "Browser", base: str, *, size: str = "laptop", language: str = "zh", dark: bool = False
) -> Iterator["Page"]:
    """A new page, as somebody with that screen and language has it. At its end nothing may have gone wrong."""
    width, height = SIZES[size]
    context = opened.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        locale="zh-CN" if language == "zh" else "en-GB",
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda sent: _check_host(sent.url, base, wrong))
    try:
        yield page
    finally:
        context.close()
    assert not wrong


def _check_host(url: str, base: str, wrong: list[str]) -> None:
    told = urlsplit(url)
    if told.scheme in ("http", "https", "ws", "wss") and told.netloc != urlsplit(base).netloc:
        wrong.append(f"asked another host: {url}")


def serious(page: "Page") -> list[str]:
    """What axe finds serious or critical on the page as it is now."""
    from axe_playwright_python.sync_playwright import Axe

    # Its text is evaluated by the debugger: the page's own policy lets nobody else's script in.
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']} ({', '.join(str(node['target']) for node in one['nodes'][:3])})"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def overflow(page: "Page") -> int:
    """By how many pixels the page is wider than the screen."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide
