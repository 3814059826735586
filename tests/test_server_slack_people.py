"""Who somebody in Slack is, and who may read along."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from server.inbox_people import People, load_people
from server.slack_people import SlackPeople
from tools.context import Asker


def people(**parts: object) -> People:
    return People.model_validate(parts)


async def test_nobody_is_known_without_a_file() -> None:
    assert await SlackPeople(load_people(None), AsyncWebClient()).asker("U1") is None


async def test_others_may_be_given_a_role() -> None:
    known = people(others={"role": "viewer", "scope": ["hq/east"]})
    assert await SlackPeople(known, AsyncWebClient()).asker("U9") == Asker("slack:U9", "viewer", ("hq/east",))


@pytest.mark.parametrize(
    ("room", "scope", "together"),
    [
        ("C_ALL", (), True),
        ("C_ALL", ("hq/east",), True),
        ("C_EAST", ("hq/east",), True),
        ("C_EAST", ("hq/east/store-1",), True),
        ("C_EAST", ("hq/west",), False),
        ("C_EAST", ("hq/east", "hq/west"), False),
        ("C_EAST", (), False),
        ("C_UNLISTED", ("hq/east",), False),
        ("C_UNLISTED", (), False),
    ],
)  # fmt: skip
def test_an_answer_is_shown_in_a_room_only_where_all_of_it_may_be_seen(
    room: str, scope: tuple[str, ...], together: bool
) -> None:
    known = people(rooms={"C_ALL": {}, "C_EAST": {"scope": ["hq/east"]}})
    assert known.may_read_along(room, Asker("li", "viewer", scope)) is together


def test_a_room_is_told_alerts_once() -> None:
    with pytest.raises(ValueError, match="told twice in C1"):
        people(alerts=[{"room": "C1"}, {"room": "C1", "tiers": ["red"]}])
