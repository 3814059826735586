import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store.errors import VoiceLoopError
from vectorstore.encoder_pool import EncoderPool
from vectorstore.use_embedder import MAX_CHARS, UseEmbedder, load_encoder, sanitise

TEXTS = [f"第{number}单的快递太慢了，等了{number % 9}天才收到，客服也不理人" for number in range(1600)]


@pytest.fixture(scope="module")
def embedder() -> Iterator[UseEmbedder]:
    with UseEmbedder() as opened:
        yield opened


def test_vectors_are_unit_float32_in_the_order_given(embedder: UseEmbedder) -> None:
    texts = ["物流很快", "delivery was fast", "酒店的早餐难吃", "物流很快"]
    vectors = embedder.embed_documents(texts)
    assert vectors.shape == (4, embedder.dimension) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert (vectors[0] == vectors[3]).all()
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]
    np.testing.assert_allclose(embedder.embed_query("酒店的早餐难吃"), vectors[2], atol=1e-5)


def test_no_texts_give_no_rows(embedder: UseEmbedder) -> None:
    assert embedder.embed_documents([]).shape == (0, 512)


def test_a_long_text_is_cut_and_costs_no_more(embedder: UseEmbedder) -> None:
    long = "很好用" * 1_000_000
    vectors = embedder.embed_documents([long, long[:MAX_CHARS]])
    assert (vectors[0] == vectors[1]).all()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=40))
@example("\ud83d")
@example("a\0b")
@example("\ud83d\ude00 好")
@example("")
@example("\u200b\ufeff\u0301")
def test_every_string_has_a_vector(embedder: UseEmbedder, text: str) -> None:
    vector = embedder.embed_query(text)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)


def test_sanitise_keeps_what_can_be_kept() -> None:
    assert sanitise("a\0b") == "a b"
    assert sanitise("\ud83d\ude00 好") == "😀 好"
    assert sanitise("坏\udc00字") == "坏\ufffd字"


def test_the_number_of_workers_changes_no_bit_and_a_killed_one_is_replaced(embedder: UseEmbedder) -> None:
    texts = [*TEXTS, "短", TEXTS[5]]
    alone = embedder.embed_documents(texts)
    assert (alone[-1] == alone[5]).all()
    with UseEmbedder(workers=2) as pooled:
        assert (pooled.embed_documents(texts) == alone).all()
        os.kill(pooled.worker_pids[0], signal.SIGKILL)
        with pytest.raises(VoiceLoopError, match="embedding process"):
            pooled.embed_documents(texts)
        assert (pooled.embed_documents(texts[:64]) == alone[:64]).all()


def test_a_killed_worker_is_an_error_and_not_a_hang() -> None:
    pool = EncoderPool(1, load_encoder)
    chunks = [TEXTS[start : start + 64] for start in range(0, 1600, 64)]
    pool.run(chunks[:1])  # the weights are loaded: what is killed is at work
    killer = threading.Timer(0.3, os.kill, (pool.pids[0], signal.SIGKILL))
    killer.start()
    # Large enough that the worker still has chunks to come when it dies.
    with pytest.raises(VoiceLoopError, match="embedding process") as caught:
        pool.run(chunks * 400)
    killer.join()
    assert "VOICELOOP_WORKERS" in caught.value.hint
    pool.close()


def test_workers_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        UseEmbedder(0)
