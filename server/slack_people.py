"""Who somebody in Slack is: by their id, else by a user group they are in, else as everybody else."""

import time
from typing import TYPE_CHECKING, Final

from server.inbox_people import People, Person, asker_of
from tools.context import Asker

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

_FRESH_S: Final = 300.0


class SlackPeople:
    """Maps ids by slack.yaml. The members of user groups are asked of Slack, every five minutes at most."""

    def __init__(self, people: People, client: "AsyncWebClient") -> None:
        self.people = people
        self._client = client
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def asker(self, user: str) -> Asker | None:
        """On whose behalf this id asks; None where nobody knows it and strangers are refused."""
        person = self.people.users.get(user) or await self._by_group(user) or self.people.others
        return asker_of(person, "slack", user) if person else None

    async def _by_group(self, user: str) -> Person | None:
        for group, person in self.people.groups.items():
            if user in await self._members_of(group):
                # Its members share a role, never a name: each has conversations of their own.
                return person.model_copy(update={"user": None})
        return None

    async def _members_of(self, group: str) -> frozenset[str]:
        read_at, members = self._members.get(group, (0.0, frozenset()))
        if read_at and time.monotonic() - read_at < _FRESH_S:
            return members
        answer = await self._client.usergroups_users_list(usergroup=group)
        members = frozenset(answer["users"] or ())
        self._members[group] = (time.monotonic(), members)
        return members
