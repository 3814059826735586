"""Tells CRMs of tasks and reads what they tell, while the server runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from agent.wiring import App
from retention.crm_line import CrmLine
from server.api_logs import causes, places

_LOG = structlog.get_logger()
_EVERY_S: Final = 5.0


@asynccontextmanager
async def linking_crms(app: App) -> AsyncIterator[None]:
    """A round every few seconds, each CRM by itself: one that is slow keeps no other waiting."""
    lines = await run_in_threadpool(lambda: app.crm_lines)
    running = [asyncio.create_task(_rounds(line)) for line in lines]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _rounds(line: CrmLine) -> None:
    while True:
        try:
            await run_in_threadpool(line.send)
            await run_in_threadpool(line.read)
        except Exception as error:  # noqa: BLE001 - the edge: logged, and tried again
            name = line.settings.name
            _LOG.error("crm_failed", crm=name, error=causes(error), at=places(error.__traceback__))
        await asyncio.sleep(_EVERY_S)
