"""`label train`, `promote`, `rollback`, `models`, `apply` as a person runs them."""

import csv
import io
import json
from pathlib import Path

import pytest

from store.sqlite_operations import SqliteOperationStore
from tests.command_line import CommandLine

# A trade with words of its own: "翻车" and "拉胯" are blame here, "上头" and "绝绝子" are praise.
_BLAME = ("{}又翻车了", "{}真拉胯", "今天{}翻车", "{}拉胯得不行", "这家{}有点拉胯", "{}彻底翻车")
_PRAISE = ("{}太上头了", "{}绝绝子", "今天{}上头", "{}绝绝子啊", "这家{}让人上头", "{}真的上头")
_WHAT = ("奶茶", "蛋糕", "咖啡", "面包", "冰粉", "烤串", "小面", "米线", "甜品", "果茶", "凉皮", "卤味")


def _labelled(names: tuple[str, ...]) -> str:
    rows = [(form.format(what), "负面") for what in names for form in _BLAME]
    rows += [(form.format(what), "正面") for what in names for form in _PRAISE]
    sink = io.StringIO()
    csv.writer(sink).writerows([("text", "sentiment"), *rows])
    return sink.getvalue()


@pytest.fixture
def taught(voiceloop: CommandLine) -> CommandLine:
    voiceloop.ingest(
        voiceloop.write("feed.csv", _labelled(_WHAT[8:])), "--map", "text=text", "--map", "-=sentiment"
    )
    ran = voiceloop("label", "import", voiceloop.write("labels.csv", _labelled(_WHAT[:8])), "--json")
    assert ran.document["labelled"] == 96
    return voiceloop


def _accuracy(voiceloop: CommandLine) -> float:
    file = voiceloop.write("test.csv", _labelled(_WHAT[8:]))
    return float(voiceloop("label", "evaluate", file, "--json").document["accuracy"]["value"])


def _train(voiceloop: CommandLine, *args: str) -> dict[str, object]:
    ran = voiceloop("label", "train", "--json", *args)
    assert ran.status == 0, ran.output
    document: dict[str, object] = ran.document
    return document


def test_labels_make_it_better_on_texts_it_has_not_seen_and_rolling_back_undoes_it(
    taught: CommandLine,
) -> None:
    before = _accuracy(taught)
    report = taught("label", "train", "--json").document
    assert report["promoted"] is False
    assert report["sentiment"]["n"] == 96
    assert report["sentiment"]["mcnemar"]["gained"] > report["sentiment"]["mcnemar"]["lost"]
    assert _accuracy(taught) == before
    assert taught("label", "promote", report["model_id"], "--json").document["before"] is None
    after = _accuracy(taught)
    assert after >= 0.95
    assert before < 0.8
    name = json.loads(taught("label", "predict", "-", stdin="奶茶翻车了\n").output)["labeller"]
    assert name.endswith(f"+{report['model_id']}")
    back = taught("label", "rollback", "--json").document
    assert (back["left"], back["promoted"]) == (report["model_id"], None)
    assert _accuracy(taught) == before
    assert taught("label", "rollback", "--json").status == 2
    store = SqliteOperationStore(taught.home / "operations.sqlite")
    actions = [entry.action for entry in store.audit_entries()]
    store.close()
    assert actions == ["labels.promote", "labels.rollback"]


def test_the_same_labels_give_the_same_model(taught: CommandLine) -> None:
    first = _train(taught)
    assert _train(taught)["model_id"] == first["model_id"]
    assert len(taught("label", "models", "--json").document["models"]) == 1


def test_a_promoted_model_is_compared_by_what_it_said_before_it_knew(taught: CommandLine) -> None:
    first = taught("label", "train", "--promote", "--json").document
    assert first["promoted"] is True
    again = taught("label", "train", "--json").document
    assert again["model_id"] == first["model_id"]
    # Had it been asked about texts it learnt from, the first would look better than the second.
    assert again["sentiment"]["before"]["accuracy"] == first["sentiment"]["after"]["accuracy"]


def test_a_model_that_is_worse_is_refused(taught: CommandLine) -> None:
    taught("label", "train", "--promote", "--json")
    rows = list(csv.DictReader(io.StringIO(_labelled(_WHAT[:8]))))
    sink = io.StringIO()
    writer = csv.DictWriter(sink, ["text", "sentiment"])
    writer.writeheader()
    # Labels that contradict themselves at random cannot be learnt.
    for at, row in enumerate(rows):
        writer.writerow({**row, "sentiment": ("正面", "负面")[(at * 7919 % 13) % 2]})
    taught("label", "import", taught.write("labels.csv", sink.getvalue()), "--json")
    ran = taught("label", "train", "--promote", "--json")
    if ran.document["worse"]:
        assert ran.status == 1
        assert ran.document["promoted"] is False
        refused = taught("label", "promote", ran.document["model_id"], "--json")
        assert refused.status == 1
        assert "--force" in refused.document["hint"]
        forced = taught("label", "promote", ran.document["model_id"], "--force", "--json")
        assert forced.document["promoted"] == ran.document["model_id"]
    else:
        assert ran.document["promoted"] is True


def test_relabelling_says_what_it_will_do_does_it_and_then_has_nothing_to_do(taught: CommandLine) -> None:
    taught("label", "train", "--promote", "--json")
    shown = taught("label", "apply", "--dry-run", "--json").document
    assert shown["items"] == 48
    assert shown["fields"]["sentiment"] > 0
    share = taught("tool", "metric_stats", "--args", '{"metric": "positive_share"}').document["data"]["value"]
    done = taught("label", "apply", "--json").document
    assert done["changed_items"] == shown["changed_items"]
    after = taught("tool", "metric_stats", "--args", '{"metric": "positive_share"}').document["data"]["value"]
    assert after != share
    again = taught("label", "apply", "--json").document
    assert (again["changed_items"], again["already_current"]) == (0, 48)


def test_a_human_label_stays_on_top_when_the_store_is_relabelled(taught: CommandLine) -> None:
    items = taught("tool", "search_feedback", "--args", '{"query": "凉皮彻底翻车"}').document["data"]["items"]
    item = next(one for one in items if one["text"] == "凉皮彻底翻车")
    taught("label", "correct", item["id"], "--field", "sentiment", "--value", "中性", "--by", "李")
    taught("label", "train", "--promote", "--json")
    taught("label", "apply", "--json")
    items = taught("tool", "search_feedback", "--args", '{"query": "凉皮彻底翻车"}').document["data"]["items"]
    assert next(one for one in items if one["id"] == item["id"])["sentiment"] == "neutral"


def test_too_few_labels_are_said_and_may_be_learnt_from_all_the_same(voiceloop: CommandLine) -> None:
    voiceloop.ingest(voiceloop.write("feed.csv", "text\n奶茶又翻车了\n咖啡很好喝\n"), "--map", "text=text")
    ran = voiceloop("label", "train", "--json")
    assert (ran.status, "too few human labels" in ran.document["error"]) == (1, True)
    voiceloop("label", "import", voiceloop.write("one.csv", "text,sentiment\n奶茶又翻车了,负面\n"))
    assert "sentiment 1" in voiceloop("label", "train", "--json").document["error"]
    report = voiceloop("label", "train", "--min-labels", "1", "--json").document
    assert report["unmeasured"] == ["sentiment"]
    assert voiceloop("label", "promote", report["model_id"], "--json").status == 1
    assert voiceloop("label", "train", "--min-labels", "1", "--force", "--json").document["promoted"] is True
    said = json.loads(voiceloop("label", "predict", "-", stdin="奶茶又翻车了\n").output)
    assert said["sentiment"] == "negative"


def test_topics_and_intents_are_learnt_only_where_they_beat_the_rules(voiceloop: CommandLine) -> None:
    texts = [(f"{what}{form}", topic, intent) for what in _WHAT for form, topic, intent in _TOPICS]
    body = "text,topics,intent\n" + "".join(f"{text},{topic},{intent}\n" for text, topic, intent in texts)
    voiceloop("label", "import", voiceloop.write("l.csv", body), "--json")
    report = voiceloop("label", "train", "--min-topic", "10", "--json").document
    heads = {one["name"]: one for one in report["topics"]}
    assert heads["environment/comfort"]["taken"] is True
    assert heads["environment/comfort"]["after"] > heads["environment/comfort"]["before"]
    # The lexicon knows this one by heart: nothing is to be gained.
    assert heads["logistics/speed"]["taken"] is False
    assert report["choices"]["intent"]["taken"] is True
    voiceloop("label", "promote", report["model_id"])
    said = json.loads(voiceloop("label", "predict", "-", stdin="冷面出片率不行\n").output)
    assert "environment/comfort" in {topic["topic"] for topic in said["topics"]}
    assert said["intent"] == "other"


_TOPICS = (
    ("出片率超高", "环境/舒适度", "其他"),
    ("出片率不行", "舒适度", "其他"),
    ("配送速度太慢", "配送速度", "投诉"),
    ("送餐很慢很慢", "配送速度", "投诉"),
    ("很好吃", "口味", "表扬"),
)


def test_what_is_asked_wrongly_is_said(taught: CommandLine) -> None:
    assert taught("label", "train", "--field", "colour", "--json").status == 2
    assert "rules alone" in taught("label", "train", "--field", "risk", "--json").document["error"]
    ran = taught("label", "promote", "m-nothing", "--json")
    assert (ran.status, "none yet" in ran.document["hint"]) == (2, True)


def test_a_damaged_model_is_told_and_rolled_back(taught: CommandLine) -> None:
    report = taught("label", "train", "--promote", "--json").document
    weights: Path = taught.home / "models" / report["model_id"] / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-100])
    ran = taught("label", "evaluate", taught.write("t.csv", _labelled(_WHAT[8:])), "--json")
    assert ran.status == 1
    assert "rollback" in ran.document["hint"]
    assert taught("label", "rollback", "--json").status == 0
    assert 0 < _accuracy(taught) < 1


def test_the_tables_for_a_person(taught: CommandLine) -> None:
    shown = taught("label", "train")
    assert shown.status == 0
    assert "McNemar" in shown.output and "label promote m-" in shown.output
    assert "m-" in taught("label", "models").output
    assert "would change" in taught("label", "apply", "--dry-run").output
    assert "--yes" in taught("label", "apply").errors


def test_the_queue_of_a_label_server(taught: CommandLine) -> None:
    assert taught("label", "queue", "--json").document == {"counts": [], "texts": []}
    assert "nothing waits" in taught("label", "queue").output
    ran = taught("label", "queue", "--retry", "--json")
    assert (ran.status, "VOICELOOP_LABEL_BASE_URL" in ran.document["hint"]) == (1, True)
