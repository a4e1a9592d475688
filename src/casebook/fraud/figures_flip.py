"""Chapter 5's flip map of the tiers: where a bank's own costs beat the source's cuts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from casebook.flip_figures import gain_map
from casebook.worlds import Dial, flip_map_of

GAIN = "over_source"


def over_source(frame: pd.DataFrame, dials: Sequence[Dial], across: int = 3, up: int = 2) -> pd.DataFrame:
    """Return what own costs keep beyond the source's cuts, of what can be kept, by pushes passed and prevalence.

    Parameters
    ----------
    frame : pandas.DataFrame
        The drawn banks of the study 05_tiers; it is not changed.
    dials : sequence of Dial
        Its dials, among them ``push_pass`` and ``prevalence``.
    across, up : int
        Cells along each of the two.

    Returns
    -------
    pandas.DataFrame
        As :func:`casebook.worlds.flip_map_of`: ``push_pass``, ``prevalence``, ``mean``, ``share_positive``, ``n``.
    """
    gain = frame["captured_three_cuts"] - frame["captured_source"]
    return flip_map_of(frame.assign(**{GAIN: gain}), dials, "push_pass", "prevalence", across, up, GAIN)


def words_of(cells: pd.DataFrame) -> str:
    """Return in how many banks own costs win at either end of the pushes that fraudsters pass.

    Examples
    --------
    >>> words_of(pd.DataFrame({"push_pass": [0.02, 0.2], "share_positive": [0.4, 1.0], "n": [10, 5]}))
    'Own costs win in 4 of 10 banks where few pushes are passed, in 5 of 5 where many are'
    """
    wins = (cells["share_positive"] * cells["n"]).fillna(0).groupby(cells["push_pass"]).sum().round().astype(int)
    banks = cells["n"].groupby(cells["push_pass"]).sum()
    few, many = (f"{wins.iloc[end]} of {banks.iloc[end]}" for end in (0, -1))
    return f"Own costs win in {few} banks where few pushes are passed, in {many} where many are"


def over_source_map(cells: pd.DataFrame) -> None:
    """Draw the map with points of what can be kept, and the number of banks, in each cell.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`over_source`.
    """
    percent = cells.assign(push_pass=100 * cells["push_pass"], prevalence=100 * cells["prevalence"])
    gain_map(
        percent,
        ("push_pass", "pushes that a fraudster passes, percent (log scale)"),
        ("prevalence", "attempts, percent"),
        words_of(cells),
        "own costs less source's, percent of what can be kept; n banks",
    )
