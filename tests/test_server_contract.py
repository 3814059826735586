"""The JSON that others build on: keys and types of what each command prints, from real runs."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from store.records import Emotion, Intent, Priority, Sentiment, TaskStatus
from tests.command_line import CommandLine

Share = Field(ge=0, le=1)


class Shape(BaseModel):
    """What a document must hold; values are not coerced, other keys are welcome."""

    model_config = ConfigDict(strict=True)


class Exact(Shape):
    """A document with these keys and no others."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Ingested(Shape):
    read: int
    stored: int
    duplicates: int
    rejected: int
    mapping: dict[str, str]
    date_format: str | None
    rejects_file: str | None
    elapsed_ms: int


class Period(Exact):
    from_: datetime | None = Field(alias="from", strict=False)
    to: datetime | None = Field(strict=False)


class Result(Exact):
    tool: str
    args: dict[str, Any]
    period: Period
    filters: dict[str, Any]
    n: int
    data: dict[str, Any]
    evidence: list[str]
    caveats: list[str]
    chart: dict[str, Any] | None


class NpsFigures(Shape):
    nps: float | None
    ci_low: float | None
    ci_high: float | None
    promoters: int
    passives: int
    detractors: int


class NpsGroup(NpsFigures):
    key: Any
    n: int


class NpsData(NpsFigures):
    groups: list[NpsGroup]


class MetricGroup(Shape):
    key: Any
    n: int
    value: float


class MetricData(Shape):
    value: float
    ci_low: float
    ci_high: float
    groups: list[MetricGroup]


class Comparison(Shape):
    before: float
    after: float
    change: float
    ci_low: float
    ci_high: float
    significant: bool
    mix_effect: float | None
    rate_effect: float | None
    contributions: list[dict[str, Any]]


class ThemeShown(Shape):
    theme_id: str
    label: str
    keywords: list[str]
    size: int
    share: float = Share
    negative_share: float | None = Share
    heat: float
    trend: str
    first_seen: datetime | None = Field(strict=False)
    exemplars: list[Any]


class Themes(Shape):
    themes: list[ThemeShown]


class Cause(Shape):
    conditions: dict[str, str]
    theme: str | None
    share: float | None
    effect: float
    evidence_grade: Literal["association", "adjusted", "quasi-experimental"]
    scope: Literal["own", "common", "undecided"]
    score: float


class Causes(Shape):
    verdict: Literal["cause_found", "no_cause"]
    causes: list[Cause]
    rivals: list[dict[str, Any]]


class RiskyCustomer(Shape):
    customer_id: str
    health: float
    probability: float = Share
    tier: str | None
    reasons: list[Any]


class Risk(Shape):
    customers: list[RiskyCustomer]


class ToolCall(Exact):
    id: str
    name: str
    args: dict[str, Any]
    result: dict[str, Any]


class Figure(Exact):
    text: str
    value: float | str
    tool_call_id: str
    path: str


class Answered(Exact):
    answer: str = Field(min_length=1)
    language: Literal["zh", "en"]
    planner: Literal["llm", "offline"]
    tool_calls: list[ToolCall]
    figures: list[Figure]
    citations: list[str]
    pending_approvals: list[dict[str, Any]]
    plan: dict[str, Any] | None
    usage: dict[str, int]
    elapsed_ms: int
    thread_id: str


class Topic(Shape):
    topic: str
    polarity: Sentiment | None = Field(strict=False)
    confidence: float = Share


class Labelled(Shape):
    sentiment: Sentiment = Field(strict=False)
    sentiment_confidence: float = Share
    emotion: Emotion = Field(strict=False)
    topics: list[Topic]
    intent: Intent = Field(strict=False)
    priority: Priority = Field(strict=False)
    risk_signals: list[str]
    competitors: list[str]
    compliance_flags: list[str]
    labeller: str


class Span(Shape):
    start: int
    end: int
    type: str
    grade: str


class Masked(Shape):
    text: str
    spans: list[Span]


class ListedTask(Shape):
    task_id: str
    alert_id: str | None
    customer_id: str | None
    status: TaskStatus = Field(strict=False)
    owner: str
    due_at: datetime | None = Field(strict=False)
    summary: str


class Tasks(Exact):
    tasks: list[ListedTask]


class Problem(Exact):
    error: str = Field(min_length=1)
    hint: str
    kind: str


SUBJECTS = {
    "广东": ("物流太慢了，等了{}天还没到", "快递一直不更新，已经{}天", "配送延误{}天，客服也不管"),
    "上海": ("质量很好，用了{}个月很满意", "做工精细，第{}次购买了", "很耐用，{}个朋友也买了"),
}


def feed() -> str:
    """September content everywhere, October bad in 广东; each text a few times with other numbers."""
    lines = ["评价,NPS,日期,客户ID,地区,渠道"]
    for month in (9, 10):
        for day in range(1, 29):
            for place, texts in SUBJECTS.items():
                score = (3 if month == 10 else 8) if place == "广东" else 9
                words = texts[day % 3].format(day)
                when = f"2026-{month:02d}-{day:02d} 10:00"
                lines.append(f"{words},{score},{when},c{day % 7}-{place},{place},survey")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A data folder with 112 items, their vectors and themes."""
    folder = tmp_path_factory.mktemp("contract")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        line = CommandLine(folder)
        ran = line("ingest", line.write("feedback.csv", feed()), "--json")
        assert ran.status == 0, ran.output
        told = Ingested.model_validate_json(ran.output)
        assert (told.read, told.stored, told.duplicates, told.rejected) == (112, 112, 0, 0)
        yield line


def result_of(line: CommandLine, name: str, args: str = "{}") -> Result:
    ran = line("tool", name, "--args", args)
    assert ran.status == 0, ran.output
    found = Result.model_validate_json(ran.output)
    assert found.tool == name
    return found


def test_ingest_adds_up_and_says_how_it_read(voiceloop: CommandLine) -> None:
    rows = "评价,评分,日期\n很好,5,2026-10-01\n很好,5,2026-10-01\n太差,99,2026-10-02\n一般,3,2026-02-31\n"
    rows += "不错,4,2026-10-03\n" * 2 + "".join(f"评语{n},{n % 5 + 1},2026-10-04\n" for n in range(20))
    ran = voiceloop.ingest(voiceloop.write("shop.csv", rows), "--map", "rating=评分")
    told = Ingested.model_validate_json(ran.output)
    assert told.read == told.stored + told.duplicates + told.rejected == 26
    assert told.rejected == 2
    assert told.mapping == {"text": "评价", "rating": "评分", "occurred_at": "日期"}
    assert told.date_format == "YYYY-MM-DD"
    assert told.rejects_file is not None
    assert len(Path(told.rejects_file).read_text("utf-8").splitlines()) == 2
    assert told.stored == voiceloop.stored()


@pytest.mark.parametrize("args", ["{}", '{"group_by": ["region"], "period": "10月"}'])
def test_nps_stats(filled: CommandLine, args: str) -> None:
    found = result_of(filled, "nps_stats", args)
    data = NpsData.model_validate(found.data)
    assert data.promoters + data.passives + data.detractors == found.n
    assert sum(group.n for group in data.groups) in (0, found.n)
    assert len(data.groups) == (2 if "region" in args else 0)
    assert found.evidence


def test_a_period_is_half_open_in_the_configured_zone(filled: CommandLine) -> None:
    found = result_of(filled, "nps_stats", '{"period": {"from": "2026-10-01", "to": "2026-10-11"}}')
    assert found.n == 20
    assert found.period.from_ is not None and found.period.to is not None
    assert found.period.from_.isoformat() == "2026-10-01T00:00:00+08:00"
    assert found.period.to.isoformat() == "2026-10-11T00:00:00+08:00"


@pytest.mark.parametrize("group_by", ["[]", '["region"]'])
def test_metric_stats(filled: CommandLine, group_by: str) -> None:
    found = result_of(filled, "metric_stats", f'{{"metric": "negative_share", "group_by": {group_by}}}')
    data = MetricData.model_validate(found.data)
    assert data.ci_low <= data.value <= data.ci_high
    assert bool(data.groups) == ("region" in group_by)


def test_compare_periods(filled: CommandLine) -> None:
    found = result_of(filled, "compare_periods", '{"metric": "nps", "period": "10月", "compare_to": "9月"}')
    data = Comparison.model_validate(found.data)
    assert (data.before, data.after, data.significant) == (50, 0, True)
    assert data.ci_low <= data.change <= data.ci_high


def test_root_cause(filled: CommandLine) -> None:
    found = result_of(filled, "root_cause", '{"metric": "nps", "period": "10月", "compare_to": "9月"}')
    data = Causes.model_validate(found.data)
    assert (data.verdict == "cause_found") == bool(data.causes)


def test_churn_risk(filled: CommandLine) -> None:
    data = Risk.model_validate(result_of(filled, "churn_risk").data)
    assert all(0 <= customer.health <= 100 for customer in data.customers)
    assert data.customers


@pytest.mark.parametrize("refresh", [(), ("--refresh",)])
def test_themes(filled: CommandLine, refresh: tuple[str, ...]) -> None:
    ran = filled("themes", *refresh, "--json")
    assert ran.status == 0, ran.output
    found = Result.model_validate_json(ran.output)
    assert found.tool == "list_themes"
    shown = Themes.model_validate(found.data).themes
    assert shown
    assert all(theme.size > 0 and theme.keywords for theme in shown)


@pytest.mark.parametrize(
    ("question", "language"), [("10月NPS是多少？", "zh"), ("What was the NPS in October 2026?", "en")]
)
def test_ask(filled: CommandLine, question: str, language: str) -> None:
    ran = filled("ask", question, "--json")
    assert ran.status == 0, ran.output
    told = Answered.model_validate_json(ran.output)
    assert (told.language, told.planner, told.pending_approvals, told.plan) == (language, "offline", [], None)
    calls = {call.id: Result.model_validate_json(_json(call.result)) for call in told.tool_calls}
    assert [result.tool for result in calls.values()] == ["nps_stats"]
    assert told.figures
    for figure in told.figures:
        assert figure.text in told.answer
        assert figure.tool_call_id in calls
    follow_up = filled("ask", question, "--thread", told.thread_id, "--json")
    assert Answered.model_validate_json(follow_up.output).thread_id == told.thread_id


def _json(document: Any) -> bytes:
    import orjson

    return orjson.dumps(document)


def test_a_turn_stops_for_approval_and_tasks_are_listed(filled: CommandLine) -> None:
    asked = filled("tool", "create_retention_task", "--args", _task_args())
    assert asked.status == 0, asked.output
    listed = Tasks.model_validate_json(filled("tasks", "list", "--json").output).tasks
    assert [task.customer_id for task in listed] == ["c1-广东"]
    assert listed[0].status is TaskStatus.PENDING_APPROVAL
    shown = filled("tasks", "show", listed[0].task_id, "--json")
    assert ListedTask.model_validate_json(shown.output) == listed[0]
    opened = filled("tasks", "update", listed[0].task_id, "--status", "open", "--json")
    assert ListedTask.model_validate_json(opened.output).status is TaskStatus.OPEN
    waiting = filled("tasks", "list", "--status", "pending_approval", "--json")
    assert Tasks.model_validate_json(waiting.output).tasks == []
    assert filled("audit", "verify", "--json").document["intact"] is True


def _task_args() -> str:
    return '{"customer_ids": ["c1-广东"], "tier": "orange", "reason": "看了竞品报价"}'


TEXTS = ["物流太慢，要求退款", "", "Great service, call me at 13812345678", "请联系 li@example.com"]


def test_label_predict_answers_line_for_line(voiceloop: CommandLine) -> None:
    ran = voiceloop("label", "predict", "-", "--json", stdin="\n".join(TEXTS) + "\n")
    assert ran.status == 0, ran.errors
    lines = [Labelled.model_validate_json(line) for line in ran.output.splitlines()]
    assert len(lines) == len(TEXTS)
    assert lines[0].sentiment is Sentiment.NEGATIVE
    assert "refund" in lines[0].risk_signals
    assert lines[2].sentiment is Sentiment.POSITIVE
    assert "13812345678" not in ran.output
    again = voiceloop("label", "predict", voiceloop.write("texts.txt", "\n".join(TEXTS) + "\n"), "--json")
    assert again.lines == ran.lines


def test_mask_answers_line_for_line_with_spans(voiceloop: CommandLine) -> None:
    ran = voiceloop("mask", "-", "--json", stdin="\n".join(TEXTS) + "\n")
    assert ran.status == 0, ran.errors
    lines = [Masked.model_validate_json(line) for line in ran.output.splitlines()]
    assert [line.text for line in lines[:2]] == TEXTS[:2]
    found = [(TEXTS[n][s.start : s.end], s.type) for n, line in enumerate(lines) for s in line.spans]
    assert found == [("13812345678", "PHONE"), ("li@example.com", "EMAIL")]
    table = voiceloop.write("t.csv", "编号,说明\n" + "".join(f"{n},{t}\n" for n, t in enumerate(TEXTS[2:])))
    columns = voiceloop("mask", table, "--text-column", "说明", "--json")
    assert [line["spans"] for line in columns.lines][1] == ran.lines[3]["spans"]


def test_a_failure_is_one_json_document_too(voiceloop: CommandLine) -> None:
    ran = voiceloop("tool", "no_such_tool", "--json")
    assert ran.status == 2
    Problem.model_validate_json(ran.output)
