"""Slack as a part of the server: its client, its listeners, what it goes on with after a restart."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import structlog
from starlette.concurrency import run_in_threadpool

from agent.settings import Settings
from agent.wiring import App
from retention.notifier import Notifier
from retention.notify_targets import Target
from server.api_logs import causes
from server.api_state import ServerState
from server.inbox_deeds import Deeds
from server.inbox_desk import Desk
from server.inbox_people import People, load_people
from server.inbox_questions import Questions
from server.slack_actions import SlackActions
from server.slack_events import SlackEvents
from server.slack_notifier import SlackNotifier
from server.slack_people import SlackPeople
from server.slack_postman import SlackPostman
from store.errors import ConfigError
from store.inbox import Incoming

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

_LOG = structlog.get_logger()
_TIMEOUT_S: Final = 30
_RECONNECT_S: Final = 10.0
_PATIENCE_S: Final = 15.0


class SlackService:
    """One workspace. Requests reach it by `bolt`, from the route or by Socket Mode."""

    def __init__(self, state: ServerState, token: str) -> None:
        from slack_bolt.async_app import AsyncApp
        from slack_bolt.authorization import AuthorizeResult

        app, settings = state.app, state.app.settings
        self.client = _client(token, settings)
        people = SlackPeople(slack_people(app), self.client)
        questions = Questions(state, SlackPostman(app, self.client, people))
        actions = SlackActions(app, Deeds(state, "slack"), self.client, people)

        async def give_up(incoming: Incoming) -> None:
            if incoming.kind == "question":
                await questions.give_up(incoming)

        handlers = {"question": questions.handle, **actions.handlers()}
        self.desk = Desk("slack", app.inbox, app.clock, handlers, give_up)
        secret = settings.slack_signing_secret
        self.takes_requests = secret is not None

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult.from_auth_test_response(
                auth_test_response=await self._myself, bot_token=token
            )

        self.bolt = AsyncApp(
            # One without a token: bolt makes those of the listeners by what `authorize` says.
            client=_client(None, settings),
            signing_secret=secret.get_secret_value() if secret else "",
            authorize=authorize,
            # What a listener does is to keep the event: only then may Slack believe that it arrived.
            process_before_response=True,
        )
        SlackEvents(self.desk, app.inbox, self.client, settings.language, people.asker).listen(self.bolt)
        actions.listen(self.bolt, self.desk)

    @cached_property
    def _myself(self) -> "asyncio.Future[Any]":
        """Who we are in Slack, asked once; again where that failed."""
        asked = asyncio.ensure_future(self.client.auth_test())
        asked.add_done_callback(self._forget)
        return asked

    def _forget(self, asked: "asyncio.Future[Any]") -> None:
        if asked.cancelled() or asked.exception() is not None:
            self.__dict__.pop("_myself", None)

    def greet(self) -> None:
        """Ask Slack who we are, before the first request waits for it."""
        self.desk.aside(self._known())

    async def _known(self) -> None:
        await self._myself

    async def connect(self, app_token: str) -> None:
        """Hold a connection to Slack (Socket Mode) until cancelled."""
        from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

        # slack_sdk gives these two no types.
        handler: Any = AsyncSocketModeHandler(self.bolt, app_token, web_client=self.client)
        try:
            while True:
                try:
                    await handler.client.connect()
                except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and tried again
                    _LOG.warning("slack_socket_not_connected", error=causes(error))
                    await asyncio.sleep(_RECONNECT_S)
                    continue
                # From here on the client connects again by itself.
                await asyncio.Event().wait()
        finally:
            await handler.client.close()


@asynccontextmanager
async def open_slack(state: ServerState) -> AsyncIterator[SlackService | None]:
    """Slack while the server runs; None where it is not set up. At the end it hands back what is not done."""
    settings = state.app.settings
    if settings.slack_bot_token is None:
        yield None
        return
    if settings.slack_signing_secret is None and settings.slack_app_token is None:
        raise ConfigError(
            "VOICELOOP_SLACK_BOT_TOKEN is set, but nothing that requests from Slack are known by",
            hint="set VOICELOOP_SLACK_SIGNING_SECRET, or VOICELOOP_SLACK_APP_TOKEN for Socket Mode",
        )
    service = SlackService(state, settings.slack_bot_token.get_secret_value())
    socket: asyncio.Task[None] | None = None
    # What the first question loads would keep the loop from acknowledging those right behind it.
    await run_in_threadpool(state.app.planner, state.app.facts)
    service.greet()
    await service.desk.resume()
    if settings.slack_app_token is not None:
        socket = asyncio.create_task(service.connect(settings.slack_app_token.get_secret_value()))
    try:
        yield service
    finally:
        if socket is not None:
            socket.cancel()
            await asyncio.gather(socket, return_exceptions=True)
        await service.desk.close(_PATIENCE_S)


def slack_people(app: App) -> People:
    """Who is who: slack.yaml in the data folder, or where the setting says."""
    beside = app.home / "slack.yaml"
    return load_people(app.settings.slack or (beside if beside.exists() else None))


def slack_targets(app: App) -> tuple[tuple[Target, ...], Mapping[str, Notifier]]:
    """The channels that alerts are told in, and what posts there; none without Slack."""
    from pydantic import SecretStr
    from slack_sdk import WebClient

    settings = app.settings
    if settings.slack_bot_token is None:
        return (), {}
    people = slack_people(app)
    client = WebClient(
        settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url, timeout=_TIMEOUT_S
    )
    targets, notifiers = [], {}
    for one in people.alerts:
        name, language = f"slack:{one.room}", one.language or settings.language
        seen = people.rooms[one.room].scope if one.room in people.rooms else ()
        targets.append(
            Target(
                name=name,
                url=SecretStr("slack-app://"),
                tiers=one.tiers,
                roles=one.roles,
                scope=seen,
                languages=(language,),
            )
        )
        notifiers[name] = SlackNotifier(app, client, one.room, language)
    return tuple(targets), notifiers


def _client(token: str | None, settings: Settings) -> "AsyncWebClient":
    from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
    from slack_sdk.web.async_client import AsyncWebClient

    client = AsyncWebClient(token, base_url=settings.slack_api_url, timeout=_TIMEOUT_S)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=3))
    return client
