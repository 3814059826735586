"""`python -m evals.year`: a year of 5,000 customers scanned day by day, as it would be live.

Each seed is a made-up year (evals/year.yaml), lived twice: with the shipped policy, and with what the first
verdicts teach. Simulation only: there is no public feed with feedback, behaviour and outcomes of the same
customers. Seed 1 with the words `tuned` was looked at while signals were tuned; what is reported has other
seeds and other words.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.reports import Measurement, Report, interval, run_measurement, table
from evals.year_feed import Words, Year, draw_year
from evals.year_keywords import alarmed_by_words
from evals.year_lives import read_plan
from evals.year_run import Lived, label_year, live_year
from evals.year_score import figures
from retention.policy import load_policy

SEEDS: Final = (11,)
_SHARES: Final = (
    ("red_of_announcing", "red, of those who say that they leave"),
    ("recall", "any tier 14 days ahead, of those who lose heart and leave"),
    ("recall_person", "a person's tier 14 days ahead, of the same"),
    ("recall_announcing", "any tier 14 days ahead, of those who say so"),
    ("recall_not_announcing", "any tier 14 days ahead, of those who do not"),
    ("recall_all_leavers", "any tier 14 days ahead, of all who leave, silent ones too"),
    ("recall_any_time", "any tier before leaving, of those who lose heart"),
    ("chance", "the same question of customers who stay, on days drawn at random"),
    ("precision", "alerts for a person that are right: leaves within 90 days, or truly at risk"),
    ("precision_strict", "strict: leaves within 90 days"),
    ("yellow_right", "yellow alerts whose customer truly had trouble with a function"),
)


def measure(options: argparse.Namespace) -> Report:
    """Figures of every seed."""
    from pipeline.embedded_classifier import EmbeddedClassifier

    classifier = EmbeddedClassifier()
    years = []
    for seed in options.seeds:
        year = draw_year(seed, options.words, read_plan(options.company, options.customers))
        labels = label_year(year, classifier.classify)
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            most = year.plan["verdicts"]["most"]
            taught = live_year(year, labels, Path(one), load_policy(), verdicts=most)
            plain = live_year(year, labels, Path(other), load_policy()) if taught.learnt_on else taught
        years.append({"seed": seed, **_year(year, plain, taught)})
    return {
        "labeller": classifier.name,
        "words": options.words,
        "company": options.company,
        "years": years,
    }


def _year(year: Year, plain: Lived, taught: Lived) -> dict[str, Any]:
    lesson, since = taught.lesson, taught.learnt_on or year.end
    before, after = list(plain.raised.values()), list(taught.raised.values())
    return {
        "customers": len(year.lives),
        "items": sum(map(len, year.items.values())),
        "events": sum(map(len, year.events.values())),
        "verdicts": taught.verdicts,
        "learnt_on": taught.learnt_on.isoformat() if taught.learnt_on else None,
        "refused": lesson.refused if lesson else "too_few",
        "year": figures(year, before, year.start, year.end),
        "taught_year": figures(year, after, year.start, year.end),
        "later": figures(year, before, since, year.end) if taught.learnt_on else None,
        "taught_later": figures(year, after, since, year.end) if taught.learnt_on else None,
        "keywords": figures(year, alarmed_by_words(year), year.start, year.end),
    }


def markdown(report: Report) -> str:
    """The report as a page."""
    lines = ["# A simulated year: who leaves, who is found, who is called for nothing", ""]
    lines += [
        "Simulation only (evals/year.yaml, evals/year_words.yaml). What is reported was drawn with seeds "
        f"{', '.join(str(one['seed']) for one in report['years'])} and the words `{report['words']}`, "
        f"company `{report['company']}`; signals were tuned on seed 1 with the words `tuned`. Labels come "
        f"from the texts (`{report['labeller']}`); the scan, alerts, tasks and verdicts are the product's "
        "own. Intervals are Wilson's 95%, for counts Garwood's.",
    ]
    for one in report["years"]:
        lines += ["", f"## Seed {one['seed']}", "", *_told(one)]
    return "\n".join(lines) + "\n"


def _told(one: dict[str, Any]) -> list[str]:
    whole, columns = one["year"], _columns(one)
    gone = whole["traceless"]
    lines = [
        f"{one['customers']} customers, {one['items']} items, {one['events']} events; {whole['leavers']} "
        f"leave. {whole['recall_silent']['n']} of them leave silently, without losing heart before: what is "
        f"found of these is luck. {gone['hits']} ({gone['value']:.1%}) left nothing at all in their last 90 "
        "days that could speak of leaving. "
        + (
            f"{one['verdicts']} verdicts were in by {one['learnt_on']}; what they teach held from then on."
            if one["learnt_on"]
            else f"{one['verdicts']} verdicts; nothing was learnt ({one['refused']})."
        ),
        "",
    ]
    rows: list[tuple[object, ...]] = []
    for name, words in _SHARES:
        rows.append((words, *(_share(figure[name]) for _, figure in columns)))
    for name, words in (
        ("false_alarms", "false alarms per 1,000 customers a month"),
        ("false_alarms_strict", "strict: every alert on somebody who does not leave"),
    ):
        rows.append(
            (words, *(f"{figure[name]['value']:.2f} ({interval(figure[name])})" for _, figure in columns))
        )
    rows.append(("alerts", *(_counts(figure["alerts"]) for _, figure in columns)))
    rows.append(("false alarms by story", *(_counts(figure["false_by_story"]) for _, figure in columns)))
    lines += table(("", *(name for name, _ in columns)), rows)
    return [*lines, "", "By tier and first cause, share that is right:", "", *_causes(one)]


def _columns(one: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [("year, shipped policy", one["year"])]
    if one["later"]:
        found += [
            ("year, with verdicts", one["taught_year"]),
            ("after the verdicts, shipped policy", one["later"]),
            ("after the verdicts, with them", one["taught_later"]),
        ]
    return [*found, ("year, keywords only", one["keywords"])]


def _causes(one: dict[str, Any]) -> list[str]:
    after = one["taught_later"] or {"by_cause": {}}
    rows = [
        (cause, _share(found), _share(after["by_cause"][cause]) if cause in after["by_cause"] else None)
        for cause, found in one["year"]["by_cause"].items()
    ]
    return table(("tier: cause", "year, shipped policy", "after the verdicts, with them"), rows)


def _share(one: dict[str, Any]) -> str | None:
    return f"{one['value']:.3f} ({interval(one)}; {one['hits']} of {one['n']})" if one["n"] else None


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def worse(before: Report, now: Report) -> list[str]:
    """Figures that fell beyond the interval of the kept run."""
    kept = {one["seed"]: one for one in before["years"]}
    fallen = []
    for one in now["years"]:
        for part in ("year", "taught_later"):
            old, new = (kept.get(one["seed"]) or {}).get(part), one[part]
            for name in ("red_of_announcing", "recall", "precision"):
                if old and new and new[name]["n"] and new[name]["value"] < old[name]["low"]:
                    fallen.append(
                        f"seed {one['seed']}, {part}: {name} {new[name]['value']:.3f}, "
                        f"was {old[name]['value']:.3f}"
                    )
    return fallen


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.year", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--customers", type=int, help="fewer than the 5,000 of the plan, all stories alike")
    words: tuple[Words, ...] = ("tuned", "reported")
    parser.add_argument("--company", choices=("close", "distant"), default="close")
    parser.add_argument("--words", choices=words, default="reported")
    return run_measurement(Measurement("year", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
