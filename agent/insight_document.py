"""The typed document of an insight report: built once from tool results, laid out by every renderer.

Every sentence and every shown figure is here as text; renderers (Markdown, HTML, PDF) only lay it out, so
that all of them say the same. `facts` and `figures` hold the same numbers for machines, as the tools gave
them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]
Kind = Literal["daily", "weekly", "monthly", "ad_hoc"]
Tone = Literal["good", "bad", "flat"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(_Part):
    """A half-open period: ISO times in the configured zone, and its name."""

    start: str
    end: str
    label: str


class Figures(_Part):
    """One metric in both periods, unrounded by words: shares 0..1, NPS -100..100, means in their own unit."""

    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    before: float | None
    n_before: int
    change: float | None
    change_low: float | None
    change_high: float | None
    significant: bool


class Headline(_Part):
    """A figure at the top: its value, interval and change in words, and whether the change is welcome."""

    title: str
    value: str
    interval: str
    change: str
    tone: Tone
    figures: Figures


class Quote(_Part):
    """A customer's words (masked) and the feedback id that they are from."""

    feedback_id: str
    text: str


class Entry(_Part):
    """One finding: a title, a badge (evidence grade, tier, status), sentences, quotes."""

    block: Literal["entry"] = "entry"
    title: str
    badge: str = ""
    tone: Tone = "flat"
    text: str = ""
    details: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    facts: dict[str, Any] = {}


class Table(_Part):
    """Rows of texts; `numeric` says which columns are figures (set to the right)."""

    block: Literal["table"] = "table"
    caption: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


class Mark(_Part):
    """Something that happened at these places of a chart's axis (a promotion, a holiday)."""

    label: str
    first: int
    last: int


class Series(_Part):
    """Values in the order of the chart's labels; None where there is none."""

    name: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


class Chart(_Part):
    """What is drawn: a line over time, two values a label (before and after), or stacked bars.

    `unit` is `share` (0..1, drawn as per cent) or `number`. `summary` says in words what it shows.
    """

    block: Literal["chart"] = "chart"
    kind: Literal["line", "paired", "stacked"]
    title: str
    unit: Literal["share", "number"]
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    summary: str


Block = Annotated[Entry | Table | Chart, Field(discriminator="block")]


class Section(_Part):
    """One part of the report; its blocks are in the order of reading, the notes follow them."""

    key: str
    title: str
    lead: str = ""
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The findings among the blocks."""
        return tuple(block for block in self.blocks if isinstance(block, Entry))


class Call(_Part):
    """A tool call that the report rests on."""

    id: str
    tool: str
    args: dict[str, Any]
    n: int


class InsightDocument(_Part):
    """An insight report: the summary first, then the headline figures and the sections that have content."""

    kind: Kind
    language: Language
    title: str
    scope: str
    filters: dict[str, Any]
    period: Span
    comparison: Span
    made_at: str
    summary: str
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]
    footer: str
    calls: tuple[Call, ...]
