"""Encoding on several cores: spawned processes draw chunks from one queue.

The calling process takes no share: its time belongs to what it does meanwhile (an ingest, say), and Python
code and an encoder in one process slow each other down.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

from store.errors import VoiceLoopError
from vectorstore.embedder import Vectors

Encode = Callable[[list[str]], Vectors]


class EncoderPool:
    """`workers` spawned processes, each with its own copy of the weights and a pipe of its own.

    `load` is called once in each process and must be importable there. A worker whose pipe closes ends
    by itself, so none outlives a killed parent.
    """

    def __init__(self, workers: int, load: Callable[[], Encode]) -> None:
        self._workers = [_Worker(number, load) for number in range(workers)]

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid or 0 for worker in self._workers]

    def run(self, chunks: Sequence[list[str]]) -> list[Vectors]:
        """Encode all chunks, in order. Raises VoiceLoopError if a worker dies: then close the pool."""
        work = _Work(chunks)
        drivers = [threading.Thread(target=work.drive, args=(worker,)) for worker in self._workers]
        for driver in drivers:
            driver.start()
        try:
            for driver in drivers:
                driver.join()
        finally:
            work.stop()
        return work.results()

    def close(self) -> None:
        """End the workers and wait for them."""
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
        self._workers = []


class _Worker:
    """One process and our end of its pipe; `ready` once it has said that its weights are loaded."""

    def __init__(self, number: int, load: Callable[[], Encode]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, load), name=f"voiceloop-encoder-{number}", daemon=True
        )
        self.process.start()
        theirs.close()
        self.ready = False

    def wait_ready(self, seconds: float) -> bool:
        """Wait at most so long for the worker's first sign; EOFError if it died while loading."""
        if not self.ready and self.pipe.poll(seconds):
            self.pipe.recv()
            self.ready = True
        return self.ready

    def encode(self, chunk: list[str]) -> Vectors:
        """Have a chunk encoded; EOFError or OSError if the worker is gone."""
        self.pipe.send(chunk)
        vectors: Vectors = self.pipe.recv()
        return vectors


class _Work:
    """Chunks still to do, and what came of the others. Shared by threads."""

    def __init__(self, chunks: Sequence[list[str]]) -> None:
        self.chunks = chunks
        self._todo = deque(range(len(chunks)))
        self._done: dict[int, Vectors] = {}
        self._error: VoiceLoopError | None = None

    def take(self) -> int | None:
        """Next chunk number, or None where nothing is left to do."""
        try:
            return self._todo.popleft()
        except IndexError:
            return None

    def put(self, number: int, vectors: Vectors) -> None:
        """Keep a result."""
        self._done[number] = vectors

    def stop(self) -> None:
        """Hand out no more."""
        self._todo.clear()

    def drive(self, worker: _Worker) -> None:
        """Feed one worker until nothing is left; no chunk is bound to it before it is ready."""
        try:
            while not worker.wait_ready(0.05):
                if not self._todo:
                    return
            while (number := self.take()) is not None:
                self.put(number, worker.encode(self.chunks[number]))
        except (EOFError, OSError) as error:
            self.stop()
            self._error = VoiceLoopError(
                f"the embedding process {worker.process.name} ended before its work was done",
                hint="often the memory ran out (190 MB a process); set VOICELOOP_WORKERS=1 and run again",
            )
            self._error.__cause__ = error

    def results(self) -> list[Vectors]:
        """All results in order; raises the error of a worker that died."""
        if self._error is not None:
            raise self._error
        return [self._done[number] for number in range(len(self.chunks))]


def _serve(pipe: Connection, load: Callable[[], Encode]) -> None:
    """The life of a worker: load, say so, then answer each chunk until the pipe closes."""
    # Ctrl-C reaches the whole process group; the parent decides, and closing the pipe ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    encode = load()
    try:
        pipe.send(None)
        while True:
            pipe.send(encode(pipe.recv()))
    except (EOFError, OSError):
        return
