"""The picture of a flip map: where a gain turns, with the worlds behind each cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import INK


def gain_map(
    cells: pd.DataFrame,
    across: tuple[str, str],
    up: tuple[str, str],
    title: str,
    measure: str,
    limit: float = 1.0,
) -> None:
    """Draw a flip map of gains with the number of worlds in each cell.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`casebook.worlds.flip_map_of`: the two dials, ``mean`` and ``n``.
    across, up : tuple of str
        Name of the dial, and what the axis says.
    title, measure : str
    limit : float
        Gain at which the colour is full. At 1 gains are shares and written in percent; below, as they are.
    """
    _, ax = plt.subplots()
    grid = cells.pivot(index=up[0], columns=across[0], values="mean")
    counts = cells.pivot(index=up[0], columns=across[0], values="n").to_numpy()
    rows, columns = grid.shape
    ax.pcolormesh(range(columns + 1), range(rows + 1), grid, cmap="RdBu", vmin=-limit, vmax=limit)
    for (row, column), value in np.ndenumerate(grid.to_numpy()):
        gain = f"{100 * value:+z.0f}" if limit == 1 else f"{value:+z.3f}"
        words = f"{gain}\nn={counts[row, column]}" if counts[row, column] else "none"
        colour = "white" if abs(value) > 0.75 * limit else INK
        ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=10, color=colour)
    ax.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5, xlabel=across[1], ylabel=up[1])
    ax.set_xticklabels([f"{x:,.0f}" if x >= 100 else f"{x:.2g}" for x in grid.columns.to_numpy(float)])
    ax.set_yticklabels([f"{value:.2g}" for value in grid.index])
    ax.grid(False)
    style.finding(ax, title, measure)
