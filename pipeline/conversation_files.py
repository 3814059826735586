"""Conversations of a file, labelled without being stored: tables with a conversation column, transcripts."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.classifier import Classifier
from pipeline.clean import clean
from pipeline.columns import guess_mapping
from pipeline.dates import DateFormat
from pipeline.language import detect_language
from pipeline.media import media_kind, source_of, turn_drafts
from pipeline.profiles import profile_rows
from pipeline.readers import open_table
from pipeline.rows import Draft, FeedbackRows, RejectedRow
from pipeline.transcripts import read_transcript
from pipeline.writing import Mask
from store.errors import InputError
from store.records import Channel, Feedback, LabelledFeedback


def read_conversations(
    path: Path, classifier: Classifier, mask: Mask, *, zone: ZoneInfo, now: datetime
) -> dict[str, list[LabelledFeedback]]:
    """Return the turns of a file by conversation, masked and labelled, in the order of the file.

    Rows without a conversation are left out. Raises InputError where the file cannot be used, holds a row
    that cannot be read, or has no conversations.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    kind = media_kind(path)
    if kind in ("audio", "image"):
        raise InputError(f"{path}: not a transcript", hint="bring recordings in first: voiceloop ingest")
    drafts = list(_transcript(path, zone) if kind == "transcript" else _table(path, zone, now))
    texts = mask([draft.text for draft in drafts])
    labels = classifier.classify(texts)
    found: dict[str, list[LabelledFeedback]] = {}
    for draft, text, label in zip(drafts, texts, labels, strict=True):
        feedback = Feedback(
            **draft.fields,
            text=text,
            language=detect_language(text),
            metrics=draft.metrics,
            attributes=dict(zip(draft.attributes, mask(list(draft.attributes.values())), strict=True)),
        )
        item = LabelledFeedback(feedback=feedback, labels=label if text else None)
        found.setdefault(feedback.conversation_id or "", []).append(item)
    found.pop("", None)
    if not found:
        raise InputError(
            f"{path}: no conversations in it",
            hint="a table needs a column such as conversation_id (会话ID), turn, speaker and text",
        )
    return found


def _transcript(path: Path, zone: ZoneInfo) -> Iterator[Draft]:
    source = source_of(path, zone)
    turns = read_transcript(path)
    yield from turn_drafts(turns, source, name="transcript", channel=Channel.CALL)


def _table(path: Path, zone: ZoneInfo, now: datetime) -> Iterator[Draft]:
    table = open_table(path)
    profiles, _ = profile_rows(table.rows())
    mapping = guess_mapping(profiles, context=path.stem)
    dated = mapping.choice("occurred_at")
    dates = profiles[dated.column].dates.decide(zone) if dated else DateFormat("YYYY-MM-DD", "ymd", "no date")
    rows = FeedbackRows(
        mapping, dates, source=path.stem, channel=Channel.CHAT, zone=zone, now=now, clean=clean
    )
    for row in table.rows():
        try:
            yield rows.draft(row)
        except RejectedRow as reason:
            raise InputError(f"{path}: row {row.number}: {reason}") from reason
