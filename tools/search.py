"""Finding feedback: by meaning and words, or simply by filters."""

from typing import Annotated, Literal

from pydantic import Field

from store.facts import Find, Selection
from store.records import LabelledFeedback
from tools.answers import answer, item
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.impact import business_priorities
from tools.results import ToolResult
from tools.selection import choose, sample_caveats

# More literal matches than this are not counted out.
_MENTIONS = 5000
_WIDER = 5


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
    Returns items with id, text, time, channel, sentiment, scores and business priority (with the parts it
    adds up from); n counts everything the filters select (with contains: the items that contain the words),
    not only what is listed. A query ranks by meaning and words; it does not count mentions.
    """
    from vectorstore.retrieval import unindexed

    chosen = choose(args, context)
    matched = context.facts.count(chosen.selection)
    scores: dict[str, float] = {}
    mentions: int | None = None
    found: list[LabelledFeedback] = []
    if args.contains:
        found = _containing(args, chosen.selection, context)
        mentions = len(found)
    behind = 0
    if args.query.strip() and matched:
        selection = chosen.selection
        if args.contains:
            selection = chosen.also({"text_key": tuple({one.text_key for one in found})})
        found, scores = _nearest(args, selection, context) if found or not args.contains else ([], {})
        behind = unindexed(context.facts, context.index)
    elif not args.contains:
        order = "newest" if args.order == "relevance" else args.order
        found = context.facts.find(Find(chosen.selection, with_text=True, order=order, limit=args.limit))
    page = found[: args.limit]
    stakes = business_priorities(page, context)
    items = [
        item(one, context)
        | {"business_priority": stakes.get(one.feedback.feedback_id)}
        | ({"score": round(scores[one.feedback.feedback_id], 4)} if scores else {})
        for one in page
    ]
    n = matched if mentions is None else mentions
    caveats = sample_caveats(chosen, n, context, args.language)
    if behind:
        caveats.append(caveat("unindexed", args.language, count=behind))
    if mentions == _MENTIONS:
        caveats.append(caveat("at_least", args.language, count=mentions))
    if n > len(items) and items:
        caveats.append(caveat("listed_of", args.language, total=n, shown=len(items)))
    return answer(
        "search_feedback",
        args,
        chosen,
        n=n,
        data={
            "query": args.query,
            "selected": matched,
            "mentions": mentions,
            "listed": len(items),
            "items": items,
        },
        evidence=[one["id"] for one in items],
        caveats=caveats,
    )


def _containing(args: SearchArguments, selection: Selection, context: ToolContext) -> list[LabelledFeedback]:
    order = "newest" if args.order == "relevance" else args.order
    return context.facts.find(
        Find(selection, contains=tuple(args.contains), with_text=True, order=order, limit=_MENTIONS)
    )


def _nearest(
    args: SearchArguments, selection: Selection, context: ToolContext
) -> tuple[list[LabelledFeedback], dict[str, float]]:
    """The items nearest to the query, in the order asked for."""
    from vectorstore.retrieval import search

    # What is put in another order is first found by relevance: of more, so that the order means something.
    wanted = args.limit if args.order == "relevance" else args.limit * _WIDER
    hits = search(args.query.strip(), context.facts, context.index, context.embedder, selection, wanted)
    scores = {hit.feedback_id: hit.score for hit in hits}
    if args.order == "relevance" or not hits:
        return [hit.found for hit in hits], scores
    return context.facts.find(Find(feedback_ids=tuple(scores), order=args.order, limit=len(scores))), scores
