import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.account import IngestOptions, IngestReport
from pipeline.indexing import index_pending
from pipeline.ingest import Ingestor
from pipeline.mask import mask_texts
from store.clock import FixedClock
from store.duckdb_facts import DuckDBFactStore
from store.errors import InputError, StoreError
from store.facts import Aggregate, Find, Selection
from store.records import Labels, Sentiment
from store.sqlite_operations import SqliteOperationStore
from vectorstore.embedder import Vectors
from vectorstore.index import Match

DATA = Path(__file__).parents[2] / "shared" / "data"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class WordClassifier:
    """Negative where the text says 差 or 慢."""

    name = "words-1"

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        return [
            Labels(
                sentiment=Sentiment.NEGATIVE if set(text) & {"差", "慢"} else Sentiment.POSITIVE,
                sentiment_confidence=0.9,
                labeller=self.name,
            )
            for text in texts
        ]


class Place:
    """A data folder with its stores."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.facts = DuckDBFactStore(home / "facts.duckdb", ZONE)
        self.operations = SqliteOperationStore(home / "operations.db")
        self.ingestor = Ingestor(
            facts=self.facts,
            operations=self.operations,
            classifier=WordClassifier(),
            mask=mask_texts,
            clock=FixedClock(NOW),
            zone=ZONE,
            rejects_folder=home / "rejects",
            chunk=100,
        )

    def ingest(self, *paths: Path, **options: object) -> IngestReport:
        report = self.ingestor.ingest(list(paths), IngestOptions.model_validate(options))
        assert report.read == report.stored + report.duplicates + report.rejected
        return report

    def close(self) -> None:
        self.facts.close()
        self.operations.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "home")
    yield place
    place.close()


def write_table(
    path: Path, header: list[str], rows: Sequence[Sequence[object]], encoding: str = "utf-8"
) -> Path:
    with path.open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


HEADER = ["评价", "评分", "时间", "客户ID", "省份"]


def rows_of(n: int) -> list[list[object]]:
    words = ["物流太慢了", "质量很好", "客服态度差", "性价比高"]
    return [
        [
            f"{words[i % 4]}，订单{i}",
            i % 5 + 1,
            f"2026-03-{i % 28 + 1:02d} 10:{i % 60:02d}",
            f"c{i % 50}",
            "广东",
        ]
        for i in range(n)
    ]


def test_every_row_is_accounted_for_and_a_second_run_stores_nothing(place: Place, tmp_path: Path) -> None:
    rows = rows_of(250)
    rows[3][1], rows[7][2] = 11, "2026-02-30"
    rows.append(rows[0])
    path = write_table(tmp_path / "shop.csv", HEADER, rows, "gb18030")
    first = place.ingest(path)
    assert (first.read, first.stored, first.duplicates, first.rejected) == (251, 248, 1, 2)
    assert first.mapping == {
        "text": "评价",
        "rating": "评分",
        "occurred_at": "时间",
        "customer_id": "客户ID",
        "region": "省份",
    }
    assert first.date_format == "YYYY-MM-DD"
    assert first.rejects_file is not None
    rejects = [json.loads(line) for line in Path(first.rejects_file).read_text("utf-8").splitlines()]
    assert [(line["row"], line["reason"]) for line in rejects] == [
        (5, "评分 11 is outside 1-5"),
        (9, "impossible date '2026-02-30'"),
    ]
    assert rejects[0]["values"]["评分"] == "11"
    second = place.ingest(path)
    assert (second.read, second.stored, second.duplicates, second.rejected) == (251, 0, 249, 2)
    assert place.facts.count(Selection()) == 248
    batch = place.operations.batches()[0]
    assert (batch.stage, batch.read, batch.stored, batch.duplicates, batch.rejected) == (
        "stored",
        251,
        248,
        1,
        2,
    )


def test_figures_equal_an_independent_count(place: Place, tmp_path: Path) -> None:
    rows = rows_of(300)
    place.ingest(write_table(tmp_path / "shop.csv", HEADER, rows))
    group = place.facts.aggregate(Aggregate(metric="rating"))[0]
    scores = [int(str(row[1])) for row in rows]
    assert (group.n, group.total) == (300, sum(scores))
    share = place.facts.aggregate(Aggregate(metric="negative_share"))[0]
    assert share.total == sum("慢" in str(row[0]) or "差" in str(row[0]) for row in rows)


def test_personal_data_reaches_neither_store_nor_rejects(place: Place, tmp_path: Path) -> None:
    rows = [
        ["请回电13812345678，物流太慢", 1, "致电13812345678的记录", "13812345678", "张三丰"],
        ["邮箱 li@example.com 没有回复", 99, "联系 li@example.com 处理", "13912345678", "李四光"],
    ]
    path = write_table(tmp_path / "shop.csv", ["评价", "评分", "备注", "手机号", "姓名"], rows)
    report = place.ingest(path, maps=("rating=评分", "text=评价"))
    assert (report.stored, report.rejected) == (1, 1)
    stored = place.facts.find(Find(with_text=False))[0].feedback.model_dump_json()
    rejected = Path(str(report.rejects_file)).read_text("utf-8")
    for secret in ("13812345678", "13912345678", "li@example.com", "张三丰", "李四光"):
        assert secret not in stored + rejected
    assert "[PHONE]" in stored


def test_dry_run_shows_and_writes_nothing(place: Place, tmp_path: Path) -> None:
    rows = rows_of(120)
    rows[5][1] = 77
    path = write_table(tmp_path / "shop.csv", HEADER, [*rows, rows[0]])
    report = place.ingest(path, dry_run=True)
    assert (report.stored, report.duplicates, report.rejected, report.rejects_file) == (119, 1, 1, None)
    assert report.mapping["text"] == "评价"
    assert place.facts.count(Selection()) == 0
    assert place.operations.batches() == []
    assert not (place.home / "rejects").exists()


def test_lenient_keeps_the_row(place: Place, tmp_path: Path) -> None:
    rows = rows_of(120)
    rows[5][1] = 77
    report = place.ingest(write_table(tmp_path / "shop.csv", HEADER, rows), lenient=True)
    assert (report.stored, report.rejected) == (120, 0)
    assert report.files[0].values_left_out == {"评分": 1}


def test_near_duplicates_are_marked_and_counted(place: Place, tmp_path: Path) -> None:
    text = "物流实在太慢了，等了整整一个星期才收到货"
    rows = [[text, 1, "2026-03-01 10:00", "a", "广东"], [text + "！！呀", 1, "2026-03-02 10:00", "b", "广东"]]
    report = place.ingest(write_table(tmp_path / "shop.csv", HEADER, rows))
    assert (report.stored, report.near_duplicates) == (2, 1)
    found = {item.feedback.customer_id: item for item in place.facts.find(Find())}
    assert found["b"].near_duplicate_of == found["a"].text_key
    more = write_table(tmp_path / "later.csv", HEADER, [["！" + text, 2, "2026-04-01 10:00", "d", "浙江"]])
    assert place.ingest(more).near_duplicates == 1


def test_a_huge_cell_is_one_rejected_row(place: Place, tmp_path: Path) -> None:
    rows = [*rows_of(20), ["长" * 10_000_000, 3, "2026-03-01 10:00", "x", "广东"]]
    report = place.ingest(write_table(tmp_path / "shop.csv", HEADER, rows))
    assert (report.stored, report.rejected) == (20, 1)
    assert "longer than 100000 characters (10000000)" in next(iter(report.reject_reasons))
    assert Path(str(report.rejects_file)).stat().st_size < 20_000


def test_a_folder_reports_each_file_and_what_was_left_out(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_table(folder / "a.csv", HEADER, rows_of(10))
    write_table(folder / "b.csv", HEADER, rows_of(5))
    (folder / "c.csv").write_bytes(b"")
    (folder / "notes.docx").write_bytes(b"x")
    report = place.ingest(folder)
    assert [(Path(file.path).name, file.rows, bool(file.error)) for file in report.files] == [
        ("a.csv", 10, False),
        ("b.csv", 5, False),
        ("c.csv", 0, True),
    ]
    assert [Path(path).name for path in report.skipped_files] == ["notes.docx"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        ("评价,评分\n".encode(), "no rows"),
        (bytes(range(256)) * 40, "binary"),
        (b"a,b\nx,y\n", "neither a text nor a score"),
    ],
)
def test_unusable_files_are_refused_and_leave_nothing(
    place: Place, tmp_path: Path, data: bytes, says: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=says):
        place.ingest(path)
    assert place.operations.batches() == []


def test_a_rejects_file_that_cannot_be_written_is_an_error(place: Place, tmp_path: Path) -> None:
    rows = rows_of(20)
    rows[0][1] = 50
    with pytest.raises(StoreError, match="rejects file"):
        place.ingest(write_table(tmp_path / "shop.csv", HEADER, rows), rejects=tmp_path)


def test_the_other_kinds(place: Place, tmp_path: Path) -> None:
    customers = write_table(
        tmp_path / "customers.csv",
        ["客户ID", "姓名", "会员等级", "续费日期", "客户价值", "行业"],
        [["c1", "张三", "金卡", "2028-01-01", "50,000", "零售"], ["", "李四", "", "", "", ""]],
    )
    report = place.ingest(customers, kind="customers")
    assert (report.stored, report.rejected) == (1, 1)
    stored = place.facts.customers()[0]
    assert (stored.name, stored.lifetime_value, stored.attributes) == ("张*", 50_000, {"行业": "零售"})
    assert place.ingest(customers, kind="customers").duplicates == 1
    events = write_table(
        tmp_path / "events.csv",
        ["客户ID", "时间", "事件", "详情"],
        [["c1", "2026-03-05 10:00", "search", "如何导出数据"]] * 2,
    )
    report = place.ingest(events, kind="events")
    assert (report.stored, report.duplicates) == (1, 1)
    outcomes = write_table(
        tmp_path / "outcomes.csv",
        ["客户ID", "日期", "结果"],
        [["c1", "2026-03-05", "流失"], ["c2", "2026-03-06", "飞升"]],
    )
    report = place.ingest(outcomes, kind="outcomes")
    assert (report.stored, report.rejected) == (1, 1)
    assert place.facts.outcomes()[0].outcome == "churned"
    rates = write_table(
        tmp_path / "rates.csv", ["主题", "占比", "样本量"], [["配送慢", "18%", 1200], ["x", 1.5, 10]]
    )
    report = place.ingest(rates, kind="rates")
    assert (report.stored, report.rejected) == (1, 1)
    assert place.facts.rates()[0].rate == pytest.approx(0.18)
    assert place.operations.batches(unfinished=True) == []


def test_progress_is_told(place: Place, tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    path = write_table(tmp_path / "shop.csv", HEADER, rows_of(250))
    place.ingestor.ingest([path], None, lambda done, total, stage: told.append((done, total, stage)))
    assert told == [
        (0, None, "reading"),
        (0, 250, "storing"),
        (100, 250, "storing"),
        (200, 250, "storing"),
        (250, 250, "storing"),
    ]


class LengthEmbedder:
    """One dimension a text length; counts what it is given."""

    name = "length"
    dimension = 4

    def __init__(self) -> None:
        self.embedded: list[str] = []

    @property
    def unrelated(self) -> float:
        return 0.0

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        self.embedded.extend(texts)
        return np.eye(4, dtype=np.float32)[[len(text) % 4 for text in texts]]

    def embed_query(self, text: str) -> Vectors:
        return self.embed_documents([text])[0]  # type: ignore[no-any-return]


class DictIndex:
    """Vectors in a dictionary; may break after so many additions."""

    def __init__(self) -> None:
        self.held: dict[str, Vectors] = {}
        self.breaks_at: int | None = None

    def add(self, text_keys: Sequence[str], vectors: Vectors) -> None:
        if self.breaks_at is not None and len(self.held) >= self.breaks_at:
            raise StoreError("no room")
        self.held.update(zip(text_keys, vectors, strict=True))

    def missing(self, text_keys: object) -> list[str]:
        return [key for key in text_keys if key not in self.held]  # type: ignore[attr-defined]

    def nearest(self, vector: Vectors, *, limit: int, within: Sequence[str] | None = None) -> list[Match]:
        scored = [Match(key, float(held @ vector)) for key, held in self.held.items()]
        return sorted(scored, key=lambda match: -match.score)[:limit]

    def similarities(self, vector: Vectors, text_keys: Sequence[str]) -> Vectors:
        return self.vectors(text_keys) @ vector

    def vectors(self, text_keys: Sequence[str]) -> Vectors:
        import numpy as np

        return np.stack([self.held[key] for key in text_keys])

    def count(self) -> int:
        return len(self.held)

    def reset(self) -> None:
        self.held.clear()


def test_indexing_embeds_each_text_once_and_goes_on_after_a_break(place: Place, tmp_path: Path) -> None:
    texts = [f"第{n}条评价，质量很好" for n in range(1_500)]
    rows = [
        [texts[n % 1_500], 5, f"2026-03-01 {n // 60 % 24:02d}:{n % 60:02d}", f"c{n}", "广东"]
        for n in range(1_600)
    ]
    place.ingest(write_table(tmp_path / "shop.csv", HEADER, rows))
    index, embedder = DictIndex(), LengthEmbedder()
    index.breaks_at = 1_000
    with pytest.raises(StoreError):
        index_pending(place.facts, place.operations, index, embedder, chunk=512)
    assert 0 < index.count() < 1_500
    assert len(place.operations.batches(unfinished=True)) == 1
    index.breaks_at = None
    done = index_pending(place.facts, place.operations, index, embedder)
    assert index.count() == 1_500
    assert (done.batches, place.operations.batches(unfinished=True)) == (1, [])
    before = len(embedder.embedded)
    assert index_pending(place.facts, place.operations, index, embedder).texts == 0
    assert len(embedder.embedded) == before


def run_and_kill(home: Path, path: Path, at: int) -> None:
    """Ingest in a process of its own and kill it once it says that `at` rows are done."""
    script = (
        "import importlib.util; from pathlib import Path\n"
        f"spec = importlib.util.spec_from_file_location('killed', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        f"place = module.Place(Path({str(home)!r}))\n"
        "tell = lambda done, total, stage: print(done if total else -1, flush=True)\n"
        f"place.ingestor.ingest([Path({str(path)!r})], None, tell)\n"
    )
    root = Path(__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as told:
        assert any(int(line) >= at for line in told)
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_killed_at_any_point_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    rows = rows_of(3_000)
    rows[11][1] = 42
    path = write_table(tmp_path / "shop.csv", HEADER, rows)
    home = tmp_path / "home"
    for at in (-1, 1_700):
        run_and_kill(home, path, at)
    place = Place(home)
    partly = place.facts.count(Selection())
    assert 1_699 <= partly < 2_999
    assert [batch.stage for batch in place.operations.batches(unfinished=True)] == ["received"]
    report = place.ingest(path)
    assert (report.read, report.duplicates, report.rejected) == (3_000, partly, 1)
    assert place.facts.count(Selection()) == 2_999
    assert [batch.stage for batch in place.operations.batches()] == ["stored"]
    assert place.facts.aggregate(Aggregate(metric="rating"))[0].total == sum(
        int(str(row[1])) for n, row in enumerate(rows) if n != 11
    )
    place.close()


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data sets are not at {DATA}")
@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "column", "metric"),
    [
        ("en_skytrax_lounge_seat/lounge.csv", "overall_rating", "overall_rating"),
        ("en_cfpb_complaints_sample/complaints.csv", "Complaint ID", "volume"),
    ],
)
def test_real_files_keep_every_row(place: Place, file: str, column: str, metric: str) -> None:
    path = DATA / file
    report = place.ingest(path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        values = [row[column] for row in csv.DictReader(stream)]
    assert (report.stored, report.rejected, report.duplicates) == (len(values), 0, 0)
    group = place.facts.aggregate(Aggregate(metric=metric))[0]
    assert group.n == sum(value != "" for value in values)
    if metric != "volume":
        assert group.total == sum(float(value) for value in values if value)
