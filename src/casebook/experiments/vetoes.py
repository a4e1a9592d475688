"""Several guardrails together: how often a no-launch rule stops the harmless, and what harm it lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from casebook._columns import kind_of
from casebook.contracts import FloatArray, refuse, require_length
from casebook.experiments._inputs import as_level, as_outcome, one_number

Rule = Literal["estimate", "significant", "broken", "not held"]

#: When a guardrail stops a launch.
RULES: dict[Rule, str] = {
    "estimate": "the estimated harm is beyond the margin",
    "significant": "the interval lies wholly on the side of harm",
    "broken": "the interval lies wholly beyond the margin",
    "not held": "the interval does not exclude harm beyond the margin",
}


@dataclass(frozen=True)
class Veto:
    """How often guardrails stop a launch.

    Parameters
    ----------
    any : float
        Probability that one of them or more does.
    each : tuple of float
        Probability for each guardrail alone.
    """

    any: float
    each: tuple[float, ...]


def veto_chance(
    ses: npt.ArrayLike,
    margins: npt.ArrayLike,
    harms: npt.ArrayLike | float = 0.0,
    *,
    rule: Rule = "not held",
    level: float = 0.95,
    correlation: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    draws: int = 100_000,
) -> Veto:
    """Return the chance that a rule over several guardrails stops a launch, given the true harms.

    With no harm it is the chance to veto the harmless; with harm, one less it is the chance to miss it. Independent
    guardrails have a closed form; correlated ones are drawn.

    Parameters
    ----------
    ses : array_like, shape (k,)
        Standard error of each guardrail's estimate.
    margins : array_like, shape (k,)
        Largest acceptable harm of each, above 0, in its own units.
    harms : float or array_like, shape (k,)
        True harm, above 0 where the treatment makes the guardrail worse, whichever way that is.
    rule : {"estimate", "significant", "broken", "not held"}
        When a guardrail stops the launch; see :data:`RULES`. The verdicts of
        :func:`casebook.experiments.non_inferior` are "broken" and, if anything but "holds" stops, "not held".
    level : float
        Of each guardrail's two-sided interval.
    correlation : array_like, shape (k, k), optional
        Of the estimates, counted in the direction of harm.
    rng : numpy.random.Generator, optional
        Needed with ``correlation`` only.
    draws : int
        Simulated tests with ``correlation``.

    Returns
    -------
    Veto

    Raises
    ------
    ContractError
        Standard errors or margins of 0 or less, unequal lengths, an unknown rule, a matrix that is no correlation, or
        one without a generator.

    References
    ----------
    Schultzberg, Ankargren and Fraenberg (2024), Risk-aware product decisions in A/B tests with multiple metrics, for
    success and guardrail metrics under one rule.

    Examples
    --------
    >>> ses, margins = [0.4, 0.5, 0.3], [1.0, 1.0, 1.0]
    >>> [round(veto_chance(ses, margins, rule=rule).any, 3) for rule in RULES]
    [0.029, 0.073, 0.0, 0.667]
    """
    errors, limits, truth = _read(ses, margins, harms)
    cut = _cut(errors, limits, rule, level)
    each = norm.sf((cut - truth) / errors)
    if correlation is None:
        return Veto(float(1 - np.prod(1 - each)), tuple(each.tolist()))
    if not isinstance(rng, np.random.Generator):
        mend = "pass np.random.default_rng(seed)"
        refuse("rng", "a numpy Generator where guardrails are correlated", kind_of(rng), mend)
    root = _root(correlation, len(errors))
    beyond = truth + errors * (rng.standard_normal((draws, len(errors))) @ root.T) > cut
    return Veto(float(beyond.any(axis=1).mean()), tuple(each.tolist()))


def veto_rules(
    ses: npt.ArrayLike,
    margins: npt.ArrayLike,
    harms: npt.ArrayLike,
    *,
    level: float = 0.95,
    correlation: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Return what each rule over several guardrails costs: harmless changes stopped, stated harm let through.

    Parameters
    ----------
    ses, margins, level, correlation, rng
        As in :func:`veto_chance`.
    harms : array_like, shape (k,)
        The harm that must not be missed: 0 where a guardrail is not hurt, above 0 in one of them at least.

    Returns
    -------
    pandas.DataFrame
        One row per rule: ``stops_if`` (in words), ``false_veto`` (no harm in any guardrail, and stopped), ``missed``
        (that harm, and not stopped).

    Raises
    ------
    ContractError
        As :func:`veto_chance`, and for no harm at all.

    Examples
    --------
    >>> veto_rules([0.4, 0.5, 0.3], [1.0, 1.0, 1.0], harms=[2.0, 0.0, 0.0])[["false_veto", "missed"]].round(3)
                 false_veto  missed
    estimate          0.029   0.006
    significant       0.073   0.001
    broken            0.000   0.295
    not held          0.667   0.000
    """
    _, _, truth = _read(ses, margins, harms)
    if not (truth > 0).any():
        refuse("harms", "above 0 in a guardrail or more", str(truth.tolist()), "state the harm that must be seen")
    rows = {}
    for rule, words in RULES.items():
        idle, hurt = (
            veto_chance(ses, margins, harm, rule=rule, level=level, correlation=correlation, rng=rng).any
            for harm in (0.0, truth)
        )
        rows[rule] = {"stops_if": words, "false_veto": idle, "missed": 1 - hurt}
    return pd.DataFrame.from_dict(rows, orient="index")


def _read(
    ses: npt.ArrayLike, margins: npt.ArrayLike, harms: npt.ArrayLike | float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    errors, limits = as_outcome(ses, "ses", "drop the guardrail"), as_outcome(margins, "margins", "fix it in the plan")
    require_length(limits, len(errors), "margins")
    for name, values in (("ses", errors), ("margins", limits)):
        if (values <= 0).any():
            row = int(np.argmax(values <= 0))
            refuse(f"{name}, row {row}", "above 0", f"{values[row]:g}", "pass one for each guardrail")
    if np.ndim(harms) == 0:
        return errors, limits, np.full(len(errors), one_number(harms, "harms"))
    truth = as_outcome(harms, "harms", "pass 0 for no harm")
    require_length(truth, len(errors), "harms")
    return errors, limits, truth


def _cut(errors: FloatArray, limits: FloatArray, rule: Rule, level: float) -> FloatArray:
    """Return the estimated harm beyond which each guardrail stops the launch."""
    reach = float(norm.isf((1 - as_level(level)) / 2)) * errors
    cuts = {"estimate": limits, "significant": reach, "broken": limits + reach, "not held": limits - reach}
    if rule not in cuts:
        refuse("rule", "one of " + ", ".join(map(repr, RULES)), repr(rule), "take 'not held' for non-inferiority")
    return cuts[rule]


def _root(correlation: npt.ArrayLike, k: int) -> FloatArray:
    matrix = np.asarray(correlation, dtype=float)
    good = matrix.shape == (k, k) and np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1)
    values, vectors = np.linalg.eigh(matrix) if good else (np.array([-1.0]), matrix)
    if values.min() < -1e-9:
        got = f"shape {matrix.shape}" if matrix.shape != (k, k) else "another matrix"
        refuse("correlation", f"a correlation matrix of {k} guardrails", got, "take np.corrcoef of their estimates")
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
