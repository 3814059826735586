"""An HTTP client to one or several vLLM servers: adaptive concurrency, retries, back-pressure."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx
import orjson

from pipeline.vllm_limits import Limits
from pipeline.vllm_replicas import Replica, choose, next_change
from store.errors import ConfigError, NotLabelled

# A request that times out or meets a server error is sent this often in all.
MOST_ATTEMPTS: Final = 3
# A server that has never answered is more likely absent than restarting.
FIRST_PATIENCE_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 5.0
_BUSY: Final = frozenset({429, 503})
# What no other text will be served either: a wrong key, a wrong address or model name.
_MISCONFIGURED: Final = frozenset({401, 403, 404, 405})
_DETAIL: Final = 300
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Endpoint:
    """Where and how to ask. `base_urls`: with or without /v1. `timeout_s` bounds one request.

    `patience_s`: how long to go on when no replica can be reached or all are overloaded (a restart takes a
    minute or so), counted from when the last replica failed.
    """

    base_urls: tuple[str, ...]
    api_key: str = ""
    timeout_s: float = 60.0
    patience_s: float = 30.0
    limits: Limits = Limits()


@dataclass(frozen=True)
class Answer:
    """A parsed JSON answer and how many requests it took."""

    body: dict[str, Any]
    requests: int


class VllmClient:
    """Sends JSON to whichever replica has room. Belongs to one event loop; close it there."""

    def __init__(self, endpoint: Endpoint) -> None:
        if not endpoint.base_urls:
            raise ConfigError("VOICELOOP_LABEL_BASE_URL names no address", hint="http://127.0.0.1:8000/v1")
        self._endpoint = endpoint
        self._replicas = [Replica(_root(url), endpoint.limits) for url in endpoint.base_urls]
        most = endpoint.limits.most
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(endpoint.timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=most * len(self._replicas)),
            headers={"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else None,
            trust_env=False,
        )
        self._freed = asyncio.Event()
        self._answered = False
        self._down_since: float | None = None
        self._trouble = NotLabelled("unreachable", "the label server was not asked yet")

    @property
    def capacity(self) -> int:
        """Requests worth having under way: what the replicas take now, and one each at hand."""
        return sum(replica.limit.current + 1 for replica in self._replicas)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Send one request until it is answered; NotLabelled, with the reason, where it is not.

        429 and 503 are waited out (Retry-After honoured), a replica that cannot be reached is left for
        another, time-outs and server errors are tried MOST_ATTEMPTS times. Safe to cancel at any point.
        """
        content = orjson.dumps(body)
        met: list[Replica] = []
        requests = attempts = 0
        busy_since: float | None = None
        while True:
            replica = await self._take(met, requests)
            requests += 1
            try:
                found = await self._ask(replica, path, content)
            finally:
                replica.in_flight -= 1
                self._freed.set()
            if isinstance(found, dict):
                return Answer(found, requests)
            found.requests = requests
            self._trouble = found
            met.append(replica)
            attempts += found.reason in ("timeout", "server_error")
            if found.reason == "refused" or attempts >= MOST_ATTEMPTS:
                raise found
            if found.reason == "overloaded":
                busy_since = self._now() if busy_since is None else busy_since
                if self._now() - busy_since > self._endpoint.patience_s:
                    raise found

    async def bounded(self, work: Iterable[_T], do: Callable[[_T], Awaitable[_R]]) -> AsyncIterator[list[_R]]:
        """Do pieces of work side by side, as many as the replicas take; yield results as they arrive.

        `work` is drawn from only as there is room, so that a caller who reads slowly holds it back.
        """
        finished: list[asyncio.Task[_R]] = []
        arrived = asyncio.Event()
        running: set[asyncio.Task[_R]] = set()

        def note(task: asyncio.Task[_R]) -> None:
            running.discard(task)
            if not task.cancelled():
                task.exception()  # seen, also where an earlier failure ends the drawing
            finished.append(task)
            arrived.set()

        async def run(item: _T) -> _R:
            return await do(item)

        source = iter(work)
        try:
            while True:
                while len(running) < self.capacity:
                    try:
                        item = next(source)
                    except StopIteration:
                        break
                    task = asyncio.create_task(run(item))
                    running.add(task)
                    task.add_done_callback(note)
                if not running and not finished:
                    return
                await arrived.wait()
                arrived.clear()
                done, finished[:] = list(finished), []
                yield [task.result() for task in done]
        finally:
            left = list(running)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _ask(self, replica: Replica, path: str, content: bytes) -> dict[str, Any] | NotLabelled:
        sent_at = self._now()
        try:
            response = await self._http.post(
                replica.base_url + path, content=content, headers={"Content-Type": "application/json"}
            )
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self._failed(replica, sent_at)
            return NotLabelled("unreachable", f"{replica.base_url} does not answer: {error!r}")
        except httpx.TimeoutException:
            replica.overloaded(sent_at, self._now())
            return NotLabelled(
                "timeout", f"{replica.base_url} gave no answer within {self._endpoint.timeout_s:g} s"
            )
        except httpx.TransportError as error:
            self._failed(replica, sent_at)
            return NotLabelled("unreachable", f"{replica.base_url} cannot be reached: {error!r}")
        return self._judge(replica, response, sent_at)

    def _judge(
        self, replica: Replica, response: httpx.Response, sent_at: float
    ) -> dict[str, Any] | NotLabelled:
        now, status = self._now(), response.status_code
        said = f"{replica.base_url} answered {status}: {response.text[:_DETAIL]}" if status != 200 else ""
        if status in _BUSY:
            wait = retry_after(response.headers.get("Retry-After"))
            # Without a word on when to come back, a short rest keeps a refusing server from being hammered.
            replica.overloaded(sent_at, now, wait if wait is not None else 0.25)
            return NotLabelled("overloaded", said)
        if status >= 500:
            self._failed(replica, sent_at)
            return NotLabelled("server_error", said)
        if status != 200:
            if status in _MISCONFIGURED:
                self._failed(replica, sent_at)
            return NotLabelled(
                "refused", said, hint="check VOICELOOP_LABEL_MODEL and VOICELOOP_LABEL_API_KEY"
            )
        try:
            body = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            self._failed(replica, sent_at)
            return NotLabelled("server_error", f"{replica.base_url} answered what is no JSON object")
        replica.succeeded(sent_at, now)
        self._answered, self._down_since = True, None
        return body

    async def _take(self, met: Sequence[Replica], requests: int) -> Replica:
        while True:
            now = self._now()
            replica = choose(self._replicas, now, met)
            if replica is not None:
                replica.in_flight += 1
                return replica
            if self._down_since is not None and now - self._down_since > self._patience():
                last = self._trouble
                raise NotLabelled(last.reason, last.message, hint=last.hint, requests=requests)
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), next_change(self._replicas, now))

    def _failed(self, replica: Replica, sent_at: float) -> None:
        now = self._now()
        replica.failed(sent_at, now)
        if self._down_since is None and all(one.failures for one in self._replicas):
            self._down_since = now

    def _patience(self) -> float:
        patience = self._endpoint.patience_s
        return patience if self._answered else min(patience, FIRST_PATIENCE_S)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3); None if neither."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo is not None else None


def _root(url: str) -> str:
    root = url.strip().rstrip("/").removesuffix("/v1")
    if not root.startswith(("http://", "https://")):
        raise ConfigError(
            f"VOICELOOP_LABEL_BASE_URL: {url!r} is no address", hint="write it like http://127.0.0.1:8000/v1"
        )
    return root
