"""Make `pipeline/mask_gazetteer.txt` from the locale lists of Faker (MIT): the names that masking knows.

    pip download --no-binary :all: --no-deps faker==40.54.0
    python -m evals.mask_gazetteer --faker faker-40.54.0.tar.gz --data DIR

The lists are read from the source distribution without running it. A name that is also an ordinary English
word, a place or a month is marked doubtful: masking asks for more context there. Which words are ordinary is
counted in public-domain reviews (DIR: the CC0 sets `en_womens_clothing` and `en_skytrax_lounge_seat`).
"""

import argparse
import ast
import csv
import gzip
import hashlib
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import available_timezones

from pipeline.mask_latin_words import fold

_OUT = Path(__file__).parents[1] / "pipeline" / "mask_gazetteer.txt"
_LATIN = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ][A-Za-zÀ-ɏḀ-ỿ'’\-]+")
_CAPITALISED = re.compile(r"(?<=[a-z,] )[A-Z][a-z'’\-]+")
_WORD = re.compile(r"(?<![\w'’])[a-z][a-z'’\-]+(?![\w])")
_HAN = re.compile(r"[\u4e00-\u9fff]{1,3}")
_GIVEN = re.compile(r"^first_(?:romanized_)?name|^unisex|^middle_name|^given", re.I)
_FAMILY = re.compile(r"^last_(?:romanized_)?name|^surname|^family", re.I)
_PLACES = re.compile(
    r"cit(?:y|ies)|countr|state|provinc|region|count(?:y|ies)|municipal|town|department|cant", re.I
)
_PERSON = re.compile(r"faker/providers/person/(\w+)/__init__\.py$")
_ADDRESS = re.compile(r"faker/providers/address/(\w+)/__init__\.py$")


def main() -> None:
    """Write the data file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faker", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    lists = _Lists()
    for kind, locale, source in _sources(given.faker):
        lists.read(kind, locale, source)
    lists.known_places |= _places(given.data)
    lists.places |= lists.known_places
    ordinary = _ordinary_words(given.data)
    _OUT.write_text(lists.text(given.faker, ordinary), encoding="utf-8")
    print(f"{_OUT}: {_OUT.stat().st_size:,} bytes, sha256 {hashlib.sha256(_OUT.read_bytes()).hexdigest()}")


class _Lists:
    def __init__(self) -> None:
        self.given: set[str] = set()
        self.common: set[str] = set()
        self.family: set[str] = set()
        self.places: set[str] = set()
        self.known_places: set[str] = set()
        self.chinese: set[str] = set()

    def read(self, kind: str, locale: str, source: str) -> None:
        for name, values in _assignments(source):
            if kind == "address":
                if _PLACES.search(name):
                    self.places |= {fold(value) for value in values if _LATIN.fullmatch(value)}
                if "countr" in name:
                    self.known_places |= {fold(value) for value in values if _LATIN.fullmatch(value)}
            elif _GIVEN.search(name):
                self._take(locale, values, self.given, chinese=True)
                if locale in ("en_US", "en_GB"):
                    self._take(locale, values, self.common, chinese=False)
            elif _FAMILY.search(name):
                self._take(locale, values, self.family, chinese=False)

    def _take(self, locale: str, values: list[str], into: set[str], *, chinese: bool) -> None:
        for value in values:
            if locale in ("zh_CN", "zh_TW"):
                if chinese and locale == "zh_CN" and _HAN.fullmatch(value):
                    self.chinese.add(value)
            else:
                into |= {
                    fold(part) for part in value.split() if _LATIN.fullmatch(part) and len(fold(part)) > 1
                }

    def text(self, archive: Path, ordinary: set[str]) -> str:
        names = self.given | self.family
        doubtful = {name for name in names if name in ordinary or name in self.places or len(name) < 3}
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        head = (
            f"# Names known to masking, from the locale lists of {archive.name}, sha256 {digest}.\n"
            "# Faker: MIT licence, (c) Daniele Faraglia and contributors.\n"
            "# Lower case, no accents. `common`: given names of the United States and Britain;\n"
            "# `doubtful`: also places; `wordlike`: also English words; `places`: cities, countries;\n"
            "# `ordinary`: words of public-domain reviews that belong to no name beside them.\n"
        )
        sections = {
            "common": self.common - doubtful,
            "given": self.given - self.common - doubtful,
            "family": self.family - self.given - doubtful,
            "doubtful": doubtful - ordinary,
            "wordlike": doubtful & ordinary,
            "places": self.known_places - names,
            "chinese_given": self.chinese,
            "ordinary": {word for word in ordinary if word.isalpha() and word not in names},
        }
        return head + "".join(f"{name}: {' '.join(sorted(words))}\n" for name, words in sections.items())


def _sources(archive: Path) -> Iterator[tuple[str, str, str]]:
    with tarfile.open(archive) as files:
        for member in sorted(files.getmembers(), key=lambda member: member.name):
            for kind, pattern in (("person", _PERSON), ("address", _ADDRESS)):
                found = pattern.search(member.name)
                stream = files.extractfile(member) if found else None
                if found and stream is not None:
                    yield kind, found[1], stream.read().decode("utf-8")


def _assignments(source: str) -> Iterator[tuple[str, list[str]]]:
    """Names and the string literals assigned to them; `{{...}}` formats are no names."""
    for node in ast.walk(ast.parse(source)):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(target, ast.Name)
            and value is not None
        ):
            texts = [
                leaf.value
                for leaf in ast.walk(value)
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str) and "{" not in leaf.value
            ]
            yield target.id, texts


def _places(data: Path) -> set[str]:
    """Cities of the time zones and of the airports reviewed, names of airlines."""
    found = {fold(name.rsplit("/", 1)[-1]) for name in available_timezones() if "_" not in name}
    with (data / "en_skytrax_lounge_seat" / "lounge.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            for cell in (row["airport"], row["airline_name"].replace("-", " ")):
                found |= {fold(word) for word in _LATIN.findall(cell)}
    return found


def _ordinary_words(data: Path) -> set[str]:
    """Words of the English reviews that are written in lower case more often than now and then."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for text in _reviews(data):
        small.update(_WORD.findall(text))
        large.update(word.lower() for word in _CAPITALISED.findall(text))
    return {word for word, count in small.items() if count >= 3 and count >= 0.3 * large[word]}


def _reviews(data: Path) -> Iterator[str]:
    with gzip.open(data / "en_womens_clothing" / "reviews.csv.gz", "rt", encoding="utf-8") as stream:
        for row in csv.reader(stream):
            yield from (cell for cell in row if len(cell) > 40)
    for name in ("lounge.csv", "seat.csv"):
        with (data / "en_skytrax_lounge_seat" / name).open(encoding="utf-8") as stream:
            for record in csv.DictReader(stream):
                yield record["content"]


if __name__ == "__main__":
    main()
