"""The product's themes under trial: shuffled, thinned out, fed in steps, and at scale."""

import itertools
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from evals.bench_process import apart
from evals.themes_rivals import Labels, bertopic_seconds, timed
from evals.themes_sets import LabelledTexts
from store.clock import FixedClock
from store.records import Feedback, LabelledFeedback
from vectorstore.clusters import agreed_kmeans, draws_of
from vectorstore.embedder import Vectors
from vectorstore.theme_corpus import Corpus
from vectorstore.theme_finding import find_themes, smallest_theme, theme_space
from vectorstore.theme_records import Found
from vectorstore.tokens import clauses

_SUBSAMPLES: Final = 5
_SHARE: Final = 0.9
_STEPS: Final = 20
_CLOCK: Final = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
_NOISE: Final = 0.05


def own_themes(texts: LabelledTexts) -> list[Found]:
    """Themes as the product finds them, at the number it chooses."""
    corpus = texts.corpus()
    return find_themes(corpus, texts.vectors_of, sorted(corpus.kinds), lambda *_: None)


def labels_of(texts: LabelledTexts, found: Sequence[Found]) -> Labels:
    """The number of the theme of each text; -1 for one without."""
    number = {key: place for place, one in enumerate(found) for key in one.keys}
    return np.array([number.get(key, -1) for key in texts.keys], dtype=np.intp)


def given_number(texts: LabelledTexts, groups: int, *, words: bool = True) -> Labels:
    """The product's method at a given number of themes; without words, from the rivals' vectors alone."""
    smallest = smallest_theme(len(texts.texts))
    draws = draws_of(texts.keys)
    said = [clauses(text, texts.script) if words else [] for text in texts.texts]
    space = theme_space(said, texts.vectors, draws, smallest)
    return agreed_kmeans(space, draws, np.ones(len(space), dtype=np.float32), groups).labels


def shuffled_agreement(texts: LabelledTexts, whole: Labels) -> float:
    """ARI of the themes of the same texts in another order."""
    order = np.random.default_rng(1).permutation(len(texts.texts))
    again = texts.some(order)
    return agreement(whole[order], labels_of(again, own_themes(again)))


def thinned_agreement(texts: LabelledTexts, whole: Labels) -> list[float]:
    """ARI with the themes of all texts, for five random 90% of them, on those texts."""
    found = []
    for seed in range(_SUBSAMPLES):
        rows = np.flatnonzero(np.random.default_rng(seed).random(len(texts.texts)) < _SHARE)
        some = texts.some(rows)
        found.append(agreement(whole[rows], labels_of(some, own_themes(some))))
    return found


def seed_agreement(runs: Sequence[Labels]) -> list[float]:
    """ARI of each pair of runs."""
    return [agreement(one, other) for one, other in itertools.combinations(runs, 2)]


def agreement(first: Labels, second: Labels) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985)."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(first, second))


def in_steps(texts: LabelledTexts) -> tuple[Labels, dict[str, Any]]:
    """Themes after 20 increments through real stores, and how memberships fared.

    `kept` is the share of texts that end in the theme they were first put in; `worst_step` the least share
    of texts with a theme that an increment left in it; `renewed` counts clusterings anew after the first.
    """
    from store.duckdb_facts import DuckDBFactStore
    from vectorstore.chroma_index import ChromaIndex
    from vectorstore.themes import refresh_themes

    order = np.random.default_rng(2).permutation(len(texts.texts))
    first: dict[str, str] = {}
    now: dict[str, str] = {}
    worst, renewed, waiting = 1.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        facts = DuckDBFactStore(Path(folder) / "facts.duckdb", ZoneInfo("Asia/Shanghai"))
        index = ChromaIndex(Path(folder) / "chroma", "kept", texts.vectors.shape[1])
        try:
            for step, rows in enumerate(np.array_split(order, _STEPS)):
                some = texts.some(rows)
                facts.add_feedback(
                    [_item(text, key) for text, key in zip(some.texts, some.keys, strict=True)]
                )
                index.add(some.keys, some.vectors)
                report = refresh_themes(facts, index, _CLOCK)
                renewed += step > 0 and report.renewed
                waiting = report.unassigned
                before, now = now, _membership(facts)
                worst = min(worst, _stayed(before, now))
                for key, theme in now.items():
                    first.setdefault(key, theme)
        finally:
            index.close()
            facts.close()
    numbers = {theme: number for number, theme in enumerate(sorted(set(now.values())))}
    labels = np.array([numbers[now[key]] if key in now else -1 for key in texts.keys], dtype=np.intp)
    told = {"kept": _stayed(first, now), "worst_step": worst, "renewed": renewed, "waiting": waiting}
    return labels, {**told, "themes": len(numbers)}


def _item(text: str, key: str) -> LabelledFeedback:
    return LabelledFeedback(feedback=Feedback(feedback_id=key, source="set", text=text), text_key=key)


def _membership(facts: Any) -> dict[str, str]:
    from store.facts import Selection

    return {
        key: theme.theme_id
        for theme in facts.themes()
        for key, _ in facts.text_keys(Selection(filters={"theme": (theme.theme_id,)}))
    }


def _stayed(before: dict[str, str], after: dict[str, str]) -> float:
    return sum(after.get(key) == theme for key, theme in before.items()) / len(before) if before else 1.0


def speed(texts: LabelledTexts, counts: Sequence[int], rival_at: int) -> list[dict[str, Any]]:
    """Seconds from vectors to named themes, each in a fresh process; BERTopic at `rival_at`."""
    rows = []
    for count in counts:
        (wall, processor, themes), memory = apart(_ours, texts, count)
        rows.append(_timing("VoiceLoop", count, wall, processor, memory.peak) | {"themes": themes})
    (wall, processor), memory = apart(bertopic_seconds, texts.texts[:rival_at], texts.vectors[:rival_at])
    rows.append(_timing("BERTopic", rival_at, wall, processor, memory.peak))
    return rows


def _timing(method: str, n: int, wall: float, processor: float, peak: int) -> dict[str, Any]:
    return {"method": method, "n": n, "wall_s": wall, "core_s": processor, "peak_mb": round(peak / 2**20)}


def _ours(texts: LabelledTexts, count: int) -> tuple[float, float, int]:
    from threadpoolctl import threadpool_limits

    keys, rows = enlarged(texts.keys, texts.vectors, count)
    said = list(itertools.islice(itertools.cycle(texts.texts), count))
    place = {key: number for number, key in enumerate(keys)}
    corpus = Corpus(
        dict(zip(keys, said, strict=True)),
        dict.fromkeys(keys, 1),
        dict.fromkeys(keys, (texts.script, False)),
        frozenset(),
    )
    found: list[Found] = []
    with threadpool_limits(limits=1, user_api="blas"):
        wall, processor = timed(
            lambda: found.extend(
                find_themes(
                    corpus, lambda own: rows[[place[key] for key in own]], sorted(keys), lambda *_: None
                )
            )
        )
    return wall, processor, len(found)


def enlarged(keys: Sequence[str], vectors: Vectors, count: int) -> tuple[list[str], NDArray[np.float32]]:
    """As many keys and unit rows as asked for: the given ones, and copies of them moved at random by 0.05."""
    chance = np.random.default_rng(3)
    names, parts = list(keys[:count]), [vectors[:count]]
    while len(names) < count:
        size = min(len(keys), count - len(names))
        names += [f"{key}-{len(parts)}" for key in keys[:size]]
        moved = vectors[:size] + _NOISE / np.sqrt(vectors.shape[1]) * chance.standard_normal(
            (size, vectors.shape[1]), dtype=np.float32
        )
        parts.append((moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32))
    return names, np.concatenate(parts)
