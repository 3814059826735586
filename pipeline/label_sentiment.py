"""The shipped sentiment, adapted to a user's domain by human labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.features import BUCKETS
from pipeline.label_linear import (
    Floats,
    Places,
    Space,
    cross_margins,
    fit,
    gram_sums,
    grams_of,
    log_loss,
    scaling,
    sigmoid,
)

SIDES: Final = ("negative", "neutral", "positive")
LANGUAGES: Final = ("zh", "en")
# What is said of a model whose labels are too few to hold any out.
UNMEASURED: Final = "unmeasured"
# Below this the opinion stage's probabilities are not scaled: that needs examples of both sides.
_LEAST_NEUTRAL: Final = 20
# The anchors weigh as much as this share of the labels, all in all, and are learnt well: few opinions
# become neutral by them, and most questions stay so (measured in evals/labels_adaptation.py).
_ANCHOR_SHARE: Final = 0.005
_ANCHOR_PENALTY: Final = 100.0
_PENALTIES: Final = (0.3, 1.0, 3.0, 10.0)
# The shipped model's own inputs are on a larger scale than n-grams.
_EVIDENCE_SCALE: Final = 0.3
# A richer model must be better by this much log loss a text; else the simpler one is kept.
_WORTH: Final = 0.002
_TINY: Final = 1e-6


@dataclass(frozen=True)
class Stage:
    """A linear correction of an offset, then made a probability: sigmoid(slope (offset + ...) + shift)."""

    grams: NDArray[np.float32]
    evidence: Floats
    slope: float = 1.0
    shift: float = 0.0

    def margins(self, sums: Floats, offset: Floats, evidence: Floats) -> Floats:
        """Log odds; all (n,) but `evidence` (n, d)."""
        return self.slope * (offset + sums + evidence @ self.evidence) + self.shift


@dataclass(frozen=True)
class Adaptation:
    """One language: which side, and whether there is an opinion at all (`neutral`: log odds of none)."""

    polarity: Stage
    neutral: Stage


class Judge:
    """What adapts: anything with the interface of the shipped model (`EmbeddedClassifier` takes both)."""

    def __init__(self, base: Any, languages: dict[str, Adaptation], fingerprint: str) -> None:
        self._base = base
        self._languages = languages
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the shipped weights and of the adaptation."""
        return f"{self._base.fingerprint}/{self._fingerprint}"

    def judge(self, texts: Sequence[str], languages: Sequence[str], evidence: Floats) -> Floats:
        """Probabilities of negative, neutral, positive; shape (n, 3). See SentimentModel.judge."""
        verdicts: Floats = np.array(self._base.judge(texts, languages, evidence))
        chinese = np.fromiter((told == "zh" for told in languages), np.bool_, len(languages))
        spoken = np.fromiter((bool(text.strip()) for text in texts), np.bool_, len(texts))
        for language, chosen in (("zh", chinese), ("en", ~chinese)):
            places = np.flatnonzero(chosen & spoken)
            if language in self._languages and len(places):
                verdicts[places] = self._adapted(
                    language, [texts[at] for at in places.tolist()], verdicts[places], evidence[places]
                )
        return verdicts

    def _adapted(self, language: str, texts: Sequence[str], before: Floats, evidence: Floats) -> Floats:
        adaptation = self._languages[language]
        grams = grams_of(texts, language == "zh")
        lean, calm, inputs = offsets(before, evidence)
        share = sigmoid(
            adaptation.polarity.margins(gram_sums(grams, adaptation.polarity.grams), lean, inputs)
        )
        none = sigmoid(adaptation.neutral.margins(gram_sums(grams, adaptation.neutral.grams), calm, inputs))
        return together(share, none)


def offsets(verdicts: Floats, evidence: Floats) -> tuple[Floats, Floats, Floats]:
    """Log odds of praise against complaint, of no opinion, and the inputs beside n-grams, from a verdict."""
    bounded = np.clip(verdicts, _TINY, 1.0)
    lean = np.log(bounded[:, 2]) - np.log(bounded[:, 0])
    calm = np.log(bounded[:, 1]) - np.log(np.clip(1 - verdicts[:, 1], _TINY, 1.0))
    columns = (lean, np.abs(lean), calm, evidence)
    inputs = np.column_stack(columns) * _EVIDENCE_SCALE
    return lean, calm, np.column_stack((inputs, np.ones(len(lean))))


def together(share: Floats, none: Floats) -> Floats:
    """Probabilities of negative, neutral, positive from the share of praise and the odds of no opinion."""
    held = 1 - none
    return np.column_stack((held * (1 - share), none, held * share))


@dataclass(frozen=True)
class Anchors:
    """Texts without an opinion in any trade, and what the shipped model says of them."""

    texts: tuple[str, ...]
    verdicts: Floats
    evidence: Floats


@dataclass(frozen=True)
class Fitted:
    """An adaptation and what it says of each labelled text when that text was held out; (n, 3)."""

    adaptation: Adaptation
    held_out: Floats
    chosen: str


def adapt(
    texts: Sequence[str],
    truth: Sequence[str],
    verdicts: Floats,
    evidence: Floats,
    folds: NDArray[np.int64],
    space: Space,
    calibrating: NDArray[np.bool_],
    anchors: Anchors,
) -> Fitted:
    """Adapt one language. `verdicts` (n, 3) and `evidence` (n, d) are the shipped model's on these texts.

    `folds` (n,) tells which texts are held out together. `calibrating` (n,): texts drawn at random, if they
    are enough to calibrate on. How much to learn is chosen by held-out log loss; what is not better than
    staying with the shipped model by a margin is not learnt.
    """
    lean, _, inputs = offsets(verdicts, evidence)
    matrix = space.inputs(texts)
    sides = np.array([SIDES.index(one) for one in truth])
    opinion = sides != 1
    polar = _Problem(
        matrix[opinion], inputs[opinion], lean[opinion], (sides[opinion] == 2) * 1.0, folds[opinion]
    )
    polarity, margins, chosen = _choose(polar, space, calibrating[opinion])
    share = np.zeros(len(texts))
    share[opinion] = sigmoid(margins)
    if not opinion.all():
        sums = matrix[~opinion] @ _unfolded(polarity, space)
        share[~opinion] = sigmoid(polarity.margins(sums, lean[~opinion], inputs[~opinion]))
    neutral, none = _opinions(texts, verdicts, evidence, sides, folds, space, calibrating, anchors)
    return Fitted(Adaptation(polarity, neutral), together(share, none), chosen)


@dataclass(frozen=True)
class _Problem:
    matrix: Any
    inputs: Floats
    offset: Floats
    truth: Floats
    folds: NDArray[np.int64]

    def both_sides(self) -> bool:
        """Whether every fold leaves examples of both sides to learn from."""
        rest = [self.truth[self.folds != fold] for fold in np.unique(self.folds)]
        return len(rest) > 1 and all(0 < part.sum() < len(part) for part in rest)


def _choose(problem: _Problem, space: Space, calibrating: NDArray[np.bool_]) -> tuple[Stage, Floats, str]:
    """The stage, the held-out margins, and what was chosen."""
    nothing = Stage(np.zeros(BUCKETS, np.float32), np.zeros(problem.inputs.shape[1]))
    if not len(problem.truth):
        return nothing, np.zeros(0), "no example"
    if not problem.both_sides():
        # Too few to hold any out: learn carefully, and claim nothing.
        stage = _stage(problem, space, _PENALTIES[1])
        return stage, problem.offset, UNMEASURED
    from scipy.sparse import csr_matrix, hstack

    best = (log_loss(problem.offset, problem.truth), problem.offset, 0.0, "as shipped")
    evidence = csr_matrix(problem.inputs)
    whole = hstack([problem.matrix, evidence]).tocsr()
    tried = [("evidence", evidence, 1.0), *(("n-grams", whole, penalty) for penalty in _PENALTIES)]
    for name, inputs, penalty in tried:
        margins = cross_margins(_fitting(inputs, problem, penalty), problem.folds)
        loss = log_loss(margins, problem.truth)
        if loss < best[0] - (_WORTH if name != best[3] else 0.0):
            best = (loss, margins, penalty, name)
    _, margins, penalty, name = best
    used = calibrating if calibrating.any() else np.ones(len(margins), dtype=bool)
    slope, shift = scaling(margins[used], problem.truth[used])
    stage = (
        nothing if name == "as shipped" else _stage(problem, space, penalty, only_evidence=name == "evidence")
    )
    scaled = Stage(stage.grams, stage.evidence, slope, shift)
    return scaled, slope * margins + shift, f"{name}, penalty {penalty:g}" if penalty else name


def _fitting(inputs: Any, problem: _Problem, penalty: float) -> Any:
    def fitted(places: Places) -> Any:
        weights = fit(inputs[places], problem.truth[places], problem.offset[places], penalty)
        return lambda held: problem.offset[held] + inputs[held] @ weights

    return fitted


def _stage(problem: _Problem, space: Space, penalty: float, *, only_evidence: bool = False) -> Stage:
    from scipy.sparse import csr_matrix, hstack

    evidence = csr_matrix(problem.inputs)
    inputs = evidence if only_evidence else hstack([problem.matrix, evidence]).tocsr()
    weights = fit(inputs, problem.truth, problem.offset, penalty)
    count = inputs.shape[1] - problem.inputs.shape[1]
    grams = space.folded(weights[:count]) if count else np.zeros(BUCKETS, np.float32)
    return Stage(grams, weights[count:])


def _unfolded(stage: Stage, space: Space) -> Floats:
    """Weights of `space.inputs` that give what the folded stage gives."""
    return np.concatenate(
        (stage.grams[space.buckets].astype(np.float64), np.zeros(space.directions.shape[1]))
    )


def _opinions(
    texts: Sequence[str],
    verdicts: Floats,
    evidence: Floats,
    sides: NDArray[np.int64],
    folds: NDArray[np.int64],
    space: Space,
    calibrating: NDArray[np.bool_],
    anchors: Anchors,
) -> tuple[Stage, Floats]:
    """The stage that tells opinions from none, and its held-out probabilities of none.

    The anchors are examples of none in every fold, and are never held out.
    """
    count = len(texts)
    _, calm, inputs = offsets(
        np.concatenate((verdicts, anchors.verdicts)), np.concatenate((evidence, anchors.evidence))
    )
    from scipy.sparse import csr_matrix, hstack

    whole = hstack([space.inputs([*texts, *anchors.texts]), csr_matrix(inputs)]).tocsr()
    truth = np.concatenate((sides == 1, np.ones(len(anchors.texts)))) * 1.0
    weight = _ANCHOR_SHARE * count / max(1, len(anchors.texts))
    weighs = np.concatenate((np.ones(count), np.full(len(anchors.texts), weight)))
    always = np.arange(count, len(truth))

    def fitted(places: Places) -> Any:
        rows = np.concatenate((places, always))
        weights = fit(whole[rows], truth[rows], calm[rows], _ANCHOR_PENALTY, weighs[rows])
        return lambda held: calm[held] + whole[held] @ weights

    margins = cross_margins(fitted, folds)
    slope, shift = 1.0, 0.0
    labelled = truth[:count]
    used = calibrating if calibrating.any() else np.ones(count, dtype=bool)
    if min(labelled[used].sum(), (1 - labelled[used]).sum()) >= _LEAST_NEUTRAL:
        slope, shift = scaling(margins[used], labelled[used])
    weights = fit(whole, truth, calm, _ANCHOR_PENALTY, weighs)
    ends = whole.shape[1] - inputs.shape[1]
    stage = Stage(space.folded(weights[:ends]), weights[ends:], slope, shift)
    return stage, sigmoid(slope * margins + shift)
