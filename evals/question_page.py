"""A run of question cases as one self-contained HTML page, beside its baseline."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from evals.scoreboard import sections

_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:2rem auto;
max-width:70rem;padding:0 1rem;color:#1c1f23}table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left}td.n,th.n{text-align:right}
.bar{background:#e7e9ee;width:10rem;height:.7rem;position:relative}.bar i{background:#2d7d54;display:block;
height:100%}.worse{color:#b3261e}details{margin:.4rem 0}pre{white-space:pre-wrap;background:#f6f7f9;
padding:.6rem}
"""


def page(result: Mapping[str, Any], before: Mapping[str, Any] | None, worse: Sequence[str]) -> str:
    """HTML of a run; `before` is its baseline, `worse` what fell against it."""
    total, use = result["totals"], result["use"]
    hats = ", ".join(f"pass^{k} {share:.3f}" for k, share in result["pass_hat"].items())
    body = [
        f"<h1>Question cases, {escape(result['planner'])} planner</h1>",
        f"<p>{total['cases_right']} of {total['cases']} case runs wholly right ({hats}). Wrong figures "
        f"shown: {total['wrong']}. Unaccounted numbers: {total['unbound']}. Latency p50 {use['p50_ms']} ms, "
        f"p95 {use['p95_ms']} ms a turn; {use['input_tokens']:.0f} + {use['output_tokens']:.0f} tokens and "
        f"{use['cost']:.4f} a case.</p>",
        *(f'<p class="worse">worse: {escape(line)}</p>' for line in worse),
    ]
    old = {(title, row["name"]): row for title, rows in sections(before) for row in rows} if before else {}
    for title, rows in sections(result):
        body.append(f"<h2>{escape(title)}</h2>{_table(title, rows, old)}")
    body.append("<h2>Misses</h2>" + "".join(_miss(miss) for miss in result["misses"]))
    head = f"<meta charset='utf-8'><title>Question cases</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(body)}</body></html>\n"


def _table(title: str, rows: Sequence[Mapping[str, Any]], old: Mapping[tuple[str, str], Any]) -> str:
    head = "<tr><th>group<th class=n>right<th class=n>of<th>share<th>95% interval"
    head += "<th class=n>before<th class=n>wrong"
    lines = []
    for row in rows:
        before, share = old.get((title, row["name"])), row["share"]
        then = "-" if before is None or before["share"] is None else f"{before['share']:.3f}"
        shown = "-" if share is None else f"{share:.3f}"
        lines.append(
            f"<tr><td>{escape(row['name'])}<td class=n>{row['cases_right']}<td class=n>{row['cases']}"
            f"<td>{shown}<div class=bar><i style='width:{100 * (share or 0):.1f}%'></i></div>"
            f"<td>{row['low']:.3f} to {row['high']:.3f}<td class=n>{then}<td class=n>{row['wrong']}"
        )
    return f"<table>{head}{''.join(lines)}</table>"


def _miss(miss: Mapping[str, Any]) -> str:
    reasons = "".join(f"<li>{escape(reason)}" for reason in miss["misses"])
    where = f"{miss['case']}, turn {miss['turn']}, trial {miss['trial']}"
    return (
        f"<details><summary><b>{escape(where)}</b>: {escape(miss['ask'])}</summary><ul>{reasons}</ul>"
        f"<pre>{escape(miss['answer'])}</pre></details>"
    )
