"""Replication: many worlds, each with its own dials and its own seed, each recomputable alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.worlds.dials import Dial, draw_dials

World: TypeAlias = Callable[[dict[str, float], np.random.Generator], Mapping[str, float | bool]]
"""A function of dials and a generator that plays one world and returns its named values."""

SEED_BITS = 53  # a float64 holds every such integer exactly, so a seed survives a row of floats and JSON


def plan(dials: Sequence[Dial], n: int, seed: int, null: bool = False) -> pd.DataFrame:
    """Dials and own seed of every world, before any is played: what :func:`replicate` runs.

    Returns
    -------
    pandas.DataFrame
        Index `world` (0 to n - 1); one column a dial, then `seed`. The first rows do not depend on `n`, and
        `null` changes the dials only, not the seeds.

    Examples
    --------
    >>> share = Dial("share", 0.2, 0.4, "share", "assumed", "who wins")
    >>> plan([share], 3, seed=1).columns.tolist()
    ['share', 'seed']
    """
    for_dials, for_worlds = np.random.SeedSequence(seed).spawn(2)
    frame = draw_dials(dials, n, np.random.default_rng(for_dials), null)
    children = for_worlds.spawn(n)
    frame["seed"] = np.array(
        [int(child.generate_state(1, np.uint64)[0]) >> (64 - SEED_BITS) for child in children], dtype=np.int64
    )
    return frame.rename_axis("world")


def as_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows of worlds as a frame with index `world`: `seed` int64, true/false columns bool, all else float64.

    Examples
    --------
    >>> frame = as_table([{"seed": 7, "gain": None, "wins": True}], ["seed", "gain", "wins"])
    >>> frame.dtypes.astype(str).tolist()
    ['int64', 'float64', 'bool']
    """
    frame = pd.DataFrame(index=pd.RangeIndex(len(rows), name="world"))
    for column in columns:
        values = [row[column] for row in rows]
        if column == "seed":
            frame[column] = np.array(values, dtype=np.int64)
        elif values and all(isinstance(value, bool | np.bool_) for value in values):
            frame[column] = np.array(values, dtype=bool)
        else:
            frame[column] = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return frame


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts in column order.

    Examples
    --------
    >>> records(pd.DataFrame({"lift": [0.5], "seed": [7]}))
    [{'lift': 0.5, 'seed': 7}]
    """
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def replicate(world: World, dials: Sequence[Dial], n: int, seed: int, null: bool = False) -> pd.DataFrame:
    """Play `n` worlds, each with its own drawn dials and its own seed.

    Parameters
    ----------
    world : callable
        ``world(dials, rng) -> {name: number or bool}``; the same names in every world.
    dials : sequence of Dial
    n : int
    seed : int
        Root of all randomness; each row's own seed is spawned from it.
    null : bool
        Play the null worlds: the same seeds and drawn dials, the effect switched off.

    Returns
    -------
    pandas.DataFrame
        Index `world`; the dials, then `seed`, then the values. Columns left of `seed` are the dials.

    Raises
    ------
    ContractError
        If a value bears the name of a dial, or the worlds return different names.

    Examples
    --------
    >>> dials = [Dial("lift", 0.0, 2.0, "dollars", "assumed", "treating pays", null=0.0)]
    >>> def treat(dials, rng):
    ...     return {"gain": dials["lift"] + rng.normal(), "pays": dials["lift"] > 0}
    >>> replicate(treat, dials, 3, seed=1).columns.tolist()
    ['lift', 'seed', 'gain', 'pays']
    >>> int(replicate(treat, dials, 3, seed=1, null=True)["pays"].sum())
    0
    """
    settings = plan(dials, n, seed, null)
    rows: list[dict[str, Any]] = []
    for number, setting in enumerate(records(settings)):
        values = recompute(world, setting)
        if clash := sorted(set(values) & set(setting)):
            refuse(
                f"world {number}, value {clash[0]!r}",
                "named unlike dials and 'seed'",
                "the same name",
                "rename it",
            )
        row = {**setting, **values}
        if rows and set(row) != set(rows[0]):
            refuse(
                f"world {number}",
                "a dict with the names of world 0",
                repr(sorted(values)),
                "return the same names",
            )
        rows.append(row)
    return as_table(rows, list(rows[0]) if rows else list(settings.columns))


def recompute(world: World, row: Mapping[str, Any] | pd.Series) -> dict[str, float | bool]:
    """Play one row's world again from its dials (the columns left of `seed`) and its seed alone.

    Examples
    --------
    >>> dials = [Dial("lift", 0.0, 2.0, "dollars", "assumed", "treating pays")]
    >>> def treat(dials, rng):
    ...     return {"gain": dials["lift"] + rng.normal()}
    >>> frame = replicate(treat, dials, 5, seed=1)
    >>> bool(recompute(treat, frame.loc[3])["gain"] == frame.loc[3, "gain"])
    True
    """
    names = list(row.keys())
    if "seed" not in names:
        refuse("row", "one of replicate's, with a column 'seed'", repr(names), "pass frame.loc[world]")
    settings = {str(name): float(row[name]) for name in names[: names.index("seed")]}
    values = world(settings, np.random.default_rng(int(row["seed"])))
    return {name: bool(v) if isinstance(v, bool | np.bool_) else float(v) for name, v in values.items()}
