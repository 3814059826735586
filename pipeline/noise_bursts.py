"""Praise that was ordered: bursts of nearly the same words about one product, and texts copied by many."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.records import LabelledFeedback, Sentiment

# People who are pleased write 好评 and 很好 alike; nobody writes the same ten signs by chance.
LEAST_SIGNS: Final = 10
LEAST_ITEMS: Final = 5
WINDOW: Final = timedelta(hours=24)
# A text that comes all the time is a habit of the place, not a burst.
LEAST_SHARE: Final = 0.5
COPIED_BY: Final = 3


@dataclass(frozen=True)
class Burst:
    """Nearly the same praise, `n` times within a day, about one product or place."""

    about: str
    start: datetime
    end: datetime
    feedback_ids: tuple[str, ...]
    customers: int
    text: str

    @property
    def n(self) -> int:
        """How many items."""
        return len(self.feedback_ids)


def find_bursts(items: Iterable[LabelledFeedback]) -> list[Burst]:
    """Return suspected brushing (刷单), the largest burst first.

    A burst is at least 5 positive items of one group of near duplicates, of at least 10 signs each, about one
    product (else place, else source), within 24 hours, and at least half of all that this group ever said
    of it.
    """
    groups: dict[tuple[str, str], list[LabelledFeedback]] = defaultdict(list)
    for item in items:
        group = item.near_duplicate_of or item.text_key
        praised = item.labels is not None and item.labels.sentiment is Sentiment.POSITIVE
        if group and praised and item.feedback.occurred_at and len(item.feedback.text) >= LEAST_SIGNS:
            groups[(_about(item), group)].append(item)
    found = [burst for (about, _), group in groups.items() if (burst := _densest(about, group))]
    return sorted(found, key=lambda burst: (-burst.n, burst.start))


def find_copied(items: Sequence[LabelledFeedback]) -> dict[str, tuple[str, ...]]:
    """Return {text: feedback ids} of texts of at least 10 signs that 3 or more customers gave alike.

    Word for word, so that a bot or a template is behind it; items without a customer count as one each.
    """
    by_text: dict[str, list[LabelledFeedback]] = defaultdict(list)
    for item in items:
        if item.text_key and len(item.feedback.text) >= LEAST_SIGNS:
            by_text[item.text_key].append(item)
    found = {}
    for group in by_text.values():
        known = Counter(item.feedback.customer_id for item in group)
        givers = len(known.keys() - {None}) + known.get(None, 0)
        if givers >= COPIED_BY:
            found[group[0].feedback.text] = tuple(item.feedback.feedback_id for item in group)
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _about(item: LabelledFeedback) -> str:
    feedback = item.feedback
    return feedback.product or feedback.org_unit or feedback.source


def _densest(about: str, group: Sequence[LabelledFeedback]) -> Burst | None:
    """The window of a day that holds most of a group, if that makes a burst."""
    dated = sorted(
        ((item.feedback.occurred_at, item) for item in group if item.feedback.occurred_at),
        key=lambda pair: (pair[0], pair[1].feedback.feedback_id),
    )
    best = (0, 0)
    first = 0
    for last, (at, _) in enumerate(dated):
        while at - dated[first][0] > WINDOW:
            first += 1
        best = max(best, (last + 1 - first, -first))
    n, start = best[0], -best[1]
    if n < LEAST_ITEMS or n < LEAST_SHARE * len(dated):
        return None
    inside = [item for _, item in dated[start : start + n]]
    people = {item.feedback.customer_id or item.feedback.feedback_id for item in inside}
    return Burst(
        about=about,
        start=dated[start][0],
        end=dated[start + n - 1][0],
        feedback_ids=tuple(item.feedback.feedback_id for item in inside),
        customers=len(people),
        text=inside[0].feedback.text,
    )
