import pytest

from tools.periods import find_periods


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2014和2013相比，评分涨了吗", ["2014", "2013"]),
        ("2014比2013好吗", ["2014", "2013"]),
        ("2014 vs 2013", ["2014", "2013"]),
        ("was 2014 compared with 2013 any better", ["2014", "2013"]),
        ("what share of the 2014 reviews came from Australia", ["2014"]),
    ],
)
def test_years_that_stand_beside_a_year_or_behind_the_article(text: str, years: list[str]) -> None:
    assert [found.phrase for found in find_periods(text)] == years


@pytest.mark.parametrize("text", ["the 2000 customers we asked", "版本2014的评价", "2014条评论", "room 2014"])
def test_four_digits_that_are_no_year(text: str) -> None:
    assert find_periods(text) == []
