"""The same report in four formats: the same figures, customers' words as words, nothing from outside."""

import io
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from pypdf import PdfReader

from agent.insight_document import Entry, InsightDocument, Language, Quote, Section
from agent.insights import build_insights
from agent.report_fonts import drawable
from agent.report_html import render_html
from agent.report_markdown import escaped, render_markdown
from agent.report_pdf import render_pdf
from tests.tools_world import shared

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="fetch(`http://evil.example`)">',
    "# heading\n- list **bold** [link](http://evil.example) | cell |",
    '#import "@preview/evil:1.0.0" $x^2$ #read("/etc/passwd") ]] {{ }} @cite <label>',
    "zero\u200bwidth \u202ereversed\u202c \ufeffmark",
    "emoji 😀🎉👍🏽👨\u200d👩\u200d👧 ☎️",
    "عربي עברית 한국어 ไทย",
    "W" * 400,
    "超" * 300,
    "half \ud83d a character",
    "&amp; &lt; \\ ` ~ _ * ![x](y)",
)


@cache
def report(language: Language = "zh") -> InsightDocument:
    """A monthly report of the shared world, made once."""
    return build_insights(shared(), kind="monthly", metric="nps", language=language).document


@cache
def page(language: Language = "zh") -> str:
    return render_html(report(language))


@cache
def pdf_bytes() -> bytes:
    return render_pdf(report())


@cache
def pdf() -> PdfReader:
    return PdfReader(io.BytesIO(pdf_bytes()))


@cache
def hostile_pdf() -> PdfReader:
    return PdfReader(io.BytesIO(render_pdf(hostile())))


@cache
def hostile() -> InsightDocument:
    """A report whose every word is hostile."""
    entries = tuple(
        Entry(
            title=text,
            badge=text[:40],
            text=text,
            details=(text,),
            quotes=(Quote(feedback_id="f1", text=text),),
        )
        for text in HOSTILE
    )
    steps = Section(key="next", title="next", blocks=entries, notes=HOSTILE)
    body = Section(key="themes", title=HOSTILE[0], lead=HOSTILE[3], blocks=entries, notes=HOSTILE)
    tables = tuple(
        block.model_copy(update={"rows": tuple((text,) * len(block.columns) for text in HOSTILE)})
        for section in report().sections
        for block in section.blocks
        if block.block == "table"
    )
    charts = tuple(
        block.model_copy(
            update={"title": HOSTILE[0], "labels": (HOSTILE * 9)[: len(block.labels)], "summary": HOSTILE[3]}
        )
        for section in report().sections
        for block in section.blocks
        if block.block == "chart"
    )
    more = Section(key="changes", title="x", blocks=(*charts, *tables))
    return report().model_copy(
        update={"summary": HOSTILE[2], "scope": HOSTILE[0], "sections": (more, body, steps)}
    )


class _Words(HTMLParser):
    """The words of a page, its tags and the addresses they name; what is drawn (SVG) apart."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._silent += tag in ("svg", "style")
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "action")]
        self.addresses += [v or "" for k, v in attrs if k.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("svg", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def words(html: str) -> _Words:
    parser = _Words()
    parser.feed(html)
    return parser


def figures(text: str) -> set[str]:
    """Figures as they are written, whatever stands around them."""
    return set(re.findall(r"\d[\d,]*(?:\.\d+)?%?", re.sub(r"\s+", "", text)))


def shown(document: InsightDocument) -> set[str]:
    """The figures of every text that a reader sees."""

    def texts(value: Any, key: str = "") -> list[str]:
        if isinstance(value, dict):
            return [t for k, v in value.items() if k not in _UNSEEN for t in texts(v, k)]
        if isinstance(value, list):
            return [t for one in value for t in texts(one, key)]
        return [value] if isinstance(value, str) else []

    seen: set[str] = set()
    for text in texts(document.model_dump(mode="json", include={"summary", "headlines", "sections"})):
        seen |= figures(text)
    return seen


_UNSEEN = ("figures", "facts", "series", "labels", "marks", "kind", "block", "unit", "key", "feedback_id")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_format_shows_the_figures_of_the_document(language: Language) -> None:
    wanted = shown(report(language))
    assert len(wanted) > 30
    charts_named = {one.title for s in report(language).sections for one in s.blocks if one.block == "chart"}
    markdown = render_markdown(report(language)) + "".join(charts_named)
    formats = {"md": markdown, "html": " ".join(words(page(language)).words)}
    if language == "zh":
        formats["pdf"] = "".join(one.extract_text() for one in pdf().pages)
    for name, text in formats.items():
        missing = {figure for figure in wanted if figure not in re.sub(r"\s+", "", text)}
        assert not missing, (name, missing)
    again = InsightDocument.model_validate_json(report(language).model_dump_json())
    assert again == report(language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_needs_nothing_from_outside(language: Language) -> None:
    html = page(language)
    parsed = words(html)
    assert "script" not in parsed.tags and "link" not in parsed.tags and "iframe" not in parsed.tags
    assert all(address.startswith("#") for address in parsed.addresses)
    outside = re.findall(r"https?://[^\s\"'<>)]+", html)
    assert set(outside) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert all(url.startswith(("data:", "#")) for url in re.findall(r"url\(\"?([^)\"]+)", html))
    assert "@import" not in html


@pytest.mark.parametrize("language", ["zh", "en"])
def test_charts_are_drawn_with_their_words_as_text(language: Language) -> None:
    html = page(language)
    charts = [one for s in report(language).sections for one in s.blocks if one.block == "chart"]
    assert charts
    assert html.count("<svg") == len(charts)
    for chart in charts:
        if chart.kind != "line":
            assert chart.labels[0].split("（")[0].split(" (")[0] in html
    assert "var(--accent" in html


def test_the_fonts_of_the_pdf_are_embedded() -> None:
    fonts: list[Any] = []
    for one in pdf().pages:
        resources: Any = one["/Resources"]
        fonts += [font.get_object() for font in resources.get("/Font", {}).values()]
    assert any("NotoSansSC" in str(font["/BaseFont"]) for font in fonts)
    for font in fonts:
        described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(described), font["/BaseFont"]
    assert "客户之声月报" in pdf().pages[0].extract_text()


def test_nothing_runs_off_the_page() -> None:
    for read in (pdf(), hostile_pdf()):
        for one in read.pages:
            width = float(one.mediabox.width)
            starts: list[float] = []

            def note(text: str, cm: Any, tm: Any, *_: Any, starts: list[float] = starts) -> None:
                if text.strip():
                    starts.append(tm[4] * cm[0] + cm[4])

            one.extract_text(visitor_text=note)
            assert starts
            assert all(0 <= start <= width - 30 for start in starts)


def test_hostile_words_stay_words_in_html() -> None:
    parsed = words(render_html(hostile()))
    assert not {"script", "img"} & parsed.tags
    assert all(address.startswith("#") for address in parsed.addresses)
    text = " ".join(parsed.words)
    assert HOSTILE[0] in text
    assert "\u200b" not in text and "\u202e" not in text


def test_hostile_words_stay_words_in_markdown() -> None:
    text = render_markdown(hostile())
    assert "\\<script\\>" in text and not re.search(r"(?<!\\)<script", text)
    assert not re.search(r"(?<!\\)\[link(?<!\\)\]", text)
    assert "\u200b" not in text and "\u202e" not in text
    assert all(
        line.count("|") - line.count("\\|") in (0, 3, 6) for line in text.splitlines() if "cell" in line
    )


def test_hostile_words_stay_words_in_pdf() -> None:
    text = "".join(one.extract_text() for one in hostile_pdf().pages)
    squeezed = re.sub(r"\s+", "", text)
    assert "<script>alert(1)</script>" in squeezed
    assert "#import" in squeezed and "root:" not in squeezed
    assert "[partypopper]" in squeezed


def test_the_same_document_gives_the_same_bytes() -> None:
    assert render_html(report()) == page()
    assert render_pdf(report()) == pdf_bytes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7.0", "7.0"),
        ("-38.7", "-38.7"),
        ("- item", "\\- item"),
        ("3. third", "3\\. third"),
        ("a_b*c", "a\\_b\\*c"),
        ("两\n行", "两 行"),
    ],
)
def test_markdown_escapes_what_would_be_markup_alone(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_what_no_font_has_is_named() -> None:
    assert drawable("好😀") == "好😀"
    assert drawable("好🎉") == "好[party popper]"
    assert drawable("👍🏽") == "[thumbs up sign]"
