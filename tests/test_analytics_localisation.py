"""Localisation: the set of places that account for a change, over cells with samples and with forecasts."""

import numpy as np
import pytest

from analytics.cell_cube import CellCube, Column
from analytics.cell_localisation import localise
from analytics.cells import CellTable
from analytics.forecast_localisation import localise_forecast
from analytics.root_cause import find_causes
from evals.rootcause_made import RECIPES, make_tables
from store.errors import InputError


def _grid(*sizes: int) -> dict[str, Column]:
    codes = np.indices(sizes).reshape(len(sizes), -1)
    return {
        name: Column(codes[at], [f"{name}{value}" for value in range(size)])
        for at, (name, size) in enumerate(zip("abcdef", sizes, strict=False))
    }


def _counts(columns: dict[str, Column], before: np.ndarray, after: np.ndarray) -> CellCube:
    many = np.full(len(before), 200.0)
    return CellCube(columns, (many, many * before, many * before, many, many * after, many * after))


def test_a_cube_groups_like_a_query() -> None:
    cube = _counts(_grid(3, 2), np.full(6, 0.1), np.arange(6) / 10)
    cells = CellTable(cube.query)
    assert cells.total.after.n == 1200
    assert cells.rows((("a", "a1"),)).after.total == pytest.approx(200 * (0.2 + 0.3))
    assert cells.rows((("a", "a2"), ("b", "b1"))).after.mean == pytest.approx(0.5)
    with pytest.raises(InputError, match="no dimension 'x'"):
        list(cube.query(("x",)))


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="differ in length"):
        CellCube(_grid(3, 2), (np.ones(5),) * 6)


def test_each_place_is_named_once_and_in_full() -> None:
    columns = _grid(4, 3, 2)
    a, b, c = (columns[name].codes for name in "abc")
    # b2 occurs with c0 only, so that "b2" and "b2&c0" are the same cells.
    kept = (b != 2) | (c == 0)
    columns = {name: Column(column.codes[kept], column.values) for name, column in columns.items()}
    after = np.where((a == 1) & (b == 2), 0.5, 0.1)[kept]
    found = localise(_counts(columns, np.full(int(kept.sum()), 0.1), after), kind="proportion", best=0.0)
    assert found == [(("a", "a1"), ("b", "b2"), ("c", "c0"))]


def test_no_change_has_no_place() -> None:
    cube = _counts(_grid(4, 3), np.full(12, 0.1), np.full(12, 0.1))
    assert localise(cube, kind="proportion", best=0.0) == []


def test_places_that_miss_their_forecast_are_found() -> None:
    rng = np.random.default_rng(3)
    columns = _grid(8, 6, 5)
    forecast = rng.weibull(0.8, 240) * 100 + 1
    real = forecast * (1 + rng.normal(0, 0.05, 240))
    hit = (columns["a"].codes == 2) & (columns["b"].codes == 3)
    real[hit] *= 0.5
    real[columns["c"].codes == 4] *= 0.7
    found = localise_forecast(columns, real, forecast)
    assert set(found) == {(("c", "c4"),), (("a", "a2"), ("b", "b3"))}


def test_a_forecast_that_holds_has_no_place() -> None:
    rng = np.random.default_rng(4)
    columns = _grid(8, 6, 5)
    forecast = rng.weibull(0.8, 240) * 100 + 1
    assert localise_forecast(columns, forecast * (1 + rng.normal(0, 0.1, 240)), forecast) == []
    assert localise_forecast(columns, forecast, forecast) == []


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="must be numbers"):
        localise_forecast(_grid(2), np.array([1.0, np.nan]), np.ones(2))


def test_made_tables_of_one_seed_are_the_same_and_are_solved() -> None:
    first, second = (list(make_tables(RECIPES["L"], 3, 9)) for _ in range(2))
    assert [truth for _, truth in first] == [truth for _, truth in second]
    for forecasts, truth in first:
        assert set(localise_forecast(forecasts.columns, forecasts.real, forecasts.predict)) == truth


def _volumes(columns: dict[str, Column], before: np.ndarray, after: np.ndarray) -> CellCube:
    return CellCube(columns, (before, before, before, after, after, after))


def test_a_release_that_replaces_another_is_no_growth() -> None:
    columns = {
        "region": Column(np.repeat(np.arange(4), 3), ["r0", "r1", "r2", "r3"]),
        "version": Column(np.tile(np.arange(3), 4), [None, "5.2", "5.3"]),
    }
    before = np.tile([1000.0, 400.0, 0.0], 4)
    after = np.tile([1000.0, 20.0, 380.0], 4)
    after[3:6] *= 2  # r1 sends twice as much
    found = find_causes(_volumes(columns, before, after).query, ["region", "version"], kind="count")
    assert [dict(cause.conditions) for cause in found.causes] == [{"region": "r1"}]


def test_the_few_items_a_condition_leaves_out_can_matter() -> None:
    columns = _grid(2, 4)
    a, b = columns["a"].codes, columns["b"].codes
    share = np.where((a == 0) & (b == 0), 0.5, 0.02)
    # 97% of b0 is a0, yet the rest of b0 stayed as it was.
    many = np.where(b == 0, np.where(a == 0, 2000.0, 60.0), 1500.0)
    cube = CellCube(columns, (many, many * 0.02, many * 0.02, many, many * share, many * share))
    assert localise(cube, kind="proportion", best=0.0) == [(("a", "a0"), ("b", "b0"))]
