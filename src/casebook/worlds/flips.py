"""Flip maps: where a finding turns as one or two dials move."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.worlds.dials import Dial
from casebook.worlds.replication import World, plan, recompute, records


def flip_map(
    world: World,
    dials: Sequence[Dial],
    x: str,
    y: str,
    nx: int,
    ny: int,
    worlds_per_cell: int,
    seed: int,
    value: str,
) -> pd.DataFrame:
    """Play worlds on a grid of two dials; the other dials are drawn.

    Every cell plays the same seeds and the same draws of the other dials, so that neighbours differ by the
    two dials alone and the map is not speckled by luck.

    Parameters
    ----------
    world : callable
    dials : sequence of Dial
    x, y : str
        Names of the two dials that are held at the centres of the cells.
    nx, ny : int
        Cells along each; of equal width on the dial's own scale.
    worlds_per_cell : int
    seed : int
    value : str
        Which of the world's values to map.

    Returns
    -------
    pandas.DataFrame
        ``nx * ny`` rows, x slowest, both rising; columns `x`'s name, `y`'s name, `mean`, `share_positive`
        and `n` (worlds behind the cell; those whose value is nan do not count). For a picture:
        ``frame.pivot(index=y, columns=x, values="mean")``.

    Raises
    ------
    ContractError
        If x or y is no dial, they are the same, a count is below one, or the world returns no such value.

    Examples
    --------
    >>> dials = [Dial("cost", 0.0, 4.0, "$", "assumed", "m"), Dial("lift", 0.0, 4.0, "$", "assumed", "m")]
    >>> def treat(dials, rng):
    ...     return {"gain": dials["lift"] - dials["cost"]}
    >>> flip_map(treat, dials, "cost", "lift", 1, 2, 5, 1, "gain")
       cost  lift  mean  share_positive  n
    0   2.0   1.0  -1.0             0.0  5
    1   2.0   3.0   1.0             1.0  5
    """
    across, up = _pick(dials, x, y)
    _check_counts(nx=nx, ny=ny, worlds_per_cell=worlds_per_cell)
    settings = plan(dials, worlds_per_cell, seed)
    cells = []
    for at_x, at_y in product(_centres(across, nx), _centres(up, ny)):
        played = [recompute(world, row) for row in records(settings.assign(**{x: at_x, y: at_y}))]
        if value not in played[0]:
            refuse("value", f"one of the world's {sorted(played[0])}", repr(value), "name one of them")
        cells.append({x: at_x, y: at_y, **_summary(pd.Series([row[value] for row in played], dtype=float))})
    return pd.DataFrame(cells)


def flip_map_of(
    frame: pd.DataFrame, dials: Sequence[Dial], x: str, y: str, nx: int, ny: int, value: str
) -> pd.DataFrame:
    """The same table from worlds already played (a study's frame): each world falls into its cell.

    Returns
    -------
    pandas.DataFrame
        As :func:`flip_map`. An empty cell has ``n = 0`` and nan in `mean` and `share_positive`.

    Examples
    --------
    >>> dials = [Dial("cost", 0.0, 4.0, "$", "assumed", "m"), Dial("lift", 0.0, 4.0, "$", "assumed", "m")]
    >>> frame = pd.DataFrame({"cost": [1.0, 1.0, 3.0], "lift": [3.0, 3.5, 1.0], "gain": [2.0, 2.5, -2.0]})
    >>> flip_map_of(frame, dials, "cost", "lift", 2, 1, "gain")
       cost  lift  mean  share_positive  n
    0   1.0   2.0  2.25             1.0  2
    1   3.0   2.0 -2.00             0.0  1
    """
    across, up = _pick(dials, x, y)
    _check_counts(nx=nx, ny=ny)
    missing = [name for name in (x, y, value) if name not in frame.columns]
    if missing:
        refuse(
            "frame",
            f"a table with columns {x!r}, {y!r} and {value!r}",
            f"none named {missing[0]!r}",
            "add it",
        )
    in_x, in_y = across.cell_of(frame[x], nx), up.cell_of(frame[y], ny)
    cells = []
    for (i, at_x), (j, at_y) in product(enumerate(_centres(across, nx)), enumerate(_centres(up, ny))):
        cells.append({x: at_x, y: at_y, **_summary(frame.loc[(in_x == i) & (in_y == j), value].astype(float))})
    return pd.DataFrame(cells)


def _pick(dials: Sequence[Dial], x: str, y: str) -> tuple[Dial, Dial]:
    by_name = {dial.name: dial for dial in dials}
    for name in (x, y):
        if name not in by_name:
            refuse("x and y", f"names of dials, out of {sorted(by_name)}", repr(name), "name one of them")
    if x == y:
        refuse("x and y", "two dials", f"{x!r} twice", "name another, or set ny=1 beside another dial")
    return by_name[x], by_name[y]


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            refuse(name, "at least 1", str(count), "ask for one or more")


def _centres(dial: Dial, cells: int) -> list[float]:
    return [float(centre) for centre in dial.at((np.arange(cells) + 0.5) / cells)]


def _summary(values: pd.Series) -> dict[str, float | int]:
    counted = values.dropna()
    positive = float((counted > 0).mean()) if len(counted) else float("nan")
    return {"mean": float(counted.mean()), "share_positive": positive, "n": len(counted)}
