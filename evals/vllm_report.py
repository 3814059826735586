"""The figures of a run against real vLLM servers, as JSON and Markdown."""

import json
from pathlib import Path
from typing import Any, Final

REPORT: Final = Path(__file__).parent / "reports" / "vllm.json"


def write_report(figures: dict[str, dict[str, Any]], path: Path = REPORT) -> None:
    """Put the figures by name into the report, those of an earlier run kept, and a table beside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        figures = {**json.loads(path.read_text(encoding="utf-8")), **figures}
    path.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lines = [
        "# A real vLLM server",
        "",
        "Random tiny models on a CPU: contracts and overhead, not accuracy.",
        "",
    ]
    lines += ["| check | figures |", "| --- | --- |"]
    for name, figure in figures.items():
        told = "; ".join(f"{key} {_shown(value)}" for key, value in figure.items())
        lines.append(f"| {name} | {told} |")
    path.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
