"""The guesses by which feedback columns are told from each other, in the order in which they are made."""

from collections.abc import Callable

from pipeline.columns import (
    SCORE_SCALES,
    Choice,
    Guess,
    attribute,
    free_name,
    is_personal,
    on_scale,
    score_scale,
)
from pipeline.numbers import Scale
from pipeline.profiles import ColumnProfile
from pipeline.vocabulary import meaning, names, normal

_SCORE_SHARE = 0.9
_DIMENSIONS = (
    *("conversation_id", "turn", "speaker", "channel", "region", "city", "product", "version"),
    *("org_unit", "customer_type", "tier", "media"),
)
_WORDS = {"speaker": "speakers", "customer_type": "customer_types"}


def guess_feedback(guess: Guess) -> None:
    """Choose a target for every column of a feedback table."""
    _guess_date(guess)
    _guess_text(guess)
    for target in SCORE_SCALES:
        _guess_score(guess, target)
    _guess_id(guess)
    _guess_customer(guess)
    for target in _DIMENSIONS:
        _guess_dimension(guess, target)
    for profile in guess.open():
        guess.take(_other(profile))


def _rank(profile: ColumnProfile, target: str, *place: str) -> int | None:
    listed = names("feedback", target, *(place or ("names",)))
    header = normal(profile.name)
    return listed.index(header) if header in listed else None


def _contains(profile: ColumnProfile, target: str, place: str = "contains") -> bool:
    header = normal(profile.name)
    return any(word in header for word in names("feedback", target, place))


def _best(guess: Guess, score: Callable[[ColumnProfile], float | None]) -> ColumnProfile | None:
    scored = [(value, profile) for profile in guess.open() if (value := score(profile)) is not None]
    return max(scored, key=lambda item: item[0])[1] if scored else None


def _guess_date(guess: Guess) -> None:
    def score(profile: ColumnProfile) -> float | None:
        rank = _rank(profile, "occurred_at")
        excluded = _contains(profile, "occurred_at", "excludes")
        named = rank is not None or (_contains(profile, "occurred_at") and not excluded)
        plain = profile.dates.share >= 0.8 and profile.dates.styles["compact"] < 0.5 * profile.looked
        if profile.looked == 0 or not (plain or (named and profile.date_share >= 0.5)):
            return None
        base = 300.0 - rank if rank is not None else 100.0 if named else 0.0 if excluded else 50.0
        return base * profile.fill_share + profile.date_share

    if guess.wants("occurred_at") and (found := _best(guess, score)):
        why = "the header names a time" if _contains(found, "occurred_at") else "the values are dates"
        guess.take(Choice(found.name, "occurred_at", f"{why}; {found.date_share:.0%} read as dates"))
    if guess.wants("occurred_time"):
        for profile in guess.open():
            if _rank(profile, "occurred_time") is not None and profile.clocks >= 0.9 * max(profile.looked, 1):
                guess.take(Choice(profile.name, "occurred_time", "the time of day that goes with the date"))
                break


def _guess_text(guess: Guess) -> None:
    def score(profile: ColumnProfile) -> float | None:
        rank = _rank(profile, "text")
        if not profile.looked or profile.addresses > 0.3 * profile.looked:
            return None
        if max(profile.numeric_share, profile.date_share) > 0.5 or is_personal(profile):
            return None
        repeated = profile.looked >= 100 and profile.distinct_share < 0.02
        excluded = _contains(profile, "text", "excludes")
        base = 0.0
        if rank is not None and not repeated:
            base = 100.0 - 0.1 * rank
        elif _contains(profile, "text") and not excluded and not repeated and profile.weight >= 4:
            base = 50.0
        elif profile.weight < 12 or profile.distinct_share < 0.3 or _is_identifier(profile):
            return None
        base -= 60.0 * (excluded and rank is None)
        # Length tells texts apart, but a header that names a text outweighs it.
        return base + min(profile.weight, 240) / (2 if base > 0 else 6)

    if guess.wants("text") and (found := _best(guess, score)):
        why = "the header names a text" if _contains(found, "text") else "the longest varied text"
        guess.take(Choice(found.name, "text", f"{why}; {found.distinct_share:.0%} of the values differ"))


def _guess_score(guess: Guess, target: str) -> None:
    scale = SCORE_SCALES[target]

    def score(profile: ColumnProfile) -> float | None:
        rank = _rank(profile, target)
        named = rank is not None or (
            target != "rating" and _contains(profile, target) and not _is_identifier(profile)
        )
        if target == "nps" and not named and "nps" in normal(guess.context):
            named = _rank(profile, "rating") is not None
        in_words = target == "csat" and profile.likert >= 0.8 * max(profile.looked, 1)
        if not named or not profile.looked or not (in_words or on_scale(profile, scale)):
            return None
        # A 0-1 label is no score on a wider scale, unless the header leaves no doubt.
        if set(profile.numbers) <= {0.0, 1.0} and rank is None and profile.numbers:
            return None
        if target in ("rating", "csat") and profile.is_flag:
            return None
        return (300.0 - rank if rank is not None else 0.0) + profile.fill_share

    if guess.wants(target) and (found := _best(guess, score)):
        words = found.numeric_share < 0.5 and found.likert > 0
        reason = f"the header says {target}; values fit {scale}" + (" in words" if words else "")
        guess.take(Choice(found.name, target, reason, scale=scale, words=words))


def _guess_id(guess: Guess) -> None:
    if not guess.wants("feedback_id"):
        return
    for place in ("names", "weak", "any"):
        for profile in sorted(guess.open(), key=lambda p: _rank(p, "feedback_id", place) or 0):
            if not profile.is_unique or not _names_an_item(profile, place):
                continue
            if profile.is_row_number and place != "names":
                guess.take(Choice(profile.name, "-", "row numbers"))
                continue
            # Small whole numbers are counted from 1 in every system: they identify within their source only.
            literal = normal(profile.name) == "feedbackid"
            small = profile.numeric == profile.filled and max(profile.numbers, default=0) < 1_000_000
            prefixed = not literal and (place != "names" or small)
            reason = "an id of its own in every row"
            guess.take(Choice(profile.name, "feedback_id", reason, prefixed=prefixed))
            return


def _names_an_item(profile: ColumnProfile, place: str) -> bool:
    if place != "any":
        return _rank(profile, "feedback_id", place) is not None
    customer = _rank(profile, "customer_id") is not None or _rank(profile, "conversation_id") is not None
    other = customer or _contains(profile, "feedback_id", "excludes") or is_personal(profile)
    return _is_identifier(profile) and not other and profile.filled > 20


def _guess_customer(guess: Guess) -> None:
    def score(profile: ColumnProfile) -> float | None:
        rank, personal = _rank(profile, "customer_id"), _rank(profile, "customer_id", "personal")
        if not profile.filled or profile.dates.share > 0.5:
            return None
        if rank is not None and profile.longest <= 100:
            return 300.0 - rank
        return None if personal is None else 100.0 - personal

    if guess.wants("customer_id") and (found := _best(guess, score)):
        private = _rank(found, "customer_id") is None
        reason = "the header names a customer" + ("; kept as a pseudonym" if private else "")
        guess.take(Choice(found.name, "customer_id", reason, free=private))


def _guess_dimension(guess: Guess, target: str) -> None:
    def score(profile: ColumnProfile) -> float | None:
        rank = _rank(profile, target)
        if rank is None or not profile.filled or profile.longest > 200:
            return None
        if _rank(profile, target, "vague") is not None and len(profile.distinct_values) < 4:
            return None
        if target == "turn" and profile.numeric_share < 1:
            return None
        if target in _WORDS and not all(meaning(v, _WORDS[target]) for v in profile.distinct_values):
            return None
        return 300.0 - rank

    if guess.wants(target) and (found := _best(guess, score)):
        guess.take(Choice(found.name, target, f"the header says {target}"))


def _is_identifier(profile: ColumnProfile) -> bool:
    header = profile.name.strip().lower()
    bare = normal(header)
    for word in names("identifiers"):
        if bare == word or (not word.isascii() and bare.endswith(word)):
            return True
        if word.isascii() and header.replace("_", " ").replace("-", " ").replace(".", " ").split()[-1:] == [
            word
        ]:
            return True
    return bool(bare.endswith("id") and profile.name.endswith(("Id", "ID")))


def _other(profile: ColumnProfile) -> Choice:
    if not profile.filled:
        return Choice(profile.name, "-", "empty in every row")
    if is_personal(profile):
        return attribute(profile)
    named = _rank(profile, "customer_id") is not None
    if named and any(word in normal(profile.name) for word in names("name_words")):
        return Choice(profile.name, "-", "personal data, not kept")
    if profile.is_row_number and profile.is_unique and profile.filled > 20:
        return Choice(profile.name, "-", "row numbers")
    like_score = any(word in normal(profile.name) for word in names("score_like"))
    if like_score and profile.likert >= 0.8 * profile.looked and profile.numeric_share < 0.5:
        target = f"metric:{free_name(profile.name)}"
        return Choice(profile.name, target, "a score in words", scale=Scale(1, 5), words=True)
    numeric = profile.numeric_share >= _SCORE_SHARE and profile.dates.share < 0.5
    if not numeric or _is_identifier(profile):
        return attribute(profile)
    scale = Scale(0, 1) if profile.is_flag else score_scale(profile)
    seen = Scale(min(profile.numbers), max(profile.numbers))
    return Choice(
        profile.name, f"metric:{free_name(profile.name)}", f"numbers from {scale or seen}", scale=scale
    )
