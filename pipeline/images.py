"""Screenshots and photographs of receipts to text, by RapidOCR (optional group `images`, works offline)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from store.errors import ConfigError, InputError

# Lines below are mostly guesses at ornaments.
LEAST_SCORE: Final = 0.5


class Line(NamedTuple):
    """One stretch of text: its box (left, top, right, bottom in pixels), the text, how sure (0 to 1)."""

    box: tuple[float, float, float, float]
    text: str
    score: float


class PictureText(NamedTuple):
    """The text of a picture in reading order, and how sure the reader was, weighted by length (0 to 1)."""

    text: str
    confidence: float


class PictureReader(Protocol):
    """Pictures to text."""

    def read(self, path: Path) -> PictureText:
        """Return the text of a picture; empty where there is none.

        Raises InputError where the file is no picture, ConfigError where the reader is not installed.
        """
        ...


class RapidOcrReader:
    """Reads with RapidOCR on ONNX Runtime; its models are in its wheel. Loaded with the first picture."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._engine: Any = None

    def read(self, path: Path) -> PictureText:
        """See `PictureReader.read`."""
        engine = self._loaded()
        from rapidocr.utils.load_image import LoadImageError

        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        try:
            # Bytes and not the path: nothing of the name gets into the reader's own messages.
            found = engine(data)
        except (LoadImageError, OSError, ValueError, TypeError) as error:
            raise InputError(f"{path}: not a picture that can be read") from error
        if found.boxes is None or found.txts is None or found.scores is None:
            return PictureText("", 0.0)
        lines = [
            Line(_bounds(box), text, float(score))
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]
        return in_reading_order(lines)

    def _loaded(self) -> Any:
        if self._engine is None:
            try:
                from rapidocr import RapidOCR
            except ImportError as error:
                raise ConfigError(
                    "reading pictures needs the optional group `images`",
                    hint="install it: pip install -c constraints.txt -e '.[images]'",
                ) from error
            threads = "EngineConfig.onnxruntime.intra_op_num_threads"
            self._engine = RapidOCR(params={"Global.log_level": "critical", threads: self._threads})
        return self._engine


def in_reading_order(lines: Sequence[Line]) -> PictureText:
    """Put the stretches of a picture together: rows from top to bottom, each from left to right.

    Stretches whose centres lie within half a height of each other share a row.
    """
    kept = sorted((one for one in lines if one.text.strip() and one.score >= LEAST_SCORE), key=_middle)
    rows: list[list[Line]] = []
    for line in kept:
        if rows and _share_a_row(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    text = "\n".join(" ".join(one.text.strip() for one in sorted(row)) for row in rows)
    letters = sum(len(one.text) for one in kept)
    sure = sum(one.score * len(one.text) for one in kept) / letters if letters else 0.0
    return PictureText(text, sure)


def _share_a_row(one: Line, other: Line) -> bool:
    return abs(_middle(one) - _middle(other)) < 0.5 * min(_height(one), _height(other))


def _bounds(box: Any) -> tuple[float, float, float, float]:
    across = [float(point[0]) for point in box]
    down = [float(point[1]) for point in box]
    return min(across), min(down), max(across), max(down)


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]
