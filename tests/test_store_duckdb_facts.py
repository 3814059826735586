"""What only a DuckDB file can do to us: locks, kills, full disks, broken files, threads."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from store.duckdb_facts import DuckDBFactStore
from store.errors import StoreError, StoreFull, StoreLocked
from store.facts import Aggregate, Selection
from store.identity import text_key
from store.records import Feedback, LabelledFeedback, Outcome

ZONE = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).parents[1]
# What a writing process needs: batches of items that are all there or not at all.
WRITER = """
    import sys
    from hashlib import sha256
    from pathlib import Path
    from zoneinfo import ZoneInfo
    from store.duckdb_facts import DuckDBFactStore
    from store.records import Feedback, LabelledFeedback

    def batch(number, size):
        return [
            LabelledFeedback(
                feedback=Feedback(
                    feedback_id=f"{number}-{i}",
                    source=f"batch {number}",
                    text=sha256(f"{number}-{i}".encode()).hexdigest() * 20,
                    attributes={f"名{number}": "x"},
                ),
                batch_id=str(number),
            )
            for i in range(size)
        ]

    store = DuckDBFactStore(Path(sys.argv[1]), ZoneInfo("Asia/Shanghai"))
"""


def run_writer(path: Path, rest: str) -> "subprocess.Popen[str]":
    code = textwrap.dedent(WRITER) + textwrap.dedent(rest)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def items(count: int, start: int = 0) -> list[LabelledFeedback]:
    return [
        LabelledFeedback(
            feedback=Feedback(
                feedback_id=str(i),
                source="test",
                text=f"text {i}",
                occurred_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i),
            ),
            text_key=text_key(f"text {i}"),
        )
        for i in range(start, start + count)
    ]


def test_a_locked_file_names_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    owner = run_writer(path, "print('open', flush=True); sys.stdin.read()")
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"process {owner.pid}") as caught:
            DuckDBFactStore(path, ZONE)
        assert "HTTP" in caught.value.hint
    finally:
        owner.communicate("")
    DuckDBFactStore(path, ZONE).close()


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    writer = run_writer(
        path,
        """
        for number in range(1000):
            store.add_feedback(batch(number, 50))
            print(number, flush=True)
        """,
    )
    assert writer.stdout is not None
    confirmed = [int(writer.stdout.readline()) for _ in range(5)]
    os.kill(writer.pid, signal.SIGKILL)
    confirmed += [int(line) for line in writer.stdout]
    writer.wait()
    writer.stdout.close()
    assert writer.stdin is not None
    writer.stdin.close()
    store = DuckDBFactStore(path, ZONE)
    sizes = store.aggregate(Aggregate("volume", group_by=("batch_id",)))
    assert {group.n for group in sizes} == {50}
    stored = {int(group.key[0] or -1) for group in sizes}
    # At most the batch in flight may be there beyond those confirmed; none confirmed may be missing.
    assert set(confirmed) <= stored
    assert len(stored) <= len(confirmed) + 1
    assert all(f"名{number}" in store.catalogue().dimensions for number in stored)
    store.close()


def test_a_full_disk_writes_nothing_of_the_batch_and_the_store_lives_on(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    writer = run_writer(
        path,
        """
        import resource, signal
        from store.errors import StoreFull
        from store.facts import Selection
        store.add_feedback(batch(0, 50))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        room = max(f.stat().st_size for f in Path(sys.argv[1]).parent.iterdir()) + 200_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        refused = 0
        for number in range(1, 4):
            try:
                store.add_feedback(batch(number, 3000))
            except StoreFull as error:
                refused += 1
                assert "nothing of this batch" in error.message, error.message
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        held = store.count(Selection())
        store.add_feedback(batch(9, 10))
        print(refused, held, store.count(Selection()), flush=True)
        """,
    )
    out, _ = writer.communicate()
    assert writer.returncode == 0
    refused, held, after = (int(part) for part in out.split())
    assert refused >= 1
    assert held == 50 + (3 - refused) * 3000
    assert after == held + 10
    store = DuckDBFactStore(path, ZONE)
    assert store.count(Selection()) == after
    store.close()


def test_a_disk_that_fills_while_the_log_is_folded_in_loses_no_confirmed_batch(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    writer = run_writer(
        path,
        """
        import os, resource, signal, threading
        from store.errors import StoreFull
        from store.facts import Selection
        threading.Thread(target=lambda: store.count(Selection())).start()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000_000, resource.RLIM_INFINITY))
        confirmed = 0
        try:
            for number in range(40):
                big = batch(number, 200)
                store.add_feedback([
                    item.model_copy(update={
                        "feedback": item.feedback.model_copy(update={"text": os.urandom(20_000).hex()})
                    })
                    for item in big
                ])
                confirmed += 200
        except StoreFull:
            pass
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        held = store.count(Selection())
        store.add_feedback(batch(99, 10))
        print(confirmed, held, store.count(Selection()), flush=True)
        """,
    )
    out, _ = writer.communicate()
    assert writer.returncode == 0
    confirmed, held, after = (int(part) for part in out.split())
    assert 200 < confirmed < 40 * 200
    assert (held, after) == (confirmed, confirmed + 10)


def test_a_text_that_is_no_unicode_is_refused_whole(tmp_path: Path) -> None:
    store = DuckDBFactStore(tmp_path / "facts.duckdb", ZONE)
    broken = LabelledFeedback(feedback=Feedback(feedback_id="x", source="test", text="a\ud800b"))
    with pytest.raises(StoreError, match="'text' cannot be stored"):
        store.add_feedback([*items(3), broken])
    assert store.count(Selection()) == 0
    store.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    path.write_bytes(b"this is not a database " * 1000)
    with pytest.raises(StoreError, match=re.escape(str(path))) as caught:
        DuckDBFactStore(path, ZONE)
    assert not isinstance(caught.value, StoreLocked | StoreFull)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    store = DuckDBFactStore(path, ZONE)
    store.add_feedback(items(5000))
    store.close()
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError, match=re.escape(str(path))):
        reopened = DuckDBFactStore(path, ZONE)
        try:
            reopened.catalogue()
        finally:
            reopened.close()


def test_another_schema_is_refused(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "facts.duckdb"
    DuckDBFactStore(path, ZONE).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match="schema 999"):
        DuckDBFactStore(path, ZONE)


def test_threads_read_while_one_writes(tmp_path: Path) -> None:
    store = DuckDBFactStore(tmp_path / "facts.duckdb", ZONE)

    def read(_: int) -> int:
        return store.aggregate(Aggregate("volume"))[0].n

    with ThreadPoolExecutor(8) as pool:
        counts = [pool.submit(read, i) for i in range(40)]
        writes = [pool.submit(store.add_feedback, items(200, start=200 * i)) for i in range(10)]
        # The same batch from two threads is stored once.
        again = [pool.submit(store.add_feedback, items(200, start=200 * i)) for i in range(10)]
        new = [len(write.result()) + len(twin.result()) for write, twin in zip(writes, again, strict=True)]
        assert all(count.result() % 200 == 0 for count in counts)
    assert new == [200] * 10
    assert store.count(Selection()) == 2000
    store.close()


def test_the_catalogue_is_kept_for_the_next_process_until_a_write(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    store = DuckDBFactStore(path, ZONE)
    store.add_feedback(items(30))
    described = store.catalogue()
    store.close()
    store = DuckDBFactStore(path, ZONE)
    assert store.catalogue() == described
    store.close()
    store = DuckDBFactStore(path, ZONE)
    store.add_feedback(items(1, start=30))
    assert store.catalogue().items == 31
    store.close()


def test_another_zone_moves_the_clocks(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    store = DuckDBFactStore(path, ZONE)
    store.add_feedback(items(24 * 120))
    store.add_outcomes(
        [Outcome(customer_id="c", occurred_at=datetime(2026, 1, 1, tzinfo=UTC), outcome="churned")]
    )
    store.close()
    # Half-hour daylight saving: the least even of zones.
    zone = ZoneInfo("Australia/Lord_Howe")
    moved = DuckDBFactStore(path, zone)
    fresh = DuckDBFactStore(tmp_path / "other.duckdb", zone)
    fresh.add_feedback(items(24 * 120))
    for part in ("date", "hour"):
        question = Aggregate("volume", group_by=(part,))
        assert moved.aggregate(question) == fresh.aggregate(question)
    assert moved.aggregate(Aggregate("churn_rate", group_by=("hour",)))[0].key == ("11",)
    moved.close()
    fresh.close()
