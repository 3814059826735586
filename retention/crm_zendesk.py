"""Tasks as tickets in Zendesk, by its Support API v2 (developer.zendesk.com/api-reference/ticketing).

A ticket is found by its `external_id`; making one has an idempotency key, which Zendesk keeps for two hours.
The mark is a custom field and is set in the same request as a comment, and an update is refused where the
ticket has changed since it was read (`safe_update`): no comment comes twice.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import quote

from retention.crm_client import NotTaken, RemoteChanges, RemoteTask, TaskNow, shared
from retention.crm_http import CrmHttp
from retention.crm_words import body, subject
from retention.wording import Language
from store.clock import Clock
from store.errors import ConfigError
from store.records import Task, Tier

_TICKETS: Final = "/api/v2/tickets"
_FIELDS: Final = "/api/v2/ticket_fields.json"
_MARK: Final = "VoiceLoop change"
_VERDICT: Final = "VoiceLoop verdict"
_REASON: Final = "VoiceLoop verdict reason"
_KINDS: Final = {_MARK: "integer", _VERDICT: "tagger", _REASON: "text"}
# A value of such a field is also a tag of the ticket.
_PREFIX: Final = "voiceloop_"
_STATUSES: Final = {"waiting": "pending", "open": "open", "ended": "solved"}
_STANDING: Final = {"pending": "waiting", "solved": "ended", "closed": "ended"}
_URGENT: Final = {Tier.RED: "urgent", Tier.ORANGE: "high", Tier.CALLBACK: "high", Tier.YELLOW: "low"}
_LONGEST: Final = 60_000
_BEFORE: Final = timedelta(hours=1)


class ZendeskApi:
    """A CrmApi. `assignees`: names here to ids of agents; `requesters`: users have our customer ids."""

    def __init__(
        self,
        http: CrmHttp,
        assignees: Mapping[str, int],
        requesters: bool,
        language: Language,
        zone: tzinfo,
        clock: Clock,
    ) -> None:
        self._http = http
        self._assignees = assignees
        self._names = {remote: called for called, remote in assignees.items()}
        self._requesters = requesters
        self._language = language
        self._zone = zone
        self._clock = clock
        self._known: dict[str, int] = {}
        self.close = http.close

    def find(self, task_id: str) -> RemoteTask | None:
        """The ticket with that external id; the first one, should a person have made another."""
        found = self._http.ask("GET", f"{_TICKETS}.json", query={"external_id": task_id})
        tickets = sorted(found["tickets"], key=lambda one: int(one["id"]))
        return self._remote(tickets[0]) if tickets else None

    def create(self, now: TaskNow) -> str:
        """Make the ticket."""
        task, told = now.change.task, self._values(now, set(Task.model_fields))
        told["external_id"] = task.task_id
        told["comment"] = {"body": self._text(now), "public": False}
        requester = self._requester(task.customer_id)
        if requester is not None:
            told["requester_id"] = requester
        key = {"idempotency-key": f"{task.task_id}/{now.change.number}"}
        try:
            return str(
                self._http.ask("POST", f"{_TICKETS}.json", body={"ticket": told}, headers=key)["ticket"]["id"]
            )
        except NotTaken as error:
            if error.lasting and self.find(task.task_id) is not None:
                raise NotTaken("somebody has made the ticket meanwhile") from error
            raise

    def update(self, remote: RemoteTask, now: TaskNow, fields: Collection[str]) -> None:
        """Set these fields, the mark and a comment; refused where the ticket has changed meanwhile."""
        told = self._values(now, fields)
        comments = [] if now.change.actor == now.actor else list(now.change.comments)
        if {"summary", "advice"} & set(fields):
            comments.insert(0, self._text(now))
        if comments:
            told["comment"] = {"body": "\n\n".join(comments)[:_LONGEST], "public": False}
        told |= {"safe_update": True, "updated_stamp": f"{remote.changed_at:%Y-%m-%dT%H:%M:%SZ}"}
        self._http.ask("PUT", f"{_TICKETS}/{quote(remote.remote_id, safe='')}.json", body={"ticket": told})

    def changed(self, cursor: str) -> RemoteChanges:
        """Tickets of ours, by the incremental export, which leaves the last minute out and tells it later."""
        start = int((self._clock.now() - _BEFORE).timestamp())
        query = {"cursor": cursor} if cursor else {"start_time": str(start)}
        found = self._http.ask("GET", "/api/v2/incremental/tickets/cursor.json", query=query)
        mark = self._field(_MARK)
        ours = [
            self._remote(one)
            for one in found["tickets"]
            if one.get("external_id") and one["status"] != "deleted" and _custom(one, mark) is not None
        ]
        return RemoteChanges(ours, found["after_cursor"] or cursor, not found["end_of_stream"])

    def prepare(self) -> list[str]:
        """Make the custom fields where they are missing."""
        there = self._fields()
        missing = [title for title in _KINDS if title not in there]
        for title in missing:
            made: dict[str, Any] = {"title": title, "type": _KINDS[title]}
            if title == _VERDICT:
                options = ("accurate", "false_alarm")
                made["custom_field_options"] = [{"name": one, "value": f"{_PREFIX}{one}"} for one in options]
            self._http.ask("POST", _FIELDS, body={"ticket_field": made})
        return missing

    def _fields(self) -> dict[str, int]:
        found: dict[str, int] = {}
        query: dict[str, str] = {"page[size]": "100"}
        while True:
            page = self._http.ask("GET", _FIELDS, query=query)
            found |= {
                one["title"]: int(one["id"]) for one in page["ticket_fields"] if one.get("active", True)
            }
            if not page.get("meta", {}).get("has_more"):
                return found
            query["page[after]"] = page["meta"]["after_cursor"]

    def _field(self, title: str) -> int:
        if not self._known:
            known = self._fields()
            if missing := [one for one in _KINDS if one not in known]:
                raise ConfigError(
                    f"Zendesk has no ticket field {missing[0]!r}", hint="make it: voiceloop crm prepare"
                )
            self._known = known
        return self._known[title]

    def _requester(self, customer_id: str | None) -> int | None:
        if not self._requesters or not customer_id:
            return None
        found = self._http.ask("GET", "/api/v2/users/search.json", query={"external_id": customer_id})
        return int(found["users"][0]["id"]) if found["users"] else None

    def _values(self, now: TaskNow, fields: Collection[str]) -> dict[str, Any]:
        task = now.change.task
        values: dict[str, Any] = {"custom_fields": [{"id": self._field(_MARK), "value": now.change.number}]}
        if "status" in fields:
            values["status"] = _STATUSES[shared(task)["status"]]
        if "owner" in fields and task.owner in self._assignees:
            values["assignee_id"] = self._assignees[task.owner]
        if "due_at" in fields:
            values |= {"type": "task", "due_at": shared(task)["due_at"] or None}
        if "tier" in fields:
            values["priority"] = "normal" if task.tier is None else _URGENT[task.tier]
        if {"tier", "customer_id"} & set(fields):
            values["subject"] = subject(task, self._language)
        return values

    def _text(self, now: TaskNow) -> str:
        comments = () if now.remote_id else now.comments
        return body(now.change.task, self._language, self._zone, comments)[:_LONGEST]

    def _remote(self, ticket: Mapping[str, Any]) -> RemoteTask:
        assignee, due = ticket.get("assignee_id"), ticket.get("due_at")
        verdict = _custom(ticket, self._field(_VERDICT)) or ""
        return RemoteTask(
            remote_id=str(ticket["id"]),
            task_id=ticket["external_id"],
            mark=int(_custom(ticket, self._field(_MARK)) or 0),
            changed_at=datetime.fromisoformat(ticket["updated_at"]),
            values={
                "status": _STANDING.get(ticket["status"], "open"),
                "owner": self._names.get(assignee, f"zendesk:{assignee}") if assignee else "",
                "due_at": f"{datetime.fromisoformat(due):%Y-%m-%dT%H:%M:%SZ}" if due else "",
            },
            verdict=str(verdict).removeprefix(_PREFIX),
            reason=str(_custom(ticket, self._field(_REASON)) or ""),
            locked=ticket["status"] == "closed",
        )


def _custom(ticket: Mapping[str, Any], field: int) -> Any:
    return next((one["value"] for one in ticket.get("custom_fields", ()) if one["id"] == field), None)
