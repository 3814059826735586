"""Contracts against real vLLM servers on the CPU with random tiny models: `make test-vllm`.

The models know nothing: what is proved is that every text gets sound labels or a place in the queue, whatever
the server does. The figures go to evals/reports/vllm.json.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from evals.bench_texts import short_texts
from evals.vllm_overhead import GOAL, measure
from evals.vllm_report import write_report
from evals.vllm_server import INSTRUCT, POOLING, VllmServer, in_environment, serving
from pipeline.cascade import CascadeClassifier
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.lexicon import load_lexicon
from pipeline.taxonomy import load_taxonomy
from pipeline.vllm_classifier import VllmClassifier
from pipeline.vllm_client import Endpoint
from pipeline.vllm_encoder import EncoderLabeller, read_encoder_labels
from pipeline.vllm_instruct import InstructLabeller
from pipeline.vllm_labeller import Outcome, RemoteLabeller
from pipeline.vllm_limits import Limits
from store.clock import SystemClock
from store.identity import text_key
from store.records import Labels
from store.sqlite_label_cache import SqliteLabelCache

# The interpreter of an environment that has vLLM; `make test-vllm` makes one and names it here.
PYTHON = os.environ.get("VOICELOOP_TEST_VLLM", "")
ROOT = Path(__file__).parents[1]
PLAIN_LIMITS = Limits()
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.skipif(not PYTHON, reason="needs a vLLM environment: make test-vllm"),
]
Figures = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    collected: Figures = {}
    yield collected
    write_report(collected)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instruct model, and an encoder that our own training made of what the embedded classifier says."""
    folder = tmp_path_factory.mktemp("models")
    _in_vllm(str(ROOT / "tests" / "vllm_tiny_models.py"), str(folder))
    texts, _ = short_texts(1500)
    rows = folder / "labelled.jsonl"
    with rows.open("w", encoding="utf-8") as lines:
        for text, one in zip(texts, EmbeddedClassifier().classify(texts), strict=True):
            lines.write(json.dumps({"text": text, **one.model_dump(mode="json")}, ensure_ascii=False) + "\n")
    recipe = ["--epochs", "4", "--learning-rate", "1e-3", "--max-tokens", "128"]
    train = ["-m", "evals.train_encoder", str(rows), "--predicted", "--base", str(folder / "encoder")]
    _in_vllm(*train, "--out", str(folder / "classify"), *recipe)
    return folder


def _in_vllm(*arguments: str) -> str:
    done = subprocess.run(
        [*in_environment(PYTHON), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def instruct_server(models: Path) -> Iterator[VllmServer]:
    with serving(Path(PYTHON), models / "instruct", models / "instruct.log", *INSTRUCT) as server:
        yield server


@pytest.fixture(scope="module")
def encoder_server(models: Path) -> Iterator[VllmServer]:
    with serving(Path(PYTHON), models / "classify", models / "classify.log", *POOLING) as server:
        yield server


def instruct(**settings: Any) -> InstructLabeller:
    return InstructLabeller("instruct", load_taxonomy(), load_lexicon(), **settings)


def encoder(models: Path) -> EncoderLabeller:
    return EncoderLabeller("classify", read_encoder_labels(models / "classify"), load_taxonomy().paths)


def ask(
    labeller: RemoteLabeller,
    texts: list[str],
    *urls: str,
    limits: Limits = PLAIN_LIMITS,
    patience_s: float = 300.0,
) -> tuple[list[Outcome], int]:
    """Outcomes in order, each position once, and the number of requests."""
    one = VllmClassifier(labeller, Endpoint(urls, timeout_s=300.0, patience_s=patience_s, limits=limits))
    found: dict[int, Outcome] = {}
    requests = 0
    try:
        for outcomes, cost in one.outcomes(texts):
            assert not found.keys() & outcomes.keys(), "a text was answered twice"
            found.update(outcomes)
            requests += cost.requests
    finally:
        one.close()
    return [found[at] for at in range(len(texts))], requests


def labels_of(outcomes: list[Outcome]) -> list[Labels]:
    assert [one.failure for one in outcomes if one.failure] == []
    return [one.labels for one in outcomes if one.labels is not None]


# --- the instruct server


def test_structured_output_is_valid_200_of_200(instruct_server: VllmServer, figures: Figures) -> None:
    texts, _ = short_texts(200)
    began = time.perf_counter()
    # Room for the longest answer the schema allows: a random model fills every list.
    outcomes, requests = ask(instruct(answer_tokens=1200), texts, instruct_server.base_url)
    seconds = time.perf_counter() - began
    labels = labels_of(outcomes)
    assert len(labels) == 200
    assert requests == 200, "none had to be repaired"
    assert all(0 < one.sentiment_confidence <= 1 for one in labels)
    hits = instruct_server.metric("vllm:prefix_cache_hits_total")
    queries = instruct_server.metric("vllm:prefix_cache_queries_total")
    figures["structured output"] = {
        "valid": len(labels),
        "n": 200,
        "requests": requests,
        "texts_per_s": round(200 / seconds, 2),
        "prefix_cache_hit_share": round(hits / queries, 4),
    }
    assert hits / queries > 0.8, "the shared part of the prompt is computed once"


def test_labels_asked_again_without_the_cache(instruct_server: VllmServer, figures: Figures) -> None:
    texts, _ = short_texts(50)
    first = labels_of(ask(instruct(), texts, instruct_server.base_url, limits=Limits(start=16, most=16))[0])
    again = labels_of(
        ask(instruct(), texts[::-1], instruct_server.base_url, limits=Limits(start=5, most=5))[0]
    )
    said = [one.model_dump(exclude={"sentiment_confidence", "topics", "abstained"}) for one in first]
    changed = sum(
        one != other.model_dump(exclude={"sentiment_confidence", "topics", "abstained"})
        or [topic.topic for topic in mine.topics] != [topic.topic for topic in other.topics]
        for one, mine, other in zip(said, first, again[::-1], strict=True)
    )
    figures["asked again, cache off, other order and concurrency"] = {"changed": changed, "n": 50}


def test_an_answer_that_does_not_fit_and_a_text_that_does_not_fit(
    instruct_server: VllmServer, figures: Figures
) -> None:
    cramped, _ = ask(instruct(answer_tokens=8), ["物流太慢", "很好"], instruct_server.base_url)
    assert [one.failure and one.failure.reason for one in cramped] == ["truncated_output"] * 2
    # 6,000 characters are more tokens than this model reads: the server refuses the text, and says why.
    outcomes, _ = ask(instruct(), ["慢" * 7_000, "物流太慢"], instruct_server.base_url)
    failure = outcomes[0].failure
    assert failure is not None and failure.reason == "refused" and "length" in failure.message
    assert outcomes[1].labels is not None
    figures["truncation, instruct"] = {"cut_answers_noticed": 2, "of": 2, "overlong_text": failure.reason}


def test_more_is_asked_than_the_server_takes_at_a_time(instruct_server: VllmServer, figures: Figures) -> None:
    texts, _ = short_texts(64, seed=11)
    limits = Limits(start=64, most=64, latency_goal_s=2.0)
    outcomes, requests = ask(instruct(), texts, instruct_server.base_url, limits=limits)
    assert len(labels_of(outcomes)) == 64
    figures["overload (64 at once, the server runs 16)"] = {"labelled": 64, "n": 64, "requests": requests}


def test_a_model_that_is_not_served_is_said(instruct_server: VllmServer) -> None:
    other = InstructLabeller("no-such-model", load_taxonomy(), load_lexicon())
    (outcome,), _ = ask(other, ["慢"], instruct_server.base_url, patience_s=0.5)
    assert outcome.failure is not None
    assert outcome.failure.reason == "refused"
    assert "no-such-model" in outcome.failure.message


def test_our_client_costs_little(instruct_server: VllmServer, figures: Figures, tmp_path: Path) -> None:
    figure = measure(instruct_server, tmp_path)
    figures["client overhead"] = figure
    assert figure["ratio"] >= GOAL, figure


def test_a_restart_in_mid_batch_loses_and_doubles_nothing(
    instruct_server: VllmServer, figures: Figures, tmp_path: Path
) -> None:
    """Kill -9 of the server with requests under way, started again at the same address meanwhile."""
    texts = [f"第{n}单要求退款，{text}" for n, text in enumerate(short_texts(60, seed=5)[0])]
    found: list[Labels] = []
    with ExitStack() as stack:
        cache = SqliteLabelCache(tmp_path / "operations.sqlite")
        stack.callback(cache.close)
        endpoint = Endpoint((instruct_server.base_url,), timeout_s=300.0, patience_s=400.0)
        second = VllmClassifier(instruct(), endpoint)
        stack.callback(second.close)
        cascade = CascadeClassifier(EmbeddedClassifier(), second, cache, SystemClock(), share=1.0)
        worker = threading.Thread(target=lambda: found.extend(cascade.classify(texts)))
        worker.start()
        keys = [text_key(text) for text in texts]
        while not (kept := len(cache.find(second.name, keys))):
            time.sleep(0.1)
        instruct_server.kill()
        instruct_server.start()
        worker.join()
        report = cascade.take_report()
        assert len(found) == report.escalated == 60
        assert {one.labeller for one in found} == {second.name}
        stored = cache.find(second.name, keys)
        assert [stored[key].labels for key in keys] == found
        assert cache.queued() == []
    assert kept < 60, "the server was killed in mid-batch"
    figures["restart in mid-batch"] = {
        "labelled": len(found),
        "n": 60,
        "kept_before_the_kill": kept,
        "lost": 0,
        "doubled": 0,
        "requests": report.requests,
    }


# --- the encoder server


def test_several_labels_are_those_of_the_checkpoint(
    encoder_server: VllmServer, models: Path, figures: Figures
) -> None:
    """Probabilities by transformers in the same environment and by the server agree, output by output."""
    texts, _ = short_texts(64, seed=3)
    outputs = read_encoder_labels(models / "classify").outputs
    code = (
        "import json, sys, torch\n"
        "from transformers import AutoModelForSequenceClassification as M, AutoTokenizer as T\n"
        "t, m = T.from_pretrained(sys.argv[1]), M.from_pretrained(sys.argv[1]).eval()\n"
        "x = t(json.loads(sys.argv[2]), padding=True, return_tensors='pt')\n"
        "with torch.inference_mode(): p = torch.sigmoid(m(**x).logits).tolist()\n"
        "print(json.dumps({'names': [m.config.id2label[i] for i in range(len(p[0]))], 'probs': p}))\n"
    )
    direct = json.loads(_in_vllm("-c", code, str(models / "classify"), json.dumps(texts)).splitlines()[-1])
    assert tuple(direct["names"]) == outputs
    body = {"model": "classify", "input": texts}
    served = httpx.post(f"{encoder_server.root}/classify", json=body, timeout=60, trust_env=False).json()[
        "data"
    ]
    apart = max(
        abs(a - b)
        for one, row in zip(served, direct["probs"], strict=True)
        for a, b in zip(one["probs"], row, strict=True)
    )
    assert apart < 1e-3
    labels = labels_of(ask(encoder(models), texts, encoder_server.base_url)[0])
    largest = [
        max(range(3), key=lambda at: one[at])
        for one in (
            [row[outputs.index(f"sentiment:{s}")] for s in ("positive", "neutral", "negative")]
            for row in direct["probs"]
        )
    ]
    assert [("positive", "neutral", "negative")[at] for at in largest] == [
        one.sentiment.value for one in labels
    ]
    assert any(one.topics for one in labels)
    trained = json.loads((models / "classify" / "labels.json").read_text("utf-8"))["trained"]
    figures["classify, several labels"] = {
        "n": 64,
        "outputs": len(outputs),
        "largest_difference": round(apart, 6),
        "trained_on": trained["texts"]["train"],
    }


def test_long_texts_are_cut_knowingly(encoder_server: VllmServer, models: Path, figures: Figures) -> None:
    texts = ["慢" * 120, "慢" * 127, "慢" * 3000, "短"]
    outcomes, _ = ask(encoder(models), texts, encoder_server.base_url)
    assert len(labels_of(outcomes)) == 4
    assert [one.truncated for one in outcomes] == [False, True, True, False]
    figures["truncation, classify"] = {"flagged": 2, "of": 2, "wrongly_flagged": 0}


def test_two_replicas_of_which_one_dies(encoder_server: VllmServer, models: Path, figures: Figures) -> None:
    texts, _ = short_texts(3000, seed=9)
    with serving(Path(PYTHON), models / "classify", models / "second.log", *POOLING) as second:
        # The first request of a new server takes seconds; the other would have done it all by then.
        labels_of(ask(encoder(models), texts[:64], second.base_url)[0])
        alone, _ = ask(encoder(models), texts[:1500], encoder_server.base_url, second.base_url)
        shares = [server.metric("vllm:request_success_total") for server in (encoder_server, second)]
        dying = threading.Timer(0.5, second.kill)
        dying.start()
        outcomes, _ = ask(encoder(models), texts, encoder_server.base_url, second.base_url)
        dying.join()
    assert min(shares) > 64 + 150, "both replicas work"
    assert len(labels_of(alone)) == 1500
    assert len(labels_of(outcomes)) == 3000
    figures["two replicas, one killed in mid-batch"] = {"labelled": 3000, "n": 3000, "lost": 0, "doubled": 0}


def test_the_command_line_labels_by_a_real_encoder(
    encoder_server: VllmServer, models: Path, tmp_path: Path
) -> None:
    settings = {
        "VOICELOOP_HOME": str(tmp_path),
        "VOICELOOP_LABEL_BASE_URL": encoder_server.base_url,
        "VOICELOOP_LABEL_MODEL": "classify",
        "VOICELOOP_LABEL_MODE": "classify",
        "VOICELOOP_LABEL_OUTPUTS": str(models / "classify"),
        "VOICELOOP_LABEL_ESCALATE_SHARE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", "label", "predict", "-"],
        input="我要退款，太慢了\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **settings},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["labeller"].startswith("vllm-classify-1+classify+")
