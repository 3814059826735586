"""What the policy lets be sent to customers, in plain sentences."""

from collections.abc import Iterator

from retention.policy import Policy
from retention.policy_words import joined, worded
from retention.wording import Language, name_of


def messages_told(policy: Policy, language: Language) -> Iterator[str]:
    """When customers are written to, how often, who is not, and what goes with it."""
    rules = policy.messages

    def said(key: str, **values: object) -> str:
        return worded("messages", key, language, **values)

    if not rules.channels:
        yield said("nobody")
        return
    yield said("channels", channels=joined(rules.channels, language), hours=f"{rules.expires_hours:g}")
    if rules.quiet_hours is not None:
        quiet = rules.quiet_hours
        yield said("quiet", start=f"{quiet.start:%H:%M}", end=f"{quiet.end:%H:%M}")
    often = rules.frequency
    yield said("often", n=often.messages, days=f"{often.days:g}", most=rules.most_a_day)
    if rules.stop_tiers:
        tiers = joined([name_of("tiers", tier.value, language) for tier in rules.stop_tiers], language)
        yield said("stop", tiers=tiers)
    coupons, currency = rules.coupons, policy.authority.currency
    if coupons.month:
        for tier, amount in coupons.tiers.items():
            yield said(
                "coupon",
                tier=name_of("tiers", tier.value, language),
                amount=f"{amount:g} {currency}",
                days=coupons.days,
                month=f"{coupons.month:g} {currency}",
            )
