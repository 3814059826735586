"""Task changes as CloudEvents, signed, to an address of the company's own.

CloudEvents 1.0 in structured mode (github.com/cloudevents/spec), with the extensions `sequence` and
`partitionkey`; the signature is that of Standard Webhooks. A repetition has the same `id` and the same bytes:
the receiver drops what it has had by the id, which is also the `Idempotency-Key`.
"""

from datetime import datetime
from typing import Final

import orjson

from retention.crm_client import RemoteChanges, TaskNow
from retention.crm_http import CrmHttp
from retention.notifier_webhook import signature, signing_key
from store.clock import Clock
from store.crm import FedChange

EVENT_TYPE: Final = "org.voiceloop.task"
CONTENT_TYPE: Final = "application/cloudevents+json"
_WIDTH: Final = 12


class WebhookCrm:
    """A CrmClient that posts. `source` names this installation; `secret` is as for other webhooks."""

    def __init__(self, http: CrmHttp, secret: str, source: str, clock: Clock) -> None:
        self._key = signing_key(secret)
        self._http = http
        self._source = source
        self._clock = clock

    def deliver(self, now: TaskNow) -> str:
        """Post one change."""
        body = event(now.change, self._source)
        event_id = f"{now.change.task_id}/{now.change.number}"
        headers = signed(self._key, event_id, self._clock.now(), body)
        self._http.ask("POST", "", body=body, headers={**headers, "idempotency-key": event_id})
        return now.change.task_id

    def changed(self, cursor: str) -> RemoteChanges:
        """Nothing: such a CRM sends its changes by itself."""
        return RemoteChanges((), cursor, False)

    def prepare(self) -> list[str]:
        """Nothing is needed."""
        return []

    def close(self) -> None:
        """Release connections."""
        self._http.close()


def event(change: FedChange, source: str) -> bytes:
    """The CloudEvent of a change: the same bytes every time."""
    made = {
        "specversion": "1.0",
        "id": f"{change.task_id}/{change.number}",
        "source": source,
        "type": f"{EVENT_TYPE}.{'created' if 'created_at' in change.fields else 'changed'}",
        "subject": change.task_id,
        "time": change.at.isoformat(),
        "datacontenttype": "application/json",
        "sequence": f"{change.number:0{_WIDTH}d}",
        "partitionkey": change.task_id,
        "data": {
            "actor": change.actor,
            "changed": list(change.fields),
            "comments": list(change.comments),
            "task": change.task.model_dump(mode="json"),
        },
    }
    return orjson.dumps(made)


def signed(key: bytes, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which a receiver knows who sent it."""
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(key, event_id, at, body),
    }
