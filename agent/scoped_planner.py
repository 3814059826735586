"""The offline planner of whoever asks: it knows the words of what that person may see, and no others."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from langgraph.config import get_config

from agent.planner import Planner, Reply, Turn
from agent.preference_commands import order_in
from agent.preferences import NOTHING, Preferences
from agent.toolset import asker_of
from agent.understanding import Reader
from store.facts import FactStore
from store.preferences import PreferenceStore
from store.units import Scope

_KEPT: Final = 16


class ScopedPlanner(Planner):
    """A planner for each scope, made when first asked for and again after a write; the run says for whom."""

    def __init__(
        self, facts: FactStore, plan_with: Callable[[FactStore], Planner], preferences: PreferenceStore
    ) -> None:
        """`facts` is everything; `plan_with` makes a planner over the facts of one scope.

        `preferences`: what each asker takes for granted.
        """
        self._preferences = preferences
        self._facts = facts
        self._plan_with = plan_with
        self._kept: OrderedDict[Scope, tuple[object, Planner]] = OrderedDict()
        self._lock = threading.Lock()

    def reply(self, turns: Sequence[Turn], preferences: Preferences = NOTHING) -> Reply:
        """Decide what comes next, from what the asker of this run may see and takes for granted."""
        asker = asker_of(get_config())
        known = Preferences.of(self._preferences.of(asker.user))
        asked = [turn for turn in turns[:-1] if order_in(turn.message, known) is None]
        return self.of(asker.scope).reply([*asked, *turns[-1:]], known)

    @property
    def reader(self) -> Reader:
        """Reads questions against what the asker of this run may see."""
        return self.of(asker_of(get_config()).scope).reader

    def of(self, scope: Scope) -> Planner:
        """The planner of a scope."""
        facts = self._facts.scoped(scope)
        version = facts.version()
        with self._lock:
            kept = self._kept.get(scope)
            if kept is None or kept[0] != version:
                kept = (version, self._plan_with(facts))
                self._kept[scope] = kept
            self._kept.move_to_end(scope)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept[1]


def facts_of_run(facts: FactStore) -> FactStore:
    """What the asker of this run may see of the facts."""
    return facts.scoped(asker_of(get_config()).scope)
