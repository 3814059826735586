"""What people say the labels are: the seam of the label loop."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from pydantic import AwareDatetime

from store.record import Record

LabelField = Literal["sentiment", "topics", "intent", "emotion", "priority", "risk"]


class HumanLabel(Record):
    """One field of one masked text as one person sees it.

    `value`: for topics and risk any number of values, sorted and joined by "|" (none: ""); a topic may say
    its polarity, `service/attitude=negative`. `origin`: `adjudication` and `correction` overrule `import`.
    `sample` tells how the text was chosen: only "random" rows estimate the whole store without bias.
    """

    text_key: str
    field: LabelField
    annotator: str
    value: str
    text: str
    origin: Literal["import", "adjudication", "correction"]
    sample: str = ""
    feedback_id: str | None = None
    labelled_at: AwareDatetime


class SavedLabels(NamedTuple):
    """How many labels were new, changed the same person's former one, or were known already."""

    new: int
    changed: int
    same: int


class HumanLabels(Protocol):
    """Human labels by text, field and annotator. Every write is one durable transaction."""

    def save(self, labels: Sequence[HumanLabel]) -> SavedLabels:
        """Insert or replace; a label that says what is stored already keeps its time."""
        ...

    def find(
        self, *, field: LabelField | None = None, text_keys: Sequence[str] | None = None
    ) -> list[HumanLabel]:
        """List labels by text key, field and annotator."""
        ...

    def forget(self, text_keys: Sequence[str]) -> int:
        """Delete all labels of these texts (and with them the texts); return how many."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
