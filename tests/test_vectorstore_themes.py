import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from store.clock import FixedClock
from store.duckdb_facts import DuckDBFactStore
from store.facts import Find, Selection
from store.identity import text_key
from store.records import Feedback, LabelledFeedback, Labels, Sentiment, Theme
from store.theme_events import ThemeEvent
from vectorstore.chroma_index import ChromaIndex
from vectorstore.clusters import draws_of
from vectorstore.theme_finding import theme_space
from vectorstore.theme_labels import terms_of
from vectorstore.theme_lineage import Descent
from vectorstore.theme_records import faded
from vectorstore.theme_wordings import wordings
from vectorstore.themes import refresh_themes
from vectorstore.tokens import clauses
from vectorstore.use_embedder import UseEmbedder

CLOCK = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))

COMPLAINTS: Mapping[str, Sequence[Sequence[str]]] = {
    "delivery": (
        ("快递", "物流", "配送", "送货"),
        ("太慢了", "速度很慢", "晚了三天", "一直不到"),
        ("，等了好久", "，等得心急", "，催了也没用", ""),
    ),
    "service": (
        ("客服", "人工客服", "客服人员", "售后客服"),
        ("态度很差", "不理人", "说话很冲", "态度恶劣"),
        ("，让人生气", "，一点不耐心", "，问了不回答", ""),
    ),
    "app": (
        ("软件", "手机软件", "新版软件", "应用软件"),
        ("总是闪退", "打开就闪退", "登录闪退", "更新后闪退"),
        ("，根本没法用", "，重装也没用", "，请修复", ""),
    ),
}
PRAISE = (
    ("味道", "口味", "菜的味道", "早餐味道"),
    ("很好", "真不错", "非常好", "特别棒"),
    ("，家人都喜欢", "，下次还来", "，推荐给朋友", ""),
)
ENGLISH = (
    ("The battery", "My battery", "This battery", "The new battery"),
    ("drains too fast", "dies quickly", "does not last", "runs out by noon"),
    (" every day", " since the update", ", very annoying", ""),
)


def worded(parts: Sequence[Sequence[str]]) -> list[str]:
    return [
        "".join([first, " " if first.isascii() else "", *rest]) for first, *rest in itertools.product(*parts)
    ]


class Shop:
    """Real stores, filled with texts."""

    def __init__(self, folder: Path, embedder: UseEmbedder) -> None:
        self.facts = DuckDBFactStore(folder / "facts.duckdb", ZoneInfo("Asia/Shanghai"))
        self.index = ChromaIndex(folder / "chroma", embedder.name, embedder.dimension)
        self._embedder = embedder
        self._number = 0

    def add(self, texts: Sequence[str], sentiment: Sentiment = Sentiment.NEGATIVE) -> None:
        items = []
        for text in texts:
            self._number += 1
            feedback = Feedback(feedback_id=f"f{self._number:05d}", source="shop", text=text)
            labels = Labels(sentiment=sentiment, sentiment_confidence=0.9, labeller="hand")
            items.append(LabelledFeedback(feedback=feedback, labels=labels, text_key=text_key(text)))
        self.facts.add_feedback(items)
        by_key = {text_key(text): text for text in texts}
        missing = self.index.missing(by_key)
        self.index.add(missing, self._embedder.embed_documents([by_key[key] for key in missing]))

    def assignment(self) -> dict[str, str]:
        texts = self.facts.texts()
        return {
            texts[key]: theme.theme_id
            for theme in self.facts.themes()
            for key, _ in self.facts.text_keys(Selection(filters={"theme": (theme.theme_id,)}))
        }

    def close(self) -> None:
        self.index.close()
        self.facts.close()


@pytest.fixture(scope="module")
def embedder() -> UseEmbedder:
    return UseEmbedder()


@pytest.fixture
def shops(tmp_path: Path, embedder: UseEmbedder) -> Iterator[list[Shop]]:
    opened = [Shop(tmp_path / str(number), embedder) for number in range(2)]
    yield opened
    for shop in opened:
        shop.close()


def fill(shop: Shop, *, backwards: bool = False) -> None:
    complaints = [text for parts in COMPLAINTS.values() for text in worded(parts)]
    order = -1 if backwards else 1
    shop.add((complaints + worded(ENGLISH))[::order])
    shop.add(worded(PRAISE)[::order], Sentiment.POSITIVE)


def test_themes_follow_the_matter_the_language_and_the_polarity(shops: list[Shop]) -> None:
    shop = shops[0]
    fill(shop)
    told: list[tuple[int, int | None, str]] = []
    report = refresh_themes(shop.facts, shop.index, CLOCK, lambda *step: told.append(step))
    assignment = shop.assignment()
    assert report.renewed and report.unassigned == 0 and report.mixed_share == 0.0
    assert report.assigned == report.texts == len(assignment)
    assert told[-1][0] == told[-1][1] == report.texts
    groups = {name: worded(parts) for name, parts in COMPLAINTS.items()}
    groups |= {"praise": worded(PRAISE), "english": worded(ENGLISH)}
    belongs = {text: name for name, texts in groups.items() for text in texts}
    for theme in shop.facts.themes():
        own = [belongs[text] for text, theme_id in assignment.items() if theme_id == theme.theme_id]
        purity = max(own.count(name) for name in set(own)) / len(own)
        assert purity >= 0.9, (theme.label, own)
        assert theme.language == ("en" if "english" in own else "zh")
        assert theme.label and theme.keywords and [event.kind for event in theme.lineage] == ["born"]
        assert np.linalg.norm(theme.centroid) == pytest.approx(1.0, abs=1e-4)
        exemplars = shop.facts.find(Find(feedback_ids=theme.exemplars))
        assert 3 <= len(exemplars) <= 5
        assert {assignment[item.feedback.text] for item in exemplars} == {theme.theme_id}
    labels = [theme.label for theme in shop.facts.themes()]
    assert len(set(labels)) == len(labels)
    assert any("闪退" in label for label in labels) and any("attery" in label for label in labels)


def test_neither_order_nor_repetition_changes_the_themes(shops: list[Shop]) -> None:
    fill(shops[0])
    fill(shops[1], backwards=True)
    for shop in shops:
        refresh_themes(shop.facts, shop.index, CLOCK)
    assert shops[0].assignment() == shops[1].assignment()
    before = shops[0].facts.themes()
    again = refresh_themes(shops[0].facts, shops[0].index, CLOCK, full=True)
    assert (again.kept, again.born, again.split, again.merged) == (len(before), 0, 0, 0)
    assert shops[0].facts.themes() == before


def test_new_texts_join_themes_and_a_new_matter_founds_one(shops: list[Shop]) -> None:
    shop = shops[0]
    fill(shop)
    refresh_themes(shop.facts, shop.index, CLOCK)
    before = shop.assignment()
    shop.add(["物流速度太慢，等了一个星期", "客服态度很差，不想再打电话"])
    complaints = ("抬头开错了", "一直没有寄来", "金额不对")
    invoices = worded((("发票", "电子发票"), complaints, ("，财务不收", "，没法报销", "")))
    shop.add(invoices)
    report = refresh_themes(shop.facts, shop.index, CLOCK)
    after = shop.assignment()
    assert not report.renewed and report.unassigned == 0
    assert {text: after[text] for text in before} == before
    matters = {name: {before[text] for text in worded(parts)} for name, parts in COMPLAINTS.items()}
    assert after["物流速度太慢，等了一个星期"] in matters["delivery"]
    assert after["客服态度很差，不想再打电话"] in matters["service"]
    assert report.born >= 1
    founded = {after[text] for text in invoices} - set(before.values())
    assert founded
    names = [theme.label for theme in shop.facts.themes() if theme.theme_id in founded]
    assert any("发票" in name for name in names), names
    unchanged = refresh_themes(shop.facts, shop.index, CLOCK)
    assert unchanged.born == 0 and shop.assignment() == after


def test_wordless_and_unembedded_texts_have_no_theme(shops: list[Shop]) -> None:
    shop = shops[0]
    shop.add(["！！！", "12345", *worded(COMPLAINTS["app"])])
    labels = Labels(sentiment=Sentiment.NEGATIVE, sentiment_confidence=0.9, labeller="hand")
    late = Feedback(feedback_id="late", source="shop", text="还没有向量的一句话")
    shop.facts.add_feedback([LabelledFeedback(feedback=late, labels=labels, text_key=text_key(late.text))])
    report = refresh_themes(shop.facts, shop.index, CLOCK)
    assert report.unassigned == 3
    assert not {"！！！", "12345", late.text} & set(shop.assignment())


@pytest.mark.parametrize("texts", [[], ["只有一句话"], ["很慢", "太贵", "不好"], ["", "。。。"]])
def test_hardly_any_texts_are_no_error(shops: list[Shop], texts: list[str]) -> None:
    shop = shops[0]
    if any(texts):
        shop.add([text for text in texts if text])
    report = refresh_themes(shop.facts, shop.index, CLOCK)
    assert report.themes == (1 if report.assigned else 0)
    assert refresh_themes(shop.facts, shop.index, CLOCK).themes == report.themes


def test_themes_lie_in_areas_and_keep_a_dated_history(shops: list[Shop]) -> None:
    shop = shops[0]
    fill(shop)
    refresh_themes(shop.facts, shop.index, CLOCK)
    first = {theme.theme_id: theme for theme in shop.facts.themes()}
    assert all(theme.area_id and theme.area for theme in first.values())
    assert len({theme.area for theme in first.values()}) == len({theme.area_id for theme in first.values()})
    more = [f"{text}{end}" for text in worded(COMPLAINTS["delivery"])[::2] for end in ("！", "，真的")]
    shop.add(more)
    refresh_themes(shop.facts, shop.index, CLOCK)
    after = {theme.theme_id: theme for theme in shop.facts.themes()}
    grown = [theme for theme in after.values() if theme.lineage[-1].kind == "grown"]
    assert sum(theme.lineage[-1].n for theme in grown) >= len(more) / 2
    assert all([event.kind for event in theme.lineage] == ["born", "grown"] for theme in grown)
    assert {theme.lineage[-1].at for theme in grown} == {CLOCK.now()}
    assert {theme_id: after[theme_id].area_id for theme_id in first} == {
        theme_id: theme.area_id for theme_id, theme in first.items()
    }


def test_what_nothing_continues_has_faded_and_takes_no_texts() -> None:
    old = Theme(theme_id="t-old", label="旧", lineage=(ThemeEvent(kind="born"),))
    into = Descent("t-new", kept=True, merged=("t-old",))
    (gone,) = faded([old, Theme(theme_id="t-new", label="新")], [into], CLOCK.now())
    assert gone.faded and gone.lineage[-1] == ThemeEvent(kind="faded", at=CLOCK.now(), other="t-new")
    assert faded([gone], [into], CLOCK.now()) == [gone]
    assert not Theme(theme_id="t", label="x").faded


def test_lineage_of_older_data_is_read() -> None:
    theme = Theme.model_validate({"theme_id": "t", "label": "x", "lineage": ["born", "merged:t-2"]})
    assert [(event.kind, event.other) for event in theme.lineage] == [("born", None), ("merged", "t-2")]


def test_wordings_tell_apart_what_one_theme_says_in_several_ways(embedder: UseEmbedder) -> None:
    texts = worded(COMPLAINTS["delivery"]) + worded(COMPLAINTS["service"])
    words = [clauses(text, "zh") for text in texts]
    ones = np.ones(len(texts), dtype=np.float32)
    space = theme_space(words, embedder.embed_documents(texts), draws_of(texts), 3)
    terms = [terms_of(text, "zh") for text in words]
    found = wordings(space, draws_of(texts), ones, terms, "zh", least=32)
    assert len(found) == 2 and sum(one.n for one in found) == len(texts)
    half = len(texts) // 2
    assert {one.exemplar < half for one in found} == {True, False}
    assert wordings(space[:5], draws_of(texts[:5]), ones[:5], terms[:5], "zh", least=20) == []
