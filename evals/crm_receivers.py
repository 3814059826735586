"""HubSpot, Zendesk and a company's own receiver, as far as tasks go; each keeps what took effect."""

import base64
import hashlib
import hmac
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from evals.crm_stand_in import Answer, Asked, Schema
from retention.crm_client import CrmClient
from retention.crm_settings import CrmSettings, client_of
from store.clock import Clock

HUBSPOT = Schema(Path(__file__).with_name("crm_hubspot.yaml"))
ZENDESK = Schema(Path(__file__).with_name("crm_zendesk.yaml"))
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


Kind = Literal["hubspot", "zendesk", "webhook"]
OWNERS: Final = {"王芳": 64492917, "李雷": 64492918}


@dataclass
class Effects:
    """Numbers of changes by task, as they took effect: each once, in order, is what must come out."""

    by_task: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


class Hubspot(Effects):
    """Properties must have been made; a unique one lets no second object be."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.made: dict[str, dict[str, Any]] = {}
        self.groups: set[str] = set()
        self.tasks: dict[str, dict[str, str]] = {}
        self.contacts: dict[str, str] = {}
        self.associations: dict[str, list[str]] = {}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body."""
        if asked.headers.get("authorization") != "Bearer pat-1":
            raise Answer(401, {"category": "INVALID_AUTHENTICATION"})
        path = asked.path.removeprefix("/crm/v3/")
        if path.startswith("properties/tasks/groups"):
            return self._group(asked)
        if path.startswith("properties/tasks"):
            return self._property(asked)
        if path.startswith("objects/contacts/"):
            return 200, _object(self.contacts.get(asked.found["id"]) or _missing(), {}, self.clock)
        if path == "objects/tasks/search":
            return self._search(asked.body)
        return self._task(asked)

    def edit(self, task_id: str, **values: str) -> None:
        """What a person does in HubSpot."""
        self._write(self._by_id(task_id), values)

    def task(self, task_id: str) -> dict[str, str]:
        """Its properties."""
        return self.tasks[self._by_id(task_id)]

    def _by_id(self, task_id: str) -> str:
        found = [key for key, one in self.tasks.items() if one.get("voiceloop_task_id") == task_id]
        assert len(found) <= 1, f"{task_id} is there {len(found)} times"
        return found[0] if found else _missing()

    def _task(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            values = asked.body["properties"]
            self._valid(values)
            for one in self.tasks.values():
                if values["voiceloop_task_id"] == one.get("voiceloop_task_id"):
                    raise Answer(400, {"category": "VALIDATION_ERROR", "message": "already has that value"})
            key = str(500 + len(self.tasks))
            self.tasks[key] = {}
            self.associations[key] = [one["to"]["id"] for one in asked.body.get("associations", ())]
            self._apply(key, values)
            return 201, self._shown(key)
        by_ours = asked.query.get("idProperty") == "voiceloop_task_id"
        key = self._by_id(asked.found["id"]) if by_ours else asked.found["id"]
        if key not in self.tasks:
            _missing()
        if asked.method == "PATCH":
            self._valid(asked.body["properties"])
            self._apply(key, asked.body["properties"])
        return 200, self._shown(key)

    def _apply(self, key: str, values: dict[str, str]) -> None:
        self._write(key, values)
        if "voiceloop_change" in values:
            self.by_task[self.tasks[key]["voiceloop_task_id"]].append(int(values["voiceloop_change"]))

    def _write(self, key: str, values: dict[str, str]) -> None:
        self.tasks[key] |= values
        self.tasks[key]["hs_lastmodifieddate"] = f"{self.clock.now():%Y-%m-%dT%H:%M:%S.%f}"[:23] + "Z"

    def _valid(self, values: dict[str, str]) -> None:
        for name, value in values.items():
            if name not in self.made and name not in HUBSPOT.properties:
                raise ValueError(f"no property {name}")
            if name in HUBSPOT.properties and not re.match(HUBSPOT.properties[name], value):
                raise ValueError(f"{name} cannot be {value!r}")

    def _search(self, body: Any) -> tuple[int, Any]:
        (group,) = body["filterGroups"]
        found = sorted(self.tasks, key=lambda key: self.tasks[key]["hs_lastmodifieddate"])
        for one in group["filters"]:
            name = one["propertyName"]
            if one["operator"] == "HAS_PROPERTY":
                found = [key for key in found if self.tasks[key].get(name)]
            else:
                assert one["operator"] == "GTE"
                since = datetime.fromtimestamp(int(one["value"]) / 1000, UTC)
                found = [key for key in found if datetime.fromisoformat(self.tasks[key][name]) >= since]
        at, limit = int(body.get("after", 0)), body["limit"]
        told: dict[str, Any] = {
            "total": len(found),
            "results": [self._shown(key) for key in found[at : at + limit]],
        }
        if at + limit < len(found):
            told["paging"] = {"next": {"after": str(at + limit)}}
        return 200, told

    def _shown(self, key: str) -> dict[str, Any]:
        return _object(key, dict(self.tasks[key]), self.clock)

    def _group(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            self.groups.add(asked.body["name"])
            return 201, asked.body
        return (200, {"name": asked.found["id"]}) if asked.found["id"] in self.groups else _missing()

    def _property(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            if asked.body["groupName"] not in self.groups:
                raise ValueError("no such group")
            self.made[asked.body["name"]] = asked.body
            return 201, asked.body
        found = self.made.get(asked.found["id"])
        return (200, found) if found else _missing()


class Zendesk(Effects):
    """Keys are kept for two hours; an update with a stamp that is too old is refused."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.fields: list[dict[str, Any]] = []
        self.tickets: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[str]] = defaultdict(list)
        self.keys: dict[str, tuple[datetime, bytes, int]] = {}
        self.users: dict[str, int] = {}
        self.log: list[int] = []

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body."""
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(b"a@b.cn/token:t").decode():
            raise Answer(401, {"error": "Couldnt authenticate you"})
        match asked.method, asked.path.removeprefix("/api/v2/").split("/")[0].removesuffix(".json"):
            case "GET", "ticket_fields":
                return 200, {"ticket_fields": self.fields, "meta": {"has_more": False}}
            case "POST", "ticket_fields":
                told = asked.body["ticket_field"] | {"id": 900 + len(self.fields), "active": True}
                self.fields.append(told)
                return 201, {"ticket_field": told}
            case "GET", "users":
                found = self.users.get(asked.query["external_id"])
                return 200, {"users": [{"id": found}] if found else []}
            case "GET", "incremental":
                return self._export(asked)
            case "GET", "tickets":
                told_id = asked.query["external_id"]
                return 200, {
                    "tickets": [one for one in self.tickets.values() if one["external_id"] == told_id]
                }
            case "POST", "tickets":
                return self._create(asked)
            case _:
                return self._update(asked)

    def ticket(self, task_id: str) -> dict[str, Any]:
        """The one ticket of a task."""
        (found,) = [one for one in self.tickets.values() if one["external_id"] == task_id]
        return found

    def custom(self, ticket: dict[str, Any], title: str) -> Any:
        """The value of a custom field by its title."""
        number = next(one["id"] for one in self.fields if one["title"] == title)
        return next((one["value"] for one in ticket["custom_fields"] if one["id"] == number), None)

    def edit(self, task_id: str, custom: dict[str, Any] | None = None, **values: Any) -> None:
        """What a person does in Zendesk."""
        ticket = self.ticket(task_id)
        numbers = {one["title"]: one["id"] for one in self.fields}
        fields = [{"id": numbers[title], "value": value} for title, value in (custom or {}).items()]
        self._write(ticket, {**values, "custom_fields": fields})

    def _create(self, asked: Asked) -> tuple[int, Any]:
        key = asked.headers["idempotency-key"]
        known = self.keys.get(key)
        if known is not None and self.clock.now() - known[0] < timedelta(hours=2):
            if known[1] != asked.raw:
                raise Answer(400, {"error": "IdempotentRequestError"})
            return 201, {"ticket": self.tickets[known[2]]}
        values = dict(asked.body["ticket"])
        number = 3 + len(self.tickets)
        self.tickets[number] = {
            "id": number,
            "status": "new",
            "external_id": None,
            "assignee_id": None,
            "due_at": None,
            "custom_fields": [{"id": one["id"], "value": None} for one in self.fields],
        }
        self.keys[key] = (self.clock.now(), asked.raw, number)
        self._apply(self.tickets[number], values)
        return 201, {"ticket": self.tickets[number]}

    def _update(self, asked: Asked) -> tuple[int, Any]:
        ticket = self.tickets.get(int(asked.found["id"])) or _missing()
        values = dict(asked.body["ticket"])
        if values.pop("safe_update", False) and values.pop("updated_stamp") < ticket["updated_at"]:
            raise Answer(409, {"error": "UpdateConflict"})
        if ticket["status"] == "closed":
            raise Answer(422, {"error": "RecordInvalid"})
        self._apply(ticket, values)
        return 200, {"ticket": ticket}

    def _apply(self, ticket: dict[str, Any], values: dict[str, Any]) -> None:
        comment = values.pop("comment", None)
        self._write(ticket, values)
        if comment is not None:
            self.comments[ticket["id"]].append(comment["body"])
        self.by_task[ticket["external_id"]].append(self.custom(ticket, "VoiceLoop change"))

    def _write(self, ticket: dict[str, Any], values: dict[str, Any]) -> None:
        for one in values.pop("custom_fields", ()):
            next(known for known in ticket["custom_fields"] if known["id"] == one["id"])["value"] = one[
                "value"
            ]
        ticket |= values
        ticket["updated_at"] = f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        self.log.append(ticket["id"])

    def _export(self, asked: Asked) -> tuple[int, Any]:
        at = int(asked.query["cursor"]) if "cursor" in asked.query else 0
        changed = dict.fromkeys(self.log[at : at + 100])
        done = at + 100 >= len(self.log)
        return 200, {
            "tickets": [self.tickets[one] for one in changed],
            "after_cursor": str(min(at + 100, len(self.log))),
            "end_of_stream": done,
        }


class Gateway(Effects):
    """A company's own receiver: checks the signature and the event, and drops what it has had by its id."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, Any]] = {}
        self.repeated = 0

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body."""
        event, headers = asked.body, asked.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + asked.raw
        made = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        if made != headers["webhook-signature"]:
            raise Answer(401)
        if headers["content-type"] != "application/cloudevents+json" or event["specversion"] != "1.0":
            raise Answer(415)
        if event["id"] in self.events:
            self.repeated += 1
            assert self.events[event["id"]] == event, "the same id, but not the same event"
            return 200, None
        self.events[event["id"]] = event
        self.by_task[event["subject"]].append(int(event["sequence"]))
        return 202, None


def client(kind: Kind, url: str, clock: Clock, timeout_s: float = 10.0) -> CrmClient:
    """What reaches a stand-in of that kind, called hub."""
    told: dict[str, Any] = {"name": "hub", "kind": kind, "url": url, "timeout_s": timeout_s}
    if kind == "webhook":
        told |= {"secret": SECRET}
    elif kind == "hubspot":
        told |= {"token": "pat-1", "contact_property": "customer_id"}
        told |= {"owners": {name: str(number) for name, number in OWNERS.items()}}
    else:
        told |= {"email": "a@b.cn", "token": "t", "assignees": OWNERS, "requesters": True}
    settings: CrmSettings = TypeAdapter(CrmSettings).validate_python(told)
    return client_of(settings, ZoneInfo("Asia/Shanghai"), clock)


def receiver_of(kind: Kind, clock: Clock) -> tuple[Any, Schema | None]:
    """What a stand-in of that kind is, and the schema that its requests are checked against."""
    if kind == "webhook":
        return Gateway(), None
    return (Hubspot(clock), HUBSPOT) if kind == "hubspot" else (Zendesk(clock), ZENDESK)


def _object(key: str, properties: dict[str, str], clock: Clock) -> dict[str, Any]:
    at = properties.get("hs_lastmodifieddate") or f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    return {"id": key, "properties": properties, "createdAt": at, "updatedAt": at, "archived": False}


def _missing() -> Any:
    raise Answer(404, {"category": "OBJECT_NOT_FOUND", "error": "RecordNotFound"})
