"""The tools' small world as a data folder that a server can be opened over."""

from pathlib import Path
from typing import Any

from agent.settings import Settings
from agent.wiring import App, open_app
from store.clock import FixedClock
from tests.tools_world import NOW, build

# Unit of the scoped callers, and what only lies outside it.
SOUTH = "华南大区"
SOUTH_REGION, EAST_REGION = "广东", "浙江"


def make_world(folder: Path) -> Path:
    """A data folder with three months of feedback of four regions in three units."""
    home = folder / "home"
    home.mkdir()
    context = build(home)
    context.facts.close()
    context.operations.close()
    return home


def open_world(home: Path, **settings: Any) -> App:
    """The application over it, at the world's own moment."""
    return open_app(Settings(home=home, _env_file=None, **settings), FixedClock(NOW))
