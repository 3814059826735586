"""What one check of the data gives: figures, doubts in words, and the ids they rest on."""

from dataclasses import dataclass, field
from typing import Any

EVIDENCE = 5


@dataclass(frozen=True)
class Check:
    """Parts of the result's data by name, caveats, and feedback ids."""

    data: dict[str, Any]
    caveats: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
