"""What the retention loop keeps of a customer about to leave: the alert, the verdicts on it, who was told."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from store.record import Record
from store.records import Tier

VerdictKind = Literal["accurate", "false_alarm"]
AlertStatus = Literal["open", "closed"]
# Why an alert ended: its task was done, was not wanted, or the alert was wrong.
Ending = Literal["resolved", "declined", "false_alarm"]
# `ruled`: a rule of the company's own, which tells somebody, joined an alert that stood already.
NoticeKind = Literal["opened", "raised", "ruled"]
TaskNoticeKind = Literal["overdue", "woken"]


class AlertPart(Record):
    """One addend of an alert's score, 0 to 100.

    `signal` names the part of health it is (`wording.yaml: reasons`), `detail` the signal of the policy or
    the questionnaire. `weight` is the most that the policy lets it count, `points` what it adds now; points
    below zero speak for the customer. `figures` are those its sentence tells.
    """

    signal: str
    detail: str = ""
    weight: FiniteFloat
    points: FiniteFloat
    at: AwareDatetime | None = None
    evidence: tuple[str, ...] = ()
    figures: dict[str, FiniteFloat] = Field(default_factory=dict)


class Alert(Record):
    """One issue of one customer that somebody should act on, however many items say it.

    `score` (100 - health) is the sum of the points of `parts`. `causes` call for the tier, gravest first
    (`wording.yaml: signals`); `topics` are what the customer was negative about, most often first. `summary`
    tells the likely cause by language. `evidence` holds ids of feedback and behaviour events. `raised_at` is
    when the tier it has was reached: the deadline runs from there. `verdict` is the latest one.
    """

    alert_id: str
    customer_id: str
    tier: Tier
    status: AlertStatus = "open"
    score: Annotated[float, Field(ge=0, le=100)]
    parts: tuple[AlertPart, ...]
    causes: tuple[str, ...]
    topics: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    summary: dict[str, str]
    owner_role: str
    due_at: AwareDatetime
    created_at: AwareDatetime
    raised_at: AwareDatetime
    updated_at: AwareDatetime
    evidence_until: AwareDatetime
    closed_at: AwareDatetime | None = None
    closed_because: Ending | None = None
    verdict: VerdictKind | None = None
    policy_version: int


class Verdict(Record):
    """What a person says of an alert; a later one supersedes it and both are kept.

    `tier`, `causes` and `parts` are those the alert had when it was judged.
    """

    number: int
    alert_id: str
    verdict: VerdictKind
    reason: str = ""
    by: str
    at: AwareDatetime
    tier: Tier
    causes: tuple[str, ...]
    parts: tuple[AlertPart, ...] = ()


class Notice(Record):
    """Something about an alert or a task that observers are told once each.

    `notice_id` is the same at a repetition. A task may have no alert (`alert_id` is empty); `role` is who is
    told that it is overdue.
    """

    notice_id: str
    alert_id: str
    kind: NoticeKind | TaskNoticeKind
    tier: Tier
    at: AwareDatetime
    task_id: str = ""
    role: str = ""
