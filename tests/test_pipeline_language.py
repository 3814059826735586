import pytest

from pipeline.language import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "und"),
        ("12345 !!", "und"),
        ("[PHONE]", "und"),
        ("物流太慢了", "zh"),
        ("APP卡", "zh"),
        ("wifi很慢 staff不好", "zh"),
        ("App crash", "en"),
        ("OK", "en"),
        ("the 北京 office is great", "en"),
        ("naïve café idea is the best", "en"),
        ("Très bon produit mais cher", "other"),
        ("el producto es muy bueno", "other"),
        ("これはとてもいいです", "other"),
        ("좋아요", "other"),
        ("Очень хорошо", "other"),
    ],
)
def test_language_is_told_by_script(text: str, language: str) -> None:
    assert detect_language(text) == language
