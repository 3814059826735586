"""Embedded first: what it leaves open, or what is grave, goes to a label server; answers are kept."""

import hashlib
import math
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pipeline.cascade_report import CascadeReport, Tally
from pipeline.classifier import Classifier
from pipeline.vllm_classifier import VllmClassifier
from pipeline.vllm_labeller import Outcome
from store.clock import Clock
from store.errors import NotLabelled
from store.identity import text_key
from store.label_cache import CachedLabels, LabelCache, QueuedText
from store.records import Labels, Priority

_VERSION: Final = "cascade-1"
# Answers are written this often, so that a killed run has little to ask again.
KEEP_EVERY: Final = 64
KEEP_SECONDS: Final = 2.0
_DETAIL: Final = 500


class _Candidate(NamedTuple):
    """A text worth asking about: its key, the places it stands at, why, and how little is known of it."""

    key: str
    places: list[int]
    why: str
    rank: tuple[int, float]


class CascadeClassifier:
    """A Classifier of two: `first` labels everything, `second` what `first` abstains on or finds grave.

    At most `share` of all texts go to the second, grave ones before doubtful ones. A text over the share
    keeps its first labels, and that is kept too: labels of an unchanged text do not change with the batch it
    stands in. A text that the second cannot label gets its first labels, marked abstained, and is queued with
    the reason; the next run asks again. Labels carry the name of whoever made them, not that of the cascade;
    where the second decides only some fields, of both. Calls from several threads are served one by one.
    """

    def __init__(
        self,
        first: Classifier,
        second: VllmClassifier,
        cache: LabelCache,
        clock: Clock,
        *,
        share: float = 0.2,
    ) -> None:
        self._first = first
        self._second = second
        self._cache = cache
        self._clock = clock
        self._share = share
        told = hashlib.sha256(f"{first.name}/{second.name}/{share}".encode()).hexdigest()[:12]
        self._name = f"{_VERSION}+{told}"
        self._turn = threading.Lock()
        self._seen = self._escalated = 0
        self._tally = Tally()

    @property
    def name(self) -> str:
        """Version and the fingerprint of both classifiers and the share."""
        return self._name

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order. The label server being away is no error."""
        with self._turn:
            began = time.monotonic()
            labels = self._first.classify(texts)
            self._tally.n += len(texts)
            candidates = _candidates(texts, labels)
            if candidates:
                self._escalate(texts, labels, candidates)
            self._seen += len(texts)
            self._tally.seconds += time.monotonic() - began
            return labels

    def take_report(self) -> CascadeReport:
        """What was escalated since the last report, why, at what cost, and what it changed."""
        with self._turn:
            report, self._tally = self._tally.report(self._second.name), Tally()
            return report

    def retry(self, *, limit: int | None = None) -> dict[str, Labels]:
        """Ask again about what is queued, whatever labeller it was queued for; return labels by text key.

        What gets labels is off the queue and kept; what does not waits on under the labeller of now.
        """
        with self._turn:
            waiting = {one.text_key: one for one in self._cache.queued(limit=limit)}
            texts = [one.text for one in waiting.values()]
            firsts = dict(zip(waiting, self._first.classify(texts) if texts else [], strict=True))
            found = self._ask([(key, one.text) for key, one in waiting.items()])
            for key, one in waiting.items():
                if one.labeller != self._second.name:
                    self._cache.dismiss(one.labeller, [key])
            return {key: self._merged(firsts[key], one.labels) for key, one in found.items()}

    def _escalate(self, texts: Sequence[str], labels: list[Labels], candidates: list[_Candidate]) -> None:
        keys = [one.key for one in candidates]
        known = self._cache.find(self._second.name, keys)
        held = self._cache.find(self._name, [key for key in keys if key not in known])
        self._tally.candidates += sum(len(one.places) for one in candidates)
        self._tally.cached += sum(len(one.places) for one in candidates if one.key in known)
        open_ = [one for one in candidates if one.key not in known and one.key not in held]
        # Places, not distinct texts: the share is one of feedback.
        used = sum(len(one.places) for one in candidates if one.key in known)
        asked, over = self._within_share(open_, used, len(texts))
        self._tally.held_back += sum(len(one.places) for one in candidates if one.key in held)
        self._tally.held_back += sum(len(one.places) for one in over)
        self._cache.keep(self._name, {one.key: CachedLabels(labels[one.places[0]]) for one in over})
        self._tally.escalated += sum(len(one.places) for one in asked)
        self._tally.reasons.update(_places_by_reason(asked))
        found = self._ask([(one.key, texts[one.places[0]]) for one in asked])
        for one in asked:
            if one.key not in found:
                for place in one.places:
                    labels[place] = labels[place].model_copy(update={"abstained": True})
        for one in candidates:
            second = found.get(one.key) or known.get(one.key)
            if second is not None:
                for place in one.places:
                    merged = self._merged(labels[place], second.labels)
                    self._tally.compare(labels[place], merged)
                    labels[place] = merged

    def _within_share(
        self, candidates: list[_Candidate], used: int, new: int
    ) -> tuple[list[_Candidate], list[_Candidate]]:
        """Those that may be asked about, the gravest first, and those over the share."""
        self._escalated += used
        room = math.ceil(self._share * (self._seen + new)) - self._escalated
        asked: list[_Candidate] = []
        over: list[_Candidate] = []
        for one in sorted(candidates, key=lambda one: (one.rank, one.key)):
            (asked if room > 0 else over).append(one)
            room -= len(one.places)
        self._escalated += sum(len(one.places) for one in asked)
        return asked, over

    def _ask(self, wanted: Sequence[tuple[str, str]]) -> dict[str, CachedLabels]:
        """Labels from the second for (key, text), kept as they arrive; the others are queued."""
        found: dict[str, CachedLabels] = {}
        kept: dict[str, CachedLabels] = {}
        failed: list[QueuedText] = []
        saved_at = time.monotonic()
        try:
            for outcomes, cost in self._second.outcomes([text for _, text in wanted]):
                self._tally.cost = self._tally.cost.plus(cost)
                for at, outcome in outcomes.items():
                    key, text = wanted[at]
                    if outcome.labels is not None:
                        kept[key] = CachedLabels(outcome.labels, outcome.truncated)
                        self._tally.truncated += outcome.truncated
                    else:
                        failed.append(self._queued(key, text, outcome))
                if len(kept) + len(failed) >= KEEP_EVERY or time.monotonic() - saved_at > KEEP_SECONDS:
                    self._save(found, kept, failed)
                    saved_at = time.monotonic()
        finally:
            self._save(found, kept, failed)
        return found

    def _save(
        self, found: dict[str, CachedLabels], kept: dict[str, CachedLabels], failed: list[QueuedText]
    ) -> None:
        self._cache.keep(self._second.name, kept)
        self._cache.queue(failed)
        found.update(kept)
        self._tally.failures.update(one.reason for one in failed)
        kept.clear()
        failed.clear()

    def _queued(self, key: str, text: str, outcome: Outcome) -> QueuedText:
        failure = outcome.failure or NotLabelled("invalid_output", "no labels and no reason")
        self._tally.trouble, self._tally.hint = failure.message, failure.hint
        now = self._clock.now()
        return QueuedText(
            text_key=key,
            labeller=self._second.name,
            text=text,
            reason=failure.reason,
            detail=failure.message[:_DETAIL],
            first_at=now,
            last_at=now,
        )

    def _merged(self, first: Labels, second: Labels) -> Labels:
        fields = self._second.fields
        if fields >= _ALL:
            return second
        decided = {field: getattr(second, field) for field in fields}
        return first.model_copy(update={**decided, "labeller": f"{second.labeller}&{first.labeller}"})


_ALL: Final = frozenset(Labels.model_fields) - {"labeller"}


def _candidates(texts: Sequence[str], labels: Sequence[Labels]) -> list[_Candidate]:
    """Distinct texts that are worth asking about, in order of their first place."""
    found: dict[str, _Candidate] = {}
    for place, (text, one) in enumerate(zip(texts, labels, strict=True)):
        why = reason_to_ask(one)
        if why is None or not text or text.isspace():
            continue
        key = text_key(text)
        if key in found:
            found[key].places.append(place)
        else:
            found[key] = _Candidate(key, [place], why, (why == "abstained", one.sentiment_confidence))
    return list(found.values())


def reason_to_ask(labels: Labels) -> str | None:
    """Why labels are worth a second opinion: what they are about is grave, or they are uncertain."""
    if labels.priority is Priority.URGENT:
        return "urgent"
    if labels.risk_signals:
        return "risk"
    if labels.compliance_flags:
        return "compliance"
    return "abstained" if labels.abstained else None


def _places_by_reason(candidates: Sequence[_Candidate]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for one in candidates:
        counts[one.why] += len(one.places)
    return counts
