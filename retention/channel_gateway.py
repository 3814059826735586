"""Letters to the company's own gateway (SMS, WeChat, app push ...), as signed JSON.

Signed like notifications, by Standard Webhooks. The gateway knows customers by their id and delivers each
`webhook-id` once, however often it is posted; so a letter may be handed over again after a crash.
"""

from typing import Final

import orjson

from retention.customer_channel import Letter, NotReached
from retention.notifier_webhook import signature, signing_key
from store.clock import Clock
from store.errors import ConfigError

_TIMEOUT_S: Final = 10.0
# Worth another try, though the gateway has refused: it was too slow, too early or too much.
_PASSING: Final = frozenset({408, 425, 429})


class GatewayChannel:
    """Posts to one address. `secret`: `whsec_` and 24 to 64 bytes in base64. ConfigError for wrong ones."""

    name = "gateway"
    repeatable = True

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        if not url.startswith(("https://", "http://")):
            raise ConfigError("VOICELOOP_CUSTOMER_GATEWAY_URL begins with https:// (or http://)")
        self._url = url
        self._key = signing_key(secret, "VOICELOOP_CUSTOMER_GATEWAY_SECRET")
        self._clock = clock

    def address(self, customer_id: str) -> str | None:
        """The customer's id: the gateway knows where that leads."""
        return customer_id

    def send(self, letter: Letter) -> None:
        """Post one; anything but a 2xx answer is a failure, and redirections are not followed."""
        import httpx

        body = orjson.dumps(
            {"type": "customer.message", "data": letter.model_dump(mode="json", exclude={"address"})}
        )
        now = self._clock.now()
        headers = {
            "content-type": "application/json",
            "idempotency-key": letter.letter_id,
            "webhook-id": letter.letter_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature(self._key, letter.letter_id, now, body),
        }
        try:
            status = httpx.post(self._url, content=body, headers=headers, timeout=_TIMEOUT_S).status_code
        except httpx.InvalidURL:
            raise NotReached("the gateway's address is not one", lasting=True) from None
        except httpx.HTTPError as error:
            # Without its cause: that quotes the address.
            raise NotReached(f"the gateway cannot be reached ({type(error).__name__})") from None
        if not 200 <= status < 300:
            lasting = 300 <= status < 500 and status not in _PASSING
            raise NotReached(f"the gateway answered {status}", lasting=lasting)
