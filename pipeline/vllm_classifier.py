"""A label server behind the plain call that every classifier answers."""

import threading
from collections.abc import Iterator, Sequence

from pipeline.vllm_client import Endpoint, VllmClient
from pipeline.vllm_labeller import Answered, Cost, Outcome, RemoteLabeller
from pipeline.vllm_loop import LoopThread
from store.errors import ModelUnavailable
from store.records import Labels


class VllmClassifier:
    """Labels texts on a vLLM server; may be called from any thread, an event loop's pool included.

    Its connections live on between calls; close it to close them.
    """

    def __init__(self, labeller: RemoteLabeller, endpoint: Endpoint) -> None:
        self._labeller = labeller
        self._endpoint = endpoint
        self._loop = LoopThread("label-server")
        self._opening = threading.Lock()
        self._client: VllmClient | None = None

    @property
    def name(self) -> str:
        """Kind, model and fingerprint."""
        return self._labeller.name

    @property
    def fields(self) -> frozenset[str]:
        """The fields of Labels that the server decides."""
        return self._labeller.fields

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order. ModelUnavailable where any text gets none.

        Whoever must go on without labels, or keep what was labelled before a failure, takes `outcomes`.
        """
        found: dict[int, Labels] = {}
        for outcomes, _ in self.outcomes(texts):
            for at, outcome in outcomes.items():
                if outcome.labels is None:
                    raise outcome.failure or ModelUnavailable("a text got no labels")
                found[at] = outcome.labels
        return [found[at] for at in range(len(texts))]

    def outcomes(self, texts: Sequence[str]) -> Iterator[tuple[dict[int, Outcome], Cost]]:
        """Yield outcomes as they arrive, by position, each position once, with what they cost.

        Requests are sent only as fast as the caller takes what is yielded. Leaving early cancels the rest.
        """
        client = self._opened()
        size = self._labeller.batch
        batches = [range(at, min(at + size, len(texts))) for at in range(0, len(texts), size)]

        async def ask(places: range) -> tuple[range, Answered]:
            return places, await self._labeller.label(client, [texts[at] for at in places])

        for arrived in self._loop.iterate(client.bounded(batches, ask)):
            outcomes: dict[int, Outcome] = {}
            cost = Cost()
            for places, answered in arrived:
                outcomes.update(zip(places, answered.outcomes, strict=True))
                cost = cost.plus(answered.cost)
            yield outcomes, cost

    def close(self) -> None:
        """Close the connections and stop the thread."""
        if self._client is not None:
            self._loop.run(self._client.close())
            self._client = None
        self._loop.close()

    def _opened(self) -> VllmClient:
        with self._opening:
            if self._client is None:
                self._client = self._loop.run(_open(self._endpoint))
            return self._client


async def _open(endpoint: Endpoint) -> VllmClient:
    return VllmClient(endpoint)
