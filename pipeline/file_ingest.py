"""One file from bytes to facts: understood in a first pass, brought in chunk by chunk in a second."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.account import FileReport, IngestOptions
from pipeline.clean import clean
from pipeline.columns import Mapping, guess_mapping
from pipeline.dates import DateFormat
from pipeline.entities import EntityRows, identity_of, store_entities
from pipeline.headers import RawRow
from pipeline.mask import mask
from pipeline.profiles import ColumnProfile, profile_rows
from pipeline.readers import Table, open_table
from pipeline.rejects import RejectsFile
from pipeline.rows import Draft, FeedbackRows, RejectedRow
from pipeline.vocabulary import names, normal, vocabulary
from pipeline.writing import FeedbackWriter, Mask
from store.clock import Clock
from store.errors import InputError, StoreError
from store.facts import FactStore
from store.operations import OperationStore
from store.records import Batch, Channel

Progress = Callable[[int, int | None, str], None]
_NO_DATES = DateFormat("YYYY-MM-DD", "ymd", "no date column")


@dataclass(frozen=True)
class IngestParts:
    """What every file of an ingest is brought in with."""

    facts: FactStore
    operations: OperationStore
    writer: FeedbackWriter
    mask: Mask
    clock: Clock
    zone: ZoneInfo
    chunk: int


class FileIngest:
    """The way of one file through the ingest."""

    def __init__(
        self,
        parts: IngestParts,
        path: Path,
        options: IngestOptions,
        overrides: dict[str, str],
        rejects: RejectsFile,
        tell: Progress,
    ) -> None:
        self._parts = parts
        self._path = path
        self._options = options
        self._overrides = overrides
        self._rejects = rejects
        self._tell = tell
        self._source = options.source or source_name(path)
        self._now = parts.clock.now()

    def run(self) -> FileReport:
        """Read the file twice, to understand it and to bring it in; return its account.

        Raises InputError where it cannot be used and StoreError where writing fails.
        """
        self._tell(0, None, "reading")
        table = open_table(self._path, self._options.encoding)
        profiles, total = profile_rows(table.rows())
        if not total:
            raise InputError(
                f"{self._path}: the file has a header and no rows", hint="export it again with its rows"
            )
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
        if file.rows != total:
            raise InputError(f"{self._path}: the file changed while it was read; run again")
        if file.rows != file.stored + file.duplicates + file.rejected:
            raise StoreError(f"{self._path}: {file.rows} rows read are not all accounted for")
        self._close_batch(batch, file)
        return file

    def _dates(self, mapping: Mapping, profiles: dict[str, ColumnProfile]) -> DateFormat | None:
        dated = next((c for t in ("occurred_at", "renewal_on", "since") if (c := mapping.choice(t))), None)
        if dated is None:
            return None
        form = profiles[dated.column].dates.decide(self._parts.zone)
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
            zone=self._parts.zone,
            now=self._now,
            clean=clean,
            lenient=self._options.lenient,
        )
        seen: set[str] = set()
        for chunk in _chunks(table.rows(), self._parts.chunk):
            drafts: list[Draft] = []
            for row in chunk:
                try:
                    drafts.append(rows.draft(row))
                except RejectedRow as reason:
                    self._rejects.add(self._path, row, str(reason))
                    file.rejected += 1
            if self._options.dry_run:
                fresh = {d.fields["feedback_id"] for d in self._parts.writer.fresh(drafts)} - seen
                seen |= fresh
                file.stored += len(fresh)
                file.duplicates += len(drafts) - len(fresh)
            else:
                written = self._parts.writer.write(drafts, file.batch_id)
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
            mapping, dates or _NO_DATES, source=self._source, zone=self._parts.zone, now=self._now
        )
        seen: set[str] = set()
        for chunk in _chunks(table.rows(), self._parts.chunk):
            records = {}
            for row in chunk:
                try:
                    record = rows.record(row, self._parts.mask)
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
                new = store_entities(self._parts.facts, list(records.values()))
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
            path=shown_name(self._path),
            kind=self._options.kind,
            stage="received",
            started_at=self._now,
        )
        known = {b.batch_id: b for b in self._parts.operations.batches()}.get(batch.batch_id)
        if known is None and not self._options.dry_run:
            self._parts.operations.save_batch(batch)
        return known or batch

    def _close_batch(self, batch: Batch, file: FileReport) -> None:
        # A file brought in a second time leaves the account of the first in place.
        if self._options.dry_run or (batch.stage != "received" and not file.stored):
            return
        stage = "stored" if self._options.kind == "feedback" else "indexed"
        counts = {"read": file.rows, "stored": file.stored, "duplicates": file.duplicates}
        done = batch.model_copy(update={"stage": stage, "rejected": file.rejected, **counts})
        self._parts.operations.save_batch(done)


def _describe(path: Path, table: Table, mapping: Mapping, dates: DateFormat | None) -> FileReport:
    return FileReport(
        path=shown_name(path),
        format=table.format,
        encoding=table.encoding,
        skipped=list(table.skipped),
        mapping=mapping.shown(),
        reasons=mapping.reasons(),
        date_format=dates.name if dates else None,
        date_reason=dates.reason if dates else "",
        metrics_scales=mapping.scales(),
        ignored_columns=mapping.ignored(),
    )


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


def source_name(path: Path) -> str:
    """Return a file's name without its endings, by which its rows are known unless a source is named."""
    name = shown_name(Path(path.name))
    if name.lower().endswith(".gz"):
        name = name[:-3]
    return Path(name).stem or name


def shown_name(path: Path) -> str:
    """Return a path as text that can be stored: personal data in the file's name is masked.

    Names off a Chinese Windows are often GB18030 bytes.
    """
    whole = str(path)
    try:
        whole.encode("utf-8")
    except UnicodeEncodeError:
        whole = os.fsencode(whole).decode("gb18030", "replace")
    folder, slash, name = whole.rpartition("/")
    # A file is often called after an order or a day; those stay, for rows are known by their file's name.
    return f"{folder}{slash}{mask(name, ('identity', 'account')).text}"
