"""An insight report as one HTML file: styles, charts and font inside, no outside address, no script."""

import base64
from functools import lru_cache
from html import escape
from pathlib import Path

from agent.insight_document import Chart, Entry, Headline, InsightDocument, Section, Table
from agent.insight_words import say
from agent.report_charts import draw, themed
from agent.report_fonts import FAMILY, woff
from agent.report_markdown import visible

# A table of more columns fills the page, and scrolls on a phone.
_FEW_COLUMNS = 3
_LANGUAGES = {"zh": "zh-Hans", "en": "en"}


def render_html(document: InsightDocument) -> str:
    """The report as a page for light and dark, phone to wide, and print."""
    body = "\n".join(
        [
            f"<header><h1>{_text(document.title)}</h1>",
            f'<p class="about">{_text(document.period.label)} · {_text(document.scope)} · '
            f"{_text(say('against', document.language, before=document.comparison.label))}</p></header>",
            f'<p class="summary">{_text(document.summary)}</p>',
            _headlines(document),
            *(_section(section) for section in document.sections),
            f"<footer>{_text(document.footer)}</footer>",
        ]
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{_LANGUAGES[document.language]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(document.title)} · {_text(document.period.label)}</title>\n"
        f"<style>\n{_font(body)}\n{_style()}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _headlines(document: InsightDocument) -> str:
    if not document.headlines:
        return ""
    cards = "".join(_card(one) for one in document.headlines)
    label = _text(say("headlines_title", document.language))
    return f'<section class="cards" aria-label="{label}">{cards}</section>'


def _card(one: Headline) -> str:
    interval = f'<p class="interval">{_text(one.interval)}</p>' if one.interval else ""
    return (
        f'<div class="card"><p class="name">{_text(one.title)}</p><p class="value">{_text(one.value)}</p>'
        f'<p class="change {one.tone}">{_text(one.change)}</p>{interval}</div>'
    )


def _section(section: Section) -> str:
    parts = [f'<section id="{_text(section.key)}"><h2>{_text(section.title)}</h2>']
    if section.lead:
        parts.append(f"<p>{_text(section.lead)}</p>")
    if section.key == "next" and section.entries:
        steps = "".join(f"<li>{_text(entry.title)}</li>" for entry in section.entries)
        parts.append(f"<ol>{steps}</ol>")
    else:
        parts += [_block(block) for block in section.blocks]
    if section.notes:
        parts.append("<ul>" + "".join(f"<li>{_text(note)}</li>" for note in section.notes) + "</ul>")
    return "\n".join([*parts, "</section>"])


def _block(block: Entry | Table | Chart) -> str:
    if isinstance(block, Entry):
        return _entry(block)
    return _table(block) if isinstance(block, Table) else _chart(block)


def _entry(entry: Entry) -> str:
    badge = f' <span class="badge {entry.tone}">{_text(entry.badge)}</span>' if entry.badge else ""
    parts = [f"<article><h3>{_text(entry.title)}{badge}</h3>"]
    if entry.text:
        parts.append(f"<p>{_text(entry.text)}</p>")
    parts += [f'<p class="detail">{_text(detail)}</p>' for detail in entry.details]
    parts += [
        f"<blockquote><bdi>{_text(quote.text)}</bdi> <cite>[{_text(quote.feedback_id)}]</cite></blockquote>"
        for quote in entry.quotes
    ]
    return "".join([*parts, "</article>"])


def _table(table: Table) -> str:
    classed = ' class="figure"'

    def cells(tag: str, row: tuple[str, ...]) -> str:
        return "".join(
            f"<{tag}{classed if right else ''}>{_text(cell)}</{tag}>"
            for cell, right in zip(row, table.numeric, strict=True)
        )

    wide = " wide" if len(table.columns) > _FEW_COLUMNS else ""
    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    return (
        f'<div class="table{wide}"><table><caption>{_text(table.caption)}</caption>'
        f"<thead><tr>{cells('th', table.columns)}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _chart(chart: Chart) -> str:
    return (
        f'<figure role="img" aria-label="{_text(chart.summary)}"><h3>{_text(chart.title)}</h3>'
        f'<div class="chart">{themed(draw(chart))}</div>'
        f"<figcaption>{_text(chart.summary)}</figcaption></figure>"
    )


def _text(text: str) -> str:
    return escape(visible(text), quote=True)


def _font(body: str) -> str:
    """The characters of the page as a font inside it: no Chinese font need be installed."""
    body64 = base64.b64encode(woff("".join(sorted(set(body))))).decode()
    return (
        f'@font-face {{ font-family: "{FAMILY}"; font-weight: 100 900; '
        f'src: local("{FAMILY}"), url(data:font/woff;base64,{body64}) format("woff"); }}'
    )


@lru_cache(maxsize=1)
def _style() -> str:
    return Path(__file__).with_name("report_style.css").read_text(encoding="utf-8")
