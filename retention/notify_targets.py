"""Whom to tell of what: the targets of notify.yaml, or of one setting for every tier."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from retention.notifier import LogNotifier, Notifier
from retention.notifier_apprise import AppriseNotifier
from retention.notifier_webhook import WebhookNotifier
from retention.settings_file import read_as
from store.clock import Clock
from store.errors import ConfigError
from store.records import Tier

_LOG = "log"
_WEBHOOK = "webhook+"


class Target(BaseModel):
    """One address with what is told there. Empty `tiers` and `roles` are all; `scope`: only of these units.

    `name` is what logs and records call it, since the address may hold a secret. `languages`: one, or both in
    that order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=60)]
    url: SecretStr
    tiers: tuple[Tier, ...] = ()
    roles: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    languages: Annotated[tuple[Literal["zh", "en"], ...], Field(min_length=1)] = ("zh",)
    reports: bool = False

    def wants(self, tier: Tier, role: str) -> bool:
        """Whether an alert of this tier, for that role to deal with, is told here."""
        return (not self.tiers or tier in self.tiers) and (not self.roles or role in self.roles)


class Targets(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    targets: tuple[Target, ...]

    @model_validator(mode="after")
    def _named_once(self) -> "Targets":
        names = [target.name for target in self.targets]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two targets are called {', '.join(sorted(twice))}")
        return self


def load_targets(path: Path) -> tuple[Target, ...]:
    """Read the file; ConfigError naming what is wrong."""
    return read_as(Targets, path).targets


def targets_of(urls: str, language: Literal["zh", "en"]) -> tuple[Target, ...]:
    """A target for each of the addresses, comma separated, told of everything."""
    listed = [url.strip() for url in urls.split(",") if url.strip()]
    return tuple(
        Target(name=f"url-{at}", url=SecretStr(url), languages=(language,))
        for at, url in enumerate(listed, start=1)
    )


def notifier_of(target: Target, *, secret: SecretStr | None, clock: Clock) -> Notifier:
    """What delivers to a target; ConfigError, by the target's name, where its address cannot be used."""
    url = target.url.get_secret_value()
    try:
        if url.partition("://")[0] == _LOG:
            return LogNotifier()
        if not url.startswith(_WEBHOOK):
            return AppriseNotifier(url)
        if secret is None:
            raise ConfigError(
                "a webhook is signed, and VOICELOOP_NOTIFY_SECRET is not set",
                hint="make one: echo whsec_$(openssl rand -base64 32)",
            )
        return WebhookNotifier(url.removeprefix(_WEBHOOK), secret.get_secret_value(), clock)
    except ConfigError as error:
        raise ConfigError(f"notifications, target {target.name}: {error.message}", hint=error.hint) from None


def chosen(targets: Sequence[Target], tier: Tier, role: str) -> list[Target]:
    """Those that are told of an alert of this tier and role."""
    return [target for target in targets if target.wants(tier, role)]
