from pathlib import Path

import pytest

from pipeline.taxonomy import load_taxonomy
from store.errors import ConfigError


def test_every_topic_has_names_and_departments_in_both_languages() -> None:
    taxonomy = load_taxonomy()
    assert {"service/response_speed", "product/performance", "logistics/speed"} <= set(taxonomy.paths)
    for path in taxonomy.entries:
        for language in ("zh", "en"):
            assert taxonomy.name(path, language)
            assert taxonomy.department(path, language)
    assert taxonomy.name("service/attitude", "zh") == "服务态度"
    assert taxonomy.department("logistics/speed", "en") == "Logistics"


def test_unknown_topic_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_taxonomy().name("service/magic", "zh")


def test_another_taxonomy_has_another_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "pack.yaml"
    file.write_text(
        "name: pack\nbranches:\n  ward:\n    name: {zh: 病房, en: Ward}\n"
        "    department: {zh: 护理部, en: Nursing}\n"
        "    topics:\n"
        "      meals: {name: {zh: 餐食, en: Meals}, department: {zh: 后勤部, en: Catering}}\n",
        encoding="utf-8",
    )
    pack = load_taxonomy(file)
    assert pack.paths == ("ward/meals",)
    assert pack.fingerprint != load_taxonomy().fingerprint


@pytest.mark.parametrize("text", ["", "branches: [1", "name: x\nbranches: {a: {name: {zh: 甲}}}"])
def test_a_damaged_taxonomy_is_a_config_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_taxonomy(file)
