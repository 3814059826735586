"""What changed and why: significant changes, their causes with evidence, and the charts of both."""

from typing import Any

from agent.insight_courses import GROUPS, course, groups_chart
from agent.insight_document import Block, Entry, Quote, Section, Table
from agent.insight_headlines import Comparisons, tone
from agent.insight_run import InsightRun
from agent.insight_wording import capital, in_a_row, metric_title, named, signed
from agent.insight_words import say
from agent.phrases import phrase
from agent.wording import amount, change, conditions, number, percent
from tools.dimensions import dimension_title

_CAUSES = 2
_QUOTES = 3
_QUOTE_CHARACTERS = 200
_CAUSE_FACTS = ("conditions", "topic", "evidence_grade", "scope", "share", "after", "n_after")


def find_cause(run: InsightRun, compared: Comparisons) -> dict[str, Any] | None:
    """root_cause of the default metric's change, else of the negative share's; None where neither changed."""
    for metric in (run.metric, "negative_share"):
        result = compared.get(metric)
        if result and result["data"]["significant"]:
            return run.attempt(
                "root_cause", metric=metric, period=run.span, compare_to=run.before, limit=_CAUSES
            )
    return None


def changes(run: InsightRun, compared: Comparisons, cause: dict[str, Any] | None) -> Section:
    """The section of changes: each significant one, the causes, how the default metric moved."""
    language = run.language
    significant = {m: r for m, r in compared.items() if r["data"]["significant"]}
    entries = [_entry(metric, result, run) for metric, result in significant.items()]
    if cause is not None:
        entries += _causes(cause, run)
    if significant:
        lead = say("changed_lead", language, before=run.comparison.label)
    else:
        names = phrase("and", language).join(metric_title(m, r["data"], run) for m, r in compared.items())
        lead = say("no_significant", language, before=run.comparison.label, metrics=names)
    main = compared[run.metric]["data"]
    drawn = course(run)
    blocks: list[Block] = [*([] if drawn is None else [drawn]), *entries]
    if main["significant"] and main["contributions"]:
        blocks += [groups_chart(main, run), _groups_table(main, run)]
    return Section(key="changes", title=say("section_changes", language), lead=lead, blocks=tuple(blocks))


def _entry(metric: str, result: dict[str, Any], run: InsightRun) -> Entry:
    data, language = result["data"], run.language
    key = "change_rose" if data["change"] > 0 else "change_fell"
    title = metric_title(metric, data, run)
    details = []
    if data["by"] and data["mix_effect"] is not None and metric != "volume":
        details.append(
            say(
                "mix_rate",
                language,
                dimension=dimension_title(data["by"], language),
                mix=signed(metric, data["mix_effect"], run),
                rate=signed(metric, data["rate_effect"], run),
            )
        )
    return Entry(
        title=capital(say(key, language, metric=title, change=change(metric, data["change"], language)), run),
        tone=tone(metric, data, run),
        text=say(
            "change_text",
            language,
            before=amount(metric, data["before"]),
            n_before=number(data["n_before"]),
            after=amount(metric, data["after"]),
            n=number(data["n_after"]),
            low=signed(metric, data["ci_low"], run),
            high=signed(metric, data["ci_high"], run),
        ),
        details=tuple(details),
        facts={
            k: data[k] for k in ("metric", "before", "after", "change", "mix_effect", "rate_effect", "by")
        },
    )


def _causes(result: dict[str, Any], run: InsightRun) -> list[Entry]:
    language, data = run.language, result["data"]
    if data["verdict"] != "cause_found":
        text = say("no_cause", language, reason=data["reason"]).strip()
        return [Entry(title=text, facts={"verdict": data["verdict"]})]
    return [_cause(cause, data["metric"], first=at == 0, run=run) for at, cause in enumerate(data["causes"])]


def _cause(cause: dict[str, Any], metric: str, *, first: bool, run: InsightRun) -> Entry:
    language = run.language
    sentences = [
        say(
            "cause_text",
            language,
            metric=metric_title(metric, cause, run),
            after=amount(metric, cause["after"]),
            n=number(cause["n_after"]),
            rest=amount(metric, cause["rest_after"]),
        )
    ]
    if cause["before"] is None:
        sentences.append(say("cause_new", language))
    else:
        sentences.append(say("cause_was", language, before=amount(metric, cause["before"])))
    if cause["share"] is not None:
        sentences.append(say("cause_share", language, share=percent(cause["share"])))
    details = []
    if cause["theme"]:
        details.append(say("cause_topic", language, topic=cause["theme"]))
    details.append(say("cause_scope", language, scope=named("scope", cause["scope"], run)))
    if cause["department"]:
        details.append(say("cause_owner", language, department=cause["department"]))
    label = conditions(cause["conditions"], run.frame)
    return Entry(
        title=say("cause_title" if first else "cause_more", language, cause=label),
        badge=named("grade", cause["evidence_grade"], run),
        text=in_a_row(sentences, run),
        details=(in_a_row(details, run),),
        quotes=_cause_quotes(cause, run) if first else (),
        facts={key: cause[key] for key in _CAUSE_FACTS},
    )


def _cause_quotes(cause: dict[str, Any], run: InsightRun) -> tuple[Quote, ...]:
    """What customers of that part say, on the topic of the cause where there is one."""
    narrowed: dict[str, Any] = {**cause["conditions"]}
    if cause["topic"]:
        narrowed["topic"] = cause["topic"]
    found = run.attempt(
        "search_feedback", period=run.span, filters={**narrowed, "sentiment": "negative"}, limit=_QUOTES * 2
    )
    return quotes(found["data"]["items"] if found else [])


def quotes(items: list[dict[str, Any]], most: int = _QUOTES) -> tuple[Quote, ...]:
    """Items as quotes: each text once, cut where it is long."""
    found: dict[str, Quote] = {}
    for item in items:
        text = " ".join(item["text"].split())
        if text:
            short = text if len(text) <= _QUOTE_CHARACTERS else text[:_QUOTE_CHARACTERS] + "…"
            found.setdefault(text, Quote(feedback_id=item["id"], text=short))
    return tuple(found.values())[:most]


def _groups_table(data: dict[str, Any], run: InsightRun) -> Table:
    language, metric = run.language, data["metric"]
    shown = dimension_title(data["by"], language)
    empty = say("no_value", language)
    return Table(
        caption=say("groups_caption", language, dimension=shown, metric=metric_title(metric, data, run)),
        columns=(
            capital(shown, run),
            run.comparison.label,
            run.period.label,
            say("col_total", language),
            say("col_n", language),
        ),
        numeric=(False, True, True, True, True),
        rows=tuple(
            (
                str(row["label"]),
                empty if row["before"] is None else amount(metric, row["before"]),
                empty if row["after"] is None else amount(metric, row["after"]),
                empty if row["total"] is None else signed(metric, row["total"], run),
                number(row["n_after"]),
            )
            for row in data["contributions"][:GROUPS]
        ),
    )
