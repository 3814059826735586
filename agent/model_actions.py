"""Tools for models that cannot call them: one JSON object a reply, either a call or the answer."""

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any, Final, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from prompts.library import render
from store.errors import ModelUnavailable

_FENCE: Final = re.compile(r"\A```(?:json)?\s*|\s*```\Z")


class Useless(ModelUnavailable):
    """The endpoint answered, but nothing that helps; `reason` names the note with which it is asked again.

    `usage`: what the reply took, where it does not go on as a message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the model's reply is of no use: {reason}")
        self.reason = reason
        self.usage: UsageMetadata | None = None


def framed(message: BaseMessage) -> BaseMessage:
    """A tool result between marks that its own text cannot close: whatever stands inside is data."""
    if not isinstance(message, ToolMessage):
        return message
    return message.model_copy(update={"content": _marked(message)})


def _marked(message: ToolMessage) -> str:
    inside = str(message.text).replace("<", "\\u003c")
    return f'<data tool="{message.name or ""}">\n{inside}\n</data>'


def action_schema(tools: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """JSON schema of a reply: {"tool": name, "args": {...}} for one of the tools, or {"answer": text}."""
    calls = [
        {
            "type": "object",
            "properties": {
                "tool": {"type": "string", "enum": [tool["function"]["name"]]},
                "args": {**tool["function"]["parameters"], "additionalProperties": False},
            },
            "required": ["tool", "args"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    answer = {
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    return {"anyOf": [*calls, answer]}


def as_dialogue(
    messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]], language: Literal["zh", "en"]
) -> list[BaseMessage]:
    """The thread in plain system, user and assistant messages that take turns, as chat templates want."""
    listed = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    told = render("json_actions", language, tools=listed)
    system = "\n\n".join([*(str(m.text) for m in messages if isinstance(m, SystemMessage)), told])
    dialogue: list[BaseMessage] = [SystemMessage(system)]
    for message in messages:
        if isinstance(message, SystemMessage):
            continue
        if isinstance(message, AIMessage):
            turn: BaseMessage = AIMessage(_written(message))
        else:
            text = _marked(message) if isinstance(message, ToolMessage) else str(message.text)
            turn = HumanMessage(text)
        if dialogue[-1].type == turn.type:
            dialogue[-1] = type(turn)(f"{dialogue[-1].text}\n\n{turn.text}")
        else:
            dialogue.append(turn)
    return dialogue


def _written(message: AIMessage) -> str:
    if not message.tool_calls:
        return json.dumps({"answer": str(message.text)}, ensure_ascii=False)
    calls = [{"tool": call["name"], "args": call["args"]} for call in message.tool_calls]
    return "\n".join(json.dumps(call, ensure_ascii=False) for call in calls)


def read_action(reply: AIMessage) -> AIMessage:
    """The reply as a message with a tool call or with the text of the answer.

    Raises Useless where it is neither. A server that ignores the schema may still write the object
    between other words; the first object counts.
    """
    text = _FENCE.sub("", str(reply.text).strip())
    start = text.find("{")
    if start < 0:
        raise Useless("bad_json")
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start)
    except ValueError as error:
        raise Useless("bad_json") from error
    if isinstance(found.get("answer"), str):
        return reply.model_copy(update={"content": found["answer"]})
    if isinstance(found.get("tool"), str) and isinstance(found.get("args", {}), dict):
        call = {
            "name": found["tool"],
            "args": found.get("args", {}),
            "id": f"call_{uuid.uuid4().hex[:12]}",
            "type": "tool_call",
        }
        return reply.model_copy(update={"content": "", "tool_calls": [call]})
    raise Useless("bad_json")
