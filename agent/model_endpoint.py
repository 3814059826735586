"""An OpenAI-compatible endpoint as a chat model: with native tool calls or without, thinking taken out."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

import openai
import structlog
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr

from agent.language import language_of
from agent.model_actions import Useless, action_schema, as_dialogue, framed, read_action
from agent.model_server import ModelServer
from agent.model_text import ThinkingFilter, without_thinking
from store.errors import ModelUnavailable

_log = structlog.get_logger(__name__)
ToolMode = Literal["native", "json", "auto"]
# What servers answer to tools they cannot do; the message then names them.
_REFUSALS: Final = frozenset({400, 404, 422, 500, 501})
_NATIVE_ONLY: Final = ("tools", "tool_choice", "parallel_tool_calls")
# From the strictest way of asking for JSON to none; servers differ in what they know.
_FORMATS: Final = ("json_schema", "json_object", None)


class EndpointModel(ChatOpenAI):
    """ChatOpenAI that serves models without native tool calls through structured outputs.

    With `tool_mode` auto the first refusal of tools, or a call written as text, turns to JSON for good.
    """

    tool_mode: ToolMode = "auto"
    _server: ModelServer | None = PrivateAttr(default=None)
    _json: bool = PrivateAttr(default=False)
    _format: int = PrivateAttr(default=0)
    # Whether replies begin within a thought (the prompt template holds the opening tag); None: not known yet.
    _begins_thinking: bool | None = PrivateAttr(default=None)

    @property
    def server(self) -> ModelServer | None:
        """What is known of the endpoint's context and token counts."""
        return self._server

    def at(self, server: ModelServer) -> "EndpointModel":
        """This model with what its server tells."""
        self._server = server
        return self

    @property
    def writes_json(self) -> bool:
        """Whether calls are asked for as JSON objects instead of native tool calls."""
        return self.tool_mode == "json" or self._json

    def prefer_json(self) -> bool:
        """Turn to JSON where that is left to us; whether anything changed."""
        if self.tool_mode != "auto" or self._json:
            return False
        _log.info("no native tool calls; the model is asked for JSON from now on", model=self.model_name)
        self._json = True
        return True

    def dialogue(self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]) -> list[BaseMessage]:
        """What is sent in place of messages and tools where calls are asked for as JSON."""
        asked = next((str(m.text) for m in reversed(messages) if m.type == "human"), "")
        return as_dialogue(messages, tools, language_of(asked))

    def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> Any:
        """The payload with the tools beside what the client looks through.

        It walks every declared parameter by its type hints, which for two dozen schemas takes longer than all
        else that we do in a turn; what is in `extra_body` is sent as it is.
        """
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        if tools := payload.pop("tools", None):
            payload["extra_body"] = {**(payload.get("extra_body") or {}), "tools": tools}
        return payload

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with _no_reply_is_unavailable():
            return self._cleaned(super()._generate(messages, stop, run_manager, **kwargs))

    async def _replied(
        self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any
    ) -> ChatResult:
        with _no_reply_is_unavailable():
            return self._cleaned(await super()._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if not kwargs.get("tools"):
            return await self._replied(messages, stop, **kwargs)
        if not self.writes_json:
            try:
                shown = [framed(message) for message in messages]
                return await self._replied(shown, stop, **kwargs)
            except openai.APIStatusError as error:
                if not (_refuses_tools(error) and self.prefer_json()):
                    raise
        return await self._action(messages, stop, kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self.writes_json and kwargs.get("tools"):
            yield _as_chunk(await self._action(messages, stop, kwargs))
            return
        try:
            shown = [framed(message) for message in messages]
            with _no_reply_is_unavailable():
                async for chunk in self._thoughtless(super()._astream(shown, stop, run_manager, **kwargs)):
                    yield chunk
        except openai.APIStatusError as error:
            if not (kwargs.get("tools") and _refuses_tools(error) and self.prefer_json()):
                raise
            yield _as_chunk(await self._action(messages, stop, kwargs))

    async def _thoughtless(
        self, chunks: AsyncIterator[ChatGenerationChunk]
    ) -> AsyncIterator[ChatGenerationChunk]:
        """Chunks without thinking. Until it is known how replies begin, text is held back to the end."""
        held = ""
        thoughts = ThinkingFilter(inside=bool(self._begins_thinking))
        last: ChatGenerationChunk | None = None
        async for chunk in chunks:
            piece = str(chunk.message.text)
            held += piece
            shown = "" if self._begins_thinking is None else thoughts.feed(piece)
            last = chunk
            yield _with_text(chunk, shown)
        if last is None:
            raise ModelUnavailable("the endpoint's stream held no choice")
        rest = without_thinking(held) if self._begins_thinking is None else thoughts.close()
        if held:
            self._learn(held)
        if rest:
            yield ChatGenerationChunk(message=AIMessageChunk(content=rest, id=last.message.id))

    def _cleaned(self, result: ChatResult) -> ChatResult:
        if not result.generations:
            raise ModelUnavailable("the endpoint gave no choice")
        for generation in result.generations:
            if isinstance(generation.message, AIMessage):
                text = str(generation.message.text)
                if text:
                    self._learn(text)
                generation.message.content = without_thinking(text)
        return result

    def _learn(self, text: str) -> None:
        self._begins_thinking = ThinkingFilter.begins_within(text)

    async def _action(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: Any
    ) -> ChatResult:
        tools = kwargs["tools"]
        rest = {key: value for key, value in kwargs.items() if key not in (*_NATIVE_ONLY, "stream")}
        dialogue = self.dialogue(messages, tools)
        result = await self._formatted(dialogue, stop, tools, rest)
        reply = result.generations[0].message
        if not isinstance(reply, AIMessage):
            raise ModelUnavailable("the endpoint gave no reply of an assistant")
        about = result.generations[0].generation_info or {}
        try:
            if about.get("finish_reason") == "length":
                raise Useless("cut")
            action = read_action(reply)
        except Useless as error:
            error.usage = reply.usage_metadata
            raise
        return ChatResult(generations=[ChatGeneration(message=action, generation_info=about)])

    async def _formatted(
        self, dialogue: list[BaseMessage], stop: list[str] | None, tools: Any, rest: dict[str, Any]
    ) -> ChatResult:
        """Ask with the strictest response format that the server takes; a refused one is not tried again."""
        schema = {"name": "action", "schema": action_schema(tools)}
        while True:
            kind = _FORMATS[self._format]
            body: dict[str, Any] = {"type": kind}
            if kind == "json_schema":
                body["json_schema"] = schema
            # As a plain part of the body: the client's own response_format would parse and raise for itself.
            extra = {"extra_body": {"response_format": body}} if kind else {}
            try:
                return await self._replied(dialogue, stop, **rest, **extra)
            except openai.APIStatusError as error:
                if error.status_code not in _REFUSALS or "response_format" not in str(error) or kind is None:
                    raise
                self._format += 1


@contextmanager
def _no_reply_is_unavailable() -> Iterator[None]:
    """What is no OpenAI reply at all (a gateway page, no choices, a cut body) surfaces in many ways."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelUnavailable(f"the endpoint's reply cannot be read: {type(error).__name__}") from error


def _refuses_tools(error: openai.APIStatusError) -> bool:
    return error.status_code in _REFUSALS and "tool" in str(error).lower()


def _with_text(chunk: ChatGenerationChunk, text: str) -> ChatGenerationChunk:
    return chunk.model_copy(
        update={"text": text, "message": chunk.message.model_copy(update={"content": text})}
    )


def _as_chunk(result: ChatResult) -> ChatGenerationChunk:
    reply = result.generations[0].message
    if not isinstance(reply, AIMessage):
        raise ModelUnavailable("the endpoint gave no reply of an assistant")
    chunk = AIMessageChunk(
        content=str(reply.text),
        tool_calls=reply.tool_calls,
        usage_metadata=reply.usage_metadata,
        response_metadata=reply.response_metadata,
    )
    return ChatGenerationChunk(message=chunk)
