"""The MCP server: what the protocol asks for, answered for whoever sent the request."""

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from server.api_access import Language
from server.mcp_caller import session_of, told_errors
from server.mcp_named import named_server
from server.mcp_prompts import listed_prompts, prompt_of
from server.mcp_resources import listed_resources, listed_templates, read_resource
from server.mcp_tools import called_tool, listed_tools

_Context = ServerRequestContext[Any, Any]
_Page = PaginatedRequestParams | None


def build_mcp(language: Language) -> Server[Any]:
    """The server; `language` is that of what it says before anyone has asked."""
    server = named_server(
        language,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
        on_list_resources=_list_resources,
        on_list_resource_templates=_list_templates,
        on_read_resource=_read_resource,
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
    )
    server.middleware.append(told_errors)
    return server


async def _list_tools(context: _Context, _page: _Page) -> ListToolsResult:
    return ListToolsResult(tools=listed_tools(session_of(context)))


async def _call_tool(context: _Context, params: CallToolRequestParams) -> CallToolResult:
    return await called_tool(params.name, params.arguments or {}, context)


async def _list_resources(context: _Context, _page: _Page) -> ListResourcesResult:
    return ListResourcesResult(resources=listed_resources(session_of(context)))


async def _list_templates(context: _Context, _page: _Page) -> ListResourceTemplatesResult:
    return ListResourceTemplatesResult(resource_templates=listed_templates(session_of(context)))


async def _read_resource(context: _Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    return await read_resource(params.uri, session_of(context))


async def _list_prompts(context: _Context, _page: _Page) -> ListPromptsResult:
    return ListPromptsResult(prompts=listed_prompts(session_of(context)))


async def _get_prompt(context: _Context, params: GetPromptRequestParams) -> GetPromptResult:
    return prompt_of(params.name, params.arguments or {}, session_of(context))
