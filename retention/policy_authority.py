"""Who may grant a customer how much, and what is offered at a tier; the section `authority` of the policy."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from store.keys import Role
from store.records import Tier

Amount = Annotated[float, Field(ge=0)]
OfferKind = Literal["apology", "coupon", "credit", "refund", "plan"]


class Authority(BaseModel):
    """Most in one case, and most for one customer within `AuthorityRules.days`, whoever granted it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Amount
    customer: Amount

    @model_validator(mode="after")
    def _one_case_fits(self) -> "Authority":
        if self.case > self.customer:
            raise ValueError("one case may not come to more than a customer may get in all")
        return self


class Offer(BaseModel):
    """What is offered first at a tier, and for how much; an apology and a change of plan cost nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: OfferKind
    amount: Amount = 0

    @model_validator(mode="after")
    def _priced(self) -> "Offer":
        if (self.amount > 0) == (self.kind in ("apology", "plan")):
            raise ValueError("coupon, credit and refund have an amount; an apology and a plan have none")
        return self


class AuthorityRules(BaseModel):
    """Limits by the role of who is asking; offers by tier. A role without a limit may grant nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    days: Annotated[int, Field(ge=1, le=3650)] = 30
    roles: Mapping[Role, Authority] = {}
    offers: Mapping[Tier, Offer] = {}
