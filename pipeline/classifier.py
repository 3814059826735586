"""Text to labels: the seam."""

from collections.abc import Sequence
from typing import Protocol

from store.records import Labels


class Classifier(Protocol):
    """Labels masked texts. A function of text and `name` alone, hence cacheable and reproducible."""

    @property
    def name(self) -> str:
        """Name + version + taxonomy fingerprint; written into every label."""
        ...

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order."""
        ...
