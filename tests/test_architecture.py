"""What no single module can promise: packages resolve to this checkout, and nothing local is in the files."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "store",
    "vectorstore",
    "pipeline",
    "analytics",
    "retention",
    "tools",
    "prompts",
    "agent",
    "server",
    "evals",
)
# The parts are joined so that this file does not name what it looks for.
FORBIDDEN = {
    "a path of one machine": r"/(?:root|Users|work)" + r"/[\w.]",
    "a package index": r"(?:--(?:extra-)?index-url|--find-links|index-url\s*=)" + r"[ =]",
    "a key": r"\b(?:sk-[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{30,})\b",
    "a merge left open": r"(?m)^(?:<{7} |>{7} )",
}
TEXT_SUFFIXES = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    ".cfg",
    ".ini",
    ".json",
    ".jsonl",
    ".example",
    "",
}


def test_each_package_resolves_inside_the_checkout_from_another_folder(tmp_path: Path) -> None:
    code = "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code, *PACKAGES], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = dict(zip(PACKAGES, done.stdout.splitlines(), strict=True))
    assert found == {name: str(ROOT / name / "__init__.py") for name in PACKAGES}


def test_every_package_with_code_is_installed() -> None:
    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    )
    here = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for name in PACKAGES
        for init in (ROOT / name).rglob("__init__.py")
    }
    assert here == listed


def test_no_package_takes_a_name_that_a_dependency_installs() -> None:
    for taken in ("schemas", "slack"):
        assert not (ROOT / taken).exists()
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin == str(ROOT / name / "__init__.py")


def tracked() -> list[Path]:
    """The files under version control; skips where there is none."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if done.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in done.stdout.decode().split("\0") if name]
    return [path for name in names if (path := ROOT / name).is_file()]


def test_no_tracked_file_holds_a_local_path_an_index_or_a_key() -> None:
    found = []
    for path in tracked():
        if path.suffix not in TEXT_SUFFIXES:
            continue
        text = path.read_text("utf-8")
        for what, pattern in FORBIDDEN.items():
            found += [f"{path.relative_to(ROOT)}: {what}: {hit[0]!r}" for hit in re.finditer(pattern, text)]
    assert found == []


def test_constraints_are_exact_versions_alone() -> None:
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[\w.+!-]+( ;.+)?", line.strip()), line


def test_the_environment_is_read_in_the_settings_alone() -> None:
    reads = re.compile(r"\bos\.(?:environ|getenv)\b|\benviron\[")
    found = [
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        if reads.search(path.read_text("utf-8"))
    ]
    assert found == []
