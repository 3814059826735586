"""Recordings in pieces that an endpoint takes: as they are, or WAV cut where it is quiet."""

import io
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from store.errors import InputError

# The header of a WAV file, with room for what some recorders add.
_HEADER: Final = 4_096
# A cut is sought in the last seconds of a piece, between windows of a tenth of a second.
_SEEK_S: Final = 20.0
_WINDOW_S: Final = 0.1


class Piece(NamedTuple):
    """A part of a recording: how to open it, its kind, and where it begins (seconds)."""

    open: Callable[[], IO[bytes]]
    suffix: str
    start_s: float


def pieces_of(path: Path, max_bytes: int) -> Iterator[Piece]:
    """Yield the pieces of a recording, in order; one for a file that is small enough.

    Raises InputError for a larger file that is no PCM WAV: cutting other formats would need a decoder.
    """
    suffix = path.suffix.lower()
    size = path.stat().st_size
    if size <= max_bytes:
        yield Piece(lambda: path.open("rb"), suffix, 0.0)
        return
    too_large = InputError(
        f"{path}: {size / 1e6:.0f} MB, and the endpoint takes {max_bytes / 1e6:.0f} MB",
        hint="make it smaller, such as: ffmpeg -i FILE -ac 1 -ar 16000 -b:a 32k SMALLER.mp3",
    )
    if suffix != ".wav":
        raise too_large
    try:
        with wave.open(str(path), "rb") as source:
            yield from _cut(source, max_bytes)
    except (wave.Error, EOFError) as error:
        raise too_large from error


def _cut(source: wave.Wave_read, max_bytes: int) -> Iterator[Piece]:
    settings = source.getparams()
    frame = settings.sampwidth * settings.nchannels
    most = (max_bytes - _HEADER) // frame
    done = 0
    while done < settings.nframes:
        source.setpos(done)
        block = source.readframes(min(most, settings.nframes - done))
        frames = len(block) // frame
        if not frames:
            # The header promises more than the file holds.
            return
        if done + frames < settings.nframes:
            frames = _quiet_end(block, settings.framerate, settings.sampwidth, frame)
        data = _wav(block[: frames * frame], settings)
        yield Piece(lambda data=data: io.BytesIO(data), ".wav", done / settings.framerate)  # type: ignore[misc]
        done += frames


def _quiet_end(block: bytes, rate: int, width: int, frame: int) -> int:
    """Return after how many frames to cut: the middle of the quietest window near the end."""
    import numpy as np

    frames = len(block) // frame
    window = max(1, int(rate * _WINDOW_S))
    count = min(int(_SEEK_S / _WINDOW_S), frames // (2 * window))
    if width != 2 or count < 2:
        return frames
    tail = np.frombuffer(block[(frames - count * window) * frame :], dtype="<i2").astype(np.float64)
    loudness = np.square(tail).reshape(count, -1).mean(axis=1)
    quietest = int(loudness.argmin())
    return frames - count * window + quietest * window + window // 2


def _wav(data: bytes, settings: "wave._wave_params") -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as target:
        target.setnchannels(settings.nchannels)
        target.setsampwidth(settings.sampwidth)
        target.setframerate(settings.framerate)
        target.writeframes(data)
    return stream.getvalue()
