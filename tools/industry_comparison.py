"""The industry's rates beside our own."""

from typing import Annotated, Any, Literal

from pydantic import Field

from analytics.estimates import proportion
from analytics.sums import Sums
from store.facts import Aggregate
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.groups import bars
from tools.industry import problem_scope
from tools.measures import pooled, rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_QUOTED = 3


class IndustryArguments(SelectionArguments):
    """Which feedback."""

    limit: Annotated[int, Field(ge=1, le=200, description="at most this many problems")] = 30


def industry_compare(args: IndustryArguments, context: ToolContext) -> ToolResult:
    """Each problem's share here against its rate in the industry: own, common or undecided.

    Use for "is it only us", "how do we compare with the industry". Needs an industry table (ingest --kind
    rates: theme, rate, n, source). Own means significantly more frequent here: fix it first.
    """
    chosen = choose(args, context)
    n = context.facts.count(chosen.selection)
    caveats = sample_caveats(chosen, n, context, args.language)
    rates = context.facts.rates()
    if not rates:
        caveats.append(caveat("no_rates", args.language))
    rows = []
    unknown = []
    words = {word.casefold(): path for word, path in context.taxonomy.words().items()}
    themes = {theme.label.casefold(): theme.theme_id for theme in context.facts.themes() if not theme.faded}
    for rate in rates:
        wanted = rate.theme.casefold()
        topic = rate.theme if rate.theme in context.taxonomy.paths else words.get(wanted)
        theme = themes.get(wanted)
        if topic is None and theme is None:
            unknown.append(rate.theme)
            continue
        dimension: Literal["topic", "theme"] = "topic" if topic is not None else "theme"
        value = topic if topic is not None else theme
        found = pooled(context.facts.aggregate(Aggregate(f"share:{dimension}={value}", chosen.selection)))
        rows.append(_against(dimension, str(value), rate, found, chosen, args, context))
    if unknown:
        caveats.append(caveat("unknown_rates", args.language, names="、".join(unknown[:10])))
    order = {"own": 0, "undecided": 1, "common": 2}
    rows.sort(key=lambda row: (order[row["scope"]], -(row["difference"] or 0)))
    return answer(
        "industry_compare",
        args,
        chosen,
        n=n,
        data={"problems": rows[: args.limit], "own": sum(row["scope"] == "own" for row in rows)},
        evidence=[one for row in rows if row["scope"] == "own" for one in row["evidence"]][:20],
        caveats=caveats,
        chart=bars([row["label"] for row in rows], [row["share"] for row in rows]),
    )


def _against(
    dimension: Any,
    value: str,
    rate: Any,
    found: Sums,
    chosen: Chosen,
    args: IndustryArguments,
    context: ToolContext,
) -> dict[str, Any]:
    told = proportion(found.n, found.total)
    here = chosen.also({dimension: (value,)})
    label = context.taxonomy.title_of(value, args.language) if dimension == "topic" else rate.theme
    return {
        "key": value,
        "label": label,
        "dimension": dimension,
        "share": rounded(told.value),
        "ci_low": rounded(told.ci_low),
        "ci_high": rounded(told.ci_high),
        "n": found.n,
        "industry_rate": rate.rate,
        "industry_n": rate.n,
        "source": rate.source,
        "difference": rounded(told.value - rate.rate) if told.value is not None else None,
        "scope": problem_scope(dimension, value, rate.theme, chosen.selection, context),
        "evidence": evidence_ids(here, context, limit=_QUOTED) if found.total else [],
    }
