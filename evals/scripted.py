"""A scripted chat model: makes the calls a case expects and states the figures it expects.

It stands for a model that understands every question, so that the tools, the number lock and the contract
are measured apart from understanding.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from evals.cases import Case, ExpectedCall, Turn
from evals.score import resolve


class ScriptedModel(BaseChatModel):
    """Plays one case. Deterministic."""

    _case: Case = PrivateAttr()

    def __init__(self, case: Case, trial: int = 1) -> None:
        super().__init__()
        self._case = case

    @property
    def _llm_type(self) -> str:
        return "voiceloop-scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "ScriptedModel":
        """The script names tools itself; there is nothing to bind."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        asked = [place for place, message in enumerate(messages) if message.type == "human"]
        turn = self._case.turns[min(len(asked), len(self._case.turns)) - 1]
        results = [message for message in messages[asked[-1] :] if isinstance(message, ToolMessage)]
        if turn.expect.tools and not results:
            message = AIMessage("", tool_calls=self._calls(turn, len(asked)))
        else:
            message = AIMessage(_answer(turn, [_parsed(result) for result in results]))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _calls(self, turn: Turn, number: int) -> list[Any]:
        return [
            {
                "name": call.names[0],
                "args": call_args(call, self._case.language),
                "id": f"call_{number}_{place}",
                "type": "tool_call",
            }
            for place, call in enumerate(turn.expect.tools)
        ]


def call_args(call: ExpectedCall, language: str) -> dict[str, Any]:
    """The arguments of an expected call as a model would write them."""
    args: dict[str, Any] = {**call.args, **call.also, "language": language}
    if call.period is not None and (call.period.from_ or call.period.to):
        args["period"] = call.period.model_dump(by_alias=True, exclude_none=True)
    if call.filters:
        args["filters"] = dict(call.filters)
    if call.exclude:
        args["exclude"] = dict(call.exclude)
    return args


def _answer(turn: Turn, results: Sequence[Mapping[str, Any]]) -> str:
    lines = [line.split("|")[0] for line in turn.expect.says]
    for figure in turn.expect.figures:
        if figure.stated and figure.call < len(results):
            try:
                value = resolve(results[figure.call], figure.path)
            except KeyError:
                lines.append(f"{figure.path}: -")
                continue
            shown = value.get("value", value.get("nps")) if isinstance(value, Mapping) else value
            lines.append(f"{figure.path.rsplit('.', 1)[-1]}: {shown}")
    return "\n".join(lines) or "ok"


def _parsed(message: ToolMessage) -> Mapping[str, Any]:
    try:
        parsed = json.loads(str(message.text))
    except json.JSONDecodeError:
        # A tool that refused answers in words.
        return {}
    return parsed if isinstance(parsed, dict) else {}
