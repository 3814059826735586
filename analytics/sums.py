"""The sufficient statistics (n, sum x, sum x^2) that every figure here is computed from."""

import math
from typing import NamedTuple


class Sums(NamedTuple):
    """How many values, their sum, and the sum of their squares.

    The mean and the variance of any metric follow: NPS (x in -1, 0, 1), shares (x in 0, 1), scores.
    """

    n: int
    total: float
    squares: float

    def __add__(self, other: object) -> "Sums":
        """Pool two disjoint samples."""
        if not isinstance(other, Sums):
            return NotImplemented
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: "Sums") -> "Sums":
        """Take a subsample out."""
        return Sums(self.n - other.n, self.total - other.total, self.squares - other.squares)

    @property
    def mean(self) -> float:
        """Arithmetic mean; NaN of an empty sample."""
        return self.total / self.n if self.n else math.nan

    @property
    def variance(self) -> float:
        """Unbiased sample variance; NaN below two values."""
        if self.n < 2:
            return math.nan
        return max(0.0, self.squares - self.total * self.total / self.n) / (self.n - 1)


EMPTY = Sums(0, 0.0, 0.0)
