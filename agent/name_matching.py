"""Which values of the data mean what a name in another script means (air fryer, 空气炸锅)."""

from collections.abc import Callable, Sequence

import numpy as np

from vectorstore.embedder import Embedder

# On product names: same thing 0.59-0.95, another thing mostly below 0.5. Good for a guess to be confirmed,
# not for an answer: a vacuum cleaner came out nearest to an air purifier.
_LIKE = 0.55
_MOST_VALUES = 200

Similar = Callable[[str, Sequence[str]], list[str]]


def by_meaning(embedder: Callable[[], Embedder]) -> Similar:
    """A function from a name and values to those that mean about the same, nearest first.

    The embedder is asked for when a name is first looked up; at most 200 values are compared.
    """

    def similar(name: str, values: Sequence[str]) -> list[str]:
        encoder = embedder()
        wanted = encoder.embed_query(name)
        given = list(values[:_MOST_VALUES])
        likeness = (
            np.stack([encoder.embed_query(value) for value in given]) @ wanted if given else np.empty(0)
        )
        order = np.argsort(-likeness, kind="stable")
        return [given[i] for i in order if likeness[i] >= _LIKE]

    return similar
