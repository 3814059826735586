"""How sure a model was of a value it wrote: the probability of the value's tokens among allowed values.

At each token that writes part of the value, the probability of the alternatives that still lead to it is
divided by that of the alternatives that still lead to any allowed value; the product over the tokens is the
probability of the value under the schema, however the tokenizer cuts it. Only the alternatives that the
server lists (`top_logprobs`) are seen, so a little mass may be missing. It is the model's probability, and
not a calibrated one.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Token(NamedTuple):
    """A token of an answer: where its bytes start, the bytes, its alternatives as (bytes, probability)."""

    start: int
    data: bytes
    alternatives: tuple[tuple[bytes, float], ...]


def read_tokens(logprobs: Sequence[Mapping[str, Any]]) -> list[Token]:
    """Tokens of `choices[].logprobs.content` of a chat completion. Raises KeyError, TypeError, ValueError."""
    tokens: list[Token] = []
    start = 0
    for item in logprobs:
        data = _bytes(item)
        alternatives = {_bytes(one): math.exp(one["logprob"]) for one in item.get("top_logprobs") or ()}
        alternatives.setdefault(data, math.exp(item["logprob"]))
        tokens.append(Token(start, data, tuple(alternatives.items())))
        start += len(data)
    return tokens


def _bytes(item: Mapping[str, Any]) -> bytes:
    given = item.get("bytes")
    return bytes(given) if given is not None else str(item["token"]).encode()


def value_probability(tokens: Sequence[Token], start: int, value: str, choices: Sequence[str]) -> float:
    """Probability of `value`, whose first byte is at `start` behind its opening quote; `choices` include it.

    Returns 0 to 1; 1 where the schema left nothing to choose.
    """
    written = value.encode()
    ends = [choice.encode() + b'"' for choice in choices]
    own = written + b'"'
    probability = 1.0
    for token in tokens:
        if token.start + len(token.data) <= start:
            continue
        if token.start > start + len(written):
            break
        # What of the token stands before the value, and what of the value before the token.
        lead = token.data[: max(0, start - token.start)]
        typed = written[: max(0, token.start - start)]
        here = allowed = 0.0
        for data, mass in token.alternatives:
            candidate = _continued(lead, typed, data)
            if candidate is None or not any(_agree(candidate, end) for end in ends):
                continue
            allowed += mass
            here += mass if _agree(candidate, own) else 0.0
        if allowed > 0:
            probability *= here / allowed
    return min(1.0, probability)


def _continued(lead: bytes, typed: bytes, data: bytes) -> bytes | None:
    """What of a value an alternative would have written by its end; None where it writes something else."""
    if data.startswith(lead):
        return typed + data[len(lead) :]
    return typed if data and lead.startswith(data) else None


def _agree(written: bytes, value: bytes) -> bool:
    return value.startswith(written) or written.startswith(value)
