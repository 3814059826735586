"""The bench over tiny sizes: that it measures what it says; how fast is the bench's own business."""

from io import StringIO
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

from evals.bench import render
from evals.bench_figures import BenchReport, alternate, figure, quantile
from evals.bench_labels import label_stream, measure_labels, measure_memory
from evals.bench_peers import Asked, ask_pandas, ask_sqlite, check_same, questions
from evals.bench_process import Memory, apart
from evals.bench_rows import clock, fill, settings
from evals.bench_texts import CHARACTERS, measure_classify, measure_embedding, short_texts
from evals.bench_tools import Latency, latency_figures, memory_figure, time_tools


def test_ratio_and_goal() -> None:
    quick = figure("a", "b", 90.0, "texts/s", better="higher", peer=("bare", 100.0), goal=0.9)
    assert (quick.ratio, quick.met) == (0.9, True)
    slow = figure("a", "b", 6.0, "s", better="lower", peer=("python", 0.1), goal=5, goal_of="value")
    assert (slow.ratio, slow.met) == (60.0, False)
    assert figure("a", "b", 1.0, "ms", better="lower", peer=("sqlite3", 4.0)).met is None


def test_quantiles_are_values_that_occurred() -> None:
    values = [float(n) for n in range(20, 0, -1)]
    assert quantile(values, 0.5) == 10.0
    assert quantile(values, 0.95) == 19.0
    assert quantile([3.0], 0.95) == 3.0


def test_two_jobs_run_in_turn_and_their_medians_are_kept() -> None:
    order: list[str] = []
    ticks = count()
    medians = alternate(lambda: order.append("a"), lambda: order.append("b"), 3, lambda: float(next(ticks)))
    assert order == ["a", "b"] * 3
    assert medians == (1.0, 1.0)


def test_a_measurement_apart_gives_its_result_and_its_memory() -> None:
    result, memory = apart(sorted, [3, 1, 2])
    assert result == [1, 2, 3]
    assert 1_000_000 < memory.at_start <= memory.peak


def test_texts_are_distinct_chinese_and_of_one_length() -> None:
    texts, moods = short_texts(200)
    assert len(set(texts)) == len(moods) == 200
    assert {len(text) for text in texts} == {CHARACTERS}
    assert texts == short_texts(200)[0]
    assert abs(moods.count("negative") - 100) <= 20


def test_the_tools_and_their_peers_answer_alike_over_the_made_rows(tmp_path: Path) -> None:
    fill(tmp_path, 3_000)
    latencies = time_tools(tmp_path, budget_s=0.0, least=1)
    assert {"nps_stats", "root_cause", "list_themes", "search_feedback by filters"} <= {
        latency.name for latency in latencies
    }
    assert all(latency.n > 0 and latency.seconds for latency in latencies)
    ours = {latency.same: latency.answer for latency in latencies if latency.same}
    assert ours.keys() == questions().keys()
    peers = [*ask_sqlite(tmp_path, 1), *ask_pandas(tmp_path, 1)]
    assert len(peers) == 2 * len(ours)
    for peer in peers:
        answer = ours[peer.question]
        assert peer.seconds > 0 and answer
        check_same(peer.question, answer, peer.answer)
        wrong = {**answer, next(iter(answer)): 1e6}
        with pytest.raises(ValueError, match="disagree on 1 group"):
            check_same(peer.question, wrong, peer.answer)


def test_made_rows_are_as_the_product_would_store_them(tmp_path: Path) -> None:
    from agent.wiring import open_app
    from store.facts import Find

    fill(tmp_path, 500)
    with open_app(settings(tmp_path), clock()) as app:
        found = app.facts.find(Find(limit=500))
        catalogue = app.facts.catalogue()
    assert len({item.feedback.feedback_id for item in found}) == catalogue.items == 500
    assert all(item.labels and item.feedback.occurred_at and item.theme_id for item in found)
    assert {"等待分钟", "nps", "csat"} <= set(catalogue.metrics)
    assert "承运商" in catalogue.dimensions


def test_tools_are_reported_with_both_percentiles_and_memory() -> None:
    asked = "nps by region and month"
    latencies = [
        Latency("nps", (0.1, 0.2, 0.3), 900, asked, {}),
        Latency("root_cause", (2.0, 1.0, 3.0), 800),
    ]
    figures = latency_figures(latencies, [Asked("sqlite3", asked, 0.4, {}), Asked("pandas", asked, 0.1, {})])
    shown = {(one.name, one.peer): one for one in figures}
    assert (shown["nps, p50", "sqlite3"].value, shown["nps, p50", "sqlite3"].ratio) == (200.0, 0.5)
    assert (shown["nps, p95", "pandas"].ratio, shown["nps, p95", "pandas"].met) == (3.0, True)
    assert shown["root_cause, p50", f"sqlite3, {asked}"].ratio == 5.0
    assert shown["root_cause, p95", f"sqlite3, {asked}"].met is False
    assert len(figures) == 6
    memory = memory_figure(Memory(40_000_000, 300_000_000), Memory(40_000_000, 150_000_000))
    assert (memory.value, memory.unit, memory.ratio) == (300.0, "MB", 2.0)


def test_labelling_is_held_against_a_plain_model() -> None:
    (labelled,) = measure_classify(100, 1)
    assert labelled.value > 0 and labelled.peer_value > 0
    assert labelled.goal == 5_000 and labelled.met is (labelled.value >= 5_000)


def test_all_labels_are_held_against_a_plain_model() -> None:
    (labelled,) = measure_labels(100, 1)
    assert labelled.goal == 8_000 and labelled.met is (labelled.value >= 8_000)


def test_a_stream_of_distinct_texts_is_labelled_to_its_end() -> None:
    assert label_stream(5_000) == 5_000
    (memory,) = measure_memory(4_096)
    assert memory.unit == "MB" and memory.value > 10 and memory.goal == 1.1


def test_embedding_is_held_against_the_bare_encoder_and_repeats_cost_nothing() -> None:
    distinct, repeated = measure_embedding(48, 1, workers=1)
    assert distinct.value > 0 and distinct.goal == 0.9
    assert "192 texts, 48 distinct" in repeated.note
    # Four times the texts, each encoded once: far from four times the time.
    assert repeated.ratio < 2.5


def test_the_report_reads_as_a_table() -> None:
    figures = [
        figure(
            "classify",
            "label",
            6000,
            "texts/s",
            better="higher",
            peer=("sklearn", 9e4),
            goal=5e3,
            goal_of="value",
        ),
        figure("start", "ask", 6.5, "s", better="lower", peer=("python", 0.05), goal=5, goal_of="value"),
    ]
    report = BenchReport(items=1000, cores=2, repeats=3, elapsed_s=12.0, figures=figures)
    console = Console(width=160, file=StringIO())
    with console.capture() as captured:
        console.print(render(report))
    shown = captured.get()
    assert "1,000 stored rows, 2 cores" in shown
    assert "✓ ≥ 5,000" in shown and "✗ ≤ 5" in shown and "6,000 texts/s" in shown
