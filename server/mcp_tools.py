"""The tools of the MCP server: the typed ones with what is derived from them, the agent, and approvals."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final

from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations

from agent.model_results import compact
from prompts.tool_words import tool_words
from server.api_access import Language
from server.mcp_approvals import APPROVE, LIST_APPROVALS
from server.mcp_ask import ASK
from server.mcp_caller import Context, Session, session_of, words_of
from server.mcp_own_tool import OwnTool, in_thread, schema_in
from server.mcp_words import line, mcp_words
from server.tool_calls import call_tool
from store.errors import ToolInputError, VoiceLoopError
from tools.catalogue import ALL_TOOLS
from tools.registry import RANK, ToolSpec
from tools.results import ToolResult

_OWN: Final[Mapping[str, OwnTool]] = {one.name: one for one in (ASK, LIST_APPROVALS, APPROVE)}
_TYPED: Final[Mapping[str, ToolSpec]] = {one.name: one for one in ALL_TOOLS}
# Of a name that a client made up, enough to know it again.
_NAME_SHOWN: Final = 80


def listed_tools(session: Session) -> list[Tool]:
    """What the caller's role may use, described in their language."""
    rank, language = RANK[session.caller.asker.role], session.caller.language
    return [
        *[one.listed(language) for one in _OWN.values() if rank >= RANK[one.role]],
        *[_listed(one.name, language) for one in ALL_TOOLS if rank >= RANK[one.role]],
    ]


async def called_tool(name: str, args: Mapping[str, Any], context: Context) -> CallToolResult:
    """Run a tool. What a caller may know comes back as its result, failures included."""
    session = session_of(context)
    try:
        if name in _OWN:
            return await _OWN[name].call(args, context)
        if name not in _TYPED:
            told = line("unknown_tool", session.caller.language, name=repr(name[:_NAME_SHOWN]))
            raise ToolInputError(told)
        result = await in_thread(partial(call_tool, session.state, session.caller, name, args))
    except VoiceLoopError as error:
        return CallToolResult(content=[TextContent(text=words_of(error, session))], is_error=True)
    whole = result.model_dump(mode="json", by_alias=True)
    return CallToolResult(content=[TextContent(text=compact(whole))], structured_content=whole)


@lru_cache(maxsize=128)
def _listed(name: str, language: Language) -> Tool:
    spec = _TYPED[name]
    words, ours = tool_words(), mcp_words()["arguments"]
    return Tool(
        name=name,
        description=words.tools[name] if language == "zh" else spec.description,
        input_schema=schema_in(spec.arguments, {**ours, **words.arguments}, language),
        output_schema=ToolResult.model_json_schema(by_alias=True, mode="serialization"),
        # What acts only drafts, and asking again for the same changes nothing.
        annotations=ToolAnnotations(
            read_only_hint=not spec.acts,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
