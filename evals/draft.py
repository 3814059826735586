"""An item of the sample feed before it is put in words."""

from dataclasses import dataclass
from datetime import datetime

from evals.events import Event
from evals.wording import Mood
from evals.world import Person, Product


@dataclass
class Draft:
    """Who will say something of which file, when, about what and in which mood."""

    file: str
    at: datetime
    person: Person
    product: Product
    dimensions: dict[str, str]
    mood: Mood
    event: Event | None = None
