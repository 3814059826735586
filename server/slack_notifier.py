"""Alerts in Slack: with their context and the buttons that judge them and edit their task."""

from typing import TYPE_CHECKING

from agent.wiring import App
from retention.notifier import Notification, NotSent
from server.inbox_words import Language
from server.slack_blocks import escaped, section
from server.slack_messages import alert_blocks

if TYPE_CHECKING:
    from slack_sdk import WebClient


class SlackNotifier:
    """Posts into one channel. An alert is told as it stands when it is posted."""

    def __init__(self, app: App, client: "WebClient", room: str, language: Language) -> None:
        self._app = app
        self._client = client
        self._room = room
        self._language = language

    def send(self, notification: Notification) -> None:
        """Post one; NotSent where Slack does not take it."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        blocks = [section(escaped(f"{notification.title}\n{notification.text}"))]
        alert = self._app.operations.alert(notification.subject) if notification.tier else None
        if alert is not None:
            tasks = self._app.operations.tasks(customer_id=alert.customer_id)
            task = next((one for one in tasks if one.alert_id == alert.alert_id), None)
            told = self._app.alert_teller.words(alert, "opened", task, self._language)
            blocks = alert_blocks(told, alert.alert_id, task, self._language)
        try:
            self._client.chat_postMessage(
                channel=self._room, text=escaped(notification.title), blocks=blocks, unfurl_links=False
            )
        except (SlackClientError, OSError) as error:
            reason = (
                error.response.get("error", "") if isinstance(error, SlackApiError) else type(error).__name__
            )
            raise NotSent(f"Slack did not take it: {reason}") from None
