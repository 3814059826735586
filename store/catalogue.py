"""Describing what is stored: which dimensions and metrics exist, and their commonest values."""

from collections.abc import Callable
from typing import Any, Final

from store.builder import filled_statement, metric_range_statement, values_statement
from store.dialect import Dialect
from store.dimensions import FEEDBACK_DIMENSIONS, MANY_VALUED
from store.facts import Catalogue, DimensionInfo, MetricInfo
from store.measures import SCORES
from store.query import KnownNames, Statement
from store.rows import utc

# Ids tell items apart; their "commonest values" say nothing and cost a pass each.
_UNLISTED: Final = ("feedback_id", "text_key", "media", "batch_id", "turn")
_MAX_VALUES: Final = 500

Run = Callable[[Statement], list[tuple[Any, ...]]]


def read_catalogue(run: Run, dialect: Dialect, names: KnownNames) -> Catalogue:
    """Ask the store what customers' items it holds. Time dimensions always exist and are not listed."""
    voice = "coalesce(speaker, '') <> 'agent'"
    summary = f"SELECT count(*), min(occurred_at), max(occurred_at) FROM feedback WHERE {voice}"
    ((items, first_at, last_at),) = run(Statement(summary, {}))
    everyone = (
        f"SELECT count(DISTINCT customer_id) FROM (SELECT customer_id FROM feedback WHERE {voice} "
        "UNION ALL SELECT customer_id FROM customer) AS known"
    )
    dimensions = {}
    listed = [name for name in FEEDBACK_DIMENSIONS if name not in _UNLISTED]
    for name in (*listed, *sorted(names.attributes - set(FEEDBACK_DIMENSIONS))):
        found = _dimension(name, run, dialect, names)
        if found is not None:
            dimensions[name] = found
    metrics = {}
    talk = ("first_response",) if _has_answers(run) else ()
    for name in (*SCORES, *sorted(names.metrics - set(SCORES)), *talk):
        ((n, low, high),) = run(metric_range_statement(name, dialect, names))
        if n:
            metrics[name] = MetricInfo(name, int(n), float(low), float(high))
    languages = dimensions.get("language")
    return Catalogue(
        items=int(items),
        first_at=utc(first_at) if items else None,
        last_at=utc(last_at) if items else None,
        dimensions=dimensions,
        metrics=metrics,
        customers=int(run(Statement(everyone, {}))[0][0]),
        languages=dict(languages.values) if languages else {},
    )


def _has_answers(run: Run) -> bool:
    """Whether an agent speaks in any conversation."""
    answer = "SELECT 1 FROM feedback WHERE speaker = 'agent' AND conversation_id IS NOT NULL LIMIT 1"
    return bool(run(Statement(answer, {})))


def _dimension(name: str, run: Run, dialect: Dialect, names: KnownNames) -> DimensionInfo | None:
    statement = values_statement(name, _MAX_VALUES, dialect, names)
    rows = run(statement)
    if not rows:
        return None
    (render,) = statement.render
    values = tuple((render(raw), int(n)) for raw, n, _, _ in rows)
    _, _, filled, distinct = rows[0]
    if name in MANY_VALUED:
        ((filled,),) = run(filled_statement(name, dialect, names))
    return DimensionInfo(name, filled=int(filled), distinct=int(distinct), values=values)
