"""Policies tried on what was, before they decide, and watched beside the one that does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from agent.wiring_alerts import Alerting

if TYPE_CHECKING:
    from agent.policy_desk import PolicyDesk
    from retention.alert_scan import ScanReport
    from retention.shadow import ShadowWatch
    from retention.time_machine import TimeMachine
    from store.clock import MovableClock
    from store.operations import OperationStore

_SHADOW: Final = "shadow-*.sqlite*"


class Replaying(Alerting):
    """The loop with its time machine."""

    @cached_property
    def time_machine(self) -> "TimeMachine":
        """Does scans again by any policy."""
        from retention.replay import World
        from retention.time_machine import TimeMachine

        names = {language: self.taxonomy.titles(language) for language in ("zh", "en")}
        world = World(self.facts, self.operations, self.settings.zone, names, self.settings.language)
        return TimeMachine(world, self.policy_book, self.clock, _workshop)

    @property
    def shadow_watch(self) -> "ShadowWatch":
        """Scans by the shadow policy too, into a store of its own."""
        from retention.shadow import ShadowWatch

        return ShadowWatch(self.time_machine.world, self.policy_book, self.clock, self._shadow_store)

    @property
    def policy_desk(self) -> "PolicyDesk":
        """Where people read and change the policy; what is to be live is replayed first."""
        return replace(super().policy_desk, gate=self.time_machine.gate)

    def scan_alerts(self, actor: str) -> "ScanReport":
        """Scan once, tell the observers, and let the shadow policy follow."""
        report = super().scan_alerts(actor)
        self.shadow_watch.follow()
        return report

    @contextmanager
    def _shadow_store(self, version: int, clock: "MovableClock") -> "Iterator[OperationStore]":
        """The store of that version in shadow mode; those of others are of no use any more."""
        path = self._file(f"shadow-{version}.sqlite")
        for other in self.home.glob(_SHADOW):
            if not other.name.startswith(path.name):
                other.unlink(missing_ok=True)
        with _opened(path, clock) as store:
            yield store


@contextmanager
def _workshop(clock: "MovableClock") -> "Iterator[OperationStore]":
    with (
        TemporaryDirectory(prefix="voiceloop-replay-") as folder,
        _opened(Path(folder) / "alerts", clock) as made,
    ):
        yield made


@contextmanager
def _opened(path: Path, clock: "MovableClock") -> "Iterator[OperationStore]":
    from store.sqlite_operations import SqliteOperationStore

    store = SqliteOperationStore(path, clock)
    try:
        yield store
    finally:
        store.close()
