"""The hierarchical model of what a call saves in each segment: binomial counts, partial pooling, checked chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse, require_columns

__all__ = ["ESS", "R_HAT", "Posterior", "arms", "partial_pooling", "require_met"]

Floats = npt.NDArray[np.float64]
LEVEL = 0.90
R_HAT, ESS = 1.02, 200.0  # beyond these the chains have not met, or an interval's ends are too rough to print
_COUNTS = ("n_called", "left_called", "n_control", "left_control")


@dataclass(frozen=True)
class Posterior:
    """What the hierarchical model says, with the measures of its convergence.

    Attributes
    ----------
    table : pandas.DataFrame
        Index the segments; ``posterior``, ``low`` and ``high`` (90%) of the share saved.
    overall : float
        Posterior mean of the share saved over the pilot, weighted by rows.
    tau : float
        Posterior mean of how far the effect, in log-odds, differs between segments.
    r_hat, ess : float
        The worst split R-hat and the smallest bulk effective sample size of all parameters.
    diverged : int
        Divergent transitions.
    """

    table: pd.DataFrame
    overall: float
    tau: float
    r_hat: float
    ess: float
    diverged: int


def partial_pooling(counts: pd.DataFrame, seed: int, draws: int = 700, chains: int = 4) -> Posterior:
    """Fit the hierarchical model to a pilot's counts and refuse its answer if the chains have not met.

    Leavers are binomial in each arm; the log-odds of a segment's control arm are normal over segments, and so is what
    a call adds to them, with mean mu and standard deviation tau. The base is well measured and written centred; the
    effect is not, and is written non-centred. Priors: mu ~ N(0, 0.5), tau ~ half-normal(0.3), so that a call which
    halves the odds of leaving in one segment and does nothing in the next is thought unusual.

    Parameters
    ----------
    counts : pandas.DataFrame
        From :func:`casebook.churn.segments.segment_counts`.
    seed : int
    draws : int
        A chain, after as many to warm up.
    chains : int

    Returns
    -------
    Posterior

    Raises
    ------
    RuntimeError
        R-hat of 1.02 or more, a bulk effective sample below 200, or divergences in more than one draw of a hundred.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., ch. 5; Vehtari et al. (2021), Bayesian Analysis 16(2), for
    R-hat.
    """
    import arviz
    import pymc

    settings: dict[str, Any] = {"nuts_sampler": "nutpie", "progressbar": False, "cores": 1, "random_seed": seed}
    settings |= {"draws": draws, "tune": draws, "chains": chains, "target_accept": 0.9}
    with _model(*arms(counts)):
        trace = pymc.sample(**settings)
    summary = arviz.summary(trace, var_names=["alpha", "sigma", "mu", "tau", "saved"], round_to="none")
    r_hat, ess = float(summary["r_hat"].max()), float(summary["ess_bulk"].min())
    diverged = int(trace.sample_stats["diverging"].sum())
    require_met(r_hat, ess, diverged, draws * chains)
    saved = trace.posterior["saved"].to_numpy().reshape(draws * chains, -1)
    overall = float(saved.mean(axis=0) @ _share(counts))
    tau = float(trace.posterior["tau"].mean())
    return Posterior(_intervals(saved, counts.index), overall, tau, r_hat, ess, diverged)


def require_met(r_hat: float, ess: float, diverged: int, draws: int) -> None:
    """Raise a RuntimeError unless the chains have met.

    Examples
    --------
    >>> require_met(1.05, 400, 3, 2800)
    Traceback (most recent call last):
    ...
    RuntimeError: the chains have not met: r_hat 1.050, ess 400, 3 divergent draws
    """
    if not (r_hat < R_HAT and ess > ESS and diverged <= draws / 100):
        raise RuntimeError(f"the chains have not met: r_hat {r_hat:.3f}, ess {ess:.0f}, {diverged} divergent draws")


def _model(n1: Floats, k1: Floats, n0: Floats, k0: Floats) -> Any:
    import pymc

    with pymc.Model() as model:
        alpha, sigma = pymc.Normal("alpha", -3.0, 1.0), pymc.HalfNormal("sigma", 1.0)
        mu, tau = pymc.Normal("mu", 0.0, 0.5), pymc.HalfNormal("tau", 0.3)
        base = pymc.Normal("base", alpha, sigma, shape=len(n0))
        effect = mu + tau * pymc.Normal("own_effect", shape=len(n0))
        pymc.Binomial("control", n=n0.astype(int), logit_p=base, observed=k0.astype(int))
        pymc.Binomial("called", n=n1.astype(int), logit_p=base + effect, observed=k1.astype(int))
        pymc.Deterministic("saved", pymc.math.sigmoid(base) - pymc.math.sigmoid(base + effect))
    return model


def _share(counts: pd.DataFrame) -> Floats:
    n = (counts["n_called"] + counts["n_control"]).to_numpy(float)
    return n / n.sum()


def _intervals(saved: Floats, index: pd.Index) -> pd.DataFrame:
    low, high = np.quantile(saved, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return pd.DataFrame({"posterior": saved.mean(axis=0), "low": low, "high": high}, index=index)


def arms(counts: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    """Return rows and leavers of those called, then of the control group, or refuse the counts."""
    require_columns(counts, list(_COUNTS), "counts")
    n1, k1, n0, k0 = (counts[name].to_numpy(float) for name in _COUNTS)
    for n, k, arm in ((n1, k1, "called"), (n0, k0, "control")):
        wrong = ~((n > 0) & (k >= 0) & (k <= n))
        if wrong.any():
            row = int(np.argmax(wrong))
            must = f"0 to n_{arm} leavers of at least one row"
            refuse(f"counts, row {row}", must, f"{k[row]:g} of {n[row]:g}", "drop the empty segment or mend the count")
    return n1, k1, n0, k0
