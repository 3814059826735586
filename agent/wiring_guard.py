"""The guards of one application: which tools act, and what must not leave with an answer."""

from collections.abc import Sequence

from pydantic import SecretStr

from agent.guard import Guard
from agent.guard_answer import AnswerGuard
from agent.guard_scope import TellScope
from agent.settings import Settings
from prompts.library import LANGUAGES, template
from store.facts import FactStore
from tools.registry import ToolSpec

_KEPT_PROMPTS = ("system", "number_lock")
_NO_SECRET = "not-needed"


def answer_guard(settings: Settings) -> AnswerGuard:
    """A guard of answers that knows our instructions and the keys that are set."""
    prompts = [template(name, language) for name in _KEPT_PROMPTS for language in LANGUAGES]
    values = [getattr(settings, name) for name in type(settings).model_fields]
    secrets = [one.get_secret_value() for one in values if isinstance(one, SecretStr)]
    return AnswerGuard(prompts, [one for one in secrets if one != _NO_SECRET])


def guards_for(answers: AnswerGuard, facts: FactStore, specs: Sequence[ToolSpec]) -> tuple[TellScope, Guard]:
    """What stands around the model, outermost first."""
    return TellScope(facts), Guard([spec.name for spec in specs if spec.acts], answers)
