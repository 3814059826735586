"""Intent, priority, risk signals, rivals and regulated matters of a text that has been read and judged."""

from pipeline.clauses import PAST, RESOLVED, THIRD_PARTY, THREAT, URGENT, Clause, Mention, Reading
from pipeline.lexicon import Lexicon
from pipeline.readings import DESIRE, HYPOTHETICAL, QUESTION
from store.records import Intent, Priority, Sentiment

# Any negation denies these ("not expensive", "no lawyer needed"); "they will not refund me" still asks for
# a refund, so that takes a narrower one.
_DENIED_BY_ANY_NEGATION = frozenset({"price", "legal", "conflict", "export_data", "silence"})
_NEEDS_NEGATIVE = frozenset({"repeat", "silence"})
_GRAVE_RISKS = frozenset({"cancel", "legal", "conflict"})
_GRAVE_FLAGS = frozenset({"food_safety", "product_safety", "medical", "unauthorised_charge", "privacy"})


def find_risks(reading: Reading, sentiment: Sentiment, *, named: bool = False) -> tuple[str, ...]:
    """Risk signals that are meant: not denied, not quoted, not hearsay, not merely supposed, not settled.

    `named`: a rival is named in the text, which is a signal without any cue.
    """
    found: dict[str, None] = {}
    for clause, mention in reading.mentions():
        for risk in mention.cue.risks:
            if not _is_meant(reading, clause, mention, risk):
                continue
            if risk in _NEEDS_NEGATIVE and sentiment is not Sentiment.NEGATIVE:
                continue
            if risk == "price" and mention.cue.latin and mention.polarity > 0:
                continue
            found[risk] = None
    if named:
        found["competitor"] = None
    return tuple(sorted(found))


def _is_meant(reading: Reading, clause: Clause, mention: Mention, risk: str) -> bool:
    flags = clause.modifiers
    if mention.quoted or mention.denied:
        return False
    if mention.negated and risk in _DENIED_BY_ANY_NEGATION:
        return False
    if flags & THIRD_PARTY and risk in ("refund", "cancel", "legal"):
        return False
    if flags & HYPOTHETICAL and not _is_threat(reading, clause) and not flags & QUESTION:
        return False
    if risk in ("refund", "cancel"):
        if reading.modifiers & RESOLVED:
            return False
        if flags & PAST and clause.balance > 0:
            return False
        before = _previous(reading.clauses, clause)
        if before is not None and before.modifiers & HYPOTHETICAL and not _is_threat(reading, clause):
            return False
    return True


def _previous(clauses: list[Clause], clause: Clause) -> Clause | None:
    at = next(at for at, one in enumerate(clauses) if one is clause)
    return clauses[at - 1] if at and clauses[at - 1].sentence == clause.sentence else None


def _is_threat(reading: Reading, clause: Clause) -> bool:
    before = _previous(reading.clauses, clause)
    return bool(clause.modifiers & THREAT or (before is not None and before.modifiers & THREAT))


def find_flags(reading: Reading) -> tuple[str, ...]:
    """Compliance flags: regulated matters that are spoken of and not denied."""
    return tuple(
        sorted(
            {
                flag
                for _, mention in reading.mentions()
                if not mention.negated and not mention.quoted
                for flag in mention.cue.compliance
            }
        )
    )


def find_competitors(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Rivals by name, where the text says it moves to them or compares with them."""
    names = [match[1] for pattern in lexicon.rival_patterns for match in pattern.finditer(text)]
    return tuple(dict.fromkeys(name for name in names if not name.startswith(lexicon.not_rivals)))


def decide_intent(reading: Reading, sentiment: Sentiment, confidence: float) -> Intent:
    """What the customer wants. Leaving comes before complaining, a question before a mild verdict."""
    meant: set[str] = set()
    for clause, mention in reading.mentions():
        if (
            mention.denied
            or mention.quoted
            or (mention.negated and mention.cue.intents & {"complaint", "praise"})
        ):
            continue
        if (
            clause.modifiers & HYPOTHETICAL
            and "churn" in mention.cue.intents
            and not _is_threat(reading, clause)
        ):
            continue
        meant |= mention.cue.intents
    asks = "enquiry" in meant or bool(reading.modifiers & QUESTION)
    if (
        "churn" in meant
        and sentiment is not Sentiment.POSITIVE
        and not (asks and sentiment is Sentiment.NEUTRAL)
    ):
        return Intent.CHURN
    if "complaint" in meant and sentiment is Sentiment.NEGATIVE:
        return Intent.COMPLAINT
    if (
        asks
        and "enquiry" in meant
        and (sentiment is Sentiment.NEUTRAL or (confidence < 0.8 and reading.length < 60))
    ):
        return Intent.ENQUIRY
    if "suggestion" in meant and (
        sentiment is not Sentiment.NEGATIVE or confidence < 0.9 or reading.modifiers & DESIRE
    ):
        return Intent.SUGGESTION
    if sentiment is Sentiment.NEGATIVE:
        return Intent.COMPLAINT
    if sentiment is Sentiment.POSITIVE:
        return Intent.PRAISE
    return Intent.ENQUIRY if asks else Intent.COMPLAINT if "complaint" in meant else Intent.OTHER


def decide_priority(
    reading: Reading,
    sentiment: Sentiment,
    confidence: float,
    intent: Intent,
    risks: tuple[str, ...],
    flags: tuple[str, ...],
) -> Priority:
    """Urgent: harm, law, leaving, haste in anger. Important: a risk, a regulated matter, a firm complaint."""
    negative = sentiment is Sentiment.NEGATIVE
    grave = sentiment is not Sentiment.POSITIVE and not _GRAVE_RISKS.isdisjoint(risks)
    if (negative and not _GRAVE_FLAGS.isdisjoint(flags)) or (grave and intent is not Intent.ENQUIRY):
        return Priority.URGENT
    if negative and reading.modifiers & URGENT:
        return Priority.URGENT
    if set(risks) - {"silence", "repeat"} or flags or (negative and confidence >= 0.85):
        return Priority.IMPORTANT
    return Priority.NORMAL
