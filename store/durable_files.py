"""Files that are either there as a whole or not at all, whatever kills the program."""

import errno
import os
import tempfile
from pathlib import Path

from store.errors import StoreError, StoreFull


def write_whole(path: Path, body: bytes) -> None:
    """Write a file by way of a temporary one beside it, flushed to the disk before it takes the name.

    Raises StoreError where it cannot be written, StoreFull where the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
        raise kind(f"{path} cannot be written: {error.strerror or error}") from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names, so that a rename is there after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
