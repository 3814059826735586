"""Notifications as signed JSON to an address of the company's own.

The signature follows Standard Webhooks (github.com/standard-webhooks/standard-webhooks): the headers
webhook-id, webhook-timestamp and webhook-signature, `v1,` + base64(HMAC-SHA256(key, "id.timestamp.body")).
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Final

import orjson

from retention.notifier import Notification, NotSent
from store.clock import Clock
from store.errors import ConfigError

_PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_TIMEOUT_S: Final = 10.0
# Worth another try, though the receiver has refused: it was too slow, too early or too much.
_PASSING: Final = frozenset({408, 425, 429})


class WebhookNotifier:
    """Posts to one address. `secret`: `whsec_` and 24 to 64 bytes in base64."""

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        if not url.startswith(("https://", "http://")):
            raise ConfigError("a webhook's address begins with webhook+https:// (or webhook+http://)")
        self._url = url
        self._key = signing_key(secret)
        self._clock = clock

    def send(self, notification: Notification) -> None:
        """Post one; anything but a 2xx answer is a failure, and redirections are not followed."""
        import httpx

        body = orjson.dumps(
            {"type": notification.topic, "data": notification.model_dump(mode="json", exclude_none=True)}
        )
        now = self._clock.now()
        headers = {
            "content-type": "application/json",
            "webhook-id": notification.notification_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature(self._key, notification.notification_id, now, body),
        }
        try:
            status = httpx.post(self._url, content=body, headers=headers, timeout=_TIMEOUT_S).status_code
        except httpx.InvalidURL:
            raise NotSent("the address is not one", lasting=True) from None
        except httpx.HTTPError as error:
            # Without its cause: that quotes the address.
            raise NotSent(f"the webhook cannot be reached ({type(error).__name__})") from None
        if not 200 <= status < 300:
            lasting = 300 <= status < 500 and status not in _PASSING
            raise NotSent(f"the webhook answered {status}", lasting=lasting)


def signing_key(secret: str, setting: str = "VOICELOOP_NOTIFY_SECRET") -> bytes:
    """The bytes of a secret; ConfigError, naming the setting, where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ConfigError(
            f"{setting} is not 24 to 64 bytes in base64",
            hint="make one: echo whsec_$(openssl rand -base64 32)",
        )
    return key


def signature(key: bytes, notification_id: str, at: datetime, body: bytes) -> str:
    """What a receiver computes again from the headers and the body, to know who sent it."""
    signed = b".".join((notification_id.encode(), str(int(at.timestamp())).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
