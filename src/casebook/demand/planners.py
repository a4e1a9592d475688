"""A planner whose skill is a dial that runs from harm to foresight.

The planner sees a share of what the model misses, adds noise and optimism, and changes what he thinks is wrong.
Whether that helps is not a matter of opinion: forecast value added is the error without less the error with him.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.demand.value_added import loss
from casebook.worlds import Dial

CELLS = 10_000
CRITICAL = 0.833  # of the source's 10 for a unit short against 2 for a unit too many
FLOOR = 1e-9

PLANNERS = (
    Dial("skill", -0.3, 1.0, "share of what the model misses that he sees",
         "assumed: from one who moves the wrong way to one who knows every event", "whether overrides pay", null=0.0),
    Dial("noise", 0.02, 0.5, "standard deviation, logs",
         "assumed: rounding, to a guess that is off by half", "whether overrides pay", scale="log"),
    Dial("bias", -0.1, 0.3, "logs",
         "optimism as in the four supply chains of Fildes, Goodwin, Lawrence and Nikolopoulos (2009), and its opposite",
         "whether units and money agree about him"),
    Dial("event_share", 0.02, 0.4, "share of cells and weeks", "assumed: a fair in the village, to a shock",
         "how much there is to know", scale="log", null=0.0),
    Dial("event_size", 0.2, 1.0, "standard deviation, logs", "assumed: a fifth up or down, to almost three times",
         "how much there is to know"),
    Dial("model_error", 0.05, 0.4, "standard deviation, logs", "assumed: a good model, to a poor one",
         "whether a rival of the model has a chance"),
    Dial("dispersion", 0.05, 1.0, "variance of the rate over its squared mean", "assumed: near Poisson, to bulk sales",
         "how much of the error nobody can mend", scale="log"),
)  # fmt: skip


def planner_overrides(
    model_forecast: npt.ArrayLike,
    truth_mean: npt.ArrayLike,
    skill: float,
    noise: float,
    bias: float,
    rng: np.random.Generator,
    threshold: float = 0.1,
) -> FloatArray:
    """Return what a planner makes of a model's forecasts.

    Parameters
    ----------
    model_forecast, truth_mean : array_like, shape (n,)
        Units, above 0: the model's mean and the true one.
    skill : float
        Share of log(truth / model) that the planner sees: 1 is all, 0 nothing, below 0 the wrong way.
    noise : float
        Standard deviation of his own error, in logs.
    bias : float
        His optimism, in logs: 0.1 is a tenth too much.
    rng : numpy.random.Generator
        Draws n normals, whatever the dials, so that two planners can be compared on the same draws.
    threshold : float
        Changes smaller than this, in logs, are not made.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        The forecasts after his changes.

    Raises
    ------
    ContractError
        A forecast or mean that is not above 0; a negative noise or threshold.

    Examples
    --------
    >>> planner_overrides([10.0, 10.0], [20.0, 10.5], 1.0, 0.0, 0.0, np.random.default_rng(0)).tolist()
    [20.0, 10.0]
    """
    model, truth = _positive(model_forecast, "model_forecast"), _positive(truth_mean, "truth_mean")
    for name, value in (("noise", noise), ("threshold", threshold)):
        if not value >= 0:
            refuse(name, "0 or more", f"{value:g}", "give a standard deviation or size in logs")
    believed = skill * np.log(truth / model) + noise * rng.standard_normal(len(model)) + bias
    return model * np.exp(np.where(np.abs(believed) >= threshold, believed, 0.0))


def flip_skill(noise: float, bias: float, missed: float) -> float:
    """Return the skill at which the planner's squared log error equals the model's.

    With m for the mean square of log(truth / model), his is (1 - skill)^2 m + noise^2 + bias^2 if he changes every
    forecast and the model has no bias in logs.

    Parameters
    ----------
    noise, bias : float
        As in :func:`planner_overrides`, with threshold 0.
    missed : float
        Mean square of log(truth / model), above 0.

    Returns
    -------
    float
        Missing if no skill suffices (noise and bias alone exceed what the model misses).

    Examples
    --------
    >>> round(flip_skill(0.2, 0.1, 0.25), 3), flip_skill(0.5, 0.5, 0.25)
    (0.106, nan)
    """
    if not missed > 0:
        refuse("missed", "above 0", f"{missed:g}", "give the mean square of log(truth / model)")
    rest = 1 - (noise**2 + bias**2) / missed
    return float(1 - np.sqrt(rest)) if rest >= 0 else float("nan")


def play_planner(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    """Play one company for two halves of a year: a model, events that it cannot see, and a planner.

    Parameters
    ----------
    dials : dict
        Of :data:`PLANNERS`.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``added`` and ``added_pinball`` (forecast value added in the second half over the error without him: absolute
        error of the means; pinball loss at 0.833 of the order, which is his mean times the ratio of quantile to mean
        that was right for the model in the first half), ``touched`` (share of cells), ``trusted`` (weight between the
        model, 0, and him, 1, that was best in the first half), ``added_trusted`` (value added with that weight),
        ``flip`` (skill at which he begins to help, all other dials and draws the same; missing if none up to 1).
        The findings: ``helps``, ``helps_pinball``, ``disagree`` (units and pinball loss do), ``trust_safe`` (the
        weighted forecast is not worse than the model), ``trust_beats`` (nor worse than he is).
    """
    truth, model, y = _year(dials, rng)
    seed = int(rng.integers(2**62))
    first, second = np.arange(CELLS) % 2 == 0, np.arange(CELLS) % 2 == 1

    def planned(skill: float) -> FloatArray:
        draws = np.random.default_rng(seed)
        return planner_overrides(model, truth, skill, dials["noise"], dials["bias"], draws)

    his = planned(dials["skill"])
    weight = _best_weight(y[first], model[first], his[first])
    mixed = model ** (1 - weight) * his**weight
    lift = _quantile_ratio(y[first] / model[first], model[first])
    added = _share(y, model, his, second)
    pinball = _share(y, lift * model, lift * his, second, CRITICAL)
    trusted = _share(y, model, mixed, second)
    return {
        "added": added,
        "added_pinball": pinball,
        "touched": float((his != model).mean()),
        "trusted": weight,
        "added_trusted": trusted,
        "flip": _flip(lambda skill: _share(y, model, planned(skill), second)),
        "helps": added > 0,
        "helps_pinball": pinball > 0,
        "disagree": (added > 0) != (pinball > 0),
        "trust_safe": trusted >= 0,
        "trust_beats": trusted >= added,
    }


def _year(dials: dict[str, float], rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw the true means, the model's forecasts, which miss the events, and what came."""
    usual = np.exp(rng.normal(1.5, 1.0, CELLS))
    event = rng.random(CELLS) < dials["event_share"]
    truth = usual * np.exp(event * dials["event_size"] * rng.standard_normal(CELLS))
    error = dials["model_error"]
    model = usual * np.exp(error * rng.standard_normal(CELLS) - error**2 / 2)
    rate = rng.gamma(1 / dials["dispersion"], dials["dispersion"] * truth)
    return truth, model, rng.poisson(rate).astype(float)


def _share(y: FloatArray, before: FloatArray, after: FloatArray, rows: BoolArray, tau: float | None = None) -> float:
    without = loss(y[rows], before[rows], tau).sum()
    return float((without - loss(y[rows], after[rows], tau).sum()) / without)


def _best_weight(y: FloatArray, model: FloatArray, his: FloatArray) -> float:
    weights = np.linspace(0, 1, 21)
    errors = [loss(y, model ** (1 - weight) * his**weight).sum() for weight in weights]
    return float(weights[int(np.argmin(errors))])


def _quantile_ratio(ratio: FloatArray, weight: FloatArray) -> float:
    """Return the factor on the model that has the least pinball loss: a weighted quantile of what came over it."""
    order = np.argsort(ratio)
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(ratio[order][np.searchsorted(reached, CRITICAL)])


def _flip(added: Callable[[float], float]) -> float:
    skills = np.linspace(-0.3, 1.0, 27)
    values = np.array([added(skill) for skill in skills])
    up = np.flatnonzero((values[:-1] <= 0) & (values[1:] > 0))
    if len(up) == 0:
        return float(skills[0]) if values[0] > 0 else float("nan")
    at = int(up[0])
    step = skills[at + 1] - skills[at]
    return float(skills[at] + step * -values[at] / (values[at + 1] - values[at]))


def _positive(values: npt.ArrayLike, what: str) -> FloatArray:
    array = np.atleast_1d(np.asarray(values, dtype=float))
    wrong = ~(np.isfinite(array) & (array > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"{what}, row {row}", "above 0", f"{array[row]:g}", f"leave the row out or raise it to {FLOOR:g}")
    return array
