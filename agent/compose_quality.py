"""Sentences about the data itself."""

from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import number, percent, scope, value_name

_EMPTIEST = 4


def compose_quality(frame: Frame, result: dict[str, Any]) -> str:
    """How much there is, what is missing, what is repeated, what was refused."""
    language, data = frame.language, result["data"]
    if not result["n"]:
        return phrase("quotes_none", language, scope=scope(result, frame))
    texts, ingestion = data["texts"], data["ingestion"]
    where = scope(result, frame)
    lines = [phrase("quality_head", language, scope=where, n=number(data["items"]))]
    lines.append(
        phrase(
            "quality_texts",
            language,
            with_text=number(texts["with_text"]),
            share=percent(texts["share"]),
            repeated=number(texts["repeated"]),
            undated=number(data["undated"]),
        )
    )
    gaps = [field for field in data["fields"] if field["share"] is not None and field["share"] < 1]
    if gaps:
        shown = [f"{field['label']} {percent(field['share'])}" for field in gaps[:_EMPTIEST]]
        lines.append(phrase("quality_gaps", language, fields=phrase("and", language).join(shown)))
    channels = [f"{value_name('channel', c['key'], frame)} {percent(c['share'])}" for c in data["channels"]]
    lines.append(phrase("quality_channels", language, channels=phrase("and", language).join(channels)))
    if ingestion:
        counts = {key: number(ingestion[key]) for key in ("read", "stored", "duplicates", "rejected")}
        lines.append(phrase("quality_ingestion", language, **counts))
    return "\n".join(lines)
