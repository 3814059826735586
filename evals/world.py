"""The made-up company of the sample feed: its places, products, stores and customers."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from evals.wording import read_yaml


@dataclass(frozen=True)
class Shop:
    """A store with its three-level unit and what people call it in each language."""

    unit: str
    city: str
    zh: str
    en: str


@dataclass(frozen=True)
class Product:
    """A product: its name in the data and what people call it."""

    name: str
    weight: float
    zh: tuple[str, ...]
    en: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """A customer. `loyalty` is which story they live: ordinary, declining or loud."""

    customer_id: str
    name: str
    language: str
    region: str
    city: str
    store: Shop | None
    tier: str
    owner: str
    value: float
    since: date
    renewal_on: date
    activity: float
    loyalty: str


@dataclass(frozen=True)
class World:
    """world.yaml, read."""

    data: Mapping[str, Any]
    shops: tuple[Shop, ...]
    products: tuple[Product, ...]

    @classmethod
    def load(cls) -> "World":
        """Read world.yaml."""
        data = read_yaml("world.yaml")
        shops = tuple(Shop(**shop) for shop in data["stores"])
        products = tuple(
            Product(p["name"], p["weight"], tuple(p["zh"]), tuple(p["en"])) for p in data["products"]
        )
        return cls(data, shops, products)

    def people(self, rng: random.Random, end: date) -> list[Person]:
        """Draw the customers: first those who decline before they leave, then the loud but loyal."""
        regions = self.data["regions"]
        tiers = self.data["tiers"]
        surnames, given = self.data["surnames"], self.data["given_names"]
        people = []
        declining, loud = self.data["decliners"], self.data["loud_loyal"]
        for number in range(self.data["customers"]):
            region = rng.choices(regions, [r["weight"] for r in regions])[0]
            city = rng.choice(region["cities"])
            tier = rng.choices(tiers, [t["weight"] for t in tiers])[0]
            shops = [shop for shop in self.shops if shop.city == city]
            since = end - timedelta(days=int(rng.expovariate(1 / 500)) + 3)
            renewal = end + timedelta(days=rng.randrange(1, 365))
            story = "declining" if number < declining else "loud" if number < declining + loud else "ordinary"
            people.append(
                Person(
                    customer_id=f"C{100001 + number * 7}",
                    name=rng.choice(surnames) + rng.choice(given),
                    language="en" if rng.random() < self.data["english_share"] else "zh",
                    region=region["name"],
                    city=city,
                    store=rng.choice(shops) if shops else None,
                    tier=tier["name"],
                    owner=rng.choice(self.data["owners"]),
                    value=round(tier["value"] * rng.uniform(0.6, 1.8), 2),
                    since=since if story == "ordinary" else min(since, end - timedelta(days=400)),
                    renewal_on=renewal,
                    activity=min(6.0, rng.paretovariate(2.2)),
                    loyalty=story,
                )
            )
        return people
