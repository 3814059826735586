"""What a tool is given besides its arguments. Built once, in agent/wiring.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pipeline.taxonomy import Taxonomy
from retention.churn import ChurnModels
from retention.policy import Policy
from retention.segments import policies_for
from store.clock import Clock
from store.facts import FactStore
from store.keys import Role as Role
from store.operations import OperationStore
from store.scoped_operations import ScopedOperations
from store.units import Scope, scope_of
from tools.calendar_file import ExternalEvent
from tools.result_cache import ResultCache
from tools.targets import Yardsticks, load_targets
from vectorstore.embedder import Embedder
from vectorstore.index import VectorIndex


@dataclass(frozen=True)
class Asker:
    """On whose behalf a tool runs.

    `scope`: the org units whose rows the asker may see, each with all below it; empty is everything, and a
    blank unit a ConfigError.
    """

    user: str = "local"
    role: Role = "admin"
    scope: Scope = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "scope", scope_of(self.scope))


@dataclass(frozen=True)
class ToolContext:
    """Stores, taxonomy, clock and asker. `labellers` names those in use (None: not known);
    `policy` is the one live when the call began; `churn` keeps the models learnt in this process.

    Of a scoped asker's context, facts and operations are those within the scope, however it was put together.
    `results` keeps what tools gave before; None keeps nothing. `reaches_customers`: by any channel.
    `approved` is True only while an approved action is carried out.
    """

    facts: FactStore
    operations: OperationStore
    index: VectorIndex
    embedder: Embedder
    taxonomy: Taxonomy
    clock: Clock
    zone: ZoneInfo
    asker: Asker
    policy: Policy
    approved: bool = False
    labellers: Callable[[], frozenset[str]] | None = None
    churn: ChurnModels = field(default_factory=ChurnModels)
    targets: Yardsticks = field(default_factory=load_targets)
    calendar: tuple[ExternalEvent, ...] = ()
    results: ResultCache | None = None
    reaches_customers: bool = False

    def policy_of(self, customer_id: str) -> Policy:
        """The policy that holds for a customer, with what his segments change."""
        return policies_for(self.facts, self.policy, [customer_id], self.clock.now()).of(customer_id)

    def __post_init__(self) -> None:
        if self.facts.scope == self.asker.scope:
            return
        whole = self.facts
        facts = whole.scoped(self.asker.scope)
        object.__setattr__(self, "facts", facts)
        object.__setattr__(self, "operations", ScopedOperations(self.operations, whole, facts))
