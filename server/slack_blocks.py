"""Markdown as Slack's Block Kit: sections of mrkdwn, headers, tables; and long answers as several messages.

Limits: docs.slack.dev/reference/block-kit/blocks (section 3,000 characters, header 150, table 100 rows by 20
columns and one a message) and chat.postMessage (50 blocks; beyond some 13,000 characters over all blocks it
answers msg_blocks_too_long).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

Block = dict[str, Any]

MOST_BLOCKS: Final = 50
MOST_CHARACTERS: Final = 12_000
SECTION: Final = 3_000
_HEADER: Final = 150
_ROWS, _COLUMNS, _TABLE_CHARACTERS = 100, 20, 10_000
# Where a long text may be cut, the best place first.
_CUTS: Final = ("\n\n", "\n", "。", "！", "？", "；", ". ", "; ", "，", ", ", " ")
# Slack takes `*` for bold only at the edge of a word, and Chinese has no spaces there.
_EDGE: Final = "\u200b"
# A full feedback id; eight digits of it are enough to find it by, and let the sentence be read.
_CITATION: Final = re.compile(r"\[([0-9a-f]{8})[0-9a-f]{24}\]")


def messages_of(markdown: str) -> list[list[Block]]:
    """The blocks of an answer, as many messages as it takes; at least one."""
    return list(_packed(blocks_of(markdown))) or [[]]


def blocks_of(markdown: str) -> list[Block]:
    """The blocks of an answer; texts that follow each other share a section."""
    from markdown_it.tree import SyntaxTreeNode

    tree = SyntaxTreeNode(_reader().parse(_CITATION.sub(r"[\1]", markdown)))
    blocks: list[Block] = []
    texts: list[str] = []
    for node in tree.children:
        block = _block(node)
        if block is None:
            texts.append(_text(node))
            continue
        blocks += _sections(texts)
        texts = []
        blocks.append(block)
    return blocks + _sections(texts)


def escaped(text: str) -> str:
    """Text that stands for itself: no mention, no channel, no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(text: str) -> Block:
    """A section of mrkdwn, cut where it is too long."""
    shown = text if len(text) <= SECTION else text[: SECTION - 1] + "…"
    return {"type": "section", "text": {"type": "mrkdwn", "text": shown}}


def context(text: str) -> Block:
    """A line in small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:SECTION]}]}


def pieces(text: str, most: int = SECTION) -> Iterator[str]:
    """A text in pieces of at most `most` characters, cut between paragraphs, lines or sentences."""
    while len(text) > most:
        at = next((cut for mark in _CUTS if (cut := _cut(text, mark, most))), most)
        # A character reference (&amp;) must not be torn apart.
        if (opened := text.rfind("&", max(0, at - 5), at)) >= 0 and ";" not in text[opened:at]:
            at = opened
        yield text[:at].rstrip()
        text = text[at:].lstrip()
    if text:
        yield text


def plain(markdown: str) -> str:
    """The beginning of an answer without markup, for notifications and screen readers."""
    from markdown_it.tree import SyntaxTreeNode

    tree = SyntaxTreeNode(_reader().parse(markdown))
    words = " ".join(_bare(node) for node in tree.children)
    return words if len(words) <= SECTION else words[: SECTION - 1] + "…"


def _cut(text: str, mark: str, most: int) -> int:
    """The last place for a cut within `most`, unless that leaves less than a third."""
    at = text.rfind(mark, 0, most - len(mark) + 1)
    return at + len(mark) if at > most // 3 else 0


def _packed(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks by message, within the limits of one."""
    message: list[Block] = []
    size = tables = 0
    for block in blocks:
        weight, table = _weight(block), block["type"] == "table"
        full = len(message) == MOST_BLOCKS or size + weight > MOST_CHARACTERS or (table and tables)
        if message and full:
            yield message
            message, size, tables = [], 0, 0
        message.append(block)
        size, tables = size + weight, tables + table
    if message:
        yield message


def _weight(block: Block) -> int:
    if block["type"] == "table":
        return sum(len(cell["text"]) for row in block["rows"] for cell in row)
    return len(block.get("text", {}).get("text", ""))


def _sections(texts: Sequence[str]) -> list[Block]:
    joined = "\n\n".join(text for text in texts if text.strip())
    return [section(piece) for piece in pieces(joined)]


def _block(node: "SyntaxTreeNode") -> Block | None:
    """The block of a node that is no running text."""
    if node.type == "hr":
        return {"type": "divider"}
    if node.type == "heading" and node.tag in ("h1", "h2") and 0 < len(words := _bare(node)) <= _HEADER:
        return {"type": "header", "text": {"type": "plain_text", "text": words, "emoji": False}}
    return _table(node) if node.type == "table" else None


def _table(node: "SyntaxTreeNode") -> Block | None:
    """A table as a block; None where it is beyond the limits of one, and set in type of one width then."""
    rows = [[_bare(cell) for cell in row.children] for part in node.children for row in part.children]
    size = sum(len(cell) for row in rows for cell in row)
    if len(rows) > _ROWS or any(len(row) > _COLUMNS for row in rows) or size > _TABLE_CHARACTERS:
        return None
    settings = [
        {"align": _alignment(cell), "is_wrapped": True} for cell in node.children[0].children[0].children
    ]
    cells = [[{"type": "raw_text", "text": cell or "–"} for cell in row] for row in rows]
    return {"type": "table", "column_settings": settings, "rows": cells}


def _alignment(cell: "SyntaxTreeNode") -> str:
    style = str(cell.attrs.get("style", ""))
    return next((one for one in ("right", "center") if one in style), "left")


def _text(node: "SyntaxTreeNode", depth: int = 0) -> str:
    """A node as mrkdwn."""
    if node.type in ("bullet_list", "ordered_list"):
        first = int(node.attrs.get("start", 1))
        marks = (f"{first + at}." if node.type == "ordered_list" else "•" for at in range(len(node.children)))
        lines = (_item(mark, item, depth) for mark, item in zip(marks, node.children, strict=True))
        return "\n".join(lines)
    if node.type == "blockquote":
        inner = "\n".join(_text(child, depth) for child in node.children)
        return "\n".join(f"> {line}" for line in inner.split("\n"))
    if node.type in ("fence", "code_block"):
        return f"```\n{escaped(node.content.rstrip())}\n```"
    if node.type == "table":
        rows = [
            " | ".join(_bare(cell) for cell in row.children)
            for part in node.children
            for row in part.children
        ]
        return "```\n" + escaped("\n".join(rows)) + "\n```"
    if node.type == "heading":
        return _marked("*", _bare(node))
    if node.type in ("paragraph", "inline"):
        return "".join(_inline(child) for child in node.children)
    return escaped(node.content)


def _item(mark: str, item: "SyntaxTreeNode", depth: int) -> str:
    indent = "    " * depth
    parts = []
    for child in item.children:
        nested = child.type in ("bullet_list", "ordered_list")
        parts.append(_text(child, depth + 1) if nested else _text(child).replace("\n", f"\n{indent}  "))
    return f"{indent}{mark} " + "\n".join(parts)


def _inline(node: "SyntaxTreeNode") -> str:
    if node.type == "text":
        return escaped(node.content)
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type == "code_inline":
        return f"`{escaped(node.content)}`"
    inner = "".join(_inline(child) for child in node.children) if node.children else escaped(node.content)
    if node.type in ("strong", "em", "s"):
        return _marked({"strong": "*", "em": "_", "s": "~"}[node.type], inner)
    if node.type == "link":
        address = str(node.attrs.get("href", ""))
        return f"<{escaped(address)}|{inner}>" if address.startswith(("https://", "http://")) else inner
    return inner


def _marked(mark: str, inner: str) -> str:
    return f"{_EDGE}{mark}{inner}{mark}{_EDGE}" if inner.strip() else inner


def _bare(node: "SyntaxTreeNode") -> str:
    """The words of a node alone."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    if not node.children:
        return node.content if node.type != "root" else ""
    between = (
        " " if node.type in ("bullet_list", "ordered_list", "list_item", "table", "tr", "blockquote") else ""
    )
    return between.join(_bare(child) for child in node.children)


@lru_cache(maxsize=1)
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # No HTML and no addresses made links by themselves: what a customer wrote is text.
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
