import base64
import json
import sqlite3
from pathlib import Path

import pytest

from agent.settings import Settings
from agent.unmasking import unmask
from agent.wiring import App, open_app
from pipeline.account import IngestOptions
from pipeline.mask import mask
from pipeline.pseudonyms import Seal
from store.errors import ConfigError, NotPermitted, StoreError, ToolInputError
from store.facts import Find, Selection
from tools.context import Asker

KEY = base64.b64encode(bytes(range(64))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 65))).decode()
TURNS = (
    "会话ID,轮次,角色,内容,日期\n"
    "c1,1,客户,我叫张伟，电话13800138000,2026-10-01 10:00\n"
    "c1,2,客服,张伟先生您好，我是客服李娜,2026-10-01 10:01\n"
    "c1,3,客户,李娜你好，还是13800138000，不是13900139000,2026-10-01 10:02\n"
    "c2,1,客户,我叫王芳，电话13800138000,2026-10-01 11:00\n"
)
LATER = "会话ID,轮次,角色,内容,日期\nc1,4,客户,我叫赵敏，电话13700137000,2026-10-02 10:00\n"


def opened(folder: Path, mode: str, key: str | None = None) -> App:
    given = {"home": folder / "home", "pseudonyms": mode, "pseudonym_key": key}
    return open_app(Settings(_env_file=None, **given))  # type: ignore[arg-type]


def texts(app: App, folder: Path, content: str, name: str = "turns.csv") -> dict[str, str]:
    source = folder / name
    source.write_text(content, encoding="utf-8")
    app.ingestor.ingest([source], IngestOptions(source="chat"))
    every = Selection(filters={"speaker": (None, "customer", "agent")})
    found = [one.feedback for one in app.facts.find(Find(selection=every, limit=100))]
    return {f"{one.conversation_id}/{one.turn}": one.text for one in found}


def test_off_by_default(tmp_path: Path) -> None:
    with opened(tmp_path, "off") as app:
        assert texts(app, tmp_path, TURNS)["c1/1"] == "我叫[NAME]，电话[PHONE]"
        with pytest.raises(ToolInputError, match="off"):
            unmask(app, app.facts.find(Find(limit=1))[0].feedback.feedback_id, reason="test", asker=Asker())


def test_numbers_tell_who_is_who_within_a_conversation_only(tmp_path: Path) -> None:
    with opened(tmp_path, "numbered") as app:
        assert texts(app, tmp_path, TURNS) == {
            "c1/1": "我叫[NAME_1]，电话[PHONE_1]",
            "c1/2": "[NAME_1]先生您好，我是客服[NAME_2]",
            "c1/3": "[NAME_2]你好，还是[PHONE_1]，不是[PHONE_2]",
            "c2/1": "我叫[NAME_1]，电话[PHONE_1]",
        }


def test_a_later_run_never_gives_a_number_to_somebody_else(tmp_path: Path) -> None:
    with opened(tmp_path, "numbered") as app:
        texts(app, tmp_path, TURNS)
    with opened(tmp_path, "numbered") as app:
        assert texts(app, tmp_path, LATER, "later.csv")["c1/4"] == "我叫[NAME_3]，电话[PHONE_3]"


def test_with_the_key_the_same_person_keeps_the_number_in_a_later_run(tmp_path: Path) -> None:
    again = LATER.replace("赵敏", "张伟")
    with opened(tmp_path, "reversible", KEY) as app:
        texts(app, tmp_path, TURNS)
    with opened(tmp_path, "reversible", KEY) as app:
        assert texts(app, tmp_path, again, "later.csv")["c1/4"] == "我叫[NAME_1]，电话[PHONE_3]"


def test_only_an_administrator_with_the_key_opens_them_and_it_is_on_record(tmp_path: Path) -> None:
    with opened(tmp_path, "reversible", KEY) as app:
        texts(app, tmp_path, TURNS)
        every = Selection(filters={"conversation_id": ("c1",), "speaker": (None, "customer", "agent")})
        item = app.facts.find(Find(selection=every, order="oldest", limit=1))[0].feedback
        with pytest.raises(NotPermitted):
            unmask(app, item.feedback_id, reason="complaint", asker=Asker("mia", "manager"))
        with pytest.raises(ToolInputError, match="why"):
            unmask(app, item.feedback_id, reason=" ", asker=Asker())
        with pytest.raises(ToolInputError, match="no feedback"):
            unmask(app, "nobody", reason="complaint", asker=Asker())
        assert list(app.operations.audit_entries()) == []
        values = unmask(app, item.feedback_id, reason="complaint 7", asker=Asker("ann", "admin"))
        assert values == {"[NAME_1]": "张伟", "[PHONE_1]": "13800138000"}
        entry = app.operations.audit_entries()[-1]
        assert (entry.actor, entry.action, entry.subject) == ("ann", "unmask", item.feedback_id)
        assert "张伟" not in json.dumps(entry.detail, ensure_ascii=False)
        app.operations.verify_audit()
    with opened(tmp_path, "reversible", OTHER_KEY) as app, pytest.raises(StoreError, match="opened"):
        unmask(app, item.feedback_id, reason="complaint", asker=Asker())


def test_nothing_readable_is_left_in_the_vault(tmp_path: Path) -> None:
    with opened(tmp_path, "reversible", KEY) as app:
        texts(app, tmp_path, TURNS)
    with sqlite3.connect(tmp_path / "home" / "operations.sqlite") as store:
        assert store.execute("select count(*) from sealed_values").fetchone() == (2,)
    for file in (tmp_path / "home").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert "张伟".encode() not in content and b"13800138000" not in content


def test_what_is_sealed_for_one_conversation_opens_for_no_other() -> None:
    seal = Seal(KEY)
    sealed = seal.close("conversation\x1fchat\x1fc1", {"NAME": ["张伟"]})
    assert seal.open("conversation\x1fchat\x1fc1", sealed) == {"NAME": ["张伟"]}
    with pytest.raises(StoreError):
        seal.open("conversation\x1fchat\x1fc2", sealed)


@pytest.mark.parametrize("key", [None, "", "short", "?" * 88, base64.b64encode(b"x" * 32).decode()])
def test_reversible_needs_a_key_that_is_one(tmp_path: Path, key: str | None) -> None:
    with opened(tmp_path, "reversible", key) as app, pytest.raises(ConfigError, match="PSEUDONYM_KEY"):
        _ = app.ingestor


def test_a_part_of_a_name_is_the_same_person(tmp_path: Path) -> None:
    rows = (
        "会话ID,轮次,角色,内容,日期\n"
        "c1,1,customer,I spoke to Emily Johnson on the phone.,2026-10-01 10:00\n"
        "c1,2,customer,Emily was very rude to me,2026-10-01 10:01\n"
        "c1,3,customer,then I spoke to Robert Johnson,2026-10-01 10:02\n"
    )
    with opened(tmp_path, "numbered") as app:
        found = texts(app, tmp_path, rows)
    assert found["c1/1"] == "I spoke to [NAME_1] on the phone."
    assert found["c1/2"] == "[NAME_1] was very rude to me"
    assert found["c1/3"] == "then I spoke to [NAME_2]"


def test_numbered_placeholders_are_masked_once_and_for_all() -> None:
    text = "我叫[NAME_1]，电话[PHONE_2]，订单号[ORDER_10]"
    assert mask(text).text == text


def test_only_the_grades_that_are_set_are_masked(tmp_path: Path) -> None:
    with open_app(Settings(_env_file=None, home=tmp_path, mask_grades="identity,account")) as app:
        assert app.mask(["我叫张伟，订单号202311221234567，卡号6222021234567890123"]) == [
            "我叫[NAME]，订单号202311221234567，卡号[BANK_CARD]"
        ]
