"""The scoring of the Numenta Anomaly Benchmark: early detections in labelled windows count most.

After A. Lavin and S. Ahmad, "Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly
Benchmark" (ICMLA 2015), and the scorer of github.com/numenta/NAB (nab/sweeper.py).
"""

import csv
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.errors import InputError

Floats = NDArray[np.float64]
PROBATION: Final = 0.15
_PROBATION_ROWS: Final = 5000
_FAR = 3.0


class Profile(NamedTuple):
    """What a missed window and a false alarm cost; a window found at its very start brings 1."""

    name: str
    missed: float
    false_alarm: float


PROFILES: Final = (
    Profile("standard", 1.0, 0.11),
    Profile("reward_low_FP", 1.0, 0.22),
    Profile("reward_low_FN", 2.0, 0.11),
)


class Series(NamedTuple):
    """One labelled series: `windows` are index spans, both ends in; the first `probation` rows are free."""

    name: str
    times: tuple[datetime, ...]
    values: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def group(self) -> str:
        """The folder it comes from."""
        return self.name.partition("/")[0]

    @property
    def probation(self) -> int:
        """Rows at the start that are not scored."""
        return math.floor(PROBATION * min(len(self.values), _PROBATION_ROWS))


class _Worth(NamedTuple):
    """What an alarm at each row brings: in a window its reward, else (negative) its share of an alarm's cost.

    `window` is the window's index, -1 outside.
    """

    gain: Floats
    window: NDArray[np.int64]


def read_series(data: Path) -> list[Series]:
    """Read every labelled series of a copy of the benchmark (data/ with .csv or .csv.gz, labels/)."""
    labels = data / "labels" / "combined_windows.json"
    if not labels.is_file():
        raise InputError(f"no labels at {labels}", hint="name the folder of the benchmark: --data")
    return [
        _series(data / "data" / name, name, windows)
        for name, windows in sorted(json.loads(labels.read_text(encoding="utf-8")).items())
    ]


def best_threshold(series: Sequence[Series], scores: Sequence[Floats], profile: Profile) -> float:
    """The one threshold that serves the whole corpus best, as the benchmark's own optimiser finds."""
    rows: list[tuple[float, float, int]] = []
    raw, offset = 0.0, 0
    for one, scored in zip(series, scores, strict=True):
        worth = _worth(one)
        start = one.probation
        windows = np.where(worth.window[start:] >= 0, worth.window[start:] + offset, -1)
        rows += zip(scored[start:].tolist(), worth.gain[start:].tolist(), windows.tolist(), strict=True)
        offset += len(one.windows)
    rows.sort(key=lambda row: -row[0])
    found: dict[int, float] = {}
    best, threshold = -math.inf, math.inf
    for place, (score, gain, window) in enumerate(rows):
        if window < 0:
            raw += gain * profile.false_alarm
        elif window not in found or gain > found[window]:
            raw += gain - found.get(window, -profile.missed)
            found[window] = gain
        last = place + 1 == len(rows) or rows[place + 1][0] != score
        if last and raw > best:
            best, threshold = raw, score
    return threshold


def corpus_score(
    series: Sequence[Series], scores: Sequence[Floats], threshold: float, profile: Profile
) -> float:
    """0 for a detector that never speaks, 100 for one that names each window at its start."""
    raw = windows = 0.0
    for one, scored in zip(series, scores, strict=True):
        raw += _raw_score(one, scored >= threshold, profile)
        windows += len(one.windows)
    if not windows:
        return 0.0
    return 100 * (raw + profile.missed * windows) / ((1 + profile.missed) * windows)


class Alarms(NamedTuple):
    """Windows with an alarm, all windows, and alarms outside of windows."""

    found: int
    windows: int
    false: int


def count_alarms(series: Sequence[Series], scores: Sequence[Floats], threshold: float) -> Alarms:
    """Count over the corpus."""
    found = windows = false = 0
    for one, scored in zip(series, scores, strict=True):
        alarm = scored >= threshold
        alarm[: one.probation] = False
        inside = _worth(one).window
        found += len(set(inside[alarm].tolist()) - {-1})
        windows += len(one.windows)
        false += int((alarm & (inside < 0)).sum())
    return Alarms(found, windows, false)


def _raw_score(one: Series, alarm: NDArray[np.bool_], profile: Profile) -> float:
    worth = _worth(one)
    alarm = alarm.copy()
    alarm[: one.probation] = False
    raw = profile.false_alarm * float(worth.gain[alarm & (worth.window < 0)].sum())
    for window in range(len(one.windows)):
        gains = worth.gain[alarm & (worth.window == window)]
        raw += float(gains.max()) if len(gains) else -profile.missed
    return raw


def _worth(one: Series) -> _Worth:
    n = len(one.values)
    gain, window = np.full(n, -1.0), np.full(n, -1, dtype=np.int64)
    for index, (first, last) in enumerate(one.windows):
        width = last - first + 1
        rows = np.arange(first, last + 1)
        gain[rows] = _sigmoid(-(last - rows + 1) / width) / _sigmoid(np.array(-1.0))
        window[rows] = index
        until = one.windows[index + 1][0] if index + 1 < len(one.windows) else n
        after = np.arange(last + 1, until)
        past = (after - last) / max(1.0, width - 1.0)
        gain[after] = np.where(past >= _FAR, -1.0, _sigmoid(past))
    return _Worth(gain, window)


def _sigmoid(position: Floats) -> Floats:
    scaled: Floats = 2 / (1 + np.exp(5 * np.minimum(position, _FAR))) - 1
    return scaled


def _series(path: Path, name: str, windows: Sequence[Sequence[str]]) -> Series:
    packed = path.with_name(path.name + ".gz")
    raw = gzip.decompress(packed.read_bytes()) if packed.is_file() else path.read_bytes()
    rows = list(csv.DictReader(raw.decode("utf-8").splitlines()))
    times = tuple(datetime.fromisoformat(row["timestamp"]) for row in rows)
    place: Mapping[datetime, int] = {time: at for at, time in reversed(list(enumerate(times)))}
    spans = tuple(
        (place[datetime.fromisoformat(first)], place[datetime.fromisoformat(last)]) for first, last in windows
    )
    return Series(name, times, np.array([float(row["value"]) for row in rows]), spans)
