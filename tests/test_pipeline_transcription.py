"""Transcription over the wire: the documented forms of answers, and everything that goes wrong."""

import io
import math
import struct
import wave
from pathlib import Path
from typing import Any

import pytest

from pipeline.transcription import Endpoint, Format, OpenAITranscriber
from pipeline.transcripts import SpokenTurn
from store.errors import ConfigError, InputError, ModelUnavailable, VoiceLoopError
from tests.transcription_server import Reply, Served, failure, serve

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

VERBOSE = {
    "task": "transcribe",
    "language": "chinese",
    "duration": 6.0,
    "text": "我的包裹还没到。已经一周了。",
    "segments": [
        {"id": 0, "seek": 0, "start": 0.0, "end": 2.5, "text": "我的包裹还没到。", "avg_logprob": -0.2},
        {"id": 1, "seek": 0, "start": 2.6, "end": 6.0, "text": "已经一周了。", "avg_logprob": -0.3},
    ],
}
DIARIZED = {
    "task": "transcribe",
    "duration": 9.0,
    "text": "...",
    "segments": [
        {"type": "transcript.text.segment", "id": "s1", "start": 0.0, "end": 3.0, "speaker": "A", "text": "Thank you for calling, how can I help?"},
        {"type": "transcript.text.segment", "id": "s2", "start": 3.1, "end": 6.0, "speaker": "B", "text": "My parcel is late."},
        {"type": "transcript.text.segment", "id": "s3", "start": 6.1, "end": 9.0, "speaker": "A", "text": "Let me check that."},
    ],
}  # fmt: skip


def sound(path: Path, seconds: float, quiet_at: float | None = None, rate: int = 8000) -> Path:
    frames = bytearray()
    for n in range(int(seconds * rate)):
        loud = 0 if quiet_at is not None and abs(n / rate - quiet_at) < 0.2 else 8000
        frames += struct.pack("<h", int(loud * math.sin(n / 5)))
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(bytes(frames))
    return path


def transcriber(served: Served, model: str = "whisper-1", **given: Any) -> OpenAITranscriber:
    return OpenAITranscriber(Endpoint(served.base_url, model, **given), sleep=lambda seconds: None)


def test_segments_of_one_voice_become_turns_and_the_file_is_sent_without_its_name(tmp_path: Path) -> None:
    path = sound(tmp_path / "张三_13812345678.wav", 0.2)
    with serve(Reply(VERBOSE)) as served:
        turns = transcriber(served, api_key="secret", language="zh").transcribe(path)
    assert turns == [SpokenTurn(None, 0.0, 6.0, "我的包裹还没到。已经一周了。")]
    (asked,) = served.requests
    assert asked.path == "/v1/audio/transcriptions" and asked.authorization == "Bearer secret"
    assert asked.fields == {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "timestamp_granularities[]": "segment",
        "language": "zh",
    }
    assert (asked.file_name, asked.file) == ("audio.wav", path.read_bytes())


def test_voices_are_told_apart_where_the_model_gives_them(tmp_path: Path) -> None:
    with serve(Reply(DIARIZED)) as served:
        turns = transcriber(served, "gpt-4o-transcribe-diarize").transcribe(sound(tmp_path / "a.wav", 0.1))
    assert [(turn.speaker, turn.start, turn.end) for turn in turns] == [
        ("agent", 0.0, 3.0),
        ("customer", 3.1, 6.0),
        ("agent", 6.1, 9.0),
    ]
    assert served.requests[0].fields["response_format"] == "diarized_json"
    assert served.requests[0].fields["chunking_strategy"] == "auto"
    assert served.requests[0].authorization is None


def test_a_model_without_segments_is_asked_for_plain_text_once_and_for_all(tmp_path: Path) -> None:
    refused = failure(400, "response_format 'verbose_json' is not compatible with model")
    with serve(refused, Reply({"text": "hello there"})) as served:
        speech = transcriber(served, "gpt-4o-transcribe")
        first = speech.transcribe(sound(tmp_path / "a.wav", 0.1))
        second = speech.transcribe(sound(tmp_path / "b.wav", 0.1))
    assert first == second == [SpokenTurn(None, 0.0, None, "hello there")]
    assert [asked.fields["response_format"] for asked in served.requests] == ["verbose_json", "json", "json"]


@pytest.mark.parametrize(
    "first", [failure(503, "busy"), failure(429, "slow", **{"Retry-After": "0"}), Reply(drop=True)]
)
def test_a_busy_or_broken_moment_is_tried_again(tmp_path: Path, first: Reply) -> None:
    with serve(first, Reply(VERBOSE)) as served:
        assert len(transcriber(served).transcribe(sound(tmp_path / "a.wav", 0.1))) == 1
    assert len(served.requests) == 2 and served.requests[0].file == served.requests[1].file


@pytest.mark.parametrize(
    ("reply", "error", "said", "asked"),
    [
        (failure(401, "bad key"), ConfigError, "refuses the key", 1),
        (failure(404, "no such model"), ConfigError, "whisper-1", 1),
        (failure(413, "too big"), InputError, "larger than", 1),
        (failure(400, "Invalid file format"), InputError, "Invalid file format", 1),
        (failure(500, "boom"), ModelUnavailable, "boom", 3),
        (Reply(drop=True), ModelUnavailable, "cannot be reached", 3),
        (Reply(raw=b"<html>gateway</html>"), ModelUnavailable, "no transcription", 1),
        (Reply({"choices": []}), ModelUnavailable, "no transcription", 1),
        (Reply({"text": "x", "segments": ["y"]}), ModelUnavailable, "malformed", 1),
    ],
)
def test_every_failure_says_whose_it_is(
    tmp_path: Path, reply: Reply, error: type[VoiceLoopError], said: str, asked: int
) -> None:
    with serve(reply) as served, pytest.raises(error, match=said):
        transcriber(served).transcribe(sound(tmp_path / "a.wav", 0.1))
    assert len(served.requests) == asked


def test_nobody_listening_is_unavailable(tmp_path: Path) -> None:
    with serve(Reply(VERBOSE)) as served:
        pass
    with pytest.raises(ModelUnavailable, match="ConnectError"):
        transcriber(served).transcribe(sound(tmp_path / "a.wav", 0.1))


def test_a_long_wav_goes_in_pieces_cut_where_it_is_quiet_and_times_go_on(tmp_path: Path) -> None:
    path = sound(tmp_path / "long.wav", 10, quiet_at=6.0)
    with serve(Reply(VERBOSE), Reply(DIARIZED)) as served:
        turns = transcriber(served, max_bytes=130_000).transcribe(path)
    lengths = []
    for asked in served.requests:
        assert len(asked.file) <= 130_000
        with wave.open(io.BytesIO(asked.file)) as piece:
            lengths.append(piece.getnframes() / piece.getframerate())
    assert sum(lengths) == 10.0 and abs(lengths[0] - 6.0) < 0.3
    assert turns[0] == SpokenTurn(None, 0.0, 6.0, "我的包裹还没到。已经一周了。")
    assert [(turn.speaker, turn.start) for turn in turns[1:]] == [
        ("agent", round(lengths[0], 3)),
        ("customer", round(lengths[0] + 3.1, 3)),
        ("agent", round(lengths[0] + 6.1, 3)),
    ]


def test_other_large_files_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"\0" * 2000)
    with serve(Reply(VERBOSE)) as served, pytest.raises(InputError, match="the endpoint takes") as caught:
        transcriber(served, max_bytes=1000).transcribe(path)
    assert "ffmpeg" in caught.value.hint and not served.requests


@pytest.mark.parametrize(("format", "asked"), [("json", "json"), ("diarized_json", "diarized_json")])
def test_the_form_of_the_answer_can_be_set(tmp_path: Path, format: Format, asked: str) -> None:
    with serve(Reply({"text": "x"})) as served:
        transcriber(served, format=format).transcribe(sound(tmp_path / "a.wav", 0.1))
    assert served.requests[0].fields["response_format"] == asked
