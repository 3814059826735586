"""Themes as they are kept: names, exemplars, wordings, and the dated events of their lives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from store.facts import FactStore, Selection
from store.records import Theme
from store.theme_events import ThemeEvent, ThemeWording
from vectorstore.embedder import Vectors
from vectorstore.newest import newest_items
from vectorstore.theme_corpus import Corpus, Kind
from vectorstore.theme_labels import ThemeName
from vectorstore.theme_lineage import Descent

# A theme has grown when it gained this share of what it held.
_GROWN = 0.1
_EVENTS = 40
_FADED_KEPT = 100


@dataclass(frozen=True)
class Found:
    """A theme before it has an id: its texts by key, its name, its language. Wordings: (label, n, key)."""

    kind: Kind
    keys: list[str]
    name: ThemeName
    centre: Vectors
    exemplars: list[str]
    wordings: tuple[tuple[str, int, str], ...] = ()


def renewed(
    corpus: Corpus,
    found: Sequence[Found],
    descents: Sequence[Descent],
    before: Mapping[str, Theme],
    old: Mapping[str, str],
    facts: FactStore,
    now: datetime,
) -> list[Theme]:
    """Records of newly found themes; what continues one keeps its birth, events and given name."""
    shown = {key for one in found for key in (*one.exemplars, *(wording[2] for wording in one.wordings))}
    newest = newest_items(facts, Selection(), sorted(shown), corpus.counts)
    item = {key: one.feedback.feedback_id for key, one in newest.items()}
    records = []
    for one, descent in zip(found, descents, strict=True):
        was = before.get(descent.theme_id)
        named = was if was and was.named_by else None
        gained = sum(key not in old for key in one.keys)
        events = _events(descent, len(one.keys), gained, now)
        records.append(
            Theme(
                theme_id=descent.theme_id,
                label=named.label if named else one.name.label,
                keywords=one.name.keywords,
                language=one.kind[0],
                exemplars=tuple(item[key] for key in one.exemplars if key in item),
                centroid=tuple(float(value) for value in one.centre),
                born_at=was.born_at if was else now,
                parent_id=was.parent_id if was else descent.parent,
                lineage=((was.lineage if was else ()) + events)[-_EVENTS:],
                area_id=was.area_id if was else None,
                area=was.area if was else None,
                named_by=named.named_by if named else None,
                wordings=tuple(
                    ThemeWording(label=label, n=n, exemplar=item.get(key)) for label, n, key in one.wordings
                ),
            )
        )
    return records


def _events(descent: Descent, size: int, gained: int, now: datetime) -> tuple[ThemeEvent, ...]:
    merged = tuple(ThemeEvent(kind="merged", at=now, other=theme) for theme in descent.merged)
    if not descent.kept:
        kind = ThemeEvent(kind="split" if descent.parent else "born", at=now, other=descent.parent, n=size)
        return (kind, *merged)
    return (*_growth(size, gained, now), *merged)


def _growth(size: int, gained: int, now: datetime) -> tuple[ThemeEvent, ...]:
    if gained and gained >= _GROWN * (size - gained):
        return (ThemeEvent(kind="grown", at=now, n=gained),)
    return ()


def grown(
    themes: Sequence[Theme], gained: Mapping[str, int], held: Mapping[str, int], now: datetime
) -> list[Theme]:
    """Themes that new texts joined: `gained` and `held` (with the new ones) count distinct texts by theme."""
    found = []
    for theme in themes:
        new = gained.get(theme.theme_id, 0)
        events = _growth(held.get(theme.theme_id, 0), new, now)
        found.append(
            theme.model_copy(update={"lineage": (theme.lineage + events)[-_EVENTS:]}) if events else theme
        )
    return found


def faded(before: Sequence[Theme], descents: Sequence[Descent], now: datetime) -> list[Theme]:
    """Themes that no new one continues: kept for their history, without texts, the newest 100 of them."""
    living = {descent.theme_id for descent in descents}
    into = {theme: descent.theme_id for descent in descents for theme in descent.merged}
    gone = []
    for theme in before:
        if theme.theme_id in living:
            continue
        if not theme.faded:
            event = ThemeEvent(kind="faded", at=now, other=into.get(theme.theme_id))
            theme = theme.model_copy(update={"lineage": (*theme.lineage, event)})
        gone.append(theme)
    gone.sort(key=lambda theme: (theme.lineage[-1].at or now, theme.theme_id), reverse=True)
    return gone[:_FADED_KEPT]
