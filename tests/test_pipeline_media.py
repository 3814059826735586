"""Recordings, transcripts and pictures through the whole program."""

import hashlib
import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.images import Line, RapidOcrReader, in_reading_order
from pipeline.media import media_kind, safe_name, source_of
from store.errors import ConfigError, InputError
from tests.command_line import CommandLine
from tests.transcription_server import Reply, failure, serve

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

ZONE = ZoneInfo("Asia/Shanghai")
CALL = {
    "text": "...",
    "segments": [
        {"start": 0.0, "end": 3.0, "speaker": "A", "text": "您好，很高兴为您服务，请问有什么可以帮您"},
        {"start": 3.2, "end": 6.0, "speaker": "B", "text": "我叫王小明，电话13812345678，快递一周没动了"},
        {"start": 5.0, "end": 9.0, "speaker": "A", "text": "请您提供一下订单号"},
        {"start": 8.0, "end": 12.0, "speaker": "B", "text": "我说了三遍了！太差劲了，退款！"},
    ],
}
needs_ocr = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason="the optional group images is not installed"
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("张三_13812345678.wav", "[NAME]_[NUMBER].wav"),
        ("20261102_153000-客服录音-李雷.mp3", "20261102_153000-客服录音-[NAME].mp3"),
        ("John Smith call 3.WAV", "[NAME] call 3.wav"),
        ("IMG_0042.png", "IMG_0042.png"),
        ("微信图片_20261102153000.jpg", "微信图片_20261102153000.jpg"),
        ("110101199003071234.png", "[NUMBER].png"),
    ],
)
def test_file_names_keep_nothing_of_a_person(name: str, safe: str) -> None:
    assert safe_name(Path(name)) == safe


def test_a_file_is_known_by_its_bytes_and_dated_by_its_name(tmp_path: Path) -> None:
    one, other = tmp_path / "rec_20261102_153000.wav", tmp_path / "张三.wav"
    one.write_bytes(b"RIFFx")
    other.write_bytes(b"RIFFx")
    first, second = source_of(one, ZONE), source_of(other, ZONE)
    digest = hashlib.sha256(b"RIFFx").hexdigest()
    assert first.key == second.key and second.reference == f"[NAME].wav#sha256={digest}"
    assert first.at == datetime(2026, 11, 2, 7, 30, tzinfo=UTC) and first.dated_by == "file name"
    assert second.dated_by == "file time"
    other.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        source_of(other, ZONE)


def test_kinds_are_told_by_ending_and_json_by_its_beginning(voiceloop: CommandLine) -> None:
    spoken = voiceloop.write("a.json", '{"text": "x", "segments": [{"start": 0, "end": 1, "text": "x"}]}')
    rows = voiceloop.write("b.json", '[{"评价": "好", "评分": 5}]')
    assert [media_kind(one) for one in (spoken, rows, Path("c.flac"), Path("d.webp"), Path("e.csv"))] == [
        *("transcript", None, "audio", "image", None)
    ]


def test_a_folder_of_calls_becomes_conversations_once(voiceloop: CommandLine) -> None:
    calls = voiceloop.folder / "calls"
    calls.mkdir()
    (calls / "20261102_153000_王小明_13812345678.mp3").write_bytes(b"sound of one")
    (calls / "broken.wav").write_bytes(b"sound of another")
    (calls / "readme.doc").write_bytes(b"no recording")
    told = failure(400, "Invalid file format")
    with serve(Reply(CALL), told) as served:
        set_up = {"transcribe_base_url": served.base_url, "transcribe_model": "m-diarize"}
        ran = voiceloop("ingest", calls, "--no-index", "--json", **set_up)
        assert ran.status == 0, ran.output
        report = ran.document
        assert (report["read"], report["stored"], report["duplicates"]) == (4, 4, 0)
        good, bad = report["files"]
        assert good["format"] == "audio" and not good["error"] and "Invalid file format" in bad["error"]
        assert "broken.wav" in bad["path"] and report["skipped_files"] == [str(calls / "readme.doc")]
        # The good one is known by its bytes, under another name too; the bad one is tried again.
        (calls / "20261102_153000_王小明_13812345678.mp3").rename(calls / "other.mp3")
        served.replies[:] = [Reply(CALL)]
        again = voiceloop("ingest", calls, "--no-index", "--json", **set_up).document
    assert (again["read"], again["stored"], again["duplicates"]) == (8, 4, 4)
    assert len(served.requests) == 3
    listed = voiceloop("conversations", "list", "--json").document["conversations"]
    assert len(listed) == 2 and {one["break_turn"] for one in listed} == {3}
    shown = voiceloop("conversations", "show", listed[0]["conversation_id"], "--json").document
    assert [turn["speaker"] for turn in shown["said"]] == ["agent", "customer", "agent", "customer"]
    assert shown["pace"]["interruptions"] == [3] and shown["pace"]["interrupted"] == [2]
    found = voiceloop("tool", "search_feedback", "--args", '{"filters": {"channel": "call"}}').document
    assert found["n"] == 4
    stored = b"".join(path.read_bytes() for path in voiceloop.home.rglob("*") if path.is_file())
    for secret in ("王小明", "13812345678"):
        assert secret.encode() not in stored


def test_recordings_without_an_endpoint_say_what_to_set(voiceloop: CommandLine) -> None:
    ran = voiceloop("ingest", voiceloop.write("a.wav", b"RIFF"), "--no-index", "--json")
    assert ran.status == 1 and "VOICELOOP_TRANSCRIBE_BASE_URL" in ran.document["hint"]
    folder = voiceloop.folder / "calls"
    folder.mkdir()
    for name in ("a.wav", "b.mp3"):
        (folder / name).write_bytes(name.encode())
    ran = voiceloop("ingest", folder, "--no-index", "--json")
    assert ran.status == 1 and "VOICELOOP_TRANSCRIBE_BASE_URL" in ran.document["hint"]
    half = {"transcribe_base_url": "http://127.0.0.1:9/v1"}
    ran = voiceloop("ingest", folder, "--no-index", "--json", **half)
    assert ran.status == 1 and "VOICELOOP_TRANSCRIBE_MODEL" in ran.document["error"]


def test_an_endpoint_that_is_down_is_not_asked_for_every_file(voiceloop: CommandLine) -> None:
    folder = voiceloop.folder / "calls"
    folder.mkdir()
    voiceloop.write("calls/table.csv")
    for number in range(6):
        (folder / f"{number}.wav").write_bytes(b"x" * (number + 1))
    with serve(Reply({"choices": []})) as served:
        set_up = {"transcribe_base_url": served.base_url, "transcribe_model": "m"}
        report = voiceloop("ingest", folder, "--no-index", "--json", **set_up).document
    assert len(served.requests) == 3 and report["stored"] == 4
    assert sum("not tried" in file["error"] for file in report["files"]) == 3


def test_silence_is_told_and_not_sent_again(voiceloop: CommandLine) -> None:
    with serve(Reply({"text": "", "segments": []})) as served:
        set_up = {"transcribe_base_url": served.base_url, "transcribe_model": "m"}
        file = voiceloop.write("a.wav", b"RIFF")
        for _ in range(2):
            ran = voiceloop("ingest", file, "--no-index", "--json", **set_up)
            assert ran.status == 0 and ran.document["read"] == 0
    assert len(served.requests) == 1


def test_a_dry_run_sends_nothing(voiceloop: CommandLine) -> None:
    with serve(Reply(CALL)) as served:
        set_up = {"transcribe_base_url": served.base_url, "transcribe_model": "m"}
        ran = voiceloop("ingest", voiceloop.write("a.wav", b"RIFF"), "--dry-run", "--json", **set_up)
    assert ran.status == 0 and ran.document["stored"] == 0 and not served.requests


def test_lines_of_a_picture_come_in_reading_order() -> None:
    lines = [
        Line((500, 82, 580, 110), "299.00", 0.9),
        Line((40, 80, 140, 112), "电饭煲", 1.0),
        Line((40, 20, 300, 52), "好再来超市", 1.0),
        Line((40, 200, 90, 230), "~~", 0.2),
    ]
    found = in_reading_order(lines)
    assert found.text == "好再来超市\n电饭煲 299.00"
    assert found.confidence == pytest.approx((5 + 3 + 6 * 0.9) / 14)
    assert in_reading_order([]).text == ""


@pytest.mark.skipif(importlib.util.find_spec("rapidocr") is not None, reason="the group images is installed")
def test_pictures_without_the_group_say_what_to_install(voiceloop: CommandLine) -> None:
    with pytest.raises(ConfigError, match="optional group `images`"):
        RapidOcrReader().read(voiceloop.write("a.png", b"x"))
    ran = voiceloop("ingest", voiceloop.write("a.png", b"x"), "--no-index", "--json")
    assert ran.status == 1 and "[images]" in ran.document["hint"]


def chinese_font() -> str | None:
    """A font with Chinese characters in the usual folders, if there is one."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    for folder in folders:
        for path in sorted(folder.rglob("*.[to]t[cf]")):
            if any(
                word in path.name.lower()
                for word in ("cjk", "wqy", "simhei", "simsun", "heiti", "droidsansfallback")
            ):
                return str(path)
    return None


@needs_ocr
@pytest.mark.skipif(chinese_font() is None, reason="no font with Chinese characters here")
def test_a_receipt_is_read_masked_and_referred_to(voiceloop: CommandLine) -> None:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(chinese_font() or "", 28)
    image = Image.new("RGB", (760, 300), "white")
    draw = ImageDraw.Draw(image)
    for x, y, text in (
        (40, 20, "好再来超市"),
        (40, 90, "电饭煲"),
        (500, 90, "299.00"),
        (40, 160, "电话 13812345678"),
    ):
        draw.text((x, y), text, fill="black", font=font)
    path = voiceloop.folder / "小票_李雷.png"
    image.save(path)
    ran = voiceloop("ingest", path, "--no-index", "--json")
    assert ran.status == 0 and ran.document["stored"] == 1, ran.output
    (found,) = voiceloop("tool", "search_feedback").document["data"]["items"]
    assert "好再来超市" in found["text"] and "电饭煲 299.00" in found["text"]
    assert "13812345678" not in found["text"] and "[PHONE]" in found["text"]
    again = voiceloop("ingest", path, "--no-index", "--json").document
    assert (again["stored"], again["duplicates"]) == (0, 1)


@needs_ocr
def test_what_is_no_picture_is_said(voiceloop: CommandLine) -> None:
    ran = voiceloop("ingest", voiceloop.write("a.png", b"\x89PNG nonsense"), "--no-index", "--json")
    assert ran.status == 1 and "not a picture" in ran.document["error"]
