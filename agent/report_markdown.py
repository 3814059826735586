"""An insight report as Markdown. Customers' words and names are escaped: they cannot become markup."""

import re

from agent.insight_document import Chart, Entry, InsightDocument, Section, Table
from agent.insight_words import say

# What CommonMark and GitHub's tables give a meaning to, and what starts an HTML tag or an entity.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
_LINE_START = re.compile(r"^(\d*)([-+=.)])(?=\s|[-=]|$)")
# No character of its own on the page, yet it can hide or reorder others.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")


def render_markdown(document: InsightDocument) -> str:
    """The report as CommonMark with GitHub tables; charts are given by their tables and captions."""
    parts = [
        f"# {escaped(document.title)}",
        f"{escaped(document.period.label)} · {escaped(document.scope)} · "
        + escaped(say("against", document.language, before=document.comparison.label)),
        escaped(document.summary),
    ]
    if document.headlines:
        parts.append(f"## {say('headlines_title', document.language)}")
        parts.append(
            "\n".join(
                f"- **{escaped(one.title)} {escaped(one.value)}**"
                + "".join(f" · {escaped(text)}" for text in (one.change, one.interval) if text)
                for one in document.headlines
            )
        )
    for section in document.sections:
        parts += _section(section)
    parts.append(f"---\n\n{escaped(document.footer)}")
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    parts = [f"## {escaped(section.title)}"]
    if section.lead:
        parts.append(escaped(section.lead))
    if section.key == "next":
        parts.append("\n".join(f"{at}. {escaped(e.title)}" for at, e in enumerate(section.entries, start=1)))
    else:
        parts += [_block(block) for block in section.blocks]
    if section.notes:
        parts.append("\n".join(f"- {escaped(note)}" for note in section.notes))
    return [part for part in parts if part]


def _block(block: Entry | Table | Chart) -> str:
    if isinstance(block, Entry):
        return _entry(block)
    return _table(block) if isinstance(block, Table) else f"*{escaped(block.summary)}*"


def _entry(entry: Entry) -> str:
    badge = f" *{escaped(entry.badge)}*" if entry.badge else ""
    lines = [f"### {escaped(entry.title)}{badge}", escaped(entry.text), *map(escaped, entry.details)]
    lines += [f"> {escaped(quote.text)} [{escaped(quote.feedback_id)}]" for quote in entry.quotes]
    return "\n\n".join(line for line in lines if line)


def _table(table: Table) -> str:
    rows = [
        "| " + " | ".join(escaped(cell) for cell in table.columns) + " |",
        "|" + "|".join(" ---: " if right else " --- " for right in table.numeric) + "|",
        *("| " + " | ".join(escaped(cell) for cell in row) + " |" for row in table.rows),
    ]
    return f"**{escaped(table.caption)}**\n\n" + "\n".join(rows)


def escaped(text: str) -> str:
    """Text that stands for itself in Markdown, on one line."""
    one_line = " ".join(visible(text).split())
    return _LINE_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", one_line))


def visible(text: str) -> str:
    """Text without characters that are invisible, turn its direction, or are no characters at all."""
    return _INVISIBLE.sub("", text).encode("utf-8", "replace").decode()
