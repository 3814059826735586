"""The files of the web page: read and compressed once, their address changing with what is in them."""

import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final

FOLDER: Final = Path(__file__).parent / "web"
_SMALLEST: Final = 1_000
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# What a first look needs besides what index.html names: told to the browser at once, not module by module.
_MODULE_FOLDERS: Final = ("", "parts")


@dataclass(frozen=True)
class WebFile:
    """One file. `etag` is quoted, as HTTP has it."""

    content: bytes
    media_type: str
    etag: str

    @cached_property
    def gzipped(self) -> bytes | None:
        """The content compressed; None where that saves nothing."""
        if len(self.content) < _SMALLEST:
            return None
        small = gzip.compress(self.content, compresslevel=6, mtime=0)
        return small if len(small) < len(self.content) else None


@dataclass(frozen=True)
class Release:
    """All files as they were at one moment. `fingerprint` stands for all of them; `index` is the page."""

    fingerprint: str
    files: dict[str, WebFile]
    index: WebFile


class WebFiles:
    """The files as they are now: one edited while the server runs shows at the next load of the page."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._lock = Lock()
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._release: Release | None = None

    def release(self, *, fresh: bool = False) -> Release:
        """The files; `fresh` looks whether one of them has changed."""
        with self._lock:
            if self._release is None or fresh:
                seen = self._look()
                if self._release is None or seen != self._seen:
                    self._release, self._seen = self._read(), seen
            return self._release

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._folder.rglob("*") if path.suffix in _TYPES and path.is_file())

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        found = [(path, path.stat()) for path in self._paths()]
        return tuple((str(path), told.st_mtime_ns, told.st_size) for path, told in found)

    def _read(self) -> Release:
        files = {path.relative_to(self._folder).as_posix(): _read(path) for path in self._paths()}
        whole = sha256("".join(f"{name} {one.etag}\n" for name, one in files.items()).encode())
        fingerprint = whole.hexdigest()[:12]
        page = files.pop("index.html").content.decode()
        page = page.replace("<!-- modules -->", "\n".join(_preloads(files)))
        page = page.replace('"/web/', f'"/web/{fingerprint}/')
        index = _file(page.encode(), ".html")
        return Release(fingerprint, files, index)


def _preloads(files: dict[str, WebFile]) -> list[str]:
    modules = [
        name
        for name in files
        if name.endswith(".js") and name.rpartition("/")[0] in _MODULE_FOLDERS and name != "first.js"
    ]
    return [f'<link rel="modulepreload" href="/web/{name}">' for name in (*modules, "vendor/preact-htm.mjs")]


def _read(path: Path) -> WebFile:
    return _file(path.read_bytes(), path.suffix)


def _file(content: bytes, suffix: str) -> WebFile:
    return WebFile(content, _TYPES[suffix], f'"{sha256(content).hexdigest()[:20]}"')
