"""Dials: the ranges from which worlds are drawn, with where each comes from and what it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from casebook.contracts import refuse


@dataclass(frozen=True)
class Dial:
    """A range from which worlds draw one setting.

    Parameters
    ----------
    name : str
        Key under which a world receives the drawn value.
    low, high : float
        Ends of the range, ``low < high``, in `unit`.
    unit : str
        Unit of the value.
    source : str
        Where the range comes from.
    moral : str
        Which finding the dial decides.
    scale : {"linear", "log"}
        Uniform in the value, or uniform in its logarithm.
    null : float, optional
        The value in the null world; None means that it keeps being drawn there.

    Raises
    ------
    ContractError
        If the range is empty or not finite, a log range is not positive, or source or moral is missing.

    Examples
    --------
    >>> Dial("lift", 0.01, 0.2, "share", "published pilots", "targeting pays", scale="log", null=0.0).low
    0.01
    """

    name: str
    low: float
    high: float
    unit: str
    source: str
    moral: str
    scale: Literal["linear", "log"] = "linear"
    null: float | None = None

    def __post_init__(self) -> None:
        where = f"dial {self.name!r}"
        for field in ("low", "high") if self.null is None else ("low", "high", "null"):
            object.__setattr__(self, field, float(getattr(self, field)))
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            refuse(where, "a finite range with low < high", f"{self.low} to {self.high}", "mend its ends")
        if self.scale not in ("linear", "log"):
            refuse(where, "on scale 'linear' or 'log'", repr(self.scale), "choose one of the two")
        if self.scale == "log" and self.low <= 0:
            refuse(where, "positive on a log scale", f"low = {self.low}", "raise low or use scale='linear'")
        if self.null is not None and not np.isfinite(self.null):
            refuse(where, "finite in the null world", str(self.null), "give a number or None")
        for field in ("source", "moral"):
            if not getattr(self, field).strip():
                refuse(
                    f"{where}, {field}",
                    "a sentence",
                    "nothing",
                    "say where it comes from and what it decides",
                )

    def at(self, position: ArrayLike) -> NDArray[np.float64]:
        """Values at positions in [0, 1] along the dial's scale (0 is low, 1 is high), same shape."""
        position = np.asarray(position, dtype=np.float64)
        if self.scale == "log":
            values = np.exp(np.log(self.low) + position * (np.log(self.high) - np.log(self.low)))
        else:
            values = self.low + position * (self.high - self.low)
        return np.clip(values, self.low, self.high)

    def cell_of(self, values: ArrayLike, cells: int) -> NDArray[np.int64]:
        """Number (0 to ``cells - 1``) of the cell, equally wide on the scale, that holds each value."""
        warp = np.log if self.scale == "log" else np.asarray
        edges = warp(self.at(np.linspace(0, 1, cells + 1)))
        return np.clip(np.searchsorted(edges, warp(np.asarray(values)), side="right") - 1, 0, cells - 1)


def _check_names(dials: Sequence[Dial]) -> list[str]:
    names = [dial.name for dial in dials]
    repeated = sorted({name for name in names if names.count(name) > 1 or name == "seed"})
    if repeated:
        refuse("dials", "named once each and never 'seed'", ", ".join(map(repr, repeated)), "rename them")
    return names


def draw_dials(dials: Sequence[Dial], n: int, rng: np.random.Generator, null: bool = False) -> pd.DataFrame:
    """Draw the settings of `n` worlds.

    The null worlds consume the same random numbers, so world i and null world i differ only in the dials that
    have a null value; and the first rows of a longer draw are the rows of a shorter one.

    Parameters
    ----------
    dials : sequence of Dial
    n : int
        Number of worlds.
    rng : numpy.random.Generator
    null : bool
        Set every dial that has a null value to it.

    Returns
    -------
    pandas.DataFrame
        `n` rows, one float column a dial.

    Raises
    ------
    ContractError
        If names repeat, `n` is negative, or `null` is asked for and no dial has a null value.

    Examples
    --------
    >>> share = Dial("share", 0.2, 0.4, "share", "assumed", "who wins")
    >>> draw_dials([share], 2, np.random.default_rng(0)).round(3)["share"].tolist()
    [0.327, 0.254]
    """
    names = _check_names(dials)
    if n < 0:
        refuse("n", "zero or more worlds", str(n), "ask for a count")
    if null and all(dial.null is None for dial in dials):
        refuse(
            "dials",
            "at least one with a null value",
            "none",
            "give null= to the dial that carries the effect",
        )
    position = rng.random((n, len(dials)))
    columns = [
        np.full(n, float(dial.null)) if null and dial.null is not None else dial.at(position[:, column])
        for column, dial in enumerate(dials)
    ]
    return pd.DataFrame(dict(zip(names, columns, strict=True)), columns=names, index=range(n))
