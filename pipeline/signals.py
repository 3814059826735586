"""Intent and priority of a text that has been read and judged."""

from pipeline.clauses import THREAT, URGENT, Clause, Reading
from pipeline.readings import DESIRE, HYPOTHETICAL, QUESTION
from store.records import Intent, Priority, Sentiment

# A verdict of three with less than this is hardly one.
_UNSURE = 0.5
_GRAVE_RISKS = frozenset({"cancel", "legal", "conflict"})
_GRAVE_FLAGS = frozenset(
    {
        "food_safety",
        "product_safety",
        "personal_safety",
        "medical",
        "minors",
        "unauthorised_charge",
        "privacy",
    }
)


def _previous(clauses: list[Clause], clause: Clause) -> Clause | None:
    at = next(at for at, one in enumerate(clauses) if one is clause)
    return clauses[at - 1] if at and clauses[at - 1].sentence == clause.sentence else None


def _is_threat(reading: Reading, clause: Clause) -> bool:
    before = _previous(reading.clauses, clause)
    return bool(clause.modifiers & THREAT or (before is not None and before.modifiers & THREAT))


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
    if "complaint" in meant and (sentiment is not Sentiment.POSITIVE or confidence < _UNSURE):
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
