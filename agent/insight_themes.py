"""What customers talk about: the hottest themes with quotes, and what is new or growing."""

from typing import Any

from agent.compose_causes import theme_label
from agent.insight_changes import quotes
from agent.insight_document import Chart, Entry, Section, Series, Table
from agent.insight_run import InsightRun
from agent.insight_wording import capital, in_a_row
from agent.insight_words import say
from agent.phrases import name, phrase
from agent.wording import number, percent

_LISTED = 8
_SHOWN_FROM = 3
_QUOTED = 4
_QUOTES = 2
_PROBLEMS = 4
_BURSTS = 4
_SEARCHED = 40
# A theme that grows is a problem where at least so much of it is negative.
_BAD = 0.5
_FEW = 5


def themes(run: InsightRun) -> Section:
    """The hottest themes: table, chart, and customers' words on the first of them."""
    language = run.language
    result = run.call("list_themes", period=run.span, sort="heat", limit=_LISTED)
    data = result["data"]
    # A day has themes of one item each: what is said once is not what customers talk about.
    rows = [theme for theme in data["themes"] if theme["size"] >= _SHOWN_FROM]
    title = say("section_themes", language)
    if not rows:
        notes = tuple(result["caveats"]) or (say("themes_none", language),)
        return Section(key="themes", title=title, notes=notes)
    quoted = [theme for theme in rows[:_QUOTED] if theme["exemplars"]]
    return Section(
        key="themes",
        title=title,
        lead=say("themes_lead", language, items=number(result["n"]), themed=number(data["in_themes"])),
        blocks=(_table(rows, run), _chart(rows, run), *(_quoted(theme, run) for theme in quoted)),
    )


def _quoted(theme: dict[str, Any], run: InsightRun) -> Entry:
    return Entry(
        title=theme_label(theme, run.language),
        quotes=quotes(theme["exemplars"], _QUOTES),
        facts={k: theme[k] for k in ("theme_id", "size", "share", "negative_share", "heat", "trend")},
    )


def _table(rows: list[dict[str, Any]], run: InsightRun) -> Table:
    language = run.language
    columns = ("col_theme", "col_size", "col_share", "col_negative", "col_trend")
    return Table(
        caption=say("themes_caption", language),
        columns=tuple(say(column, language) for column in columns),
        numeric=(False, True, True, True, False),
        rows=tuple(
            (
                theme_label(theme, language),
                number(theme["size"]),
                percent(theme["share"]),
                "–" if theme["negative_share"] is None else percent(theme["negative_share"]),
                capital(name(f"value_trend_{theme['trend']}", language, "–"), run),
            )
            for theme in rows
        ),
    )


def _chart(rows: list[dict[str, Any]], run: InsightRun) -> Chart:
    language = run.language
    negative = [theme["size"] * (theme["negative_share"] or 0.0) for theme in rows]
    return Chart(
        kind="stacked",
        title=say("chart_themes", language),
        unit="number",
        labels=tuple(theme_label(theme, language) for theme in rows),
        series=(
            Series(name=say("series_negative", language), values=tuple(negative)),
            Series(
                name=say("series_other", language),
                values=tuple(theme["size"] - part for theme, part in zip(rows, negative, strict=True)),
            ),
        ),
        summary=say("chart_themes_text", language),
    )


def problems(run: InsightRun) -> Section:
    """Themes that are new, or mostly negative and growing; and days with more complaints than expected."""
    entries = [*_theme_problems(run), *_bursts(run)]
    return Section(
        key="problems",
        title=say("section_problems", run.language),
        blocks=tuple(entries),
        notes=() if entries else (say("problems_none", run.language),),
    )


def _theme_problems(run: InsightRun) -> list[Entry]:
    result = run.call("list_themes", period=run.span, sort="rising", limit=_SEARCHED)
    first_day = run.period.start[:10]
    found = []
    for theme in result["data"]["themes"]:
        new = theme["trend"] == "new" or (theme["first_seen"] or "") >= first_day
        growing = theme["trend"] == "rising"
        bad = (theme["negative_share"] or 0.0) >= _BAD
        if bad and theme["size"] >= _FEW and (new or growing):
            found.append(_theme_problem(theme, new=new, run=run))
    return found[:_PROBLEMS]


def _theme_problem(theme: dict[str, Any], *, new: bool, run: InsightRun) -> Entry:
    language = run.language
    figures = {"now": number(theme["recent"]), "negative": percent(theme["negative_share"])}
    if theme["before"] is None:
        sentences = [say("problem_theme_alone", language, **figures)]
    else:
        sentences = [say("problem_theme_text", language, past=number(theme["before"]), **figures)]
    if new and theme["first_seen"]:
        sentences.append(say("problem_first", language, day=theme["first_seen"]))
    if theme["places"]:
        place = theme["places"][0]
        sentences.append(say("problem_place", language, place=place["label"], share=percent(place["share"])))
    return Entry(
        title=theme_label(theme, language),
        badge=say("problem_new" if new else "problem_rising", language),
        tone="bad",
        text=in_a_row(sentences, run),
        quotes=quotes(theme["exemplars"], 1),
        facts={k: theme[k] for k in ("theme_id", "size", "recent", "before", "negative_share", "first_seen")},
    )


def _bursts(run: InsightRun) -> list[Entry]:
    result = run.attempt("detect_anomalies", period=run.span, limit=_BURSTS * 2)
    rising = [one for one in (result["data"]["anomalies"] if result else []) if one["direction"] == "up"]
    return [_burst(one, run) for one in rising[:_BURSTS]]


def _burst(one: dict[str, Any], run: InsightRun) -> Entry:
    language = run.language
    key = "problem_burst_day" if one["start"] == one["end"] else "problem_burst_text"
    sentences = [
        say(
            key,
            language,
            start=one["start"],
            end=one["end"],
            observed=f"{one['observed']:.1f}",
            expected=f"{one['expected']:.1f}",
            n=number(one["n"]),
        )
    ]
    if one["notes"]:
        events = dict.fromkeys(note["name"] for note in one["notes"])
        sentences.append(say("problem_also", language, events=phrase("and", language).join(events)))
    return Entry(
        title=one["scope_label"],
        badge=say("problem_burst", language),
        tone="bad",
        text=in_a_row(sentences, run),
        facts={k: one[k] for k in ("start", "end", "scope", "observed", "expected", "n", "score")},
    )
