"""An insight report as PDF, set by Typst (agent/report_layout.typ) with its fonts embedded.

Typst reads the document as JSON: customers' words are strings to it, never markup. Needs no font of the
machine and no network.
"""

import re
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.insight_document import InsightDocument
from agent.insight_words import say
from agent.report_charts import draw
from agent.report_fonts import drawable, fallback_file, instances
from agent.report_markdown import visible
from store.errors import StoreError

# A run of so many characters without a place to break gets places to break: nothing runs off the page.
_LONG = re.compile(r"[!-~]{36,}")
_BREAK_EVERY = 18
# In a table's cell sooner.
_LONG_IN_CELL = re.compile(r"[!-~]{18,}")
_BREAK_CELL_EVERY = 6
_NARROW, _WIDE = 17, 26
_ZERO_WIDTH_SPACE = "\u200b"


def render_pdf(document: InsightDocument) -> bytes:
    """The report as one PDF file. Deterministic: the same document gives the same bytes."""
    import orjson
    import typst

    data = _mapped(document.model_dump(mode="json"), _printable)
    made = datetime.fromisoformat(document.made_at)
    data["made"] = [made.year, made.month, made.day, made.hour, made.minute, made.second]
    data["against"] = _printable(say("against", document.language, before=document.comparison.label))
    data["page_of"] = say("page_of", document.language, page="{page}", pages="{pages}")
    with tempfile.TemporaryDirectory(prefix="voiceloop-report-") as name:
        folder = Path(name)
        _charts(document, data, folder)
        for section in data["sections"]:
            for block in section["blocks"]:
                if block["block"] == "table":
                    block["widths"] = _widths(block)
                    block["rows"] = [[_cell(cell) for cell in row] for row in block["rows"]]
        (folder / "report.json").write_bytes(orjson.dumps(data))
        (folder / "report.typ").write_text(_layout(), encoding="utf-8")
        _fonts(data, folder)
        try:
            made_pdf = typst.compile(
                folder / "report.typ", root=folder, font_paths=[folder], ignore_system_fonts=True
            )
        except typst.TypstError as error:
            raise StoreError(
                f"the PDF could not be set: {error}", hint="make the report as HTML, and report this"
            ) from error
    assert isinstance(made_pdf, bytes)
    return made_pdf


def _charts(document: InsightDocument, data: dict[str, Any], folder: Path) -> None:
    """Each chart as an SVG file beside the layout."""
    for at, section in enumerate(document.sections):
        for number, block in enumerate(section.blocks):
            if block.block == "chart":
                file = f"chart-{at}-{number}.svg"
                (folder / file).write_text(draw(block), encoding="utf-8")
                data["sections"][at]["blocks"][number]["file"] = file


def _fonts(data: dict[str, Any], folder: Path) -> None:
    letters: set[str] = set()

    def note(text: str) -> str:
        letters.update(text)
        return text

    _mapped(data, note)
    for weight, body in instances("".join(sorted(letters))).items():
        (folder / f"sans-{weight}.ttf").write_bytes(body)
    (folder / "fallback.ttf").write_bytes(fallback_file().read_bytes())


def _widths(table: dict[str, Any]) -> list[int]:
    """Shares of the page's width: figures take what they need (0), words share the rest by their length."""
    found = []
    for at in range(len(table["columns"])):
        longest = max([len(row[at]) for row in table["rows"]] or [0])
        found.append(0 if longest <= _NARROW else 1 if longest <= _WIDE else 2)
    return found


def _printable(text: str) -> str:
    shown = drawable(visible(text))
    return _LONG.sub(lambda run: _broken(run[0], _BREAK_EVERY), shown)


def _cell(text: str) -> str:
    whole = text.replace(_ZERO_WIDTH_SPACE, "")
    return _LONG_IN_CELL.sub(lambda run: _broken(run[0], _BREAK_CELL_EVERY), whole)


def _broken(run: str, every: int) -> str:
    return _ZERO_WIDTH_SPACE.join(run[at : at + every] for at in range(0, len(run), every))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """JSON-like data with every text changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    return value


@lru_cache(maxsize=1)
def _layout() -> str:
    return Path(__file__).with_name("report_layout.typ").read_text(encoding="utf-8")
