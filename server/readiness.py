"""Whether the parts that requests need can be used now: asked for real, and not more often than need be."""

import shutil
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from agent.wiring import App
from server.api_state import ServerState
from store.errors import StoreFull, VoiceLoopError

_FRESH_S: Final = 2.0
_SLOW_FRESH_S: Final = 20.0
_ENDPOINT_PATIENCE_S: Final = 3.0
# Below it SQLite and DuckDB may not be able to commit.
_LEAST_DISK: Final = 50_000_000


class Part(NamedTuple):
    """One part. `required`: without it nothing is served well. `detail` holds no path, name or address."""

    name: str
    ok: bool
    required: bool
    detail: str = ""


class Readiness:
    """Looks at the parts and remembers for a moment what it saw."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, Part]] = {}

    def parts(self) -> list[Part]:
        """All parts, in order."""
        with self._lock:
            return [
                self._look("facts", _facts, required=True, fresh_s=_FRESH_S),
                self._look("operations", _operations, required=True, fresh_s=_FRESH_S),
                self._look("vectors", _vectors, required=True, fresh_s=_SLOW_FRESH_S),
                self._look("disk", _disk, required=True, fresh_s=_FRESH_S),
                self._look("endpoint", _endpoint, required=False, fresh_s=_SLOW_FRESH_S),
            ]

    def _look(self, name: str, look: Callable[[App], str], *, required: bool, fresh_s: float) -> Part:
        now = time.monotonic()
        known = self._seen.get(name)
        if known is not None and now - known[0] < fresh_s:
            return known[1]
        try:
            part = Part(name, True, required, look(self._app))
        except VoiceLoopError as error:
            part = Part(name, False, required, error.kind)
        except Exception as error:  # noqa: BLE001  whatever a library raises, the part is of no use now
            part = Part(name, False, required, type(error).__name__)
        self._seen[name] = (now, part)
        return part


def readiness(state: ServerState) -> list[Part]:
    """The parts, and whether the server still takes requests and writes its audit log."""
    behind = state.audit.failing
    return [
        Part("server", not state.closing.is_set(), True, "ending" if state.closing.is_set() else "serving"),
        *state.readiness.parts(),
        Part("audit", not behind, True, "cannot be written" if behind else "written"),
    ]


def _facts(app: App) -> str:
    app.facts.existing_ids(["-"])
    return "answers"


def _operations(app: App) -> str:
    app.keys.any()
    return "answers"


def _vectors(app: App) -> str:
    import numpy as np

    # A true query: the count alone comes from a file beside Chroma.
    dimension = app.embedder.dimension
    app.index.nearest(np.full(dimension, dimension**-0.5, dtype=np.float32), limit=1)
    return "answers"


def _disk(app: App) -> str:
    if shutil.disk_usage(app.home).free < _LEAST_DISK:
        raise StoreFull("the disk is nearly full")
    return "has room"


def _endpoint(app: App) -> str:
    settings = app.settings
    if not settings.llm_base_url:
        return "none configured: the offline planner answers"
    import httpx

    key = settings.llm_api_key.get_secret_value()
    response = httpx.get(
        settings.llm_base_url.rstrip("/") + "/models",
        headers={"Authorization": f"Bearer {key}"},
        timeout=_ENDPOINT_PATIENCE_S,
    )
    response.raise_for_status()
    return "answers"
