"""Draws the charts of a report as SVG: the same drawing in HTML (themed) and in PDF.

Text stays text, so that it can be read out, searched and set in the page's own font.
"""

import io
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.insight_document import Chart
from agent.report_fonts import FAMILY, REGULAR, drawable, font_file
from agent.report_markdown import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The colours of print; `themed` gives each its CSS variable.
_INK, _MUTED, _GRID = "#1f2933", "#616e7c", "#d9dfe5"
_ACCENT, _SOFT, _WARN, _MARK = "#1f6feb", "#b6c2cf", "#c2410c", "#f5d9a8"
_VARIABLES = {
    _INK: "--ink",
    _MUTED: "--muted",
    _GRID: "--grid",
    _ACCENT: "--accent",
    _SOFT: "--soft",
    _WARN: "--warn",
    _MARK: "--mark",
}
_WIDTH = 7.0
_ROW = 0.27
_TICKS = 9
_LABEL = 30


def draw(chart: Chart) -> str:
    """One chart as an SVG element, 7 inches wide."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": chart.title,
        "font.family": families(),
        "font.size": 9,
        "text.color": _INK,
        "axes.edgecolor": _GRID,
        "axes.labelcolor": _MUTED,
        "xtick.color": _MUTED,
        "ytick.color": _MUTED,
        "axes.unicode_minus": False,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        high = 2.3 if chart.kind == "line" else 0.9 + _ROW * len(chart.labels)
        figure = Figure(figsize=(_WIDTH, high), layout="constrained")
        axes = figure.subplots()
        {"line": _line, "paired": _paired, "stacked": _stacked}[chart.kind](axes, chart)
        _plain(axes, chart)
        return _svg(figure, chart)


def themed(svg: str) -> str:
    """The drawing for a page that sets the colours: each becomes a CSS variable, itself the default."""
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable}, {colour})")
    return svg


def _line(axes: "Axes", chart: Chart) -> None:
    at = list(range(len(chart.labels)))
    for mark in chart.marks:
        axes.axvspan(mark.first - 0.4, mark.last + 0.4, color=_MARK, alpha=0.5, linewidth=0)
    for series in chart.series:
        values = _numbers(series.values)
        if series.low and series.high:
            axes.fill_between(
                at, _numbers(series.low), _numbers(series.high), color=_ACCENT, alpha=0.15, linewidth=0
            )
        axes.plot(at, values, color=_ACCENT, linewidth=2, marker="o", markersize=4)
    step = -(-len(at) // _TICKS)
    axes.set_xticks(at[::step], [_short(_day(label)) for label in chart.labels[::step]])
    axes.margins(x=0.03)
    _name_marks(axes, chart)


def _name_marks(axes: "Axes", chart: Chart) -> None:
    """Names of events above the drawing, on as many lines as they need."""
    width = max(1, len(chart.labels))
    ends: list[float] = []
    for mark in sorted(chart.marks, key=lambda one: one.first):
        middle = (mark.first + mark.last) / 2
        half = sum(2 if ord(c) > 0x2E80 else 1 for c in mark.label) * width / 180
        row = next((i for i, end in enumerate(ends) if end < middle - half), len(ends))
        ends[row : row + 1] = [middle + half]
        axes.annotate(
            _short(mark.label),
            (middle, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 11 * row),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=_MUTED,
        )


def _paired(axes: "Axes", chart: Chart) -> None:
    before, after = (_numbers(series.values) for series in chart.series)
    rows = list(range(len(chart.labels)))
    axes.hlines(rows, before, after, color=_SOFT, linewidth=2, zorder=1)
    axes.scatter(before, rows, color=_SOFT, s=36, zorder=2, label=_short(chart.series[0].name))
    axes.scatter(after, rows, color=_ACCENT, s=36, zorder=3, label=_short(chart.series[1].name))
    _rows(axes, chart)
    _legend(axes)


def _stacked(axes: "Axes", chart: Chart) -> None:
    first, second = (_numbers(series.values) for series in chart.series)
    rows = list(range(len(chart.labels)))
    axes.barh(rows, first, color=_WARN, height=0.62, label=_short(chart.series[0].name))
    axes.barh(rows, second, left=first, color=_SOFT, height=0.62, label=_short(chart.series[1].name))
    _rows(axes, chart)
    axes.set_xlim(left=0)
    _legend(axes)


def _rows(axes: "Axes", chart: Chart) -> None:
    axes.set_yticks(range(len(chart.labels)), [_short(label) for label in chart.labels])
    axes.invert_yaxis()
    axes.tick_params(axis="y", colors=_INK, length=0)


def _legend(axes: "Axes") -> None:
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, borderpad=0, handletextpad=0.4
    )


def _plain(axes: "Axes", chart: Chart) -> None:
    """Grid across the values only, no box; shares as per cent."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    across = axes.yaxis if chart.kind == "line" else axes.xaxis
    across.set_major_locator(MaxNLocator(6, integer=chart.kind == "stacked"))
    if chart.unit == "share":
        across.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y" if chart.kind == "line" else "x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.patch.set_visible(False)


def _svg(figure: "Figure", chart: Chart) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    return svg.strip()


@lru_cache(maxsize=1)
def families() -> list[str]:
    """The page's fonts, made known to matplotlib: it measures text by them."""
    from matplotlib.font_manager import FontEntry, fontManager

    # As an entry, not by addfont: that reads the weight of the file's default instance, which is Thin.
    entry = FontEntry(fname=str(font_file()), name=FAMILY, weight=REGULAR, stretch="normal", size="scalable")
    fontManager.ttflist.append(entry)
    return [FAMILY, "DejaVu Sans"]


def _numbers(values: tuple[float | None, ...]) -> list[Any]:
    return [float("nan") if value is None else value for value in values]


def _day(label: str) -> str:
    """A date without its year, which the caption has."""
    return label[5:] if re.fullmatch(r"\d{4}-\d{2}-\d{2}", label) else label


def _short(label: str) -> str:
    """A label that leaves room for the drawing; a Chinese character takes two places."""
    width, cut = 0, ""
    for char in " ".join(drawable(visible(label)).split()):
        width += 2 if ord(char) > 0x2E80 else 1
        if width > _LABEL:
            return cut + "…"
        cut += char
    return cut
