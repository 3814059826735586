"""Answers without a tool: what cannot be answered and why, what has to be asked back, how a word was read."""

from agent.frame import Frame
from agent.phrases import phrase
from agent.vocabulary import Vocabulary
from agent.wording import metric_name, value_name
from tools.dimensions import dimension_title

_VALUES = 8
_DIMENSIONS = ("product", "region", "version", "org_unit", "channel", "customer_type", "tier")
_LISTED = ("product", "region", "org_unit", "channel")
_DIMENSIONS_NAMED = 4


def compose_meta(frame: Frame, vocabulary: Vocabulary, *, called: bool) -> str:
    """What is said instead of figures; empty where figures answer the question."""
    language = frame.language
    if frame.refusal:
        return (
            phrase(f"refuse_{frame.refusal}", language, what=frame.refused)
            + "\n\n"
            + _offer(frame, vocabulary)
        )
    if frame.unknown:
        return _unknown(frame, vocabulary)
    if frame.ask:
        return _ask(frame, vocabulary)
    if "help" in frame.goals:
        return phrase("help", language)
    if not called:
        return phrase("not_understood", language) + "\n\n" + _offer(frame, vocabulary)
    return ""


def compose_doubts(frame: Frame) -> str:
    """Says how words were read that could be read otherwise: slips, values of two columns, of times."""
    lines = []
    if frame.anchor is not None:
        anchor = frame.anchor
        days = {"first": anchor.life.first.isoformat(), "last": anchor.life.last.isoformat()}
        lines.append(phrase(f"counted_from_{anchor.kind}", frame.language, value=anchor.value, **days))
    for doubt in frame.doubts:
        if doubt.meant != doubt.word:
            lines.append(phrase("slip_read_as", frame.language, word=doubt.word, value=doubt.meant))
            continue
        titles = [dimension_title(d, frame.language) for d in (doubt.dimension, *doubt.others)]
        others = phrase("or", frame.language).join(titles[1:])
        lines.append(phrase("read_as", frame.language, word=doubt.word, title=titles[0], others=others))
    return "\n".join(lines)


def _offer(frame: Frame, vocabulary: Vocabulary) -> str:
    """What the data at hand can answer, in its own words."""
    catalogue, language = vocabulary.catalogue, frame.language
    metrics = [name for name, info in catalogue.metrics.items() if info.n][:_DIMENSIONS_NAMED]
    named = [metric_name(name, frame) for name in metrics] or [metric_name("negative_share", frame)]
    split = [dimension_title(d, language) for d in _DIMENSIONS if _has_values(vocabulary, d)]
    separator = phrase("and", language)
    shown = {"metrics": separator.join(named), "dimensions": separator.join(split[:_DIMENSIONS_NAMED])}
    return phrase("offer" if split else "offer_bare", language, **shown)


def _has_values(vocabulary: Vocabulary, dimension: str) -> bool:
    info = vocabulary.catalogue.dimensions.get(dimension)
    return info is not None and info.distinct > 1


def _unknown(frame: Frame, vocabulary: Vocabulary) -> str:
    """Say that a named segment does not exist, what looks like it, and which do exist."""
    language = frame.language
    separator = phrase("and", language)
    lines = [phrase("unknown_name", language, names=separator.join(frame.unknown))]
    near = [value for name in frame.unknown for value in vocabulary.nearest(name)]
    if near:
        lines.append(phrase("did_you_mean", language, values=separator.join(dict.fromkeys(near))))
    for dimension in _LISTED:
        if _has_values(vocabulary, dimension):
            info = vocabulary.catalogue.dimensions[dimension]
            values = [value_name(dimension, value, frame) for value, _ in info.values[:_VALUES]]
            title = dimension_title(dimension, language)
            lines.append(phrase("known_values", language, title=title, values=separator.join(values)))
    return "\n".join(lines)


def _ask(frame: Frame, vocabulary: Vocabulary) -> str:
    language = frame.language
    metrics = [metric_name(name, frame) for name, info in vocabulary.catalogue.metrics.items() if info.n]
    named = phrase("and", language).join(metrics[:_DIMENSIONS_NAMED])
    if frame.ask == "period":
        return phrase("ask_period", language, what=frame.unread)
    return phrase(f"ask_{frame.ask}", language, metrics=named)
