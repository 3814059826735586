"""What a customer's profile says about being written to: opted out, and on which clock they live."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from retention.policy_messages import MessageRules
from retention.settings_file import read_as
from store.contacts import EVERY_CHANNEL
from store.records import Customer

_FILE: Final = Path(__file__).with_name("contact_words.yaml")


def opted_out_by_profile(profile: Customer | None, rules: MessageRules) -> frozenset[str]:
    """Channels that the customers file says are not wanted: `all`, or the channels a cell names."""
    if profile is None:
        return frozenset()
    words = _words()
    found: set[str] = set()
    for name in rules.opt_out_attributes:
        value = profile.attributes.get(name, "").strip().lower()
        if value in words["opted_out"]:
            found.add(EVERY_CHANNEL)
        elif value not in words["not_opted_out"]:
            named = {part.strip() for part in value.replace("，", ",").replace("、", ",").split(",")}
            # A cell that names no channel of ours is taken for a no to all: better one letter too few.
            found |= named if named <= set(rules.channels) else {EVERY_CHANNEL}
    return frozenset(found)


def zone_of(profile: Customer | None, rules: MessageRules, usual: ZoneInfo) -> ZoneInfo:
    """The customer's own zone where the profile names one that exists, else the usual one."""
    name = "" if profile is None else profile.attributes.get(rules.zone_attribute, "")
    try:
        return ZoneInfo(name) if name else usual
    except (ValueError, KeyError, OSError):
        return usual


@lru_cache(maxsize=1)
def _words() -> Mapping[str, frozenset[str]]:
    return read_as(dict[str, frozenset[str]], _FILE)
