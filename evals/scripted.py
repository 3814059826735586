"""A scripted chat model: makes the calls a case expects and states the figures it expects, with slips.

It stands for a model that understands every question and is careless: seeded by case and trial it calls a
tool that is not there, sends arguments that cannot be used, states a wrong figure or one from nowhere, or
claims the wrong direction. The graph has to catch each of these; what is measured is the graph.
"""

import json
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from agent.state import LOCK_NOTE, questions, this_turn
from evals.cases import Case, Expect, ExpectedCall
from evals.paths import resolve
from evals.wording import read_yaml

# A slip and its weight; `none` is a turn without one.
SLIPS: Mapping[str, int] = {
    "none": 8,
    "wrong_figure": 3,
    "wrong_direction": 3,
    "invented_figure": 2,
    "unusable_arguments": 3,
    "unknown_tool": 2,
}
_OPPOSITE = {"fell": "rose", "rose": "fell", "flat": "rose"}


class ScriptedModel(BaseChatModel):
    """Plays one case in one trial: the same seed plays the same, another trial slips elsewhere."""

    _case: Case = PrivateAttr()
    _trial: int = PrivateAttr()

    def __init__(self, case: Case, trial: int = 1) -> None:
        super().__init__()
        self._case, self._trial = case, trial

    @property
    def _llm_type(self) -> str:
        return "voiceloop-scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "ScriptedModel":
        """The script names tools itself; there is nothing to bind."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        said = cast(list[AnyMessage], messages)
        number = min(len(questions(said)), len(self._case.turns))
        turn = _Turn(self._case, number, self._trial)
        message = turn.next(this_turn(said))
        words = len(str(message.content)) + len(json.dumps(message.tool_calls, ensure_ascii=False))
        read = sum(len(str(m.content)) for m in messages)
        message.usage_metadata = {
            "input_tokens": read // 2,
            "output_tokens": words // 2,
            "total_tokens": (read + words) // 2,
        }
        return ChatResult(generations=[ChatGeneration(message=message)])


class _Turn:
    """One question as the script plays it."""

    def __init__(self, case: Case, number: int, trial: int) -> None:
        self.language = case.language
        self.expect: Expect = case.turns[number - 1].expect
        self.calls = self.expect.script or self.expect.tools or _looks(case, number)
        self.name = f"call_{number}"
        self.rng = Random(f"{case.id}/{number}/{trial}")
        self.slip = self.rng.choices(list(SLIPS), list(SLIPS.values()))[0]
        self.words: Mapping[str, Any] = read_yaml("scripted_words.yaml")

    def next(self, so_far: Sequence[AnyMessage]) -> AIMessage:
        """The next message after those of this turn."""
        results = [m for m in so_far if isinstance(m, ToolMessage)]
        given = [m for m in results if not m.tool_call_id.endswith("_slip")]
        if self.calls and not results and self.slip in ("unusable_arguments", "unknown_tool"):
            return AIMessage("", tool_calls=[self._slipped()])
        if self.calls and not given:
            return AIMessage("", tool_calls=[self._call(n, call) for n, call in enumerate(self.calls)])
        redone = any(getattr(m, "name", None) == LOCK_NOTE for m in so_far)
        return AIMessage(self._answer([_result(m) for m in given], redone))

    def _call(self, place: int, call: ExpectedCall) -> Any:
        args = call_args(call, self.language)
        split = [f for f in self.expect.figures if f.call == place and "groups[" in f.path and f.compute]
        if split and split[0].compute:
            args.setdefault("group_by", list(split[0].compute.filters))
        return {"name": call.names[0], "args": args, "id": f"{self.name}_{place}", "type": "tool_call"}

    def _slipped(self) -> Any:
        call = self._call(0, self.calls[0]) | {"id": f"{self.name}_slip"}
        if self.slip == "unknown_tool":
            return call | {"name": f"{call['name']}_v2"}
        return call | {"args": {**call["args"], "filters": {"no_such_dimension": "?"}, "limit": "many"}}

    def _answer(self, results: Sequence[Mapping[str, Any]], redone: bool) -> str:
        expect, lines = self.expect, []
        if expect.refusal:
            lines.append(self._pick("refusal", expect.refusal))
        if expect.asks:
            lines.append(self._pick("asks"))
        if expect.premise and expect.premise.truth != "otherwise":
            truth: str = expect.premise.truth
            if self.slip == "wrong_direction" and not redone:
                truth = _OPPOSITE[truth]
            lines.append(self._pick("premise", truth))
        lines += self._figures(results, redone)
        lines += [self._pick("says").format(word=line.split("|")[0]) for line in expect.says]
        cited = [i for result in results for i in result.get("evidence", [])][: expect.citations]
        lines += [self._pick("cites").format(id=name) for name in cited]
        if self.slip == "invented_figure" and lines and not expect.refusal:
            lines.append(self.words["slips"]["extra"][self.language].format(figure="37.21"))
        return "\n".join(lines) or self.words["slips"]["done" if expect.acts else "plain"][self.language]

    def _figures(self, results: Sequence[Mapping[str, Any]], redone: bool) -> list[str]:
        lines = []
        for figure in self.expect.figures:
            if not figure.stated or figure.call >= len(results):
                continue
            try:
                value = resolve(results[figure.call], figure.path)
            except KeyError:
                continue
            if isinstance(value, Mapping):
                value = value.get("value", value.get("nps"))
            if isinstance(value, int | float) and self.slip == "wrong_figure" and not redone:
                value = round(value + self.rng.choice((-1, 1)) * (abs(value) * 0.2 + 1.7), 4)
            group = re.search(r"\[([^\]]+)\]", figure.path)
            name = group[1] if group else figure.path.rsplit(".", 1)[-1]
            lines.append(self._pick("figure").format(name=name, figure=value))
        return lines

    def _pick(self, kind: str, name: str = "") -> str:
        words = self.words[kind][name] if name else self.words[kind]
        chosen: str = self.rng.choice(words[self.language])
        return chosen


def _looks(case: Case, number: int) -> list[ExpectedCall]:
    """What a model looks up before it says that something is not there."""
    turn = case.turns[number - 1]
    if turn.expect.refusal == "no_data":
        return [ExpectedCall(name="data_quality")]
    if turn.expect.refusal == "unknown_name":
        name = turn.expect.says[0].split("|")[0] if turn.expect.says else turn.ask
        return [ExpectedCall(name="metric_stats", filters={"product": name})]
    if turn.expect.refusal == "impossible_date":
        return [ExpectedCall(name="metric_stats", also={"period": turn.ask})]
    return []


def call_args(call: ExpectedCall, language: str) -> dict[str, Any]:
    """The arguments of an expected call as a model would write them."""
    args: dict[str, Any] = {**call.args, "language": language}
    if call.period is not None and (call.period.from_ or call.period.to):
        args["period"] = call.period.model_dump(by_alias=True, exclude_none=True)
    if call.filters:
        args["filters"] = dict(call.filters)
    if call.exclude:
        args["exclude"] = dict(call.exclude)
    return args | call.also


def _result(message: ToolMessage) -> Mapping[str, Any]:
    """A tool result; empty where the tool refused in words."""
    if isinstance(message.artifact, Mapping):
        return message.artifact
    try:
        parsed = json.loads(str(message.text))
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
