"""Tells alerts while the server runs: keeps what is new for each target, and sends what is due."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from agent.wiring import App
from retention.alert_notices import TaskNews
from retention.outbox import Outbox
from server.api_logs import causes, places
from server.slack_service import slack_targets

_LOG = structlog.get_logger()
_EVERY_S: Final = 5.0
OBSERVER: Final = "outbox"


class NoticeRounds:
    """One round after another; `round` is one of them."""

    def __init__(self, app: App) -> None:
        rooms, posts = slack_targets(app)
        self._targets = (*app.notify_targets, *rooms)
        self._outbox: Outbox = app.outbox(posts)
        self._notices = app.alert_notices
        self._teller = app.alert_teller if self._targets else None
        self._tasks = app.task_teller if self._targets else None

    @property
    def needed(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._targets)

    def begin(self) -> None:
        """Observe alerts from now on, or from where an earlier process has come to."""
        if self._teller is not None:
            self._notices.on_alert(OBSERVER, self._teller.observer(self._targets, self._outbox))
            self._notices.on_task(OBSERVER, self._told_of_task)

    def _told_of_task(self, news: TaskNews) -> None:
        if self._tasks is not None:
            self._tasks.observe(news, self._targets, self._outbox)

    def round(self) -> None:
        """Keep what is new and send what is due."""
        self._notices.dispatch()
        self._outbox.send_due()

    async def run(self) -> None:
        """Rounds until cancelled; one that fails is logged, and the next one comes all the same."""
        while True:
            try:
                await run_in_threadpool(self.round)
            except Exception as error:  # noqa: BLE001 - the edge: logged, and tried again
                _LOG.error("notices_failed", error=causes(error), at=places(error.__traceback__))
            await asyncio.sleep(_EVERY_S)


@asynccontextmanager
async def telling_alerts(app: App) -> AsyncIterator[None]:
    """Tell alerts while the server runs. ConfigError where a target of the settings cannot be used."""
    rounds = await run_in_threadpool(NoticeRounds, app)
    if not rounds.needed:
        yield
        return
    await run_in_threadpool(rounds.begin)
    running = asyncio.create_task(rounds.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
