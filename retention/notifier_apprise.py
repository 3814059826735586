"""Notifications by apprise: WeCom, DingTalk, Feishu, Slack, e-mail and a hundred more, each by an address."""

import logging
from typing import Any

from retention.notifier import Notification, NotSent
from store.errors import ConfigError
from store.records import Tier

_KINDS = {Tier.RED: "failure", Tier.ORANGE: "warning", Tier.CALLBACK: "warning", Tier.YELLOW: "info"}


class AppriseNotifier:
    """One target of apprise. ConfigError where the address is none that apprise knows."""

    def __init__(self, url: str) -> None:
        import apprise

        # What it logs names addresses, and an address is a secret here.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._target: Any = apprise.Apprise()
        if not self._target.add(url):
            scheme = url.partition("://")[0] if "://" in url else ""
            raise ConfigError(
                f"apprise cannot use an address {scheme}://..." if scheme else "an address has no scheme",
                hint="see docs/notifications.md for those of WeCom, DingTalk, Feishu, Slack and e-mail",
            )

    def send(self, notification: Notification) -> None:
        """Send one; a text beyond the service's limit is split by apprise."""
        import apprise

        kind = _KINDS[notification.tier] if notification.tier else "info"
        try:
            arrived = self._target.notify(
                title=notification.title,
                body=notification.text,
                notify_type=kind,
                body_format=apprise.NotifyFormat.TEXT,
            )
        except TypeError:
            raise NotSent("apprise refused the notification", lasting=True) from None
        if not arrived:
            raise NotSent("the service did not take the notification")
