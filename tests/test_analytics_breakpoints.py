import pytest

from analytics.breakpoints import baseline_break, emotion_break


@pytest.mark.parametrize(
    ("scores", "index"),
    [
        ([0.2, None, -0.4, None, -0.9, -0.9], 2),
        ([0.6, None, 0.3, None, -0.9, None, 0.7], 4),
        ([-0.8, None, -0.9], 0),
        ([0.1, 0.0, -0.1, 0.2], None),
        ([-0.3, 0.5, -0.3, 0.6], None),
        ([0.5, -0.7, 0.8, 0.8, -0.9, -0.9], 4),
        ([None, None], None),
        ([], None),
    ],
)
def test_emotion_breaks_out(scores: list[float | None], index: int | None) -> None:
    assert emotion_break(scores) == index


@pytest.mark.parametrize(
    ("scores", "index"),
    [
        ([9, 9, 9, 6, 6], 3),
        ([9, 10, 9, 9, 8, 6, 6, 5], 5),
        ([9, 9, 9, 6], None),
        ([9, 9, 6, 6], None),
        ([9, 9, 9, 6, 9, 6], None),
        ([9, 9, 9, 6, 6, 9], None),
        ([9, 3, 9, 2, 9, 3, 6, 6], None),
        ([6, 6, 6, 6, 6], None),
        ([9, 9, 9, 8, 8], None),
        ([], None),
    ],
)
def test_baseline_breaks(scores: list[float], index: int | None) -> None:
    assert baseline_break(scores) == index


def test_baseline_break_on_another_scale() -> None:
    assert baseline_break([5, 5, 4, 5, 3, 3], drop=1.5) == 4
