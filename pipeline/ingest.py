"""Files to facts: read, check, clean, mask, label, write, with every row accounted for."""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from pipeline.account import FileReport, IngestOptions, IngestReport
from pipeline.cascade_report import CascadeReport
from pipeline.classifier import Classifier
from pipeline.columns import parse_overrides
from pipeline.file_ingest import FileIngest, IngestParts, source_name
from pipeline.images import PictureReader
from pipeline.media import media_kind
from pipeline.media_ingest import MediaIngest
from pipeline.readers import find_files
from pipeline.rejects import RejectsFile
from pipeline.transcription import Transcriber
from pipeline.writing import FeedbackWriter, Mask, ScopedMask
from store.clock import Clock
from store.errors import ConfigError, InputError, ModelUnavailable, VoiceLoopError
from store.facts import FactStore
from store.operations import OperationStore

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
        pseudonyms: ScopedMask | None = None,
        clock: Clock,
        zone: ZoneInfo,
        rejects_folder: Path,
        chunk: int = CHUNK,
        labelling: Callable[[], CascadeReport] | None = None,
        transcriber: Transcriber | None = None,
        pictures: PictureReader | None = None,
    ) -> None:
        """`labelling` gives the account of a label server's part, where there is one.

        Without a `transcriber` recordings are refused, without `pictures` pictures.
        """
        self._labelling = labelling
        self._rejects_folder = rejects_folder
        self._parts = IngestParts(
            facts=facts,
            operations=operations,
            writer=FeedbackWriter(facts, classifier, mask, pseudonyms),
            mask=mask,
            clock=clock,
            zone=zone,
            chunk=chunk,
        )
        self._media = MediaIngest(
            operations=operations,
            writer=self._parts.writer,
            clock=clock,
            zone=zone,
            transcriber=transcriber,
            pictures=pictures,
        )

    def ingest(
        self, paths: Sequence[Path], options: IngestOptions | None = None, progress: Progress | None = None
    ) -> IngestReport:
        """Ingest files and folders; return the account.

        `progress` is told (rows done, rows in all or None, stage). Raises InputError where a path does not
        exist, nothing readable is found, or a file cannot be used; a file of a folder that cannot be used is
        reported with its `error` and the others are read on. Raises ConfigError or ModelUnavailable where
        recordings or pictures need something that is not set up or down. Raises StoreError where writing
        fails: what was stored before stays, and a second run completes it.
        """
        options = options or IngestOptions()
        tell = progress or (lambda done, total, stage: None)
        began = time.monotonic()
        overrides = _overrides(options)
        files, skipped = _files(paths, options)
        named = {path for path in paths if path.is_file()}
        report = IngestReport(dry_run=options.dry_run, kind=options.kind)
        report.skipped_files = [str(path) for path in skipped]
        rejects = RejectsFile(
            None if options.dry_run else self._rejects_path(options, files), self._parts.mask
        )
        failures: list[VoiceLoopError] = []
        try:
            for path in files:
                try:
                    if options.kind == "feedback" and media_kind(path):
                        file = self._media.run(path, options, tell)
                    else:
                        file = FileIngest(self._parts, path, options, overrides, rejects, tell).run()
                except (InputError, ConfigError, ModelUnavailable) as error:
                    if path in named or len(files) == 1:
                        raise
                    failures.append(error)
                    file = FileReport(path=str(path), error=error.message)
                report.files.append(file)
                report.skipped_files += file.skipped
        finally:
            rejects.close()
        if len(failures) == len(files) and not isinstance(failures[0], InputError):
            # Nothing went in, and the hint of the first says what is missing.
            raise failures[0]
        _sum_up(report, rejects)
        report.labelling = self._labelling() if self._labelling is not None else None
        report.elapsed_ms = round((time.monotonic() - began) * 1000)
        return report

    def _rejects_path(self, options: IngestOptions, files: Sequence[Path]) -> Path:
        if options.rejects is not None:
            return options.rejects
        told = "\x1f".join(str(path.resolve()) for path in files)
        digest = hashlib.blake2b(told.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
        return self._rejects_folder / f"{source_name(files[0])}-{digest}.jsonl"


def _files(paths: Sequence[Path], options: IngestOptions) -> tuple[list[Path], list[Path]]:
    """The files to bring in, tables before recordings and pictures of folders, and those left out."""
    files, skipped = find_files(paths)
    if options.kind == "feedback":
        media = [path for path in skipped if media_kind(path) and not path.name.startswith(".")]
        files, skipped = files + media, [path for path in skipped if path not in set(media)]
    if not files:
        raise InputError(
            "no readable file found",
            hint="known kinds: CSV, TSV, XLSX, JSON lines, Parquet; VTT, SRT; WAV, MP3, M4A, OGG, FLAC;"
            " PNG, JPG, WEBP",
        )
    return files, skipped


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
