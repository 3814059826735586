"""Requests to CRMs: whatever goes wrong becomes a NotTaken that says whether another try makes sense."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson

from retention.crm_client import NotTaken

# Worth another try, though it was refused: too slow, changed meanwhile, too early, locked, too much.
_PASSING: Final = frozenset({408, 409, 423, 425, 429})
# A key that is wrong is mended in the settings: no reason to give up a task.
_KEY_REFUSED: Final = frozenset({401, 403})
_LONGEST_WAIT_S: Final = 3600.0


class CrmHttp:
    """One CRM's address and key. `called` is what errors call it."""

    def __init__(self, called: str, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        import httpx

        self._called = called
        self._client = httpx.Client(base_url=url, headers=dict(headers), timeout=timeout_s)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        missing: Collection[int] = (),
    ) -> Any:
        """The answer's JSON; None for a status among `missing`, or where it has none. Raises NotTaken."""
        import httpx

        sent = {**(headers or {})}
        content: bytes | None = None
        if body is not None:
            content = body if isinstance(body, bytes) else orjson.dumps(body)
            sent.setdefault("content-type", "application/json")
        try:
            answer = self._client.request(method, path, content=content, params=query, headers=sent)
        except httpx.HTTPError as error:
            # Without its cause: that quotes the address.
            raise NotTaken(f"{self._called} cannot be reached ({type(error).__name__})", down=True) from None
        if answer.status_code in missing:
            return None
        if not 200 <= answer.status_code < 300:
            raise self._refusal(answer)
        try:
            return orjson.loads(answer.content) if answer.content else None
        except orjson.JSONDecodeError:
            raise NotTaken(f"{self._called} answered something that is no JSON") from None

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _refusal(self, answer: Any) -> NotTaken:
        status: int = answer.status_code
        lasting = 300 <= status < 500 and status not in _PASSING | _KEY_REFUSED
        return NotTaken(
            f"{self._called} answered {status}{_code(answer.content)}",
            lasting=lasting,
            wait_s=_wait(answer.headers.get("retry-after", "")),
            down=status in _KEY_REFUSED or status in (429, 502, 503, 504),
        )


def _code(content: bytes) -> str:
    """The error's name where the answer has one; its sentence may quote what was sent."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    name = (said.get("category") or said.get("error")) if isinstance(said, dict) else None
    return f" ({name[:60]})" if isinstance(name, str) and name.replace("_", "").isalnum() else ""


def _wait(told: str) -> float | None:
    return min(float(told), _LONGEST_WAIT_S) if told.isascii() and told.isdigit() else None
