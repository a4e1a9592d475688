"""Slow sellers: Croston's method, its bias-corrected form and TSB in ten lines, and four kinds of series."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns

# Syntetos, Boylan and Croston (2005): mean days between sales, and squared variation of the sizes.
ADI_CUT, CV2_CUT = 1.32, 0.49
KINDS = ("smooth", "erratic", "intermittent", "lumpy", "none")


def croston(y: npt.ArrayLike, alpha: float = 0.1, *, debias: bool = False) -> float:
    """Forecast units a day as smoothed size of a sale over smoothed days between sales.

    Parameters
    ----------
    y : array_like, shape (days,)
        Units a day, oldest first; 0 or more.
    alpha : float
        Smoothing weight in (0, 1]. Nothing moves on a day without a sale: a product that died keeps its forecast.
    debias : bool
        Multiply by 1 - alpha / 2 (Syntetos and Boylan): a ratio of two averages is too high on average.

    Returns
    -------
    float
        The same mean for every day to come; 0.0 where nothing was ever sold.

    Raises
    ------
    ContractError
        No days, a missing or negative number, ``alpha`` outside (0, 1].

    References
    ----------
    Croston (1972), Operational Research Quarterly 23; Syntetos and Boylan (2005), International Journal of Forecasting
    21.

    Examples
    --------
    >>> croston([0, 3, 0, 3, 0, 3]), croston([0, 3, 0, 3, 0, 3], debias=True)
    (1.5, 1.4249999999999998)
    """
    units = _units(y, alpha)
    days = np.flatnonzero(units)
    if len(days) == 0:
        return 0.0
    size, gap = _smooth(units[days], alpha), _smooth(np.diff(days, prepend=-1), alpha)
    return size / gap * (1 - alpha / 2 if debias else 1.0)


def tsb(y: npt.ArrayLike, alpha: float = 0.1, beta: float = 0.1) -> float:
    """Forecast units a day as smoothed size of a sale times smoothed chance of one; days without a sale count.

    Parameters
    ----------
    y : array_like, shape (days,)
        Units a day, oldest first; 0 or more.
    alpha, beta : float
        Smoothing weights in (0, 1] of the size (moved by sales) and of the chance (moved every day).

    Returns
    -------
    float
        The same mean for every day to come; it dies away when sales stop.

    Raises
    ------
    ContractError
        As :func:`croston`.

    References
    ----------
    Teunter, Syntetos and Babai (2011), Intermittent demand: linking forecasting to inventory obsolescence, European
    Journal of Operational Research 214.

    Examples
    --------
    >>> round(tsb([2, 2, 2] + [0] * 30), 3), croston([2, 2, 2] + [0] * 30)
    (0.085, 2.0)
    """
    units = _units(y, alpha)
    _units(y, beta, "beta")
    if not units.any():
        return 0.0
    return _smooth(units[units > 0], alpha) * _smooth(units > 0, beta)


def classify_series(sales_long: pd.DataFrame, origin: object) -> pd.DataFrame:
    """Sort each series, as known at the close of the origin, into smooth, erratic, intermittent or lumpy.

    Parameters
    ----------
    sales_long : pandas.DataFrame
        Columns unique_id, ds, y: one row per series and day.
    origin : int or timestamp
        Of the type of ``ds``; later rows are not read.

    Returns
    -------
    pandas.DataFrame
        One row per series, by unique_id: days, adi (days per day with a sale; inf without one), cv2 (squared
        coefficient of variation of the sizes, population form; NaN without a sale), kind (one of KINDS: at or above
        ``ADI_CUT`` is intermittent, at or above ``CV2_CUT`` erratic, both is lumpy, "none" never sold).

    Raises
    ------
    ContractError
        A missing column; no row up to the origin.

    References
    ----------
    Syntetos, Boylan and Croston (2005), On the categorization of demand patterns, Journal of the Operational Research
    Society 56.

    Examples
    --------
    >>> y = [2, 2, 3, 2, 0, 9, 0, 1]
    >>> sales = pd.DataFrame({"unique_id": [*"aaaabbbb"], "ds": [0, 1, 2, 3] * 2, "y": y})
    >>> classify_series(sales, 3)[["unique_id", "adi", "kind"]].values.tolist()
    [['a', 1.0, 'smooth'], ['b', 2.0, 'lumpy']]
    """
    require_columns(sales_long, ["unique_id", "ds", "y"], "sales_long")
    past = sales_long[sales_long["ds"] <= origin]
    if len(past) == 0:
        refuse("origin", "on or after the first day of sales_long", repr(origin), "pass a later origin")
    sizes = past["y"].where(past["y"] > 0).groupby(past["unique_id"])
    days = past.groupby("unique_id")["y"].size()
    sold = sizes.count().astype(float)
    adi, cv2 = days / sold.where(sold > 0), (sizes.std(ddof=0) / sizes.mean()) ** 2
    rare, uneven = (adi >= ADI_CUT).to_numpy(), (cv2 >= CV2_CUT).to_numpy()
    kind = np.select(
        [adi.isna().to_numpy(), rare & uneven, rare, uneven], ["none", "lumpy", "intermittent", "erratic"], "smooth"
    )
    out = pd.DataFrame({"days": days, "adi": adi.fillna(np.inf), "cv2": cv2, "kind": pd.Categorical(kind, KINDS)})
    return out.reset_index()


def _smooth(values: npt.ArrayLike, alpha: float) -> float:
    """Smooth exponentially from the first value; return the last level."""
    numbers = np.asarray(values, dtype=float)
    level = float(numbers[0])
    for value in numbers[1:]:
        level += alpha * (float(value) - level)
    return level


def _units(y: npt.ArrayLike, alpha: float, name: str = "alpha") -> FloatArray:
    units = np.asarray(y, dtype=float)
    if units.ndim != 1 or len(units) == 0:
        refuse("y", "one row of units a day", f"an array of shape {units.shape}", "pass one series")
    wrong = ~(np.isfinite(units) & (units >= 0))
    if wrong.any():
        day = int(np.argmax(wrong))
        refuse(f"y, day {day}", "finite and 0 or more", repr(float(units[day])), "mend or cut the series there")
    if not 0 < alpha <= 1:
        refuse(name, "above 0 and at most 1", repr(alpha), "0.1 is customary")
    return units
