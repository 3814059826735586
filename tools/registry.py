"""The tools by name: a tool is a typed function `(args, context) -> ToolResult` with a docstring.

To add one: write `tools/<noun>.py` with an Arguments model and the function, and name it in
`tools/catalogue.py`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import ValidationError

from store.errors import NotPermitted, ToolInputError
from tools.arguments import Arguments
from tools.context import Role, ToolContext
from tools.results import ToolResult

_RANK: Mapping[Role, int] = {"viewer": 0, "analyst": 1, "service": 1, "manager": 2, "admin": 3}


@dataclass(frozen=True)
class ToolSpec:
    """A tool with what is derived from its signature."""

    name: str
    description: str
    arguments: type[Arguments]
    function: Callable[[Any, ToolContext], ToolResult]
    acts: bool
    role: Role

    def run(self, args: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """Validate, check the role and call. Raises ToolInputError in words a model can act on."""
        if _RANK[context.asker.role] < _RANK[self.role]:
            raise NotPermitted(
                f"{self.name}: role {context.asker.role!r} is not permitted; it needs {self.role!r}"
            )
        try:
            parsed = self.arguments.model_validate(dict(args))
        except ValidationError as error:
            hint = f"arguments of {self.name}: {', '.join(_names(self.arguments))}"
            raise ToolInputError(f"{self.name}: {_explain(error)}", hint=hint) from error
        return self.function(parsed, context)


def spec(
    function: Callable[[Any, ToolContext], ToolResult], *, acts: bool = False, role: Role = "viewer"
) -> ToolSpec:
    """Derive a ToolSpec from a function's name, docstring and first parameter."""
    name = function.__name__
    first = next(iter(inspect.signature(function).parameters))
    return ToolSpec(
        name=name,
        description=inspect.getdoc(function) or name,
        arguments=get_type_hints(function)[first],
        function=function,
        acts=acts,
        role=role,
    )


def find(specs: Sequence[ToolSpec], name: str) -> ToolSpec:
    """Return the tool of that name, or say which names exist."""
    for candidate in specs:
        if candidate.name == name:
            return candidate
    raise ToolInputError(f"no tool {name!r}; tools are: {', '.join(s.name for s in specs)}")


def _names(arguments: type[Arguments]) -> list[str]:
    return [field.alias or name for name, field in arguments.model_fields.items()]


def _explain(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"]) or "arguments"
        parts.append(f"{where}: {item['msg']}")
    return "; ".join(parts[:5])
