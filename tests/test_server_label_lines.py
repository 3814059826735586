"""`label predict` of many texts: the same lines, in the same order, from one process or several."""

from tests.command_line import CommandLine


def test_many_texts_on_several_cores_give_the_lines_of_one_process(voiceloop: CommandLine) -> None:
    told = (
        "物流太慢，等了{}天",
        "质量很好，第{}次买",
        "我要退款，订单里少了{}件",
        "Great service, visit {}",
        "",
    )
    texts = [told[n % len(told)].format(n) for n in range(20_400)]
    file = voiceloop.folder / "texts.txt"
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    several = voiceloop("label", "predict", file, workers="2")
    one = voiceloop("label", "predict", file, workers="1")
    assert several.status == one.status == 0
    assert several.output == one.output
    lines = several.lines
    assert [line["text"] for line in lines] == texts
    assert lines[2]["risk_signals"] == ["refund"] and lines[3]["language"] == "en"


def test_grades_that_are_not_masked_stay(voiceloop: CommandLine) -> None:
    text = "我叫张伟，电话13812345678，订单号20261122093015887\n"
    shown = voiceloop("label", "predict", "-", stdin=text).lines[0]["text"]
    assert "张伟" not in shown and "13812345678" not in shown
    partly = voiceloop("label", "predict", "-", stdin=text, mask_grades="identity").lines[0]["text"]
    assert "张伟" not in partly and "20261122093015887" in partly
    masked = voiceloop("mask", "-", stdin=text, mask_grades="identity").lines[0]["text"]
    assert masked == partly
