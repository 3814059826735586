import importlib.util
from pathlib import Path

import numpy as np
import pytest

from evals.themes import _figures, main, markdown, worse
from evals.themes_sets import LabelledTexts
from evals.themes_steps import enlarged, labels_of, own_themes, shuffled_agreement, thinned_agreement


def made(groups: int, each: int) -> LabelledTexts:
    chance = np.random.default_rng(1)
    truth = np.repeat(np.arange(groups), each)
    rows = chance.normal(size=(groups, 64))[truth] + 0.3 * chance.normal(size=(groups * each, 64))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    words = ("late parcel", "rude staff", "broken screen", "wrong size", "dear price")
    texts = tuple(f"{words[group]} again number {row}" for row, group in enumerate(truth))
    return LabelledTexts("made", "en", "groups", texts, truth.astype(str), rows.astype(np.float32))


def test_figures_of_a_perfect_and_of_a_coarse_grouping() -> None:
    classes = np.repeat(["a", "b", "c", "d"], 25)
    perfect = _figures(classes, np.repeat([3, 1, 2, 0], 25))
    assert (perfect["nmi"], perfect["purity"], perfect["themes"], perfect["outliers"]) == (
        pytest.approx(1.0),
        1.0,
        4,
        0.0,
    )
    coarse = _figures(classes, np.repeat([0, 0, 1, -1], 25))
    assert coarse["purity"] == 0.75 and coarse["themes"] == 2 and coarse["outliers"] == 0.25
    assert coarse["low"] <= coarse["nmi"] <= coarse["high"] < 1.0


def test_separate_groups_are_found_in_any_order_and_with_a_tenth_less() -> None:
    texts = made(5, 60)
    whole = labels_of(texts, own_themes(texts))
    assert _figures(texts.classes, whole)["purity"] == 1.0
    assert shuffled_agreement(texts, whole) == 1.0
    assert min(thinned_agreement(texts, whole)) > 0.7


def test_sets_are_enlarged_by_moved_copies() -> None:
    rows = made(2, 5).vectors
    keys, more = enlarged([f"k{n}" for n in range(10)], rows, 25)
    assert len(set(keys)) == len(more) == 25
    np.testing.assert_array_equal(more[:10], rows)
    assert 0.99 < float(more[10] @ rows[0]) < 1.0
    assert enlarged(["a", "b"], rows[:2], 1)[0] == ["a"]


def report(nmi: float, ari: float) -> dict[str, object]:
    figures = {"nmi": nmi, "low": nmi, "high": nmi, "purity": nmi, "themes": 3, "outliers": 0.0}
    methods = dict.fromkeys(("VoiceLoop, same number", "VoiceLoop, own number", "k-means, seed 0"), figures)
    spread = {"mean": ari, "least": ari, "n": 5}
    one = {
        "n": 9,
        "what": "x",
        "methods": methods,
        "shuffled_ari": 1.0,
        "thinned_ari": spread,
        "kmeans_seeds_ari": spread,
        "steps": [figures | {"n": 9, "batch_nmi": nmi, "kept": 0.98, "worst_step": 0.7}],
        "labels": [{"label": "App crashes", "n": 3, "keywords": ["app"], "wordings": ["crash"]}],
    }
    timing = {"method": "VoiceLoop", "n": 9, "wall_s": 1.0, "core_s": 1.0, "peak_mb": 1}
    return {"sets": {"made": one}, "speed": [timing]}


def test_what_fell_is_told_and_the_page_holds_all_parts() -> None:
    assert worse(report(0.7, 0.8), report(0.70, 0.8)) == []
    assert worse(report(0.7, 0.8), report(0.68, 0.7)) == [
        "made: NMI 0.700 -> 0.680",
        "made: ARI of subsamples 0.800 -> 0.700",
    ]
    page = markdown(report(0.7, 0.8))
    for part in ("## made: 9 texts, x", "| made | 1.000 | 0.800 |", "App crashes", "VoiceLoop, own number"):
        assert part in page


@pytest.mark.skipif(importlib.util.find_spec("bertopic") is not None, reason="the rivals are installed here")
def test_missing_rivals_are_told_with_the_way_to_get_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "bertopic" in told and "--group rivals" in told
