"""Recordings, transcripts and pictures to stored feedback: one file is one batch, known by its content."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.account import FileReport, IngestOptions
from pipeline.images import PictureReader
from pipeline.media import Kind, Source, media_kind, picture_draft, safe_name, source_of, turn_drafts
from pipeline.rows import Draft
from pipeline.transcription import Transcriber
from pipeline.transcripts import SpokenTurn, read_transcript
from pipeline.writing import FeedbackWriter
from store.clock import Clock
from store.errors import ConfigError, InputError, ModelUnavailable
from store.operations import OperationStore
from store.records import Batch, Channel

# An endpoint that fails this often in a row is down: the other files are left for the next run.
_GIVE_UP_AFTER = 3
_SOURCES = {"audio": "calls", "transcript": "calls", "image": "images"}
Tell = Callable[[int, int | None, str], None]


class MediaIngest:
    """Brings media files in, each once: the same bytes under another name are known again, and not sent.

    A file that fails leaves its batch open, so that the next run tries it anew.
    """

    def __init__(
        self,
        *,
        operations: OperationStore,
        writer: FeedbackWriter,
        clock: Clock,
        zone: ZoneInfo,
        transcriber: Transcriber | None,
        pictures: PictureReader | None,
    ) -> None:
        self._operations = operations
        self._writer = writer
        self._clock = clock
        self._zone = zone
        self._transcriber = transcriber
        self._pictures = pictures
        self._failures = 0

    def run(self, path: Path, options: IngestOptions, tell: Tell) -> FileReport:
        """Bring one file in and return its account.

        Raises InputError where the file cannot be used, ConfigError where what it needs is not set up, and
        ModelUnavailable where the transcription endpoint fails.
        """
        kind = media_kind(path)
        if kind is None or options.kind != "feedback":
            raise InputError(f"{path}: recordings and pictures hold feedback, not {options.kind}")
        source = source_of(path, self._zone)
        file = FileReport(path=str(path), format=kind, date_format=source.dated_by)
        file.date_reason = (
            "the time is in the file's name"
            if source.dated_by == "file name"
            else ("the time of the file's last change; its name holds none")
        )
        name = options.source or _SOURCES[kind]
        batch = self._batch(source, path, name)
        file.batch_id = batch.batch_id
        if batch.stage != "received":
            file.rows = file.duplicates = batch.read
            return file
        self._check(path, kind)
        if options.dry_run:
            file.reasons = {"dry run": "neither transcribed nor read"}
            return file
        self._operations.save_batch(batch)
        tell(0, None, "transcribing" if kind == "audio" else "reading")
        drafts = self._drafts(path, kind, source, options.channel, name)
        written = self._writer.write(drafts, batch.batch_id)
        file.rows, file.stored = len(drafts), written.stored
        file.duplicates, file.near_duplicates = written.duplicates, written.near_duplicates
        if not drafts:
            file.reasons = {"text": "no text in it" if kind == "image" else "no speech in it"}
        counts = {"read": file.rows, "stored": file.stored, "duplicates": file.duplicates}
        self._operations.save_batch(batch.model_copy(update={"stage": "stored", **counts}))
        return file

    def _batch(self, source: Source, path: Path, name: str) -> Batch:
        batch_id = hashlib.blake2b(f"media\x1f{source.digest}".encode(), digest_size=12).hexdigest()
        known = {batch.batch_id: batch for batch in self._operations.batches()}.get(batch_id)
        if known is not None:
            return known
        return Batch(
            batch_id=batch_id,
            source=name,
            path=safe_name(path),
            stage="received",
            started_at=self._clock.now(),
        )

    def _check(self, path: Path, kind: Kind) -> None:
        if kind == "audio" and self._transcriber is None:
            raise ConfigError(
                f"{path}: a recording needs a transcription endpoint",
                hint="set VOICELOOP_TRANSCRIBE_BASE_URL (ends in /v1) and VOICELOOP_TRANSCRIBE_MODEL",
            )
        if kind == "audio" and self._failures >= _GIVE_UP_AFTER:
            raise ModelUnavailable(
                f"{path}: not tried, the transcription endpoint failed {_GIVE_UP_AFTER} times in a row"
            )

    def _drafts(
        self, path: Path, kind: Kind, source: Source, channel: Channel | None, name: str
    ) -> list[Draft]:
        if kind == "image":
            if self._pictures is None:
                raise ConfigError(f"{path}: no reader of pictures is set up")
            found = self._pictures.read(path)
            if not found.text:
                return []
            return [
                picture_draft(
                    found.text, found.confidence, source, name=name, channel=channel or Channel.OTHER
                )
            ]
        if kind == "audio" and self._transcriber is not None:
            turns = self._transcribed(path, self._transcriber)
        else:
            turns = read_transcript(path)
        return turn_drafts(turns, source, name=name, channel=channel or Channel.CALL)

    def _transcribed(self, path: Path, transcriber: Transcriber) -> list[SpokenTurn]:
        try:
            turns = transcriber.transcribe(path)
        except ModelUnavailable as error:
            self._failures += 1
            raise ModelUnavailable(f"{path}: {error.message}", hint=error.hint) from error
        self._failures = 0
        return turns
