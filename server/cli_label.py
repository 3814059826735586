"""Commands over texts alone: `label predict`, `mask`."""

import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from server.cli_label_evaluate import evaluate
from server.cli_label_models import apply, models, promote_model, rollback, train
from server.cli_label_people import correct, export, import_labels
from server.cli_label_queue import queue
from server.console import JsonFlag, application, command, err
from store.errors import InputError

label = typer.Typer(help="labels of texts", no_args_is_help=True)
_BATCH = 2_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    label.command("evaluate")(evaluate)
    label.command("export")(export)
    label.command("import")(import_labels)
    label.command("correct")(correct)
    label.command("train")(train)
    label.command("models")(models)
    label.command("promote")(promote_model)
    label.command("rollback")(rollback)
    label.command("apply")(apply)
    label.command("queue")(queue)
    app.add_typer(label, name="label")
    app.command()(mask)


@label.command()
def predict(
    source: str = typer.Argument(..., help="a file with one text a line, a table, or - for standard input"),
    text_column: str = typer.Option("", "--text-column", help="the column of a table that holds the text"),
    as_json: bool = JsonFlag,
) -> None:
    """Label texts: one JSON line a text, in input order (personal data is masked first)."""
    with command(as_json), application("run") as app:
        from server.label_lines import label_lines

        for lines in label_lines(app, _batches(source, text_column)):
            sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()


def mask(
    source: str = typer.Argument(..., help="a file with one text a line, a table, or - for standard input"),
    text_column: str = typer.Option("", "--text-column", help="the column of a table that holds the text"),
    as_json: bool = JsonFlag,
) -> None:
    """Mask personal data: one JSON line a text with the masked text and the spans found."""
    with command(as_json), application("run") as app:
        from pipeline.mask import mask as mask_text

        grades = frozenset(app.settings.mask_grades)
        for batch in _batches(source, text_column):
            lines = []
            for text in batch:
                masked = mask_text(text, grades)
                lines.append({"text": masked.text, "spans": [span._asdict() for span in masked.spans]})
            _write(lines)


def _write(lines: Sequence[object]) -> None:
    import orjson

    sys.stdout.buffer.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    sys.stdout.buffer.flush()


def _batches(source: str, text_column: str) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in _texts(source, text_column):
        batch.append(text)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _texts(source: str, text_column: str) -> Iterator[str]:
    """Texts of a stream or a plain text file (one a line), or of a column of a table."""
    if source == "-":
        yield from _standard_input()
        return
    path = Path(source)
    if not path.is_file():
        raise InputError(f"{source}: {'not a file' if path.exists() else 'no such file'}")
    from pipeline.columns import guess_mapping
    from pipeline.profiles import profile_rows
    from pipeline.readers import open_table

    if not text_column and path.suffix.lower() in (".txt", ""):
        yield from _text_lines(path)
        return
    table = open_table(path)
    if not text_column:
        profiles, _ = profile_rows(table.rows())
        choice = guess_mapping(profiles, context=path.stem).choice("text")
        if choice is None:
            raise InputError(f"{source}: which column is the text?", hint="name it: --text-column COLUMN")
        text_column = choice.column
    for row in table.rows():
        if row.values and text_column not in row.values:
            columns = ", ".join(row.values)
            raise InputError(f"{source}: there is no column {text_column!r}", hint=f"columns: {columns}")
        cell = row.values.get(text_column)
        yield "" if cell is None else str(cell)


def _standard_input() -> Iterator[str]:
    """Lines of UTF-8; what is not UTF-8 is replaced, and said at the end."""
    broken = 0
    for number, line in enumerate(sys.stdin.buffer):
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        broken += "\ufffd" in text and "\ufffd".encode() not in line
        yield text.removeprefix("\ufeff") if number == 0 else text
    if broken:
        err().print(f"[yellow]{broken} lines were not UTF-8: their broken bytes are replaced[/yellow]")


def _text_lines(path: Path) -> Iterator[str]:
    """Lines of a plain text file in whatever encoding it is."""
    from pipeline.encodings import detect_encoding
    from pipeline.packed import blocks, unpacked

    encoding = detect_encoding(blocks(path), str(path)).name
    with unpacked(path) as stream, io.TextIOWrapper(stream, encoding=encoding, errors="replace") as lines:
        for line in lines:
            yield line.rstrip("\n")
