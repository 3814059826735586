import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean import clean


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<p>你好&amp;nbsp;世界</p>", "你好 世界"),
        ("ＡＰＰ卡１２３，好！！！！！！", "APP卡123，好！！！"),
        ("a\x00b\ud83d", "ab"),
        ("\ud83d\ude00 好", "😀 好"),
        ("a<b and c>d <手机号>", "a<b and c>d <手机号>"),
        ("价格10000000元", "价格10000000元"),
        ("一\u200b二\ufeff三", "一二三"),
        ("x  \t y\r\n\n\n z", "x y\nz"),
        ('<a href="http://x.y">看这里</a><script>alert(1)</script>', "看这里"),
        ("3 &lt; 5 &#20013;&#x6587;", "3 < 5 中文"),
        ("soooooo good", "sooo good"),
        ("𝟏𝟑𝟖 𝐀𝐁", "138 AB"),
        ("&amp;amp;amp;lt;br&amp;gt; x", "x"),
        ("<script>never closed", "<script>never closed"),
        ("a <!-- note --> b", "a b"),
        ("", ""),
    ],
)
def test_clean_removes_what_is_no_word(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@given(st.text(max_size=60))
def test_clean_is_idempotent_and_encodable(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    once.encode("utf-8")


@given(st.text(alphabet="好不错快递abc123", max_size=30))
def test_clean_keeps_distinct_words(text: str) -> None:
    assert set(clean(text)) == set(text)
