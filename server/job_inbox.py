"""The job that brings in what lies in a folder: each file once, then moved out of the way.

Files go to `done/`, those that cannot be used to `refused/` with the reason beside them. A run that is killed
between storing a file and moving it stores it again, which stores nothing twice.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from pipeline.account import IngestOptions, IngestReport
from pipeline.columns import Kind
from pipeline.readers import find_files
from server.job_runner import JobWork
from store.durable_files import write_whole
from store.errors import InputError

DONE: Final = "done"
REFUSED: Final = "refused"
# A file that was written to more recently may still be growing.
_SETTLED_S: Final = 5.0
_NAMED: Final = 50
_THEMES: Final = threading.Lock()


class InboxArguments(BaseModel):
    """Which folder, and what its files hold."""

    model_config = ConfigDict(extra="forbid")

    folder: Path | None = Field(default=None, description="none: inbox/ in the data folder")
    kind: Kind = "feedback"
    source: str | None = Field(default=None, max_length=200, description="none: the name of each file")
    maps: tuple[str, ...] = Field(default=(), description="field=column, as of `voiceloop ingest --map`")


def ingest_inbox(args: InboxArguments, work: JobWork) -> Mapping[str, Any]:
    """Bring in every settled file; what each gave. What is no fault of a file ends the run: it stays."""
    folder = args.folder or work.app.home / "inbox"
    folder.mkdir(parents=True, exist_ok=True)
    files = waiting_files(folder)
    told: list[dict[str, Any]] = []
    for number, file in enumerate(files):
        work.progress(number, len(files), "inbox")
        told.append(_bring_in(file, folder, args, work))
    if any(one.get("stored") for one in told) and args.kind == "feedback":
        refresh(work)
    totals = {
        name: sum(one.get(name, 0) for one in told) for name in ("read", "stored", "duplicates", "rejected")
    }
    refused = sum("error" in one for one in told)
    return {"files": len(files), "refused": refused, **totals, "listed": told[:_NAMED]}


def waiting_files(folder: Path) -> list[Path]:
    """The readable files of a folder that are not being written to, oldest first."""
    taken, _ = find_files([folder])
    mine = [path for path in taken if path.relative_to(folder).parts[0] not in (DONE, REFUSED)]
    settled = [path for path in mine if time.time() - path.stat().st_mtime >= _SETTLED_S]
    return sorted(settled, key=lambda path: (path.stat().st_mtime, path.name))


def refresh(work: JobWork) -> None:
    """Embed what is new, and let it join or found themes."""
    from pipeline.indexing import index_pending
    from vectorstore.themes import refresh_themes

    app = work.app
    with themes_turn(work):
        indexed = index_pending(app.facts, app.operations, app.index, app.embedder, work.progress)
        if indexed.texts or not app.facts.themes():
            refresh_themes(app.facts, app.index, app.clock, work.progress, namer=app.theme_namer)


@contextmanager
def themes_turn(work: JobWork) -> Iterator[None]:
    """Wait until no other run of this process changes the themes: the later of two would undo the other's."""
    while not _THEMES.acquire(timeout=1.0):
        # Says that the run lives, and ends it where it is stopped.
        work.progress(0, None, "waiting")
    try:
        yield
    finally:
        _THEMES.release()


def ingest_paths(paths: Sequence[Path], options: IngestOptions, work: JobWork) -> IngestReport:
    """Ingest with the progress of a run."""
    return work.app.ingestor.ingest(paths, options, work.progress)


def _bring_in(file: Path, folder: Path, args: InboxArguments, work: JobWork) -> dict[str, Any]:
    name = str(file.relative_to(folder))
    options = IngestOptions(kind=args.kind, source=args.source, maps=args.maps)
    try:
        report = ingest_paths([file], options, work)
    except InputError as error:
        _move(file, folder, REFUSED)
        told = f"{error.message}\n{error.hint}\n".encode()
        write_whole(folder / REFUSED / f"{file.name}.txt", told)
        return {"file": name, "error": error.message}
    _move(file, folder, DONE)
    counts = {key: getattr(report, key) for key in ("read", "stored", "duplicates", "rejected")}
    return {"file": name, **counts}


def _move(file: Path, folder: Path, where: str) -> None:
    """Move a file into a folder of the inbox, under a name that is free there."""
    target = folder / where / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{file.stem}-{number}{file.suffix}")
    file.replace(target)
