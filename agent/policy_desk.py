"""Changing the policy on a person's behalf: admins, of everything; what is put was checked as a whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from retention.policy import Policy, parse_policy
from retention.policy_book import PolicyBook
from retention.policy_check import PolicyWarning, Surroundings, warnings_of
from retention.policy_diff import PolicyDifference, differences
from retention.policy_explained import Sentence, explained
from retention.wording import Language
from store.clock import Clock
from store.errors import NotPermitted, ToolInputError
from store.policy_versions import PolicyVersion
from tools.context import Asker


class Gate(Protocol):
    """Judges a change before it decides: the report that goes with it; ToolInputError where it is refused."""

    def __call__(self, candidate: Policy, *, forced: bool) -> Mapping[str, Any] | None:
        """Judge it."""
        ...


@dataclass(frozen=True)
class CheckedPolicy:
    """A valid policy with what makes no sense in it, and what it means in plain sentences."""

    policy: Policy
    warnings: list[PolicyWarning]
    sentences: list[Sentence]


@dataclass(frozen=True)
class PolicyDesk:
    """Where people read and change the policy: the command line, the API, the page.

    `around` gives what a policy refers to outside itself; `topic_names` those of a language by path; `gate`
    judges what is to be live (None: everything may be).
    """

    book: PolicyBook
    clock: Clock
    zone: ZoneInfo
    around: Callable[[], Surroundings]
    topic_names: Callable[[Language], Mapping[str, str]]
    gate: Gate | None = None

    def check(self, text: str, language: Language, *, name: str = "policy") -> CheckedPolicy:
        """Validate a text and tell what it means. ConfigError naming each wrong key."""
        policy, now = parse_policy(text, name), self.clock.now()
        return CheckedPolicy(
            policy,
            warnings_of(policy, now=now, zone=self.zone, around=self.around()),
            self.explained(policy, language, now),
        )

    def explained(self, policy: Policy, language: Language, now: datetime) -> list[Sentence]:
        """A policy in plain sentences."""
        names = self.topic_names(language)
        return explained(policy, language, now=now, zone=self.zone, topic_names=names)

    def differences(self, before: Policy, after: Policy) -> list[PolicyDifference]:
        """What differs, value by value."""
        return differences(before, after)

    def apply(
        self,
        text: str,
        asker: Asker,
        *,
        why: str,
        state: Literal["live", "shadow"] = "live",
        forced: bool = False,
        made_from: int | None = None,
        proof: Mapping[str, Any] | None = None,
    ) -> PolicyVersion:
        """Put a new version. One that is to be live passes the gate first; a shadow changes nothing.

        Its report is `proof`, what is known of it already, with what the gate found.
        ConfigError for a wrong policy, ToolInputError where it says what is live already or the gate refuses
        it, Outdated where another version than `made_from` is live.
        """
        require_admin(asker)
        candidate = parse_policy(text)
        live = self.book.live()
        if state == "live" and not differences(live, candidate):
            raise ToolInputError(f"nothing differs from policy version {live.version}, which is live")
        report = self._judged(candidate, forced) if state == "live" else None
        return self.book.put(
            text,
            state=state,
            by=asker.user,
            why=why,
            report={**(proof or {}), **(report or {})} or None,
            made_from=made_from,
        )

    def promote(
        self, asker: Asker, *, why: str, number: int | None = None, forced: bool = False
    ) -> PolicyVersion:
        """Let the shadow policy decide; it passes the gate first. Errors as `apply` and the book."""
        require_admin(asker)
        shadow = self.book.shadow()
        if shadow is not None:
            self._judged(shadow, forced)
        return self.book.promote(by=asker.user, why=why, number=number)

    def withdraw(self, asker: Asker, *, why: str, number: int | None = None) -> PolicyVersion:
        """Stop scanning the shadow policy."""
        require_admin(asker)
        return self.book.withdraw(by=asker.user, why=why, number=number)

    def revert(self, number: int, asker: Asker, *, why: str) -> PolicyVersion:
        """Bring an earlier version back at once: it was live before, so no gate is in the way."""
        require_admin(asker)
        return self.book.revert(number, by=asker.user, why=why)

    def _judged(self, candidate: Policy, forced: bool) -> Mapping[str, Any] | None:
        return None if self.gate is None else self.gate(candidate, forced=forced)


def require_admin(asker: Asker) -> None:
    """NotPermitted for anybody but an admin of everything: the policy is that of all units."""
    if asker.role != "admin":
        raise NotPermitted("not permitted: the policy is changed by an admin")
    if asker.scope:
        raise NotPermitted("not permitted: the policy is that of all units, and your key is for some")
