"""Rank words of a sentence (最低, second, higher than), held against the sorted groups of results."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from agent.lock_claims import clauses, contrast_words
from agent.lock_measures import Measures
from agent.lock_reasons import FailedClaim, failed
from agent.lock_subjects import Mention
from agent.lock_values import Evidence, Subject, Value
from agent.lock_words import any_of, lock_words, pattern, words

_ENOUGH = 30
_NEAR = 6
_MAIN_ROLES = ("value", "after", "change")
_SIZES = frozenset({"size", "n", "importance", "observed", "items"})
_AUXILIARY = frozenset({"n", ""})


class Ranks:
    """Checks ranks against one body of evidence."""

    def __init__(self, evidence: Evidence, measures: Measures) -> None:
        self._evidence = evidence
        self._measures = measures
        self._values: Mapping[Subject, Sequence[Value]] = evidence.by_subject

    def check(
        self, text: str, mentions: Sequence[Mention], hidden: Sequence[tuple[int, int]]
    ) -> list[FailedClaim]:
        """Failed ranks of a sentence."""
        found: list[FailedClaim] = []
        found += self._causes(text, mentions)
        for start, end in clauses(text):
            if words("supposed").search(text, start, end):
                continue
            here = [m for m in mentions if start <= m.start and m.end <= end]
            earlier = [m for m in mentions if m.end <= end]
            found += self._extremes(text, (start, end), here, earlier, hidden)
            found += self._ordinals(text, (start, end), here, earlier)
            found += self._contrasts(text, (start, end), earlier + [m for m in here if m not in earlier])
        return found

    def _extremes(
        self,
        text: str,
        span: tuple[int, int],
        here: Sequence[Mention],
        earlier: Sequence[Mention],
        hidden: Sequence[tuple[int, int]],
    ) -> Iterator[FailedClaim]:
        skipped = [m.span() for m in words("most_not").finditer(text, *span)]
        for match in words("lowest", "highest", "best", "worst").finditer(text, *span):
            at, stop = match.span()
            if any(a <= at < b for a, b in [*skipped, *hidden]):
                continue
            mention = _ranked(text, at, stop, here) or _ranked(text, at, stop, earlier)
            if mention is None:
                continue
            kind = next(
                k for k in ("lowest", "highest", "best", "worst") if words(k).fullmatch(match.group())
            )
            lists = [one for one in mention.subjects if len(self._evidence.lists.get(one.group, ())) > 1]
            moved = words("moved_most").search(text, *span) is not None
            verdicts = [
                v for one in lists if (v := self._is_extreme(one, kind, text, span, moved=moved)) is not None
            ]
            denied = pattern("is_not").search(text, stop, max(stop, mention.start)) is not None
            if verdicts and any(verdicts) == denied:
                yield failed("rank", "rank", span, text[slice(*span)].strip(), text, subject=mention.text)

    def _is_extreme(
        self, subject: Subject, kind: str, text: str, span: tuple[int, int], *, moved: bool
    ) -> bool | None:
        """Whether a subject is the extreme of its list; None where the list has no such values."""
        by_size = words("size_words").search(text, *span) is not None
        table = self._table(
            subject.group,
            self._measures.first(text, *span),
            moved=moved,
            by_size=by_size,
            said=text[slice(*span)],
        )
        if not any(subject in column for column in table.values()):
            return None
        low_is_good = any(of in lock_words()["low_is_good"] for of, _ in table)
        ends = _moved_ends(text, span) if moved else _ends(kind, low_is_good=low_is_good)
        return any(self._leads(subject, column, ends) for column in table.values() if subject in column)

    def _leads(self, subject: Subject, column: Mapping[Subject, float], ends: frozenset[str]) -> bool:
        """Whether a subject stands at an end of a column: among all groups, or those with enough items."""
        counts = {one: self._count(one) or _ENOUGH for one in column}
        for least in (0, _ENOUGH):
            if counts[subject] < least:
                continue
            others = (
                v for k, v in column.items() if k != subject and counts[k] >= least and not _is_blank(k)
            )
            enough, own = [*others, column[subject]], column[subject]
            tops = {"low": min(enough), "high": max(enough), "far": max(enough, key=abs)}
            if len(enough) > 1 and any(own == tops[end] for end in ends):
                return True
        return False

    def _table(
        self, group: str, measure: str | None, *, moved: bool, by_size: bool = False, said: str = ""
    ) -> Mapping[tuple[str, str], dict[Subject, float]]:
        """Columns of a list by (measure, key): those of the measure, else of what the list is about."""
        columns: dict[tuple[str, str], dict[Subject, float]] = {}
        changes: set[tuple[str, str]] = set()
        for one in self._evidence.lists[group]:
            for value in self._values.get(one, ()):
                direct = value.path.count("[") == _depth(group) + 1 and value.path.endswith(f"].{value.key}")
                if (direct or ".keys" in value.path) and value.role in _MAIN_ROLES:
                    columns.setdefault((value.measure, value.key), {}).setdefault(one, value.number)
                    if value.role == "change":
                        changes.add((value.measure, value.key))
        if moved:
            chosen = {
                k: c
                for k, c in columns.items()
                if k[1] in ("total", "change", "effect", "contribution", "share")
            }
            return chosen or columns
        if words("driver_words").search(said) and (
            of_weight := {k: c for k, c in columns.items() if k[1] == "importance"}
        ):
            return of_weight
        alike = self._measures.alike(measure) if measure is not None else frozenset()
        chosen = {k: c for k, c in columns.items() if alike & set(k)}
        if chosen:
            return {k: c for k, c in chosen.items() if k not in changes} or chosen
        if measure is not None and measure != "n":
            return {}
        sized = {k: c for k, c in columns.items() if k[1] in _SIZES} if by_size else {}
        literal = {k: c for k, c in columns.items() if re.search(rf"\b{k[1]}\b", said, re.IGNORECASE)}
        if literal:
            return literal
        main = {k: c for k, c in columns.items() if k[1] in ("nps", "value", "total")}
        return sized or main or {k: c for k, c in columns.items() if k[0] not in _AUXILIARY} or columns

    def _count(self, subject: Subject) -> float | None:
        return next((v.number for v in self._values.get(subject, ()) if v.key in ("n", "n_after")), None)

    def _ordinals(
        self, text: str, span: tuple[int, int], here: Sequence[Mention], earlier: Sequence[Mention]
    ) -> Iterator[FailedClaim]:
        for match in pattern("ordinal").finditer(text, *span):
            framed = words("ordinal_frames").search(text, max(span[0], match.start() - 8), match.start())
            ranked = match.group()[-1] in "低高差多大" or re.match(
                r"\s*(?:lowest|highest|worst|best|largest)", text[match.end() :], re.I
            )
            if pattern("ordinal_of_time").match(text, match.end()) or not (framed or ranked):
                continue
            at, stop = match.span()
            mention = _ranked(text, at, stop, here) or _ranked(text, at, stop, earlier)
            if mention is None:
                continue
            place = lock_words()["ordinals"][f"第{match[1]}" if match[1] else match[2].lower()]
            verdicts = [self._is_at(one, place, text, span) for one in mention.subjects]
            known = [v for v in verdicts if v is not None]
            if known and not any(known):
                yield failed("rank", "rank", span, text[slice(*span)].strip(), text, subject=mention.text)

    def _is_at(self, subject: Subject, place: int, text: str, span: tuple[int, int]) -> bool | None:
        listed = [one for one in self._evidence.lists.get(subject.group, ()) if not _is_blank(one)]
        if len(listed) < place:
            return None
        columns = self._table(subject.group, self._measures.first(text, *span), moved=False)
        if not columns:
            return None
        if listed[place - 1] == subject:
            return True
        for column in columns.values():
            for least in (0, _ENOUGH):
                kept = [k for k in column if (self._count(k) or _ENOUGH) >= least and not _is_blank(k)]
                ordered = sorted(kept, key=lambda k: column[k])
                if subject in (ordered[place - 1 : place] + ordered[-place : len(ordered) - place + 1]):
                    return True
        return False

    def _contrasts(self, text: str, span: tuple[int, int], here: Sequence[Mention]) -> Iterator[FailedClaim]:
        for first, second, sign in _contrasted(text, span, here):
            shared = {s.group for s in first.subjects} & {s.group for s in second.subjects}
            verdicts = [
                v for g in shared if (v := self._compare(g, first, second, sign, text, span)) is not None
            ]
            if verdicts and not any(verdicts):
                yield failed("rank", "comparison", span, text[slice(*span)].strip(), text)

    def _compare(
        self, group: str, first: Mention, second: Mention, sign: int, text: str, span: tuple[int, int]
    ) -> bool | None:
        measure = self._measures.first(text, *span) or self._measures.first(text, 0, span[1])
        columns = self._table(group, measure, moved=False)
        a = next((s for s in first.subjects if s.group == group), None)
        b = next((s for s in second.subjects if s.group == group), None)
        pairs = [(c[a], c[b]) for c in columns.values() if a in c and b in c]
        return any((x - y) * sign > 0 for x, y in pairs) if pairs and a != b else None

    def _causes(self, text: str, mentions: Sequence[Mention]) -> Iterator[FailedClaim]:
        word = words("main_cause").search(text)
        firsts = self._evidence.first_causes
        if word is None or not firsts or words("negated").search(text, 0, word.start()):
            return
        names = {name.lower() for found in firsts for name in found}
        named = [
            m
            for m in mentions
            if not m.dimensions & {"period"} and not all(s.group.endswith(":filters") for s in m.subjects)
        ]
        strange = [p for p, other in lock_words()["places"].items() if any_of([p, *other]).search(text)]
        strange = [p for p in strange if not any(p in name for found in firsts for name in found)]
        if strange:
            yield failed("rank", "cause", word.span(), text[slice(*word.span())], text, subject=strange[0])
        elif named and not any(m.text.lower() in names for m in named):
            shown = text[word.start() : word.end()]
            yield failed("rank", "cause", word.span(), shown, text, subject=named[0].text)


def _ends(kind: str, *, low_is_good: bool) -> frozenset[str]:
    good, bad = ("low", "high") if low_is_good else ("high", "low")
    return frozenset({{"lowest": "low", "highest": "high", "best": good, "worst": bad}[kind]})


def _moved_ends(text: str, span: tuple[int, int]) -> frozenset[str]:
    """Where a change that is the largest stands: a fall at the low end, a rise at the high one.

    What contributed most has the largest share of the change whichever way that went.
    """
    fell, rose = words("down").search(text, *span), words("up").search(text, *span)
    if bool(fell) == bool(rose):
        return frozenset({"low", "high"})
    return frozenset({"low" if fell else "high", "far"})


def _contrasted(
    text: str, span: tuple[int, int], here: Sequence[Mention]
) -> Iterator[tuple[Mention, Mention, int]]:
    """Pairs of names of which the first is said to be above (+1) or below (-1) the second."""
    for kind, sign in (("more", 1), ("less", -1)):
        found = [*contrast_words(kind).finditer(text, *span), *pattern(f"{kind}_than").finditer(text, *span)]
        for match in found:
            first = next((m for m in reversed(here) if m.end <= match.start()), None)
            second = next((m for m in here if 0 <= m.start - match.end() <= _NEAR), None)
            if first is not None and second is not None:
                yield first, second, sign
    for first, second in itertools.pairwise(sorted(here, key=lambda m: m.start)):
        if not pattern("zh_than").fullmatch(text[first.end : second.start]):
            continue
        for kind, sign in (("more", 1), ("less", -1)):
            if pattern(f"zh_{kind}").match(text[second.end : span[1]]):
                yield first, second, sign


def _is_blank(subject: Subject) -> bool:
    """Whether a group is that of the items which lack the dimension: it takes no part in a ranking."""
    return not subject.names.isdisjoint(lock_words()["not_given"])


def _depth(group: str) -> int:
    return group.count("[")


def _ranked(text: str, at: int, stop: int, here: Sequence[Mention]) -> Mention | None:
    """The mention that a rank word is said of: after "最低的是", else the last before it."""
    after = next((m for m in here if m.start >= stop), None)
    if after is not None and pattern("is_named").fullmatch(text[stop : after.start]):
        return after
    before = [m for m in here if m.end <= at]
    plain = [m for m in before if "period" not in m.dimensions]
    return (plain or before)[-1] if before else None
