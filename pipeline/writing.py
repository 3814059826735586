"""Feedback drafts to stored feedback, a chunk at a time: mask, tell the language, label, group, write."""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipeline.classifier import Classifier
from pipeline.language import detect_language
from pipeline.near_duplicates import MOST_HELD, NearDuplicates
from pipeline.rows import Draft
from store.facts import FactStore, Selection
from store.identity import text_key
from store.records import Feedback, LabelledFeedback, Labels

SEEDED_ITEMS = 20_000
Mask = Callable[[Sequence[str]], list[str]]


class Scoped(NamedTuple):
    """Values of one item; `scope` is its conversation, or the item itself where it has none."""

    scope: str
    values: tuple[str, ...]
    conversation: tuple[str, str] | None


# Each item's values to masked values, the same thing under the same pseudonym within a scope.
ScopedMask = Callable[[Sequence[Scoped]], list[dict[str, str]]]


class Written(NamedTuple):
    """How many rows of a chunk were new, how many known already, and how many of the new nearly repeat.

    `new` are the ids of the new ones.
    """

    stored: int
    duplicates: int
    near_duplicates: int
    new: frozenset[str] = frozenset()


class FeedbackWriter:
    """Takes chunks of drafts through masking, labelling and grouping into the fact store.

    Each distinct text of a chunk is masked and labelled once. A chunk is one transaction. Near duplicates are
    sought among the texts of this writer, the latest `held` of them, and those of a store of up to 20,000
    items. Several threads may share a writer.
    """

    def __init__(
        self,
        facts: FactStore,
        classifier: Classifier,
        mask: Mask,
        pseudonyms: ScopedMask | None = None,
        *,
        held: int = MOST_HELD,
    ) -> None:
        self._facts = facts
        self._classifier = classifier
        self._mask = mask
        self._pseudonyms = pseudonyms
        self._held = held
        self._near: NearDuplicates | None = None
        self._grouping = threading.Lock()

    def write(self, drafts: Sequence[Draft], batch_id: str) -> Written:
        """Store a chunk; rows whose id is known (in the store or the chunk) are duplicates."""
        fresh = self.fresh(drafts)
        items = self._items(fresh, batch_id)
        new = self._facts.add_feedback(items)
        near = sum(i.near_duplicate_of is not None for i in items if i.feedback.feedback_id in new)
        return Written(len(new), len(drafts) - len(new), near, new)

    def fresh(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts whose ids are not stored, the first of each id."""
        firsts: dict[str, Draft] = {}
        for draft in drafts:
            firsts.setdefault(draft.fields["feedback_id"], draft)
        known = self._facts.existing_ids(list(firsts))
        return [draft for feedback_id, draft in firsts.items() if feedback_id not in known]

    def _items(self, drafts: Sequence[Draft], batch_id: str) -> list[LabelledFeedback]:
        masked = self._masked(drafts)
        texts = [own[draft.text] for draft, own in zip(drafts, masked, strict=True)]
        keys = {text: text_key(text) for text in dict.fromkeys(texts) if text}
        labels = self._labels(list(keys))
        spoken = {
            keys[text]: text
            for text, draft in zip(texts, drafts, strict=True)
            if text and draft.fields.get("speaker") != "agent"
        }
        groups = self._groups(spoken)
        return [
            LabelledFeedback(
                feedback=_feedback(draft, text, own),
                labels=labels.get(text),
                text_key=keys.get(text),
                near_duplicate_of=groups.get(keys.get(text, "")),
                batch_id=batch_id,
            )
            for draft, text, own in zip(drafts, texts, masked, strict=True)
        ]

    def _groups(self, spoken: dict[str, str]) -> dict[str, str]:
        with self._grouping:
            if self._near is None:
                self._near = NearDuplicates(self._held)
                # Comparing with what is stored is worth it while that takes a second or so.
                if 0 < self._facts.count(Selection()) <= SEEDED_ITEMS:
                    self._near.group(self._facts.texts())
            return self._near.group(spoken)

    def _masked(self, drafts: Sequence[Draft]) -> list[dict[str, str]]:
        """The masked form of each value of each draft that may hold anything."""
        if self._pseudonyms is not None:
            return self._pseudonyms([_scoped(draft) for draft in drafts])
        values = dict.fromkeys(draft.text for draft in drafts)
        for draft in drafts:
            values.update(dict.fromkeys(draft.attributes[name] for name in draft.free))
        masked = dict(zip(values, self._mask(list(values)), strict=True))
        return [masked] * len(drafts)

    def _labels(self, texts: list[str]) -> dict[str, Labels]:
        return dict(zip(texts, self._classifier.classify(texts), strict=True)) if texts else {}


def _scoped(draft: Draft) -> Scoped:
    values = (draft.text, *(draft.attributes[name] for name in draft.free))
    conversation = draft.fields.get("conversation_id")
    source = draft.fields["source"]
    if conversation is None:
        return Scoped(item_scope(draft.fields["feedback_id"]), values, None)
    return Scoped(conversation_scope(source, conversation), values, (source, conversation))


def item_scope(feedback_id: str) -> str:
    """The scope of pseudonyms of an item without a conversation."""
    return f"item\x1f{feedback_id}"


def conversation_scope(source: str, conversation_id: str) -> str:
    """The scope of pseudonyms of a conversation; ids of two sources may coincide."""
    return f"conversation\x1f{source}\x1f{conversation_id}"


def _feedback(draft: Draft, text: str, masked: dict[str, str]) -> Feedback:
    attributes = {
        name: masked[value] if name in draft.free else value for name, value in draft.attributes.items()
    }
    return Feedback(
        **draft.fields,
        text=text,
        language=detect_language(text),
        metrics=draft.metrics,
        attributes=attributes,
    )
