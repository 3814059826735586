"""The audit log of requests: nothing is lost at the end, the chain holds under threads, and who may read it."""

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.api_audit import AuditTrail
from server.audit_journal import AuditJournal
from store.clock import SystemClock
from store.errors import StoreError
from store.records import AuditEntry
from store.sqlite_operations import SqliteOperationStore
from tests.serving import Api


def trail(path: Path, busy_timeout_s: float = 10) -> tuple[SqliteOperationStore, AuditTrail]:
    store = SqliteOperationStore(path, busy_timeout_s=busy_timeout_s)
    return store, AuditTrail(store, SystemClock(), AuditJournal(path.parent))


def test_what_threads_record_is_one_whole_chain_after_closing(tmp_path: Path) -> None:
    store, audit = trail(tmp_path / "operations.sqlite")

    def work(name: str) -> None:
        for number in range(250):
            audit.add(name, "feedback.read", f"f{number}", {})

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    audit.close()
    assert store.verify_audit() == 2_000
    for name in ("t0", "t7"):
        mine = [e.subject for e in store.audit_entries() if e.actor == name]
        assert mine == [f"f{n}" for n in range(250)]
    store.close()


def test_a_locked_store_is_waited_for_and_told_where_it_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "operations.sqlite"
    store, audit = trail(path, busy_timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    audit.add("a", "feedback.read", "f1", {})
    with pytest.raises(StoreError, match="1 entries"):
        audit.close(patience_s=1)
    assert audit.failing
    other.execute("ROLLBACK")
    other.close()
    audit.close()
    assert not list(tmp_path.glob("audit.*"))
    assert store.verify_audit() == 1
    store.close()


def entry(number: int) -> AuditEntry:
    at = datetime(2026, 11, 22, 4, 0, 0, number, tzinfo=UTC)
    return AuditEntry(occurred_at=at, actor="a", action="feedback.read", subject=f"f{number}")


@pytest.mark.parametrize("committed", [False, True])
def test_what_a_killed_process_left_is_in_the_chain_once(tmp_path: Path, committed: bool) -> None:
    store = SqliteOperationStore(tmp_path / "operations.sqlite")
    left = AuditJournal(tmp_path)
    for number in range(3):
        left.add(entry(number))
    left.turn()
    if committed:
        store.audit_all([entry(number) for number in range(3)])
    left.add(entry(3))
    left.close()
    with (tmp_path / "audit.pending").open("ab") as file:
        file.write(b'{"occurred_at":"2026-11')
    assert AuditJournal(tmp_path).recover(store) == (1 if committed else 4)
    assert AuditJournal(tmp_path).recover(store) == 0
    assert [one.subject for one in store.audit_entries()] == ["f0", "f1", "f2", "f3"]
    store.close()


async def test_the_log_is_paged_filtered_and_read_by_administrators_alone(api: Api) -> None:
    admin, viewer = api.key("admin", name="root"), api.key("viewer", name="guest")
    assert (await api.client.get("/v1/audit", headers=viewer)).status_code == 403
    first = (await api.client.get("/v1/audit?limit=1", headers=admin)).json()
    assert [e["action"] for e in first["entries"]] == ["key.create"]
    second = await api.client.get(
        f"/v1/audit?limit=1&cursor={first['next_cursor']}&action=key.create", headers=admin
    )
    assert [e["number"] for e in second.json()["entries"]] == [1]
    assert second.json()["next_cursor"] is None
    reads = (await api.client.get("/v1/audit?actor=root&action=audit.read", headers=admin)).json()["entries"]
    assert len(reads) == 2
    assert reads[0]["detail"]["key"] == api.state.keys.all()[1].key_id
    assert api.state.app.operations.verify_audit() >= 4
