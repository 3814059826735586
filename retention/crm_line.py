"""One CRM with both its sides."""

from dataclasses import dataclass
from datetime import timedelta

from retention.crm_client import CrmClient
from retention.crm_inbox import CrmInbox, CrmRead
from retention.crm_outbox import CrmOutbox, CrmSent
from retention.crm_settings import CrmSettings
from store.clock import Clock
from store.crm import CrmStore


@dataclass(frozen=True)
class CrmLine:
    """`client` is what reaches it."""

    settings: CrmSettings
    client: CrmClient
    outbox: CrmOutbox
    inbox: CrmInbox
    store: CrmStore
    clock: Clock

    def send(self) -> CrmSent:
        """Send what is due."""
        return self.outbox.send_due()

    def read(self, *, now: bool = False) -> CrmRead:
        """Read what has changed there, where it is time to (or `now`)."""
        read_at = self.store.reading(self.settings.name).read_at
        due = read_at is None or self.clock.now() - read_at >= timedelta(seconds=self.settings.read_s)
        return self.inbox.read() if due or now else CrmRead()
