"""Feishu as a part of the server: questions by message, approvals by card, each event once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from agent.approvals import Draft
from agent.wiring import App
from server.api_state import ServerState
from server.feishu_client import FeishuClient
from server.feishu_events import FeishuSeal
from server.feishu_postman import FeishuPostman, card, safe, said
from server.inbox_deeds import Deeds
from server.inbox_desk import Desk
from server.inbox_people import People, load_people
from server.inbox_questions import Question, Questions
from server.inbox_words import Language, word
from store.errors import ConfigError
from store.inbox import Incoming

_PATIENCE_S: Final = 15.0


class FeishuService:
    """One app of one tenant."""

    def __init__(self, state: ServerState, client: FeishuClient, seal: FeishuSeal) -> None:
        app = state.app
        self._client = client
        self._inbox = app.inbox
        self.seal = seal
        self._postman = FeishuPostman(app, client, feishu_people(app))
        self._deeds = Deeds(state, "feishu")
        questions = Questions(state, self._postman)

        async def give_up(incoming: Incoming) -> None:
            if incoming.kind == "question":
                await questions.give_up(incoming)

        handlers = {"question": questions.handle, "draft": self._decide}
        self.desk = Desk("feishu", app.inbox, app.clock, handlers, give_up)

    async def take(self, event: dict[str, Any]) -> None:
        """Keep what is to be dealt with; all else is none of our business."""
        kind = event.get("header", {}).get("event_type")
        if kind == "im.message.receive_v1":
            await self._take_message(event["event"])
        elif kind == "card.action.trigger":
            await self._take_press(event)

    async def _take_message(self, event: dict[str, Any]) -> None:
        message, sender = event["message"], event["sender"]
        direct = message["chat_type"] == "p2p"
        mentions = message.get("mentions") or []
        text = said(message.get("content", ""), mentions) if message.get("message_type") == "text" else ""
        # In a group the platform delivers only what mentions the bot, unless it is given all messages.
        if not text or sender.get("sender_type") != "user" or not (direct or mentions):
            return
        question = Question(
            user=sender["sender_id"]["open_id"],
            room=message["chat_id"],
            thread=str(message.get("root_id") or ("" if direct else message["message_id"])),
            text=text,
            direct=direct,
            address=message["message_id"],
        )
        await self.desk.take(f"message:{message['message_id']}", "question", question.payload())

    async def _take_press(self, event: dict[str, Any]) -> None:
        pressed, header = event["event"], event["header"]
        payload = {
            "user": pressed["operator"]["open_id"],
            "message": pressed["context"]["open_message_id"],
            "value": json.dumps(pressed["action"]["value"]),
        }
        await self.desk.take(f"press:{header['event_id']}", "draft", payload)

    async def _decide(self, incoming: Incoming) -> None:
        at, about = incoming.payload, json.loads(incoming.payload["value"])
        language: Language = "en" if about.get("language") == "en" else "zh"
        asker = await self._postman.asker(at["user"])
        once = incoming.event_id.removeprefix("press:")[:40]
        if asker is None:
            words = word("unknown", language, user=at["user"])
            await self._client.send(at["user"], "interactive", card([words]), once)
            return
        draft = Draft(kind=about["kind"], id=about["id"], digest=about["digest"], summary="")
        approve = about["decision"] == "approve"
        deed = await self._deeds.decide(asker, draft, approve=approve, language=language)
        if not deed.done:
            await self._client.send(at["user"], "interactive", card([safe(deed.words)]), once)
            return
        words = word("by_whom", language, who=asker.user, words=deed.words)
        await self._client.reply(at["message"], "interactive", card([safe(words)]), once)


@asynccontextmanager
async def open_feishu(state: ServerState) -> AsyncIterator[FeishuService | None]:
    """Feishu while the server runs; None where it is not set up. At its end it hands back what is left."""
    settings = state.app.settings
    if not settings.feishu_app_id:
        yield None
        return
    if settings.feishu_app_secret is None or settings.feishu_encrypt_key is None:
        raise ConfigError(
            "VOICELOOP_FEISHU_APP_ID is set, but not VOICELOOP_FEISHU_APP_SECRET and _ENCRYPT_KEY",
            hint="both are in Feishu's developer console; docs/feishu.md says where",
        )
    token = settings.feishu_verification_token
    seal = FeishuSeal(
        settings.feishu_encrypt_key.get_secret_value(), token.get_secret_value() if token else ""
    )
    secret = settings.feishu_app_secret.get_secret_value()
    client = FeishuClient(settings.feishu_api_url, settings.feishu_app_id, secret)
    service = FeishuService(state, client, seal)
    await service.desk.resume()
    try:
        yield service
    finally:
        await service.desk.close(_PATIENCE_S)
        await client.close()


def feishu_people(app: App) -> People:
    """Who is who: feishu.yaml in the data folder, or where the setting says. By open_id and chat_id."""
    beside = app.home / "feishu.yaml"
    return load_people(app.settings.feishu or (beside if beside.exists() else None))
