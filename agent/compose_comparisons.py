"""Sentences about rivals, the industry and the stages of the journey."""

from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import amount, change, metric_name, number, percent, scope

_LISTED = 6


def compose_competitors(frame: Frame, result: dict[str, Any]) -> str:
    """Rivals by how often they are named, their topics, and how those who name one score."""
    language, data = frame.language, result["data"]
    where = scope(result, frame)
    if not data["competitors"]:
        return phrase("rivals_none", language, where=where)
    lines = [phrase("rivals_head", language, where=where, n=number(data["named"]))]
    for row in data["competitors"][:_LISTED]:
        line = phrase(
            "rival_line", language, name=row["name"], n=number(row["n"]), share=percent(row["share"])
        )
        if row["topics"]:
            topics = phrase("and", language).join(topic["label"] for topic in row["topics"])
            line += phrase("rival_topics", language, topics=topics)
        lines.append(line)
    against = data["against_others"]
    if against and against["significant"]:
        metric = against["metric"]
        told = {
            "metric": metric_name(metric, frame),
            "naming": amount(metric, against["naming_a_rival"]),
            "others": amount(metric, against["others"]),
            "difference": change(metric, against["difference"], language),
        }
        lines.append(phrase("rivals_against", language, **told))
    return "\n".join(lines)


def compose_industry(frame: Frame, result: dict[str, Any]) -> str:
    """Own problems first, each share beside the industry's."""
    language, data = frame.language, result["data"]
    where = scope(result, frame)
    if not data["problems"]:
        return phrase("industry_none", language, where=where)
    lines = [phrase("industry_head", language, where=where, own=number(data["own"]))]
    for row in data["problems"][:_LISTED]:
        if row["share"] is None:
            continue
        judged = phrase(f"value_scope_{row['scope']}", language)
        values = {"label": row["label"], "share": percent(row["share"]), "judged": judged}
        lines.append(phrase("industry_line", language, rate=percent(row["industry_rate"]), **values))
    return "\n".join(lines)


def compose_journey(frame: Frame, result: dict[str, Any]) -> str:
    """The painful step first, then every stage with its negative share."""
    language, data = frame.language, result["data"]
    where = scope(result, frame)
    stages = [row for row in data["stages"] if row["negative_share"] is not None]
    if not stages:
        return phrase("quotes_none", language, scope=where)
    painful = next((row for row in stages if row["key"] == data["painful"]), None)
    if painful is None:
        lines = [phrase("journey_even", language, where=where)]
    else:
        values = {"label": painful["label"], "share": percent(painful["negative_share"])}
        pain = percent(painful["pain"])
        lines = [phrase("journey_painful", language, where=where, pain=pain, **values)]
    for row in stages:
        topics = phrase("and", language).join(topic["label"] for topic in row["topics"])
        shown = {"label": row["label"], "share": percent(row["negative_share"]), "n": number(row["n"])}
        line = phrase("journey_line", language, **shown)
        lines.append(line + (phrase("rival_topics", language, topics=topics) if topics else ""))
    return "\n".join(lines)
