"""Figures of chapter 5's deeper page: what designs promise, what a ring's graph shows, and where a graph pays."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from casebook import style
from casebook.colours import ADVISED, FIFTH, INK, NAIVE, NAIVE_FILL, NEUTRAL_FILL, SUBTLE
from casebook.fraud.graph import CardGraph

_LIMIT = 0.1  # average precision at which the colours of a map are full
_JITTER = 0.16
_FIFTIETH = 0.02


def world_dots(frame: pd.DataFrame, columns: Mapping[str, str], title: str, subtitle: str, across: str) -> None:
    """Draw one dot a drawn world in a row for each column, and the mean of the row as a bar.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a world; missing values are left out.
    columns : mapping of str to str
        Column -> its words, from the top.
    title, subtitle : str
    across : str
        What the axis says.
    """
    _, ax = plt.subplots(figsize=(7.2, 0.62 * len(columns) + 1.6))
    place = np.arange(len(columns))[::-1]
    shift = np.random.default_rng(0).uniform(-_JITTER, _JITTER, len(frame))
    for row, column in zip(place, columns, strict=True):
        values = frame[column].to_numpy(dtype=float)
        ax.scatter(values, row + shift, s=20, color=ADVISED, alpha=0.55, linewidth=0)
        ax.vlines(np.nanmean(values), row - 0.34, row + 0.34, color=INK, linewidth=2)
    ax.axvline(0, color=SUBTLE, linewidth=1)
    ax.set_yticks(place, list(columns.values()))
    ax.set(xlabel=across, ylim=(-0.6, len(columns) - 0.4))
    ax.grid(visible=False, axis="y")
    style.finding(ax, title, subtitle)


def flattery_title(frame: pd.DataFrame, columns: Mapping[str, str]) -> str:
    """Say which design promises most on average, and in how many worlds too much.

    Examples
    --------
    >>> flattery_title(pd.DataFrame({"a": [0.1, 0.2], "b": [0.4, -0.01]}), {"a": "a random split", "b": "a leak"})
    'A leak promises most: too much in 1 of 2 banks'
    """
    most = str(frame[list(columns)].mean().idxmax())
    words, above = columns[most], int((frame[most] > 0).sum())
    return f"{words[0].upper()}{words[1:]} promises most: too much in {above} of {len(frame)} banks"


def ring_drawing(graph: CardGraph, rank: np.ndarray, names: Mapping[str, Mapping[int, str]]) -> None:
    """Draw a small graph: cards on the left, devices on the right, and beside each what the walks say of it.

    Parameters
    ----------
    graph : CardGraph
        Of a handful of cards.
    rank : array, shape (cards + ids,)
        A number a node, such as :func:`casebook.fraud.graph.pagerank` per neighbour.
    names : mapping
        "card" and "device" -> id -> its words; other nodes are not drawn.
    """
    _, ax = plt.subplots(figsize=(7.2, 3.9))
    nodes = _places(graph, names)
    links = graph.links.tocoo()
    for low, high in zip(links.row, links.col + len(graph.cards), strict=True):
        if low in nodes and high in nodes:
            (x, y, _), (u, v, _) = nodes[low], nodes[high]
            ax.plot([x, u], [y, v], color=FIFTH, linestyle="-", linewidth=1.5, zorder=1)
    for node, (x, y, words) in nodes.items():
        _node(ax, x, y, words, float(rank[node]), bool(graph.told[node]))
    ax.set(xlim=(-0.75, 1.75), xticks=[], yticks=[])
    ax.margins(y=0.12)
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    style.finding(ax, _reach(graph, rank, nodes), "walks that restart at a report, per neighbour; orange: reported")


def _places(graph: CardGraph, names: Mapping[str, Mapping[int, str]]) -> dict[int, tuple[float, float, str]]:
    places = {}
    for x, kind in enumerate(("card", "device")):
        listed = names[kind]
        found = graph.find(kind, np.array(list(listed)))
        height = np.linspace(1, 0, len(listed))
        for node, y, words in zip(found, height, listed.values(), strict=True):
            if node >= 0:
                places[int(node)] = (float(x), float(y), words)
    return places


def _node(ax: Axes, x: float, y: float, words: str, rank: float, told: bool) -> None:
    ax.scatter([x], [y], s=240, color=NAIVE_FILL if told else NEUTRAL_FILL, edgecolor=INK, zorder=2)
    side, at = ("right", -14) if x == 0 else ("left", 14)
    text = f"{words}: {rank:.3f}"
    colour = NAIVE if told else INK
    ax.annotate(text, (x, y), (at, 0), textcoords="offset points", ha=side, va="center", color=colour)


def _reach(graph: CardGraph, rank: np.ndarray, nodes: Mapping[int, tuple[float, float, str]]) -> str:
    cards = [node for node in nodes if node < len(graph.cards)]
    reached = sum(bool(rank[node] > 0 and not graph.told[node]) for node in cards)
    told = sum(bool(graph.told[node]) for node in cards)
    return f"From {told} reported card the walks reach {reached} of {len(cards) - told} others"


def graph_map(cells: pd.DataFrame, title: str, subtitle: str) -> None:
    """Draw a flip map of rings: mean gain in average precision, and the number of banks, in each cell.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`casebook.fraud.plays_graph.earns_its_keep`.
    title, subtitle : str
        Such as :func:`map_title` or :func:`lead_title` of the same cells.
    """
    grid = cells.pivot(index="ring_share", columns="sharing", values="mean")
    counts = cells.pivot(index="ring_share", columns="sharing", values="n").to_numpy()
    limit = max(_LIMIT, float(np.nanmax(np.abs(grid.to_numpy()))))
    rows, columns = grid.shape
    _, ax = plt.subplots(figsize=(6.4, 4.2))
    ax.pcolormesh(range(columns + 1), range(rows + 1), grid, cmap="RdBu", vmin=-limit, vmax=limit)
    for (row, column), value in np.ndenumerate(grid.to_numpy()):
        n = int(counts[row, column])
        words = f"{value:+z.3f}\nn={n}" if n else "no bank"
        dark = n and abs(value) > 0.6 * limit
        colour = "white" if dark else INK
        ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=9, color=colour)
    ax.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    ax.set_xticklabels([f"{100 * value:.0f}%" for value in grid.columns])
    ax.set_yticklabels([f"{100 * value:.0f}%" for value in grid.index])
    ax.set(xlabel="innocent sharing, none to most", ylabel="rings' share of attempts")
    ax.grid(visible=False)
    style.finding(ax, title, subtitle)


def map_title(cells: pd.DataFrame) -> str:
    """Say between what the map's cells lie, and in how many of them the gain is a fiftieth or more.

    Examples
    --------
    >>> cells = pd.DataFrame({"sharing": [0.2, 0.8], "mean": [0.03, -0.01], "n": [4, 5]})
    >>> map_title(cells)
    'The graph adds -0.01 to +0.03 to what counts find, a fiftieth or more in 1 of 2 parts'
    """
    known = cells.loc[cells["n"] > 0, "mean"]
    adds = int((known >= _FIFTIETH).sum())
    part = f"a fiftieth or more in {adds} of {len(known)} parts" if adds else "nowhere a fiftieth"
    return f"The graph adds {known.min():+z.2f} to {known.max():+z.2f} to what counts find, {part}"


def lead_title(cells: pd.DataFrame) -> str:
    """Say between what the cells lie, and which way they go as more is shared.

    Examples
    --------
    >>> lead_title(pd.DataFrame({"sharing": [0.2, 0.8], "mean": [-0.03, -0.1], "n": [4, 5]}))
    'By itself the graph is at -0.10 to -0.03 against counts, lower where more is shared'
    """
    known = cells[cells["n"] > 0]
    total = (known["mean"] * known["n"]).groupby(known["sharing"]).sum()
    column = total / known["n"].groupby(known["sharing"]).sum()
    way = ", whatever is shared"
    if len(column) > 1 and column.is_monotonic_decreasing:
        way = ", lower where more is shared"
    elif len(column) > 1 and column.is_monotonic_increasing:
        way = ", higher where more is shared"
    low, high = known["mean"].min(), known["mean"].max()
    return f"By itself the graph is at {low:+z.2f} to {high:+z.2f} against counts{way}"
