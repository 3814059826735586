"""The tool results that the number lock's sentences speak of, made by the tools from the data sets."""

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from evals.session import open_dataset, open_sample, tool_runner
from evals.wording import read_yaml

CASES = Path(__file__).parent / "cases"
KEPT = CASES / "number_lock_results.json"
_CALLS = "cases/number_lock_calls.yaml"
_SAMPLE = "sample"
Results = Mapping[str, Mapping[str, Any]]


def kept_results() -> Results:
    """The results over the sample feed by name: `name` of the tool, `args`, `result`."""
    results: Results = json.loads(KEPT.read_text(encoding="utf-8"))
    return results


def remake() -> int:
    """Make the results over the sample feed anew and keep them; returns how many there are."""
    results = _made(_SAMPLE, None)
    KEPT.write_text(json.dumps(results, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(results)


def other_results(data: Path) -> Results:
    """The results over the public data sets, which are not kept: `data` is the folder that holds them.

    Raises InputError where a data set is not there.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name in read_yaml(_CALLS):
        if name != _SAMPLE:
            found.update(_made(name, data))
    return found


def _made(name: str, data: Path | None) -> Results:
    asked = read_yaml(_CALLS)[name]
    now = datetime.fromisoformat(asked["now"])
    with tempfile.TemporaryDirectory() as folder:
        app = (
            open_sample(Path(folder), now)[0]
            if data is None
            else open_dataset(name, data, Path(folder), now)[0]
        )
        run = tool_runner(app)
        results = {}
        for key, call in asked["calls"].items():
            result = {
                part: value for part, value in run(call["tool"], call["args"]).items() if part != "chart"
            }
            results[key] = {"name": call["tool"], "args": call["args"], "result": result}
    return results
