"""What a kind of label server gives for texts: the seam between the transport and the two modes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from store.errors import NotLabelled
from store.records import Labels

if TYPE_CHECKING:
    from pipeline.vllm_client import VllmClient


class Cost(NamedTuple):
    """What was spent: requests sent (with retries), tokens read and written by the server."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, other: "Cost") -> "Cost":
        """The sum."""
        return Cost(*(a + b for a, b in zip(self, other, strict=True)))


class Outcome(NamedTuple):
    """Labels of one text, or why there are none. `truncated`: only the beginning of the text was read."""

    labels: Labels | None = None
    failure: NotLabelled | None = None
    truncated: bool = False


class Answered(NamedTuple):
    """The outcomes of the texts of one call, in order, and what they cost together."""

    outcomes: list[Outcome]
    cost: Cost


class RemoteLabeller(Protocol):
    """Asks a server for the labels of a few texts."""

    @property
    def name(self) -> str:
        """Kind, model and fingerprint; written into every label."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """The fields of Labels that it decides; the others are left at their defaults."""
        ...

    @property
    def batch(self) -> int:
        """Texts a call."""
        ...

    async def label(self, client: "VllmClient", texts: Sequence[str]) -> Answered:
        """Label at most `batch` texts. What gets no labels is an outcome with its failure, never raised."""
        ...
