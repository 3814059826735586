"""Problem areas: themes of one language that are about the same matter, whatever their mood."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from store.records import Theme
from vectorstore.clusters import unit
from vectorstore.embedder import Vectors
from vectorstore.theme_lineage import trace

# Fewer themes than this are an overview by themselves.
_LEAST_THEMES = 6
_WORDS = 3
_SEPARATOR = {"zh": "、", "en": ", "}


def with_areas(themes: Sequence[Theme], sizes: Mapping[str, int]) -> list[Theme]:
    """Sort themes into areas anew, each language by itself; areas keep their ids by the texts they share.

    About as many areas as the square root of the themes, cut from Ward's tree over the centroids, from which
    the mean of the language is taken. An area is called by the keywords that weigh most in it and least in
    others.
    """
    found: list[Theme] = []
    for language in sorted({theme.language for theme in themes}):
        own = [theme for theme in themes if theme.language == language]
        groups = _groups(own)
        old = {theme.theme_id: theme.area_id for theme in own if theme.area_id}
        weights = {theme.theme_id: max(1, sizes.get(theme.theme_id, 0)) for theme in own}
        descents = trace([[theme.theme_id for theme in group] for group in groups], old, weights, prefix="a")
        names = _names(groups, weights, language)
        for group, descent, name in zip(groups, descents, names, strict=True):
            placed = {"area_id": descent.theme_id, "area": name}
            found += [theme.model_copy(update=placed) for theme in group]
    order = {theme.theme_id: place for place, theme in enumerate(themes)}
    return sorted(found, key=lambda theme: order[theme.theme_id])


def placed(theme: Theme, themes: Sequence[Theme]) -> Theme:
    """Put a new theme into the area of the nearest theme of its language, where there is one."""
    same = [one for one in themes if one.language == theme.language and one.area_id and one.centroid]
    if not same:
        return theme
    nearness = np.array([one.centroid for one in same]) @ np.array(theme.centroid)
    nearest = same[int(nearness.argmax())]
    return theme.model_copy(update={"area_id": nearest.area_id, "area": nearest.area})


def _groups(themes: Sequence[Theme]) -> list[list[Theme]]:
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(themes) < _LEAST_THEMES:
        return [list(themes)]
    rows: Vectors = np.array([theme.centroid for theme in themes], dtype=np.float32)
    tree = linkage(unit(rows - rows.mean(axis=0)), method="ward")
    numbers = fcluster(tree, round(math.sqrt(len(themes))), criterion="maxclust")
    return [[themes[int(row)] for row in np.flatnonzero(numbers == number)] for number in np.unique(numbers)]


def _names(groups: Sequence[Sequence[Theme]], weights: Mapping[str, int], language: str) -> list[str]:
    """Keywords weighed by theme size and rank, times the logarithm of how few areas share them."""
    counts: list[dict[str, float]] = []
    for group in groups:
        words: defaultdict[str, float] = defaultdict(float)
        for theme in group:
            for rank, word in enumerate(theme.keywords, start=1):
                words[word] += weights[theme.theme_id] / rank
        counts.append(words)
    spread = Counter(word for words in counts for word in words)
    names: list[str] = []
    for held, group in zip(counts, groups, strict=True):
        score = {word: n * math.log(1 + len(groups) / spread[word]) for word, n in held.items()}
        # A single character says little by itself.
        best = sorted(score, key=lambda word: (len(word) < 2, -score[word], word))
        chosen = _apart(best)
        while chosen and _SEPARATOR[language].join(chosen) in names and len(chosen) < len(best):
            chosen = best[: len(chosen) + 1]
        name = _SEPARATOR[language].join(chosen) or group[0].label
        names.append(name[0].upper() + name[1:])
    return names


def _apart(words: Sequence[str]) -> list[str]:
    """The first words of which none is part of another."""
    chosen: list[str] = []
    for word in words:
        if not any(word in other or other in word for other in chosen):
            chosen.append(word)
        if len(chosen) == _WORDS:
            break
    return chosen
