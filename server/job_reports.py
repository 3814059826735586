"""The job that writes an insight report and tells where it is wanted."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from retention.notifier import Notification
from server.job_runner import JobWork
from server.report_files import ReportFormat, file_name, rendered
from store.durable_files import write_whole
from tools.context import Asker


class ReportArguments(BaseModel):
    """Which report, in which formats, and whether the targets of notifications that want reports are told."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["daily", "weekly", "monthly"] = "weekly"
    language: Literal["zh", "en"] = "zh"
    formats: tuple[ReportFormat, ...] = Field(default=("html", "pdf"), min_length=1)
    filters: dict[str, str | list[str]] = Field(default_factory=dict)
    scope: tuple[str, ...] = Field(default=(), description="org units that it may tell of; none: everything")
    send: bool = True


def write_report(args: ReportArguments, work: JobWork) -> Mapping[str, Any]:
    """Write the files to reports/ in the data folder; the same report again replaces them."""
    app = work.app
    scope = args.scope or work.run.scope
    asker = Asker(work.run.requested_by, "analyst", scope)
    report = app.insights(asker, kind=args.kind, language=args.language, filters=args.filters).document
    # A report of some units is kept apart: by its name alone it would be that of all.
    units = "+".join(unit.replace("/", "_") for unit in scope)
    folder = app.home / "reports" / units if units else app.home / "reports"
    names = []
    for number, format in enumerate(args.formats):
        work.progress(number, len(args.formats), "report")
        name = file_name(report, format)
        path = folder / name
        write_whole(path, rendered(report, format))
        names.append(str(path.relative_to(app.home)))
    told = _tell(report.title, report.period.label, report.summary, names[0], scope, work) if args.send else 0
    return {"files": names, "title": report.title, "period": report.period.label, "told": told}


def _tell(title: str, period: str, summary: str, name: str, scope: tuple[str, ...], work: JobWork) -> int:
    """Keep the summary for every target that wants reports of these units; how many are new."""
    app = work.app
    wanted = [target for target in app.notify_targets if target.reports and target.scope == scope]
    if not wanted:
        return 0
    note = Notification(
        notification_id=f"report:{work.run.run_id}",
        topic="report",
        subject=name,
        title=f"{title} {period}",
        text=summary,
    )
    outbox = app.outbox()
    kept = outbox.keep([(target.name, note) for target in wanted])
    outbox.send_due()
    return kept
