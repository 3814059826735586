"""The prompts of the MCP server: whole pieces of work that a person starts by name."""

from collections.abc import Mapping
from typing import Any, Final

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from prompts.library import render
from server.api_problems import NotFound
from server.mcp_caller import Session
from server.mcp_words import line, mcp_words
from store.errors import ToolInputError
from tools.registry import RANK

# What a person writes in: a period, a metric, a number.
_ARGUMENT_CHARACTERS: Final = 200


def listed_prompts(session: Session) -> list[Prompt]:
    """Those whose tools the caller's role may use."""
    language = session.caller.language
    return [
        Prompt(
            name=name,
            title=one["title"][language],
            description=one["about"][language],
            arguments=[
                PromptArgument(name=argument, description=about["about"][language], required=False)
                for argument, about in one["arguments"].items()
            ],
        )
        for name, one in _of_role(session).items()
    ]


def prompt_of(name: str, arguments: Mapping[str, str], session: Session) -> GetPromptResult:
    """A prompt filled in; what is left open is as mcp_words.yaml says."""
    language = session.caller.language
    one = _of_role(session).get(name)
    if one is None:
        raise NotFound(line("unknown_prompt", language, name=repr(name[:_ARGUMENT_CHARACTERS])))
    if unknown := sorted(set(arguments) - set(one["arguments"])):
        names = ", ".join(unknown)[:_ARGUMENT_CHARACTERS]
        raise ToolInputError(line("unknown_arguments", language, name=name, names=names))
    filled = {
        argument: " ".join(arguments.get(argument, "").split())[:_ARGUMENT_CHARACTERS]
        or about["otherwise"][language]
        for argument, about in one["arguments"].items()
    }
    text = render(f"mcp_{name}", language, **filled)
    message = PromptMessage(role="user", content=TextContent(text=text))
    return GetPromptResult(description=one["about"][language], messages=[message])


def _of_role(session: Session) -> dict[str, Any]:
    rank = RANK[session.caller.asker.role]
    return {name: one for name, one in mcp_words()["prompts"].items() if rank >= RANK[one["role"]]}
