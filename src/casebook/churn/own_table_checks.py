"""What a reader's own table is refused for beyond its contract, and a trial in it that nobody drew by lot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._schema_words import shown
from casebook.churn.tables import check_candidates
from casebook.contracts import FloatArray, refuse, require_columns
from casebook.experiments import difference

CHOSEN = 1e-6  # a lot gives so small a p-value to a difference in risk once in a million trials
ROUNDING = 1e-9  # by which a computed uplift may pass its bound
WHAT = "table 'candidates'"


def check_own(table: pd.DataFrame, unknown: str = "drop the row until it is known") -> pd.DataFrame:
    """Hold a reader's table against the contract and against what no contract of single columns can say.

    Parameters
    ----------
    table : pandas.DataFrame
        As :data:`casebook.churn.tables.CANDIDATES`.
    unknown : str
        The mend for an outcome that is not known yet.

    Returns
    -------
    pandas.DataFrame
        The table with the contract's types.

    Raises
    ------
    ContractError
        As :func:`casebook.churn.tables.check_candidates`; a file read with another separator, a column twice, a missing
        ``y``, an ``uplift`` above p or below p - 1.

    Examples
    --------
    >>> check_own(pd.DataFrame({"customer_id": ["a"], "p": [0.1], "value": [900], "uplift": [0.9]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'candidates', column 'uplift', row 0 must be at most p (0.1), got 0.9;
    a call cannot keep more than would leave.
    """
    require_columns(table, [], WHAT)
    _refuse_misread(table.columns)
    if "y" in table and (missing := table["y"].isna()).any():
        refuse(f"{WHAT}, column 'y', row {shown(table.index[missing][0])}", "0 or 1", "a missing value", unknown)
    checked = check_candidates(table)
    if "uplift" in checked:
        _refuse_beyond(checked["uplift"], checked["p"])
    return checked


def _refuse_misread(names: pd.Index) -> None:
    parted = [sep for sep in ";\t|," if len(names) == 1 and sep in str(names[0])]
    if parted:
        must, mend = "a table with columns 'customer_id', 'p', 'value'", f"read it with sep={parted[0]!r}"
        refuse(WHAT, must, f"one column {names[0]!r}", mend)
    if names.has_duplicates:
        name = names[names.duplicated()][0]
        refuse(f"{WHAT}, column {name!r}", "there once", f"it {(names == name).sum()} times", "drop all but one")


def _refuse_beyond(uplift: pd.Series, p: pd.Series) -> None:
    sides = (
        (uplift - p > ROUNDING, "at most p", p, "a call cannot keep more than would leave"),
        (p - 1 - uplift > ROUNDING, "at least p - 1", p - 1, "a call cannot drive away more than would stay"),
    )
    for beyond, must, bound, mend in sides:
        if beyond.any():
            row = int(np.argmax(beyond))
            where = f"{WHAT}, column 'uplift', row {shown(uplift.index[row])}"
            refuse(where, f"{must} ({bound.iloc[row]:.4g})", f"{uplift.iloc[row]:g}", mend)


def require_leavers(y: npt.NDArray[np.int64], treated: npt.NDArray[np.int64]) -> None:
    """Refuse a trial in which nobody has left an arm yet.

    Raises
    ------
    ContractError

    Examples
    --------
    >>> require_leavers(np.array([0, 0, 0]), np.array([0, 1, 1]))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: column 'y' must be 1 for some in both arms, got none; wait until some have left.
    """
    without = [arm for arm in (0, 1) if arm in treated and not y[treated == arm].any()]
    if without:
        got = f"none where treated is {without[0]}" if y.any() else "none"
        refuse("column 'y'", "1 for some in both arms", got, "wait until some have left")


def require_lot(p: FloatArray, treated: npt.NDArray[np.int64], units: npt.NDArray[np.generic] | None = None) -> None:
    """Refuse arms whose risk, known before, differs by more than a lot makes it: p-value below :data:`CHOSEN`.

    Parameters
    ----------
    p : numpy.ndarray, shape (n,)
        Risk of leaving uncalled.
    treated : numpy.ndarray, shape (n,)
        The arm, 0 or 1; both are there.
    units : numpy.ndarray, shape (n,), optional
        What was randomised whole.

    Raises
    ------
    ContractError

    Examples
    --------
    >>> require_lot(np.array([0.09, 0.09, 0.24, 0.24]), np.array([0, 0, 1, 1]))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: column 'treated' must be drawn by lot, got arms whose mean p is 0.09 and 0.24;
    read_trial cannot judge calls that somebody chose.
    """
    left, called = p[treated == 0], p[treated == 1]
    if np.ptp(left) == 0 and np.ptp(called) == 0:  # no spread to hold the difference against
        chosen = left[0] != called[0]
    else:
        chosen = difference(p, treated, cluster=units).p < CHOSEN
    if chosen:
        got = f"arms whose mean p is {left.mean():.3g} and {called.mean():.3g}"
        refuse("column 'treated'", "drawn by lot", got, "read_trial cannot judge calls that somebody chose")
