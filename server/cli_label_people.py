"""Labels by people: `label export`, `label import`, `label correct`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from server.console import JsonFlag, application, command, err, out, print_json, progress_bars
from server.terminal import typed_path
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from agent.wiring import App
    from pipeline.label_import import ImportReport
    from pipeline.label_sampling import Strategy, Vectors

_STRATEGIES = ("mixed", "uncertainty", "diversity", "random")


def export(
    n: int = typer.Option(500, "--n", min=1, max=20_000, help="how many texts"),
    target: Path = typer.Option(
        Path("labels.csv"), "--out", parser=typed_path, help="the sheet to write: .csv or .jsonl"
    ),
    strategy: str = typer.Option("mixed", "--strategy", help=", ".join(_STRATEGIES)),
    annotators: int = typer.Option(1, "--annotators", min=1, max=10, help="one sheet each"),
    overlap: float = typer.Option(0.2, "--overlap", min=0, max=1, help="share of texts that all of them get"),
    blind: bool = typer.Option(False, "--blind", help="leave the machine's labels out: they sway people"),
    seed: int = typer.Option(0, "--seed", help="of the random choice"),
    labelled: bool = typer.Option(False, "--labelled", help="instead: all human labels, one answer a text"),
    as_json: bool = JsonFlag,
) -> None:
    """Write texts worth labelling into a sheet for people: unsure ones, each kind once, some at random."""
    with command(as_json), application() as app:
        from pipeline.label_sampling import choose_texts
        from pipeline.label_sheet import shares, sheet_rows, write_sheet

        if strategy not in _STRATEGIES:
            raise ToolInputError(f"--strategy {strategy}: not known", hint=f"known: {', '.join(_STRATEGIES)}")
        if target.suffix.lower() not in (".csv", ".jsonl"):
            raise ToolInputError(f"--out {target}: a sheet is written as .csv or .jsonl")
        if labelled:
            _export_labelled(app, target, as_json)
            return
        known = frozenset(label.text_key for label in app.human_labels.find())
        with progress_bars(not as_json) as progress:
            chosen = choose_texts(
                app.facts,
                app.embedded,
                lambda texts: _vectors(app, texts, progress),
                n=n,
                strategy=cast("Strategy", strategy),
                known=known,
                seed=seed,
            )
        if not chosen:
            raise InputError(
                "there is no text left to label" if known else "the store holds no texts",
                hint="voiceloop ingest FILE brings feedback in",
            )
        rows = sheet_rows(chosen, blind=blind)
        files: list[str] = []
        for number, part in enumerate(shares(rows, annotators, overlap), start=1):
            named = target if annotators == 1 else target.with_name(f"{target.stem}.{number}{target.suffix}")
            files += [str(path) for path in write_sheet(named, part, app.taxonomy)]
        samples = {
            kind: sum(one.sample == kind for one in chosen) for kind in ("uncertain", "diverse", "random")
        }
        found = {"texts": len(chosen), "samples": samples, "already_labelled": len(known), "files": files}
        if as_json:
            print_json(found)
        else:
            told = ", ".join(f"{kind} {count:,}" for kind, count in samples.items() if count)
            out().print(f"[bold]{len(chosen):,}[/bold] 条文本 texts ({told})")
            for path in files:
                out().print(f"  {path}", markup=False)


def import_labels(
    files: list[Path] = typer.Argument(
        ..., parser=typed_path, help="filled-in sheets, or any table with a text and labels"
    ),
    annotator: str = typer.Option(
        "", "--annotator", help="whose labels; default: a column, else the file's name"
    ),
    text_column: str = typer.Option("", "--text-column", help="where there is no text_key; default: guessed"),
    columns: list[str] = typer.Option([], "--column", help="field=COLUMN where it has another name"),
    maps: list[str] = typer.Option([], "--map", help="value=label: what a value means"),
    rejects: Path = typer.Option(
        None, "--rejects", parser=typed_path, help="file for rejected rows; default: in the home"
    ),
    disagreements: Path = typer.Option(
        None, "--disagreements", parser=typed_path, help="file for what people are split on"
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Take human labels in: each cell checked, agreement measured, what people are split on listed."""
    with command(as_json), application() as app:
        from pipeline.label_file import parse_maps
        from pipeline.label_import import ImportOptions, LabelImport
        from pipeline.mask import mask_texts

        taken = LabelImport(app.facts, app.human_labels, app.taxonomy, mask_texts, app.clock)
        options = ImportOptions(annotator, text_column, parse_maps(columns), parse_maps(maps))
        with progress_bars(not as_json) as progress:
            report = taken.run(
                files,
                options,
                rejects=rejects or app.home / "rejects" / "labels.jsonl",
                disagreements=disagreements or app.home / "labels" / "disagreements.csv",
                progress=progress,
            )
        if as_json:
            print_json(report)
        else:
            _show_import(report)
        if not report.labelled and report.rejected:
            raise typer.Exit(1)


def correct(
    feedback_id: str = typer.Argument(..., help="the item whose label is wrong"),
    field: str = typer.Option(..., "--field", help="sentiment, topics, intent, emotion, priority or risk"),
    value: str = typer.Option(..., "--value", help="what it should be; several parted by |, none: none"),
    by: str = typer.Option("local", "--by", help="who says so"),
    as_json: bool = JsonFlag,
) -> None:
    """Put a wrong label right: in effect at once on this text, and learnt from by `label train`."""
    with command(as_json), application() as app:
        from pipeline.label_corrections import correct_label

        done = correct_label(
            feedback_id,
            field=field,
            value=value,
            by=by,
            facts=app.facts,
            human=app.human_labels,
            operations=app.operations,
            taxonomy=app.taxonomy,
            clock=app.clock,
        )
        if as_json:
            print_json({**done._asdict(), "labels": done.labels.model_dump(mode="json")})
        else:
            line = f"{done.feedback_id}  {done.field}: {done.before or '-'} → {done.after or '-'}"
            out().print(line, markup=False)
            if done.items > 1:
                out().print(f"  同一文本 items with this text: {done.items:,}")


def _export_labelled(app: "App", target: Path, as_json: bool) -> None:
    """One row a text with what people agreed on; `label import` and the training of encoders read it."""
    from pipeline.label_gold import resolve
    from pipeline.label_sheet import labelled_rows, write_sheet

    gold, split = resolve(app.human_labels.find())
    if not gold:
        raise InputError("there are no human labels yet", hint="voiceloop label import FILE")
    rows = labelled_rows(gold)
    files = [str(path) for path in write_sheet(target, rows, app.taxonomy)]
    if as_json:
        print_json({"texts": len(rows), "labels": len(gold), "split": len(split), "files": files})
    else:
        out().print(f"[bold]{len(rows):,}[/bold] 条文本 texts, {len(gold):,} 个标签 labels")
        out().print(f"  {target}", markup=False)


def _vectors(app: "App", texts: Any, progress: Any) -> "Vectors":
    """Vectors from the index; what it lacks is embedded."""
    import numpy as np

    keys = list(texts)
    missing = app.index.missing(keys)
    for start in range(0, len(missing), 256):
        part = missing[start : start + 256]
        app.index.add(part, app.embedder.embed_documents([texts[key] for key in part]))
        if progress:
            progress(min(start + 256, len(missing)), len(missing), "embed")
    return np.asarray(app.index.vectors(keys), dtype=np.float32)


def _show_import(report: "ImportReport") -> None:
    from rich.markup import escape
    from rich.table import Table

    from server.cli_label_evaluate import interval

    console = out()
    console.print(
        f"读取 read [bold]{report.rows:,}[/bold] = 已标注 labelled {report.labelled:,}"
        f" + 空 empty {report.empty:,} + 拒收 rejected {report.rejected:,}"
    )
    console.print(
        f"标签 labels: 新 new {report.new:,}, 改 changed {report.changed:,}, 同 same {report.same:,}"
        f"   {escape(', '.join(report.annotators))}"
    )
    if report.agreement:
        table = Table("一致性 agreement", "文本 texts", "相同 same", "kappa", "alpha", header_style="bold")
        for name, one in report.agreement.items():
            kappa = one.kappa
            table.add_row(
                name,
                f"{one.texts:,}",
                "-" if one.same.value is None else f"{one.same.value:.3f}  [dim]{interval(one.same)}[/dim]",
                "-"
                if kappa is None or kappa.value is None
                else f"{kappa.value:.3f}  [dim]{interval(kappa)}[/dim]",
                "-"
                if one.alpha.value is None
                else f"{one.alpha.value:.3f}  [dim]{interval(one.alpha)}[/dim]",
            )
        console.print(table)
    if report.disagreements_file:
        console.print(
            f"意见不一 split: {report.disagreements:,} → {escape(report.disagreements_file)}"
            " （填 decision 列后再导入 fill in its column decision and import it）"
        )
    if report.rejects_file:
        err().print(
            f"[yellow]拒收的行及原因 rejected rows with reasons[/yellow]: {escape(report.rejects_file)}"
        )
        for reason, count in list(report.reject_reasons.items())[:5]:
            err().print(f"  {count:,} × {escape(reason)}")
