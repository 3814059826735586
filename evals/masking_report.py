"""The masking figures as a page."""

from typing import Any


def render(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    lines = ["# Masking", "", *_suite(report), *_presidio(report), *_reviews(report), *_canaries(report)]
    return "\n".join(lines).rstrip() + "\n"


def _suite(report: dict[str, Any]) -> list[str]:
    lines = [
        f"`python -m evals.masking --seed {report['seed']}`. A value counts as hidden only if no letter"
        " and no digit of it is left. The rules were written against other draws from the same sentences.",
        "",
        "| suite | texts | recall, structured | recall, names and addresses | precision |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, title in (("generated", "generated"), ("hand_written", "hand-written")):
        suite = report[name]
        recall = suite["recall"]
        lines.append(
            f"| {title} | {suite['texts']:,} | {_told(recall['structured'])} |"
            f" {_told(recall['names_and_addresses'])} | {_told(suite['precision'])} |"
        )
    lines += ["", "| kind (generated) | recall |", "| --- | --- |"]
    lines += [f"| {kind} | {_told(figure)} |" for kind, figure in report["generated"]["kinds"].items()]
    missed = [f"- {case['kind']}: {case['text']}" for case in report["generated"]["missed"][:30]]
    false = [f"- {case['type']} in: {case['text']}" for case in report["generated"]["false"][:30]]
    return [
        *lines,
        "",
        "Missed:",
        "",
        *(missed or ["- none"]),
        "",
        "Wrongly hidden:",
        "",
        *(false or ["- none"]),
        "",
    ]


def _presidio(report: dict[str, Any]) -> list[str]:
    found = report.get("presidio")
    if found is None:
        return []
    lines = [
        "## 1,500 sentences of presidio-research",
        "",
        "By span: six tenths of its signs hidden. `unseen`: the half of the sentence patterns whose misses"
        " were not looked at while the rules were written (all patterns were listed once). Published by its"
        f" authors, by token: {found['source']}. Their tokens and ours differ a little, and they also look"
        " for entities that are left alone here (organisations, places, dates).",
        "",
        "| entity | spans | spans, unseen patterns | tokens | presidio, tokens: recall / precision |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind, figure in found["entities"].items():
        theirs = figure["published"]
        told = f"{theirs['recall']:.3f} / {theirs['precision']:.3f} (n={theirs['n']})" if theirs else "-"
        lines.append(
            f"| {kind} | {_told(figure['spans'])} | {_told(figure['spans_unseen'])} |"
            f" {_told(figure['tokens'])} | {told} |"
        )
    return [
        *lines,
        "",
        f"Spans that touch nothing personal count as wrong: precision {_told(found['precision'])}, on unseen"
        f" patterns {_told(found['precision_unseen'])}; presidio, all entities:"
        f" {found['published_all']['precision']:.3f}.",
        "",
    ]


def _reviews(report: dict[str, Any]) -> list[str]:
    found = report.get("reviews")
    if found is None:
        return []
    lines = [
        "## Real reviews",
        "",
        "They hold little personal data; these were looked at for what is wrongly hidden.",
        "",
        "| set | texts in which something is hidden | what |",
        "| --- | --- | --- |",
    ]
    for name, figure in found.items():
        types = ", ".join(f"{kind} {count}" for kind, count in figure["types"].items())
        lines.append(f"| {name} | {_told(figure['texts_with_spans'])} | {types or '-'} |")
    return [*lines, ""]


def _canaries(report: dict[str, Any]) -> list[str]:
    found = report.get("canaries")
    if found is None:
        return []
    return [
        "## Canaries",
        "",
        f"{found['canaries']:,} invented values through the whole program ({', '.join(found['ways'])});"
        f" {found['files']} files and {found['outputs']} outputs searched byte by byte:"
        f" {found['found']} found.",
        "",
    ]


def _told(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "-"
    return f"{figure['value']:.4f} [{figure['ci_low']:.4f}, {figure['ci_high']:.4f}], n={figure['n']:,}"
