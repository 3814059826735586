"""A throwaway application over a data set, to be asked questions and to run tools on."""

import asyncio
import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from evals.recompute import Item, label_sentiments, load_dataset, load_feed, sampled
from evals.simulate import SampleFeed, write_sample_feed
from evals.wording import read_yaml
from store.clock import FixedClock
from store.errors import InputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.wiring import App

SEED = 7
END = date(2026, 11, 22)


class Asked(Protocol):
    """Asks one question in a thread and decides about what then waits; returns the object of `ask --json`."""

    def __call__(self, question: str, thread: str, decide: str | None = None) -> Mapping[str, Any]:
        """Ask."""
        ...


def open_sample(folder: Path, now: datetime) -> "tuple[App, SampleFeed, list[Item]]":
    """Write the sample feed, bring it in, and read its files again for the recomputation."""
    feed = write_sample_feed(folder / "feed", SEED, END)
    app = _open(folder / "home", now)
    _ingest(app, feed.feedback, "feedback")
    tables = {"customers": feed.customers, "events": feed.events, "outcomes": feed.outcomes}
    for kind, path in {**tables, "rates": feed.rates}.items():
        _ingest(app, path, kind)
    _index(app)
    items = load_feed(feed.feedback)
    label_sentiments(items, lambda texts: classified(app, texts))
    return app, feed, items


def reopen(
    name: str, folder: Path, data: Path | None, now: datetime
) -> "tuple[App, list[Item], Mapping[str, Any]]":
    """A data set that an earlier run brought in, as it stands in its folder, and its rows read again."""
    app = _open(folder / "home", now)
    if name != "sample":
        return app, load_dataset(name, data or Path()), {}
    feed = write_sample_feed(folder / "feed", SEED, END)
    items = load_feed(feed.feedback)
    label_sentiments(items, lambda texts: classified(app, texts))
    return app, items, feed.truth


def open_feedback(folder: Path, now: datetime, seed: int) -> "tuple[App, SampleFeed]":
    """The feedback alone of the sample feed of a seed, not indexed; read again where the folder has it."""
    feed = write_sample_feed(folder / "feed", seed, END)
    fresh = not (folder / "home").is_dir()
    app = _open(folder / "home", now)
    if fresh:
        _ingest(app, feed.feedback, "feedback")
    return app, feed


def open_dataset(name: str, data: Path, folder: Path, now: datetime) -> "tuple[App, list[Item]]":
    """Bring in a data set of datasets.yaml. Raises InputError where the folder of public data lacks it."""
    file = read_yaml("datasets.yaml")[name]
    path = data / file["path"]
    if not path.is_file():
        raise InputError(f"data set {name} is not at {path}", hint="name the folder of public data: --data")
    app = _open(folder / "home", now)
    _ingest(app, _sample(path, folder, file), "feedback", file.get("maps", ()))
    if file.get("index"):
        _index(app)
    return app, load_dataset(name, data)


def _sample(path: Path, folder: Path, file: Mapping[str, Any]) -> Path:
    """The file as it is, or a copy with the rows that are asked for."""
    if not {"rows", "every"} & set(file):
        return path
    with gzip.open(path, "rt", encoding=file["encoding"], newline="") as source:
        header, *rows = csv.reader(source)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / path.name.removesuffix(".gz")
    with out.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([header, *sampled(rows, file)])
    return out


def asker(app: "App", model: "BaseChatModel | None") -> "Asked":
    """Ask the agent as `voiceloop ask --json` does; `model` None is the offline planner.

    The function takes a question, a thread and what is to be decided about everything that then waits.
    """
    from agent.approvals import Decision
    from tools.context import Asker

    async def ask(question: str, thread: str, decide: str | None) -> Mapping[str, Any]:
        async with app.assistant(model) as assistant:
            answer = await assistant.ask(question, thread_id=thread, asker=Asker())
            if decide and answer.pending_approvals:
                decision = Decision.model_validate({decide: "all"})
                await assistant.decide(decision, thread_id=thread, asker=Asker())
        return answer.model_dump(mode="json", by_alias=True)

    return lambda question, thread, decide=None: asyncio.run(ask(question, thread, decide))


def tool_runner(app: "App") -> Callable[[str, dict[str, Any]], Mapping[str, Any]]:
    """Run a tool by name as `voiceloop tool NAME --args JSON` does."""
    from tools.catalogue import run_tool
    from tools.context import Asker

    def run(name: str, args: dict[str, Any]) -> Mapping[str, Any]:
        return run_tool(name, args, app.context(Asker())).model_dump(mode="json", by_alias=True)

    return run


def _open(home: Path, now: datetime) -> "App":
    from agent.settings import Settings
    from agent.wiring import open_app

    settings = Settings(home=home, llm_base_url=None, timezone="Asia/Shanghai")
    return open_app(settings, FixedClock(now))


def _ingest(app: "App", path: Path, kind: str, maps: Sequence[str] = ()) -> None:
    from pipeline.account import IngestOptions

    report = app.ingestor.ingest([path], IngestOptions.model_validate({"kind": kind, "maps": tuple(maps)}))
    if report.rejected:
        raise InputError(f"{report.rejected} rows of {path.name} were rejected: {report.reject_reasons}")


def _index(app: "App") -> None:
    from pipeline.indexing import index_pending
    from vectorstore.themes import refresh_themes

    index_pending(app.facts, app.operations, app.index, app.embedder)
    refresh_themes(app.facts, app.index, app.clock)


def classified(app: "App", texts: Any) -> list[str]:
    """The classifier itself, applied to the texts of the files as ingest applies it."""
    from pipeline.clean import clean
    from pipeline.mask import mask_texts

    masked = mask_texts([clean(text) for text in texts])
    return [labels.sentiment.value for labels in app.classifier.classify(masked)]
