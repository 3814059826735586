"""Files that are no tables: recordings, transcripts, pictures; what they are and how they are named."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import yaml

from pipeline.clean import clean
from pipeline.rows import Draft
from pipeline.transcripts import SpokenTurn, looks_like_transcript
from store.errors import InputError
from store.records import Channel

Kind = Literal["audio", "image", "transcript"]
ENDINGS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys((".wav", ".mp3", ".m4a", ".mp4", ".ogg", ".oga", ".flac", ".webm", ".mpga"), "audio"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".bmp"), "image"),
    **dict.fromkeys((".vtt", ".srt"), "transcript"),
}
_HEAD: Final = 4_096
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
# 20261102, 20261102_153000, 2026-11-02 15.30.00: how recorders and telephones name their files.
_STAMP: Final = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_ T.]{0,3}([01]\d|2[0-3])[-_.:]?([0-5]\d)(?:[-_.:]?([0-5]\d))?)?(?!\d)"
)


class Source(NamedTuple):
    """A media file: its SHA-256, its reference without personal data, its time and where that is from."""

    digest: str
    reference: str
    at: datetime
    dated_by: Literal["file name", "file time"]

    @property
    def key(self) -> str:
        """The id of the conversation or picture: a function of the content alone."""
        return f"m{self.digest[:24]}"


def media_kind(path: Path) -> Kind | None:
    """Return what a file is by its ending; a JSON file by its beginning; None for anything else."""
    kind = ENDINGS.get(path.suffix.lower())
    if kind is not None:
        return kind
    if path.suffix.lower() == ".json" and path.is_file():
        try:
            with path.open("rb") as stream:
                head = stream.read(_HEAD).decode("utf-8", "replace")
        except OSError:
            # The table reader says why it cannot be read.
            return None
        return "transcript" if looks_like_transcript(head) else None
    return None


def source_of(path: Path, zone: ZoneInfo) -> Source:
    """Hash a file and name it. Raises InputError where it cannot be read or is empty.

    The time is the one in the name (in `zone`), else that of the file's last change.
    """
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                hasher.update(block)
        stat = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not stat.st_size:
        raise InputError(f"{path}: the file is empty")
    digest = hasher.hexdigest()
    at = _stamp(path.stem, zone)
    changed = datetime.fromtimestamp(stat.st_mtime, UTC)
    reference = f"{safe_name(path)}#sha256={digest}"
    return Source(digest, reference, at or changed, "file name" if at else "file time")


def safe_name(path: Path) -> str:
    """Return a file's name with nothing in it that may name a person or be a number of theirs.

    Kept are dates, numbers of up to six digits and the words of `media.yaml`; any other word becomes `[NAME]`
    and any longer number `[NUMBER]`: the hash beside it still finds the file.
    """
    stem = path.stem
    stamps = [match.span() for match in _STAMP.finditer(stem)]
    kept = []
    for match in _TOKEN.finditer(stem):
        token = match.group()
        inside = any(start <= match.start() and match.end() <= end for start, end in stamps)
        if inside or not token.strip("_- .()[]#+") or (token.isdigit() and len(token) <= 6):
            kept.append(token)
        elif token.isdigit():
            kept.append("[NUMBER]")
        elif any(sign.isalpha() for sign in token):
            kept.append(token if _is_plain(token.lower()) else "[NAME]")
        else:
            kept.append("_")
    return re.sub(r"(?:\[NAME\][\W_]*)+\[NAME\]", "[NAME]", "".join(kept)) + path.suffix.lower()


def turn_drafts(turns: Sequence[SpokenTurn], source: Source, *, name: str, channel: Channel) -> list[Draft]:
    """Return one draft a turn: ids from the content, times as attributes `start` and `end` in seconds."""
    drafts = []
    for number, turn in enumerate(turns):
        spoken = source.at + timedelta(seconds=turn.start or 0.0)
        fields = {
            "feedback_id": f"{source.key}-{number}",
            "source": name,
            "channel": channel,
            "occurred_at": spoken,
            "conversation_id": source.key,
            "turn": number,
            "media": source.reference,
        }
        if turn.speaker:
            fields["speaker"] = turn.speaker
        given = {"start": turn.start, "end": turn.end}
        times = {key: f"{value:.2f}" for key, value in given.items() if value is not None}
        drafts.append(Draft(number + 1, fields, text=clean(turn.text), attributes=times))
    return drafts


def picture_draft(text: str, confidence: float, source: Source, *, name: str, channel: Channel) -> Draft:
    """Return the draft of a picture: its text, and in the attributes how sure the reader was (0 to 1)."""
    fields = {
        "feedback_id": source.key,
        "source": name,
        "channel": channel,
        "occurred_at": source.at,
        "media": source.reference,
    }
    return Draft(1, fields, text=clean(text), attributes={"ocr_confidence": f"{confidence:.2f}"})


@cache
def _plain_words() -> frozenset[str]:
    loaded = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return frozenset(str(word) for line in loaded["plain_words"] for word in line)


def _is_plain(word: str) -> bool:
    if word in _plain_words():
        return True
    # 通话录音 is two of the words.
    if not _HAN.fullmatch(word):
        return False
    return any(word.startswith(one) and _is_plain(word[len(one) :]) for one in _plain_words() if one != word)


def _stamp(stem: str, zone: ZoneInfo) -> datetime | None:
    match = _STAMP.search(stem)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None
