"""What several people say of one text, as one answer, and that answer laid over a machine's labels."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.label_values import MULTIPLE, POLARITIES
from store.human_labels import HumanLabel, LabelField
from store.records import Emotion, Intent, Labels, Priority, Sentiment, TopicLabel

HUMAN: Final = "+human:"


@dataclass(frozen=True)
class Gold:
    """One answer for one field of one text, and who gave it. `value` as in HumanLabel."""

    text_key: str
    field: LabelField
    value: str
    text: str
    sample: str
    annotators: tuple[str, ...]


def resolve(labels: Iterable[HumanLabel]) -> tuple[list[Gold], list[tuple[HumanLabel, ...]]]:
    """One answer a text and field, and those on which people are split evenly (which have none).

    The latest correction or adjudication rules; without one, what more than half of the annotators say.
    """
    groups: dict[tuple[str, LabelField], list[HumanLabel]] = defaultdict(list)
    for label in labels:
        groups[label.text_key, label.field].append(label)
    gold: list[Gold] = []
    split: list[tuple[HumanLabel, ...]] = []
    for _, group in sorted(groups.items()):
        value = _answer(group)
        if value is None:
            split.append(tuple(group))
            continue
        who = tuple(sorted(label.annotator for label in group if label.value == value))
        first = group[0]
        sample = next((label.sample for label in group if label.sample), "")
        gold.append(Gold(first.text_key, first.field, value, first.text, sample, who))
    return gold, split


def _answer(group: Sequence[HumanLabel]) -> str | None:
    ruling = [label for label in group if label.origin != "import"]
    if ruling:
        return max(ruling, key=lambda label: (label.labelled_at, label.annotator)).value
    value, votes = Counter(label.value for label in group).most_common(1)[0]
    return value if votes * 2 > len(group) else None


def values_of(value: str) -> tuple[str, ...]:
    """The parts of a value of several, a topic with its polarity if it says one."""
    return tuple(part for part in value.split("|") if part)


def topic_of(part: str) -> tuple[str, Sentiment | None]:
    """A topic path and its polarity, if the part says one: `service/attitude=negative`."""
    path, _, polarity = part.partition("=")
    return path, Sentiment(polarity) if polarity in POLARITIES else None


def paths_of(field: str, value: str) -> frozenset[str]:
    """The values without polarities; shape as `label_evaluation.given_values`."""
    if field not in MULTIPLE:
        return frozenset({value})
    return frozenset(topic_of(part)[0] for part in values_of(value))


def by_text(gold: Iterable[Gold]) -> dict[str, list[Gold]]:
    """Answers by text key."""
    found: dict[str, list[Gold]] = defaultdict(list)
    for one in gold:
        found[one.text_key].append(one)
    return found


def overlay(labels: Labels, gold: Sequence[Gold]) -> Labels:
    """A machine's labels with what people said put in their place; the labeller's name says who."""
    if not gold:
        return labels
    changes: dict[str, object] = {}
    for one in gold:
        changes |= _change(labels, one)
    who = ",".join(sorted({name for one in gold for name in one.annotators}))
    return labels.model_copy(update={**changes, "labeller": f"{machine(labels.labeller)}{HUMAN}{who}"})


def machine(labeller: str) -> str:
    """The machine's part of a labeller's name."""
    return labeller.partition(HUMAN)[0]


def _change(labels: Labels, gold: Gold) -> Mapping[str, object]:
    if gold.field == "sentiment":
        said = Sentiment(gold.value)
        return {"sentiment": said, "sentiment_confidence": 1.0, "abstained": False, "implied_sentiment": None}
    if gold.field == "topics":
        return {"topics": _topics(labels, gold.value)}
    if gold.field == "risk":
        return {"risk_signals": tuple(sorted(values_of(gold.value)))}
    kind = {"intent": Intent, "emotion": Emotion, "priority": Priority}[gold.field]
    return {gold.field: kind(gold.value)}


def _topics(labels: Labels, value: str) -> tuple[TopicLabel, ...]:
    """The topics a person named; a polarity they did not tell is the machine's, else the text's."""
    found = {topic.topic: topic.polarity for topic in labels.topics}
    topics = []
    for part in values_of(value):
        path, polarity = topic_of(part)
        topics.append(TopicLabel(topic=path, polarity=polarity or found.get(path, labels.sentiment)))
    return tuple(topics)
