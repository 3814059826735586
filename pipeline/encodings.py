"""Which encoding a text file is in, decided from the whole file."""

import codecs
from collections.abc import Iterable
from typing import NamedTuple

from store.errors import InputError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BAD_SHARE = 0.05
_PLAUSIBLE_SHARE = 0.8
_SAMPLE_CHARACTERS = 200_000
_LONG_LINE = 1 << 22


class Encoding(NamedTuple):
    """A Python codec name and how many lines hold bytes that are not valid in it."""

    name: str
    bad_lines: int


class _Tally:
    """Counts the lines of a byte stream that a codec can and cannot read."""

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.good = 0
        self.bad = 0
        self.sample: list[str] = []
        self._sampled = 0

    def add(self, block: bytes) -> None:
        """Count a block of whole lines."""
        try:
            text = block.decode(self.codec)
        except UnicodeDecodeError:
            for line in block.split(b"\n"):
                if not line.isascii():
                    self._add_line(line)
            return
        self.good += sum(not line.isascii() for line in text.split("\n"))
        self._keep(text)

    def _add_line(self, line: bytes) -> None:
        try:
            text = line.decode(self.codec)
        except UnicodeDecodeError:
            self.bad += 1
            return
        self.good += 1
        self._keep(text)

    def _keep(self, text: str) -> None:
        if self._sampled < _SAMPLE_CHARACTERS:
            self._sampled += len(text)
            self.sample.append(text)

    @property
    def acceptable(self) -> bool:
        """Whether few enough of the non-ASCII lines are broken."""
        return self.bad <= _BAD_SHARE * (self.good + self.bad)


def detect_encoding(blocks: Iterable[bytes], path: str) -> Encoding:
    """Decide the encoding of a text file from all its bytes.

    A byte order mark decides. Else UTF-8, where every line is valid; else GB18030, where nearly all lines
    are valid and read as everyday Chinese (most non-ASCII characters belong to GB 2312, which neither
    UTF-8 nor Latin text read as GB18030 does); else UTF-8 with a few broken lines, whose rows are
    rejected later. Raises InputError for binary content and for a file that fits none.
    """
    utf8, gb, lines = _Tally("utf-8"), _Tally("gb18030"), 0
    first = True
    for block in _whole_lines(blocks):
        if first:
            first = False
            for mark, name in _BOMS:
                if block.startswith(mark) and name != "utf-8-sig":
                    return Encoding(name, 0)
            _refuse_binary(block[: 1 << 16], path)
            if block.startswith(codecs.BOM_UTF8):
                utf8.codec = "utf-8-sig"
        lines += block.count(b"\n") + 1
        if block.isascii():
            continue
        utf8.add(block)
        if utf8.bad:
            gb.add(block)
    if utf8.bad == 0 or utf8.codec == "utf-8-sig":
        return Encoding(utf8.codec, utf8.bad)
    if gb.acceptable and _reads_as_chinese("".join(gb.sample)):
        return Encoding("gb18030", gb.bad)
    if utf8.acceptable or utf8.bad <= _BAD_SHARE * lines or (utf8.good >= 4 * utf8.bad):
        return Encoding("utf-8", utf8.bad)
    raise InputError(
        f"{path}: the text is neither UTF-8, UTF-16 with a byte order mark, nor GB18030",
        hint="save the file as UTF-8, or name its encoding",
    )


def _whole_lines(blocks: Iterable[bytes]) -> Iterable[bytes]:
    rest = b""
    for block in blocks:
        rest += block
        cut = rest.rfind(b"\n")
        if cut >= 0:
            yield rest[: cut + 1]
            rest = rest[cut + 1 :]
        elif len(rest) > _LONG_LINE:
            # Cut a monstrous line before an ASCII byte, which never lies inside a UTF-8 character.
            cut = next((i for i in range(len(rest) - 1, len(rest) - 64, -1) if rest[i] < 0x30), len(rest))
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _refuse_binary(head: bytes, path: str) -> None:
    control = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 12, 13, 27))
    if control > 0.01 * len(head) and control > 1:
        raise InputError(
            f"{path}: this is binary data, not text",
            hint="CSV, TSV, XLSX, JSONL and Parquet files are read; UTF-16 needs a byte order mark",
        )


def _reads_as_chinese(text: str) -> bool:
    wide = [character for character in text if ord(character) > 127]
    if not wide:
        return False
    everyday = len("".join(wide).encode("gb2312", "ignore")) / 2
    return everyday >= _PLAUSIBLE_SHARE * len(wide)
