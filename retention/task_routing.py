"""Whose task it is: its owner's while there is room, else the next in line's, else it waits by its score."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from retention.policy import Policy
from retention.policy_capacity import Cap
from retention.risk import gravity
from retention.tasks import UNDONE
from retention.wording import LANGUAGES, Language, name_of
from store.records import Task, Tier
from store.task_lines import TaskBoard, TaskLine, TaskRevision

# What `Cap.week` counts over.
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Load:
    """What one owner has on hand: `open` tasks undone, `week` given within seven days; the caps on both."""

    owner: str
    role: str | None
    open: int
    week: int
    cap: Cap

    @property
    def has_room(self) -> bool:
        """Whether one more task fits."""
        return (self.cap.open is None or self.open < self.cap.open) and (
            self.cap.week is None or self.week < self.cap.week
        )


class Owners:
    """Owners by what they are called: a role has a name in each language and is one owner all the same."""

    def __init__(self, policy: Policy, language: Language) -> None:
        self._rules = policy.capacity
        self._tiers = {tier: rule.owner_role for tier, rule in policy.tiers.items()}
        self._language: Language = language
        self._roles = {name_of("roles", role, one): role for role in _roles(policy) for one in LANGUAGES}

    def role(self, owner: str) -> str | None:
        """The role of that name; None for a person."""
        return self._roles.get(owner)

    def name(self, role: str) -> str:
        """What a role is called."""
        return name_of("roles", role, self._language)

    def cap(self, owner: str) -> Cap:
        """How much an owner takes on."""
        role = self.role(owner)
        if role is not None:
            return self._rules.roles.get(role, Cap())
        return self._rules.people.get(owner, self._rules.person)

    def line(self, owner: str, tier: Tier | None) -> list[str]:
        """Who may do a task of this owner and tier, in order, each once."""
        roles = (self.role(owner), self._tiers[tier] if tier is not None else None)
        after = [self.name(one) for role in roles if role is not None for one in self._rules.line(role)]
        return list(dict.fromkeys([self._called(owner), *after]))

    def loads(self, board: TaskBoard) -> dict[str, Load]:
        """The load of every owner who has a task or a cap of their own, by name."""
        on_hand = Counter(self._called(line.owner) for line in board.undone if line.placed_at is not None)
        given: Counter[str] = Counter()
        for owner, n in board.given.items():
            given[self._called(owner)] += n
        capped = [self.name(role) for role in self._rules.roles]
        return {
            owner: Load(owner, self.role(owner), on_hand[owner], given[owner], self.cap(owner))
            for owner in dict.fromkeys([*sorted(on_hand | given), *capped, *self._rules.people])
        }

    def _called(self, owner: str) -> str:
        role = self.role(owner)
        return owner if role is None else self.name(role)


def is_waiting(task: Task) -> bool:
    """Whether an undone task waits for somebody in its line to have room."""
    return task.placed_at is None and task.status in UNDONE


def waiting(lines: Iterable[TaskLine]) -> list[TaskLine]:
    """Tasks without anybody who has room: gravest tier first, then highest score, then nearest deadline."""
    return sorted((line for line in lines if line.placed_at is None), key=_urgency)


def placed(board: TaskBoard, policy: Policy, language: Language) -> list[TaskRevision]:
    """Give what waits to the first in its line who has room; a tier that never waits to the first of all."""
    owners = Owners(policy, language)
    loads = owners.loads(board)
    found = []
    for task in waiting(board.undone):
        line = owners.line(task.owner, task.tier)
        taker = _first_with_room(line, loads, owners)
        if taker is None and task.tier in policy.capacity.never_wait:
            taker = line[0]
        if taker is not None:
            load = _load(taker, loads, owners)
            loads[taker] = Load(taker, load.role, load.open + 1, load.week + 1, load.cap)
            found.append(TaskRevision(task.task_id, owner=taker, placed=True))
    return found


def _first_with_room(line: Sequence[str], loads: Mapping[str, Load], owners: Owners) -> str | None:
    return next((owner for owner in line if _load(owner, loads, owners).has_room), None)


def _load(owner: str, loads: Mapping[str, Load], owners: Owners) -> Load:
    return loads.get(owner) or Load(owner, owners.role(owner), 0, 0, owners.cap(owner))


def _urgency(task: TaskLine) -> tuple[int, float, float, str]:
    due = task.due_at or task.created_at
    return -gravity(task.tier), -(task.score or 0), due.timestamp(), task.task_id


def _roles(policy: Policy) -> list[str]:
    """Every role that may own a task; segments may name others."""
    every = [policy, *(policy.within([segment]) for segment in policy.segments)]
    rules = policy.capacity
    after = [one for line in rules.next_in_line.values() for one in line]
    told = [step.role for steps in policy.escalation.tiers.values() for step in steps]
    return [*(rule.owner_role for one in every for rule in one.tiers.values()), *rules.roles, *after, *told]
