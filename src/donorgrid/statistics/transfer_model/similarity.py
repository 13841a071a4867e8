"""How alike languages (or tasks) are: a kernel with ones on its diagonal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from donorgrid.core.arrays import Reals


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """Similarities between names.

    Attributes
    ----------
    pairs : mapping of (str, str) to float
        From 0 (nothing in common) to 1, for pairs in sorted order; a pair that is missing has 0. With every name's 1 on
        the diagonal they must form a positive semi-definite matrix.
    """

    pairs: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def none(cls) -> "Similarity":
        """Returns the similarity of names that have nothing in common."""
        return cls(pairs={})

    def scaled(self, share: float) -> "Similarity":
        """Returns this similarity times a share in [0, 1], off the diagonal."""
        return Similarity(pairs={pair: share * value for pair, value in self.pairs.items()})

    def between(self, rows: Sequence[str], columns: Sequence[str]) -> Reals:
        """The similarities of two lists of names, shape ``(n_rows, n_columns)``."""
        return np.array([[self._of(row, column) for column in columns] for row in rows]).reshape(
            len(rows), len(columns)
        )

    def _of(self, first: str, second: str) -> float:
        return 1.0 if first == second else float(self.pairs.get((min(first, second), max(first, second)), 0.0))
