"""Feishu's open platform: a token that is asked for again in time, messages and cards."""

import asyncio
import json
import time
from typing import Any, Final

import httpx

from server.inbox_desk import Later
from store.errors import ConfigError

_TIMEOUT_S: Final = 15.0
# A token is asked for again so long before its end.
_EARLY_S: Final = 300.0
_EXPIRED: Final = (99991663, 99991661, 99991668)


class FeishuClient:
    """Calls on behalf of one app. Later where Feishu cannot be reached or refuses."""

    def __init__(self, base_url: str, app_id: str, secret: str) -> None:
        self._app_id, self._secret = app_id, secret
        self._http = httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT_S)
        self._token, self._until = "", 0.0
        self._asking = asyncio.Lock()

    async def close(self) -> None:
        """Release connections."""
        await self._http.aclose()

    async def reply(self, message_id: str, kind: str, content: dict[str, Any], once: str) -> str:
        """Answer a message; `once` (at most 50 characters): the same again posts nothing more. The new id."""
        path = f"/open-apis/im/v1/messages/{message_id}/reply"
        told = await self._call(
            "POST", path, {"msg_type": kind, "content": json.dumps(content), "uuid": once}
        )
        return str(told["message_id"])

    async def send(self, user: str, kind: str, content: dict[str, Any], once: str) -> str:
        """Write to somebody directly, by their open_id. The new id."""
        path = "/open-apis/im/v1/messages?receive_id_type=open_id"
        body = {"receive_id": user, "msg_type": kind, "content": json.dumps(content), "uuid": once}
        return str((await self._call("POST", path, body))["message_id"])

    async def update(self, message_id: str, card: dict[str, Any]) -> None:
        """Put another card in the place of one of ours."""
        await self._call("PATCH", f"/open-apis/im/v1/messages/{message_id}", {"content": json.dumps(card)})

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for fresh in (False, True):
            token = await self._tenant_token(fresh=fresh)
            told = await self._said(method, path, body, {"authorization": f"Bearer {token}"})
            if told.get("code") not in _EXPIRED:
                break
        if told.get("code") != 0:
            raise Later(f"Feishu refused with code {told.get('code')}")
        data: dict[str, Any] = told.get("data") or {}
        return data

    async def _tenant_token(self, *, fresh: bool) -> str:
        async with self._asking:
            if fresh or time.monotonic() >= self._until:
                path = "/open-apis/auth/v3/tenant_access_token/internal"
                told = await self._said(
                    "POST", path, {"app_id": self._app_id, "app_secret": self._secret}, {}
                )
                if told.get("code") != 0:
                    raise ConfigError(f"Feishu does not take the app id and secret (code {told.get('code')})")
                self._token = str(told["tenant_access_token"])
                self._until = time.monotonic() + float(told["expire"]) - _EARLY_S
            return self._token

    async def _said(
        self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
            told: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Later(f"Feishu cannot be reached ({type(error).__name__})") from None
        return told
