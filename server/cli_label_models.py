"""Models made of human labels: `label train`, `promote`, `rollback`, `models`, `apply`."""

import sys
from typing import TYPE_CHECKING, Any

import typer

from server.console import JsonFlag, application, command, err, out, print_json, progress_bars
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from agent.wiring import App
    from pipeline.label_apply import RelabelPreview
    from pipeline.label_training import TrainReport

_SHOWN = 10


def train(
    fields: list[str] = typer.Option([], "--field", help="sentiment, topics, intent ...; default: all"),
    min_labels: int = typer.Option(20, "--min-labels", min=1, help="learn a field from this many texts on"),
    min_topic: int = typer.Option(20, "--min-topic", min=5, help="learn a topic from this many texts on"),
    promote: bool = typer.Option(False, "--promote", help="put it to use without asking, if it is not worse"),
    force: bool = typer.Option(False, "--force", help="put it to use even if it is worse or unmeasured"),
    as_json: bool = JsonFlag,
) -> None:
    """Learn from human labels; show before and after on held-out texts; ask before putting it to use."""
    with command(as_json), application("refuse") as app:
        from pipeline.label_training import TRAINED, TrainOptions
        from pipeline.label_values import field_of

        chosen = tuple(dict.fromkeys(field_of(name) for name in fields)) or TRAINED
        if "risk" in chosen:
            raise ToolInputError(
                "risk signals are found by rules alone, which are not trained",
                hint="label correct and label import set them text by text; a lexicon of your own adds words",
            )
        options = TrainOptions(chosen, min_labels, min_topic)
        with progress_bars(not as_json) as progress:
            report = app.trainer.train(app.embedded, options, progress)
        report.refused = _refusal(report)
        wanted = promote or force
        if not as_json:
            show_training(report)
            if not wanted and not report.refused and sys.stdin.isatty() and report.model_id != report.parent:
                wanted = typer.confirm("启用这个模型？ Put this model to use?", default=False)
        if wanted and (force or not report.refused):
            _promote(app, report.model_id)
            report.promoted, report.refused = True, ""
        if as_json:
            print_json(report)
        elif report.promoted:
            _say_promoted(report.model_id)
        elif not report.refused:
            out().print(f"  → voiceloop label promote {report.model_id}", markup=False)
        if wanted and not report.promoted:
            raise typer.Exit(1)


def promote_model(
    model_id: str = typer.Argument(..., help="see `label models`"),
    force: bool = typer.Option(False, "--force", help="even if it was worse than the one in use"),
    as_json: bool = JsonFlag,
) -> None:
    """Put a model to use."""
    with command(as_json), application("refuse") as app:
        manifest = app.models.manifest(model_id)
        if manifest["worse"] and not force:
            raise InputError(
                f"{model_id} was worse than the model in use on held-out texts: {_list(manifest['worse'])}",
                hint="--force puts it to use all the same",
            )
        if manifest["unmeasured"] and not force:
            raise InputError(
                f"{model_id} was learnt from too few labels to be measured",
                hint="bring more labels in and train again; --force puts it to use all the same",
            )
        before = _promote(app, model_id)
        if as_json:
            print_json({"promoted": model_id, "before": before})
        else:
            _say_promoted(model_id)


def rollback(as_json: bool = JsonFlag) -> None:
    """Return to the model that was in use before."""
    with command(as_json), application("refuse") as app:
        left, now = app.models.rollback()
        _audit(app, "labels.rollback", left, {"to": now or "shipped"})
        if as_json:
            print_json({"left": left, "promoted": now})
        else:
            out().print(f"{left} → {now or '出厂分类器 the classifier as shipped'}", markup=False)
            out().print("  → voiceloop label apply --dry-run")


def models(as_json: bool = JsonFlag) -> None:
    """List the models made of human labels."""
    with command(as_json), application() as app:
        promoted = app.models.promoted()
        found = [{**one, "promoted": one["model_id"] == promoted} for one in app.models.manifests()]
        if as_json:
            print_json({"promoted": promoted, "models": found})
            return
        from rich.table import Table

        table = Table("", "model", "时间 made", "标注 labels", "学到 learnt", header_style="bold")
        for one in found:
            labels = ", ".join(f"{name} {count:,}" for name, count in one["labels"].items())
            learnt = "; ".join(f"{name}: {what}" for name, what in one["learnt"].items())
            mark = "✓" if one["promoted"] else ""
            table.add_row(mark, one["model_id"], one["created_at"][:16], labels, learnt)
        out().print(table)


def apply(
    dry_run: bool = typer.Option(False, "--dry-run", help="only say what would change"),
    yes: bool = typer.Option(False, "--yes", help="do not ask"),
    as_json: bool = JsonFlag,
) -> None:
    """Relabel the store by the classifier in use, with the counts first; human labels stay on top."""
    with command(as_json), application("refuse") as app:
        from pipeline import label_apply

        with progress_bars(not as_json) as progress:
            if dry_run or not (yes or as_json):
                shown = label_apply.preview(app.facts, app.human_labels, app.classifier, progress=progress)
                if as_json:
                    print_json(shown)
                else:
                    show_preview(shown)
                if dry_run:
                    return
                if not sys.stdin.isatty():
                    raise ToolInputError(
                        "nothing was relabelled: there is nobody to ask", hint="--yes does it"
                    )
        if not (yes or as_json) and not typer.confirm("重新打标？ Relabel?", default=False):
            return
        with progress_bars(not as_json) as progress:
            report = label_apply.apply(
                app.facts,
                app.human_labels,
                app.operations,
                app.classifier,
                app.clock,
                actor="local",
                reason="label apply",
                progress=progress,
            )
        if as_json:
            print_json(report)
        else:
            out().print(
                f"[bold]{report.items:,}[/bold] 条 items: 改动 changed {report.changed_items:,}, "
                f"原已最新 already current {report.already_current:,}"
            )


def show_preview(shown: "RelabelPreview") -> None:
    """What relabelling would change, for a person."""
    from rich.markup import escape
    from rich.table import Table

    console = out()
    console.print(
        f"[bold]{shown.items:,}[/bold] 条 items, {shown.texts:,} 个文本 texts: "
        f"将改动 would change [bold]{shown.changed_items:,}[/bold]   [dim]{escape(shown.labeller)}[/dim]"
    )
    table = Table("字段 field", "条数 items", "最常见 commonest", header_style="bold")
    for name, count in shown.fields.items():
        commonest = ", ".join(f"{what} ({n:,})" for what, n in list(shown.transitions[name].items())[:3])
        table.add_row(name, f"{count:,}", escape(commonest))
    if shown.fields:
        console.print(table)
    for one in shown.sample[:_SHOWN]:
        line = f"  {one.field}: {one.before or '-'} → {one.after or '-'}   {one.text[:80]}"
        console.print(line, markup=False, style="dim")


def show_training(report: "TrainReport") -> None:
    """What was learnt, for a person."""
    from rich.markup import escape

    console = out()
    labels = ", ".join(f"{name} {count:,}" for name, count in report.labels.items() if count)
    console.print(f"[bold]{report.model_id}[/bold]  标注 labels: {labels}   {report.elapsed_ms / 1000:.1f} s")
    if report.split:
        console.print(f"  意见不一，未使用 people disagree, not used: {report.split:,}")
    for name, what in report.learnt.items():
        console.print(f"  {name}: {escape(what)}")
    if report.sentiment is not None:
        _show_sentiment(report)
    _show_heads(report)
    if report.changes is not None:
        counts = ", ".join(f"{name} {count:,}" for name, count in report.changes.changed.items()) or "-"
        console.print(
            f"在 {report.changes.texts:,} 条已有文本中会改变 of stored texts would change: {counts}"
        )
        for one in report.changes.sample[:_SHOWN]:
            line = f"  {one['field']}: {one['before'] or '-'} → {one['after'] or '-'}   {one['text'][:80]}"
            console.print(line, markup=False, style="dim")
    if report.refused:
        err().print(f"[yellow]{escape(report.refused)}[/yellow]  → --force")


def _show_sentiment(report: "TrainReport") -> None:
    from rich.table import Table

    from server.cli_label_evaluate import interval

    found: Any = report.sentiment
    table = Table(
        "情感 sentiment (held out)",
        "之前 before",
        "之后 after",
        "差 difference",
        "95% 区间 interval",
        header_style="bold",
    )
    rows = [
        ("准确率 accuracy", found.before.accuracy.value, found.after.accuracy.value, found.accuracy),
        ("宏平均 macro-F1", found.before.macro_f1.value, found.after.macro_f1.value, found.macro_f1),
    ]
    rows += [
        (f"F1 {one.label} (n={one.support:,})", one.before, one.after, one.difference) for one in found.labels
    ]
    for name, before, after, change in rows:
        table.add_row(name, f"{before:.4f}", f"{after:.4f}", f"{change.value:+.4f}", interval(change))
    pairs = (
        ("校准误差 ECE", found.calibration_before.ece, found.calibration_after.ece),
        ("覆盖率 not abstained", found.selective_before.coverage.value, found.selective_after.coverage.value),
        (
            "不弃权的准确率 accuracy there",
            found.selective_before.accuracy.value,
            found.selective_after.accuracy.value,
        ),
    )
    for name, before, after in pairs:
        table.add_row(name, f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}", "")
    out().print(table)
    test = found.mcnemar
    out().print(
        f"  McNemar: 变对 gained {test.gained:,}, 变错 lost {test.lost:,}, "
        f"p = {test.p_value:.3g}   n = {found.n:,}"
    )


def _show_heads(report: "TrainReport") -> None:
    from rich.table import Table

    rows = [("topics", one) for one in report.topics]
    rows += list(report.choices.items())
    if not rows:
        return
    table = Table(
        "", "n", "之前 before", "之后 after", "95% 区间 interval", "采用 taken", header_style="bold"
    )
    for name, one in rows:
        shown = (f"{one.before:.3f}", f"{one.after:.3f}", f"{one.low:+.3f} – {one.high:+.3f}")
        what = one.name if name == "topics" else name
        table.add_row(
            what,
            f"{one.support:,}",
            *(shown if one.before or one.after else ("", "", "")),
            "✓" if one.taken else one.reason,
        )
    out().print(table)


def _refusal(report: "TrainReport") -> str:
    if report.model_id == report.parent:
        return ""
    if report.worse:
        return f"在保留文本上不如现用模型 worse than the one in use on held-out texts: {_list(report.worse)}"
    if report.unmeasured:
        return "标注太少，无法衡量好坏 too few labels to measure it"
    return ""


def _promote(app: "App", model_id: str) -> str | None:
    before = app.models.promote(model_id)
    _audit(app, "labels.promote", model_id, {"before": before or "shipped"})
    return before


def _audit(app: "App", action: str, subject: str, detail: dict[str, str]) -> None:
    from store.records import AuditEntry

    entry = AuditEntry(
        occurred_at=app.clock.now(), actor="local", action=action, subject=subject, detail=detail
    )
    app.operations.audit(entry)


def _list(names: list[str]) -> str:
    return ", ".join(names)


def _say_promoted(model_id: str) -> None:
    out().print(f"✓ 启用 in use: {model_id}", markup=False)
    out().print("  → voiceloop label apply --dry-run   （已入库的按新模型重打标 relabel what is stored）")
