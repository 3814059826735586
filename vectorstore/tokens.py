"""Words and phrases of Chinese and English texts, for features and labels of themes."""

import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Script = Literal["zh", "en"]
Clause = tuple[str, ...]

MAX_CHARS = 200
"""Only so much of a text is read: what it is about stands there, and segmenting is the slowest step."""

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_WORD = re.compile(r"[^\W\d_]")
_ZH_CLAUSE = re.compile(r"[^\w+#&-]+")
_EN_CLAUSE = re.compile(r"[^\w\s'’&/-]+|\n+")
_EN_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_KEEP_S = ("ss", "us", "is", "'s", "ous")


@dataclass(frozen=True)
class StopWords:
    """`empty` words name nothing; `degrees` and `fillers` stand inside phrases; `negators` open them."""

    empty: frozenset[str]
    degrees: frozenset[str]
    fillers: frozenset[str]
    negators: frozenset[str]

    def inner(self, word: str) -> bool:
        """Whether the word may stand inside a phrase without being content."""
        return word in self.degrees or word in self.fillers or word in self.negators

    def content(self, word: str) -> bool:
        """Whether the word says what something is about."""
        return word not in self.empty and not self.inner(word)


def script_of(text: str) -> Script:
    """Chinese where Han characters outweigh Latin words (one word counts as about four letters)."""
    return "zh" if 4 * len(_HAN.findall(text)) >= max(1, len(_LATIN.findall(text))) else "en"


def clauses(text: str, script: Script) -> list[Clause]:
    """Lower-case words, clause by clause; words hold at least one letter, English plurals are singular."""
    text = text[:MAX_CHARS].lower()
    found: list[Clause] = []
    if script == "zh":
        cut = _segmenter().lcut
        for part in _ZH_CLAUSE.split(text):
            words = tuple(word for word in cut(part, HMM=False) if _WORD.search(word))
            if words:
                found.append(words)
        return found
    for part in _EN_CLAUSE.split(text.replace("’", "'")):
        words = tuple(_singular(word) for word in _EN_WORD.findall(part))
        if words:
            found.append(words)
    return found


@cache
def stop_words(script: Script) -> StopWords:
    """The stop words of a language, from `stopwords.yaml`."""
    table = yaml.safe_load((Path(__file__).parent / "stopwords.yaml").read_text("utf-8"))[script]
    kinds = ("empty", "degrees", "fillers", "negators")
    return StopWords(*(frozenset(table[kind].split()) for kind in kinds))


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(_KEEP_S) or word in _english_stops():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses")) else word[:-1]


@cache
def _english_stops() -> frozenset[str]:
    stop = stop_words("en")
    return stop.empty | stop.degrees | stop.fillers | stop.negators


@cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        # jieba 0.42 has invalid escapes in its source and asks for pkg_resources.
        warnings.simplefilter("ignore")
        import jieba

    # Not jieba's own start: it trusts a cache file in the shared temporary folder, and logs.
    segmenter = jieba.Tokenizer()
    with segmenter.get_dict_file() as dictionary:
        segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(dictionary)
    segmenter.initialized = True
    return segmenter
