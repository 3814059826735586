"""Streamed text: nothing is shown before its sentence is complete and holds; the verdict is that of the whole."""

import pytest

from agent.lock_sentences import sentences
from agent.lock_stream import StreamLock
from evals.number_lock import Locks

ANSWER = (
    "**10月 NPS 为 7.9**（n=1,971）。广东最低，为 -39.1。北京为 37.1。\n\n"
    "1. 上海 27.2\n2. 浙江 29.4\n- 「引文。里有句号」\n结论：NPS 上升了。It fell to 7.9 vs. 34.5 before. Done."
)


@pytest.mark.parametrize("size", [1, 3, 11, 1000])
def test_pieces_of_any_size_get_the_verdict_of_the_whole(size: int) -> None:
    lock = Locks().of(["nps_oct_region"])
    stream = StreamLock(lock)
    shown = (
        "".join(stream.feed(ANSWER[at : at + size]) for at in range(0, len(ANSWER), size)) + stream.close()
    )
    assert stream.checked == lock.check(ANSWER)
    assert shown.strip() == lock.cut(ANSWER)
    assert "37.1" not in shown
    assert "-39.1" in shown


def test_an_open_sentence_is_held_back() -> None:
    stream = StreamLock(Locks().of(["nps_oct_region"]))
    assert stream.feed("10月 NPS 为 7.9") == ""
    assert stream.feed("。北") == "10月 NPS 为 7.9。"


def test_sentences_cover_the_text_and_keep_citations_and_quotations_whole() -> None:
    text = "客户很急。[AB123] “一句。两句。”说完。\n1. 第一条\nSee v. 5.2.0 now. Next"
    parts = [text[a:b] for a, b in sentences(text)]
    assert "".join(parts) == text
    assert parts[0] == "客户很急。[AB123]"
    assert " “一句。两句。”说完。" in parts
    assert "1. 第一条\n" in parts
