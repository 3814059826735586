"""A wrong label put right by a person: kept, in effect at once, and learnt from at the next training."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.classifier import Classifier
from pipeline.label_apply import shown
from pipeline.label_gold import Gold, by_text, overlay, resolve, topic_of
from pipeline.label_values import (
    LEFT_OUT,
    NOTHING,
    LabelBook,
    field_of,
    is_nothing,
    label_book,
    polarity_book,
    split_cell,
)
from pipeline.taxonomy import Taxonomy
from store.clock import Clock
from store.errors import ToolInputError
from store.facts import FactStore, Find, Selection
from store.human_labels import HumanLabel, HumanLabels
from store.identity import text_key
from store.operations import OperationStore
from store.records import AuditEntry, Labels


class Corrected(NamedTuple):
    """What was changed: the field before and after, and the items that carry the text."""

    feedback_id: str
    field: str
    before: str
    after: str
    items: int
    labels: Labels


class CorrectedClassifier:
    """A classifier that says of a text what people said of it."""

    def __init__(self, base: Classifier, human: HumanLabels) -> None:
        self._base = base
        self._human = human

    @property
    def name(self) -> str:
        """The name of the classifier beneath; labels that people changed say so themselves."""
        return self._base.name

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order."""
        keys = [text_key(text) for text in texts]
        said = by_text(resolve(self._human.find(text_keys=keys))[0])
        labels = self._base.classify(texts)
        return [overlay(one, said.get(key, [])) for key, one in zip(keys, labels, strict=True)]


def correct_label(
    feedback_id: str,
    *,
    field: str,
    value: str,
    by: str,
    facts: FactStore,
    human: HumanLabels,
    operations: OperationStore,
    taxonomy: Taxonomy,
    clock: Clock,
) -> Corrected:
    """Store a correction and show it at once on every item with this text.

    `value` may be any name of a label (see label_values.yaml), several for topics and risk. Raises
    ToolInputError for an unknown item, field or value, and for an item without a text.
    """
    found = facts.find(Find(feedback_ids=(feedback_id,), limit=1))
    if not found:
        raise ToolInputError(f"there is no feedback {feedback_id!r}", hint="search_feedback gives the ids")
    item = found[0]
    if item.text_key is None or item.labels is None:
        raise ToolInputError(f"feedback {feedback_id!r} has no text, hence no labels")
    known = field_of(field)
    label = HumanLabel.model_validate(
        {
            "text_key": item.text_key,
            "field": known,
            "annotator": by,
            "value": canonical_value(label_book(known, taxonomy), value),
            "text": item.feedback.text,
            "origin": "correction",
            "feedback_id": feedback_id,
            "labelled_at": clock.now(),
        }
    )
    human.save([label])
    gold = resolve(human.find(text_keys=[item.text_key]))[0]
    labels = _show(item.text_key, gold, facts)
    before, after = _value(item.labels, known), _value(labels[feedback_id], known)
    operations.audit(
        AuditEntry(
            occurred_at=label.labelled_at,
            actor=by,
            action="labels.correct",
            subject=feedback_id,
            detail={"field": known, "before": before, "after": after, "text_key": item.text_key},
        )
    )
    return Corrected(feedback_id, known, before, after, len(labels), labels[feedback_id])


def canonical_value(book: LabelBook, raw: object) -> str:
    """A person's value as it is stored. ToolInputError that lists the known ones for what is not known."""
    if not book.multiple:
        return _known(book, str(raw))
    if is_nothing(raw):
        return NOTHING
    values = set()
    for part in split_cell(raw):
        name, mark, polarity = part.replace(":", "=").replace("：", "=").partition("=")
        path = _known(book, name)
        if book.field == "topics" and "/" not in path:
            raise ToolInputError(
                f"{path!r} is a branch of topics, not a topic",
                hint="known: " + ", ".join(one for one in book.shown if one.startswith(f"{path}/")),
            )
        if mark and book.field == "topics":
            path = f"{path}={_known(polarity_book(), polarity)}"
        values.add(path)
    if len({topic_of(one)[0] for one in values}) < len(values):
        raise ToolInputError(f"{raw!r} names a topic twice with different polarities")
    return "|".join(sorted(values))


def _known(book: LabelBook, raw: str) -> str:
    value = book.value(raw)
    if value is None or value == LEFT_OUT:
        raise ToolInputError(f"{book.field} has no value {raw.strip()!r}", hint=f"known: {book.known()}")
    return value


def _show(key: str, gold: Sequence[Gold], facts: FactStore) -> dict[str, Labels]:
    """Lay the answers over the labels of all items with this text; labels by feedback id."""
    anyone = {"speaker": ("customer", "agent", None)}
    everyone = Selection(filters=anyone)
    count = dict(facts.text_keys(Selection(filters={**anyone, "text_key": (key,)}))).get(key, 1)
    items = facts.find(Find(everyone, text_keys=(key,), limit=count))
    labels = {
        item.feedback.feedback_id: overlay(item.labels, gold) for item in items if item.labels is not None
    }
    facts.replace_labels(labels)
    return labels


def _value(labels: Labels, field: str) -> str:
    return "|".join(sorted(shown(labels, field)))
