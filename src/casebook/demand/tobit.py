"""Demand that was cut off by stock: maximum likelihood for counts, cell by cell and with covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from casebook.contracts import BoolArray, FloatArray, as_costs, as_labels, refuse, require_length
from casebook.demand.count_tails import log_likelihood, tail_moments

DISPERSION_RANGE = (1e-6, 20.0)  # below it a Poisson to six digits
LOWEST, LONGEST_STEP = -16.0, 2.0  # log of a mean of as good as 0; and of a Newton step, lest empty cells run off
ROUNDS, STEPS, FEW = 40, 25, 2  # of the dispersion; of Newton at the end, and between two dispersions
CLOSE, NEAR = 1e-4, 0.02  # of the log dispersion: change at which the fit stops; step for its derivatives
TOLERANCE = 1e-7  # score per row at which Newton's method stops


@dataclass(frozen=True)
class CensoredCounts:
    """What :func:`fit_counts` found.

    Attributes
    ----------
    mean : array of float, shape (n,)
        Expected demand of each row given its cell and covariates, units.
    expected : array of float, shape (n,)
        Expected demand given also what was sold: the sales themselves on whole days, E[D | D >= sold] on others.
    cells : Series of float
        Log mean of each cell where the covariates are at their averages.
    effects, errors : Series of float
        Coefficients of the covariates on the log mean, and their standard errors.
    dispersion : float
        Dispersion: the variance is mean + dispersion mean².
    log_likelihood : float
    """

    mean: FloatArray
    expected: FloatArray
    cells: pd.Series
    effects: pd.Series
    errors: pd.Series
    dispersion: float
    log_likelihood: float


_State = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True)
class _Rows:
    """Rows sorted by cell, so that a sum over each cell is one pass."""

    sold: FloatArray
    out: BoolArray
    x: FloatArray
    names: pd.Index
    days: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    prior_days: float

    def per_cell(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(values, np.cumsum(self.days) - self.days, axis=0))

    def mean(self, cells: FloatArray, effects: FloatArray) -> FloatArray:
        return np.asarray(np.exp(np.maximum(np.repeat(cells, self.days) + self.x @ effects, LOWEST)))

    def as_given(self, values: FloatArray) -> FloatArray:
        back = np.empty_like(values)
        back[self.order] = values
        return back


def fit_counts(
    sold: npt.ArrayLike,
    stocked_out: npt.ArrayLike,
    cell: npt.ArrayLike,
    covariates: pd.DataFrame | None = None,
    *,
    dispersion: float | None = None,
    prior_days: float = 1.0,
) -> CensoredCounts:
    """Fit a negative binomial to sales of which some are only lower bounds of demand.

    ``log mean = cell + covariates @ effects``; one dispersion for all rows. A row with `stocked_out` contributes
    ``log P(D >= sold)``, any other ``log P(D = sold)``: Tobit's likelihood for counts. Newton's method, cells
    eliminated, so that a million rows take seconds.

    It believes the flag. A stock-out that the records miss counts as low demand; one that they invent as high.

    Parameters
    ----------
    sold, stocked_out, cell : array_like, shape (n,)
        Units, whether the shelf ran empty, and a label for the rows that share a mean.
    covariates : pandas.DataFrame, shape (n, k), optional
        What moves demand within a cell, such as weekdays (all but one) and log price; not constant.
    dispersion : float, optional
        Dispersion, if it is known; 0 is the Poisson. It is estimated otherwise.
    prior_days : float
        Days at the mean over all cells that are added to each cell. With 0 a cell is on its own, and one that was
        out of stock on each of its days has no estimate.

    Returns
    -------
    CensoredCounts

    Raises
    ------
    ContractError
        Arrays of other lengths, negative sales, missing, constant or repeated covariates, or a cell without a whole
        day where ``prior_days`` is 0.

    References
    ----------
    Tobin (1958), Estimation of relationships for limited dependent variables; Conrad (1976), Sales data and the
    estimation of demand; Cameron and Trivedi (2013), Regression analysis of count data (censored counts).

    Examples
    --------
    >>> fit = fit_counts([4, 6, 5, 5], [False, False, True, True], ["a"] * 4, dispersion=0, prior_days=0)
    >>> float(fit.mean[0].round(2)), fit.expected.round(2).tolist()
    (6.09, [4.0, 6.0, 7.18, 7.18])
    """
    rows = _rows(sold, stocked_out, cell, covariates, float(as_costs(prior_days, "prior_days")))
    known = None if dispersion is None else float(as_costs(dispersion, "dispersion"))
    dispersion = 0.3 if known is None else known
    cells, effects = np.log((rows.per_cell(rows.sold) + 0.1) / rows.days), np.zeros(rows.x.shape[1])
    for _ in range(ROUNDS if known is None else 0):
        cells, effects, _ = _newton(rows, cells, effects, dispersion, FEW)
        before, dispersion = dispersion, _next_dispersion(rows, rows.mean(cells, effects), dispersion)
        if abs(np.log(dispersion / before)) <= CLOSE:
            break
    cells, effects, errors = _newton(rows, cells, effects, dispersion, STEPS)
    mean = rows.mean(cells, effects)
    expected = rows.sold.copy()
    expected[rows.out] = tail_moments(mean[rows.out], rows.sold[rows.out], dispersion)[0]
    names = pd.Index([]) if covariates is None else covariates.columns
    by_cell, by_name, its_errors = pd.Series(cells, rows.names), pd.Series(effects, names), pd.Series(errors, names)
    value = log_likelihood(mean, rows.sold, rows.out, dispersion)
    return CensoredCounts(rows.as_given(mean), rows.as_given(expected), by_cell, by_name, its_errors, dispersion, value)


def _rows(sold: npt.ArrayLike, out: npt.ArrayLike, cell: npt.ArrayLike, covariates: pd.DataFrame | None,
          prior_days: float) -> _Rows:  # fmt: skip
    units, flags = np.atleast_1d(as_costs(sold, "sold")), as_labels(out, "stocked_out")
    codes, names = pd.factorize(np.asarray(cell))
    require_length(flags, len(units), "stocked_out")
    require_length(codes, len(units), "cell")
    x = np.empty((len(units), 0)) if covariates is None else covariates.to_numpy(float)
    require_length(x, len(units), "covariates")
    wrong = ~np.isfinite(x).all(axis=0) | (np.ptp(x, axis=0) == 0)
    if wrong.any() and covariates is not None:
        name = covariates.columns[int(np.argmax(wrong))]
        refuse(f"covariate {name!r}", "finite and not constant", "a gap or one value", "fill it in or leave it out")
    if x.shape[1] > 1 and (free := np.linalg.matrix_rank(np.corrcoef(x, rowvar=False), tol=1e-8)) < x.shape[1]:
        refuse("covariates", f"{x.shape[1]} that differ", f"{free}; the others are sums of these", "leave one out")
    whole = np.bincount(codes, ~flags, len(names))
    if prior_days == 0 and (whole == 0).any():
        name = names[int(np.argmax(whole == 0))]
        mend = "set prior_days above 0, or leave the cell out"
        refuse(f"cell {name}", "a cell with a day on which it did not run out", "none", mend)
    order = np.argsort(codes, kind="stable")
    return _Rows(
        units[order], flags[order], (x - x.mean(axis=0))[order], pd.Index(names), np.bincount(codes), order, prior_days
    )


def _scores(rows: _Rows, mean: FloatArray, dispersion: float) -> tuple[FloatArray, FloatArray]:
    """First derivative of the log likelihood by the log mean, and minus the second, row by row."""
    spread = 1 + dispersion * mean
    expected, variance = rows.sold.copy(), np.zeros(len(mean))
    out = rows.out
    expected[out], variance[out] = tail_moments(mean[out], rows.sold[out], dispersion)
    score = (expected - mean) / spread
    whole = mean / spread
    weight = whole + ((expected - mean) * dispersion * mean - variance) / spread**2
    return score, np.maximum(weight, 1e-3 * whole + 1e-12)


def _newton(rows: _Rows, cells: FloatArray, effects: FloatArray, dispersion: float, steps: int) -> _State:
    for _ in range(steps):
        mean = rows.mean(cells, effects)
        score, weight = _scores(rows, mean, dispersion)
        level = np.exp(cells)
        pull = rows.prior_days * (np.average(level, weights=rows.days) - level) / (1 + dispersion * level)
        by_cell = rows.per_cell(score) + pull
        held = rows.per_cell(weight) + rows.prior_days * level / (1 + dispersion * level) + 1e-9
        weighted = rows.x * weight[:, None]
        cross, gradient = rows.per_cell(weighted), score @ rows.x
        inner = rows.x.T @ weighted - cross.T @ (cross / held[:, None])
        step = np.linalg.solve(inner, gradient - cross.T @ (by_cell / held))
        move = (by_cell - cross @ step) / held
        effects = effects + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        cells = np.maximum(cells + np.clip(move, -LONGEST_STEP, LONGEST_STEP), LOWEST)
        size = max(np.abs(by_cell[cells > LOWEST]).max(initial=0), np.abs(gradient).max(initial=0) / len(cells))
        if size <= TOLERANCE * len(mean) / len(cells):
            break
    variance = np.diag(np.linalg.pinv(inner, hermitian=True))
    return cells, effects, np.sqrt(np.where(variance > 0, variance, np.nan))  # not above 0 where a fit has run off


def _next_dispersion(rows: _Rows, mean: FloatArray, dispersion: float) -> float:
    """One Newton step of the log dispersion, by differences: the likelihood at three points, the means held."""
    at = np.log(dispersion) + np.array([-1, 0, 1]) * NEAR
    low, here, high = (log_likelihood(mean, rows.sold, rows.out, float(np.exp(a))) for a in at)
    slope, bend = (high - low) / (2 * NEAR), (high - 2 * here + low) / NEAR**2
    step = -slope / bend if bend < 0 else np.sign(slope)
    return float(np.clip(np.exp(at[1] + np.clip(step, -1.5, 1.5)), *DISPERSION_RANGE))


@dataclass(frozen=True)
class CensoredNormal:
    """What :func:`fit_normal` found.

    Attributes
    ----------
    mean, expected : array of float, shape (n,)
        As in :class:`CensoredCounts`; the mean is ``intercept + covariates @ effects``.
    effects : Series of float
        ``intercept`` and one for each covariate.
    sigma : float
        Standard deviation of demand round its mean.
    log_likelihood : float
    """

    mean: FloatArray
    expected: FloatArray
    effects: pd.Series
    sigma: float
    log_likelihood: float


def fit_normal(
    sold: npt.ArrayLike, stocked_out: npt.ArrayLike, covariates: pd.DataFrame | None = None
) -> CensoredNormal:
    """Fit Tobit's model: normal demand, seen from below on days with a stock-out.

    It is right for demand far from 0 whose spread does not grow with its mean; a product's daily demand is neither.
    In effects / sigma and 1 / sigma the likelihood is concave.

    Parameters
    ----------
    sold, stocked_out, covariates
        As in :func:`fit_counts`; an intercept is added.

    Returns
    -------
    CensoredNormal

    Raises
    ------
    ContractError
        As :func:`fit_counts`, or no day that is whole.

    References
    ----------
    Tobin (1958), as above; Olsen (1978), Note on the uniqueness of the maximum likelihood estimator, Econometrica 46.

    Examples
    --------
    >>> fit = fit_normal([4, 6, 5, 5], [False, False, True, True])
    >>> round(float(fit.effects["intercept"]), 2), fit.expected.round(2).tolist()
    (5.51, [4.0, 6.0, 6.01, 6.01])
    """
    rows = _rows(sold, stocked_out, np.zeros(np.size(sold)), covariates, 0.0)  # one cell: the order stays
    x = np.column_stack([np.ones(len(rows.sold)), rows.x])
    start = np.append(np.linalg.lstsq(x, rows.sold)[0], 0.0)
    spread = max(float((rows.sold - x @ start[:-1]).std()), 1e-3)
    start[-1] = -np.log(spread)
    start[:-1] /= spread
    found = optimize.minimize(_normal_loss, start, args=(rows, x), jac=True, method="BFGS", options={"gtol": 1e-7})
    sigma = float(np.exp(-found.x[-1]))
    effects = found.x[:-1] * sigma
    mean = x @ effects
    expected = rows.sold.copy()
    gap = (mean - rows.sold)[rows.out] / sigma
    expected[rows.out] = mean[rows.out] + sigma * _hazard(gap)
    names = ["intercept", *([] if covariates is None else covariates.columns)]
    if covariates is not None:
        effects[0] -= covariates.to_numpy(float).mean(axis=0) @ effects[1:]
    return CensoredNormal(mean, expected, pd.Series(effects, names), sigma, -float(found.fun) * len(x))


def _hazard(gap: FloatArray) -> FloatArray:
    """Density over distribution function of the standard normal."""
    return np.exp(-(gap**2) / 2 - np.log(2 * np.pi) / 2 - special.log_ndtr(gap))


def _normal_loss(parameters: FloatArray, rows: _Rows, x: FloatArray) -> tuple[float, FloatArray]:
    """Minus the mean log likelihood in (effects / sigma, log 1/sigma), and its gradient."""
    ratio = np.exp(parameters[-1])
    gap = x @ parameters[:-1] - ratio * rows.sold
    out = rows.out
    value = np.where(out, special.log_ndtr(gap), np.log(ratio) - gap**2 / 2 - np.log(2 * np.pi) / 2)
    slope = -gap
    slope[out] = _hazard(gap[out])
    last = (~out).sum() - ratio * (slope @ rows.sold)
    return -float(value.mean()), -np.append(x.T @ slope, last) / len(x)
