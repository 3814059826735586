"""What the policy lets customers be asked, in plain sentences."""

from collections.abc import Iterator

from retention.policy import Policy
from retention.policy_words import column_name, joined, worded
from retention.wording import Language, name_of

_WHOLE = 1.0


def surveys_told(policy: Policy, language: Language) -> Iterator[str]:
    """Who is asked what after which occasion, and who is spared; that nobody is, where surveys are off."""
    rules = policy.surveys

    def said(key: str, **values: object) -> str:
        return worded("surveys", key, language, **values)

    if not rules.active or not rules.nodes:
        yield said("off")
        return
    for node in rules.nodes:
        after = node.after
        if after.said is not None:
            parts = [
                said("said", name=column_name(name, language), values=joined(values, language))
                for name, values in after.said.items()
            ]
            occasion = joined(parts, language)
        else:
            key = "did" if after.did is not None else "outcome"
            occasion = said(key, values=joined(after.did or after.outcome or (), language))
        yield said(
            "node" if node.share >= _WHOLE else "node_share",
            occasion=occasion,
            hours=f"{node.wait_hours:g}",
            kind=node.kind.upper(),
            name=node.name,
            **({} if node.share >= _WHOLE else {"share": f"{node.share:.0%}"}),
        )
    tired = rules.fatigue
    yield said("fatigue", days=tired.days, year=tired.most_a_year, day=rules.most_a_day)
    if rules.skip_tiers:
        tiers = joined([name_of("tiers", tier.value, language) for tier in rules.skip_tiers], language)
        yield said("skip", tiers=tiers)
