"""Which tools a model is offered, and in how many tokens: compact schemas, chosen where not all fit."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import orjson
from langchain_core.tools import BaseTool

from prompts.tool_words import tool_words

Language = Literal["zh", "en"]
ToolSchema = dict[str, Any]
# With these most questions can be answered in some way, whatever the words of the question.
CORE: Final = ("nps_stats", "metric_stats", "compare_periods", "root_cause", "list_themes", "search_feedback")
_DROPPED: Final = frozenset(
    {"title", "default", "$defs", "additionalProperties", "minItems", "maxItems", "maxLength"}
)
# Filled in by us: results are in the asker's language.
_OURS: Final = frozenset({"language"})
# Most tools have these: what they mean is said once, in the system prompt, and not in every schema.
COMMON: Final = ("period", "filters", "exclude", "metric", "compare_to", "group_by")
_LATIN_CUE: Final = re.compile(r"[a-z]")


def tool_schemas(tools: Sequence[BaseTool], language: Language) -> list[ToolSchema]:
    """OpenAI function schemas of the tools, compact, described in one language, in the same order."""
    return [_schema(tool, language) for tool in tools]


def _schema(tool: BaseTool, language: Language) -> ToolSchema:
    if not isinstance(tool.args_schema, dict):
        raise TypeError(f"{tool.name}: the arguments of a tool are handed over as JSON schema")
    return _cached_schema(tool.name, tool.description, orjson.dumps(tool.args_schema), language)


@lru_cache(maxsize=256)
def _cached_schema(name: str, description: str, arguments: bytes, language: Language) -> ToolSchema:
    full = orjson.loads(arguments)
    words = tool_words()
    properties = {}
    for key, value in full.get("properties", {}).items():
        if key in _OURS:
            continue
        small = compact_schema(value, full.get("$defs", {}))
        if key in COMMON:
            small.pop("description", None)
        elif language == "zh" and "description" in value:
            small["description"] = words.arguments[key]
        properties[key] = small
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [key for key in full.get("required", []) if key not in _OURS]:
        parameters["required"] = required
    told = words.tools[name] if language == "zh" else " ".join(description.split())
    return {"type": "function", "function": {"name": name, "description": told, "parameters": parameters}}


def common_arguments(tools: Sequence[BaseTool], language: Language) -> str:
    """What the arguments mean that most tools have, one a line."""
    if language == "zh":
        return "\n".join(f"- {name}: {tool_words().arguments[name]}" for name in COMMON)
    told: dict[str, str] = {}
    for tool in tools:
        properties = tool.args_schema.get("properties", {}) if isinstance(tool.args_schema, dict) else {}
        for name in COMMON:
            # The longest is the fullest: others say "as in metric_stats".
            told[name] = max(told.get(name, ""), properties.get(name, {}).get("description", ""), key=len)
    return "\n".join(f"- {name}: {text}" for name, text in told.items() if text)


def compact_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without titles, defaults, null branches and references; plain types of a union in one list."""
    if "$ref" in schema:
        target = definitions[str(schema["$ref"]).rpartition("/")[2]]
        inlined = compact_schema(
            {key: value for key, value in target.items() if key != "description"}, definitions
        )
        return {**inlined, **{key: value for key, value in schema.items() if key == "description"}}
    small: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        if key == "anyOf":
            small |= _union(
                [compact_schema(each, definitions) for each in value if each.get("type") != "null"]
            )
        elif key == "properties":
            small[key] = {
                name: {k: v for k, v in compact_schema(each, definitions).items() if k != "description"}
                for name, each in value.items()
            }
        elif isinstance(value, dict):
            small[key] = compact_schema(value, definitions)
        else:
            small[key] = value
    return small


def _union(branches: list[dict[str, Any]]) -> dict[str, Any]:
    if len(branches) == 1:
        return branches[0]
    if all(set(branch) == {"type"} and isinstance(branch["type"], str) for branch in branches):
        return {"type": list(dict.fromkeys(branch["type"] for branch in branches))}
    return {"anyOf": branches}


def choose_tools(
    schemas: Sequence[ToolSchema],
    *,
    question: str,
    wanted: Callable[[], Iterable[str]],
    used: Iterable[str],
    room: int,
    cost: Callable[[ToolSchema], int],
) -> list[ToolSchema]:
    """The tools that fit into `room` tokens, in their order; all of them where all fit.

    First come those that the offline planner would call for the question (`wanted`) and those already used in
    the thread, then those whose cue words the question holds, then the core, then the others. What comes
    first is offered even where it alone is beyond the room: a model without tools cannot answer.
    """
    costs = {_name(schema): cost(schema) for schema in schemas}
    if sum(costs.values()) <= room:
        return list(schemas)
    first = [name for name in dict.fromkeys([*wanted(), *used]) if name in costs]
    order = dict.fromkeys([*first, *_cued(question, costs), *(n for n in CORE if n in costs), *costs])
    chosen: set[str] = set()
    left = room
    for name in order:
        if costs[name] <= left or name in first[:3]:
            chosen.add(name)
            left -= costs[name]
    return [schema for schema in schemas if _name(schema) in chosen]


def _cued(question: str, names: Iterable[str]) -> list[str]:
    """Tools by how many characters of cue words the question holds, most first."""
    text = question.lower()
    weights = {
        name: sum(len(cue) for cue in tool_words().cues.get(name, ()) if _holds(text, cue)) for name in names
    }
    return sorted((name for name, weight in weights.items() if weight), key=lambda name: -weights[name])


def _holds(text: str, cue: str) -> bool:
    if _LATIN_CUE.match(cue):  # a word, or the start of one: "anomal", "complain"
        return re.search(rf"(?<![a-z]){re.escape(cue)}", text) is not None
    return cue in text


def _name(schema: ToolSchema) -> str:
    name: str = schema["function"]["name"]
    return name
