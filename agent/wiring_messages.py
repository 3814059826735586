"""What one data folder tells people outside, and is told: inbox, outbox, targets of notifications."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from agent.wiring_labels import Labelling
from store.units import Scope

if TYPE_CHECKING:
    from pipeline.writing import Mask
    from retention.alert_teller import AlertTeller
    from retention.aliases import Aliases
    from retention.notifier import Notifier
    from retention.notify_targets import Target
    from retention.outbox import Outbox
    from retention.policy_book import PolicyBook
    from retention.task_teller import TaskTeller
    from store.deliveries import DeliveryStore
    from store.inbox import Inbox
    from store.operations import OperationStore


class Messaging(Labelling):
    """The stores and the labels, and what goes out to people and comes in from them."""

    @property
    def mask(self) -> "Mask":
        """Texts to masked texts, by the grades that are set."""
        from functools import partial

        from pipeline.mask import mask_texts

        return partial(mask_texts, grades=frozenset(self.settings.mask_grades))

    @cached_property
    def inbox(self) -> "Inbox":
        """What people write in Slack and Feishu."""
        from store.sqlite_inbox import SqliteInbox

        store = SqliteInbox(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def deliveries(self) -> "DeliveryStore":
        """What is told, until it is sent."""
        from store.sqlite_deliveries import SqliteDeliveries

        store = SqliteDeliveries(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def policy_book(self) -> "PolicyBook":
        """The versions of the retention policy; `live()` decides."""
        from retention.policy_book import PolicyBook
        from store.sqlite_policy_versions import SqlitePolicyVersions

        store = SqlitePolicyVersions(self._file("operations.sqlite"))
        self._closers.append(store)
        return PolicyBook(store, self.clock)

    @cached_property
    def aliases(self) -> "Aliases":
        """What customers are called where others read along."""
        from retention.aliases import Aliases

        return Aliases(self._file("alias.key"))

    @cached_property
    def notify_targets(self) -> "tuple[Target, ...]":
        """Whom to tell: the setting's addresses, and the file's."""
        from retention.notify_targets import load_targets, targets_of

        settings, beside = self.settings, self.home / "notify.yaml"
        path = settings.notify or (beside if beside.exists() else None)
        named = targets_of(settings.notify_urls.get_secret_value(), settings.language)
        return (*named, *(load_targets(path) if path else ()))

    def outbox(self, others: "Mapping[str, Notifier] | None" = None) -> "Outbox":
        """Sends to the targets of the settings, and to `others` by name. ConfigError for a wrong address."""
        from retention.notify_targets import notifier_of
        from retention.outbox import Outbox

        secret = self.settings.notify_secret
        notifiers = {
            one.name: notifier_of(one, secret=secret, clock=self.clock) for one in self.notify_targets
        }
        return Outbox(self.deliveries, {**notifiers, **(others or {})}, self.clock, self.mask)

    @cached_property
    def alert_teller(self) -> "AlertTeller":
        """Puts alerts into words for those outside."""
        from retention.alert_teller import AlertTeller

        return AlertTeller(
            self.facts,
            self.operations_within,
            alias=self.aliases.of,
            topic_names={language: self.taxonomy.titles(language) for language in ("zh", "en")},
            zone=self.settings.zone,
            policy=self.policy_book.live,
        )

    @property
    def task_teller(self) -> "TaskTeller":
        """Puts overdue tasks into words for those outside."""
        from retention.task_teller import TaskTeller

        return TaskTeller(self.operations_within, self.aliases.of, self.clock, self.settings.zone)

    def operations_within(self, scope: Scope) -> "OperationStore":
        """What a scope lets see of the operations."""
        if not scope:
            return self.operations
        from store.scoped_operations import ScopedOperations

        return ScopedOperations(self.operations, self.facts, self.facts.scoped(scope))
