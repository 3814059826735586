"""The commands over whole conversations: from files, and from what is stored."""

import pytest

from tests.command_line import CommandLine

CALLS = """conversation_id,turn,speaker,start,end,text
k1,0,customer,0.0,3.5,我的宽带断网了
k1,1,agent,3.6,8.2,请提供一下宽带账号
k1,2,customer,7.0,9.0,我已经说了三遍了！你们踢皮球呢？
k2,0,customer,0.0,2.0,请问怎么开发票
k2,1,agent,2.5,5.0,打开订单详情点申请发票
k2,2,customer,6.0,7.5,找到了，开好了，谢谢，我电话13812345678
"""
VTT = """WEBVTT

NOTE by hand

1
00:00:00.000 --> 00:00:04.000
<v Speaker 1>您好，很高兴为您服务，请问有什么可以帮您

2
00:00:04.200 --> 00:00:08.000
<v Speaker 2>我的宽带断网了，

00:00:08.000 --> 00:00:09.000
<v Speaker 2>三天了

3
00:00:09.100 --> 00:00:12.000
<v Speaker 1>请提供一下您的账号

4
00:00:11.000 --> 00:00:15.000
<v Speaker 2>我已经说了三遍了！你们踢皮球呢？
"""


def test_a_table_of_calls_is_labelled_masked_and_not_stored(voiceloop: CommandLine) -> None:
    ran = voiceloop("conversations", "label", voiceloop.write("calls.csv", CALLS), "--json")
    assert ran.status == 0, ran.errors
    first, second = ran.document["conversations"]
    assert (first["conversation_id"], first["break_turn"], first["resolution"]) == ("k1", 2, "unresolved")
    assert first["pace"]["interruptions"] == [2]
    assert (second["break_turn"], second["resolution"]) == (None, "resolved")
    assert "13812345678" not in ran.output and "[PHONE]" in second["said"][2]["text"]
    assert not (voiceloop.home / "facts.duckdb").exists()


def test_a_transcript_is_a_conversation_whose_voices_are_told_apart(voiceloop: CommandLine) -> None:
    ran = voiceloop("conversations", "label", voiceloop.write("call.vtt", VTT), "--json")
    assert ran.status == 0, ran.errors
    (found,) = ran.document["conversations"]
    assert [turn["speaker"] for turn in found["said"]] == ["agent", "customer", "agent", "customer"]
    assert found["said"][1]["text"] == "我的宽带断网了，三天了"
    assert (found["said"][1]["start"], found["said"][1]["end"]) == (4.2, 9.0)
    assert found["pace"]["interruptions"] == [3] and found["break_turn"] == 3


def test_one_conversation_may_be_picked_and_an_unknown_one_is_said(voiceloop: CommandLine) -> None:
    file = voiceloop.write("calls.csv", CALLS)
    ran = voiceloop("conversations", "label", file, "--conversation", "k2", "--json")
    assert [one["conversation_id"] for one in ran.document["conversations"]] == ["k2"]
    ran = voiceloop("conversations", "label", file, "--conversation", "k9", "--json")
    assert ran.status == 1 and "k9" in ran.document["error"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "评价,评分\n很好,5\n", "no conversations"),
        ("a.vtt", "WEBVTT\n\n", "no speech"),
        ("a.json", '{"text": "", "segments": [], "start": 0}', "no speech"),
        ("a.json", '{"text": "x", "segments": [{"start": 0, ', "not a transcription"),
        ("a.srt", "", "empty"),
    ],
)
def test_what_is_no_conversation_is_said(voiceloop: CommandLine, name: str, content: str, said: str) -> None:
    ran = voiceloop("conversations", "label", voiceloop.write(name, content), "--json")
    assert ran.status == 1 and said in ran.document["error"]


def test_stored_conversations_are_listed_and_shown(voiceloop: CommandLine) -> None:
    assert voiceloop.ingest(voiceloop.write("calls.csv", CALLS)).status == 0
    listed = voiceloop("conversations", "list", "--json").document["conversations"]
    assert {one["conversation_id"] for one in listed} == {"k1", "k2"}
    open_ones = voiceloop("conversations", "list", "--unresolved", "--json").document["conversations"]
    assert [one["conversation_id"] for one in open_ones] == ["k1"]
    broken = voiceloop("conversations", "list", "--broken", "--json").document["conversations"]
    assert [one["conversation_id"] for one in broken] == ["k1"]
    shown = voiceloop("conversations", "show", "k1", "--json").document
    assert len(shown["said"]) == 3 and shown["pace"]["interruptions"] == [2]
    assert "爆发" in voiceloop("conversations", "show", "k1").output
    missing = voiceloop("conversations", "show", "k7", "--json")
    assert missing.status == 1 and "k7" in missing.document["error"]
