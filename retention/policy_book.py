"""The versions of the policy: which one decides now, which one only watches, and how each came to be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from retention.policy import POLICY_FILE, Policy, parse_policy
from store.clock import Clock
from store.errors import ConfigError, Outdated, ToolInputError
from store.policy_versions import PolicyVersion, PolicyVersionStore

SHIPPED: Final = "release"
_VERSION_LINE: Final = re.compile(r"^version:[ \t]*\S*", re.MULTILINE)


@dataclass(frozen=True)
class PolicyBook:
    """All versions of one data folder's policy. The shipped file is version 1 until another is put.

    `version` of a policy given out is its number here, whatever its text said when it was put. ConfigError
    for a text that is no policy, StoreError and its kin for the file.
    """

    store: PolicyVersionStore
    clock: Clock

    def live(self) -> Policy:
        """The policy that decides."""
        return self._read(self.live_version())

    def live_version(self) -> PolicyVersion:
        """The version that decides, with its text."""
        return self.store.in_state("live") or self._shipped()

    def shadow(self) -> Policy | None:
        """The policy that is scanned beside the live one without consequences."""
        found = self.store.in_state("shadow")
        return None if found is None else self._read(found)

    def versions(self) -> list[PolicyVersion]:
        """Every version, newest first."""
        return self.store.versions() or [self._shipped()]

    def version(self, number: int) -> PolicyVersion:
        """One version with its text. ToolInputError for an unknown number."""
        found = self.store.version(number)
        if found is None and number == 1:
            return self._shipped()
        if found is None:
            raise ToolInputError(
                f"there is no policy version {number}", hint="`voiceloop policy history` lists them"
            )
        return found

    def policy(self, number: int) -> Policy:
        """One version as it is read. ToolInputError for an unknown number."""
        return self._read(self.version(number))

    def put(
        self,
        text: str,
        *,
        state: Literal["live", "shadow"],
        by: str,
        why: str,
        report: dict[str, Any] | None = None,
        made_from: int | None = None,
    ) -> PolicyVersion:
        """Keep a new version in that state; who held it before is retired.

        `report` is what a replay found. `made_from`: the live version the author started from; Outdated where
        another has become live since, so that no change is lost.
        """
        parse_policy(text)
        if not _VERSION_LINE.search(text):
            raise ConfigError(
                "policy: version must stand on a line of its own, as the number is written there"
            )
        return self._add(text, state, by, why, report=report, made_from=made_from)

    def revert(self, number: int, *, by: str, why: str) -> PolicyVersion:
        """Bring the text of an earlier version back, as a new version that is live.

        ToolInputError for an unknown number, and for the version that is live already.
        """
        earlier = self.version(number)
        if earlier.state == "live":
            raise ToolInputError(f"policy version {number} is live already")
        return self._add(earlier.text, "live", by, why, reverts=number)

    def promote(self, *, by: str, why: str, number: int | None = None) -> PolicyVersion:
        """Let the shadow policy decide from now on.

        ToolInputError where there is none, Outdated where it is no longer `number`.
        """
        found = self._in_shadow(number)
        return self.store.turn(found.number, "live", at=self.clock.now(), actor=by, why=why)

    def withdraw(self, *, by: str, why: str, number: int | None = None) -> PolicyVersion:
        """Stop scanning the shadow policy. Errors as `promote`."""
        found = self._in_shadow(number)
        return self.store.turn(found.number, "retired", at=self.clock.now(), actor=by, why=why)

    def settle(self) -> PolicyVersion:
        """The version that decides, kept for good before anything is decided by it.

        Where the release brings a newer default and no policy of the company's own is live, that default
        becomes a version, so that what an alert says of its version stays true.
        """
        shipped = self._shipped()
        live = self.store.in_state("live")
        if live is not None and (live.made_by != SHIPPED or _same(live.text, shipped.text)):
            return live

        def draw(number: int, known: Sequence[PolicyVersion]) -> PolicyVersion | None:
            now_live = _live(known)
            if now_live is not None and (now_live.made_by != SHIPPED or _same(now_live.text, shipped.text)):
                return None
            return _numbered(shipped, number)

        self.store.add(draw, first=shipped)
        return self.live_version()

    def _add(
        self,
        text: str,
        state: Literal["live", "shadow"],
        by: str,
        why: str,
        *,
        report: dict[str, Any] | None = None,
        made_from: int | None = None,
        reverts: int | None = None,
    ) -> PolicyVersion:
        now = self.clock.now()

        def draw(number: int, known: Sequence[PolicyVersion]) -> PolicyVersion:
            live = _live(known)
            if made_from is not None and live is not None and live.number != made_from:
                raise Outdated(
                    f"policy version {live.number} has become live since version {made_from} was read",
                    hint="read it again and repeat the change if it still makes sense",
                )
            drawn = PolicyVersion(
                number=number,
                text=text,
                state=state,
                made_by=by,
                why=why,
                at=now,
                report=report,
                reverts=reverts,
                live_from=now if state == "live" else None,
            )
            return _numbered(drawn, number)

        added = self.store.add(draw, first=self._shipped())
        assert added is not None
        return added

    def _in_shadow(self, number: int | None) -> PolicyVersion:
        found = self.store.in_state("shadow")
        if found is None:
            raise ToolInputError("no policy is in shadow mode")
        if number not in (None, found.number):
            raise Outdated(f"policy version {found.number} is in shadow mode, not {number}")
        return found

    def _shipped(self) -> PolicyVersion:
        now = self.clock.now()
        text = POLICY_FILE.read_text(encoding="utf-8")
        return PolicyVersion(number=1, text=text, state="live", made_by=SHIPPED, at=now, live_from=now)

    @staticmethod
    def _read(version: PolicyVersion) -> Policy:
        return parse_policy(version.text, f"policy version {version.number}")


def _live(known: Sequence[PolicyVersion]) -> PolicyVersion | None:
    return next((one for one in known if one.state == "live"), None)


def _numbered(version: PolicyVersion, number: int) -> PolicyVersion:
    """The version under that number, which its text says too."""
    text = _VERSION_LINE.sub(f"version: {number}", version.text, count=1)
    return version.model_copy(update={"number": number, "text": text})


def _same(text: str, other: str) -> bool:
    return _VERSION_LINE.sub("", text, count=1) == _VERSION_LINE.sub("", other, count=1)
