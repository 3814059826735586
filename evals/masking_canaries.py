"""Canaries: invented personal data in every column and file, and the search for it in what is left."""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ahocorasick_rs import BytesAhoCorasick

from evals.masking_cases import FREE_KINDS, MaskingCase, masking_cases
from evals.workbook import write_workbook

SEED: Final = 7_000_001
FILE_NAME: Final = "反馈_13912345678_zhangsan88@example.com.csv"
_HEADER: Final = ("编号", "评价", "NPS", "日期", "客户姓名", "手机号", "备注", "门店")
# Signs that a value must have to be told from chance: dates, short codes and single names are too common.
_TELLING: Final = 7
_SKIPPED: Final = frozenset(("birth_date", "given_en", "nickname_zh"))
COMMANDS: Final[tuple[tuple[str, ...], ...]] = (
    ("themes", "--json"),
    ("ask", "客户最近在抱怨什么？", "--json"),
    ("ask", "What are the lowest scores about?", "--json"),
    ("tool", "search_feedback", "--args", '{"query": "电话 地址 联系人", "limit": 50}'),
    ("tool", "low_score_drilldown", "--args", "{}"),
    ("tool", "data_quality"),
    ("tasks", "list", "--json"),
    ("tool", "list_themes"),
)


class Planted(NamedTuple):
    """The files to bring in (with the kind of each) and the values that must not be seen again."""

    files: list[tuple[Path, str]]
    texts: Path
    canaries: list[str]


def plant(folder: Path, count: int) -> Planted:
    """Write files that hold `count` canaries in texts, attributes, names, turns, file names and bad rows."""
    cases = _cases(count)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [cases[at::5] for at in range(5)]
    rows = [_row(number, case, parts[1]) for number, case in enumerate(parts[0] + parts[1])]
    main, sheet = folder / FILE_NAME, folder / "回访.xlsx"
    with main.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADER)
        writer.writerows(rows)
        # A row that cannot be kept: values go to the rejects file, the reason into the account.
        writer.writerow(
            ("x1", "很差，电话13912345678", "13912345678", "2026-10-02", "张伟", "13912345678", "", "一店")
        )
    write_workbook(sheet, ("评价", "满意度", "日期"), [(case.text, 2, "2026-10-03") for case in parts[2]])
    turns = folder / "会话.jsonl"
    turns.write_text(
        "".join(
            json.dumps(_turn(number, case), ensure_ascii=False) + "\n" for number, case in enumerate(parts[3])
        ),
        encoding="utf-8",
    )
    events = folder / "events.csv"
    with events.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("客户ID", "时间", "事件", "详情"))
        writer.writerows(
            (f"k{n}", "2026-10-04 10:00", "search", _line(case)) for n, case in enumerate(parts[4])
        )
    texts = folder / "texts.txt"
    texts.write_text("".join(f"{_line(case)}\n" for case in cases[:200]), encoding="utf-8")
    files = [(main, "feedback"), (sheet, "feedback"), (turns, "feedback"), (events, "events")]
    values = [case.text[case.start : case.end] for case in cases]
    return Planted(files, texts, [*values, "13912345678", "zhangsan88@example.com"])


def leaks(planted: Planted, home: Path, outputs: Iterable[bytes]) -> list[str]:
    """Return what was found of the canaries, and where, in files of the data folder and in outputs."""
    forms: dict[bytes, str] = {}
    for value in planted.canaries:
        for form in (value.encode(), json.dumps(value).strip('"').encode(), value.encode("utf-16-le")):
            forms[form] = value
    automaton = BytesAhoCorasick(list(forms))
    values = list(forms.values())
    whole = [(path.name, path.read_bytes()) for path in sorted(home.rglob("*")) if path.is_file()]
    whole += [(f"output {number}", text) for number, text in enumerate(outputs)]
    found = {
        f"{values[index]} in {name}": None
        for name, text in whole
        for index, _, _ in automaton.find_matches_as_indexes(text, overlapping=True)
    }
    return list(found)


def run_canaries(count: int) -> dict[str, Any]:
    """Push canaries through the command line, each command a process of its own, and search what is left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planted = plant(folder / "files", count)
        outputs = [_voiceloop(folder, command) for command in commands(planted)]
        found = leaks(planted, folder / "home", outputs)
        files = sum(path.is_file() for path in (folder / "home").rglob("*"))
    return {
        "canaries": len(planted.canaries),
        "ways": ["CSV", "XLSX", "JSON lines", "events", "file name", "rejected row", "label predict", "mask"],
        "files": files,
        "outputs": len(outputs),
        "found": len(found),
        "where": found[:50],
    }


def commands(planted: Planted) -> list[tuple[str, ...]]:
    """Every command to run over the planted files, in order."""
    brought = [("ingest", str(path), "--kind", kind, "--json") for path, kind in planted.files]
    return [*brought, *COMMANDS, ("label", "predict", str(planted.texts)), ("mask", str(planted.texts))]


def _voiceloop(folder: Path, command: Sequence[str]) -> bytes:
    settings = (f"VOICELOOP_HOME={folder / 'home'}", "VOICELOOP_TIMEZONE=Asia/Shanghai")
    ran = subprocess.run(
        ["env", *settings, sys.executable, "-m", "server.cli", *command],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command[:2])} failed: {ran.stderr.decode(errors='replace')[-500:]}")
    # A path or a question that was given is told again; only what comes from the data counts.
    return (ran.stdout + ran.stderr).replace(command[1].encode(), b"")


def _cases(count: int) -> list[MaskingCase]:
    """Telling cases whose values are all different."""
    found: dict[str, MaskingCase] = {}
    for case in masking_cases(SEED, per_kind=60, look_alikes=0):
        value = case.text[case.start : case.end]
        telling = sum(sign.isalnum() for sign in value) >= (3 if case.kind in FREE_KINDS else _TELLING)
        if telling and case.kind not in _SKIPPED:
            found.setdefault(value, case)
    cases = list(found.values())
    step = max(1, len(cases) // count)
    return cases[::step][:count]


def _row(number: int, case: MaskingCase, notes: Sequence[MaskingCase]) -> tuple[str, ...]:
    note = notes[number % len(notes)].text if notes and number % 2 else "无"
    return (
        f"f{number}", case.text, str(number % 11), "2026-10-01", "欧阳建国", "13912345678", note,
        f"{number % 5}店",
    )  # fmt: skip


def _turn(number: int, case: MaskingCase) -> dict[str, Any]:
    return {
        "conversation_id": f"c{number // 4}",
        "turn": number % 4 + 1,
        "speaker": "agent" if number % 4 == 1 else "customer",
        "text": case.text,
        "occurred_at": "2026-10-05 10:00",
    }


def _line(case: MaskingCase) -> str:
    return case.text.replace("\n", " ")
