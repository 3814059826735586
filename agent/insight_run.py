"""Runs the tools of an insight report and keeps their results as the sources of its figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.frame import Frame
from agent.insight_document import Call, Kind, Language, Span
from agent.number_lock import Source
from store.errors import ToolInputError
from tools.catalogue import run_tool
from tools.context import ToolContext


@dataclass
class InsightRun:
    """One report in the making: the scope asked for, and what each tool said.

    A tool that refuses ("too few days for a trend") leaves its sentence in `refusals`: the report says so
    among the data caveats and goes on without that part.
    """

    context: ToolContext
    kind: Kind
    language: Language
    period: Span
    comparison: Span
    filters: Mapping[str, Any]
    metric: str
    calls: list[Call] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @property
    def frame(self) -> Frame:
        """The language and the names of topics, as the planner's wording takes them."""
        return Frame("", self.language, topics=self.context.taxonomy.titles(self.language))

    @property
    def span(self) -> dict[str, str]:
        """The report's period as a tool argument."""
        return {"from": self.period.start, "to": self.period.end}

    @property
    def before(self) -> dict[str, str]:
        """The period it is compared with as a tool argument."""
        return {"from": self.comparison.start, "to": self.comparison.end}

    def call(self, tool: str, **args: Any) -> dict[str, Any]:
        """Run a tool over the report's scope and keep its result. Raises ToolInputError where it refuses."""
        given = {"language": self.language, **args}
        if self.filters:
            given["filters"] = {**self.filters, **given.get("filters", {})}
        result = run_tool(tool, given, self.context)
        return self.keep(tool, given, result.model_dump(mode="json", by_alias=True))

    def attempt(self, tool: str, **args: Any) -> dict[str, Any] | None:
        """Like call; None where the tool refuses, and the refusal is kept to be told."""
        try:
            return self.call(tool, **args)
        except ToolInputError as refused:
            self.refusals.append(refused.message)
            return None

    def keep(self, tool: str, args: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        """Keep a result as a source of figures."""
        number = f"c{len(self.calls) + 1}"
        self.calls.append(Call(id=number, tool=tool, args=args, n=result["n"]))
        self.sources.append(Source(number, tool, args, result))
        return result
