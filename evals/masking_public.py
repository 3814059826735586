"""Masking on texts that others wrote: the sentences of presidio-research, and real reviews."""

import csv
import gzip
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from analytics.estimates import proportion
from pipeline.mask import mask

_PUBLISHED: Final = Path(__file__).with_name("masking_published.yaml")
_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
# Organisations, places, titles, ages, dates and web sites are left alone: alone they name nobody.
_MEANT: Final = (
    "PERSON", "STREET_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS",
    "US_SSN", "US_DRIVER_LICENSE", "ZIP_CODE",
)  # fmt: skip
_BESIDE: Final = frozenset(("GPE", "TITLE", "DATE_TIME", "DOMAIN_NAME"))
_MOST: Final = 6_000


def share(hits: int, n: int) -> dict[str, float | int | None]:
    """A share with its 95% Wilson interval, as reports hold it."""
    told = proportion(n, hits)
    rounded = [
        None if value is None else round(value, 4) for value in (told.value, told.ci_low, told.ci_high)
    ]
    return {"value": rounded[0], "ci_low": rounded[1], "ci_high": rounded[2], "n": n}


def presidio_figures(data: Path) -> dict[str, Any]:
    """Recall by entity, by span (six tenths of its signs hidden) and by token, beside presidio's own figures.

    All sentence patterns were listed once; what was missed was looked at for half of them alone (`seen`).
    """
    path = data / "pii_en_presidio_synth" / "synth_dataset_v2.jsonl"
    spans: Counter[tuple[str, str, bool]] = Counter()
    tokens: Counter[tuple[str, str, bool]] = Counter()
    shown: Counter[bool] = Counter()
    wrong: Counter[bool] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        text = case["full_text"]
        seen = int(hashlib.md5(case["masked"].encode(), usedforsecurity=False).hexdigest(), 16) % 2 == 1
        found = mask(text).spans
        for gold in case["spans"]:
            kind, low, high = gold["entity_type"], gold["start_position"], gold["end_position"]
            covered = sum(max(0, min(one.end, high) - max(one.start, low)) for one in found)
            spans[kind, "n", seen] += 1
            spans[kind, "hit", seen] += covered >= 0.6 * (high - low)
            for token in _TOKEN.finditer(text, low, high):
                tokens[kind, "n", seen] += 1
                tokens[kind, "hit", seen] += any(
                    one.start < token.end() and token.start() < one.end for one in found
                )
        for one in found:
            touched = {
                gold["entity_type"]
                for gold in case["spans"]
                if one.start < gold["end_position"] and gold["start_position"] < one.end
            }
            shown[seen] += 1
            wrong[seen] += not touched & {*_MEANT, *_BESIDE}
    published = yaml.safe_load(_PUBLISHED.read_text(encoding="utf-8"))
    return {
        "source": published["source"].strip(),
        "entities": {
            kind: {
                "spans": _both(spans, kind, (True, False)),
                "spans_unseen": _both(spans, kind, (False,)),
                "tokens": _both(tokens, kind, (True, False)),
                "published": published["figures"].get(kind),
            }
            for kind in _MEANT
        },
        "precision": share(sum(shown.values()) - sum(wrong.values()), sum(shown.values())),
        "precision_unseen": share(shown[False] - wrong[False], shown[False]),
        "published_all": published["figures"]["ALL"],
    }


def _both(counts: Counter[tuple[str, str, bool]], kind: str, halves: tuple[bool, ...]) -> dict[str, Any]:
    return share(sum(counts[kind, "hit", h] for h in halves), sum(counts[kind, "n", h] for h in halves))


def review_figures(data: Path) -> dict[str, Any]:
    """In how many real reviews something is hidden, by type: these hold little personal data."""
    figures: dict[str, Any] = {}
    for name, texts in _reviews(data):
        touched = count = 0
        types: Counter[str] = Counter()
        for text in texts:
            found = mask(text).spans
            count += 1
            touched += bool(found)
            types.update(span.type for span in found)
            if count == _MOST:
                break
        figures[name] = {"texts_with_spans": share(touched, count), "types": dict(types.most_common())}
    return figures


def _reviews(data: Path) -> Iterator[tuple[str, Iterator[str]]]:
    chinese = data / "zh_reviews_evaluation"
    yield "food delivery (zh)", _column(chinese / "waimai_10k.csv.gz", "review")
    yield "hotel (zh)", _column(chinese / "hotel_7k.csv.gz", "review")
    yield "airport lounge (en)", _column(data / "en_skytrax_lounge_seat" / "lounge.csv", "content")
    yield "airline seat (en)", _column(data / "en_skytrax_lounge_seat" / "seat.csv", "content")
    yield "clothing (en)", _column(data / "en_womens_clothing" / "reviews.csv.gz", "Review Text")
    complaints = data / "en_cfpb_complaints_sample" / "complaints.csv"
    yield "financial complaints (en)", _column(complaints, "Consumer complaint narrative")


def _column(path: Path, name: str) -> Iterator[str]:
    whole = path.read_bytes()
    text = (gzip.decompress(whole) if path.suffix == ".gz" else whole).decode("utf-8")
    yield from (row[name] for row in csv.DictReader(io.StringIO(text, newline="")) if row[name])
