from pathlib import Path

import pytest
import yaml

from evals import intents
from evals.intents import cross_validated, read_support, rules_on_support
from evals.reports import read_report
from store.records import Intent

DATA = Path(__file__).parents[2] / "shared" / "data"


def test_the_map_speaks_of_our_intents_and_the_report_of_the_published_figures() -> None:
    told = yaml.safe_load(Path(intents.__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    for rule in told["bitext"].values():
        assert set(rule) < {"intent", "risk", "no_risk"} and len(rule) == 1
        assert set(rule.get("intent", [])) <= {intent.value for intent in Intent}
    report = read_report("intents")
    assert report["banking77"]["published"] == told["published"]["banking77"]
    assert (report["banking77"]["n"], report["banking77"]["intents"]) == (10_003, 77)
    assert report["support"]["intents"] == 27


def test_a_head_tells_intents_apart_that_it_has_not_seen_the_words_of_before() -> None:
    texts = [f"{ask} {thing} {number}" for number in range(10) for ask, thing in (("where is", "my card"),)]
    texts += [f"{ask} {thing} {number}" for number in range(10) for ask, thing in (("please cancel", "it"),)]
    figures = cross_validated(texts, ["card"] * 10 + ["cancel"] * 10)
    assert (figures["n"], figures["accuracy"], len(figures["folds"])) == (20, 1.0, 5)
    assert figures["low"] < 1.0


@pytest.mark.data
def test_rules_on_support_utterances() -> None:
    if not DATA.exists():
        pytest.skip("public data sets are absent: ../shared/data")
    found = rules_on_support(*read_support(DATA))
    for name in ("get_refund", "track_refund", "check_refund_policy", "delete_account", "complaint"):
        assert found[name]["right"] >= 0.8, name
