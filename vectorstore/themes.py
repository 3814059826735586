"""Themes: what customers talk about, found in the texts themselves, with ids that last."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from store.clock import Clock
from store.facts import FactStore, Find, Selection
from store.records import Theme
from vectorstore.index import VectorIndex
from vectorstore.theme_areas import placed, with_areas
from vectorstore.theme_corpus import Corpus, read_corpus
from vectorstore.theme_finding import Progress, find_themes, smallest_theme
from vectorstore.theme_joining import joined
from vectorstore.theme_lineage import Descent, new_id, trace
from vectorstore.theme_records import Found, faded, grown, renewed

# So many new texts, beside those that have a theme, are worth a new clustering.
_RENEW = 0.5
_CONTRAST = 1_000


class ThemeNamer(Protocol):
    """Gives themes better names than their words; `name` says who it is."""

    name: str

    def names(self, themes: Sequence[Theme], quotes: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
        """Name by theme id, of those it has one for; `quotes` are a few masked texts by theme id."""
        ...


@dataclass(frozen=True)
class ThemeReport:
    """What a refresh did. `mixed_share`: items whose polarity is not that of most of their theme.

    `unnamed`: themes for which a namer was asked and had no name: they are called by their words.
    """

    themes: int
    texts: int
    assigned: int
    unassigned: int
    kept: int
    born: int
    split: int
    merged: int
    mixed_share: float
    renewed: bool
    unnamed: int = 0


def refresh_themes(
    facts: FactStore,
    index: VectorIndex,
    clock: Clock,
    progress: Progress | None = None,
    *,
    full: bool = False,
    namer: ThemeNamer | None = None,
) -> ThemeReport:
    """Bring the themes up to date with the stored texts.

    Where themes exist, new texts join the nearest one and far-off ones found new themes; nothing else
    moves. Everything is clustered anew at first, when new texts are half as many as the old, or when
    `full`: themes then keep their ids by overlap. The same texts give the same themes in any order.
    Texts without a word, or without a vector yet, have no theme. A `namer` is asked for the names of themes
    that no model has named. Raises StoreError.
    """
    # Limits hold for the libraries that are loaded: those used below come first.
    import scipy.cluster.hierarchy
    import scipy.optimize  # noqa: F401
    from threadpoolctl import threadpool_limits

    tell = progress or (lambda done, total, stage: None)
    corpus = read_corpus(facts, index)
    every = facts.themes()
    themes = [theme for theme in every if not theme.faded]
    old = _assignment(facts, themes)
    fresh = [key for key in corpus.kinds if key not in old]
    renew = full or not old or len(fresh) > _RENEW * len(old)
    # Sums of a fixed number of threads, so that no bit depends on how busy the machine is.
    with threadpool_limits(limits=1, user_api="blas"):
        if renew:
            found = find_themes(corpus, index.vectors, sorted(corpus.kinds), tell)
            descents = trace([one.keys for one in found], old, corpus.counts)
            before = {theme.theme_id: theme for theme in themes}
            records = renewed(corpus, found, descents, before, old, facts, clock.now())
            assignment = {
                key: each.theme_id for one, each in zip(found, descents, strict=True) for key in one.keys
            }
            records = with_areas(records, Counter(assignment.values()))
        else:
            records, assignment, descents = _extended(corpus, index, facts, clock, themes, old, fresh, tell)
    if namer:
        records = _named(records, facts, namer)
    gone = faded(every, [*descents, *_unmoved(records, descents)], clock.now())
    facts.save_themes([*records, *gone], assignment)
    return ThemeReport(
        themes=len(records),
        texts=len(corpus.counts),
        assigned=len(assignment),
        unassigned=len(corpus.counts) - len(assignment),
        kept=len(records) - sum(not each.kept for each in descents),
        born=sum(not each.kept and each.parent is None for each in descents),
        split=sum(not each.kept and each.parent is not None for each in descents),
        merged=sum(len(each.merged) for each in descents),
        mixed_share=_mixed_share(corpus, assignment),
        renewed=renew,
        unnamed=sum(theme.named_by is None for theme in records) if namer else 0,
    )


def _named(records: Sequence[Theme], facts: FactStore, namer: ThemeNamer) -> list[Theme]:
    """Records under the names that the namer has for those that still go by their words."""
    plain = [theme for theme in records if theme.named_by is None]
    shown = tuple(one for theme in plain for one in theme.exemplars)
    items = facts.find(Find(feedback_ids=shown, limit=max(1, len(shown)))) if shown else []
    texts = {one.feedback.feedback_id: one.feedback.text for one in items}
    quotes = {theme.theme_id: [texts[one] for one in theme.exemplars if one in texts] for theme in plain}
    names = namer.names(plain, quotes)
    taken = {theme.label for theme in records}
    found = []
    for theme in records:
        name = names.get(theme.theme_id)
        if name and name not in taken:
            taken.add(name)
            theme = theme.model_copy(update={"label": name, "named_by": namer.name})
        found.append(theme)
    return found


def _assignment(facts: FactStore, themes: Sequence[Theme]) -> dict[str, str]:
    return {
        key: theme.theme_id
        for theme in themes
        for key, _ in facts.text_keys(Selection(filters={"theme": (theme.theme_id,)}))
    }


def _extended(
    corpus: Corpus,
    index: VectorIndex,
    facts: FactStore,
    clock: Clock,
    themes: Sequence[Theme],
    old: Mapping[str, str],
    fresh: Sequence[str],
    tell: Progress,
) -> tuple[list[Theme], dict[str, str], list[Descent]]:
    """Let new texts join the themes there are; what is far from all of them founds new ones."""
    assignment = {key: theme for key, theme in old.items() if key in corpus.kinds}
    near = joined(corpus, index.vectors, themes, assignment, fresh)
    born, waiting = _founded(corpus, index, themes, assignment, near.apart, tell)
    settled = waiting | {key for one in born for key in one.keys}
    assignment.update((key, theme) for key, theme in near.nearest.items() if key not in settled)
    ids = {theme.theme_id for theme in themes}
    descents = []
    for one in born:
        descents.append(Descent(new_id(one.keys, ids), kept=False))
        ids.add(descents[-1].theme_id)
        assignment.update(dict.fromkeys(one.keys, descents[-1].theme_id))
    gained = Counter(assignment[key] for key in fresh if key in assignment)
    now = clock.now()
    records = grown(themes, gained, Counter(assignment.values()), now)
    new = renewed(corpus, born, descents, {}, old, facts, now)
    return [*records, *(placed(theme, records) for theme in new)], assignment, descents


def _unmoved(records: Sequence[Theme], descents: Sequence[Descent]) -> list[Descent]:
    """Themes that a refresh left in place without saying so."""
    told = {descent.theme_id for descent in descents}
    return [Descent(theme.theme_id, kept=True) for theme in records if theme.theme_id not in told]


def _founded(
    corpus: Corpus,
    index: VectorIndex,
    themes: Sequence[Theme],
    assignment: Mapping[str, str],
    apart: Iterable[str],
    tell: Progress,
) -> tuple[list[Found], set[str]]:
    """New themes among texts far from the old ones, and the texts that wait until more like them come."""
    smallest = smallest_theme(len(corpus.kinds))
    groups = corpus.groups(apart).values()
    founding = sorted(key for group in groups if len(group) >= 2 * smallest for key in group)
    waiting = set(apart) - set(founding)
    if not founding:
        return [], waiting
    sample = sorted(assignment)[:: max(1, len(assignment) // _CONTRAST)]
    taken = {theme.label for theme in themes}
    found = find_themes(corpus, index.vectors, founding, tell, corpus.groups(sample), taken)
    return [one for one in found if len(one.keys) >= smallest], waiting


def _mixed_share(corpus: Corpus, assignment: Mapping[str, str]) -> float:
    sides: dict[str, list[int]] = {}
    for key, theme in assignment.items():
        sides.setdefault(theme, [0, 0])[corpus.kinds[key][1]] += corpus.counts[key]
    total = sum(map(sum, sides.values()))
    return sum(map(min, sides.values())) / total if total else 0.0
