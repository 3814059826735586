"""Sentences about causes, themes and customers' own words."""

from typing import Any

from agent.frame import Frame
from agent.phrases import Language, name, phrase
from agent.wording import amount, conditions, metric_name, number, percent, scope

_CAUSES = 3
_QUOTE_CHARACTERS = 160


def compose_causes(frame: Frame, result: dict[str, Any]) -> str:
    """The first cause with its figures and grade; the others in a line each; rivals; or no cause."""
    language, data = frame.language, result["data"]
    if data["verdict"] != "cause_found":
        return phrase("no_cause", language, reason=data["reason"]).strip()
    first, *more = data["causes"][:_CAUSES]
    level = data["mode"] == "level"
    key = "cause_level" if level else "cause_new" if first["before"] is None else "cause_first"
    lines = [phrase(key, language, **_cause_facts(first, data["metric"], frame))]
    if first["theme"]:
        lines.append(phrase("cause_theme", language, theme=first["theme"]))
    if more:
        lines.append(phrase("cause_more", language))
        key = "cause_line_level" if level else "cause_line"
        lines += [phrase(key, language, **_cause_facts(cause, data["metric"], frame)) for cause in more]
    if data["rivals"]:
        separator = phrase("list_separator", language)
        names = separator.join(conditions(rival["conditions"], frame) for rival in data["rivals"][:_CAUSES])
        lines.append(phrase("rivals", language, names=names))
    return "\n".join(lines)


def _cause_facts(cause: dict[str, Any], metric: str, frame: Frame) -> dict[str, str]:
    language = frame.language
    levels = {
        key: amount(metric, cause[key])
        for key in ("before", "after", "rest_before", "rest_after")
        if cause[key] is not None
    }
    share = cause["share"]
    return levels | {
        "conditions": conditions(cause["conditions"], frame),
        "metric": metric_name(metric, frame),
        **{
            name: phrase(f"cause_{name}", language, share=percent(share)) if share is not None else ""
            for name in ("explains", "part")
        },
        "n": number(cause["n_after"]),
        "grade": name(f"value_grade_{cause['evidence_grade']}", language, cause["evidence_grade"]),
        "scope": name(f"value_scope_{cause['scope']}", language, cause["scope"]),
    }


def compose_themes(frame: Frame, result: dict[str, Any]) -> str:
    """Themes in order, with size, share, negativity, heat and trend."""
    language = frame.language
    themes = result["data"]["themes"]
    if not themes:
        return phrase("themes_none" if result["n"] else "quotes_none", language, scope=scope(result, frame))
    lines = [phrase("themes_head", language, n=number(result["n"]), scope=scope(result, frame))]
    shown = enumerate(themes[: frame.limit or 8], start=1)
    return "\n".join([*lines, *[_theme_line(rank, theme, language) for rank, theme in shown]])


def compose_theme(frame: Frame, result: dict[str, Any]) -> str:
    """One theme with its figures, and what is said in it."""
    if not result["n"]:
        return phrase("quotes_none", frame.language, scope=scope(result, frame))
    data = result["data"]
    lines = [_theme_line(1, data, frame.language)]
    lines += [_quote_line(item, frame.language) for item in data["examples"] if item["text"]]
    return "\n".join(lines)


def _theme_line(rank: int, theme: dict[str, Any], language: Language) -> str:
    return phrase(
        "theme_line",
        language,
        rank=rank,
        label=theme_label(theme, language),
        size=number(theme["size"]),
        share=percent(theme["share"]),
        negative=percent(theme["negative_share"] or 0.0),
        heat=number(theme["heat"]),
        trend=name(f"value_trend_{theme['trend']}", language, phrase("theme_trend_unknown", language)),
    )


def theme_label(theme: dict[str, Any], language: Language) -> str:
    """A theme by its topic and the phrases that set it apart."""
    topic = theme.get("topic_label")
    if not topic:
        return str(theme["label"])
    return phrase("theme_label", language, topic=topic, label=theme["label"])


def compose_quotes(frame: Frame, result: dict[str, Any]) -> str:
    """Customers' words with their ids."""
    language, asked = frame.language, "quotes" in frame.goals
    items = [item for item in result["data"]["items"] if item.get("text")]
    if not items:
        return phrase("quotes_none", language, scope=scope(result, frame)) if "quotes" in frame.goals else ""
    asked = "quotes" in frame.goals
    head = phrase("quotes_found" if asked else "quotes_head", language, n=number(result["n"]))
    lines = [head]
    return "\n".join([*lines, *[_quote_line(item, language) for item in items[: frame.limit or 5]]])


def _quote_line(item: dict[str, Any], language: Language) -> str:
    text = item["text"].replace("\n", " ").strip()
    if len(text) > _QUOTE_CHARACTERS:
        text = text[:_QUOTE_CHARACTERS] + "…"
    return phrase("quote_line", language, text=text, id=item["id"])
