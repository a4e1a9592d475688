"""Which series add up to which: the summing matrix, the leaf panel at every node, and how far forecasts disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns

TOLERANCE = 1e-6
"""Gap, as a share of the forecast (of one unit where it is smaller), up to which forecasts count as coherent."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Nodes of some levels over m leaves; made by :func:`hierarchy_of`.

    Attributes
    ----------
    keys : what names a leaf: columns of ``leaves``.
    leaves : one row a leaf, with the columns that the levels are made of.
    nodes : MultiIndex of ``level`` and ``node``, length n; the leaves come last, in the order of ``leaves``.
    summing : the summing matrix S, shape (n, m): 1 where the leaf belongs to the node. Dense: 8 n m bytes.
    """

    keys: tuple[str, ...]
    leaves: pd.DataFrame
    nodes: pd.MultiIndex
    summing: FloatArray

    @property
    def levels(self) -> list[str]:
        """Names of the levels from the top; the last one is the leaves'."""
        return list(dict.fromkeys(self.nodes.get_level_values("level")))

    def at(self, level: str) -> slice:
        """Return where a level's nodes stand among all nodes."""
        if level not in self.levels:
            refuse("level", f"one of {', '.join(self.levels)}", repr(level), "pick one")
        places = np.flatnonzero(self.nodes.get_level_values("level") == level)
        return slice(int(places[0]), int(places[-1]) + 1)

    @property
    def bottom(self) -> slice:
        """Where the leaves stand among all nodes."""
        return self.at(self.levels[-1])


def hierarchy_of(leaves: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> Hierarchy:
    """Return the hierarchy of these levels over a frame of leaves.

    Parameters
    ----------
    leaves : pandas.DataFrame
        One row a leaf, such as a pair of store and SKU, with the columns that the levels name.
    levels : mapping of str to a sequence of str
        From the top: a level's name and the columns whose values make its nodes; no column makes the total. The last
        level must tell all leaves apart. Levels need not be nested: regions beside categories are a grouped hierarchy.

    Returns
    -------
    Hierarchy
        A node's name is its values, joined by " / "; nodes of a level are sorted by those values.

    Raises
    ------
    ContractError
        If a column is missing, has missing values, or the last level does not tell the leaves apart.

    References
    ----------
    Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd edition, chapter 11.

    Examples
    --------
    >>> leaves = pd.DataFrame({"region": ["north", "north", "south"], "store_id": [1, 2, 3]})
    >>> shop = hierarchy_of(leaves, {"total": [], "region": ["region"], "store": ["store_id"]})
    >>> pd.DataFrame(shop.summing.astype(int), shop.nodes)
                  0  1  2
    level  node
    total  all    1  1  1
    region north  1  1  0
           south  0  0  1
    store  1      1  0  0
           2      0  1  0
           3      0  0  1
    """
    if not levels:
        refuse("levels", "at least one", "none", "name the leaves' level")
    columns = list(dict.fromkeys(column for of_level in levels.values() for column in of_level))
    require_columns(leaves, columns, "leaves")
    _refuse_missing(leaves[columns])
    leaves = leaves.reset_index(drop=True)
    *above, last = levels
    keys = tuple(levels[last])
    if not keys:
        refuse(f"level {last!r}, the last", "made of columns that name a leaf", "no column", "add the leaves' level")
    if leaves.duplicated(list(keys)).any():
        got = f"two leaves with equal {', '.join(keys)}"
        refuse(f"level {last!r}, the last", "different for every leaf", got, "add a column")
    names, blocks = [], []
    for level in above:
        nodes, block = _level(leaves, list(levels[level]))
        names += [(level, node) for node in nodes]
        blocks.append(block)
    names += [(last, node) for node in _labels(leaves, list(keys))]
    blocks.append(np.eye(len(leaves)))
    return Hierarchy(keys, leaves, pd.MultiIndex.from_tuples(names, names=["level", "node"]), np.vstack(blocks))


def _refuse_missing(frame: pd.DataFrame) -> None:
    for name, column in frame.items():
        if column.isna().any():
            row = int(np.argmax(column.isna()))
            refuse(f"leaves, column {name!r}, row {row}", "a value", "a missing one", "fill it in or drop the leaf")


def _labels(frame: pd.DataFrame, columns: list[str]) -> list[str]:
    return [" / ".join(map(str, row)) for row in frame[columns].itertuples(index=False)]


def _level(leaves: pd.DataFrame, columns: list[str]) -> tuple[list[str], FloatArray]:
    """Return the names of a level's nodes and its rows of the summing matrix."""
    if not columns:
        return ["all"], np.ones((1, len(leaves)))
    groups = leaves.groupby(columns, observed=True, sort=True)
    number = groups.ngroup().to_numpy()
    first = leaves.iloc[pd.Series(number).drop_duplicates().sort_values().index]
    block = (number[None, :] == np.arange(groups.ngroups)[:, None]).astype(float)
    return _labels(first, columns), block


def leaf_panel(hierarchy: Hierarchy, frame: pd.DataFrame, time: str = "day", value: str = "sold") -> pd.DataFrame:
    """Return a long table as one row a leaf and one column a time, in the order of the leaves.

    Parameters
    ----------
    hierarchy : Hierarchy
    frame : pandas.DataFrame
        One row a leaf and time, with the hierarchy's keys; other leaves' rows are left out.
    time, value : str
        Columns.

    Returns
    -------
    pandas.DataFrame, shape (m, times)
        Index: the leaves' part of ``hierarchy.nodes``.

    Raises
    ------
    ContractError
        If a leaf has two rows of one time, or none.

    Examples
    --------
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> sales = pd.DataFrame({"store_id": [2, 1, 2, 1], "day": [0, 0, 1, 1], "sold": [5, 3, 7, 4]})
    >>> leaf_panel(shop, sales)
    day           0  1
    level node
    store 1     3.0  4.0
          2     5.0  7.0
    """
    keys = list(hierarchy.keys)
    require_columns(frame, [*keys, time, value], "the panel")
    places = hierarchy.leaves[keys].assign(_leaf=np.arange(len(hierarchy.leaves)))
    rows = frame[[*keys, time, value]].merge(places, on=keys, how="inner")
    twice = rows.duplicated(["_leaf", time])
    if twice.any():
        row = rows[twice].iloc[0]
        at = f"the panel, leaf {hierarchy.nodes[hierarchy.bottom][row['_leaf']][1]}, {time} {row[time]}"
        refuse(at, "one row", "two", "add them up or drop one")
    wide = rows.pivot(index="_leaf", columns=time, values=value).reindex(range(len(places))).astype(float)
    if wide.isna().to_numpy().any():
        leaf, column = np.argwhere(wide.isna().to_numpy())[0]
        at = f"the panel, leaf {hierarchy.nodes[hierarchy.bottom][leaf][1]}, {time} {wide.columns[column]}"
        refuse(at, "a number", "a gap", "fill in 0 where nothing was sold, or leave the leaf out")
    return wide.set_axis(hierarchy.nodes[hierarchy.bottom], axis=0)


def aggregate(hierarchy: Hierarchy, panel: pd.DataFrame) -> pd.DataFrame:
    """Add a leaf panel up to every node.

    Parameters
    ----------
    hierarchy : Hierarchy
    panel : pandas.DataFrame, shape (m, times)
        Rows in the order of the leaves, as :func:`leaf_panel` returns it.

    Returns
    -------
    pandas.DataFrame, shape (n, times)
        Index ``hierarchy.nodes``.

    Raises
    ------
    ContractError
        If the panel has not one row a leaf.

    Examples
    --------
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> aggregate(shop, pd.DataFrame([[3, 4], [5, 7]])).loc["total"]
            0     1
    node
    all   8.0  11.0
    """
    if len(panel) != len(hierarchy.leaves):
        refuse("panel", f"{len(hierarchy.leaves)} rows long, one a leaf", str(len(panel)), "use leaf_panel")
    return pd.DataFrame(hierarchy.summing @ panel.to_numpy(float), hierarchy.nodes, panel.columns)


def as_nodes(hierarchy: Hierarchy, frame: pd.DataFrame, what: str = "forecasts") -> FloatArray:
    """Return a frame of all nodes as an array, or refuse it.

    Raises
    ------
    ContractError
        If it has not one row a node in their order, or a value is missing or infinite.
    """
    if not isinstance(frame, pd.DataFrame) or len(frame) != len(hierarchy.nodes):
        got = f"{len(frame)} rows" if isinstance(frame, pd.DataFrame) else type(frame).__name__
        refuse(what, f"a table of {len(hierarchy.nodes)} rows, one a node", got, "forecast every node")
    if not frame.index.equals(hierarchy.nodes):
        refuse(what, "indexed by the hierarchy's nodes, in their order", "another index", "use reindex")
    values = frame.to_numpy(float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        level, node = hierarchy.nodes[row]
        at = f"{what}, {level} {node}, column {frame.columns[column]}"
        refuse(at, "a finite number", str(values[row, column]), "forecast it anew")
    return values


def gaps(hierarchy: Hierarchy, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return each node's forecast less the sum of its leaves' forecasts, shape (n, times)."""
    values = as_nodes(hierarchy, forecasts)
    return forecasts - hierarchy.summing @ values[hierarchy.bottom]


def incoherence(hierarchy: Hierarchy, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Measure, level by level, how far forecasts are from the sums of the leaves' forecasts.

    Returns
    -------
    pandas.DataFrame
        Index ``level``; ``mean_gap`` and ``largest_gap`` (absolute, in units), ``share`` (the mean gap over the mean
        absolute forecast of the level).

    Raises
    ------
    ContractError
        As :func:`as_nodes`.

    Examples
    --------
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> incoherence(shop, pd.DataFrame({"monday": [10.0, 4.0, 4.0]}, index=shop.nodes))
           mean_gap  largest_gap  share
    level
    total       2.0          2.0    0.2
    store       0.0          0.0    0.0
    """
    gap = gaps(hierarchy, forecasts).abs().to_numpy()
    size = forecasts.abs().to_numpy()
    rows = {}
    for level in hierarchy.levels:
        own, mean = gap[hierarchy.at(level)], size[hierarchy.at(level)].mean()
        rows[level] = {
            "mean_gap": own.mean(), "largest_gap": own.max(), "share": own.mean() / mean if mean else float("nan")
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")


def is_coherent(hierarchy: Hierarchy, forecasts: pd.DataFrame, tolerance: float = TOLERANCE) -> bool:
    """Say whether every node's forecast is the sum of its leaves' forecasts.

    Examples
    --------
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> is_coherent(shop, pd.DataFrame({"monday": [8.00001, 4.0, 4.0]}, index=shop.nodes))
    False
    """
    gap = gaps(hierarchy, forecasts).abs().to_numpy()
    return bool((gap <= tolerance * np.maximum(1, forecasts.abs().to_numpy())).all())
