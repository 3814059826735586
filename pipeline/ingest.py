"""Files to facts: read, check, clean, mask, label, write, with every row accounted for."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from pipeline.account import FileReport, IngestOptions, IngestReport
from pipeline.classifier import Classifier
from pipeline.clean import clean
from pipeline.columns import Mapping, guess_mapping, parse_overrides
from pipeline.dates import DateFormat
from pipeline.entities import EntityRows, identity_of, store_entities
from pipeline.headers import RawRow
from pipeline.profiles import ColumnProfile, profile_rows
from pipeline.readers import Table, find_files, open_table
from pipeline.rejects import RejectsFile
from pipeline.rows import Draft, FeedbackRows, RejectedRow
from pipeline.vocabulary import names, normal, vocabulary
from pipeline.writing import FeedbackWriter, Mask
from store.clock import Clock
from store.errors import InputError
from store.facts import FactStore
from store.operations import OperationStore
from store.records import Batch, Channel

CHUNK = 2_000
Progress = Callable[[int, int | None, str], None]


class Ingestor:
    """Brings files in. One at a time: a chunk of rows is one transaction of the fact store.

    A killed run leaves whole chunks behind; running it again finds them stored (their ids are functions of
    the rows) and goes on from there, so nothing is lost and nothing doubled.
    """

    def __init__(
        self,
        *,
        facts: FactStore,
        operations: OperationStore,
        classifier: Classifier,
        mask: Mask,
        clock: Clock,
        zone: ZoneInfo,
        rejects_folder: Path,
        chunk: int = CHUNK,
    ) -> None:
        self._facts = facts
        self._operations = operations
        self._mask = mask
        self._clock = clock
        self._zone = zone
        self._rejects_folder = rejects_folder
        self._chunk = chunk
        self._writer = FeedbackWriter(facts, classifier, mask)

    def ingest(
        self, paths: Sequence[Path], options: IngestOptions | None = None, progress: Progress | None = None
    ) -> IngestReport:
        """Ingest files and folders; return the account.

        `progress` is told (rows done, rows in all or None, stage). Raises InputError where a path does not
        exist, nothing readable is found, or a file cannot be used; a file of a folder that cannot be used is
        reported with its `error` and the others are read on. Raises StoreError where writing fails: what was
        stored before stays, and a second run completes it.
        """
        options = options or IngestOptions()
        tell = progress or (lambda done, total, stage: None)
        began = time.monotonic()
        overrides = _overrides(options)
        files, skipped = find_files(paths)
        if not files:
            raise InputError(
                "no readable file found", hint="known kinds: CSV, TSV, XLSX, JSON lines, Parquet"
            )
        named = {path for path in paths if path.is_file()}
        report = IngestReport(dry_run=options.dry_run, kind=options.kind)
        report.skipped_files = [str(path) for path in skipped]
        rejects = RejectsFile(None if options.dry_run else self._rejects_path(options, files), self._mask)
        try:
            for path in files:
                try:
                    file = _FileIngest(self, path, options, overrides, rejects, tell).run(report)
                except InputError as error:
                    if path in named or len(files) == 1:
                        raise
                    file = FileReport(path=str(path), error=error.message)
                report.files.append(file)
        finally:
            rejects.close()
        _sum_up(report, rejects)
        report.elapsed_ms = round((time.monotonic() - began) * 1000)
        return report

    def _rejects_path(self, options: IngestOptions, files: Sequence[Path]) -> Path:
        if options.rejects is not None:
            return options.rejects
        told = "\x1f".join(str(path.resolve()) for path in files)
        digest = hashlib.blake2b(told.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
        return self._rejects_folder / f"{_stem(files[0])}-{digest}.jsonl"


class _FileIngest:
    """The way of one file through the ingest."""

    def __init__(
        self,
        ingestor: Ingestor,
        path: Path,
        options: IngestOptions,
        overrides: dict[str, str],
        rejects: RejectsFile,
        tell: Progress,
    ) -> None:
        self._of = ingestor
        self._path = path
        self._options = options
        self._overrides = overrides
        self._rejects = rejects
        self._tell = tell
        self._source = options.source or _stem(path)
        self._now = ingestor._clock.now()

    def run(self, report: IngestReport) -> FileReport:
        """Read the file twice: once to understand it, once to bring it in."""
        self._tell(0, None, "reading")
        table = open_table(self._path, self._options.encoding)
        report.skipped_files += table.skipped
        profiles, total = profile_rows(table.rows())
        if not total:
            raise InputError(f"{self._path}: the file has a header and no rows")
        mapping = guess_mapping(
            profiles, kind=self._options.kind, overrides=self._overrides, context=self._source
        )
        dates = self._dates(mapping, profiles)
        file = _describe(self._path, table, mapping, dates)
        batch = self._open_batch(table)
        file.batch_id = batch.batch_id
        self._tell(0, total, "storing")
        if self._options.kind == "feedback":
            self._feedback(table, mapping, dates, file, total)
        else:
            self._entities(table, mapping, dates, file, total)
        if file.rows != file.stored + file.duplicates + file.rejected or file.rows != total:
            raise AssertionError(f"{self._path}: {file.rows} rows read are not all accounted for")
        self._close_batch(batch, file)
        return file

    def _dates(self, mapping: Mapping, profiles: dict[str, ColumnProfile]) -> DateFormat | None:
        dated = next((c for t in ("occurred_at", "renewal_on", "since") if (c := mapping.choice(t))), None)
        if dated is None:
            return None
        form = profiles[dated.column].dates.decide(self._of._zone)
        order = self._options.date_order
        if order is None:
            return form
        names_of = {"ymd": "YYYY-MM-DD", "dmy": "DD-MM-YYYY", "mdy": "MM-DD-YYYY"}
        return replace(form, order=order, name=names_of[order], reason="given by the user")

    def _feedback(
        self, table: Table, mapping: Mapping, dates: DateFormat | None, file: FileReport, total: int
    ) -> None:
        rows = FeedbackRows(
            mapping,
            dates or _NO_DATES,
            source=self._source,
            channel=self._options.channel or _channel(mapping),
            zone=self._of._zone,
            now=self._now,
            clean=clean,
            lenient=self._options.lenient,
        )
        seen: set[str] = set()
        for chunk in _chunks(table.rows(), self._of._chunk):
            drafts: list[Draft] = []
            for row in chunk:
                try:
                    drafts.append(rows.draft(row))
                except RejectedRow as reason:
                    self._rejects.add(self._path, row, str(reason))
                    file.rejected += 1
            if self._options.dry_run:
                fresh = {d.fields["feedback_id"] for d in self._of._writer.fresh(drafts)} - seen
                seen |= fresh
                file.stored += len(fresh)
                file.duplicates += len(drafts) - len(fresh)
            else:
                written = self._of._writer.write(drafts, file.batch_id)
                file.stored += written.stored
                file.duplicates += written.duplicates
                file.near_duplicates += written.near_duplicates
            self._advance(file, len(chunk), total)
        file.values_left_out = dict(rows.account.left_out)
        for column, count in rows.account.too_long.items():
            file.ignored_columns[column] = f"{count} values longer than 500 characters left out"

    def _entities(
        self, table: Table, mapping: Mapping, dates: DateFormat | None, file: FileReport, total: int
    ) -> None:
        rows = EntityRows(
            mapping, dates or _NO_DATES, source=self._source, zone=self._of._zone, now=self._now
        )
        seen: set[str] = set()
        for chunk in _chunks(table.rows(), self._of._chunk):
            records = {}
            for row in chunk:
                try:
                    record = rows.record(row, self._of._mask)
                except RejectedRow as reason:
                    self._rejects.add(self._path, row, str(reason))
                    file.rejected += 1
                    continue
                records[identity_of(record)] = record
                file.duplicates += 1
            if self._options.dry_run:
                new = len(records.keys() - seen)
                seen |= records.keys()
            else:
                new = store_entities(self._of._facts, list(records.values()))
            file.stored += new
            file.duplicates -= new
            self._advance(file, len(chunk), total)

    def _advance(self, file: FileReport, rows: int, total: int) -> None:
        file.rows += rows
        self._rejects.flush()
        self._tell(file.rows, total, "storing")

    def _open_batch(self, table: Table) -> Batch:
        told = f"{self._options.kind}\x1f{self._source}\x1f{table.fingerprint}"
        batch = Batch(
            batch_id=hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=12).hexdigest(),
            source=self._source,
            path=str(self._path),
            kind=self._options.kind,
            stage="received",
            started_at=self._now,
        )
        known = {b.batch_id: b for b in self._of._operations.batches()}.get(batch.batch_id)
        if known is None and not self._options.dry_run:
            self._of._operations.save_batch(batch)
        return known or batch

    def _close_batch(self, batch: Batch, file: FileReport) -> None:
        # A file brought in a second time leaves the account of the first in place.
        if self._options.dry_run or (batch.stage != "received" and not file.stored):
            return
        stage = "stored" if self._options.kind == "feedback" else "indexed"
        counts = {"read": file.rows, "stored": file.stored, "duplicates": file.duplicates}
        done = batch.model_copy(update={"stage": stage, "rejected": file.rejected, **counts})
        self._of._operations.save_batch(done)


_NO_DATES = DateFormat("YYYY-MM-DD", "ymd", "no date column")


def _overrides(options: IngestOptions) -> dict[str, str]:
    given: object = None
    if options.mapping_file is not None:
        try:
            given = yaml.safe_load(options.mapping_file.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            raise InputError(f"{options.mapping_file}: not a readable mapping file: {error}") from error
        if not isinstance(given, dict):
            raise InputError(f"{options.mapping_file}: a mapping file is YAML of field: column")
    return parse_overrides(options.maps, given if isinstance(given, dict) else None)


def _describe(path: Path, table: Table, mapping: Mapping, dates: DateFormat | None) -> FileReport:
    return FileReport(
        path=str(path),
        format=table.format,
        encoding=table.encoding,
        mapping=mapping.shown(),
        reasons=mapping.reasons(),
        date_format=dates.name if dates else None,
        date_reason=dates.reason if dates else "",
        metrics_scales=mapping.scales(),
        ignored_columns=mapping.ignored(),
    )


def _sum_up(report: IngestReport, rejects: RejectsFile) -> None:
    for file in report.files:
        report.read += file.rows
        report.stored += file.stored
        report.duplicates += file.duplicates
        report.rejected += file.rejected
        report.near_duplicates += file.near_duplicates
        report.metrics_scales = {**file.metrics_scales, **report.metrics_scales}
        report.ignored_columns = {**file.ignored_columns, **report.ignored_columns}
    first = next((file for file in report.files if not file.error), None)
    if first is None:
        told = "; ".join(f"{file.path}: {file.error}" for file in report.files[:5])
        raise InputError(f"none of the files can be used: {told}")
    report.mapping, report.date_format = first.mapping, first.date_format
    report.rejects_file = rejects.shown()
    report.reject_reasons = dict(rejects.reasons.most_common(20))


def _channel(mapping: Mapping) -> Channel:
    headers = " ".join(normal(choice.column) for choice in mapping.choices)
    targets = {choice.target for choice in mapping.choices}
    if targets & {"conversation_id", "turn", "speaker"}:
        return Channel.CHAT
    if targets & {"nps", "csat", "ces"}:
        return Channel.SURVEY
    for channel in vocabulary()["channel_of_headers"]:
        if any(word in headers for word in names("channel_of_headers", channel)):
            return Channel(channel)
    return Channel.REVIEW if "rating" in targets else Channel.OTHER


def _chunks(rows: Iterator[RawRow], size: int) -> Iterator[list[RawRow]]:
    chunk: list[RawRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _stem(path: Path) -> str:
    name = path.name
    if name.lower().endswith(".gz"):
        name = name[:-3]
    return Path(name).stem or name
