"""Asks customers after key occasions: found in the facts, drawn by lot, spared where they are tired of it."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from retention.contact_wishes import opted_out_by_profile
from retention.policy import Policy
from retention.policy_surveys import SurveyNode, SurveyRules
from retention.portfolio import gone
from retention.survey_texts import survey_text, survey_title
from retention.wording import Language
from store.clock import Clock
from store.contacts import EVERY_CHANNEL, ContactStore
from store.facts import FactStore, Find, Selection, Window
from store.messages import Message, MessageStatus
from store.operations import OperationStore
from store.records import Customer, Feedback
from store.surveys import Survey, SurveyBoard, SurveyDraft, SurveyStore

ACTOR: Final = "surveys"
_OTHER: Final[Mapping[Language, Language]] = {"zh": "en", "en": "zh"}
_PAGE: Final = 1000
_YEAR: Final = timedelta(days=365)
# What an answer shares with the occasion it is about.
_SHARED: Final = ("region", "city", "product", "version", "org_unit", "customer_type", "tier")


@dataclass(frozen=True)
class Occasion:
    """Something after which a customer may be asked. `key` is the same however often it is found."""

    customer_id: str
    key: str
    ref: str
    at: datetime
    about: Mapping[str, str]
    language: str = ""


@dataclass(frozen=True)
class AskReport:
    """How many occasions were due, how many were asked about, and why the others were not."""

    occasions: int = 0
    asked: int = 0
    not_drawn: int = 0
    tired: int = 0
    unwanted: int = 0
    in_care: int = 0
    most_a_day: int = 0


@dataclass(frozen=True)
class SurveyAsking:
    """Asks over one store; safe to repeat and in several processes at once. `address` holds {survey_id}."""

    facts: FactStore
    operations: OperationStore
    contacts: ContactStore
    surveys: SurveyStore
    policies: Callable[[], Policy]
    clock: Clock
    zone: ZoneInfo
    language: Language
    address: str | None = None

    def run(self) -> AskReport:
        """Look once for occasions that are due, and ask about those that the policy allows."""
        policy, now = self.policies(), self.clock.now()
        if not policy.surveys.active:
            return AskReport()
        report = AskReport()
        for node in policy.surveys.nodes:
            due = list(self._due(node, policy.surveys, now))
            kept, counted = self._wanted(due, node, policy, now)
            asked, tired, beyond = self._ask(kept, node, policy.surveys, now)
            report = replace(
                report,
                occasions=report.occasions + len(due),
                asked=report.asked + asked,
                tired=report.tired + tired,
                most_a_day=report.most_a_day + beyond,
                **{name: getattr(report, name) + n for name, n in counted.items()},
            )
        return report

    def _due(self, node: SurveyNode, rules: SurveyRules, now: datetime) -> Iterator[Occasion]:
        """Occasions so long ago as the node waits, and not longer than a survey is valid."""
        until = now - timedelta(hours=node.wait_hours)
        since = until - timedelta(hours=rules.valid_hours)
        # Up to now: a conversation that goes on is not over.
        for one in self._occasions(node, Window(since, now + timedelta(microseconds=1))):
            if since <= one.at <= until:
                yield one

    def _occasions(self, node: SurveyNode, window: Window) -> list[Occasion]:
        if node.after.said is not None:
            return self._said(node.after.said, window)
        if node.after.did is not None:
            events = self.facts.events(None, window)
            return [
                Occasion(one.customer_id, one.event_id, one.event_id, one.occurred_at, {})
                for one in events
                if one.kind in node.after.did
            ]
        assert window.start is not None and window.end is not None and node.after.outcome is not None
        return [
            Occasion(one.customer_id, key, key, one.occurred_at, {})
            for one in self.facts.outcomes()
            if one.outcome in node.after.outcome and window.start <= one.occurred_at < window.end
            for key in [f"{one.outcome}-{one.occurred_at:%Y%m%dT%H%M%S}"]
        ]

    def _said(self, filters: Mapping[str, tuple[str, ...]], window: Window) -> list[Occasion]:
        """What was said, a conversation once, by its last turn."""
        found: dict[str, Occasion] = {}
        for said in self._items(Selection(window, dict(filters))):
            if said.customer_id is None or said.occurred_at is None:
                continue
            about = {name: str(value) for name in _SHARED if (value := getattr(said, name)) is not None}
            key = said.conversation_id or said.feedback_id
            found[f"{said.customer_id}\x1f{key}"] = Occasion(
                said.customer_id, key, said.feedback_id, said.occurred_at, about, said.language[:2]
            )
        return list(found.values())

    def _items(self, selection: Selection) -> Iterator[Feedback]:
        offset = 0
        while page := self.facts.find(Find(selection, order="oldest", limit=_PAGE, offset=offset)):
            yield from (item.feedback for item in page)
            offset += len(page)
            if len(page) < _PAGE:
                return

    def _wanted(
        self, due: Sequence[Occasion], node: SurveyNode, policy: Policy, now: datetime
    ) -> tuple[list[SurveyDraft], Counter[str]]:
        """Those drawn, of customers who may be asked; and how many were left out, by why."""
        counted: Counter[str] = Counter()
        ids = sorted({one.customer_id for one in due})
        if not ids:
            return [], counted
        profiles = {one.customer_id: one for one in self.facts.customers(ids)}
        silent = self._unwanted(ids, profiles, policy) | gone(self.facts.outcomes(ids), now)
        in_care = {
            alert.customer_id
            for alert in self.operations.alerts(status="open")
            if alert.tier in policy.surveys.skip_tiers
        }
        kept = []
        for one in due:
            survey_id = _survey_id(node, one)
            if _lot(survey_id) >= node.share:
                counted["not_drawn"] += 1
            elif one.customer_id in silent:
                counted["unwanted"] += 1
            elif one.customer_id in in_care:
                counted["in_care"] += 1
            else:
                kept.append(self._draft(survey_id, one, node, profiles.get(one.customer_id), policy, now))
        return kept, counted

    def _unwanted(
        self, ids: Sequence[str], profiles: Mapping[str, Customer], policy: Policy
    ) -> frozenset[str]:
        """Who wants nothing by any of the policy's channels."""
        wishes: dict[str, set[str]] = {one: set() for one in ids}
        for wish in self.contacts.opt_outs():
            if wish.customer_id in wishes:
                wishes[wish.customer_id].add(wish.channel)
        for one in ids:
            wishes[one] |= opted_out_by_profile(profiles.get(one), policy.messages)
        channels = set(policy.messages.channels)
        return frozenset(one for one, no in wishes.items() if EVERY_CHANNEL in no or channels <= no)

    def _draft(
        self,
        survey_id: str,
        one: Occasion,
        node: SurveyNode,
        profile: Customer | None,
        policy: Policy,
        now: datetime,
    ) -> SurveyDraft:
        spoken: Language = "zh" if one.language == "zh" else "en" if one.language == "en" else self.language
        day = one.at.astimezone(self.zone).date()
        address = self.address.replace("{survey_id}", survey_id) if self.address else None
        texts = {each: survey_text(node, day, address, each) for each in _OTHER}
        of_profile = {} if profile is None else profile.model_dump(include=set(_SHARED), exclude_none=True)
        survey = Survey(
            survey_id=survey_id,
            node=node.name,
            kind=node.kind,
            customer_id=one.customer_id,
            occasion=one.ref,
            occasion_at=one.at,
            about={**of_profile, **one.about},
            asked_at=now,
        )
        message = Message(
            message_id=survey_id,
            kind="survey",
            customer_id=one.customer_id,
            playbook=node.name,
            language=spoken,
            title=survey_title(node, spoken),
            text=texts[spoken],
            translation=texts[_OTHER[spoken]],
            status=MessageStatus.PREPARED,
            created_at=now,
            created_by=ACTOR,
            prepared_at=now,
            expires_at=one.at + timedelta(hours=node.wait_hours + policy.surveys.valid_hours),
        )
        return SurveyDraft(survey, message)

    def _ask(
        self, drafts: Sequence[SurveyDraft], node: SurveyNode, rules: SurveyRules, now: datetime
    ) -> tuple[int, int, int]:
        """How many were asked, were spared, and were too many for one day."""
        left_out: Counter[str] = Counter()

        def choose(board: SurveyBoard) -> list[SurveyDraft]:
            chosen = chosen_drafts(drafts, board, rules, now)
            left_out.update(chosen.left_out)
            return list(chosen.drafts)

        asked = self.surveys.ask(drafts, choose, now=now, actor=ACTOR)
        return len(asked), left_out["tired"], left_out["most_a_day"]


@dataclass(frozen=True)
class Chosen:
    """Whom to ask, and how many were left out, by why."""

    drafts: Sequence[SurveyDraft]
    left_out: Mapping[str, int]


def chosen_drafts(
    drafts: Sequence[SurveyDraft], board: SurveyBoard, rules: SurveyRules, now: datetime
) -> Chosen:
    """Who of the customers may be asked, by what they were asked before; the oldest occasion first."""
    chosen: list[SurveyDraft] = []
    left_out: Counter[str] = Counter()
    asked = {one: [survey.asked_at for survey in before] for one, before in board.asked.items()}
    room = rules.most_a_day - board.last_day
    for draft in sorted(drafts, key=lambda one: (one.survey.occasion_at, one.survey.survey_id)):
        if draft.survey.survey_id in board.known:
            continue
        before = asked.setdefault(draft.survey.customer_id, [])
        recent = [at for at in before if at > now - timedelta(days=rules.fatigue.days)]
        year = [at for at in before if at > now - _YEAR]
        if recent or len(year) >= rules.fatigue.most_a_year:
            left_out["tired"] += 1
        elif room <= 0:
            left_out["most_a_day"] += 1
        else:
            room -= 1
            before.append(now)
            chosen.append(draft)
    return Chosen(chosen, left_out)


def _survey_id(node: SurveyNode, one: Occasion) -> str:
    key = "\x1f".join((node.name, one.customer_id, one.key)).encode("utf-8", "surrogatepass")
    return "survey-" + hashlib.blake2b(key, digest_size=8).hexdigest()


def _lot(survey_id: str) -> float:
    """The same draw each time the occasion is found, 0 to 1."""
    drawn = hashlib.blake2b(f"lot\x1f{survey_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") / 2**64
