"""Thousands of headline tests read as one programme: sample ratios, pairs of arms, and halves that replicate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm

from casebook.experiments import adjust_p, fit_programme
from casebook.experiments.belief import Belief

FEWEST_CLICKS = 10  # below it a log of a rate is far from normal
FAULTY = (201_325, 201_401)  # 25 June 2013 to 10 January 2014, which the archive's owners warn of; weeks count from 0
BINS = 8


def sample_ratios(packages: pd.DataFrame) -> pd.DataFrame:
    """Test every test's viewers against equal shares of its packages.

    Parameters
    ----------
    packages : pandas.DataFrame
        From :func:`casebook.datasets.prepare_upworthy`.

    Returns
    -------
    pandas.DataFrame
        Index the tests; ``arms``, ``viewers``, ``week`` and ``p`` of the chi-square test.

    Examples
    --------
    >>> packages = pd.DataFrame({"test": ["a", "a", "b", "b"], "impressions": [500, 520, 400, 600], "week": 201_446})
    >>> sample_ratios(packages)["p"].round(4).to_dict()
    {'a': 0.5312, 'b': 0.0}
    """
    tests = packages.groupby("test", sort=False)
    expected = tests["impressions"].transform("mean")
    off = ((packages["impressions"] - expected) ** 2 / expected).groupby(packages["test"], sort=False).sum()
    table = tests.agg(arms=("impressions", "size"), viewers=("impressions", "sum"), week=("week", "first"))
    return table.assign(p=chi2.sf(off, table["arms"] - 1))


def by_quarter(ratios: pd.DataFrame, alpha: float = 0.001) -> pd.DataFrame:
    """Return the share of tests with a mismatch by quarter of a year.

    Parameters
    ----------
    ratios : pandas.DataFrame
        From :func:`sample_ratios`.
    alpha : float
        Alarm level.

    Returns
    -------
    pandas.DataFrame
        Index such as ``2013 Q3``; ``tests``, ``mismatch``.
    """
    week = ratios["week"] % 100
    quarter = (ratios["week"] // 100).astype(str) + " Q" + (1 + np.clip((week - 1) // 13, 0, 3)).astype(str)
    seen = (ratios["p"] < alpha).groupby(quarter.rename("quarter"))
    return pd.DataFrame({"tests": seen.size(), "mismatch": seen.mean()})


def random_pairs(packages: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw two packages of every test: an A/B test each, whose arms nobody chose for their result.

    Returns
    -------
    pandas.DataFrame
        Index the tests; ``clicks_a``, ``clicks_b``, ``viewers_a``, ``viewers_b``.
    """
    named = packages.rename(columns={"impressions": "viewers"}).iloc[rng.permutation(len(packages))]
    drawn = named.groupby("test").head(2)
    side = drawn.groupby("test").cumcount().map({0: "a", 1: "b"})
    wide = drawn.assign(side=side).pivot(index="test", columns="side", values=["clicks", "viewers"])
    wide.columns = wide.columns.map("_".join)
    return wide


def halves(pairs: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Send half of each arm's viewers, drawn at random, to one table and the others to another.

    Counts are enough: of c clicks among n viewers, half of the viewers hold a hypergeometric number.

    Parameters
    ----------
    pairs : pandas.DataFrame
        From :func:`random_pairs`.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of pandas.DataFrame
        Two independent samples of the same viewers' behaviour, each like ``pairs``.
    """
    first = pairs.copy()
    for arm in "ab":
        clicks, viewers = pairs[f"clicks_{arm}"], pairs[f"viewers_{arm}"]
        first[f"viewers_{arm}"] = viewers // 2
        first[f"clicks_{arm}"] = rng.hypergeometric(clicks, viewers - clicks, viewers // 2)
    return first, pairs - first


def log_lifts(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the log of the ratio of click rates, b over a, of the pairs with enough clicks in both arms.

    Returns
    -------
    pandas.DataFrame
        Index the tests; ``lift``, ``se`` (delta method) and ``p``.

    Examples
    --------
    >>> pairs = pd.DataFrame({"clicks_a": [100], "clicks_b": [130], "viewers_a": [5_000], "viewers_b": [5_000]})
    >>> log_lifts(pairs).round(3).to_dict("records")
    [{'lift': 0.262, 'se': 0.132, 'p': 0.046}]
    """
    kept = pairs[(pairs["clicks_a"] >= FEWEST_CLICKS) & (pairs["clicks_b"] >= FEWEST_CLICKS)]
    rate = {arm: kept[f"clicks_{arm}"] / kept[f"viewers_{arm}"] for arm in "ab"}
    spread = {arm: 1 / kept[f"clicks_{arm}"] - 1 / kept[f"viewers_{arm}"] for arm in "ab"}
    lift = np.log(rate["b"] / rate["a"])
    se = np.sqrt(spread["a"] + spread["b"])
    return pd.DataFrame({"lift": lift, "se": se, "p": 2 * norm.sf(np.abs(lift / se))})


def survivors(lifts: pd.DataFrame, programme: Belief, alpha: float = 0.05) -> dict[str, int]:
    """Count the tests with a winner, by how strictly a winner is called one.

    Parameters
    ----------
    lifts : pandas.DataFrame
        From :func:`log_lifts`.
    programme : Belief
        Of the true lifts.
    alpha : float

    Returns
    -------
    dict of str to int
        By ``none``, ``holm``, ``benjamini_hochberg`` (p-values below alpha), and ``shrunk``: the chance of the
        other sign is below half of alpha after the programme is taken into account.
    """
    counts = {name: int((adjust_p(lifts["p"], name) < alpha).sum()) for name in ("none", "holm", "benjamini_hochberg")}
    above = np.array([after.above() for after in _updates(lifts, programme)])
    sure = np.minimum(above, 1 - above) < alpha / 2
    return counts | {"shrunk": int(sure.sum())}


def replication(first: pd.DataFrame, again: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Return the first half's winners with what two models of the programme make of each, and the other half's lift.

    Parameters
    ----------
    first, again : pandas.DataFrame
        From :func:`log_lifts`, of two halves; both models are fitted to all of ``first``, winners or not.
    alpha : float

    Returns
    -------
    pandas.DataFrame
        A row per winner that is in both tables, log lifts in the winner's direction: ``seen``, ``normal`` (shrunk by
        one normal), ``spike`` (by a normal beside a share of pairs that do not differ), ``again``.
    """
    both = first.join(again["lift"].rename("again"), how="inner")
    won = both[both["p"] < alpha]
    way = np.sign(won["lift"])
    columns = {"seen": won["lift"]}
    for name, spike in (("normal", False), ("spike", True)):
        programme = fit_programme(first["lift"], first["se"], spike=spike)
        columns[name] = pd.Series([after.expected for after in _updates(won, programme)], won.index)
    columns["again"] = won["again"]
    return pd.DataFrame({name: way * column for name, column in columns.items()})


def by_size(winners: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Return the means of :func:`replication` in bins of equally many winners, smallest lift first."""
    place: npt.NDArray[np.int64] = np.asarray(winners["seen"].rank(method="first"), dtype=np.int64) - 1
    return winners.groupby(place * bins // len(winners)).mean()


def _updates(lifts: pd.DataFrame, programme: Belief) -> list[Belief]:
    pairs = zip(lifts["lift"].tolist(), lifts["se"].tolist(), strict=True)
    return [programme.update(lift, se) for lift, se in pairs]
