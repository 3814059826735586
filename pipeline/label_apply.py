"""Labels of stored feedback by another labeller: what would change, and changing it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.classifier import Classifier
from pipeline.label_evaluation import given_values
from pipeline.label_gold import by_text, overlay, resolve
from store.clock import Clock
from store.facts import FactStore, Find, Selection
from store.human_labels import HumanLabels
from store.operations import OperationStore
from store.record import Record
from store.records import AuditEntry, LabelledFeedback, Labels

FIELDS: Final = ("sentiment", "topics", "intent", "emotion", "priority", "risk", "competitors", "compliance")
_EVERYTHING: Final = Selection()
_KEYS: Final = 1_000
_SHOWN: Final = 200
_TRANSITIONS: Final = 200
Progress = Callable[[int, int | None, str], None]


class LabelChange(Record):
    """One field of one item before and after, with its masked text."""

    feedback_id: str
    text: str
    field: str
    before: str
    after: str


class RelabelPreview(Record):
    """What a labeller would change in the store.

    Counts are of items, and every item counts, many of one text too. `fields`: items whose value of that
    field changes. `transitions`: how often which change; `+ path` and `- path` for what is many-valued,
    `path: negative -> positive` for a topic that stays.
    """

    labeller: str
    texts: int
    items: int
    already_current: int
    changed_items: int
    fields: dict[str, int]
    transitions: dict[str, dict[str, int]]
    sample: tuple[LabelChange, ...]


class RelabelReport(Record):
    """What was relabelled. `already_current` items carried this labeller's labels before."""

    labeller: str
    items: int
    already_current: int
    changed_items: int
    fields: dict[str, int]


@dataclass
class _Account:
    texts: int = 0
    items: int = 0
    current: int = 0
    changed: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    transitions: dict[str, Counter[str]] = field(default_factory=dict)
    sample: list[LabelChange] = field(default_factory=list)


def preview(
    facts: FactStore,
    human: HumanLabels,
    classifier: Classifier,
    *,
    selection: Selection = _EVERYTHING,
    sample: int = 20,
    texts: int | None = None,
    progress: Progress | None = None,
) -> RelabelPreview:
    """Say what would change, without writing: classify every stored text anew and compare.

    What people said of a text stays on top. `sample`: how many changes to show, of at most 200.
    `texts`: look at no more than this many distinct texts, spread evenly over their hashes (a random sample).
    """
    account = _Account()
    for batch in _batches(facts, human, classifier, selection, account, progress, "compare", texts):
        for item, after in batch:
            _compare(item, after, account, min(sample, _SHOWN))
    return RelabelPreview(
        labeller=classifier.name,
        texts=account.texts,
        items=account.items,
        already_current=account.current,
        changed_items=account.changed,
        fields=dict(account.fields),
        transitions={
            name: dict(counts.most_common(_TRANSITIONS)) for name, counts in account.transitions.items()
        },
        sample=tuple(account.sample),
    )


def apply(
    facts: FactStore,
    human: HumanLabels,
    operations: OperationStore,
    classifier: Classifier,
    clock: Clock,
    *,
    actor: str,
    reason: str,
    selection: Selection = _EVERYTHING,
    progress: Progress | None = None,
) -> RelabelReport:
    """Relabel the store, a thousand texts a transaction, and enter it in the audit chain at the end.

    A killed run is finished by running again: items that carry this labeller's name are passed over.
    """
    account = _Account()
    for batch in _batches(facts, human, classifier, selection, account, progress, "relabel"):
        for item, after in batch:
            _compare(item, after, account, 0)
        facts.replace_labels({item.feedback.feedback_id: after for item, after in batch})
    report = RelabelReport(
        labeller=classifier.name,
        items=account.items,
        already_current=account.current,
        changed_items=account.changed,
        fields=dict(account.fields),
    )
    if account.items > account.current:
        detail = {"reason": reason, "items": str(account.items), "changed": str(account.changed)}
        operations.audit(
            AuditEntry(
                occurred_at=clock.now(),
                actor=actor,
                action="labels.apply",
                subject=classifier.name,
                detail={**detail, **{name: str(count) for name, count in account.fields.items()}},
            )
        )
    return report


def put(facts: FactStore, human: HumanLabels, labels: Mapping[str, Labels]) -> int:
    """Show labels given to text keys on all items with these texts, human labels on top; return how many."""
    said = by_text(resolve(human.find(text_keys=list(labels)))[0])
    everyone = every_speaker(_EVERYTHING)
    chosen = Selection(filters={**everyone.filters, "text_key": tuple(labels)})
    count = sum(n for _, n in facts.text_keys(chosen)) if labels else 0
    items = facts.find(Find(everyone, text_keys=tuple(labels), order="id", limit=count)) if count else []
    fresh = {
        item.feedback.feedback_id: overlay(labels[item.text_key], said.get(item.text_key, []))
        for item in items
        if item.text_key is not None
    }
    facts.replace_labels(fresh)
    return len(fresh)


def shown(labels: Labels, name: str) -> frozenset[str]:
    """The values of a field for comparison; topics with their polarity."""
    if name == "topics":
        return frozenset(f"{one.topic}={one.polarity.value if one.polarity else ''}" for one in labels.topics)
    if name == "competitors":
        return frozenset(labels.competitors)
    if name == "compliance":
        return frozenset(labels.compliance_flags)
    return given_values(labels, name)


def _batches(
    facts: FactStore,
    human: HumanLabels,
    classifier: Classifier,
    selection: Selection,
    account: _Account,
    progress: Progress | None,
    stage: str,
    most: int | None = None,
) -> Iterator[list[tuple[LabelledFeedback, Labels]]]:
    """Items whose labels are not this labeller's, with the labels they would have, text by text."""
    tell = progress or (lambda done, total, stage: None)
    everyone = every_speaker(selection)
    counted = facts.text_keys(everyone)
    if most is not None and len(counted) > most:
        counted = [counted[at * len(counted) // most] for at in range(most)]
    for start in range(0, len(counted), _KEYS):
        part = counted[start : start + _KEYS]
        keys = tuple(key for key, _ in part)
        find = Find(everyone, text_keys=keys, order="id", limit=sum(n for _, n in part))
        items = facts.find(find)
        account.texts += len(part)
        account.items += len(items)
        yield _relabelled(items, human, classifier, account)
        tell(min(start + _KEYS, len(counted)), len(counted), stage)


def _relabelled(
    items: Sequence[LabelledFeedback], human: HumanLabels, classifier: Classifier, account: _Account
) -> list[tuple[LabelledFeedback, Labels]]:
    said = by_text(resolve(human.find(text_keys=[item.text_key for item in items if item.text_key]))[0])
    # What people may have said since is compared anew.
    stale = [
        item
        for item in items
        if item.labels is None or item.labels.labeller != classifier.name or item.text_key in said
    ]
    texts = list(dict.fromkeys(item.feedback.text for item in stale))
    labels = dict(zip(texts, classifier.classify(texts), strict=True)) if texts else {}
    pairs = [(item, overlay(labels[item.feedback.text], said.get(item.text_key or "", []))) for item in stale]
    fresh = [(item, after) for item, after in pairs if item.labels != after]
    account.current += len(items) - len(fresh)
    return fresh


def every_speaker(selection: Selection) -> Selection:
    """Agents' turns are labelled as well, and would be left out."""
    if "speaker" in {*selection.filters, *selection.exclude}:
        return selection
    anyone = {**selection.filters, "speaker": ("customer", "agent", None)}
    return Selection(selection.window, anyone, selection.exclude)


def _compare(item: LabelledFeedback, after: Labels, account: _Account, sample: int) -> None:
    changed = False
    for name in FIELDS:
        before_values = shown(item.labels, name) if item.labels else frozenset[str]()
        after_values = shown(after, name)
        if before_values == after_values:
            continue
        changed = True
        account.fields[name] += 1
        before, now = ("|".join(sorted(values)) for values in (before_values, after_values))
        counts = account.transitions.setdefault(name, Counter())
        if name in ("sentiment", "intent", "emotion", "priority"):
            counts[f"{before} -> {now}"] += 1
        elif name == "topics":
            counts.update(_topic_changes(item.labels, after))
        else:
            counts.update(f"- {value}" for value in before_values - after_values)
            counts.update(f"+ {value}" for value in after_values - before_values)
        if len(account.sample) < sample:
            feedback = item.feedback
            account.sample.append(
                LabelChange(
                    feedback_id=feedback.feedback_id, text=feedback.text, field=name, before=before, after=now
                )
            )
    # What only says who labelled is no change that a reader of the store would see.
    account.changed += changed


def _topic_changes(before: Labels | None, after: Labels) -> list[str]:
    had = {one.topic: one.polarity for one in before.topics} if before else {}
    has = {one.topic: one.polarity for one in after.topics}
    changes = [f"- {topic}" for topic in had if topic not in has]
    changes += [f"+ {topic}" for topic in has if topic not in had]
    both = [topic for topic in had if topic in has and had[topic] != has[topic]]
    return changes + [f"{topic}: {had[topic]} -> {has[topic]}" for topic in both]
