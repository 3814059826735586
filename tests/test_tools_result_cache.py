"""Results that are kept: the same as worked out, new after a write, of one scope only, worked out once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from store.errors import ToolInputError
from store.records import Feedback, LabelledFeedback
from tests.tools_world import NOW, build
from tools.catalogue import run_tool
from tools.context import Asker, ToolContext
from tools.nps import NpsArguments, nps_stats
from tools.registry import nothing_else, spec
from tools.result_cache import ResultCache
from tools.results import ToolResult

OCTOBER = {"period": {"from": "2026-10-01", "to": "2026-11-01"}}


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    return replace(build(tmp_path), results=ResultCache(8))


def counts(context: ToolContext) -> tuple[int, int]:
    assert context.results is not None
    return context.results.hits, context.results.misses


def test_a_call_made_again_is_not_worked_out_again(context: ToolContext) -> None:
    first = run_tool("nps_stats", OCTOBER, context)
    assert run_tool("nps_stats", OCTOBER, context) == first
    assert run_tool("nps_stats", {}, context) != first
    assert counts(context) == (1, 2)
    bare = run_tool("nps_stats", OCTOBER, replace(context, results=None))
    assert bare == first


def test_new_feedback_gives_new_results(context: ToolContext) -> None:
    before = run_tool("nps_stats", {}, context)
    item = Feedback(feedback_id="new", source="test", occurred_at=NOW, nps=10)
    context.facts.add_feedback([LabelledFeedback(feedback=item)])
    assert run_tool("nps_stats", {}, context).n == before.n + 1


def test_a_scope_gets_nothing_of_another(context: ToolContext) -> None:
    whole = run_tool("nps_stats", {}, context)
    narrow = replace(context, asker=Asker("s", "viewer", ("华南大区",)))
    south = run_tool("nps_stats", {}, narrow)
    assert 0 < south.n < whole.n
    assert south.caveats[0] not in run_tool("nps_stats", {}, context).caveats


def test_what_is_being_worked_out_is_waited_for(context: ToolContext) -> None:
    begun, go = threading.Event(), threading.Event()
    calls: list[str] = []

    def slow(args: NpsArguments, context: ToolContext) -> ToolResult:
        """Slow."""
        calls.append("slow")
        begun.set()
        go.wait(10)
        return nps_stats(args, context)

    tool = spec(slow, beside=nothing_else)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(tool.run, OCTOBER, context)
        begun.wait(10)
        others = [pool.submit(tool.run, OCTOBER, context) for _ in range(3)]
        go.set()
        results = [one.result(10) for one in (first, *others)]
    assert calls == ["slow"]
    assert all(result == results[0] for result in results)


def test_an_error_is_kept_by_nobody(context: ToolContext) -> None:
    for _ in range(2):
        with pytest.raises(ToolInputError):
            run_tool("nps_stats", {"filters": {"region": "火星"}}, context)
    assert counts(context) == (0, 2)


def test_the_oldest_are_let_go(context: ToolContext) -> None:
    small = replace(context, results=ResultCache(1))
    for args in (OCTOBER, {}, OCTOBER):
        run_tool("nps_stats", args, small)
    assert counts(small) == (0, 3)


def test_what_operations_tell_is_never_kept(context: ToolContext) -> None:
    run_tool("list_tasks", {}, context)
    run_tool("search_feedback", {}, context)
    assert counts(context) == (0, 0)
