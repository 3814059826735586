"""Byte streams of input files, unpacked where their first bytes say gzip."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from store.errors import InputError

_BLOCK = 1 << 20


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading its unpacked bytes. Raises InputError for a broken archive."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    yield cast(IO[bytes], stream)
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: the gzip archive is broken: {error}") from error


@contextmanager
def seekable(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for random access; a gzipped one is unpacked into a temporary file first."""
    with unpacked(path) as stream:
        if not isinstance(stream, gzip.GzipFile):
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            yield copy


def blocks(path: Path) -> Iterator[bytes]:
    """Stream the unpacked bytes in blocks of 1 MiB."""
    with unpacked(path) as stream:
        while block := stream.read(_BLOCK):
            yield block
