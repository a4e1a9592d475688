"""Levels that were never seen: stacked promotions and holidays beyond those of the training years.

A tree answers with means of what it saw, so its answer to a larger discount is that to the largest one seen. A model
that is linear in logs goes on; whether demand does so too, no past tells. A cap limits how far it may go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from casebook.contracts import FloatArray, as_costs, refuse, require_columns, require_length

WAYS = ("trees", "linear", "cascade", "capped")
#: Columns that the models read.
READ = ("usual", "depth", "shown", "group", "weekday", "season", "near")
ANSWERS = ("y", "demand", "mean")  # what :func:`promotion_rows` puts beside them to be judged by
_TREES = {"objective": "poisson", "learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 50, "num_threads": 1,
          "seed": 0, "deterministic": True, "force_row_wise": True, "verbosity": -1}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lift:
    """What a discount does to demand, linear in logs.

    Attributes
    ----------
    elasticity : numpy.ndarray, shape (groups,)
        Change of log units for a unit of log price, negative as a rule.
    display : float
        Log lift of a display.
    largest : float
        Largest depth, minus log of the price share, in training.
    """

    elasticity: FloatArray
    display: float
    largest: float

    def of(
        self, depth: npt.ArrayLike, shown: npt.ArrayLike, group: npt.ArrayLike, cap: float | None = None
    ) -> FloatArray:
        """Return log lifts, the depth cut off at `cap` times the largest one seen if that is given.

        Examples
        --------
        >>> Lift(np.array([-2.0]), 0.3, 0.4).of([0.4, 0.8], [0, 0], [0, 0], cap=1.5).round(2).tolist()
        [0.8, 1.2]
        """
        d = np.asarray(depth, dtype=float)
        d = d if cap is None else np.minimum(d, cap * self.largest)
        return np.asarray(-self.elasticity[np.asarray(group)] * d + self.display * np.asarray(shown, dtype=float))


def fit_lift(
    y: npt.ArrayLike, usual: npt.ArrayLike, depth: npt.ArrayLike, shown: npt.ArrayLike, group: npt.ArrayLike
) -> Lift:
    """Fit elasticities by group and one effect of display, by Poisson maximum likelihood with an offset.

    Parameters
    ----------
    y : array_like, shape (n,)
        Units, 0 or more.
    usual : array_like, shape (n,)
        Units to be expected without a promotion, above 0; a factor by group is fitted beside it.
    depth : array_like, shape (n,)
        Minus log of the price asked over the list price; 0 without a promotion.
    shown : array_like of bool, shape (n,)
        Whether it is displayed.
    group : array_like of int, shape (n,)
        Codes from 0 on, such as of the category.

    Raises
    ------
    ContractError
        Unequal lengths, negative units, or nothing promoted.

    References
    ----------
    Bijmolt, van Heerde and Pieters (2005), New empirical generalizations on the determinants of price elasticity,
    Journal of Marketing Research 42: the mean over 1,851 elasticities is -2.6.

    Examples
    --------
    >>> depth = np.tile([0.0, 0.1, 0.3], 100)
    >>> lift = fit_lift(4 * np.exp(2 * depth), np.full(300, 4.0), depth, np.zeros(300), np.zeros(300, int))
    >>> lift.elasticity.round(3).tolist(), lift.largest
    ([-2.0], 0.3)
    """
    units = np.atleast_1d(as_costs(np.asarray(y, dtype=float), "y"))
    parts = [np.asarray(part, dtype=float) for part in (usual, depth, shown)]
    code = np.asarray(group, dtype=np.int64)
    for name, part in zip(("usual", "depth", "shown", "group"), (*parts, code), strict=True):
        require_length(part, len(units), name)
    base, d, s = parts
    if not (d > 0).any():
        refuse("depth", "above 0 in some rows", "0 in all", "fit to days with promotions")
    groups = int(code.max()) + 1
    X = np.zeros((len(units), 2 * groups + 1))
    X[np.arange(len(units)), code] = 1
    X[np.arange(len(units)), groups + code] = d
    X[:, -1] = s
    weights = _poisson(X, units, np.maximum(base, 1e-6))
    return Lift(-weights[groups : 2 * groups], float(weights[-1]), float(d.max()))


def _poisson(X: FloatArray, y: FloatArray, offset: FloatArray, rounds: int = 100, ridge: float = 1e-3) -> FloatArray:
    """Newton's method on the Poisson likelihood with a touch of ridge, since a group may have no promotion."""
    weights = np.zeros(X.shape[1])
    for _ in range(rounds):
        mean = offset * np.exp(np.clip(X @ weights, -20, 20))
        slope = X.T @ (y - mean) - ridge * weights
        step = np.linalg.solve((X * mean[:, None]).T @ X + ridge * np.eye(X.shape[1]), slope)
        weights = weights + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return weights


class PromotionModel(BaseEstimator):
    """Mean units of a promoted or unpromoted day by one of four ways to meet what was never seen.

    Parameters
    ----------
    way : {"trees", "linear", "cascade", "capped"}
        ``trees``: LightGBM on everything. ``linear``: usual units times the lift that is linear in logs. ``cascade``:
        that lift is taken out of the units, trees learn the rest, and it is put back. ``capped``: a cascade whose
        depth ends at `cap` times the largest seen.
    cap : float
        1 or more.
    trees : int

    References
    ----------
    DoorDash engineering (2023) forecasts holidays by such a cascade, since trees do not reach levels beyond training.
    """

    def __init__(self, way: str = "cascade", cap: float = 1.25, trees: int = 150) -> None:
        self.way, self.cap, self.trees = way, cap, trees

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit to rows with ``usual``, ``depth``, ``shown``, ``group`` and further numbers that the trees read.

        Raises
        ------
        ContractError
            Another way, a cap below 1, a column that holds the answer, and what :func:`fit_lift` refuses.
        """
        if self.way not in WAYS:
            refuse("way", f"one of {', '.join(map(repr, WAYS))}", repr(self.way), "correct the word")
        if not self.cap >= 1:
            refuse("cap", "1 or more", f"{self.cap:g}", "1 ends at the largest discount seen")
        require_columns(X, ["usual", "depth", "shown", "group"], "X")
        answer = next((name for name in ANSWERS if name in X), None)
        if answer is not None:
            refuse("X", "without the answer", f"a column {answer!r}", "take X[list(READ)]")
        units = np.asarray(y, dtype=float)
        self.lift_ = fit_lift(units, X["usual"], X["depth"], X["shown"], X["group"])
        self.columns_ = [name for name in X if self.way == "trees" or name not in ("depth", "shown")]
        self.scale_, self.booster_ = 1.0, None
        if self.way == "linear":
            self.scale_ = float(units.sum() / max((X["usual"] * np.exp(self._lift(X))).sum(), 1e-9))
            return self
        # a deflated unit weighs its lift, so that the rows' Poisson likelihood stays that of the units
        lifted = np.ones(len(X)) if self.way == "trees" else np.exp(self._lift(X))
        data = lightgbm.Dataset(X[self.columns_].astype(float), units / lifted, weight=lifted)
        self.booster_ = lightgbm.train(_TREES, data, self.trees)
        return self

    def _lift(self, X: pd.DataFrame) -> FloatArray:
        cap = self.cap if self.way == "capped" else None
        return self.lift_.of(X["depth"], X["shown"], X["group"], cap)

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return mean units, shape (n,)."""
        if self.booster_ is None:
            return np.asarray(self.scale_ * X["usual"] * np.exp(self._lift(X)))
        rest = np.asarray(self.booster_.predict(X[self.columns_].astype(float), num_threads=1))
        return rest if self.way == "trees" else rest * np.exp(self._lift(X))


def response(model: PromotionModel, row: pd.DataFrame, depths: Sequence[float]) -> pd.Series:
    """Return the answer to rising discounts, all else as in `row` (one row): index the price cut, a share."""
    asked = pd.concat([row.iloc[:1]] * len(depths), ignore_index=True).assign(depth=list(depths))
    return pd.Series(model.predict(asked), index=pd.Index(1 - np.exp(-np.asarray(depths)), name="cut"))


def promotion_rows(
    features: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    truth: pd.DataFrame,
    strengths: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return the columns of :class:`PromotionModel` from built features, with what came.

    Parameters
    ----------
    features : pandas.DataFrame
        From :func:`casebook.demand.features.build`.
    tables, truth
        Of the history.
    strengths : mapping of str to float, optional
        Holiday -> how strongly the planner thinks that it pulls on the day before; a fifth less on each day earlier.
        With it, ``depth`` is that pull instead of the discount, and nothing is shown.

    Returns
    -------
    pandas.DataFrame
        A row for each feature row with a recorded sale: ids, ``usual`` (units: mean of the last eight same weekdays and
        of four weeks), ``depth``, ``shown``, ``group`` (code of the category), ``weekday``, ``season`` (week of the
        year), ``near`` (days to the next holiday), and apart from what a model may read ``stacked`` (planned
        promotions), ``y`` (sold), ``demand`` and ``mean``.
    """
    keys = ["store_id", "sku_id", "day"]
    came = tables["sales"][keys].assign(**{name: truth[name].to_numpy() for name in ("demand", "mean")})
    found = features.merge(came, on=keys)
    usual = (found["same_weekday_mean_8"].fillna(0) + found["mean_28"].fillna(0)) / 2 + 0.05
    rows = found[[*keys, "origin", "horizon", "weekday", "y", "demand", "mean"]].assign(
        usual=usual,
        depth=-np.log1p(-found["planned_discount"].to_numpy(float)),
        shown=found["planned_display"].to_numpy(float),
        stacked=found["planned_promotions"].to_numpy(),
        group=found["category_code"].astype(int),
        season=found["week_of_year"],
        near=found["days_to_holiday"],
    )
    if not strengths:
        return rows
    pull = holiday_depth(tables["calendar"], strengths)
    return rows.assign(depth=pull.loc[rows["day"]].to_numpy(), shown=0.0)


def holiday_depth(calendar: pd.DataFrame, strengths: Mapping[str, float]) -> pd.Series:
    """Return by day how strongly a planner thinks that holidays pull: fully the day before, a fifth less a day earlier.

    Examples
    --------
    >>> calendar = pd.DataFrame({"day": range(4), "holiday": ["none", "none", "none", "easter"]})
    >>> holiday_depth(calendar, {"easter": 2.0}).round(1).tolist()
    [1.2, 1.6, 2.0, 0.0]
    """
    strength = calendar["holiday"].astype(str).map(dict(strengths)).fillna(0.0).to_numpy(float)
    pull = np.zeros(len(calendar))
    for ahead in range(1, 6):
        pull[:-ahead] = np.maximum(pull[:-ahead], (1.2 - 0.2 * ahead) * strength[ahead:])
    return pd.Series(pull, index=pd.Index(calendar["day"], name="day"), name="depth")


def never_seen(train: pd.DataFrame, test: pd.DataFrame, kind: npt.ArrayLike, cap: float = 1.25) -> pd.DataFrame:
    """Fit the four ways to what came before, and hold them against what came then.

    Parameters
    ----------
    train, test : pandas.DataFrame
        From :func:`promotion_rows`; the training rows are older.
    kind : array_like of str, shape (rows of test,)
        Such as "none", "one" and "stacked".
    cap : float
        Of the capped cascade.

    Returns
    -------
    pandas.DataFrame
        Index ``kind``, ``way``: ``rows``, ``ratio`` (forecast units over expected ones; 1 is right) and ``wape``
        (against the demand that came).
    """
    what, parts = np.asarray(kind), []
    for way in WAYS:
        said = PromotionModel(way, cap).fit(train[list(READ)], train["y"]).predict(test[list(READ)])
        rows = pd.DataFrame({"kind": what, "said": said, "mean": test["mean"].to_numpy(float), "rows": 1})
        rows = rows.assign(error=np.abs(test["demand"].to_numpy() - said), came=test["demand"].to_numpy())
        sums = rows.groupby("kind").sum()
        table = pd.DataFrame({"rows": sums["rows"], "ratio": sums["said"] / sums["mean"]})
        parts.append(table.assign(wape=sums["error"] / sums["came"], way=way))
    return pd.concat(parts).set_index("way", append=True).sort_index()
