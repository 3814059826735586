"""Channels against each other, and what people say against what they do."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from analytics.estimates import Estimate, difference, mean, proportion
from analytics.sums import Sums
from store.facts import Aggregate
from tools.arguments import Language
from tools.caveats import SMALL_SAMPLE, caveat
from tools.context import ToolContext
from tools.measures import rounded
from tools.quality_check import Check
from tools.selection import Chosen

_ONE_CHANNEL: Final = 0.8
# A large feed makes any gap significant; a flag needs one that would mislead.
_CHANNEL_GAP: Final = 0.15
_DEED_GAP: Final = 0.2
_SATISFIED: Final = {"csat": 4.0, "rating": 4.0}


def channels(chosen: Chosen, n: int, language: Language, context: ToolContext) -> Check:
    """Channels by size, their negative share against that of all others, and the flags that follow."""
    groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=("channel",)))
    rows: list[dict[str, Any]] = [
        {"key": group.key[0], "n": group.n, "share": rounded(group.n / n)} for group in groups
    ]
    moods = {
        group.key[0]: Sums(group.n, group.total, group.squares)
        for group in context.facts.aggregate(
            Aggregate("negative_share", chosen.selection, group_by=("channel",))
        )
    }
    total = sum(moods.values(), Sums(0, 0.0, 0.0))
    doubts = []
    for row in rows:
        row |= _against_rest(moods.get(row["key"]), total)
        if row["share"] >= _ONE_CHANNEL and n >= SMALL_SAMPLE:
            doubts.append(
                caveat("one_channel", language, share=f"{100 * row['share']:.0f}", channel=row["key"])
            )
        if row["differs"]:
            shown = {"value": f"{100 * row['negative_share']:.0f}", "rest": f"{100 * row['rest']:.0f}"}
            doubts.append(caveat("channel_gap", language, channel=row["key"], **shown))
    return Check({"channels": rows}, doubts)


def _against_rest(mood: Sums | None, total: Sums) -> dict[str, Any]:
    if mood is None or not mood.n:
        return {"negative_share": None, "rest": None, "differs": False}
    rest = total - mood
    gap = difference("proportion", rest, mood)
    differs = gap.significant and abs(gap.value or 0.0) >= _CHANNEL_GAP
    return {
        "negative_share": rounded(mood.mean),
        "rest": rounded(rest.mean) if rest.n else None,
        "differs": differs,
    }


def contradictions(chosen: Chosen, language: Language, context: ToolContext) -> Check:
    """Satisfaction by channel beside what was done: completion, usage, retention.

    Said: the share of scores of 4 and 5 (csat, rating) of a channel, else its share of positive texts. Done:
    the mean of metrics named like deeds (`quality_deeds.yaml`) on a 0-1 or 0-100 scale, and the retention
    rate. A pair is flagged where more are satisfied than act by 20 points and the 95% intervals are apart.
    """
    said = _said(chosen, context)
    done = _done(chosen, context)
    pairs, doubts = [], []
    for voice, told in said.items():
        for deed, seen in done.items():
            apart = told.ci_low is not None and seen.ci_high is not None and told.ci_low > seen.ci_high
            gap = (told.value or 0.0) - (seen.value or 0.0)
            flagged = apart and gap >= _DEED_GAP
            pairs.append(
                {
                    "channel": voice,
                    "satisfied": rounded(told.value),
                    "satisfied_n": told.n,
                    "behaviour": deed,
                    "rate": rounded(seen.value),
                    "rate_n": seen.n,
                    "gap": rounded(gap),
                    "contradicts": flagged,
                }
            )
            if flagged:
                words = {"voice": voice, "deed": deed}
                shares = {
                    "said": f"{100 * (told.value or 0):.0f}",
                    "done": f"{100 * (seen.value or 0):.0f}",
                }
                doubts.append(
                    caveat("contradiction", language, **words, **shares, said_n=told.n, done_n=seen.n)
                )
    return Check({"contradictions": pairs}, doubts)


def _said(chosen: Chosen, context: ToolContext) -> dict[str, Estimate]:
    """The satisfied share of each channel of at least 30 answers."""
    found: dict[str, Estimate] = {}
    for score, least in _SATISFIED.items():
        if score not in context.facts.catalogue().metrics:
            continue
        counts: dict[str, list[int]] = {}
        groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=("channel", score)))
        for group in groups:
            channel, value = group.key
            if channel is not None and value is not None:
                tally = counts.setdefault(channel, [0, 0])
                tally[0] += group.n
                tally[1] += group.n if float(value) >= least else 0
        for channel, (n, satisfied) in counts.items():
            if n >= SMALL_SAMPLE:
                found.setdefault(channel, proportion(n, satisfied))
    for group in context.facts.aggregate(
        Aggregate("positive_share", chosen.selection, group_by=("channel",))
    ):
        if group.key[0] is not None and group.n >= SMALL_SAMPLE:
            found.setdefault(group.key[0], proportion(group.n, group.total))
    return found


def _done(chosen: Chosen, context: ToolContext) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for name, info in context.facts.catalogue().metrics.items():
        scale = 1.0 if info.high <= 1 else 100.0
        if not _is_deed(name) or info.low < 0 or info.high > 100:
            continue
        sums = context.facts.aggregate(Aggregate(name, chosen.selection))[0]
        if sums.n >= SMALL_SAMPLE:
            found[name] = mean(sums.n, sums.total / scale, sums.squares / scale**2)
    if context.facts.outcomes():
        rate = context.facts.aggregate(Aggregate("retention_rate"))[0]
        if rate.n >= SMALL_SAMPLE:
            found["retention_rate"] = proportion(rate.n, rate.total)
    return found


@cache
def _deed_words() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "quality_deeds.yaml").read_text(encoding="utf-8")
    )
    return loaded


def _is_deed(name: str) -> bool:
    lowered = name.lower().replace("_", " ")
    words = _deed_words()
    return any(word in lowered for word in words["deeds"]) and not any(
        word in lowered for word in words["not_deeds"]
    )
