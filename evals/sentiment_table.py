"""The sentiment report as Markdown."""

from typing import Any, Final

_TITLE: Final = "# Sentiment: the shipped model beside others"
_NAMES: Final = {
    "voiceloop": "VoiceLoop",
    "tfidf": "TF-IDF + logistic regression",
    "snownlp": "SnowNLP 0.12.3",
}


def as_markdown(report: dict[str, Any]) -> str:
    """Tables of accuracy, of accuracy by coverage, and of texts without an opinion."""
    lines = [
        _TITLE,
        "",
        "`python -m evals.sentiment_figures --data DIR`. Accuracy counts a neutral answer as wrong (95%",
        "Wilson interval); two-way asks only which of praise and complaint is likelier; ECE over ten bins of",
        f"the two-way probability. Weights sha256 `{report['weights']}`.",
        "",
        "| set | model | n | accuracy | two-way | balanced | ECE | neutral |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, models in report["sets"].items():
        for key, title in _NAMES.items():
            if "n" in (found := models.get(key, {})):
                lines.append(f"| {name} | {title} | {_row(found)} |")
            elif found:
                lines.append(f"| {name} | {title} | left out: {found['left_out']} | | | | | |")
    lines += ["", "## Where the shipped model does not abstain", "", "| set | coverage | n | accuracy |"]
    lines.append("| --- | --- | --- | --- |")
    for name, models in report["sets"].items():
        sure = models["voiceloop"]["where_sure"]
        lines.append(f"| {name} | {sure['coverage']:.3f} | {sure['n']:,} | {_interval(sure)} |")
    parts = list(next(iter(report["sets"].values()))["voiceloop"]["by_coverage"])
    lines += [
        "",
        "## Accuracy on the surest texts, by share of the set",
        "",
        f"| set | {' | '.join(parts)} |",
    ]
    lines.append("| --- |" + " --- |" * len(parts))
    for name, models in report["sets"].items():
        curve = models["voiceloop"]["by_coverage"].values()
        lines.append(f"| {name} | {' | '.join(f'{one:.3f}' for one in curve)} |")
    lines += ["", "## Texts without an opinion, held out of training, called neutral", ""]
    lines += ["| texts | n | recall |", "| --- | --- | --- |"]
    lines += [f"| {one} | {found['n']:,} | {_interval(found)} |" for one, found in report["calm"].items()]
    return "\n".join(lines) + "\n"


def _row(found: dict[str, Any]) -> str:
    return (
        f"{found['n']:,} | {_interval(found)} | {found['two_way_accuracy']:.3f}"
        f" | {found['balanced_accuracy']:.3f} | {found['ece']:.3f} | {found['neutral_share']:.1%}"
    )


def _interval(found: dict[str, Any]) -> str:
    return f"{found['accuracy']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
