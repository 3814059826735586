"""Texts that are no feedback, praise in bursts, and texts that many gave word for word."""

from collections.abc import Sequence
from typing import Any, Final

from pipeline.noise import Noise, find_noise
from pipeline.noise_bursts import find_bursts, find_copied
from store.facts import Find
from store.records import LabelledFeedback
from tools.arguments import Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.measures import rounded
from tools.quality_check import EVIDENCE, Check
from tools.selection import Chosen

# Distinct texts judged for noise; keys are hashes, so the first of them are a fair sample.
_TEXTS: Final = 5_000
_WORTH_SAYING: Final = 0.02
_LISTED: Final = 10


def noise(keys: Sequence[tuple[str, int]], chosen: Chosen, language: Language, context: ToolContext) -> Check:
    """Advertising, gibberish, templates, tests and empty words by flag: items, share, examples by id.

    Up to 5,000 distinct texts are judged, so that a share is known to about 1.4 points; `judged` says how
    many items carry them.
    """
    counts = dict(keys[:_TEXTS])
    texts = context.facts.texts(list(counts))
    flags = find_noise(list(texts.values()))
    by_flag: dict[Noise, list[str]] = {}
    for key, flag in zip(texts, flags, strict=True):
        if flag is not None:
            by_flag.setdefault(flag, []).append(key)
    judged = sum(counts[key] for key in texts)
    rows: list[dict[str, Any]] = []
    evidence: list[str] = []
    total = 0
    for flag in Noise:
        flagged = by_flag.get(flag, [])
        n = sum(counts[key] for key in flagged)
        total += n
        ids = _ids(flagged[:EVIDENCE], chosen, context)
        evidence += ids
        rows.append(
            {"flag": flag.value, "n": n, "share": rounded(n / judged) if judged else None, "evidence": ids}
        )
    share = total / judged if judged else 0.0
    data = {"judged": judged, "n": total, "share": rounded(share) if judged else None, "flags": rows}
    doubts = []
    if share >= _WORTH_SAYING:
        kinds = [caveat(f"noise_{row['flag']}", language, count=row["n"]) for row in rows if row["n"]]
        joined = ("、" if language == "zh" else ", ").join(kinds)
        doubts.append(caveat("noise", language, share=f"{100 * share:.0f}", kinds=joined))
    return Check({"noise": data}, doubts, evidence)


def repeats(items: Sequence[LabelledFeedback], language: Language, context: ToolContext) -> Check:
    """Suspected brushing and copied texts among the newest items."""
    bursts = find_bursts(items)
    copied = find_copied(items)
    shown_bursts: list[dict[str, Any]] = [
        {
            "about": burst.about,
            "n": burst.n,
            "customers": burst.customers,
            "from": shown(burst.start, context.zone),
            "to": shown(burst.end, context.zone),
            "text": burst.text,
            "evidence": list(burst.feedback_ids[:EVIDENCE]),
        }
        for burst in bursts[:_LISTED]
    ]
    shown_copied = [
        {"text": text, "n": len(ids), "evidence": list(ids[:EVIDENCE])}
        for text, ids in list(copied.items())[:_LISTED]
    ]
    in_bursts = sum(burst.n for burst in bursts)
    in_copied = sum(map(len, copied.values()))
    data = {
        "bursts": {"count": len(bursts), "items": in_bursts, "listed": shown_bursts},
        "copied": {"texts": len(copied), "items": in_copied, "listed": shown_copied},
    }
    doubts = []
    if bursts:
        doubts.append(caveat("brushing", language, count=len(bursts), items=in_bursts))
    if in_copied and in_copied >= _WORTH_SAYING * len(items):
        doubts.append(caveat("copied", language, count=len(copied), items=in_copied))
    return Check(data, doubts, [one for burst in bursts[:_LISTED] for one in burst.feedback_ids[:EVIDENCE]])


def _ids(keys: Sequence[str], chosen: Chosen, context: ToolContext) -> list[str]:
    if not keys:
        return []
    found = context.facts.find(Find(chosen.selection, text_keys=tuple(keys), limit=EVIDENCE))
    return [item.feedback.feedback_id for item in found]
