"""The records everything speaks of. Times are timezone-aware UTC; all records are frozen."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from store.plan_parts import Grade, Measure, PlanDesign, PlanReview, PlanWords
from store.record import Record
from store.theme_events import Lineage, ThemeWording


class Channel(StrEnum):
    """Where a piece of feedback came in."""

    SURVEY = "survey"
    REVIEW = "review"
    TICKET = "ticket"
    CHAT = "chat"
    CALL = "call"
    EMAIL = "email"
    SOCIAL = "social"
    APP = "app"
    OFFLINE = "offline"
    OTHER = "other"


class Sentiment(StrEnum):
    """Three-way polarity."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Emotion(StrEnum):
    """Finer than polarity; kept as a field of its own."""

    ANGRY = "angry"
    DISAPPOINTED = "disappointed"
    ANXIOUS = "anxious"
    PUZZLED = "puzzled"
    NEUTRAL = "neutral"
    SATISFIED = "satisfied"
    DELIGHTED = "delighted"


class Intent(StrEnum):
    """What the customer wants by saying it."""

    COMPLAINT = "complaint"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"
    PRAISE = "praise"
    CHURN = "churn"
    OTHER = "other"


class Priority(StrEnum):
    """How soon somebody must look."""

    URGENT = "urgent"
    IMPORTANT = "important"
    NORMAL = "normal"


class Feedback(Record):
    """One thing one customer said or scored (or one turn of a conversation).

    `text` is always masked; it may be empty where at least one score is given.
    Scores: `nps` 0-10, `csat` 1-5, `ces` 1-7, `rating` 1-5; any other number lives in `metrics` by name.
    `attributes` holds every other column and is usable as a dimension by its name.
    """

    feedback_id: Annotated[str, Field(min_length=1, max_length=128)]
    source: Annotated[str, Field(min_length=1, max_length=200)]
    channel: Channel = Channel.OTHER
    occurred_at: AwareDatetime | None = None
    customer_id: str | None = None
    conversation_id: str | None = None
    turn: Annotated[int, Field(ge=0)] | None = None
    speaker: Literal["customer", "agent"] | None = None
    text: str = ""
    language: str = "und"
    nps: Annotated[float, Field(ge=0, le=10)] | None = None
    csat: Annotated[float, Field(ge=1, le=5)] | None = None
    ces: Annotated[float, Field(ge=1, le=7)] | None = None
    rating: Annotated[float, Field(ge=1, le=5)] | None = None
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    region: str | None = None
    city: str | None = None
    product: str | None = None
    version: str | None = None
    org_unit: str | None = None
    customer_type: Literal["new", "existing"] | None = None
    tier: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    media: str | None = None


class TopicLabel(Record):
    """A taxonomy path such as `service/response_speed`, what was felt about it and how sure we are."""

    topic: str
    polarity: Sentiment | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0


class Labels(Record):
    """What the classifier says of one text. A function of text + labeller, hence reproducible.

    `implied_sentiment` is what is meant where it differs from what the words say (irony, hidden praise).
    `abstained`: the sentiment is too uncertain to be acted on; a stronger labeller or a person decides.
    """

    sentiment: Sentiment
    sentiment_confidence: Annotated[float, Field(ge=0, le=1)]
    implied_sentiment: Sentiment | None = None
    abstained: bool = False
    emotion: Emotion = Emotion.NEUTRAL
    topics: tuple[TopicLabel, ...] = ()
    intent: Intent = Intent.OTHER
    priority: Priority = Priority.NORMAL
    risk_signals: tuple[str, ...] = ()
    competitors: tuple[str, ...] = ()
    compliance_flags: tuple[str, ...] = ()
    labeller: str


class ConversationEffort(Record):
    """How hard a customer had to work: `score` 1 (none) to 7 (very hard), and what it is made of.

    `repeats` are customer turns that ask again what was asked; `transfers` hand-overs; `given_again` times
    a detail was asked for or given once more; `waits` spans longer than the channel's patience.
    """

    score: Annotated[float, Field(ge=1, le=7)]
    customer_turns: int
    repeats: int = 0
    transfers: int = 0
    given_again: int = 0
    waits: int = 0
    longest_wait_s: float | None = None


class ConversationPace(Record):
    """What times tell, in seconds: None or empty where the turns carry none.

    `interruptions` and `interrupted` are indices of customer turns that began before the agent's had ended,
    and of agent turns that began before the customer's had. `hurried` are customer turns spoken much faster
    than the customer's own median. `impatient` says that interruptions and haste together are more than one.
    """

    first_response_s: float | None = None
    median_response_s: float | None = None
    longest_gap_s: float | None = None
    interruptions: tuple[int, ...] = ()
    interrupted: tuple[int, ...] = ()
    hurried: tuple[int, ...] = ()
    characters_per_s: float | None = None
    impatient: bool = False


class ConversationLabels(Record):
    """What a whole conversation says. A function of its turns and their labels; indices count all turns.

    `curve` has a level per turn, -2 (furious) to 2 (delighted), None for the agent's turns. `break_turn` is
    where negative emotion breaks out, `recovered` whether it was over at the end. `resolution_turn` is the
    turn by which the resolution was decided, `resolution_reason` the rule.
    """

    conversation_id: str
    turns: int
    curve: tuple[float | None, ...] = ()
    break_turn: int | None = None
    break_feedback_id: str | None = None
    lowest_turn: int | None = None
    lowest_level: float | None = None
    end_level: float | None = None
    end_mood: Sentiment | None = None
    recovered: bool = False
    resolution: Literal["resolved", "unresolved", "unclear"] = "unclear"
    resolution_turn: int | None = None
    resolution_feedback_id: str | None = None
    resolution_reason: str = ""
    effort: ConversationEffort
    pace: ConversationPace = ConversationPace()
    labeller: str


class LabelledFeedback(Record):
    """A feedback item as it is stored: the item, its labels (none where there is no text), its text key.

    `text_key` is the content hash under which the text is embedded once; None where the text is empty.
    `near_duplicate_of` names the group of near-identical texts (marked, never dropped from counts).
    `theme_id` is filled when read back.
    """

    feedback: Feedback
    labels: Labels | None = None
    text_key: str | None = None
    near_duplicate_of: str | None = None
    batch_id: str | None = None
    theme_id: str | None = None


class Customer(Record):
    """What is known of a customer besides what they say."""

    customer_id: Annotated[str, Field(min_length=1)]
    name: str | None = None
    customer_type: Literal["new", "existing"] | None = None
    tier: str | None = None
    region: str | None = None
    city: str | None = None
    org_unit: str | None = None
    owner: str | None = None
    lifetime_value: float | None = None
    since: date | None = None
    renewal_on: date | None = None
    attributes: dict[str, str] = Field(default_factory=dict)


class BehaviourEvent(Record):
    """Something a customer did: a page view, a search, a use."""

    event_id: Annotated[str, Field(min_length=1)]
    customer_id: Annotated[str, Field(min_length=1)]
    occurred_at: AwareDatetime
    kind: Annotated[str, Field(min_length=1)]
    detail: str = ""
    value: float | None = None


class Outcome(Record):
    """What became of a customer: the truth that churn risk is judged by."""

    customer_id: Annotated[str, Field(min_length=1)]
    occurred_at: AwareDatetime
    outcome: Literal["renewed", "churned", "repurchased", "refunded"]
    value: float | None = None


class IndustryRate(Record):
    """How often a problem occurs in the whole industry; decides own or common."""

    theme: Annotated[str, Field(min_length=1)]
    rate: Annotated[float, Field(ge=0, le=1)]
    n: Annotated[int, Field(gt=0)] | None = None
    source: str = ""


class Theme(Record):
    """A problem: a cluster of feedback with a stable id, within a problem area, said in several wordings.

    `keywords` and `label` are in the language of the theme, `named_by` the model that chose the label (None:
    the words themselves); `centroid` is the unit vector it is found by (empty when read without vectors).
    A theme whose last event is `faded` holds no texts any more and is kept for its history.
    """

    theme_id: str
    label: str
    keywords: tuple[str, ...] = ()
    language: str = "zh"
    exemplars: tuple[str, ...] = ()
    centroid: tuple[float, ...] = ()
    born_at: AwareDatetime | None = None
    parent_id: str | None = None
    lineage: Lineage = ()
    area_id: str | None = None
    area: str | None = None
    wordings: tuple[ThemeWording, ...] = ()
    named_by: str | None = None

    @property
    def faded(self) -> bool:
        """Whether nobody raises it any more."""
        return bool(self.lineage) and self.lineage[-1].kind == "faded"


class Tier(StrEnum):
    """How grave an alert is; `callback` is the front-line manager's 24-hour call."""

    YELLOW = "yellow"
    CALLBACK = "callback"
    ORANGE = "orange"
    RED = "red"


class TaskStatus(StrEnum):
    """Where a task stands. Nothing is sent or done before `open`."""

    PENDING_APPROVAL = "pending_approval"
    OPEN = "open"
    DONE = "done"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Task(Record):
    """Work for a named owner, with a deadline. `task_id` is derived from what it is for (idempotent).

    `scope`: the org units it was drawn up from; empty is everything. `version` counts its changes, so that
    nobody overwrites what somebody else has just changed. Until `snoozed_until` it asks for nothing.
    `placed_at`: since when it is its owner's to do; until then it waits for somebody to have room.
    `escalated_to`: roles that were told it is overdue.
    """

    task_id: str
    alert_id: str | None = None
    customer_id: str | None = None
    tier: Tier | None = None
    status: TaskStatus
    owner: str
    due_at: AwareDatetime | None = None
    summary: str
    advice: str = ""
    evidence: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    created_at: AwareDatetime
    created_by: str
    approved_by: str | None = None
    snoozed_until: AwareDatetime | None = None
    placed_at: AwareDatetime | None = None
    escalated_to: tuple[str, ...] = ()
    version: Annotated[int, Field(ge=1)] = 1


class ActionPlan(Record):
    """What to do about one cause, measured how, by whom; `scope`: the org units it was drawn up from.

    Texts are in `language`; `translation` holds them in the other one. `window_days` run from the day after
    approval. `review` is there once it was verified, `follows` names the plan that this one takes up.
    """

    plan_id: str
    status: TaskStatus
    problem: str
    cause: str
    evidence_grade: Grade
    measures: tuple[Measure, ...]
    risks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    language: Literal["zh", "en"] = "zh"
    hypothesis: str = ""
    control: str = ""
    window_days: Annotated[int, Field(gt=0)] = 30
    design: PlanDesign | None = None
    translation: PlanWords | None = None
    review: PlanReview | None = None
    follows: str | None = None
    created_at: AwareDatetime
    created_by: str
    approved_by: str | None = None
    approved_at: AwareDatetime | None = None


class AuditEntry(Record):
    """Who did what to what; entries are chained by hash in the store."""

    occurred_at: AwareDatetime
    actor: str
    action: str
    subject: str
    detail: dict[str, str] = Field(default_factory=dict)


class Batch(Record):
    """One ingested file: the account that lets a killed run be finished. Kept in the operation store.

    `stage` moves received -> stored -> indexed; read = stored + duplicates + rejected once stored.
    """

    batch_id: str
    source: str
    path: str
    kind: Literal["feedback", "customers", "events", "outcomes", "rates"] = "feedback"
    stage: Literal["received", "stored", "indexed"]
    read: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    started_at: datetime
