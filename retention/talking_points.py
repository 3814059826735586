"""What to say to a customer about to leave: apology, value, return, limits, promise; from what is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final, Literal, NamedTuple

from retention.policy import Policy
from retention.wording import Language, is_named, name_of, sentence, shortened
from store.records import Customer, Tier

PointKind = Literal["apology", "value", "return", "limits", "promise", "avoid"]
_YEAR: Final = 365.25


class Point(NamedTuple):
    """One thing to say, or to keep to; in one language."""

    kind: PointKind
    text: str


@dataclass(frozen=True)
class Grounds:
    """What is known of one customer and of the issue. `causes` gravest first; `praised` topics by name.

    `uses` counts the use in the last `use_days`; None: no use is recorded at all. `granted` is what this
    customer was granted within the days that the policy's limits count over.
    """

    tier: Tier
    causes: Sequence[str]
    customer: Customer | None
    owner: str
    due_at: datetime | None
    today: date
    quote: str = ""
    praised: Sequence[str] = ()
    uses: int | None = None
    use_days: int = 90
    granted: float = 0.0


def talking_points(grounds: Grounds, policy: Policy, language: Language, zone: tzinfo) -> list[Point]:
    """The points in the order of a call. What is not known is asked of the customer, never made up."""
    return [
        *_apology(grounds, language),
        *_value(grounds, language),
        *_return(grounds, language),
        *_limits(grounds, policy, language),
        *_promise(grounds, language, zone),
        Point("avoid", sentence("say", f"avoid_{grounds.tier.value}", language)),
    ]


def _apology(grounds: Grounds, language: Language) -> Iterator[Point]:
    cause = next((one for one in grounds.causes if is_named("subjects", one)), "other")
    subject = name_of("subjects", cause, language)
    if grounds.quote:
        quote = shortened(grounds.quote)
        yield Point("apology", sentence("say", "apology_quoted", language, subject=subject, quote=quote))
    else:
        yield Point("apology", sentence("say", "apology", language, subject=subject))


def _value(grounds: Grounds, language: Language) -> Iterator[Point]:
    comma = "、" if language == "zh" else ", "
    customer = grounds.customer
    if customer is not None and customer.since is not None and customer.since < grounds.today:
        years = (grounds.today - customer.since).days / _YEAR
        yield Point("value", sentence("say", "tenure", language, years=f"{years:.1f}"))
    if grounds.praised:
        yield Point("value", sentence("say", "praised", language, topics=comma.join(grounds.praised)))
    else:
        yield Point("value", sentence("say", "value_unknown", language))


def _return(grounds: Grounds, language: Language) -> Iterator[Point]:
    if grounds.uses:
        yield Point("return", sentence("say", "uses", language, n=f"{grounds.uses:,}", days=grounds.use_days))
    else:
        known = "uses_unknown" if grounds.uses is None else "uses_none"
        yield Point("return", sentence("say", known, language, days=grounds.use_days))
    customer = grounds.customer
    if customer is not None and customer.renewal_on is not None and customer.renewal_on >= grounds.today:
        days = (customer.renewal_on - grounds.today).days
        yield Point("return", sentence("say", "renewal", language, day=customer.renewal_on, days=days))
    if customer is not None and customer.lifetime_value:
        worth = f"{customer.lifetime_value:,.0f}"
        yield Point("return", sentence("say", "worth", language, value=worth))


def _limits(grounds: Grounds, policy: Policy, language: Language) -> Iterator[Point]:
    rules = policy.authority
    offer = rules.offers.get(grounds.tier)
    if offer is not None and offer.amount:
        kind = name_of("offers", offer.kind, language)
        yield Point(
            "limits",
            sentence(
                "say", "offer", language, kind=kind, amount=f"{offer.amount:g}", currency=rules.currency
            ),
        )
    elif offer is not None:
        yield Point("limits", sentence("say", f"offer_{offer.kind}", language))
    comma = "；" if language == "zh" else "; "
    caps = comma.join(
        sentence(
            "say",
            "cap",
            language,
            role=name_of("api_roles", role, language),
            case=f"{cap.case:g}",
            customer=f"{cap.customer:g}",
        )
        for role, cap in sorted(rules.roles.items(), key=lambda one: one[1].case)
    )
    if caps:
        values = {"caps": caps, "currency": rules.currency, "days": rules.days}
        yield Point("limits", sentence("say", "caps", language, granted=f"{grounds.granted:g}", **values))


def _promise(grounds: Grounds, language: Language, zone: tzinfo) -> Iterator[Point]:
    if grounds.due_at is not None:
        due = f"{grounds.due_at.astimezone(zone):%Y-%m-%d %H:%M}"
        yield Point("promise", sentence("say", "promise", language, owner=grounds.owner, due=due))
