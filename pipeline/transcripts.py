"""Transcripts of calls to turns: WebVTT, SRT, and the JSON of OpenAI-compatible transcription endpoints."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pipeline.conversation_cues import load_cues
from pipeline.conversation_turns import seconds
from pipeline.encodings import detect_encoding
from pipeline.packed import blocks
from pipeline.vocabulary import meaning
from store.errors import InputError

# A pause this long within one voice begins a new turn.
_PAUSE_S: Final = 2.0
_ARROW: Final = re.compile(r"(?P<start>[\d:.,]+)\s*-->\s*(?P<end>[\d:.,]+)")
_VOICE: Final = re.compile(r"^<v(?:\.[^\s>]*)?\s+(?P<who>[^>]+)>(?P<rest>.*)$", re.DOTALL)
_TAG: Final = re.compile(r"</?[a-z0-9.:_ -]+>", re.IGNORECASE)
_LABEL: Final = re.compile(
    r"^\s*[\[(（【]?(?P<who>[^\[\]()（）【】:：]{1,24})[\])）】]?\s*[:：]\s*(?P<rest>\S.*)$", re.DOTALL
)


class Segment(NamedTuple):
    """A stretch of speech. `voice` is the label of its speaker in the transcript ("" where none is given)."""

    voice: str
    start: float | None
    end: float | None
    text: str


class SpokenTurn(NamedTuple):
    """A turn of a transcript with who speaks, as far as that can be told; times in seconds."""

    speaker: Literal["customer", "agent"] | None
    start: float | None
    end: float | None
    text: str


def looks_like_transcript(head: str) -> bool:
    """Whether the beginning of a JSON document is that of a transcription with segments."""
    opened = head.lstrip("\ufeff \t\r\n")
    return opened.startswith("{") and '"segments"' in head and '"text"' in head and '"start"' in head


def read_transcript(path: Path) -> list[SpokenTurn]:
    """Return the turns of a transcript file.

    Raises InputError where it cannot be read, holds no speech or is none of the formats.
    """
    try:
        text = path.read_bytes().decode(detect_encoding(blocks(path), str(path)).name)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeError as error:
        raise InputError(f"{path}: not a text file: {error}") from error
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            segments = list(json_segments(json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{path}: not a transcription document: {error}") from error
    else:
        segments = list(_cues(text))
    if not segments:
        raise InputError(f"{path}: the transcript holds no speech")
    return spoken_turns(segments)


def json_segments(document: dict[str, Any]) -> Iterator[Segment]:
    """Segments of a `verbose_json` or `diarized_json` document; its whole text where it has no segments."""
    segments = document.get("segments") or []
    for one in segments:
        text = str(one.get("text") or "").strip()
        if text:
            yield Segment(
                str(one.get("speaker") or ""), _number(one.get("start")), _number(one.get("end")), text
            )
    whole = str(document.get("text") or "").strip()
    if not segments and whole:
        yield Segment("", 0.0, _number(document.get("duration")), whole)


def spoken_turns(segments: Sequence[Segment]) -> list[SpokenTurn]:
    """Join neighbouring segments of one voice, and tell the customer's voice from the agent's."""
    speakers = _speakers(segments)
    turns: list[SpokenTurn] = []
    voice: str | None = None
    for one in segments:
        last = turns[-1] if turns else None
        pause = one.start - last.end if last and one.start is not None and last.end is not None else 0.0
        if last is not None and one.voice == voice and pause < _PAUSE_S:
            space = "" if last.text[-1:] > "\u2e80" or one.text[:1] > "\u2e80" else " "
            turns[-1] = last._replace(text=last.text + space + one.text, end=one.end)
        else:
            turns.append(SpokenTurn(speakers.get(one.voice), one.start, one.end, one.text))
        voice = one.voice
    return turns


def _speakers(segments: Sequence[Segment]) -> dict[str, Literal["customer", "agent"]]:
    """Who each voice is: by its label, else the voice that talks like an agent is the agent.

    A voice by itself without a telling label stays unknown, and so do all where nobody talks like an agent.
    """
    voices = list(dict.fromkeys(one.voice for one in segments))
    found: dict[str, Literal["customer", "agent"]] = {}
    for voice in voices:
        # Single letters are the labels of a diarising endpoint and stand for anybody.
        named = meaning(voice, "speakers") if len(voice) > 1 else None
        if named == "customer" or named == "agent":
            found[voice] = "customer" if named == "customer" else "agent"
    others = [voice for voice in voices if voice and voice not in found]
    if not others or len(voices) < 2:
        return found
    if "agent" not in found.values():
        manners = _manners(one for one in segments if one.voice in others)
        if not manners:
            return found
        found[manners.most_common(1)[0][0]] = "agent"
    return {**dict.fromkeys(others, "customer"), **found}


def _manners(segments: Iterable[Segment]) -> Counter[str]:
    cue = load_cues().patterns["speaker.agent"]
    counts: Counter[str] = Counter()
    for one in segments:
        counts[one.voice] += len(cue.findall(one.text))
    return +counts


def _cues(text: str) -> Iterator[Segment]:
    """Cues of a WebVTT or SRT file; headers, notes and numbers are passed over."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\ufeff\n").split("\n")
        at = next((place for place, line in enumerate(lines) if _ARROW.search(line)), None)
        if at is None:
            continue
        arrow = _ARROW.search(lines[at])
        words = "\n".join(lines[at + 1 :]).strip()
        if arrow is None or not words:
            continue
        voice, words = _voice(words)
        words = " ".join(_TAG.sub("", words).split())
        if words:
            yield Segment(voice, seconds(arrow["start"]), seconds(arrow["end"]), words)


def _voice(words: str) -> tuple[str, str]:
    tagged = _VOICE.match(words)
    if tagged:
        return tagged["who"].strip(), tagged["rest"]
    labelled = _LABEL.match(words)
    if labelled and _is_label(labelled["who"].strip()):
        return labelled["who"].strip(), labelled["rest"]
    return "", words


@cache
def _is_label(who: str) -> bool:
    """A word before a colon is a voice only where it is known to be one: 备注：... is speech."""
    return meaning(who, "speakers") is not None or bool(
        re.match(r"(?i)^(?:spk|speaker|voice|说话人|发言人)[ _]?\w{0,3}$", who)
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
