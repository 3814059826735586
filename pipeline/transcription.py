"""Recordings to turns, through any endpoint that speaks OpenAI's `/v1/audio/transcriptions`."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal, Protocol

from pipeline.recordings import Piece, pieces_of
from pipeline.transcripts import SpokenTurn, json_segments, spoken_turns
from store.errors import ConfigError, InputError, ModelUnavailable

if TYPE_CHECKING:
    import httpx

Format = Literal["auto", "verbose_json", "diarized_json", "json"]
_BUSY: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 30.0


class Transcriber(Protocol):
    """Speech to text."""

    @property
    def name(self) -> str:
        """The model, for the record."""
        ...

    def transcribe(self, path: Path) -> list[SpokenTurn]:
        """Return the turns of a recording in order, with times and speakers as far as the model gives them.

        Raises InputError where this recording cannot be used, ConfigError where the endpoint is set up
        wrongly, ModelUnavailable where it is down or answers uselessly.
        """
        ...


@dataclass(frozen=True)
class Endpoint:
    """Where and how to ask. `max_bytes` is what the endpoint takes in one file (OpenAI: 25 MB)."""

    base_url: str
    model: str
    api_key: str = ""
    format: Format = "auto"
    language: str | None = None
    timeout_s: float = 600.0
    max_bytes: int = 25_000_000
    attempts: int = 3


class OpenAITranscriber:
    """Asks one endpoint, one recording at a time.

    `auto` asks models that tell voices apart (`diarize` in the name) for `diarized_json` and others for
    `verbose_json` with segments; a model that knows neither is asked for plain `json`, whose turns have no
    times. WAV files above `max_bytes` are sent in pieces cut where it is quiet. The file is sent under the
    name `audio`, so that a name in a file name stays here.
    """

    def __init__(self, endpoint: Endpoint, sleep: Callable[[float], None] = time.sleep) -> None:
        self._endpoint = endpoint
        self._sleep = sleep
        self._plain = False

    @property
    def name(self) -> str:
        """The model, for the record."""
        return self._endpoint.model

    def transcribe(self, path: Path) -> list[SpokenTurn]:
        """See `Transcriber.transcribe`."""
        import httpx

        turns: list[SpokenTurn] = []
        with ExitStack() as stack:
            client = stack.enter_context(httpx.Client(timeout=self._endpoint.timeout_s))
            for piece in pieces_of(path, self._endpoint.max_bytes):
                document = self._ask(client, path, piece)
                # Voices are told apart anew in each piece: A of one may be B of the next.
                turns += [_later(turn, piece.start_s) for turn in _turns(document, path)]
        return turns

    def _ask(self, client: "httpx.Client", path: Path, piece: Piece) -> dict[str, Any]:
        reply = self._send(client, path, piece)
        if reply.status_code == 400 and not self._plain and _rejects_format(reply):
            self._plain = True
            reply = self._send(client, path, piece)
        if reply.status_code != 200:
            raise _failure(reply, path, self._endpoint)
        try:
            document = reply.json()
        except ValueError:
            document = None
        if not isinstance(document, dict) or not isinstance(document.get("text"), str):
            raise ModelUnavailable(
                "the transcription endpoint answers with something that is no transcription",
                hint="check VOICELOOP_TRANSCRIBE_BASE_URL: it ends in /v1",
            )
        return document

    def _send(self, client: "httpx.Client", path: Path, piece: Piece) -> "httpx.Response":
        import httpx

        headers = {"Authorization": f"Bearer {self._endpoint.api_key}"} if self._endpoint.api_key else {}
        url = f"{self._endpoint.base_url.rstrip('/')}/audio/transcriptions"
        last: str = ""
        for attempt in range(1, self._endpoint.attempts + 1):
            wait = min(_LONGEST_WAIT_S, 0.5 * 2 ** (attempt - 1))
            try:
                with piece.open() as stream:
                    file: tuple[str, IO[bytes], str] = (
                        f"audio{piece.suffix}",
                        stream,
                        "application/octet-stream",
                    )
                    reply = client.post(url, headers=headers, data=self._fields(), files={"file": file})
                if reply.status_code not in _BUSY or attempt == self._endpoint.attempts:
                    return reply
                wait = _asked_to_wait(reply, wait)
            except httpx.TransportError as error:
                last = type(error).__name__
                if attempt == self._endpoint.attempts:
                    break
            self._sleep(wait)
        raise ModelUnavailable(
            f"the transcription endpoint cannot be reached ({last})",
            hint="is VOICELOOP_TRANSCRIBE_BASE_URL right, the server up? the file is tried again next time",
        )

    def _fields(self) -> dict[str, str]:
        fields = {"model": self._endpoint.model, "response_format": self._format()}
        if fields["response_format"] == "verbose_json":
            fields["timestamp_granularities[]"] = "segment"
        if fields["response_format"] == "diarized_json":
            # Required above 30 seconds.
            fields["chunking_strategy"] = "auto"
        if self._endpoint.language:
            fields["language"] = self._endpoint.language
        return fields

    def _format(self) -> str:
        if self._plain:
            return "json"
        if self._endpoint.format != "auto":
            return self._endpoint.format
        return "diarized_json" if "diariz" in self._endpoint.model.lower() else "verbose_json"


def _turns(document: dict[str, Any], path: Path) -> list[SpokenTurn]:
    try:
        return spoken_turns(list(json_segments(document)))
    except (TypeError, AttributeError, ValueError) as error:
        raise ModelUnavailable(f"the transcription of {path.suffix} is malformed: {error}") from error


def _later(turn: SpokenTurn, by_s: float) -> SpokenTurn:
    start = None if turn.start is None else round(turn.start + by_s, 3)
    end = None if turn.end is None else round(turn.end + by_s, 3)
    return turn._replace(start=start, end=end)


def _rejects_format(reply: "httpx.Response") -> bool:
    told = reply.text.lower()
    return "response_format" in told or "timestamp_granularities" in told or "verbose_json" in told


def _asked_to_wait(reply: "httpx.Response", otherwise: float) -> float:
    try:
        return min(_LONGEST_WAIT_S, max(0.0, float(reply.headers.get("retry-after", otherwise))))
    except ValueError:
        return otherwise


def _failure(reply: "httpx.Response", path: Path, endpoint: Endpoint) -> Exception:
    status, told = reply.status_code, _message(reply)
    if status in (401, 403):
        return ConfigError(
            f"the transcription endpoint refuses the key ({status})", hint="set VOICELOOP_TRANSCRIBE_API_KEY"
        )
    if status == 404:
        return ConfigError(
            f"the transcription endpoint does not know the address or the model {endpoint.model!r}: {told}",
            hint="VOICELOOP_TRANSCRIBE_BASE_URL ends in /v1; VOICELOOP_TRANSCRIBE_MODEL is a model it serves",
        )
    if status == 413:
        return InputError(
            f"{path}: the recording is larger than the endpoint takes",
            hint="lower VOICELOOP_TRANSCRIBE_MAX_MB (WAV is then sent in pieces), or cut it up",
        )
    if status in (400, 415, 422):
        return InputError(f"{path}: the transcription endpoint cannot use the recording: {told}")
    return ModelUnavailable(
        f"the transcription endpoint fails ({status}): {told}", hint="the file is tried again next time"
    )


def _message(reply: "httpx.Response") -> str:
    try:
        error = reply.json()["error"]
        told = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError):
        told = reply.text
    return str(told)[:200].strip() or "no reason given"
