"""The chart of a tool result as a picture, for where no page draws it."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent.report_charts import families
from agent.report_fonts import drawable

_INK, _MUTED, _GRID = "#1f2933", "#616e7c", "#d9dfe5"
_COLOURS: Final = ("#1f6feb", "#c2410c", "#0f766e", "#7c3aed", "#b45309", "#616e7c")
_WIDTH, _HEIGHT, _ROW = 8.0, 3.6, 0.32
_DPI: Final = 150
_TICKS: Final = 10
_LABEL: Final = 24
_MOST_ROWS: Final = 30


def picture(option: Mapping[str, Any]) -> bytes | None:
    """A PNG of an ECharts option with lines or bars over categories; None for any other."""
    across, labels = _categories(option)
    series = [one for one in _listed(option.get("series")) if one.get("type") in ("line", "bar")]
    if not labels or not series or len(series) != len(_listed(option.get("series"))):
        return None
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {
        "font.family": families(),
        "font.size": 9,
        "text.color": _INK,
        "axes.edgecolor": _GRID,
        "xtick.color": _MUTED,
        "ytick.color": _MUTED,
        "axes.unicode_minus": False,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        shown = min(len(labels), _MOST_ROWS)
        high = _HEIGHT if across else max(1.6, 0.9 + _ROW * shown * len(series))
        figure = Figure(figsize=(_WIDTH, high), layout="constrained", dpi=_DPI)
        axes = figure.subplots()
        for at, one in enumerate(series):
            _draw(axes, one, at, len(series), across=across, most=len(labels) if across else shown)
        _label(axes, labels if across else labels[:shown], across=across)
        title = _text(_listed(option.get("title"))[0].get("text", "")) if option.get("title") else ""
        axes.set_title(title, loc="left", fontsize=11)
        if len(series) > 1:
            axes.legend(frameon=False, ncols=3, fontsize=8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.grid(axis="y" if across else "x", color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        _thicken(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()


def _thicken(figure: Any) -> None:
    """The file's default weight is Thin, and matplotlib knows no other of a variable font."""
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_path_effects([withStroke(linewidth=0.6, foreground=text.get_color())])


def _draw(axes: Any, one: Mapping[str, Any], at: int, of: int, *, across: bool, most: int) -> None:
    values = [_number(value) for value in one.get("data", [])][:most]
    colour, name = _COLOURS[at % len(_COLOURS)], _text(str(one.get("name", "")))
    if one["type"] == "line":
        axes.plot(range(len(values)), values, color=colour, linewidth=2, marker="o", markersize=3, label=name)
        return
    thick = 0.8 / of
    places = [place + (at - (of - 1) / 2) * thick for place in range(len(values))]
    if across:
        axes.bar(places, values, width=thick, color=colour, label=name)
    else:
        axes.barh(places, values, height=thick, color=colour, label=name)


def _label(axes: Any, labels: Sequence[str], *, across: bool) -> None:
    if across:
        step = -(-len(labels) // _TICKS)
        axes.set_xticks(range(0, len(labels), step), [_text(one) for one in labels[::step]])
        if max(len(one) for one in labels) > 6:
            axes.tick_params(axis="x", rotation=20)
        return
    axes.set_yticks(range(len(labels)), [_text(one) for one in labels])
    axes.invert_yaxis()


def _categories(option: Mapping[str, Any]) -> tuple[bool, list[str]]:
    """Whether the categories go across, and what they are; none where there are none."""
    for axis, across in (("xAxis", True), ("yAxis", False)):
        for one in _listed(option.get(axis)):
            if one.get("type") == "category" and one.get("data"):
                return across, [str(label) for label in one["data"]]
    return True, []


def _listed(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, dict):
        return [part]
    return [one for one in part if isinstance(one, dict)] if isinstance(part, list) else []


def _number(value: Any) -> float:
    bare = value.get("value") if isinstance(value, dict) else value
    return float(bare) if isinstance(bare, int | float) and not isinstance(bare, bool) else float("nan")


def _text(label: str) -> str:
    one_line = " ".join(drawable(label).split())
    return one_line if len(one_line) <= _LABEL else one_line[: _LABEL - 1] + "…"
