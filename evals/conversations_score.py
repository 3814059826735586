"""How right the labels of whole conversations are: `python -m evals.conversations_score`.

Hand-written conversations, half of which the cues were tuned on; the figure that counts is that of the half
held out. Turns are masked and labelled by the embedded classifier, so an error of either side counts.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analytics.estimates import proportion
from evals.scoreboard import REPORTS
from pipeline.classifier import Classifier
from pipeline.conversations import label_conversation
from pipeline.mask import mask_texts
from store.records import Channel, ConversationLabels, Feedback, LabelledFeedback

CASES = Path(__file__).parent / "cases" / "conversations.jsonl"
PARTS = ("break_turn", "resolution", "end_mood")


def load_conversations() -> list[dict[str, Any]]:
    """The cases: id, language, split (tuned, held), turns [[speaker, text]], break, resolution, end."""
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def label_case(case: dict[str, Any], classifier: Classifier) -> ConversationLabels:
    """Label one case as an ingested conversation would be."""
    texts = mask_texts([text for _, text in case["turns"]])
    labels = classifier.classify(texts)
    items = [
        LabelledFeedback(
            feedback=Feedback(
                feedback_id=f"{case['id']}-{turn}",
                source="evals",
                channel=Channel.CHAT,
                conversation_id=case["id"],
                turn=turn,
                speaker=speaker,
                text=text,
            ),
            labels=label,
        )
        for turn, ((speaker, _), text, label) in enumerate(zip(case["turns"], texts, labels, strict=True))
    ]
    return label_conversation(items)


def judge(case: dict[str, Any], found: ConversationLabels) -> dict[str, bool]:
    """Which parts are right."""
    mood = found.end_mood.value if found.end_mood else None
    return {
        "break_turn": found.break_turn == case["break"],
        "resolution": found.resolution == case["resolution"],
        "end_mood": mood == case["end"],
    }


def score(cases: Sequence[dict[str, Any]], classifier: Classifier) -> dict[str, Any]:
    """Accuracy of each part with its Wilson interval, by split and language, and the misses."""
    judged = [(case, found, judge(case, found)) for case in cases for found in [label_case(case, classifier)]]
    rows = []
    for split in ("held", "tuned"):
        for language in ("all", "zh", "en"):
            group = [
                one for one in judged if one[0]["split"] == split and language in ("all", one[0]["language"])
            ]
            for part in PARTS:
                right = sum(marks[part] for _, _, marks in group)
                share = proportion(len(group), right)
                rows.append(
                    {
                        "split": split,
                        "language": language,
                        "part": part,
                        "n": share.n,
                        "right": right,
                        "accuracy": _rounded(share.value),
                        "ci_low": _rounded(share.ci_low),
                        "ci_high": _rounded(share.ci_high),
                    }
                )
    return {"classifier": classifier.name, "figures": rows, "misses": list(_misses(judged))}


def _misses(judged: Sequence[tuple[dict[str, Any], ConversationLabels, dict[str, bool]]]) -> Iterator[Any]:
    for case, found, marks in judged:
        wrong = [part for part in PARTS if not marks[part]]
        if wrong:
            mood = found.end_mood.value if found.end_mood else None
            said = {"break_turn": found.break_turn, "resolution": found.resolution, "end_mood": mood}
            gold = {"break_turn": case["break"], "resolution": case["resolution"], "end_mood": case["end"]}
            yield {
                "id": case["id"],
                "split": case["split"],
                "said": {part: said[part] for part in wrong},
                "gold": {part: gold[part] for part in wrong},
            }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def markdown(result: dict[str, Any]) -> str:
    """The figures as a Markdown page."""
    lines = ["# Conversation labels", "", f"Turns labelled by `{result['classifier']}`.", ""]
    lines += [
        "Hand-written, cases and cues by one author; cues were mended on misses of `tuned` alone.",
        "",
    ]
    lines += ["| split | language | part | right | n | accuracy | 95% interval |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for row in result["figures"]:
        span = f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"
        cells = (
            row["split"],
            row["language"],
            row["part"],
            row["right"],
            row["n"],
            f"{row['accuracy']:.3f}",
            span,
        )
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    lines += ["", "## Misses", ""]
    lines += [
        f"- `{miss['id']}` ({miss['split']}): {miss['said']}, right is {miss['gold']}"
        for miss in result["misses"]
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.conversations_score", description=__doc__)
    parser.add_argument("--update", action="store_true", help="keep this run in evals/reports")
    options = parser.parse_args(arguments)
    from pipeline.embedded_classifier import EmbeddedClassifier

    result = score(load_conversations(), EmbeddedClassifier())
    if options.update:
        text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
        (REPORTS / "conversations.json").write_text(text, encoding="utf-8")
        (REPORTS / "conversations.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
