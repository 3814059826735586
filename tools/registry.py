"""The tools by name: a tool is a typed function `(args, context) -> ToolResult` with a docstring.

To add one: write `tools/<noun>.py` with an Arguments model and the function, and name it in
`tools/catalogue.py`.
"""

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError

from store.errors import ToolInputError
from store.units import OutOfScope
from tools.arguments import Arguments, Language
from tools.context import Role, ToolContext
from tools.refusals import Forbidden, Refusal, known, refusal
from tools.results import ToolResult
from tools.scope import beyond_scope, told_scope

# A role may do whatever one of a lower rank may.
RANK: Mapping[Role, int] = {"viewer": 0, "analyst": 1, "service": 1, "manager": 2, "admin": 3}
# So many wrong arguments are named at once.
_PROBLEMS = 5
Parsed = TypeVar("Parsed", bound=BaseModel)


@dataclass(frozen=True)
class ToolSpec:
    """A tool with what is derived from its signature."""

    name: str
    description: str
    arguments: type[Arguments]
    function: Callable[[Any, ToolContext], ToolResult]
    acts: bool
    role: Role
    # What a result is made from besides the facts; None where it may not be kept.
    beside: Callable[[ToolContext], Hashable] | None

    def run(self, args: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """Validate, check the role and call. Raises ToolInputError in words a model can act on."""
        # Who asks for no language gets results in the default one; refusals then stay in that of the schema.
        language: Language = "zh" if args.get("language") == "zh" else "en"
        role = context.asker.role
        if RANK[role] < RANK[self.role]:
            raise Forbidden("role_needed", language, tool=self.name, role=role, needed=self.role)
        parsed = parsed_arguments(self.name, self.arguments, args, language)
        try:
            return told_scope(self._result(parsed, context), parsed, context)
        except Refusal as refused:
            refused.speak(language)
            raise beyond_scope(refused, language, context) or refused from None
        except OutOfScope as outside:
            units, scope = outside.units, outside.scope
            raise Forbidden("out_of_scope", language, units=units, scope=scope) from None

    def _result(self, args: Arguments, context: ToolContext) -> ToolResult:
        if self.beside is None or context.results is None:
            return self.function(args, context)
        beside = self.beside(context)
        return context.results.result(self.name, args, context, beside, lambda: self.function(args, context))


def nothing_else(context: ToolContext) -> Hashable:
    """Of a tool whose results are made from the facts alone."""
    return None


def parsed_arguments(name: str, model: type[Parsed], args: Mapping[str, Any], language: Language) -> Parsed:
    """The arguments of a tool, typed. Raises ToolInputError in words a model can act on."""
    try:
        return model.model_validate(dict(args))
    except ValidationError as error:
        names = {"tool": name, "names": ", ".join(_names(model))}
        problems = {"tool": name, "problems": _explain(error, language)}
        raise ToolInputError(
            refusal("arguments", language, problems), hint=refusal("arguments_hint", language, names)
        ) from error


def spec(
    function: Callable[[Any, ToolContext], ToolResult],
    *,
    acts: bool = False,
    role: Role = "viewer",
    beside: Callable[[ToolContext], Hashable] | None = None,
) -> ToolSpec:
    """Derive a ToolSpec from a function's name, docstring and first parameter.

    `beside`: results may be kept; it gives what they are made from besides the facts (nothing_else).
    """
    name = function.__name__
    first = next(iter(inspect.signature(function).parameters))
    return ToolSpec(
        name=name,
        description=inspect.getdoc(function) or name,
        arguments=get_type_hints(function)[first],
        function=function,
        acts=acts,
        role=role,
        beside=beside,
    )


def find(specs: Sequence[ToolSpec], name: str) -> ToolSpec:
    """Return the tool of that name, or say which names exist."""
    for candidate in specs:
        if candidate.name == name:
            return candidate
    raise Refusal("unknown_tool", name=name, known=[s.name for s in specs])


def _names(arguments: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in arguments.model_fields.items()]


def _explain(error: ValidationError, language: Language) -> list[str]:
    parts = []
    for item in error.errors(include_url=False)[:_PROBLEMS]:
        where = ".".join(str(part) for part in item["loc"]) or "arguments"
        kind = f"problem_{item['type']}"
        values = {"where": where, "message": item["msg"], **item.get("ctx", {})}
        parts.append(refusal(kind if known(kind) else "problem", language, values))
    return parts
