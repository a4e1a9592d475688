"""Numbers of any shape, as the maths of orders takes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, refuse

Numbers = float | FloatArray


def as_numbers(values: npt.ArrayLike, what: str, least: float | None = None) -> FloatArray:
    """Return finite numbers of any shape as floats, or refuse them.

    Parameters
    ----------
    values : array_like
        Of any shape.
    what : str
        The name that a refusal uses.
    least : float, optional
        The smallest number allowed.

    Returns
    -------
    numpy.ndarray of float, of the same shape

    Raises
    ------
    ContractError
        Not numbers, empty, missing, infinite or below ``least``.

    Examples
    --------
    >>> as_numbers([2, -1], "order", least=0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: order must be numbers of 0 or more, got -1; check its sign.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        refuse(what, "numbers", f"values of type {array.dtype}", "convert it, and fill what is missing")
    if array.size == 0:
        refuse(what, "at least one number", "none", "check the filter or the join that made it")
    bad = array[~np.isfinite(array)]
    if bad.size:
        refuse(what, "finite numbers", f"{bad.flat[0]}", "fill it in or drop the row")
    if least is not None and array.min() < least:
        refuse(what, f"numbers of {least:g} or more", f"{array.min():g}", "check its sign")
    return array.astype(float)


def unit_costs(values: npt.ArrayLike, what: str) -> FloatArray:
    """Return costs per unit, all above 0, or refuse them."""
    costs = as_numbers(values, what)
    if costs.min() <= 0:
        refuse(what, "above 0", f"{costs.min():g}", "leave out what costs nothing to be short of or to keep")
    return costs


def levels(tau: npt.ArrayLike) -> FloatArray:
    """Return quantile levels in (0, 1), or refuse them."""
    given = as_numbers(tau, "tau")
    wrong = given[(given <= 0) | (given >= 1)]
    if wrong.size:
        refuse("tau", "above 0 and below 1", f"{wrong.flat[0]:g}", "divide percentages by 100")
    return given


def require_fit(**arrays: FloatArray) -> None:
    """Refuse arrays that do not broadcast against each other."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        got = ", ".join(str(array.shape) for array in arrays.values())
        refuse(" and ".join(arrays), "of shapes that fit", got, "take all arguments from one table")


def plain(array: FloatArray) -> Numbers:
    """Return an array of no dimension as a float, any other as it is."""
    return float(array) if np.ndim(array) == 0 else np.asarray(array)
