"""The resources of the MCP server: reports, themes and single feedback items, within the caller's scope."""

from functools import partial
from typing import Any, Final, cast, get_args
from urllib.parse import unquote

import orjson
from mcp_types import ReadResourceResult, Resource, ResourceTemplate, TextResourceContents

from agent.insight_document import Kind
from server.api_audit import record
from server.api_problems import NotFound
from server.mcp_caller import Session
from server.mcp_own_tool import in_thread
from server.mcp_words import line, mcp_words
from server.tool_calls import call_tool
from store.errors import NotPermitted
from store.facts import Find

_SCHEME: Final = "voiceloop://"
_MARKDOWN: Final = "text/markdown"
_JSON: Final = "application/json"
# By what stands behind the scheme; the names of its words in mcp_words.yaml.
_LISTED: Final = {
    "insights/weekly": ("insights_weekly", _MARKDOWN),
    "insights/monthly": ("insights_monthly", _MARKDOWN),
    "insights/ad_hoc": ("insights_ad_hoc", _MARKDOWN),
    "themes": ("themes", _JSON),
}
_TEMPLATES: Final = {
    "themes/{theme_id}": ("theme", _JSON),
    "feedback/{feedback_id}": ("feedback", _JSON),
}
_ID_SHOWN: Final = 80


def listed_resources(session: Session) -> list[Resource]:
    """What can be read without knowing an id."""
    return [
        Resource(uri=_SCHEME + path, mime_type=kind, **_words(name, session))
        for path, (name, kind) in _LISTED.items()
    ]


def listed_templates(session: Session) -> list[ResourceTemplate]:
    """What can be read by its id."""
    return [
        ResourceTemplate(uri_template=_SCHEME + path, mime_type=kind, **_words(name, session))
        for path, (name, kind) in _TEMPLATES.items()
    ]


async def read_resource(uri: str, session: Session) -> ReadResourceResult:
    """Read one; NotFound where there is none, NotPermitted where the caller may not see it."""
    noun, _, name = uri.removeprefix(_SCHEME).partition("/")
    name = unquote(name)
    if not uri.startswith(_SCHEME):
        raise _unknown(uri, session)
    if noun == "feedback" and name:
        return _contents(uri, _JSON, await in_thread(partial(_feedback, name, session)))
    if noun == "themes":
        tool, args = ("theme_detail", {"theme": name}) if name else ("list_themes", {})
        return _contents(uri, _JSON, await in_thread(partial(_tool, tool, args, session)))
    if noun == "insights" and (name in get_args(Kind) or not name):
        kind = cast("Kind", name or "ad_hoc")
        return _contents(uri, _MARKDOWN, await in_thread(partial(_insights, kind, session)))
    raise _unknown(uri, session)


def _feedback(feedback_id: str, session: Session) -> str:
    state, caller, _ = session
    facts = state.app.context(caller.asker).facts
    found = facts.find(Find(feedback_ids=(feedback_id,), limit=1))
    language = caller.language
    if not found:
        if caller.asker.scope:
            # Of another unit or not there at all: to one with a scope that is the same.
            raise NotPermitted(line("feedback_forbidden", language))
        raise NotFound(line("feedback_unknown", language, id=feedback_id[:_ID_SHOWN]))
    record(state, caller, "feedback.read", feedback_id)
    return found[0].model_dump_json(by_alias=True, exclude_none=True)


def _tool(name: str, args: dict[str, Any], session: Session) -> str:
    state, caller, _ = session
    result = call_tool(state, caller, name, args)
    return orjson.dumps(result.model_dump(mode="json", by_alias=True)).decode()


def _insights(kind: Kind, session: Session) -> str:
    from agent.report_markdown import render_markdown

    state, caller, _ = session
    report = state.app.insights(caller.asker, kind=kind, language=caller.language)
    record(state, caller, "insights.read", kind)
    return render_markdown(report.document)


def _contents(uri: str, mime_type: str, text: str) -> ReadResourceResult:
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])


def _unknown(uri: str, session: Session) -> NotFound:
    return NotFound(line("unknown_resource", session.caller.language, uri=repr(uri[:_ID_SHOWN])))


def _words(name: str, session: Session) -> dict[str, str]:
    words, language = mcp_words()["resources"][name], session.caller.language
    return {"name": name, "title": words["name"][language], "description": words["about"][language]}
