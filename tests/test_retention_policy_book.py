"""The versions of the policy: numbered, one live, one shadow, reverted by a new one, safe in two processes."""

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from retention.alert_scan import AlertScan
from retention.policy import POLICY_FILE, load_policy
from retention.policy_book import PolicyBook
from store.clock import FixedClock
from store.errors import ConfigError, Outdated, ToolInputError
from store.sqlite_operations import SqliteOperationStore
from store.sqlite_policy_versions import SqlitePolicyVersions
from tests.retention_world import NOW, ZONE, World

SHIPPED = POLICY_FILE.read_text(encoding="utf-8")
STRICTER = SHIPPED.replace("threshold: 60 ", "threshold: 70 ")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[PolicyBook]:
    store = SqlitePolicyVersions(tmp_path / "operations.sqlite")
    yield PolicyBook(store, FixedClock(NOW))
    store.close()


def test_the_shipped_policy_is_version_one_until_another_is_put(book: PolicyBook) -> None:
    assert book.live() == load_policy()
    assert [one.number for one in book.versions()] == [1]
    assert book.shadow() is None
    put = book.put(STRICTER, state="live", by="ann", why="stricter")
    assert (put.number, book.live().version, book.live().health.threshold) == (2, 2, 70)
    assert "\nversion: 2\n" in put.text
    assert [(one.number, one.state) for one in book.versions()] == [(2, "live"), (1, "retired")]
    assert book.policy(1) == load_policy()
    assert book.version(1).live_until == book.version(2).live_from == NOW


def test_a_shadow_is_beside_the_live_one_then_decides_or_goes(book: PolicyBook) -> None:
    book.put(STRICTER, state="shadow", by="ann", why="try", report={"appear": 3})
    shadow = book.shadow()
    assert shadow is not None
    assert (shadow.version, book.live().version) == (2, 1)
    book.put(STRICTER, state="shadow", by="ann", why="again")
    assert [one.state for one in book.versions()] == ["shadow", "retired", "live"]
    with pytest.raises(Outdated, match="version 3 is in shadow mode, not 2"):
        book.promote(by="ann", why="good", number=2)
    assert book.promote(by="ann", why="good").number == 3
    assert (book.live().version, book.shadow()) == (3, None)
    book.put(SHIPPED, state="shadow", by="ann", why="back?")
    assert book.withdraw(by="ann", why="no").state == "retired"
    with pytest.raises(ToolInputError, match="no policy is in shadow mode"):
        book.withdraw(by="ann", why="no")
    report = book.version(2).report
    assert report == {"appear": 3}


def test_going_back_is_a_new_version_with_the_old_text(book: PolicyBook) -> None:
    book.put(STRICTER, state="live", by="ann", why="stricter")
    back = book.revert(1, by="bob", why="too many calls")
    assert (back.number, back.reverts, book.live().health.threshold) == (3, 1, 60)
    with pytest.raises(ToolInputError, match="live already"):
        book.revert(3, by="bob", why="")
    with pytest.raises(ToolInputError, match="no policy version 9"):
        book.revert(9, by="bob", why="")


def test_a_wrong_policy_is_refused_whole_and_each_wrong_key_is_named(book: PolicyBook) -> None:
    wrong = SHIPPED.replace("threshold: 60 ", "threshold: 600 ") + "\nsurprise: 1\n"
    with pytest.raises(ConfigError, match=r"policy: health\.threshold: .*; surprise: "):
        book.put(wrong, state="live", by="ann", why="")
    with pytest.raises(ConfigError, match="not valid YAML"):
        book.put("tiers: [", state="live", by="ann", why="")
    assert [one.number for one in book.versions()] == [1]


def test_a_change_made_from_an_older_version_is_refused(book: PolicyBook) -> None:
    book.put(STRICTER, state="live", by="ann", why="", made_from=1)
    with pytest.raises(Outdated, match="version 2 has become live since version 1 was read"):
        book.put(SHIPPED, state="live", by="bob", why="", made_from=1)


def test_a_newer_default_of_the_release_becomes_a_version_of_its_own(
    book: PolicyBook, tmp_path: Path
) -> None:
    assert (book.settle().number, book.settle().number) == (1, 1)
    with sqlite3.connect(tmp_path / "operations.sqlite") as raw:
        raw.execute("UPDATE policy_version SET text = replace(text, 'base: 75', 'base: 80')")
    assert book.live().health.base == 80
    assert (book.settle().number, book.live().health.base) == (2, 75)
    book.put(STRICTER, state="live", by="ann", why="ours")
    with sqlite3.connect(tmp_path / "operations.sqlite") as raw:
        raw.execute("UPDATE policy_version SET text = replace(text, 'base: 75', 'base: 80')")
    assert (book.settle().number, book.live().health.base) == (3, 80)


def test_every_change_is_in_the_audit(book: PolicyBook, tmp_path: Path) -> None:
    book.put(STRICTER, state="shadow", by="ann", why="try")
    book.promote(by="bob", why="good")
    operations = SqliteOperationStore(tmp_path / "operations.sqlite")
    lines = [(one.actor, one.action, one.subject) for one in operations.audit_entries()]
    operations.close()
    assert [one for one in lines if one[1].startswith("policy.")] == [
        ("release", "policy.put", "policy 1"),
        ("ann", "policy.put", "policy 2"),
        ("bob", "policy.live", "policy 2"),
    ]


def test_two_processes_that_put_at_once_get_two_numbers(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from retention.policy import POLICY_FILE
        from retention.policy_book import PolicyBook
        from store.clock import SystemClock
        from store.sqlite_policy_versions import SqlitePolicyVersions
        store = SqlitePolicyVersions(Path(sys.argv[1]))
        book = PolicyBook(store, SystemClock())
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(5):
            book.put(POLICY_FILE.read_text(encoding="utf-8"), state="live", by="x", why="")
        store.close()
    """
    path = str(tmp_path / "operations.sqlite")
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for run in runs:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
    for run in runs:
        run.communicate("go\n")
    assert [run.returncode for run in runs] == [0, 0]
    store = SqlitePolicyVersions(Path(path))
    versions = PolicyBook(store, FixedClock(NOW)).versions()
    store.close()
    assert [one.number for one in versions] == list(range(11, 0, -1))
    assert [one.state for one in versions] == ["live"] + ["retired"] * 10


def test_the_scan_looks_at_everybody_again_under_another_version(tmp_path: Path, book: PolicyBook) -> None:
    world = World(tmp_path)
    world.says("c1", 1, "再不处理我就退订", signals=("cancel",))
    world.context()
    clock = FixedClock(NOW + timedelta(minutes=5))
    scan = AlertScan(world.facts, world.operations, clock, ZONE, {}, book.live)
    assert (scan.run().assessed, scan.run().assessed) == (1, 0)
    book.put(SHIPPED, state="live", by="ann", why="the same words under another number")
    assert (scan.run().assessed, scan.run().assessed) == (1, 0)
    world.close()
