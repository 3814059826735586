"""The CRMs of one data folder."""

from functools import cached_property
from typing import TYPE_CHECKING

from agent.wiring_replay import Replaying
from store.errors import ToolInputError

if TYPE_CHECKING:
    from retention.crm_line import CrmLine
    from retention.crm_settings import CrmSettings
    from store.crm import CrmStore


class CrmLinking(Replaying):
    """What CRMs are told of tasks, and tell of them."""

    @cached_property
    def crm_store(self) -> "CrmStore":
        """The feed of task changes, and how far each CRM has come."""
        from store.sqlite_crm import SqliteCrm

        store = SqliteCrm(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @cached_property
    def crm_settings(self) -> "tuple[CrmSettings, ...]":
        """The CRMs of crm.yaml; none where there is no such file. ConfigError where it is wrong."""
        from retention.crm_settings import load_crms

        beside = self.home / "crm.yaml"
        path = self.settings.crm or (beside if beside.exists() else None)
        return load_crms(path) if path else ()

    @cached_property
    def crm_lines(self) -> "tuple[CrmLine, ...]":
        """What sends to each CRM and reads from it."""
        return tuple(self._crm_line(one) for one in self.crm_settings)

    def crm_line(self, name: str) -> "CrmLine":
        """The CRM of that name; ToolInputError where the settings have none."""
        found = next((one for one in self.crm_lines if one.settings.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.crm_settings) or "none"
            raise ToolInputError(f"no CRM is called {name!r}; there are: {known}", hint="docs/crm.md")
        return found

    def _crm_line(self, crm: "CrmSettings") -> "CrmLine":
        from retention.crm_inbox import CrmInbox
        from retention.crm_line import CrmLine
        from retention.crm_outbox import CrmOutbox
        from retention.crm_settings import client_of

        client = client_of(crm, self.settings.zone, self.clock)
        self._closers.append(client)
        inbox = CrmInbox(
            crm.name,
            crm.role,
            client,
            self.crm_store,
            self.operations,
            self.policy_book.live,
            self.clock,
            crm.language,
        )
        outbox = CrmOutbox(crm.name, client, self.crm_store, self.clock)
        return CrmLine(crm, client, outbox, inbox, self.crm_store, self.clock)
