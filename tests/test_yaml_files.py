"""A key given twice in a YAML file would silently win over the first."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDERS = ("agent", "analytics", "evals", "pipeline", "prompts", "retention", "server", "store", "tools")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.yaml"))


class Strict(yaml.CSafeLoader):
    """Refuses a mapping that says a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"line {node.start_mark.line + 1}: {twice} given twice"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_key_is_given_twice(path: Path) -> None:
    assert path.stat().st_size
    with path.open(encoding="utf-8") as lines:
        yaml.load(lines, Strict)


def test_a_repeated_key_is_seen() -> None:
    with pytest.raises(AssertionError, match="given twice"):
        yaml.load("one: 1\ntwo: 2\none: 3\n", Strict)
