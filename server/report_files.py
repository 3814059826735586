"""Insight reports as files: rendered in each format, under a name that the same report has again."""

import hashlib
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from agent.insight_document import InsightDocument

ReportFormat = Literal["md", "html", "pdf", "json"]
FORMATS: Final[tuple[ReportFormat, ...]] = ("md", "html", "pdf", "json")


def rendered(report: "InsightDocument", format: ReportFormat) -> bytes:
    """The bytes of a report."""
    if format == "pdf":
        from agent.report_pdf import render_pdf

        return render_pdf(report)
    if format == "html":
        from agent.report_html import render_html

        return render_html(report).encode()
    if format == "md":
        from agent.report_markdown import render_markdown

        return render_markdown(report).encode()
    return report.model_dump_json(indent=2).encode() + b"\n"


def file_name(report: "InsightDocument", format: ReportFormat) -> str:
    """The same report of the same filters has the same name, so that a second run replaces it."""
    parts = [report.kind, report.period.start[:10]]
    if report.kind == "ad_hoc":
        parts.append(report.period.end[:10])
    if report.filters:
        parts.append(hashlib.sha256(repr(sorted(report.filters.items())).encode()).hexdigest()[:8])
    return "-".join([*parts, report.language]) + f".{format}"
