"""Finding feedback: by meaning and words, or simply by filters."""

from typing import Annotated, Literal

from pydantic import Field

from store.facts import Find, Selection
from store.records import LabelledFeedback
from tools.answers import answer, item
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.results import ToolResult
from tools.selection import choose, sample_caveats


class SearchArguments(SelectionArguments):
    """What is looked for, and where."""

    query: Annotated[
        str,
        Field(max_length=2000, description="what the feedback should be about, in plain words; may be empty"),
    ] = ""
    contains: Annotated[
        list[str], Field(max_length=10, description="words that must all occur literally; counted exactly")
    ] = Field(default_factory=list)
    order: Annotated[
        Literal["relevance", "newest", "oldest", "lowest_score"],
        Field(description="relevance needs a query; without one it means newest"),
    ] = "relevance"
    limit: Annotated[int, Field(ge=1, le=100)] = 10


def search_feedback(args: SearchArguments, context: ToolContext) -> ToolResult:
    """Find what customers said: about a subject (query), with certain words (contains), or by filters.

    Use for "what do customers say about X", "show examples / quotes of negative reviews from Guangdong".
    Returns items with id, text, time, channel, sentiment and scores; n counts everything the filters
    select, not only what is listed. A query ranks by meaning and words; it does not count mentions.
    """
    chosen = choose(args, context)
    matched = context.facts.count(chosen.selection)
    caveats = sample_caveats(chosen, matched, context, args.language)
    scores: dict[str, float] = {}
    if args.query.strip() and args.order == "relevance" and matched:
        found, scores = _nearest(args, chosen.selection, context)
        if args.contains:
            parts = [part.lower() for part in args.contains]
            found = [one for one in found if all(part in one.feedback.text.lower() for part in parts)]
        found = found[: args.limit]
    else:
        order = "newest" if args.order == "relevance" else args.order
        words = (*args.contains, *((args.query.strip(),) if args.query.strip() else ()))
        found = context.facts.find(
            Find(chosen.selection, contains=words, with_text=True, order=order, limit=args.limit)
        )
    items = [
        item(one, context) | ({"score": round(scores[one.feedback.feedback_id], 4)} if scores else {})
        for one in found
    ]
    if matched > len(items) and items:
        caveats.append(caveat("listed_of", args.language, total=matched, shown=len(items)))
    return answer(
        "search_feedback",
        args,
        chosen,
        n=matched,
        data={"query": args.query, "listed": len(items), "items": items},
        evidence=[one["id"] for one in items],
        caveats=caveats,
    )


def _nearest(
    args: SearchArguments, selection: Selection, context: ToolContext
) -> tuple[list[LabelledFeedback], dict[str, float]]:
    from vectorstore.retrieval import search

    # With literal words the nearest are filtered afterwards: fetch more, so that enough remain.
    wanted = args.limit * 10 if args.contains else args.limit
    hits = search(args.query.strip(), context.facts, context.index, context.embedder, selection, wanted)
    scores = {hit.feedback_id: hit.score for hit in hits}
    if not scores:
        return [], {}
    found = context.facts.find(Find(feedback_ids=tuple(scores), limit=len(scores)))
    return sorted(found, key=lambda one: -scores[one.feedback.feedback_id]), scores
