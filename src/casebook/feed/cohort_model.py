"""The hierarchical model of cells whose effects may differ: partial pooling of estimates, with checked chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.experiments import by_segment, shrink
from casebook.feed.simulate import Feed
from casebook.feed.tables import user_table

R_HAT, ESS = 1.02, 200.0  # beyond these the chains have not met, or an interval's ends are too rough to print
WIDE = 0.05  # of the priors, relative: effects of a tenth would surprise
LEVEL = 0.95
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """What the hierarchical model says of each cell, with the measures of its convergence.

    Parameters
    ----------
    table : pandas.DataFrame
        Index the cells; ``posterior``, ``low`` and ``high`` (95%).
    between, tau : float
        Posterior means of the standard deviation of effects between cohorts, and between cells of a cohort.
    r_hat, ess : float
        The worst R-hat and the smallest bulk effective sample size of all parameters.
    diverged : int
        Divergent transitions.
    """

    table: pd.DataFrame
    between: float
    tau: float
    r_hat: float
    ess: float
    diverged: int


def cells_of(feed: Feed) -> pd.DataFrame:
    """Return the relative effect on minutes in every cohort of every country, adjusted for nothing, and its truth.

    Returns
    -------
    pandas.DataFrame
        Index such as ``new, DE``; ``cohort``, ``users``, ``estimate`` and ``se`` (relative to control), ``truth``
        (what the users' own rankers do in the test).
    """
    users = user_table(feed.tables)
    everybody = feed.tables["users"]
    names = everybody["cohort"] + ", " + everybody["country"]
    old, new = (pd.Series(feed.truth.potential(regime)).groupby(names).sum() for regime in ("test_old", "test_new"))
    users = users[users["arm"] != "rest"]
    cell = users["cohort"] + ", " + users["country"]
    found = by_segment(users["minutes"], users["arm"] == "new", cell)
    base = found["control_mean"]
    columns = {
        "cohort": found.index.str.split(", ").str[0],
        "users": found["treated_n"] + found["control_n"],
        "estimate": found["estimate"] / base,
    }
    return pd.DataFrame({**columns, "se": found["se"] / base, "truth": (new / old - 1).reindex(found.index)})


def pool_cells(cells: pd.DataFrame, seed: int, draws: int = 1_600, chains: int = 2) -> Pooled:
    """Fit the hierarchical model to cells' estimates and refuse its answer if the chains have not met.

    An estimate is normal about its cell's effect with its standard error. Effects are normal about their cohort's with
    standard deviation tau, and cohorts' about mu with standard deviation
    ``between``, both written non-centred. mu ~ N(0, 0.05), tau ~ half-normal(0.05), between ~ half-normal(0.1).

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`cells_of`: ``cohort``, ``estimate`` and ``se``, of two or more cells.
    seed : int
    draws : int
        A chain, after as many to warm up.
    chains : int

    Returns
    -------
    Pooled

    Raises
    ------
    ContractError
        Fewer than two cells.
    RuntimeError
        R-hat of 1.02 or more, a bulk effective sample below 200, or divergences in more than one draw of a hundred.

    References
    ----------
    Rubin (1981), Estimation in parallel randomized experiments, Journal of Educational Statistics 6; Gelman et al.
    (2013), Bayesian Data Analysis, 3rd ed., chapter 5.
    """
    import arviz
    import pymc

    if len(cells) < 2:
        refuse("cells", "two or more", str(len(cells)), "report one effect as it is")
    settings: dict[str, Any] = {"nuts_sampler": "nutpie", "progressbar": False, "cores": 1, "random_seed": seed}
    settings |= {"draws": draws, "tune": draws, "chains": chains, "target_accept": 0.98}
    group = pd.factorize(cells["cohort"])[0]
    with _model(cells["estimate"].to_numpy(float), cells["se"].to_numpy(float), group):
        trace = pymc.sample(**settings)
    summary = arviz.summary(trace, var_names=["mu", "between", "tau", "of_group", "effect"], round_to="none")
    r_hat, ess = float(summary["r_hat"].max()), float(summary["ess_bulk"].min())
    diverged = int(trace.sample_stats["diverging"].sum())
    if not (r_hat < R_HAT and ess > ESS and diverged <= draws * chains / 100):
        raise RuntimeError(f"the chains have not met: r_hat {r_hat:.3f}, ess {ess:.0f}, {diverged} divergent draws")
    effect = trace.posterior["effect"].to_numpy().reshape(draws * chains, -1)
    low, high = np.quantile(effect, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    table = pd.DataFrame({"posterior": effect.mean(axis=0), "low": low, "high": high}, index=cells.index)
    between, tau = (float(trace.posterior[name].mean()) for name in ("between", "tau"))
    return Pooled(table, between, tau, r_hat, ess, diverged)


def _model(estimate: Floats, se: Floats, group: npt.NDArray[np.intp]) -> Any:
    import pymc

    with pymc.Model() as model:
        mu, tau = pymc.Normal("mu", 0.0, WIDE), pymc.HalfNormal("tau", WIDE)
        between = pymc.HalfNormal("between", 2 * WIDE)
        of_group = mu + between * pymc.Normal("of_group", shape=int(group.max()) + 1)
        effect = pymc.Deterministic("effect", of_group[group] + tau * pymc.Normal("own", shape=len(se)))
        pymc.Normal("seen", effect, se, observed=estimate)
    return model


def redrawn_misses(cells: pd.DataFrame, rng: np.random.Generator, lots: int = 1_000) -> pd.DataFrame:
    """Return how far three readings of the cells miss the truth, over lots drawn anew from truth and standard errors.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`cells_of`: ``cohort``, ``se`` and ``truth``.
    rng : numpy.random.Generator
    lots : int

    Returns
    -------
    pandas.DataFrame
        One row a lot: root mean squared error over the cells of ``raw`` (the estimates), ``one mean``
        (:func:`casebook.experiments.shrink`) and ``cohort means`` (weighted by precision).
    """
    truth, se = cells["truth"].to_numpy(), cells["se"].to_numpy()
    drawn = truth + se * rng.standard_normal((lots, len(cells)))
    member = (cells["cohort"].to_numpy()[:, None] == cells["cohort"].to_numpy()).astype(float)
    weight = member * se**-2.0
    readings = {
        "raw": drawn,
        "one mean": np.array([shrink(row, se)["shrunk"].to_numpy() for row in drawn]),
        "cohort means": drawn @ (weight / weight.sum(axis=1, keepdims=True)).T,
    }
    return pd.DataFrame({name: np.sqrt(((got - truth) ** 2).mean(axis=1)) for name, got in readings.items()})
