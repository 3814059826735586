"""Sentences about segments of customers."""

from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import number, percent, scope


def compose_segments(frame: Frame, result: dict[str, Any]) -> str:
    """Each segment with its size, what sets it apart and what it talks about."""
    language, data = frame.language, result["data"]
    where = scope(result, frame)
    if not data["segments"]:
        return phrase("segments_none", language, where=where)
    head = {"n": number(len(data["segments"])), "customers": number(data["customers"])}
    lines = [phrase("segments_head", language, where=where, **head)]
    for row in data["segments"]:
        shown = {"label": row["label"], "n": number(row["n"]), "share": percent(row["share"])}
        line = phrase("segment_line", language, **shown)
        topics = phrase("and", language).join(topic["label"] for topic in row["topics"])
        lines.append(line + (phrase("rival_topics", language, topics=topics) if topics else ""))
    return "\n".join(lines)
