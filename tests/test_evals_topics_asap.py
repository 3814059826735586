import csv
from pathlib import Path

import pytest
import yaml

from evals import topics_asap
from evals.reports import read_report
from evals.topics_asap import measure, read_map
from pipeline.taxonomy import load_taxonomy

DATA = Path(__file__).parents[2] / "shared" / "data"
ASPECTS = 18


def test_every_aspect_is_mapped_once_or_reasoned_out() -> None:
    told = yaml.safe_load(Path(topics_asap.__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    mapped = [aspect for aspects in read_map().values() for aspect in aspects]
    assert len(mapped) == len(set(mapped))
    assert len(mapped) + len(told["none"]) == ASPECTS
    assert set(read_map()) <= set(load_taxonomy().paths)
    assert all(len(reason) > 20 for reason in told["none"].values())


def test_the_report_keeps_both_files_apart() -> None:
    sets = read_report("topics")["sets"]
    assert {name: one["n"] for name, one in sets.items()} == {
        "train_sample": 100,
        "dev_sample": 100,
        "both": 200,
    }


@pytest.mark.data
def test_topics_of_public_reviews() -> None:
    if not DATA.exists():
        pytest.skip("public data sets are absent: ../shared/data")
    with (DATA / "zh_asap_sample" / "dev_sample.csv").open(encoding="utf-8-sig") as lines:
        columns = set(next(csv.reader(lines)))
    assert {aspect for aspects in read_map().values() for aspect in aspects} <= columns
    held_out = measure(DATA)["sets"]["dev_sample"]
    assert held_out["macro_f1"] >= 0.75
    assert held_out["polarity"]["two_way"]["accuracy"] >= 0.85
