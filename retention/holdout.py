"""Who gets no automatic message, so that the effect of those messages can be told."""

import hashlib

from retention.policy_outcomes import HoldoutRule


def in_holdout(customer_id: str, rule: HoldoutRule) -> bool:
    """Whether a customer is held out of automatic messages: the same answer every time and everywhere."""
    key = f"{rule.name}\x1f{customer_id}".encode("utf-8", "surrogatepass")
    drawn = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") / 2**64
    return drawn < rule.share
