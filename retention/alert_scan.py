"""The scan for alerts: SQL picks the customers of whom something new is known, the rules judge them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np

from retention.alert_messages import automatic_message
from retention.alert_tasks import task_of
from retention.alerts import Finding, Situation, find_alert
from retention.policy import Policy
from retention.portfolio import assess_customers, moment_of
from retention.risk import Risk
from retention.rules import RuleHits, rule_hits
from retention.wording import Language
from store.alert_operations import AlertChange, CustomerFile, Decide
from store.clock import Clock
from store.customer_features import CustomerQuestion, CustomerTable, Deed, Trait
from store.facts import FactStore, Find, Horizon
from store.operations import OperationStore
from store.records import Customer, LabelledFeedback, Sentiment, TaskStatus, Tier

ACTOR = "scan"
# So many customers are assessed at a time, and so many files revised under one write lock.
_ASSESSED = 1000
_REVISED = 200
_WORDS = 6
_TOPICS = 3
_LEAST_SCORES = 3


@dataclass(frozen=True)
class ScanReport:
    """What a scan did. `customers` were known, `assessed` looked at, the others unchanged since the last one.

    `at` is the moment they were judged at. Counts of alerts `opened`, `raised` and `joined` by new evidence;
    of `tasks` and `messages` made.
    """

    at: datetime
    customers: int
    assessed: int
    opened: int
    raised: int
    joined: int
    tasks: int
    messages: int
    by_tier: Mapping[str, int]
    elapsed_ms: int


@dataclass(frozen=True)
class AlertScan:
    """Scans the facts of one store into the alerts of another; safe in several processes at once.

    `policies` gives the policy that decides now; a change of its version has everybody looked at again.
    Each scan sees the facts as they were stored when it began and leaves a record of that, so that it can be
    done again. `only`: the customers it may look at.
    """

    facts: FactStore
    operations: OperationStore
    clock: Clock
    zone: ZoneInfo
    topic_names: Mapping[str, Mapping[str, str]]
    policies: Callable[[], Policy]
    language: Language = "zh"
    only: frozenset[str] | None = None

    def run(self, *, actor: str = ACTOR) -> ScanReport:
        """Scan once. NotPermitted within a scope: an alert rests on all that is known."""
        known = self.facts.as_of(Horizon(self.facts.mark()))
        return replace(self, facts=known)._scan(actor, perf_counter())

    def digests(self) -> dict[str, str]:
        """What is known of each customer, as a few letters that change with it and with the policy."""
        policy = self.policies()
        table = self.facts.customer_features(_question(self.facts, policy))
        return dict(zip(table.ids, _digests(table, policy.version), strict=True))

    def _scan(self, actor: str, started: float) -> ScanReport:
        policy, now = self.policies(), self.clock.now()
        scan = self.operations.begin_scan(
            at=now, mark=self.facts.mark(), policy_version=policy.version, actor=actor
        )
        at = moment_of(self.facts.last_at(), now)
        hits = rule_hits(self.facts, policy, at)
        digests, due = self._candidates(policy, at, now, hits)
        changes: list[AlertChange] = []
        for ids in _parts(due, _ASSESSED):
            changes += self._assess(ids, policy, at, now, actor, hits)
            self.operations.mark_assessed({one: digests[one] for one in ids}, now, scan=scan)
        self.operations.end_scan(scan)
        return _report(changes, at, len(digests), len(due), started)

    def _candidates(
        self, policy: Policy, at: datetime, now: datetime, hits: RuleHits
    ) -> tuple[dict[str, str], list[str]]:
        """A digest of what is known of each customer, and those it is time to look at."""
        table = self.facts.customer_features(_question(self.facts, policy))
        oldest = (at - timedelta(days=policy.health.history_days)).timestamp()
        worth = (table.last >= oldest) & _anything(table)
        digests = dict(zip(table.ids, _digests(table, policy.version), strict=True))
        before = self.operations.assessed()
        stale = now - timedelta(hours=policy.alerts.reassess_hours)
        due = [
            one
            for one, wanted in zip(table.ids, worth, strict=True)
            if (wanted or one in hits)
            and (self.only is None or one in self.only)
            and ((last := before.get(one)) is None or last.digest != digests[one] or last.at <= stale)
        ]
        return digests, sorted(due)

    def _assess(
        self, ids: Sequence[str], policy: Policy, at: datetime, now: datetime, actor: str, hits: RuleHits
    ) -> Iterator[AlertChange]:
        portfolio = assess_customers(self.facts, at, customer_ids=ids, policy=policy, hits=hits).staying()
        risks = {risk.customer_id: risk for risk in portfolio.risks if risk.triggers}
        files = self.operations.customer_files(list(risks))
        bare = {
            one: Situation(risk, portfolio.policies.of(one), now, self.zone) for one, risk in risks.items()
        }
        found = [one for one, situation in bare.items() if find_alert(situation, files[one])]
        words = self._words([risks[one] for one in found])
        profiles = {one.customer_id: one for one in self.facts.customers(found)} if found else {}
        for part in _parts(found, _REVISED):
            situations = {one: self._situation(bare[one], words) for one in part}
            spoken = {one: _language(risks[one], words, self.language) for one in part}
            decide = self._decision(situations, profiles, spoken, actor)
            yield from self.operations.revise_alerts(part, decide, actor=actor)

    def _decision(
        self,
        situations: Mapping[str, Situation],
        profiles: Mapping[str, Customer],
        spoken: Mapping[str, Language],
        actor: str,
    ) -> Decide:
        """Decide again over the files as they are under the lock: somebody else may have scanned since."""

        def decide(files: Mapping[str, CustomerFile]) -> list[AlertChange]:
            return [
                self._change(finding, files[one], situation, profiles.get(one), spoken[one], actor)
                for one, situation in situations.items()
                if (finding := find_alert(situation, files[one]))
            ]

        return decide

    def _change(
        self,
        finding: Finding,
        file: CustomerFile,
        situation: Situation,
        customer: Customer | None,
        spoken: Language,
        actor: str,
    ) -> AlertChange:
        policy, now, alert = situation.policy, situation.now, finding.alert
        task = task_of(
            alert, file.tasks, customer, policy=policy, language=self.language, now=now, actor=actor
        )
        message = automatic_message(alert, task, policy=policy, language=spoken, now=now, actor=actor)
        return AlertChange(alert, finding.notice, task, message if finding.notice == "opened" else None)

    def _words(self, risks: Sequence[Risk]) -> dict[str, LabelledFeedback]:
        """The items that these risks rest on most, by id."""
        wanted = tuple(dict.fromkeys(one for risk in risks for one in risk.evidence[:_WORDS]))
        if not wanted:
            return {}
        found = self.facts.find(Find(feedback_ids=wanted, limit=len(wanted)))
        return {item.feedback.feedback_id: item for item in found}

    def _situation(self, bare: Situation, words: Mapping[str, LabelledFeedback]) -> Situation:
        upset = [item for item in _items(bare.risk, words) if _is_upset(item)]
        counted = Counter(
            topic.topic
            for item in upset
            if item.labels
            for topic in item.labels.topics
            if topic.polarity in (None, Sentiment.NEGATIVE)
        )
        topics = tuple(sorted(counted, key=lambda topic: (-counted[topic], topic))[:_TOPICS])
        quote = next((item.feedback.text for item in upset if item.feedback.text), "")
        return Situation(
            bare.risk, bare.policy, bare.now, bare.zone, quote, topics, topic_names=self.topic_names
        )


def _question(facts: FactStore, policy: Policy) -> CustomerQuestion:
    """All that the rules look at, over all time: figures of a moving window would change without news."""
    signals = sorted(policy.signals)
    kinds = tuple(sorted({kind for kind, _, _ in facts.event_texts()}))
    return CustomerQuestion(
        traits=(
            Trait("score", "score"),
            Trait("negative", "negative_share"),
            *(Trait(f"signal:{name}", f"share:risk={name}", sums="total") for name in signals),
            *(Trait(name, f"share:topic={name}", sums="total") for name in policy.triggers.usability_topics),
        ),
        deeds=(Deed("deeds", kinds),) if kinds else (),
        scores=policy.scores,
    )


def _anything(table: CustomerTable) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether any rule could find anything: something negative, a signal, a deed, or scores that may fall."""
    found = (table.total["negative"] > 0) | (table.n["score"] >= _LEAST_SCORES)
    for name, total in table.total.items():
        if name.startswith("signal:") or name == "deeds":
            found = found | (total > 0) | (table.n[name] > 0)
    return np.asarray(found, dtype=np.bool_)


def _digests(table: CustomerTable, version: int) -> list[str]:
    """What is known of each customer, and by which policy it was judged, as a few letters."""
    columns = [table.items, table.last, *table.total.values(), *table.n.values()]
    rows = np.ascontiguousarray(np.column_stack(columns).astype("<f8"))
    key = str(version).encode()
    return [hashlib.blake2b(row.tobytes(), digest_size=8, key=key).hexdigest() for row in rows]


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), size):
        yield ids[first : first + size]


def _items(risk: Risk, words: Mapping[str, LabelledFeedback]) -> list[LabelledFeedback]:
    return [words[one] for one in risk.evidence[:_WORDS] if one in words]


def _is_upset(item: LabelledFeedback) -> bool:
    labels = item.labels
    return labels is not None and (labels.sentiment is Sentiment.NEGATIVE or bool(labels.risk_signals))


def _language(risk: Risk, words: Mapping[str, LabelledFeedback], usual: Language) -> Language:
    """The language the customer writes in; the usual one where none is known."""
    spoken = Counter(item.feedback.language[:2] for item in _items(risk, words) if item.feedback.text)
    if spoken["zh"] == spoken["en"]:
        return usual
    return "zh" if spoken["zh"] > spoken["en"] else "en"


def _report(
    changes: Sequence[AlertChange], at: datetime, customers: int, assessed: int, started: float
) -> ScanReport:
    new = [change for change in changes if change.notice == "opened"]
    tasks = [change.task for change in new if change.task is not None]
    return ScanReport(
        at=at,
        customers=customers,
        assessed=assessed,
        opened=len(new),
        raised=sum(change.notice == "raised" for change in changes),
        joined=sum(change.notice is None for change in changes),
        tasks=sum(task.version == 1 and task.status is not TaskStatus.DONE for task in tasks),
        messages=sum(change.message is not None for change in changes),
        by_tier={tier.value: sum(change.alert.tier is tier for change in new) for tier in Tier},
        elapsed_ms=round((perf_counter() - started) * 1000),
    )
