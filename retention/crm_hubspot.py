"""Tasks in HubSpot, by its CRM API v3 (api.hubapi.com; schemas: HubSpot/HubSpot-public-api-spec-collection).

HubSpot has no idempotency keys; it keeps the values of a property unique that was made so.
`voiceloop_task_id` is such a property, so a second task cannot come to be; `voiceloop_change` is the mark.
"""

import html
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import quote

from retention.crm_client import NotTaken, RemoteChanges, RemoteTask, TaskNow, shared
from retention.crm_http import CrmHttp
from retention.crm_words import body, subject
from retention.wording import Language
from store.records import Task, Tier

_TASKS: Final = "/crm/v3/objects/tasks"
_ID: Final = "voiceloop_task_id"
_MARK: Final = "voiceloop_change"
# The exact status: HubSpot has one for everything that has ended.
_STATUS: Final = "voiceloop_status"
_VERDICT: Final = "voiceloop_verdict"
_REASON: Final = "voiceloop_verdict_reason"
# HubSpot asks for a date where a task has none: what was put there, to know it again.
_UNDATED: Final = "voiceloop_undated"
_OWN: Final = (_ID, _MARK, _STATUS, _VERDICT, _REASON, _UNDATED)
_READ: Final = (*_OWN, "hs_task_status", "hs_timestamp", "hubspot_owner_id", "hs_lastmodifieddate")
_STATUSES: Final = {"waiting": "WAITING", "open": "NOT_STARTED", "ended": "COMPLETED"}
_STANDING: Final = {"WAITING": "waiting", "COMPLETED": "ended"}
_URGENT: Final = {Tier.RED: "HIGH", Tier.YELLOW: "LOW"}
_TASK_TO_CONTACT: Final = 204
_PAGE: Final = 100
_LONGEST: Final = 60_000
# The search index is a little behind, so the end of what was read is read again.
_OVERLAP: Final = timedelta(seconds=60)
_GROUP: Final = "voiceloop"


class HubspotApi:
    """A CrmApi. `owners`: names here to ids of HubSpot's owners; `contact_property` holds customer ids."""

    def __init__(
        self,
        http: CrmHttp,
        owners: Mapping[str, str],
        contact_property: str,
        language: Language,
        zone: tzinfo,
    ) -> None:
        self._http = http
        self._owners = owners
        self._names = {remote: name for name, remote in owners.items()}
        self._contact_property = contact_property
        self._language = language
        self._zone = zone
        self.close = http.close

    def find(self, task_id: str) -> RemoteTask | None:
        """The task with that id."""
        query = {"idProperty": _ID, "properties": ",".join(_READ)}
        found = self._http.ask("GET", f"{_TASKS}/{quote(task_id, safe='')}", query=query, missing=(404,))
        return None if found is None else self._remote(found)

    def create(self, now: TaskNow) -> str:
        """Make the task."""
        made: dict[str, Any] = {"properties": self._properties(now, set(Task.model_fields))}
        contact = self._contact(now.change.task.customer_id)
        if contact is not None:
            kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _TASK_TO_CONTACT}
            made["associations"] = [{"to": {"id": contact}, "types": [kind]}]
        try:
            return str(self._http.ask("POST", _TASKS, body=made)["id"])
        except NotTaken as error:
            if error.lasting and self.find(now.change.task_id) is not None:
                raise NotTaken("somebody has made the task meanwhile") from error
            raise

    def update(self, remote: RemoteTask, now: TaskNow, fields: Collection[str]) -> None:
        """Set these fields and the mark."""
        changed = {"properties": self._properties(now, fields)}
        self._http.ask("PATCH", f"{_TASKS}/{quote(remote.remote_id, safe='')}", body=changed)

    def changed(self, cursor: str) -> RemoteChanges:
        """Tasks of ours by when they were modified. The cursor: since (ms), page, newest seen (ms)."""
        since, after, newest = (*(cursor or "0").split("/"), "", "0")[:3]
        ours = {"propertyName": _ID, "operator": "HAS_PROPERTY"}
        later = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": since}
        asked: dict[str, Any] = {
            "filterGroups": [{"filters": [ours, later]}],
            "sorts": ["hs_lastmodifieddate"],
            "properties": list(_READ),
            "limit": _PAGE,
        }
        if after:
            asked["after"] = after
        found = self._http.ask("POST", f"{_TASKS}/search", body=asked)
        tasks = [self._remote(one) for one in found["results"]]
        top = max([int(newest), *(int(one.changed_at.timestamp() * 1000) for one in tasks)])
        following = found.get("paging", {}).get("next", {}).get("after")
        if following is not None:
            return RemoteChanges(tasks, f"{since}/{following}/{top}", True)
        overlap = top - int(_OVERLAP.total_seconds() * 1000)
        return RemoteChanges(tasks, str(max(int(since), overlap)), False)

    def prepare(self) -> list[str]:
        """Make the properties where they are missing."""
        groups = "/crm/v3/properties/tasks/groups"
        if self._http.ask("GET", f"{groups}/{_GROUP}", missing=(404,)) is None:
            self._http.ask("POST", groups, body={"name": _GROUP, "label": "VoiceLoop", "displayOrder": -1})
        made = []
        for name in _OWN:
            if self._http.ask("GET", f"/crm/v3/properties/tasks/{name}", missing=(404,)) is None:
                self._http.ask("POST", "/crm/v3/properties/tasks", body=_property(name))
                made.append(name)
        return made

    def _contact(self, customer_id: str | None) -> str | None:
        if not self._contact_property or not customer_id:
            return None
        path = f"/crm/v3/objects/contacts/{quote(customer_id, safe='')}"
        found = self._http.ask("GET", path, query={"idProperty": self._contact_property}, missing=(404,))
        return None if found is None else str(found["id"])

    def _properties(self, now: TaskNow, fields: Collection[str]) -> dict[str, str]:
        task = now.change.task
        values = {_MARK: str(now.change.number)}
        if "task_id" in fields:
            values[_ID] = task.task_id
        if "status" in fields:
            values |= {"hs_task_status": _STATUSES[shared(task)["status"]], _STATUS: task.status.value}
        if "owner" in fields and task.owner in self._owners:
            values["hubspot_owner_id"] = self._owners[task.owner]
        if "due_at" in fields:
            put = f"{task.due_at or task.created_at:%Y-%m-%dT%H:%M:%SZ}"
            values |= {"hs_timestamp": put, _UNDATED: "" if task.due_at else put}
        if "tier" in fields:
            by_call = task.tier not in (None, Tier.YELLOW)
            urgent = "MEDIUM" if task.tier is None else _URGENT.get(task.tier, "MEDIUM")
            values |= {"hs_task_priority": urgent, "hs_task_type": "CALL" if by_call else "TODO"}
        if {"tier", "customer_id"} & set(fields):
            values["hs_task_subject"] = subject(task, self._language)
        if {"summary", "advice", "owner", "due_at"} & set(fields) or now.change.comments:
            text = body(task, self._language, self._zone, now.comments)
            values["hs_task_body"] = html.escape(text)[:_LONGEST].replace("\n", "<br>")
        return values

    def _remote(self, found: Mapping[str, Any]) -> RemoteTask:
        said = {name: value or "" for name, value in found["properties"].items()}
        owner, due = said.get("hubspot_owner_id", ""), _time(said.get("hs_timestamp", ""))
        undated = due is None or due == _time(said.get(_UNDATED, ""))
        mark = said.get(_MARK, "")
        return RemoteTask(
            remote_id=str(found["id"]),
            task_id=said[_ID],
            mark=int(mark) if mark.isascii() and mark.isdigit() else 0,
            changed_at=_time(said.get("hs_lastmodifieddate", "")) or _time(found["updatedAt"]),
            values={
                "status": _STANDING.get(said.get("hs_task_status", ""), "open"),
                "owner": self._names.get(owner, f"hubspot:{owner}" if owner else ""),
                "due_at": "" if undated else f"{due:%Y-%m-%dT%H:%M:%SZ}",
            },
            verdict=said.get(_VERDICT, ""),
            reason=said.get(_REASON, ""),
        )


def _property(name: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "label": name.replace("_", " ").replace("voiceloop", "VoiceLoop"),
        "groupName": _GROUP,
        "type": "string",
        "fieldType": "text",
    }
    if name == _VERDICT:
        options = ("accurate", "false_alarm")
        told = [
            {"label": one, "value": one, "displayOrder": at, "hidden": False}
            for at, one in enumerate(options)
        ]
        return made | {"type": "enumeration", "fieldType": "select", "options": told}
    return made | {"hasUniqueValue": name == _ID}


def _time(told: str) -> datetime | None:
    """HubSpot writes times in ISO 8601, or in milliseconds."""
    if not told:
        return None
    if told.isascii() and told.isdigit():
        return datetime.fromtimestamp(int(told) / 1000, UTC)
    return datetime.fromisoformat(told).astimezone(UTC)
