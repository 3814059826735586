"""The buttons and forms of Slack: approvals, verdicts on alerts, changes of tasks."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from agent.wiring import App
from server import slack_messages as forms
from server.inbox_deeds import Deed, Deeds
from server.inbox_desk import Desk, Handler
from server.inbox_words import Language, word
from server.slack_blocks import escaped
from server.slack_people import SlackPeople
from store.inbox import Incoming
from tools.context import Asker

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

DRAFT, VERDICT, TASK = "draft", "verdict", "task"
_KEPT: Final = 200
Ack = Callable[..., Awaitable[Any]]


class SlackActions:
    """Takes what is pressed and sent, and carries it out in the background, once."""

    def __init__(self, app: App, deeds: Deeds, client: "AsyncWebClient", people: SlackPeople) -> None:
        self._app = app
        self._deeds = deeds
        self._client = client
        self._people = people
        # How the drafts of a message were decided: a second button knows only what was there when pressed.
        self._decided: dict[tuple[str, str], dict[str, str]] = {}

    def handlers(self) -> Mapping[str, Handler]:
        """What deals with each kind of event at the desk."""
        return {DRAFT: self._decide, VERDICT: self._judge, TASK: self._change}

    def listen(self, bolt: "AsyncApp", desk: Desk) -> None:
        """Register the listeners; each only takes what was pressed or sent."""

        async def decide(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> Any:
            await desk.take(_id(body, action), DRAFT, _pressed(body, action))
            return await ack()

        async def accurate(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> Any:
            about = {**json.loads(action["value"]), "verdict": "accurate", "reason": ""}
            await desk.take(_id(body, action), VERDICT, {**_place(body), **about})
            return await ack()

        async def false_alarm(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> Any:
            about, place = json.loads(action["value"]), _place(body)
            form = forms.reason_form(about["alert"], place["room"], place["ts"], about["language"])
            desk.aside(self._open(body["trigger_id"], form))
            return await ack()

        async def edit(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> Any:
            desk.aside(self._open_task(body, json.loads(action["value"])))
            return await ack()

        async def reason(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> Any:
            about = json.loads(view["private_metadata"])
            given = view["state"]["values"][forms.REASON][forms.REASON]["value"]
            payload = {**about, "user": body["user"]["id"], "verdict": "false_alarm", "reason": given or ""}
            await desk.take(f"view:{view['id']}", VERDICT, payload)
            return await ack()

        async def change(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> Any:
            payload = {**_changes(view), "user": body["user"]["id"]}
            await desk.take(f"view:{view['id']}", TASK, payload)
            return await ack()

        for name in (forms.APPROVE, forms.REJECT):
            bolt.action(name)(decide)
        bolt.action(forms.ACCURATE)(accurate)
        bolt.action(forms.FALSE_ALARM)(false_alarm)
        bolt.action(forms.EDIT_TASK)(edit)
        bolt.view(forms.REASON_FORM)(reason)
        bolt.view(forms.TASK_FORM)(change)

    async def _decide(self, incoming: Incoming) -> None:
        at = incoming.payload
        draft, language = forms.draft_of(at["value"])
        asker = await self._asker(at, language)
        if asker is None:
            return
        approve = at["action"] == forms.APPROVE
        deed = await self._deeds.decide(asker, draft, approve=approve, language=language)
        if not deed.done:
            await self._aside(at, deed.words)
            return
        outcome = word("decided_approve" if approve else "decided_reject", language, who=escaped(asker.user))
        message = at["room"], at["ts"]
        outcomes = self._decided.setdefault(message, {})
        outcomes[draft.id] = outcome
        while len(self._decided) > _KEPT:
            self._decided.pop(next(iter(self._decided)))
        blocks = json.loads(at["blocks"])
        for draft_id, words in outcomes.items():
            blocks = forms.decided(blocks, draft_id, words)
        if at["address"] and not blocks:
            await self._aside(at, deed.words)
            return
        await self._client.chat_update(channel=at["room"], ts=at["ts"], text=outcome, blocks=blocks)
        words = word("by_whom", language, who=escaped(asker.user), words=escaped(deed.words))
        await self._client.chat_postMessage(channel=at["room"], thread_ts=at["thread"] or None, text=words)

    async def _judge(self, incoming: Incoming) -> None:
        at = incoming.payload
        language = _language(at)
        asker = await self._asker(at, language)
        if asker is None:
            return
        deed = await self._deeds.verdict(asker, at["alert"], at["verdict"], at["reason"], language=language)
        if not deed.done:
            await self._aside(at, deed.words)
            return
        outcome = word(f"verdict_{at['verdict']}", language, who=asker.user)
        await self._show_again(at, asker, language, outcome)

    async def _change(self, incoming: Incoming) -> None:
        at = incoming.payload
        language = _language(at)
        asker = await self._asker(at, language)
        if asker is None:
            return
        changes: dict[str, Any] = json.loads(at["changes"])
        deed: Deed = await self._deeds.change_task(asker, at["task"], changes, language=language)
        await self._aside(at, deed.words)
        if deed.done and at["alert"]:
            await self._show_again(at, asker, language)

    async def _show_again(
        self, at: Mapping[str, str], asker: Asker, language: Language, outcome: str = ""
    ) -> None:
        """Post the alert anew in the place of its message, as it stands now."""
        now = await self._deeds.alert(asker, at["alert"])
        if now is None:
            return
        if not outcome and now.alert.verdict is not None:
            judged = self._app.operations.verdicts
            last = (await run_in_threadpool(judged, alert_id=now.alert.alert_id))[-1]
            outcome = word(f"verdict_{last.verdict}", language, who=last.by)
        told = await run_in_threadpool(self._app.alert_teller.words, now.alert, "opened", now.task, language)
        blocks = forms.alert_blocks(told, now.alert.alert_id, now.task, language, outcome)
        await self._client.chat_update(channel=at["room"], ts=at["ts"], text=told.title, blocks=blocks)

    async def _open(self, trigger: str, form: dict[str, Any]) -> None:
        await self._client.views_open(trigger_id=trigger, view=form)

    async def _open_task(self, body: dict[str, Any], about: dict[str, str]) -> None:
        place, language = _place(body), _language(about)
        asker = await self._asker(place, language)
        if asker is None:
            return
        now = await self._deeds.alert(asker, about["alert"])
        if now is None or now.task is None:
            await self._aside(place, word("gone" if now is None else "no_task", language))
            return
        await self._open(body["trigger_id"], forms.task_form(now.task, place["room"], place["ts"], language))

    async def _asker(self, at: Mapping[str, str], language: Language) -> Asker | None:
        """Who pressed; a stranger is told so."""
        asker = await self._people.asker(at["user"])
        if asker is None:
            await self._aside(at, word("unknown", language, user=at["user"]))
        return asker

    async def _aside(self, at: Mapping[str, str], words: str) -> None:
        await self._client.chat_postEphemeral(
            channel=at["room"], user=at["user"], thread_ts=at.get("thread") or None, text=escaped(words)
        )


def _id(body: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """The same for the same press of the same button."""
    place = _place(body)
    return ":".join(
        ("press", action["action_id"], place["room"], place["ts"], place["user"], action["action_ts"])
    )


def _place(body: Mapping[str, Any]) -> dict[str, str]:
    """Who pressed, and where."""
    container, message = body.get("container", {}), body.get("message") or {}
    return {
        "user": body["user"]["id"],
        "room": str(container.get("channel_id") or body["channel"]["id"]),
        "ts": str(container.get("message_ts") or message.get("ts", "")),
        "thread": str(message.get("thread_ts") or container.get("thread_ts") or ""),
    }


def _pressed(body: Mapping[str, Any], action: Mapping[str, Any]) -> dict[str, str]:
    message = body.get("message") or {}
    return {
        **_place(body),
        "action": action["action_id"],
        "value": action["value"],
        "address": body.get("response_url", "") if body.get("container", {}).get("is_ephemeral") else "",
        "blocks": json.dumps(message.get("blocks", [])),
    }


def _changes(view: Mapping[str, Any]) -> dict[str, str]:
    """What a task's form changes: only what differs from what it was filled in with."""
    about: dict[str, str] = json.loads(view["private_metadata"])
    fields = {name: one[name] for name, one in view["state"]["values"].items()}
    changes: dict[str, Any] = {}
    if (owner := fields[forms.OWNER]["value"]) and owner.strip() != about["owner"]:
        changes["owner"] = owner.strip()
    due = fields[forms.DUE].get("selected_date_time")
    if due and str(due) != about["due_at"]:
        changes["due_at"] = datetime.fromtimestamp(int(due), UTC).isoformat()
    state = fields[forms.STATE]["selected_option"]["value"]
    if state != about["state"]:
        changes["status"] = state
    if comment := (fields[forms.COMMENT].get("value") or "").strip():
        changes["comment"] = comment
    kept = {name: about[name] for name in ("task", "alert", "room", "ts", "language")}
    return {**kept, "changes": json.dumps(changes)}


def _language(about: Mapping[str, str]) -> Language:
    return "en" if about.get("language") == "en" else "zh"
