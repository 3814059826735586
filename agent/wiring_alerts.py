"""The scan for alerts over one data folder, and who is told of them."""

from functools import cached_property
from typing import TYPE_CHECKING

from agent.wiring_contacts import Contacting

if TYPE_CHECKING:
    from agent.policy_desk import PolicyDesk
    from retention.alert_notices import AlertNotices
    from retention.alert_scan import AlertScan, ScanReport
    from retention.lessons import PolicyLesson
    from retention.policy_check import Surroundings
    from retention.pool_scan import PoolScan
    from retention.task_tending import TaskTending, TendReport


class Alerting(Contacting):
    """What goes out to people, and what is found to tell them."""

    @cached_property
    def alert_notices(self) -> "AlertNotices":
        """Tells observers of new and raised alerts, each once: `app.alert_notices.on_alert(name, act)`."""
        from retention.alert_notices import AlertNotices

        return AlertNotices(self.operations)

    @property
    def alert_scan(self) -> "AlertScan":
        """Finds customers to act for in the facts as they are now."""
        from retention.alert_scan import AlertScan

        return AlertScan(
            facts=self.facts,
            operations=self.operations,
            clock=self.clock,
            zone=self.settings.zone,
            topic_names={language: self.taxonomy.titles(language) for language in ("zh", "en")},
            policies=self.policy_book.live,
            language=self.settings.language,
        )

    def scan_alerts(self, actor: str) -> "ScanReport":
        """Scan once and tell the observers."""
        self.policy_book.settle()
        report = self.alert_scan.run(actor=actor)
        self.tend_tasks()
        self.pool_scan.run()
        return report

    @property
    def pool_scan(self) -> "PoolScan":
        """Keeps the high-risk pool as facts and alerts have it."""
        from retention.pool_scan import PoolScan

        return PoolScan(
            self.facts, self.operations, self.policy_book.live, self.clock, self.settings.language
        )

    @property
    def task_tending(self) -> "TaskTending":
        """Gives tasks to owners with room, ends snoozes, escalates what is overdue."""
        from retention.task_tending import TaskTending

        return TaskTending(
            self.operations, self.policy_book.live, self.clock, self.settings.zone, self.settings.language
        )

    def tend_tasks(self) -> "TendReport":
        """Tend all tasks once and tell the observers."""
        report = self.task_tending.run()
        self.alert_notices.dispatch()
        return report

    @property
    def policy_desk(self) -> "PolicyDesk":
        """Where people read and change the policy."""
        from agent.policy_desk import PolicyDesk

        return PolicyDesk(
            self.policy_book, self.clock, self.settings.zone, self._around_policy, self.taxonomy.titles
        )

    def _around_policy(self) -> "Surroundings":
        from retention.policy_check import Surroundings
        from retention.segments import PROFILE

        # Slack rooms are targets too, and named where Slack is set up.
        slack = self.settings.slack_bot_token is not None
        return Surroundings(
            topics=frozenset(self.taxonomy.entries),
            targets=None if slack else frozenset(target.name for target in self.notify_targets),
            columns=frozenset(self.facts.catalogue().dimensions).union(PROFILE),
        )

    def policy_lesson(self) -> "PolicyLesson":
        """What the verdicts there are teach of the policy; nothing is changed."""
        from retention.lessons import lesson_now

        return lesson_now(self.operations, self.policy_book)
