"""`python -m evals.intents DATA`: intents on banking77 and on support utterances, beside published figures.

How well do the n-grams of the product tell 77 and 27 intents apart, once a logistic regression
is trained on them (stratified five-fold cross-validation, training split only)? What do the shipped rules,
which have seen none of it, say of utterances whose intent maps to one of ours (evals/intents.yaml)?
"""

import argparse
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from analytics.estimates import proportion
from evals.reports import Measurement, Report, run_measurement
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.features import character_grams, word_grams
from pipeline.label_linear import gram_matrix

_MAP: Final = Path(__file__).with_suffix(".yaml")
_FOLDS: Final = 5
_SEED: Final = 0


def read_banking(data: Path) -> tuple[list[str], list[str]]:
    """Texts and intents of the training split of banking77."""
    with (data / "en_banking77" / "train.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return [row["text"] for row in rows], [row["category"] for row in rows]


def read_support(data: Path) -> tuple[list[str], list[str]]:
    """Texts and intents of the support utterances, each text once (first intent given)."""
    with (data / "en_bitext_customer_service" / "intents.csv").open(encoding="utf-8") as lines:
        first = {row["utterance"].strip().lower(): row for row in reversed(list(csv.DictReader(lines)))}
    rows = list(first.values())
    return [row["utterance"] for row in rows], [row["intent"] for row in rows]


def cross_validated(texts: Sequence[str], intents: Sequence[str]) -> dict[str, Any]:
    """Accuracy (Wilson's 95% interval) and macro F1 over held-out folds, and the pairs mixed up most."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.model_selection import StratifiedKFold

    matrix = features(texts)
    truth = np.array(intents)
    found = np.empty_like(truth)
    scores = []
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED).split(matrix, truth):
        used = np.flatnonzero(np.diff(matrix[train].tocsc().indptr) >= 2)
        rarity = np.log(len(train) / np.diff(matrix[train].tocsc().indptr)[used])
        inputs = matrix[:, used].multiply(rarity).tocsr()
        model = LogisticRegression(C=30.0, max_iter=400)
        model.fit(inputs[train], truth[train])
        found[test] = model.predict(inputs[test])
        scores.append(round(float((found[test] == truth[test]).mean()), 4))
    right = found == truth
    mixed = Counter((str(a), str(b)) for a, b in zip(truth[~right], found[~right], strict=True))
    return {
        "n": len(truth),
        "intents": len(set(intents)),
        **_share("accuracy", int(right.sum()), len(right)),
        "macro_f1": round(float(f1_score(truth, found, average="macro")), 4),
        "folds": scores,
        "mixed_up_most": [[a, b, n] for (a, b), n in mixed.most_common(8)],
    }


def features(texts: Sequence[str]) -> Any:
    """Hashed words, word pairs and characters of the product, side by side; sparse (n, 2 * BUCKETS)."""
    from scipy.sparse import hstack

    spelt = [text.replace(" ", "_") for text in texts]
    return hstack([gram_matrix(word_grams(texts)), 0.5 * gram_matrix(character_grams(spelt))]).tocsr()


def rules_on_support(texts: Sequence[str], intents: Sequence[str]) -> dict[str, Any]:
    """What the shipped rules say, by intent of `bitext` in intents.yaml: share right with interval."""
    wanted: Mapping[str, Mapping[str, list[str]]] = _told()["bitext"]
    labels = EmbeddedClassifier().classify(texts)
    report: Report = {}
    for name, rule in wanted.items():
        chosen = [label for label, intent in zip(labels, intents, strict=True) if intent == name]
        good = [_is_right(rule, label.intent.value, label.risk_signals) for label in chosen]
        report[name] = {
            "wanted": dict(rule),
            "n": len(good),
            **_share("right", sum(good), len(good)),
            "intents": dict(Counter(label.intent.value for label in chosen).most_common()),
            "risks": dict(Counter(risk for label in chosen for risk in label.risk_signals).most_common(4)),
        }
    return report


def _share(name: str, hits: int, n: int) -> dict[str, float]:
    """A share under `name`, with Wilson's 95% interval."""
    found = proportion(n, hits)
    values = {name: found.value, "low": found.ci_low, "high": found.ci_high}
    return {key: round(value, 4) for key, value in values.items() if value is not None}


def _is_right(rule: Mapping[str, list[str]], intent: str, risks: tuple[str, ...]) -> bool:
    if "intent" in rule:
        return intent in rule["intent"]
    if "risk" in rule:
        return bool(set(rule["risk"]) & set(risks))
    return not set(rule["no_risk"]) & set(risks)


def _told() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(_MAP.read_text(encoding="utf-8"))
    return told


def measure(data: Path) -> dict[str, Any]:
    """Everything, as JSON-like data."""
    banking, support = read_banking(data), read_support(data)
    return {
        "banking77": {**cross_validated(*banking), "published": _told()["published"]["banking77"]},
        "support": cross_validated(*support),
        "rules_on_support": rules_on_support(*support),
    }


def markdown(report: Mapping[str, Any]) -> str:
    """The report as tables."""
    lines = [
        "# Intents",
        "",
        "Hashed n-grams of the product + logistic regression, five stratified folds.",
        "",
    ]
    lines += ["| set | n | intents | accuracy | 95% interval | macro F1 |", "|" + " --- |" * 6]
    for name in ("banking77", "support"):
        one = report[name]
        lines.append(
            f"| {name} | {one['n']} | {one['intents']} | {one['accuracy']:.4f} "
            f"| {one['low']:.4f} to {one['high']:.4f} | {one['macro_f1']:.4f} |"
        )
    published = ", ".join(f"{name} {value}%" for name, value in report["banking77"]["published"].items())
    lines += [
        "",
        f"Published on the test split of banking77, full training data: {published} (Casanueva 2020).",
    ]
    lines += ["", "The shipped rules on support utterances, untrained:", ""]
    lines += ["| intent | wanted | n | right | 95% interval | our intents |", "|" + " --- |" * 6]
    for name, one in report["rules_on_support"].items():
        wanted = "; ".join(f"{kind} {', '.join(names)}" for kind, names in one["wanted"].items())
        given = ", ".join(f"{intent} {count}" for intent, count in one["intents"].items())
        lines.append(
            f"| {name} | {wanted} | {one['n']} | {one['right']:.3f} "
            f"| {one['low']:.3f} to {one['high']:.3f} | {given} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.intents", description=__doc__)
    parser.add_argument("data", type=Path, help="folder of en_banking77 and en_bitext_customer_service")
    return run_measurement(
        Measurement("intents", lambda options: measure(options.data), markdown), parser, arguments
    )


if __name__ == "__main__":
    raise SystemExit(main())
