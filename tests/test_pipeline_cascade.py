"""The cascade over the wire: what is asked, what is kept, what is queued, and that labels stay as they are."""

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import open_app
from pipeline.cascade import CascadeClassifier
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.lexicon import load_lexicon
from pipeline.taxonomy import load_taxonomy
from pipeline.vllm_classifier import VllmClassifier
from pipeline.vllm_client import Endpoint
from pipeline.vllm_encoder import EncoderLabeller, EncoderLabels
from pipeline.vllm_instruct import InstructLabeller
from pipeline.vllm_labeller import RemoteLabeller
from store.clock import FixedClock
from store.errors import ConfigError
from store.identity import text_key
from store.label_cache import CachedLabels
from store.records import Labels, Sentiment
from store.sqlite_label_cache import SqliteLabelCache
from tests.command_line import CommandLine
from tests.label_server import OUTPUTS, LabelServer, Reply, serve, texts_of

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
NOTHING_LISTENS = "http://127.0.0.1:9"


class Hesitant:
    """The embedded classifier, unsure of every text that says so."""

    def __init__(self) -> None:
        self._sure = EmbeddedClassifier()
        self.name = f"hesitant+{self._sure.name}"

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        labels = self._sure.classify(texts)
        return [
            one.model_copy(update={"abstained": "说不清" in text, "labeller": self.name})
            for text, one in zip(texts, labels, strict=True)
        ]


@dataclass
class Bench:
    """Makes cascades over one cache."""

    stack: ExitStack
    cache: SqliteLabelCache

    def cascade(
        self, *urls: str, share: float = 1.0, labeller: RemoteLabeller | None = None, patience_s: float = 1.0
    ) -> CascadeClassifier:
        made = labeller or InstructLabeller("m", load_taxonomy(), load_lexicon())
        second = VllmClassifier(made, Endpoint(urls, timeout_s=5.0, patience_s=patience_s))
        self.stack.callback(second.close)
        return CascadeClassifier(Hesitant(), second, self.cache, FixedClock(NOW), share=share)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        cache = SqliteLabelCache(tmp_path / "operations.sqlite", FixedClock(NOW))
        stack.callback(cache.close)
        yield Bench(stack, cache)


PLAIN = ["质量很好，很满意", "颜色还可以", "Great service"]
OPEN = [f"第{n}单慢得说不清" for n in range(10)]
GRAVE = ["我要退款！马上", "食物中毒了，我要起诉你们"]


def test_only_what_is_open_or_grave_is_asked(bench: Bench) -> None:
    texts = [*PLAIN, *OPEN, *GRAVE, "", OPEN[0]]
    with serve() as server:
        cascade = bench.cascade(server.base_url)
        labels = cascade.classify(texts)
    assert server.texts() == dict.fromkeys([*OPEN, *GRAVE], 1), "a text that occurs twice is asked once"
    by_server = [one.labeller.startswith("vllm-instruct") for one in labels]
    assert by_server == [False] * 3 + [True] * 12 + [False, True]
    assert not any(one.abstained for one in labels)
    report = cascade.take_report()
    assert (report.n, report.candidates, report.escalated, report.failed) == (17, 13, 13, 0)
    assert report.reasons == {"abstained": 11, "urgent": 2}
    assert report.share == pytest.approx(13 / 17, abs=1e-4)
    assert report.requests == 12
    assert report.prompt_tokens == 1200
    assert report.completion_tokens > 0
    assert report.relabelled == 13
    assert report.changed["emotion"] > 0
    assert cascade.take_report().n == 0


def test_labels_of_unchanged_texts_change_none_and_cost_nothing_with_the_cache(bench: Bench) -> None:
    """A server that answers something else each time, as real ones may under load, changes nothing."""
    texts = [*PLAIN, *OPEN, *GRAVE] * 3

    def fickle(number: int, body: dict[str, Any]) -> Reply | None:
        return None if number <= 12 else Reply(500, {})

    with serve(fickle) as server:
        first = bench.cascade(server.base_url).classify(texts)
        for batch in (texts, texts[::-1], texts[5:9], PLAIN + OPEN):
            again = bench.cascade(server.base_url).classify(batch)
            known = dict(zip(texts, first, strict=True))
            assert again == [known[text] for text in batch]
        assert len(server.requests) == 12


def test_the_share_is_kept_grave_texts_first_and_its_choice_stands(bench: Bench) -> None:
    texts = [*OPEN, *GRAVE, *PLAIN * 6]
    with serve() as server:
        cascade = bench.cascade(server.base_url, share=0.2)
        labels = cascade.classify(texts)
        asked = server.texts()
        assert len(asked) == 6, "a fifth of thirty"
        assert set(GRAVE) <= set(asked)
        report = cascade.take_report()
        assert (report.escalated, report.held_back) == (6, 6)
        over = [text for text in OPEN if text not in asked]
        by_text = dict(zip(texts, labels, strict=True))
        assert all(by_text[text].abstained for text in over)
        # Alone or in other company, what was left over the share keeps its labels.
        other = bench.cascade(server.base_url, share=0.2)
        assert other.classify([*over, *PLAIN * 20]) == [by_text[text] for text in [*over, *PLAIN * 20]]
        assert len(server.requests) == 6


def test_the_share_holds_over_many_small_batches(bench: Bench) -> None:
    with serve() as server:
        cascade = bench.cascade(server.base_url, share=0.1)
        for n in range(100):
            cascade.classify([f"{n}说不清"])
        assert len(server.requests) == 10


def test_a_server_that_is_away_costs_no_text_and_queues_all(bench: Bench) -> None:
    cascade = bench.cascade(NOTHING_LISTENS, patience_s=0.2)
    labels = cascade.classify([*PLAIN, *OPEN, *GRAVE])
    plain = Hesitant().classify([*PLAIN, *OPEN, *GRAVE])
    assert labels[:3] == plain[:3]
    assert all(one.abstained for one in labels[3:])
    assert [one.model_copy(update={"abstained": True}) for one in plain[3:]] == labels[3:]
    queued = bench.cache.queued()
    assert {one.text for one in queued} == {*OPEN, *GRAVE}
    assert {(one.reason, one.attempts, one.first_at) for one in queued} == {("unreachable", 1, NOW)}
    assert all(one.detail for one in queued)
    report = cascade.take_report()
    assert report.failures == {"unreachable": 12}
    assert NOTHING_LISTENS in report.trouble


def test_what_is_queued_is_asked_again_and_leaves_the_queue(bench: Bench) -> None:
    bench.cascade(NOTHING_LISTENS, patience_s=0.1).classify(OPEN)
    with serve(lambda number, body: Reply(400, {}) if texts_of(body) == [OPEN[3]] else None) as server:
        cascade = bench.cascade(server.base_url)
        found = cascade.retry()
        assert set(found) == {text_key(text) for text in OPEN if text != OPEN[3]}
        (left,) = bench.cache.queued()
        assert (left.text, left.reason, left.attempts) == (OPEN[3], "refused", 2)
        labels = cascade.classify(OPEN)
        assert [found.get(text_key(text)) for text in OPEN if text != OPEN[3]] == [
            one for text, one in zip(OPEN, labels, strict=True) if text != OPEN[3]
        ]
        assert bench.cache.queued()[0].attempts == 3, "every run asks again about what has no labels"
        assert cascade.retry(limit=0) == {}


def test_a_queue_of_another_labeller_is_taken_over(bench: Bench) -> None:
    bench.cascade(NOTHING_LISTENS, patience_s=0.1).classify(OPEN)
    newer = InstructLabeller("newer", load_taxonomy(), load_lexicon())
    with serve() as server:
        assert len(bench.cascade(server.base_url, labeller=newer).retry()) == len(OPEN)
    assert bench.cache.queued() == []


def test_one_of_two_replicas_is_dead(bench: Bench) -> None:
    with serve() as server:
        labels = bench.cascade(NOTHING_LISTENS, server.base_url).classify(OPEN)
    assert all(one.labeller.startswith("vllm") for one in labels)
    assert server.texts() == dict.fromkeys(OPEN, 1)


def test_a_restart_in_mid_batch_loses_nothing_and_doubles_nothing(bench: Bench) -> None:
    texts = [f"第{n}单慢得说不清" for n in range(150)]
    found: list[Labels] = []
    with serve() as server:
        port = int(server.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
        cascade = bench.cascade(server.base_url, patience_s=20.0)
        worker = threading.Thread(target=lambda: found.extend(cascade.classify(texts)))
        worker.start()
        while len(server.requests) < 40:
            time.sleep(0.005)
    time.sleep(0.3)
    with serve(port=port) as again:
        worker.join()
    assert 40 <= len(server.requests) < 150
    assert [one.labeller.startswith("vllm") for one in found] == [True] * 150
    known = bench.cache.find(found[0].labeller, [text_key(text) for text in texts])
    assert [known[text_key(text)].labels for text in texts] == found
    assert bench.cache.queued() == []
    twice = [text for text, n in (server.texts() + again.texts()).items() if n > 1]
    assert len(twice) <= server.most_in_flight, "only what was under way is asked again"


def test_an_encoder_decides_its_fields_and_leaves_the_others(bench: Bench) -> None:
    labeller = EncoderLabeller("m", EncoderLabels(outputs=OUTPUTS), load_taxonomy().paths)
    text = "食物中毒了，慢，我要起诉你们"
    with serve() as server:
        (merged,) = bench.cascade(server.base_url, labeller=labeller).classify([text])
    (first,) = Hesitant().classify([text])
    assert merged.labeller == f"{labeller.name}&{first.labeller}"
    assert (merged.compliance_flags, merged.emotion) == (first.compliance_flags, first.emotion)
    assert first.compliance_flags
    assert merged.topics != first.topics
    assert merged.sentiment is Sentiment.NEGATIVE


def test_a_killed_run_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    """Kill -9 in the middle: the answers that were there are kept, the next run asks for the others."""
    texts = [f"第{n}单退款退款，慢" for n in range(400)]
    script = textwrap.dedent(
        """
        import json, sys
        from agent.settings import Settings
        from agent.wiring import open_app
        home, url, texts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
        settings = Settings(home=home, label_base_url=url, label_model="m", label_escalate_share=1, _env_file=None)
        with open_app(settings) as app:
            app.classifier.classify(texts)
        """
    )

    def start(url: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", script, str(tmp_path), url, json.dumps(texts)]
        return subprocess.Popen(command, cwd=ROOT)

    with serve(lambda number, body: time.sleep(0.02)) as server:
        process = start(server.base_url)
        while len(server.requests) < 250:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_app(Settings(home=tmp_path, _env_file=None)) as app:
        name = InstructLabeller("m", load_taxonomy(), load_lexicon()).name
        kept = app.label_cache.find(name, [text_key(text) for text in texts])
    assert 100 <= len(kept) < 400
    with serve() as again:
        assert start(again.base_url).wait() == 0
    assert set(again.texts()) == {text for text in texts if text_key(text) not in kept}
    assert set(again.texts().values()) == {1}


# --- the cache


def labels(sentiment: Sentiment = Sentiment.NEGATIVE, labeller: str = "a") -> Labels:
    return Labels(sentiment=sentiment, sentiment_confidence=0.5, labeller=labeller)


def test_the_first_answer_stands_and_labellers_are_kept_apart(bench: Bench) -> None:
    cache = bench.cache
    many = {f"k{n}": CachedLabels(labels(), n % 2 == 0) for n in range(7_000)}
    cache.keep("a", many)
    cache.keep("a", {"k1": CachedLabels(labels(Sentiment.POSITIVE))})
    cache.keep("b", {"k1": CachedLabels(labels(Sentiment.POSITIVE, "b"))})
    assert cache.find("a", [*many, "unknown"]) == many
    assert cache.find("b", list(many)) == {"k1": CachedLabels(labels(Sentiment.POSITIVE, "b"))}
    assert cache.find("a", []) == {}


def test_several_processes_write_the_cache_at_once(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from store.label_cache import CachedLabels
        from store.records import Labels, Sentiment
        from store.sqlite_label_cache import SqliteLabelCache
        cache = SqliteLabelCache(Path(sys.argv[1]))
        one = CachedLabels(Labels(sentiment=Sentiment.NEUTRAL, sentiment_confidence=1, labeller="a"))
        for n in range(20):
            cache.keep("a", {f"{sys.argv[2]}-{n}-{m}": one for m in range(10)})
        """
    )
    path = tmp_path / "operations.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(path), name], cwd=ROOT)
        for name in ("x", "y", "z")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    cache = SqliteLabelCache(path)
    keys = [f"{name}-{n}-{m}" for name in ("x", "y", "z") for n in range(20) for m in range(10)]
    assert len(cache.find("a", keys)) == 600
    cache.close()


# --- the command line

FEED = "评价,日期\n" + "".join(f"第{n}单我要退款，太慢了,2026-10-{n + 1:02d}\n" for n in range(20))


@pytest.fixture
def with_server(voiceloop: CommandLine) -> Callable[[LabelServer | str], CommandLine]:
    def made(server: LabelServer | str) -> CommandLine:
        url = server if isinstance(server, str) else server.base_url
        settings = {
            "label_base_url": url,
            "label_model": "m",
            "label_escalate_share": "1",
            "label_patience_s": "0.2",
            "label_api_key": "s3cret-key",
        }
        return CommandLine(voiceloop.folder, settings)

    return made


def test_ingest_labels_by_the_server_and_says_what_it_cost(
    with_server: Callable[[LabelServer | str], CommandLine], tmp_path: Path
) -> None:
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    with serve() as server:
        ran = with_server(server)("ingest", tmp_path / "feed.csv", "--no-index", "--json")
    assert ran.status == 0, ran.errors
    assert ran.document["stored"] == 20
    assert ran.document["labelling"]["escalated"] == 20
    assert ran.document["labelling"]["prompt_tokens"] == 2_000
    assert set(server.keys) == {"Bearer s3cret-key"}
    assert "s3cret-key" not in ran.output + ran.errors


def test_ingest_goes_on_without_the_server_and_says_so(
    with_server: Callable[[LabelServer | str], CommandLine], tmp_path: Path
) -> None:
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    ran = with_server(NOTHING_LISTENS)("ingest", tmp_path / "feed.csv", "--no-index")
    assert ran.status == 0, ran.errors
    assert "queued" in ran.errors
    assert "unreachable" in ran.errors
    with open_app(Settings(home=tmp_path / "home", _env_file=None)) as app:
        assert len(app.label_cache.queued()) == 20


def test_predict_asks_the_server(with_server: Callable[[LabelServer | str], CommandLine]) -> None:
    with serve() as server:
        ran = with_server(server)("label", "predict", "-", stdin="我要退款，慢\n很好\n")
    assert [line["labeller"].partition("-")[0] for line in ran.lines] == ["vllm", "embedded"]


def test_doctor_says_whether_the_server_serves_the_model(
    with_server: Callable[[LabelServer | str], CommandLine],
) -> None:
    def found(ran: Any) -> tuple[bool, str]:
        (one,) = [one for one in ran.document["checks"] if one["name"] == "label server"]
        return one["ok"], one["detail"]

    with serve() as server:
        assert found(with_server(server)("doctor", "--json"))[0]
        ok, detail = found(with_server(server)("doctor", "--json", label_model="other"))
        assert not ok and "'other'" in detail
    ok, detail = found(with_server(NOTHING_LISTENS)("doctor", "--json"))
    assert not ok and "ConnectError" in detail


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"label_model": ""}, "VOICELOOP_LABEL_MODEL"),
        ({"label_base_url": "localhost:8000"}, "http://"),
        ({"label_mode": "classify"}, "VOICELOOP_LABEL_OUTPUTS"),
        ({"label_mode": "classify", "label_outputs": "nowhere.json"}, "train_encoder"),
    ],
)
def test_a_wrong_setting_is_said(voiceloop: CommandLine, settings: dict[str, str], words: str) -> None:
    given = {"label_base_url": NOTHING_LISTENS, "label_model": "m", **settings}
    ran = voiceloop("label", "predict", "-", stdin="我要退款\n", **given)
    assert ran.status == 1
    assert words in ran.errors


def test_a_wrong_setting_is_an_error_of_ours(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, label_base_url=NOTHING_LISTENS, _env_file=None)
    with open_app(settings) as app, pytest.raises(ConfigError):
        _ = app.classifier
