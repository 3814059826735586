from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from store.duckdb_facts import DuckDBFactStore
from store.errors import ToolInputError
from store.facts import Selection, Window
from store.identity import text_key
from store.records import Feedback, LabelledFeedback
from vectorstore.chroma_index import ChromaIndex
from vectorstore.retrieval import Hit, Question, rank, search
from vectorstore.use_embedder import UseEmbedder

EVERYTHING = Selection()
START = datetime(2026, 10, 1, tzinfo=UTC)
TEXTS = [
    ("广东", "快递太慢了，等了一个星期"),
    ("广东", "物流速度很慢，迟迟不发货"),
    ("广东", "快递太慢了,等了一个星期!"),
    ("北京", "送货慢得离谱，催了三次"),
    ("北京", "客服态度很差，说话难听"),
    ("北京", "房间隔音不好，半夜很吵"),
    ("上海", "软件一更新就闪退"),
    ("上海", "好评"),
    ("上海", "The parcel arrived two weeks late"),
    ("上海", "Staff were rude at the counter"),
    ("上海", "The app crashes on startup"),
    ("上海", "会员价格涨得太快"),
]


class Archive:
    """Real stores with texts of three regions, a day apart."""

    def __init__(self, folder: Path) -> None:
        self.embedder = UseEmbedder()
        self.facts = DuckDBFactStore(folder / "facts.duckdb", ZoneInfo("Asia/Shanghai"))
        self.index = ChromaIndex(folder / "chroma", self.embedder.name, self.embedder.dimension)
        for number, (region, text) in enumerate(TEXTS):
            self.add(f"f{number}", text, region, START + timedelta(days=number))
        for number in range(20):
            self.add(f"praise{number}", "好评", "上海", START + timedelta(days=30 + number))

    def add(self, feedback_id: str, text: str, region: str, at: datetime, *, embed: bool = True) -> None:
        feedback = Feedback(
            feedback_id=feedback_id, source="shop", text=text, region=region, occurred_at=at, customer_id="c"
        )
        key = text_key(text)
        self.facts.add_feedback([LabelledFeedback(feedback=feedback, text_key=key)])
        if embed and self.index.missing([key]):
            self.index.add([key], self.embedder.embed_documents([text]))

    def ask(self, question: str, limit: int = 5, selection: Selection = EVERYTHING) -> list[Hit]:
        return search(question, self.facts, self.index, self.embedder, selection, limit)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    opened = Archive(tmp_path_factory.mktemp("archive"))
    yield opened
    opened.index.close()
    opened.facts.close()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("快递慢", "快递太慢了"),
        ("服务员的态度", "客服态度很差"),
        ("程序崩溃闪退", "软件一更新就闪退"),
        ("late delivery of my parcel", "The parcel arrived two weeks late"),
        ("rude staff", "Staff were rude at the counter"),
    ],
)
def test_the_best_hit_answers_the_question(archive: Archive, question: str, expected: str) -> None:
    hits = archive.ask(question)
    assert hits[0].text.startswith(expected)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= value <= 1 for hit in hits for value in (hit.score, hit.meaning, hit.wording))


def test_a_text_comes_once_by_its_newest_item(archive: Archive) -> None:
    hits = archive.ask("好评", limit=10)
    praise = [hit for hit in hits if hit.text == "好评"]
    assert [(hit.feedback_id, hit.items) for hit in praise] == [("praise19", 21)]


def test_texts_that_differ_in_punctuation_alone_are_one_hit(archive: Archive) -> None:
    texts = [hit.text for hit in archive.ask("快递太慢了，等了一个星期", limit=10)]
    assert sum("等了一个星期" in text for text in texts) == 1


def test_marked_near_duplicates_are_one_hit(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first, second = text_key(TEXTS[0][1]), text_key(TEXTS[1][1])
    archive.facts.mark_near_duplicates({second: first})
    ids = {hit.feedback_id for hit in archive.ask("快递物流太慢", limit=12)}
    assert not {"f0", "f1"} <= ids and {"f0", "f1", "f2"} & ids
    archive.index.close()
    archive.facts.close()


def test_only_the_selection_is_searched(archive: Archive) -> None:
    beijing = Selection(filters={"region": ("北京",)})
    assert {hit.feedback_id for hit in archive.ask("快递太慢", 10, beijing)} == {"f3", "f4", "f5"}
    early = Selection(window=Window(START, START + timedelta(days=2)))
    assert {hit.feedback_id for hit in archive.ask("闪退", 10, early)} == {"f0", "f1"}
    assert archive.ask("快递", 10, Selection(filters={"region": ("西藏",)})) == []


def test_a_text_without_a_vector_is_found_by_its_wording(archive: Archive) -> None:
    archive.add("new", "发票抬头写错了没人管", "天津", START, embed=False)
    tianjin = Selection(filters={"region": ("天津",)})
    assert [hit.feedback_id for hit in archive.ask("发票抬头", 5, tianjin)] == ["new"]
    assert archive.ask("发票抬头", 3)[0].feedback_id == "new"


def test_the_limit_holds_and_nothing_is_asked_for_nothing(archive: Archive) -> None:
    assert len(archive.ask("很慢", limit=2)) == 2
    assert archive.ask("很慢", limit=0) == []
    assert archive.ask("  ？！ ", limit=5) == []


@pytest.mark.parametrize("question", ["快递太慢", "闪退", "rude staff", "late"])
def test_a_wide_selection_is_ranked_like_a_narrow_one(archive: Archive, question: str) -> None:
    asked = Question(question, archive.embedder.embed_query(question))
    for selection in (EVERYTHING, Selection(filters={"region": ("上海", "广东")})):
        wide = rank(asked, archive.facts, archive.index, selection, 5, narrow=0)
        all_scored = rank(asked, archive.facts, archive.index, selection, 5)
        assert wide.keys == all_scored.keys and len(wide.keys) == 5
        assert wide.scores.tolist() == pytest.approx(all_scored.scores.tolist(), abs=1e-5)


def test_a_wide_selection_that_holds_few_candidates_is_scored_as_a_whole(archive: Archive) -> None:
    selection = Selection(filters={"region": ("天津", "北京")})
    asked = Question("隔音", archive.embedder.embed_query("隔音"))
    found = rank(asked, archive.facts, archive.index, selection, 50, narrow=0)
    assert {archive.facts.texts([key])[key] for key in found.keys} >= {"房间隔音不好，半夜很吵"}
    assert set(found.keys) <= {key for key, _ in archive.facts.text_keys(selection)}


def test_what_agents_said_is_found_when_it_is_asked_for(archive: Archive) -> None:
    said = Feedback(
        feedback_id="agent", source="chat", text="已为您登记退款工单", speaker="agent", occurred_at=START
    )
    archive.facts.add_feedback([LabelledFeedback(feedback=said, text_key=text_key(said.text))])
    assert "agent" not in {hit.feedback_id for hit in archive.ask("退款工单", 20)}
    agents = Selection(filters={"speaker": ("agent",)})
    assert [hit.feedback_id for hit in archive.ask("退款工单", 5, agents)] == ["agent"]


def test_near_duplicates_that_nobody_marked_are_one_hit(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add("two", "送餐太慢，等了两个小时", "广东", START)
    archive.add("three", "送餐太慢，等了三个小时", "广东", START)
    ids = {hit.feedback_id for hit in archive.ask("送餐太慢等了很久", limit=12)}
    assert len(ids & {"two", "three"}) == 1
    archive.index.close()
    archive.facts.close()


def test_any_question_is_survived(archive: Archive) -> None:
    for question in ("慢" * 100_000, "\ud83d 慢", "a\0b", "' OR 1=1 --", "😀😀"):
        assert len(archive.ask(question, limit=3)) <= 3


def test_an_unknown_dimension_says_so(archive: Archive) -> None:
    with pytest.raises(ToolInputError):
        archive.ask("慢", 3, Selection(filters={"no such": ("x",)}))
