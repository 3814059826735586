"""What an OpenAI-compatible server tells of itself: its context, and exact token counts (vLLM)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

import structlog
from langchain_core.messages import BaseMessage

from agent.model_tokens import Calibration

if TYPE_CHECKING:
    import httpx

_log = structlog.get_logger(__name__)
# Where neither the settings nor the server tell: what small local models are commonly served with.
ASSUMED_WINDOW: Final = 8192
_WINDOW_KEYS: Final = ("max_model_len", "context_length", "context_window", "max_context_length")
_ASK_S: Final = 5.0
_ANSWER_SHARE: Final = 0.25
_ANSWER_MOST: Final = 4096


class Sizes(NamedTuple):
    """Tokens of the context and of the longest reply where the settings say them."""

    window: int | None = None
    answer: int | None = None


_NOT_SET: Final = Sizes()


@runtime_checkable
class Served(Protocol):
    """A model at an endpoint that tells of itself; others (scripted ones, say) do not."""

    @property
    def server(self) -> "ModelServer | None":
        """What is known of the endpoint."""

    @property
    def writes_json(self) -> bool:
        """Whether calls are asked for as JSON objects."""

    def prefer_json(self) -> bool:
        """Turn to JSON where that is left to the model."""

    def dialogue(self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]) -> list[BaseMessage]:
        """What is sent in place of messages and tools where calls are asked for as JSON."""


class ModelServer:
    """One endpoint. What it answers once is kept for the life of the process."""

    def __init__(
        self, client: "httpx.AsyncClient", base_url: str, api_key: str, model: str, sizes: Sizes = _NOT_SET
    ) -> None:
        """`sizes`: what the settings say."""
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._model = model
        self._window = sizes.window
        self._answer = sizes.answer
        self._can_count: bool | None = None
        self.calibration = Calibration()

    async def window(self) -> int:
        """Tokens of question and answer together: from the settings, `/v1/models`, or assumed."""
        if self._window is None:
            answered = await self._ask("GET", f"{self._base_url}/models", None)
            if answered is None:
                return ASSUMED_WINDOW  # not reached: asked again next time
            self._window = _window_in(answered, self._model) or ASSUMED_WINDOW
        return self._window

    async def answer(self) -> int:
        """Tokens of the longest reply, thinking included; the rest of the window is the question's."""
        most = int(await self.window() * _ANSWER_SHARE)
        return min(self._answer, 2 * most) if self._answer else min(most, _ANSWER_MOST)

    async def count(self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]]) -> int | None:
        """The exact number of prompt tokens by vLLM's `/tokenize`; None where there is no such path."""
        if self._can_count is False:
            return None
        body: dict[str, Any] = {
            "model": self._model,
            "messages": list(messages),
            "add_generation_prompt": True,
        }
        if tools:
            body["tools"] = list(tools)
        answered = await self._ask("POST", f"{self._base_url.removesuffix('/v1')}/tokenize", body)
        if answered is None:
            return None
        count = answered.get("count")
        self._can_count = isinstance(count, int)
        return count if isinstance(count, int) else None

    async def _ask(self, method: str, url: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """The JSON object it answers, empty where it answers something else; None where it is not reached."""
        import httpx

        try:
            answer = await self._client.request(method, url, json=body, headers=self._headers, timeout=_ASK_S)
        except httpx.HTTPError as error:
            _log.info("model endpoint not asked", url=url, reason=type(error).__name__)
            return None
        if answer.status_code != httpx.codes.OK:
            return {}
        try:
            found = answer.json()
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def _window_in(models: dict[str, Any], model: str) -> int | None:
    listed = [one for one in models.get("data") or [] if isinstance(one, dict)]
    for one in sorted(listed, key=lambda each: each.get("id") != model)[:1]:
        for key in _WINDOW_KEYS:
            if isinstance(one.get(key), int) and one[key] > 0:
                return int(one[key])
    return None
