"""Which theme a new text joins, without a new clustering: the nearest, beside texts that have one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from store.records import Theme
from vectorstore.clusters import draws_of, unit
from vectorstore.embedder import Vectors
from vectorstore.theme_corpus import Corpus, Kind
from vectorstore.theme_finding import smallest_theme, theme_space

# So many texts with a theme are laid beside the new ones: the cost does not grow with what is stored.
_BESIDE = 3_000
_LEAST = 20
# A new text joins a theme unless it is farther out than all but this share of the texts within themes.
_FAR = 0.05


@dataclass(frozen=True)
class Joined:
    """The theme nearest to each new text, and those texts that are far from all themes."""

    nearest: Mapping[str, str]
    apart: frozenset[str]


def joined(
    corpus: Corpus,
    vectors_of: Callable[[Sequence[str]], Vectors],
    themes: Sequence[Theme],
    assignment: Mapping[str, str],
    fresh: Sequence[str],
) -> Joined:
    """Lay new texts beside some of each theme, in the space that themes are found in, and take the nearest.

    A text is held against themes of its own language and mood, else of its language; one that finds neither
    is apart. Nothing that has a theme moves.
    """
    kinds = _kinds(corpus, themes, assignment)
    members: dict[str, list[str]] = {theme.theme_id: [] for theme in themes}
    for key in sorted(assignment):
        members[assignment[key]].append(key)
    nearest: dict[str, str] = {}
    apart: set[str] = set()
    for kind, keys in corpus.groups(fresh).items():
        own = [theme_id for theme_id, other in kinds.items() if other == kind] or [
            theme_id for theme_id, other in kinds.items() if other[0] == kind[0]
        ]
        if not own:
            apart.update(keys)
            continue
        places, far = _placed(corpus, vectors_of, {one: members[one] for one in own}, kind, keys)
        nearest.update((key, own[place]) for key, place in zip(keys, places, strict=True))
        apart.update(key for key, out in zip(keys, far, strict=True) if out)
    return Joined(nearest, frozenset(apart))


def _placed(
    corpus: Corpus,
    vectors_of: Callable[[Sequence[str]], Vectors],
    members: Mapping[str, Sequence[str]],
    kind: Kind,
    keys: Sequence[str],
) -> tuple[list[int], list[bool]]:
    """The number of the nearest theme of each key, and whether it is far."""
    each = max(_LEAST, _BESIDE // len(members))
    beside, owner = [], []
    for number, own in enumerate(members.values()):
        order = np.argsort(draws_of(own), kind="stable")[:each]
        beside += [own[int(row)] for row in order]
        owner += [number] * len(order)
    together = [*beside, *keys]
    smallest = smallest_theme(len(together))
    space = theme_space(
        corpus.clauses(together, kind[0]),
        vectors_of(together),
        draws_of(together),
        smallest,
        corpus.mentions(together, smallest),
    )
    held, owners = space[: len(beside)], np.array(owner)
    centres = unit(np.stack([held[owners == number].mean(axis=0) for number in range(len(members))]))
    usual = np.quantile((held * centres[owners]).sum(axis=1), _FAR)
    scores = space[len(beside) :] @ centres.T
    return [int(place) for place in scores.argmax(axis=1)], [bool(far) for far in scores.max(axis=1) < usual]


def _kinds(corpus: Corpus, themes: Sequence[Theme], assignment: Mapping[str, str]) -> dict[str, Kind]:
    """Language and polarity of the greater part of each theme that holds any text."""
    praise: dict[str, int] = {}
    for key, theme_id in assignment.items():
        praise[theme_id] = praise.get(theme_id, 0) + (1 if corpus.kinds[key][1] else -1)
    return {
        theme.theme_id: ("zh" if theme.language == "zh" else "en", praise[theme.theme_id] > 0)
        for theme in themes
        if theme.theme_id in praise
    }
