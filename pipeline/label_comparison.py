"""Two sentiment models on the same held-out texts: label by label, with paired intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.estimates import Estimate, proportion
from analytics.label_scores import Calibration, Scores, calibration, score_single
from analytics.paired import McNemar, mcnemar, paired_difference
from pipeline.label_evaluation import Selective
from pipeline.label_heads import f1_of
from pipeline.label_linear import Floats
from pipeline.label_sentiment import SIDES


@dataclass(frozen=True)
class LabelDifference:
    """F1 of one label before and after, and the difference with its paired bootstrap interval."""

    label: str
    support: int
    before: float
    after: float
    difference: Estimate


@dataclass(frozen=True)
class Comparison:
    """The model in use (before) and the new one (after) on texts that neither had seen.

    `random`: the same two accuracies on the texts drawn at random alone, which speak for the whole store;
    None where there are too few.
    """

    n: int
    before: Scores
    after: Scores
    accuracy: Estimate
    macro_f1: Estimate
    mcnemar: McNemar
    labels: tuple[LabelDifference, ...]
    calibration_before: Calibration
    calibration_after: Calibration
    selective_before: Selective
    selective_after: Selective
    random: tuple[Estimate, Estimate] | None


def compare(
    before: Floats,
    after: Floats,
    truth: NDArray[np.int64],
    drawn: NDArray[np.bool_],
    open_before: NDArray[np.bool_],
    open_after: NDArray[np.bool_],
) -> Comparison:
    """Compare probabilities (n, 3) with truth (n,) of 0 negative, 1 neutral, 2 positive.

    `drawn` (n,): texts chosen at random. `open_*` (n,): which texts each leaves open.
    """
    old, new = before.argmax(axis=1), after.argmax(axis=1)
    right_before, right_after = old == truth, new == truth
    names = [SIDES[one] for one in truth.tolist()]
    gain = right_after.astype(np.float64) - right_before
    occurring = [side for side in range(3) if (truth == side).any()]
    random = None
    if drawn.any():
        random = (
            proportion(int(drawn.sum()), int(right_before[drawn].sum())),
            proportion(int(drawn.sum()), int(right_after[drawn].sum())),
        )
    return Comparison(
        n=len(truth),
        before=score_single(names, [SIDES[one] for one in old.tolist()], SIDES),
        after=score_single(names, [SIDES[one] for one in new.tolist()], SIDES),
        accuracy=paired_difference(len(gain), lambda places: float(gain[places].mean())),
        macro_f1=paired_difference(
            len(truth),
            lambda places: (
                _macro(new[places], truth[places], occurring) - _macro(old[places], truth[places], occurring)
            ),
        ),
        mcnemar=mcnemar(right_before, right_after),
        labels=tuple(_difference(side, old, new, truth) for side in occurring),
        calibration_before=calibration(before.max(axis=1), right_before),
        calibration_after=calibration(after.max(axis=1), right_after),
        selective_before=_selective(right_before, open_before),
        selective_after=_selective(right_after, open_after),
        random=random,
    )


def _difference(
    side: int, old: NDArray[np.intp], new: NDArray[np.intp], truth: NDArray[np.int64]
) -> LabelDifference:
    meant, was, now = truth == side, old == side, new == side
    found = paired_difference(
        len(truth), lambda places: f1_of(meant[places], now[places]) - f1_of(meant[places], was[places])
    )
    return LabelDifference(SIDES[side], int(meant.sum()), f1_of(meant, was), f1_of(meant, now), found)


def _macro(given: NDArray[np.intp], truth: NDArray[np.int64], occurring: list[int]) -> float:
    return sum(f1_of(truth == side, given == side) for side in occurring) / len(occurring)


def _selective(right: NDArray[np.bool_], left_open: NDArray[np.bool_]) -> Selective:
    held = ~left_open
    return Selective(
        proportion(len(right), int(held.sum())),
        proportion(int(held.sum()), int(right[held].sum())),
        int((~held).sum()),
    )
