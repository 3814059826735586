"""What a question is about in its own words: the question without its command words."""

import re
from collections.abc import Sequence

from agent.ranges import blank, limit_spans
from agent.word_matching import ValueHit, matcher

_QUOTED = re.compile(r"[「『“\"']([^「」『』“”\"']{1,60})[」』”\"']")
_CLAUSE_END = re.compile(r"[，,]")
_COMMANDS = frozenset({"quotes", "opinion", "detail", "themes"})


def subject_of(text: str, besides: Sequence[ValueHit]) -> str:
    """A quoted phrase, else what is left without command words, counts and the values `besides`."""
    if quoted := _QUOTED.search(text):
        return quoted[1]
    spans = [(v.start, v.end) for v in besides]
    spans += [(h.start, h.end) for h in matcher("goals").find(text) if h.tag in _COMMANDS]
    rest = blank(text, [*spans, *limit_spans(text)])
    rest = _CLAUSE_END.split(rest, maxsplit=1)[0] if _CLAUSE_END.split(rest, maxsplit=1)[0].strip() else rest
    for section in ("pronouns", "this_theme", "generic", "search_noise"):
        rest = blank(rest, [(h.start, h.end) for h in matcher(section).find(rest)])
    rest = re.sub(r"[，。？！?!,.、：:]", " ", rest)
    return re.sub(r"\s+", " ", rest).strip()
