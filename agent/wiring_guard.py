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


def guards_for(settings: Settings, facts: FactStore, specs: Sequence[ToolSpec]) -> tuple[TellScope, Guard]:
    """Guards that know our instructions, the keys that are set and the tools that act."""
    prompts = [template(name, language) for name in _KEPT_PROMPTS for language in LANGUAGES]
    values = [getattr(settings, name) for name in type(settings).model_fields]
    secrets = [one.get_secret_value() for one in values if isinstance(one, SecretStr)]
    acting = [spec.name for spec in specs if spec.acts]
    answers = AnswerGuard(prompts, [one for one in secrets if one != _NO_SECRET])
    return TellScope(facts), Guard(acting, answers)
