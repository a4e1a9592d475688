"""Six ways to predict uplift from a randomised trial, behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_same_order
from casebook.uplift._causal import causal_class
from casebook.uplift._models import MeanModel, effect_model, outcome_model
from casebook.uplift._table import as_features, require_filled
from casebook.uplift._trial import Trial, as_trial, one_of, require_binary

_META = "causalml.inference.meta"
_FEWEST = 10
_FOREST: Mapping[str, Any] = {
    "n_estimators": 50,
    "max_depth": 5,
    "min_samples_leaf": 200,
    "min_samples_treatment": 30,
    "max_features": 10,
    "evaluationFunction": "KL",
    "n_jobs": 1,
}

Predict = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class FittedUplift:
    """A fitted learner: call it with a table, get one predicted uplift a row, in units of y.

    Attributes
    ----------
    kind : str
    columns : tuple of str
        The features, in the order of the fit; a table may hold more, in any order.
    predict : callable
        Of an array of those columns, shape (n, m).
    """

    kind: str
    columns: tuple[str, ...]
    predict: Predict

    def __call__(self, X: pd.DataFrame) -> FloatArray:
        """Return predicted uplift, shape (n,); refuses a table without the columns of the fit."""
        return np.asarray(self.predict(as_features(X, self.columns)), dtype=float).ravel()


@dataclass(frozen=True)
class _Task:
    """What every learner is given."""

    X: FloatArray
    trial: Trial
    seed: int
    base: Any
    binary: bool

    @property
    def outcome(self) -> MeanModel:
        return outcome_model(self.base, self.binary, self.seed)

    @property
    def effect(self) -> MeanModel:
        return effect_model(self.base, self.seed)

    @property
    def chances(self) -> FloatArray:
        return np.broadcast_to(self.trial.propensity, self.trial.n).astype(float)


def fit_uplift(
    kind: str,
    X: pd.DataFrame,
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    seed: int,
    propensity: npt.ArrayLike = 0.5,
    base: Any = None,
) -> FittedUplift:
    """Fit one uplift learner to a randomised trial.

    ======================  =====================================================================
    kind                    What it does
    ======================  =====================================================================
    class_transformation    one model of z = y w + (1 - y)(1 - w); uplift is 2 p(z) - 1
    two_model, or t         a model per arm; uplift is the difference
    s                       one model with the arm as a column; uplift is the switch
    x                       a model per arm, then of the effects imputed by the other arm's model
    dr                      a model of each row's doubly robust effect, cross-fitted in thirds
    forest                  50 trees whose splits part the arms (KL divergence), leaves of 200 rows or more
    ======================  =====================================================================

    The first two are written here in ten lines; the others are causalml's. The propensity is the known one
    everywhere and is never estimated.

    Parameters
    ----------
    kind : str
    X : pandas.DataFrame, shape (n, m)
        Features known before treatment, numbers. Missing ones are allowed with the default base.
    y : array_like, shape (n,)
        Outcome, larger is better. Must be 0/1 for ``class_transformation`` and ``forest``.
    treated : array_like, shape (n,)
        0/1, randomised.
    seed : int
        The same seed gives the same numbers; global random state is neither read nor changed.
    propensity : float or array_like, shape (n,)
        Known probability of treatment; 0.5 for ``class_transformation``. ``x`` weighs by its mean.
    base : None, "lightgbm", "logistic" or a scikit-learn model
        Model of the outcome; the default is a small LightGBM on one thread. ``logistic`` means linear
        regression where a number is forecast. If it classifies, ``x`` and ``dr`` model effects by LightGBM.
        ``forest`` takes none.

    Returns
    -------
    FittedUplift
        Call it with a DataFrame.

    Raises
    ------
    ContractError
        As :func:`qini` for y, treated and propensity; X empty, with text or infinite columns; an unknown kind
        or base; an arm of fewer than ten rows; a kind of causalml's where it is not installed.

    Notes
    -----
    causalml 0.18's DR-learner feeds a classifier's hard labels into its formula, which costs precision; here
    it gets probabilities. ``s`` with ``logistic`` has no interactions: it ranks by risk, not by effect.

    References
    ----------
    Jaskowski and Jaroszewicz (2012), Uplift modeling for clinical trial data. Kunzel et al. (2019),
    Metalearners (s, t, x), PNAS 116. Kennedy (2023), Towards optimal doubly robust estimation, EJS 17.
    Rzepakowski and Jaroszewicz (2012), Decision trees for uplift modeling, KAIS 32.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, treated = pd.DataFrame({"x": rng.normal(size=4000)}), rng.random(4000) < 0.5
    >>> y = rng.random(4000) < 0.3 + 0.2 * treated * (X["x"] > 0)
    >>> model = fit_uplift("two_model", X, y, treated, seed=1, base="logistic")
    >>> model(pd.DataFrame({"x": [-1.0, 1.0]})).round(2)
    array([0.05, 0.18])
    """
    one_of(kind, list(_KINDS), "kind")
    features = as_features(X, tuple(X.columns) if isinstance(X, pd.DataFrame) else ())
    trial = as_trial(y, treated, propensity)
    require_same_order(X.iloc[:, 0], y, "X and y")
    _require_usable(features, trial, base, X)
    binary = bool(np.isin(trial.y, [0, 1]).all())
    task = _Task(features, trial, int(seed), base, binary)
    return FittedUplift(kind, tuple(X.columns), _KINDS[kind](task))


def _require_usable(features: FloatArray, trial: Trial, base: Any, X: pd.DataFrame) -> None:
    if len(features) != trial.n:
        refuse("X", f"{trial.n} rows long, as treated", f"{len(features)} rows", "take all arguments from one table")
    fewest = int(min(trial.treated.sum(), (~trial.treated).sum()))
    if fewest < _FEWEST:
        got = f"{fewest} in the smaller"
        refuse("treated", f"at least {_FEWEST} rows in each arm", got, "take more rows or a larger hold-out")
    if isinstance(base, str) and base == "logistic":
        require_filled(features, X)


def _class_transformation(task: _Task) -> Predict:
    require_binary(task.trial, "class_transformation")
    if np.any(np.asarray(task.trial.propensity) != 0.5):
        got = repr(float(np.mean(task.trial.propensity)))
        refuse("propensity", "0.5 for 'class_transformation'", got, "take another kind, such as 'dr'")
    y, w = task.trial.y, task.trial.treated
    z = y * w + (1 - y) * (1 - w)
    return partial(_twice_less_one, task.outcome.fit(task.X, z))


def _twice_less_one(model: MeanModel, X: FloatArray) -> FloatArray:
    return 2 * model.predict(X) - 1


def _two_model(task: _Task) -> Predict:
    y, w = task.trial.y, task.trial.treated
    return partial(_difference, task.outcome.fit(task.X[w], y[w]), task.outcome.fit(task.X[~w], y[~w]))


def _difference(model_treated: MeanModel, model_control: MeanModel, X: FloatArray) -> FloatArray:
    return model_treated.predict(X) - model_control.predict(X)


def _s(task: _Task) -> Predict:
    learner = causal_class(_META, "BaseSRegressor", "s")(task.outcome)
    learner.fit(X=task.X, treatment=task.trial.treated.astype(int), y=task.trial.y)
    return partial(_ask, learner)


def _x(task: _Task) -> Predict:
    learner = causal_class(_META, "BaseXRegressor", "x")(
        control_outcome_learner=task.outcome,
        treatment_outcome_learner=task.outcome,
        control_effect_learner=task.effect,
        treatment_effect_learner=task.effect,
    )
    learner.fit(X=task.X, treatment=task.trial.treated.astype(int), y=task.trial.y, p=task.chances)
    return partial(_ask_weighted, learner, float(np.mean(task.trial.propensity)))


def _dr(task: _Task) -> Predict:
    learner = causal_class(_META, "BaseDRRegressor", "dr")(
        control_outcome_learner=task.outcome,
        treatment_outcome_learner=task.outcome,
        treatment_effect_learner=task.effect,
    )
    learner.fit(X=task.X, treatment=task.trial.treated.astype(int), y=task.trial.y, p=task.chances, seed=task.seed)
    return partial(_ask, learner)


def _ask(learner: Any, X: FloatArray) -> FloatArray:
    return np.asarray(learner.predict(X)).ravel()


def _ask_weighted(learner: Any, chance: float, X: FloatArray) -> FloatArray:
    return np.asarray(learner.predict(X, p=np.full(len(X), chance))).ravel()


def _forest(task: _Task) -> Predict:
    require_binary(task.trial, "forest")
    if task.base is not None:
        refuse("base", "left out for 'forest'", repr(task.base), "drop it: the forest grows its own trees")
    maker = causal_class("causalml.inference.tree", "UpliftRandomForestClassifier", "forest")
    forest = maker(control_name="control", random_state=task.seed, **_FOREST)
    arms = np.where(task.trial.treated, "treated", "control")
    forest.fit(X=task.X, treatment=arms, y=task.trial.y.astype(int))
    return partial(_ask, forest)


_KINDS: Mapping[str, Callable[[_Task], Predict]] = {
    "class_transformation": _class_transformation,
    "two_model": _two_model,
    "t": _two_model,
    "s": _s,
    "x": _x,
    "dr": _dr,
    "forest": _forest,
}

KINDS = tuple(_KINDS)
"""What :func:`fit_uplift` can fit; ``t`` is another name of ``two_model``."""
