"""Tells new and raised alerts to whoever is to know, by the outbox."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Final

from retention.alert_notices import AlertNews, Observer
from retention.alert_telling import Telling, telling
from retention.notifier import Notification
from retention.notify_targets import Target, chosen
from retention.outbox import Outbox
from retention.policy import Policy
from retention.rules import told_by_rules
from retention.wording import Language
from store.alerts import Alert, NoticeKind
from store.facts import FactStore, Find
from store.operations import OperationStore
from store.records import Task
from store.units import Scope

_QUOTES: Final = 3


class AlertTeller:
    """Puts alerts into words, and keeps them for every target that wants them."""

    def __init__(
        self,
        facts: FactStore,
        operations_within: Callable[[Scope], OperationStore],
        *,
        alias: Callable[[str], str],
        topic_names: Mapping[str, Mapping[str, str]],
        zone: tzinfo,
        policy: Callable[[], Policy],
    ) -> None:
        """`operations_within`: the operations that a scope lets see; `topic_names` by language and path.

        `policy` gives the one that decides now: the company's own rules name whom they tell.
        """
        self._policy = policy
        self._facts = facts
        self._operations_within = operations_within
        self._alias = alias
        self._topic_names = topic_names
        self._zone = zone

    def words(self, alert: Alert, kind: NoticeKind, task: Task | None, language: Language) -> Telling:
        """An alert in words."""
        return telling(
            alert,
            kind,
            language,
            task=task,
            alias=self._alias(alert.customer_id),
            quotes=self._quotes(alert),
            zone=self._zone,
            topic_names=self._topic_names.get(language, {}),
        )

    def observer(self, targets: Sequence[Target], outbox: Outbox) -> Observer:
        """What is told of alerts, to keep them for these targets."""

        def observe(news: AlertNews) -> None:
            alert, kind = news.alert, news.kind
            told = []
            named = told_by_rules(self._policy(), alert.causes)
            usual = [] if kind == "ruled" else chosen(targets, alert.tier, alert.owner_role)
            for target in (one for one in targets if one in usual or one.name in named):
                if target.scope and self._operations_within(target.scope).alert(alert.alert_id) is None:
                    continue
                parts = [self.words(alert, kind, news.task, language) for language in target.languages]
                notification = Notification(
                    notification_id=news.notice.notice_id,
                    topic="alert",
                    subject=alert.alert_id,
                    tier=alert.tier,
                    title=" / ".join(part.title for part in parts),
                    text="\n\n".join(part.text() for part in parts),
                )
                told.append((target.name, notification))
            if told:
                outbox.keep(told)

        return observe

    def _quotes(self, alert: Alert) -> list[str]:
        """What the customer said, in the order of the evidence; stored texts are masked."""
        wanted = alert.evidence[:_QUOTES]
        if not wanted:
            return []
        found = {
            item.feedback.feedback_id: item.feedback.text
            for item in self._facts.find(Find(feedback_ids=wanted, limit=len(wanted)))
        }
        return [found[one] for one in wanted if found.get(one)]
