"""A tool that only the MCP server has: what is listed of it, and calling it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from anyio import to_thread
from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations
from pydantic import BaseModel

from server.api_access import Language
from server.mcp_caller import Context, Session, session_of
from server.mcp_words import mcp_words
from store.keys import Role
from tools.refusals import Forbidden
from tools.registry import RANK, parsed_arguments

Found = TypeVar("Found")


class Told(NamedTuple):
    """What a call gives back: short words, and the whole of it."""

    text: str
    whole: BaseModel


@dataclass(frozen=True)
class OwnTool:
    """`run` gets the arguments typed; `role` is the lowest that may call it."""

    name: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Any, Session, Context], Awaitable[Told]]
    annotations: ToolAnnotations
    role: Role = "viewer"

    def listed(self, language: Language) -> Tool:
        """It as a list of tools shows it."""
        return Tool(
            name=self.name,
            description=mcp_words()["tools"][self.name][language],
            input_schema=schema_in(self.arguments, mcp_words()["arguments"], language),
            output_schema=self.result.model_json_schema(by_alias=True, mode="serialization"),
            annotations=self.annotations,
        )

    async def call(self, args: Mapping[str, Any], context: Context) -> CallToolResult:
        """Run it; raises ToolInputError and NotPermitted as a typed tool does."""
        session = session_of(context)
        asker, language = session.caller.asker, session.caller.language
        if RANK[asker.role] < RANK[self.role]:
            raise Forbidden("role_needed", language, tool=self.name, role=asker.role, needed=self.role)
        parsed = parsed_arguments(self.name, self.arguments, args, language)
        told = await self.run(parsed, session, context)
        whole = told.whole.model_dump(mode="json", by_alias=True)
        return CallToolResult(content=[TextContent(text=told.text)], structured_content=whole)


def schema_in(model: type[BaseModel], words: Mapping[str, str], language: Language) -> dict[str, Any]:
    """The JSON schema of arguments: described by `words` in Chinese, by the model itself in English."""
    schema = model.model_json_schema(by_alias=True)
    if language == "zh":
        for name, shape in schema.get("properties", {}).items():
            if "description" in shape:
                shape["description"] = words[name]
    return schema


async def in_thread(work: Callable[[], Found]) -> Found:
    """Do what touches the stores. A call that is cancelled is left at once; its query ends by itself."""
    return await to_thread.run_sync(work, abandon_on_cancel=True)
