"""Train an encoder for vLLM's /classify.

`python -m evals.train_encoder LABELLED.jsonl --base MODEL --out FOLDER` needs torch and transformers, which
VoiceLoop does not install (see docs/vllm.md). `--base` is a local folder or the name of a pretrained encoder
(BERT, RoBERTa, XLM-R, ModernBERT ...). Writes a checkpoint that gives several labels, and `labels.json`: what
its outputs mean, thresholds chosen on a tenth of the texts, and figures measured on another tenth, once,
after everything is fixed.
"""

import argparse
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evals.encoder_rows import Row, outputs_of, read_rows, targets
from pipeline.vllm_encoder import LABELS_FILE, EncoderLabels

_VALIDATION: Final = 8
_TEST: Final = 9
_EXCLUSIVE: Final = ("sentiment", "emotion", "intent", "priority")
_THRESHOLDS: Final = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class Recipe:
    """How to train. `max_tokens` caps a text; `learning_rate` is its peak, after a tenth of the steps."""

    epochs: int = 3
    batch: int = 16
    learning_rate: float = 2e-5
    max_tokens: int = 256
    seed: int = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labelled", type=Path, nargs="+", help="JSON lines: sheets that were filled in")
    parser.add_argument("--base", required=True, help="pretrained encoder to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--predicted", action="store_true", help="learn from a machine's labels instead")
    defaults = Recipe()
    for name in ("epochs", "batch", "max_tokens", "seed"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(defaults, name))
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    options = parser.parse_args(arguments)
    recipe = Recipe(options.epochs, options.batch, options.learning_rate, options.max_tokens, options.seed)
    rows = [row for path in options.labelled for row in read_rows(path, predicted=options.predicted)]
    labels = train(rows, options.base, options.out, recipe)
    print(json.dumps(labels, ensure_ascii=False, indent=1))
    return 0


def train(rows: Sequence[Row], base: str, out: Path, recipe: Recipe) -> dict[str, Any]:
    """Train, write the checkpoint and its labels file into `out`, return what the labels file says."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    parts = {part: [row for row in rows if row.part == part] for part in (_VALIDATION, _TEST)}
    training = [row for row in rows if row.part not in parts]
    outputs = outputs_of(training)
    torch.manual_seed(recipe.seed)
    # The beginning of a long text is kept, here and when served: the side is saved with the tokenizer.
    tokenizer: Any = AutoTokenizer.from_pretrained(base, truncation_side="right")
    model: Any = AutoModelForSequenceClassification.from_pretrained(
        base,
        num_labels=len(outputs),
        id2label=dict(enumerate(outputs)),
        label2id={name: at for at, name in enumerate(outputs)},
        problem_type="multi_label_classification",
    )
    _fit(model, tokenizer, training, outputs, recipe)
    thresholds = choose_thresholds(
        _probabilities(model, tokenizer, parts[_VALIDATION], recipe), parts[_VALIDATION], outputs
    )
    tested = _probabilities(model, tokenizer, parts[_TEST], recipe)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    labels = EncoderLabels(
        outputs=tuple(outputs),
        thresholds=thresholds,
        max_tokens=recipe.max_tokens,
        checkpoint=_digest(out),
    ).model_dump()
    labels["trained"] = {
        "base": Path(base).name,
        **vars(recipe),
        "texts": {"train": len(training), "thresholds": len(parts[_VALIDATION]), "test": len(parts[_TEST])},
        "test": figures(tested, parts[_TEST], outputs, thresholds),
    }
    (out / LABELS_FILE).write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
    return labels


def _fit(model: Any, tokenizer: Any, rows: Sequence[Row], outputs: Sequence[str], recipe: Recipe) -> None:
    """Binary cross-entropy over the outputs somebody looked at; AdamW, linear warm-up and decay."""
    import torch

    order = random.Random(recipe.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    steps = recipe.epochs * -(-len(rows) // recipe.batch)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda at: min((at + 1) / warm, max(0.0, (steps - at) / max(1, steps - warm)))
    )
    model.train()
    for epoch in range(recipe.epochs):
        places = list(range(len(rows)))
        order.shuffle(places)
        total = 0.0
        for start in range(0, len(places), recipe.batch):
            batch = [rows[at] for at in places[start : start + recipe.batch]]
            values, mask = (torch.tensor(part) for part in targets(batch, outputs))
            logits = model(**_encode(tokenizer, batch, recipe)).logits
            losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, values, reduction="none")
            loss = (losses * mask).sum() / mask.sum().clamp(min=1.0)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            total += float(loss.detach()) * len(batch)
        print(f"epoch {epoch + 1}: loss {total / len(rows):.4f}", flush=True)


def _encode(tokenizer: Any, rows: Sequence[Row], recipe: Recipe) -> Any:
    return tokenizer(
        [row.text for row in rows],
        truncation=True,
        max_length=recipe.max_tokens,
        padding=True,
        return_tensors="pt",
    )


def _probabilities(model: Any, tokenizer: Any, rows: Sequence[Row], recipe: Recipe) -> list[list[float]]:
    import torch

    model.eval()
    found: list[list[float]] = []
    with torch.inference_mode():
        for start in range(0, len(rows), recipe.batch):
            batch = rows[start : start + recipe.batch]
            found += torch.sigmoid(model(**_encode(tokenizer, batch, recipe)).logits).tolist()
    return found


def choose_thresholds(
    probabilities: Sequence[Sequence[float]], rows: Sequence[Row], outputs: Sequence[str]
) -> dict[str, float]:
    """For each risk, flag and topic the threshold with the best F1; those that do not occur keep 0.5."""
    chosen: dict[str, float] = {}
    for name, places in _names(outputs).items():
        pairs = _pairs(probabilities, rows, name, places)
        if not any(truth for _, truth in pairs):
            continue
        chosen[name] = max(_THRESHOLDS, key=lambda at, pairs=pairs: (_f1(pairs, at), -abs(at - 0.5)))  # type: ignore[misc]
    return chosen


def figures(
    probabilities: Sequence[Sequence[float]],
    rows: Sequence[Row],
    outputs: Sequence[str],
    thresholds: dict[str, float],
) -> dict[str, Any]:
    """Accuracy of the choices and micro-F1 of the others, each with its n."""
    found: dict[str, Any] = {}
    for group in _EXCLUSIVE:
        places = [at for at, name in enumerate(outputs) if name.startswith(f"{group}:")]
        looked = [at for at, row in enumerate(rows) if group in row.known]
        if places and looked:
            right = sum(
                outputs[max(places, key=lambda place, at=at: probabilities[at][place])] in rows[at].true  # type: ignore[misc]
                for at in looked
            )
            found[group] = {"accuracy": round(right / len(looked), 4), "n": len(looked)}
    for group in ("topic", "risk", "compliance"):
        counted = [
            (row >= thresholds.get(name, 0.5), truth)
            for name, places in _names(outputs).items()
            if name.startswith(f"{group}:")
            for row, truth in _pairs(probabilities, rows, name, places)
        ]
        true = sum(truth for _, truth in counted)
        if true:
            hits = sum(said and truth for said, truth in counted)
            said = sum(said for said, _ in counted)
            found[group] = {"f1": round(2 * hits / (said + true), 4), "n": true}
    return found


def _names(outputs: Sequence[str]) -> dict[str, list[int]]:
    """Risks, flags and topics (without polarity), each with its outputs."""
    names: dict[str, list[int]] = {}
    for at, output in enumerate(outputs):
        if output.partition(":")[0] not in _EXCLUSIVE:
            names.setdefault(output.partition("=")[0], []).append(at)
    return names


def _pairs(
    probabilities: Sequence[Sequence[float]], rows: Sequence[Row], name: str, places: Sequence[int]
) -> list[tuple[float, bool]]:
    """(largest probability, whether it is true) by row whose group somebody looked at."""
    group = name.partition(":")[0]
    return [
        (
            max(row[place] for place in places),
            any(true.partition("=")[0] == name for true in (*rows[at].true, *rows[at].blank)),
        )
        for at, row in enumerate(probabilities)
        if group in rows[at].known
    ]


def _f1(pairs: Sequence[tuple[float, bool]], threshold: float) -> float:
    hits = sum(truth and value >= threshold for value, truth in pairs)
    said = sum(value >= threshold for value, _ in pairs)
    true = sum(truth for _, truth in pairs)
    return 2 * hits / (said + true) if said + true else 0.0


def _digest(folder: Path) -> str:
    hasher = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                hasher.update(block)
    return hasher.hexdigest()[:12]


if __name__ == "__main__":
    raise SystemExit(main())
