"""Human labels to a model: learnt, compared with what is in use on texts that it has not seen, kept."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.classifier import Classifier
from pipeline.label_adapted import AdaptedClassifier, abstentions, everything, spoken_as
from pipeline.label_comparison import Comparison, compare
from pipeline.label_evaluation import SentimentProbabilities, given_values
from pipeline.label_examples import Examples, anchors, examples, shipped_view
from pipeline.label_gold import Gold, paths_of, resolve
from pipeline.label_heads import HeadReport, learn_choice, learn_topics
from pipeline.label_linear import FOLDS, Floats, learn_space
from pipeline.label_models import LabelModel, ModelShelf
from pipeline.label_sentiment import LANGUAGES, SIDES, UNMEASURED, Adaptation, adapt
from pipeline.language import detect_language
from pipeline.lexicon import Lexicon
from pipeline.sentiment import SentimentModel
from pipeline.taxonomy import Taxonomy
from store.clock import Clock
from store.errors import InputError
from store.facts import FactStore, Selection
from store.human_labels import HumanLabels

MOST_TEXTS: Final = 20_000
TRAINED: Final = ("sentiment", "topics", "intent", "emotion", "priority")
# Answered texts are to be this right if that leaves four in five of them (see `_abstention`).
_GOAL: Final = 0.945
_LEAST_COVERAGE: Final = 0.82
_SAMPLED: Final = 2_000
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class TrainOptions:
    """`fields` to learn; `min_labels`: fewer labelled texts of a field (or language) than this are not
    learnt from; `min_topic`: a topic or intent that fewer texts have is left to the rules."""

    fields: tuple[str, ...] = TRAINED
    min_labels: int = 20
    min_topic: int = 20


@dataclass(frozen=True)
class Changes:
    """Of some stored texts, how many get another value under the new model, and some of them."""

    texts: int
    changed: Mapping[str, int]
    sample: tuple[Mapping[str, str], ...]


@dataclass
class TrainReport:
    """What was learnt. `worse`: fields in which the model in use is better on held-out texts.

    `labels`: texts with an answer, by field; `split`: texts on which people disagree, which have none.
    """

    model_id: str
    parent: str | None
    labels: dict[str, int]
    split: int
    too_few: list[str] = field(default_factory=list)
    learnt: dict[str, str] = field(default_factory=dict)
    sentiment: Comparison | None = None
    topics: list[HeadReport] = field(default_factory=list)
    choices: dict[str, HeadReport] = field(default_factory=dict)
    abstain_below: float = 0.0
    changes: Changes | None = None
    worse: list[str] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)
    promoted: bool = False
    refused: str = ""
    elapsed_ms: int = 0


class Present(Classifier, SentimentProbabilities, Protocol):
    """The classifier in use, of which the new model is to be better."""


class Trainer:
    """Learns from all human labels of a data folder. The same labels and texts give the same model."""

    def __init__(
        self,
        facts: FactStore,
        human: HumanLabels,
        shelf: ModelShelf,
        taxonomy: Taxonomy,
        lexicon: Lexicon,
        shipped: SentimentModel,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._human = human
        self._shelf = shelf
        self._taxonomy = taxonomy
        self._lexicon = lexicon
        self._shipped = shipped
        self._clock = clock

    def train(self, present: Present, options: TrainOptions, progress: Progress | None = None) -> TrainReport:
        """Learn, compare with `present` (the embedded classifier in use) and keep the model.

        Raises InputError where there is nothing to learn from. Nothing is promoted here.
        """
        began = time.perf_counter()
        tell = progress or (lambda done, total, stage: None)
        steps = len(options.fields) + 2
        gold, split = resolve(self._human.find())
        found = {name: examples([one for one in gold if one.field == name]) for name in options.fields}
        enough = {name: some for name, some in found.items() if len(some) >= max(1, options.min_labels)}
        report = TrainReport(
            "", self._shelf.promoted(), {n: len(some) for n, some in found.items()}, len(split)
        )
        report.too_few = [name for name in found if name not in enough]
        if not enough:
            raise _too_few(report, options)
        model = LabelModel()
        pool = self._pool()
        tell(1, steps, "texts")
        for done, (name, some) in enumerate(enough.items(), start=2):
            model = self._learn(model, name, some, pool, present, options, report)
            tell(done, steps, name)
        report.abstain_below = model.abstain_below
        report.model_id = self._shelf.save(model, self._manifest(model, enough, gold, report))
        report.changes = self._changes(pool, present, report.model_id, model)
        tell(steps, steps, "compare")
        report.elapsed_ms = round((time.perf_counter() - began) * 1000)
        return report

    def classifier(self, model_id: str, model: LabelModel) -> AdaptedClassifier:
        """The embedded classifier with a model."""
        return AdaptedClassifier(model_id, model, self._taxonomy, self._lexicon, self._shipped)

    def _learn(
        self,
        model: LabelModel,
        name: str,
        some: Examples,
        pool: Mapping[str, str],
        present: Present,
        options: TrainOptions,
        report: TrainReport,
    ) -> LabelModel:
        if name == "sentiment":
            return self._learn_sentiment(model, some, pool, present, options, report)
        said = self.classifier("m-rules", LabelModel()).classify(some.texts)
        if name == "topics":
            heads, report.topics = learn_topics(
                some.texts,
                some.languages,
                [paths_of("topics", value) for value in some.values],
                [given_values(one, "topics") for one in said],
                some.folds,
                options.min_topic,
            )
            report.learnt[name] = ", ".join(heads.names) if heads else "nothing: the lexicon stays"
            return replace(model, topics=heads)
        heads, one = learn_choice(
            some.texts,
            some.languages,
            some.values,
            [everything(labels) for labels in said],
            [min(given_values(labels, name)) for labels in said],
            some.folds,
            options.min_topic,
        )
        report.choices[name] = one
        report.learnt[name] = ", ".join(heads.names) if heads else "nothing: the rules stay"
        return replace(model, choices={**model.choices, name: heads}) if heads else model

    def _learn_sentiment(
        self,
        model: LabelModel,
        some: Examples,
        pool: Mapping[str, str],
        present: Present,
        options: TrainOptions,
        report: TrainReport,
    ) -> LabelModel:
        verdicts, evidence = shipped_view(some.texts, some.languages, self._lexicon, self._shipped)
        truth = np.array([SIDES.index(value) for value in some.values])
        held_out = verdicts.copy()
        learnt: dict[str, Adaptation] = {}
        told: dict[str, str] = {}
        for language in LANGUAGES:
            places = np.flatnonzero(_spoken_in(some.languages, language))
            if len(places) < max(1, options.min_labels):
                continue
            texts = [some.texts[at] for at in places.tolist()]
            others = [text for text in pool.values() if (detect_language(text) == "zh") == (language == "zh")]
            calm = anchors(language, self._lexicon, self._shipped)
            space = learn_space([*texts, *calm.texts], others, language == "zh")
            fitted = adapt(
                texts,
                [some.values[at] for at in places.tolist()],
                verdicts[places],
                evidence[places],
                some.folds[places],
                space,
                some.random[places],
                calm,
            )
            told[language] = fitted.chosen
            measured = fitted.chosen != UNMEASURED
            if measured and not _is_better(fitted.held_out, verdicts[places], truth[places]):
                told[language] = f"nothing: {fitted.chosen} is not clearly better on held-out texts"
                continue
            learnt[language] = fitted.adaptation
            held_out[places] = fitted.held_out
        report.learnt["sentiment"] = "; ".join(f"{language}: {what}" for language, what in told.items())
        if UNMEASURED in told.values():
            report.unmeasured.append("sentiment")
        spoken = np.isin([spoken_as(one) for one in some.languages], list(learnt))
        judged = spoken & (some.random if some.random.any() else True)
        threshold = _abstention(held_out[judged], truth[judged]) if judged.any() else 0.0
        after = replace(model, sentiment=learnt, abstain_below=threshold, keys=some.keys, held_out=held_out)
        before, old = self._present(some, present)
        report.sentiment = compare(
            before,
            held_out,
            truth,
            some.random,
            self._open(old, before, some),
            self._open(after, held_out, some),
        )
        if _accuracy(held_out, truth) < _accuracy(before, truth):
            report.worse.append("sentiment")
        return after

    def _open(self, model: LabelModel, probabilities: Floats, some: Examples) -> NDArray[np.bool_]:
        return abstentions(model, self._shipped, probabilities.max(axis=1), some.languages)

    def _present(self, some: Examples, present: Present) -> tuple[Floats, LabelModel]:
        """What the classifier in use says, of texts that it learnt from what it said before it had; and its
        model (an empty one where it is as shipped)."""
        probabilities: Floats = np.concatenate(
            [
                present.sentiment_probabilities(some.texts[start : start + _SAMPLED])
                for start in range(0, len(some), _SAMPLED)
            ]
        )
        promoted = self._shelf.promoted()
        if promoted is None:
            return probabilities, LabelModel()
        model = self._shelf.load(promoted)
        place = {key: at for at, key in enumerate(model.keys)}
        for at, key in enumerate(some.keys):
            if key in place:
                probabilities[at] = model.held_out[place[key]]
        return probabilities, model

    def _pool(self) -> dict[str, str]:
        """Up to 20,000 stored texts, by hash of their keys, labelled or not."""
        keys = [key for key, _ in self._facts.text_keys(Selection())]
        drawn = sorted(keys, key=lambda key: hashlib.blake2b(key.encode(), digest_size=8).digest())[
            :MOST_TEXTS
        ]
        texts: dict[str, str] = {}
        for start in range(0, len(drawn), 5_000):
            texts |= self._facts.texts(drawn[start : start + 5_000])
        return {key: texts[key] for key in drawn if key in texts}

    def _changes(
        self, pool: Mapping[str, str], present: Present, model_id: str, model: LabelModel
    ) -> Changes:
        texts = list(pool.values())[:_SAMPLED]
        counts: dict[str, int] = {}
        sample: list[Mapping[str, str]] = []
        pairs = zip(
            texts, present.classify(texts), self.classifier(model_id, model).classify(texts), strict=True
        )
        for text, before, after in pairs:
            for name in (*TRAINED, "risk"):
                old, new = given_values(before, name), given_values(after, name)
                if old == new:
                    continue
                counts[name] = counts.get(name, 0) + 1
                if name in ("sentiment", "topics", "intent") and len(sample) < 20:
                    change = {"before": "|".join(sorted(old)), "after": "|".join(sorted(new))}
                    sample.append({"text": text[:200], "field": name, **change})
        return Changes(len(texts), counts, tuple(sample))

    def _manifest(
        self, model: LabelModel, some: Mapping[str, Examples], gold: Sequence[Gold], report: TrainReport
    ) -> dict[str, Any]:
        data = {name: one.fingerprint() for name, one in some.items()}
        figures = json.loads(
            _json({"sentiment": report.sentiment, "topics": report.topics, **report.choices})
        )
        return {
            "created_at": self._clock.now().isoformat(),
            "parent": report.parent,
            "data": data,
            "labels": {name: len(one) for name, one in some.items()},
            "annotators": len({name for one in gold for name in one.annotators}),
            "shipped": self._shipped.fingerprint,
            "taxonomy": self._taxonomy.fingerprint,
            "lexicon": self._lexicon.fingerprint,
            "folds": FOLDS,
            "learnt": report.learnt,
            "abstain_below": model.abstain_below,
            "worse": report.worse,
            "unmeasured": report.unmeasured,
            "figures": figures,
        }


def _abstention(probabilities: Floats, truth: NDArray[np.int64]) -> float:
    """The least confidence at which answered held-out texts are right often enough, or, where that would
    leave too many open, the one that leaves just not too many open; 0 where all are right often enough."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(accuracy >= _GOAL)
    answered = max(int(good[-1]) + 1 if len(good) else 0, int(np.ceil(_LEAST_COVERAGE * len(order))))
    return 0.0 if answered >= len(order) else round(float(confidence[order[answered - 1]]), 4)


def _is_better(after: Floats, before: Floats, truth: NDArray[np.int64]) -> bool:
    """Whether what is said is likelier true by more than one standard error of the mean log loss, and no
    fewer are right: with few labels much of what looks better is chance."""
    rows = np.arange(len(truth))
    gain = np.log(np.maximum(after[rows, truth], 1e-6)) - np.log(np.maximum(before[rows, truth], 1e-6))
    clear = gain.mean() > gain.std() / np.sqrt(len(gain))
    return bool(clear) and _accuracy(after, truth) >= _accuracy(before, truth)


def _accuracy(probabilities: Floats, truth: NDArray[np.int64]) -> float:
    return float((probabilities.argmax(axis=1) == truth).mean())


def _spoken_in(languages: Sequence[str], language: str) -> NDArray[np.bool_]:
    return np.array([(told == "zh") == (language == "zh") for told in languages], dtype=bool)


def _json(value: object) -> bytes:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _too_few(report: TrainReport, options: TrainOptions) -> InputError:
    counts = ", ".join(f"{name} {count}" for name, count in report.labels.items() if count) or "none"
    return InputError(
        f"too few human labels to learn from (texts: {counts}; needed: {options.min_labels})",
        hint="voiceloop label export, label import and label correct bring labels in; each holds for its own "
        "text at once. --min-labels 1 learns from what there is, unmeasured",
    )
