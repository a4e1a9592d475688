"""A wholesaler's year by product and trading day: how slow its sellers are, and simple forecasts beside a boosted one.

Returns, write-offs and lines that are no product are left out. Nothing in the data says when a product was out of
stock, so what is forecast here is sales.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, check_frame, refuse
from casebook.dataset_demand import ONLINE_RETAIL
from casebook.demand.real_retail_models import BASELINES, BOOSTED, LEAST_PAST, WEEK, baselines, boost
from casebook.demand.reconcile_accuracy import pinball

SATURDAY = 5
FIRST = pd.Timestamp("2010-01-10")  # a Sunday, after the two weeks in which the house was closed
LONG, WIDE = 1.32, 0.49  # cuts of ADI and CV2 (Syntetos, Boylan and Croston 2005)
CLASSES = ("smooth", "erratic", "intermittent", "lumpy")
TAU = 10 / (10 + 2)  # the fractile of the source's costs
METHODS = ("nothing", *BASELINES, BOOSTED)
_PRODUCT = r"\d{5}.*"


def product_lines(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Keep the lines that sell a product, and count the others.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_online_retail` returns it.

    Returns
    -------
    pandas.DataFrame
        Its lines with a stock code that starts with five digits, a positive quantity and a positive price.
    pandas.Series
        Lines left out, by the first reason that holds: "cancelled", "write-off" (a negative quantity without a
        cancellation), "no product", "no price"; and "kept".

    Raises
    ------
    ContractError
        If the frame breaks ``ONLINE_RETAIL``, or no line is left.

    Examples
    --------
    >>> lines = pd.DataFrame({"invoice": ["1", "C2"], "sku": ["85048", "85048"], "quantity": [6, -6],
    ...     "at": pd.to_datetime(["2010-02-01"] * 2), "price": [2.1, 2.1], "cancelled": [0, 1]})
    >>> product_lines(lines)[1].to_dict()
    {'cancelled': 1, 'write-off': 0, 'no product': 0, 'no price': 0, 'kept': 1}
    """
    lines = check_frame(frame, ONLINE_RETAIL)
    reasons = {
        "cancelled": lines["cancelled"] == 1,
        "write-off": lines["quantity"] <= 0,
        "no product": ~lines["sku"].str.fullmatch(_PRODUCT),
        "no price": lines["price"] <= 0,
    }
    why = np.select(list(reasons.values()), list(reasons), default="kept")
    counts = pd.Series(why).value_counts().reindex([*reasons, "kept"], fill_value=0)
    if counts["kept"] == 0:
        refuse("the lines", "some that sell a product", "none", "pass the original file")
    return lines[why == "kept"], counts.rename("lines")


def daily_panel(lines: pd.DataFrame) -> pd.DataFrame:
    """Add sales up to one row a product and one column a day, Sunday to Friday.

    The house is closed on Saturdays; a Saturday's few lines count for the Sunday after. Other days without any line
    (public holidays) stay in as 0, so that every week has six days. The last, broken week is left out.

    Parameters
    ----------
    lines : pandas.DataFrame
        As :func:`product_lines` returns it.

    Returns
    -------
    pandas.DataFrame, shape (products, days)
        Index ``sku``; columns from 10 January 2010, the number of days a multiple of six.

    Raises
    ------
    ContractError
        If less than one whole week is there.
    """
    day = lines["at"].dt.normalize()
    day = day + pd.to_timedelta((day.dt.day_of_week == SATURDAY).astype(int), unit="D")
    days = pd.date_range(FIRST, day.max(), freq="D")
    days = days[days.day_of_week != SATURDAY]
    days = days[: len(days) // WEEK * WEEK]
    if len(days) == 0:
        refuse("the lines", f"a week or more after {FIRST:%d %B %Y}", "less", "pass the whole year")
    units = lines["quantity"].groupby([lines["sku"], day.rename("day")]).sum()
    return units.unstack("day", fill_value=0).reindex(columns=days, fill_value=0).astype(float)


def demand_classes(panel: pd.DataFrame) -> pd.DataFrame:
    """Sort products by how often they sell and how evenly.

    Parameters
    ----------
    panel : pandas.DataFrame, shape (products, days)
        Days before a product's first sale do not count for it.

    Returns
    -------
    pandas.DataFrame
        Index as the panel's: ``days`` since the first sale, ``zero_share`` of them, ``adi`` (days per day with a sale),
        ``cv2`` (squared coefficient of variation of the quantities of such days) and ``kind``, one of ``CLASSES``:
        intermittent and lumpy have an ADI of 1.32 or more, erratic and lumpy a CV2 of 0.49 or more. Products that
        never sell are left out.

    References
    ----------
    Syntetos, Boylan and Croston (2005), Journal of the Operational Research Society 56.

    Examples
    --------
    >>> panel = pd.DataFrame([[4, 4, 5, 4], [0, 4, 0, 4]], index=["cup", "pan"])
    >>> demand_classes(panel)[["adi", "cv2", "kind"]].round(2)
         adi   cv2          kind
    cup  1.0  0.01        smooth
    pan  1.5  0.00  intermittent
    """
    units = panel.to_numpy(float)
    since = (units > 0).cumsum(axis=1) > 0
    days, sold = since.sum(axis=1), (units > 0).sum(axis=1)
    ever = sold > 0
    units, days, sold = units[ever], days[ever], sold[ever]
    mean = units.sum(axis=1) / sold
    spread = np.where(units > 0, np.square(units - mean[:, None]), 0).sum(axis=1) / sold
    adi, cv2 = days / sold, spread / mean**2
    kind = np.select(
        [(adi < LONG) & (cv2 < WIDE), adi < LONG, cv2 < WIDE], ["smooth", "erratic", "intermittent"], default="lumpy"
    )
    columns = {"days": days, "zero_share": 1 - sold / days, "adi": adi, "cv2": cv2, "kind": kind}
    return pd.DataFrame(columns, index=panel.index[ever])


def choose_products(panel: pd.DataFrame, first_origin: int, products: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw products that sold before and are not gone: on ten days or more, and in the eight weeks before the origin.

    Parameters
    ----------
    panel : pandas.DataFrame, shape (products, days)
    first_origin : int
        Column of the last day that may be looked at.
    products : int
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame, shape (products, days)

    Raises
    ------
    ContractError
        If fewer than ``products`` are left.
    """
    past = panel.iloc[:, : first_origin + 1]
    fit = ((past > 0).sum(axis=1) >= 10) & (past.iloc[:, -8 * WEEK :] > 0).any(axis=1)
    if fit.sum() < products:
        refuse("products", f"at most {fit.sum()}, those that sell", str(products), "draw fewer")
    return panel[fit].iloc[np.sort(rng.choice(fit.sum(), products, replace=False))]


@dataclass(frozen=True, eq=False)
class Scores:
    """What :func:`compare` returns.

    Attributes
    ----------
    table : index ``method``; ``wape``, ``mase``, ``pinball``, ``coverage``, ``bias``, ``seconds``, ``excess`` (pinball
        loss less the boosted model's) and ``excess_error``, its standard error over products.
    by_kind : index ``kind`` and ``method``; the first five, and ``products``.
    origins : columns of the panel.
    """

    table: pd.DataFrame
    by_kind: pd.DataFrame
    origins: list[int]


def compare(panel: pd.DataFrame, origins: Sequence[int], tau: float = TAU, seed: int = 0) -> Scores:
    """Forecast the week after each origin by simple methods and by one boosted model for all products.

    Simple methods are fitted anew at each origin, and their quantile is their forecast plus the quantile of their own
    one-step errors of the past twelve weeks; the boosted model is fitted once, before the first origin, and predicts
    quantiles itself. Nothing falls below 0.

    Parameters
    ----------
    panel : pandas.DataFrame, shape (products, days)
        At most 150 products, since exponential smoothing is slow.
    origins : sequence of int
        Columns of the last known days; each a week's last, so that the week after it is Sunday to Friday.
    tau : float
        Level of the quantile that would be ordered.
    seed : int
        Of the boosted model.

    Returns
    -------
    Scores
        ``wape``: absolute errors of the point forecast (of the boosted model its median) over sales; ``mase``: mean
        over products of the mean absolute error over that of the value a week before, in the days up to the first
        origin; ``pinball``: mean loss of the quantile, units; ``coverage``: share of days with sales at or below it;
        ``bias``: sum of the point forecasts over sales, less 1. "nothing" forecasts 0.

    Raises
    ------
    ContractError
        If there are more than 150 products, or an origin is not the end of a week with 26 weeks before it and one
        after.

    References
    ----------
    Croston (1972), Operational Research Quarterly 23; Syntetos and Boylan (2005), International Journal of Forecasting
    21; Teunter, Syntetos and Babai (2011), European Journal of Operational Research 214.
    """
    _refuse_origins(panel, list(origins))
    units = panel.to_numpy(float)
    truth = np.stack([units[:, origin + 1 : origin + 1 + WEEK] for origin in origins], axis=1)
    found, seconds = _forecasts(units, list(origins), tau, seed)
    scale = np.abs(units[:, WEEK : origins[0] + 1] - units[:, : origins[0] + 1 - WEEK]).mean(axis=1)
    kind = demand_classes(panel.iloc[:, : origins[0] + 1])["kind"].reindex(panel.index).to_numpy()
    loss = {name: pinball(truth, quantile, tau).mean(axis=(1, 2)) for name, (_, quantile) in found.items()}
    rows, parts = {}, {}
    for name, (point, quantile) in found.items():
        more = loss[name] - loss[BOOSTED]
        rows[name] = _scores(truth, point, quantile, scale, tau) | {
            "seconds": seconds[name],
            "excess": float(more.mean()),
            "excess_error": float(more.std(ddof=1) / np.sqrt(len(more))),
        }
        for own in CLASSES:
            at = kind == own
            if at.any():
                parts[own, name] = _scores(truth[at], point[at], quantile[at], scale[at], tau)
                parts[own, name]["products"] = int(at.sum())
    by_kind = pd.DataFrame.from_dict(parts, orient="index").rename_axis(["kind", "method"])
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
    return Scores(table, by_kind.sort_index(key=_order), list(origins))


def _forecasts(
    units: FloatArray, origins: list[int], tau: float, seed: int
) -> tuple[dict[str, tuple[FloatArray, FloatArray]], dict[str, float]]:
    """Return point and quantile, each of shape (products, origins, 6), and the seconds, by method."""
    zero = np.zeros((len(units), len(origins), WEEK))
    found, seconds = {"nothing": (zero, zero)}, {"nothing": 0.0}
    for name in BASELINES:
        start = time.perf_counter()
        pairs = [baselines(units[:, : origin + 1], name, tau) for origin in origins]
        found[name] = (np.stack([one for one, _ in pairs], axis=1), np.stack([one for _, one in pairs], axis=1))
        seconds[name] = time.perf_counter() - start
    start = time.perf_counter()
    found[BOOSTED] = boost(units, origins, tau, seed)
    seconds[BOOSTED] = time.perf_counter() - start
    return found, seconds


def _order(index: pd.Index) -> pd.Index:
    known = [*CLASSES, *METHODS]
    return pd.Index([known.index(name) for name in index])


def _refuse_origins(panel: pd.DataFrame, origins: list[int]) -> None:
    if len(panel) > 150:
        refuse("the panel", "at most 150 products", str(len(panel)), "draw some with choose_products")
    for origin in origins:
        if (origin + 1) % WEEK or not LEAST_PAST <= origin + 1 <= panel.shape[1] - WEEK:
            must = f"a week's last day with {LEAST_PAST} days before it and {WEEK} after"
            refuse("an origin", must, str(origin), "take 6 k - 1")


def _scores(
    truth: FloatArray, point: FloatArray, quantile: FloatArray, scale: FloatArray, tau: float
) -> dict[str, float]:
    error, sales = np.abs(truth - point), truth.sum()
    own = error.mean(axis=(1, 2))[scale > 0] / scale[scale > 0]
    return {
        "wape": float(error.sum() / sales) if sales else float("nan"),
        "mase": float(own.mean()) if len(own) else float("nan"),
        "pinball": float(pinball(truth, quantile, tau).mean()),
        "coverage": float((truth <= quantile).mean()),
        "bias": float(point.sum() / sales - 1) if sales else float("nan"),
    }
