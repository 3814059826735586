"""Texts to labels as JSON lines: in this process for some, on all cores for many."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice

from agent.settings import Settings
from agent.wiring import App, open_app
from store.errors import VoiceLoopError

Labelled = Callable[[Sequence[str]], bytes]

# Fewer texts are labelled here before another process has loaded its words.
_WORTH_A_POOL = 20_000
# Batches that wait in each worker, so that none is idle and memory stays flat.
_AHEAD = 2


def label_lines(app: App, batches: Iterator[list[str]]) -> Iterator[bytes]:
    """JSON lines of each batch, in order: masked text, language and labels.

    With a label server all is done here: its client has requests in flight for all cores.
    """
    workers = app.settings.workers or os.cpu_count() or 1
    first: list[list[str]] = []
    texts = 0
    while texts < _WORTH_A_POOL and (batch := next(batches, None)) is not None:
        first.append(batch)
        texts += len(batch)
    if texts < _WORTH_A_POOL or workers == 1 or app.cascade is not None:
        label = _labeller(app)
        yield from map(label, chain(first, batches))
        return
    yield from _on_all_cores(app.settings, workers, chain(first, batches))


def _on_all_cores(settings: Settings, workers: int, batches: Iterator[list[str]]) -> Iterator[bytes]:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _open_worker, (settings,)) as pool:
        waiting: deque[Future[bytes]] = deque(
            pool.submit(_label_in_worker, batch) for batch in islice(batches, workers * _AHEAD)
        )
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(_label_in_worker, batch) for batch in islice(batches, 1))
        except BrokenProcessPool as error:
            raise VoiceLoopError(
                "a labelling process ended", hint="try again with VOICELOOP_WORKERS=1"
            ) from error


def _labeller(app: App) -> Labelled:
    import orjson

    from pipeline.clean import clean
    from pipeline.language import detect_language

    classifier, mask = app.classifier, app.mask

    def label(batch: Sequence[str]) -> bytes:
        texts = mask([clean(text) for text in batch])
        return b"".join(
            orjson.dumps({"text": text, "language": detect_language(text), **labels.model_dump(mode="json")})
            + b"\n"
            for text, labels in zip(texts, classifier.classify(texts), strict=True)
        )

    return label


def _open_worker(settings: Settings) -> None:
    _labellers.append(_labeller(open_app(settings)))


def _label_in_worker(batch: list[str]) -> bytes:
    return _labellers[0](batch)


# The labeller of a worker process, put there by `_open_worker`.
_labellers: list[Labelled] = []
