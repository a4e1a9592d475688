"""Effects that differ by segment: each one's own, whether they differ at all, and what is left after luck."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_length, require_same_order
from casebook.experiments._inputs import as_arms, as_clusters, as_groups, as_level, as_outcome
from casebook.experiments.effect import effect_of

_FEWEST = 4


@dataclass(frozen=True)
class Heterogeneity:
    """A test of whether effects differ by more than luck.

    Parameters
    ----------
    q : float
        Cochran's: the squared distances from the common effect, each over its variance.
    df : int
        Segments - 1.
    p : float
        Probability of a q as large or larger if all effects are one.
    common : float
        The precision-weighted mean.
    tau : float
        Standard deviation of the true effects between segments (DerSimonian and Laird), 0 if q is below df.
    i2 : float
        Share of the spread that is not luck, 1 - df / q, not below 0.
    """

    q: float
    df: int
    p: float
    common: float
    tau: float
    i2: float


def by_segment(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    segment: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the difference between the arms in each segment.

    Segments were known before the experiment: what treatment may have moved selects different units in each arm.
    Of twenty segments without any effect one has p below 0.05; ask :func:`heterogeneity` first, then :func:`shrink`.

    Parameters
    ----------
    y, treated, cluster, level
        As for :func:`casebook.experiments.difference`.
    segment : array_like, shape (n,)
        Labels.

    Returns
    -------
    pandas.DataFrame
        Index the segments, sorted; the fields of :class:`casebook.experiments.Effect`.

    Raises
    ------
    ContractError
        As :func:`casebook.experiments.difference`, and for a segment with fewer than two units or clusters in an arm,
        or one in which y does not vary.

    Examples
    --------
    >>> got = by_segment([1, 3, 2, 5, 4, 6, 1, 2], [0, 0, 1, 1, 0, 0, 1, 1], list("aaaabbbb"))
    >>> got["estimate"].to_dict()
    {'a': 1.5, 'b': -3.5}
    """
    outcome = as_outcome(y, "y")
    arms = as_arms(treated, len(outcome), y)
    codes = as_clusters(cluster, arms, y)
    groups, labels = as_groups(segment, len(outcome), "segment")
    require_same_order(y, segment, "y and segment")
    share = as_level(level)
    rows = []
    for i, label in enumerate(labels):
        inside = groups == i
        own = None if codes is None else codes[inside]
        _require_both(label, arms[inside], own)
        effect = effect_of(outcome[inside], arms[inside], own, share)
        if np.isnan(effect.se):
            refuse(f"segment {shown(label)}", "one in which y varies", "one value per arm", "merge it with another")
        rows.append(asdict(effect))
    return pd.DataFrame(rows, index=pd.Index(labels, name="segment"))


def heterogeneity(estimate: npt.ArrayLike, se: npt.ArrayLike) -> Heterogeneity:
    """Test whether segments' effects differ, by Cochran's Q.

    Segments are independent: no unit is in two. Standard errors count as known, so small segments alarm too often.

    Parameters
    ----------
    estimate, se : array_like, shape (k,)
        Of k >= 2 segments, such as the columns of :func:`by_segment`.

    Returns
    -------
    Heterogeneity

    Raises
    ------
    ContractError
        Fewer than two segments, missing numbers, a standard error of 0 or less.

    References
    ----------
    Cochran (1954), The combination of estimates from different experiments, Biometrics 10(1); DerSimonian and Laird
    (1986), Controlled Clinical Trials 7(3).

    Examples
    --------
    >>> got = heterogeneity([0.1, 0.5, 0.2, 0.9], [0.1, 0.2, 0.1, 0.2])
    >>> print(f"Q = {got.q:.2f}, p = {got.p:.4f}, tau = {got.tau:.3f}")
    Q = 14.60, p = 0.0022, tau = 0.265
    """
    effects, variance = _effects(estimate, se, 2)
    weight = 1 / variance
    common = float(weight @ effects / weight.sum())
    q, df = float(weight @ (effects - common) ** 2), len(effects) - 1
    room = float(weight.sum() - weight @ weight / weight.sum())
    tau = float(np.sqrt(max(0.0, (q - df) / room)))
    return Heterogeneity(q, df, float(chi2.sf(q, df)), common, tau, max(0.0, 1 - df / q) if q > 0 else 0.0)


def shrink(estimate: npt.ArrayLike, se: npt.ArrayLike, *, level: float = 0.95) -> pd.DataFrame:
    """Return segments' effects drawn towards the common one by as much as luck explains: empirical Bayes.

    True effects are normal about a common mean with the standard deviation tau of :func:`heterogeneity`. Each
    estimate keeps the share 1 - B of its distance, with B = (k - 3) / (k - 1) se^2 / (se^2 + tau^2). The
    intervals are Morris's, which count what is unknown about the mean and about B; without that they hold the
    truth in as few as a third of segments. Over segments drawn from that world (not for each segment) a 0.95
    interval holds it in 0.93 and more.

    Parameters
    ----------
    estimate, se : array_like, shape (k,)
        Of k >= 4 segments; a Series gives the result its index.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        ``raw``, ``raw_se``, ``shrunk``, ``low``, ``high``, ``se`` and ``kept`` (1 - B). ``attrs`` hold ``tau`` and
        ``centre``.

    Raises
    ------
    ContractError
        Fewer than four segments, missing numbers, a standard error of 0 or less.

    References
    ----------
    Morris (1983), Parametric empirical Bayes inference: theory and applications, JASA 78(381), sections 5 and 6, with
    DerSimonian and Laird's (1986) estimate of tau.

    Examples
    --------
    >>> shrink([0.1, 0.5, 0.2, 0.9], [0.1, 0.2, 0.1, 0.2])[["raw", "shrunk", "kept"]].round(2).to_numpy().tolist()
    [[0.1, 0.11, 0.96], [0.5, 0.49, 0.88], [0.2, 0.21, 0.96], [0.9, 0.84, 0.88]]
    """
    effects, variance = _effects(estimate, se, _FEWEST)
    share, k = as_level(level), len(effects)
    tau2 = heterogeneity(effects, np.sqrt(variance)).tau ** 2
    weight = 1 / (variance + tau2)
    weight_share = weight / weight.sum()
    centre = float(weight_share @ effects)
    drawn = (k - 3) / (k - 1) * variance * weight
    typical = float(weight_share @ variance) + tau2
    unknown = 2 / (k - 3) * drawn**2 * typical * weight * (effects - centre) ** 2
    error = np.sqrt(variance * (1 - (1 - weight_share) * drawn) + unknown)
    shrunk, reach = centre + (1 - drawn) * (effects - centre), float(norm.isf((1 - share) / 2)) * error
    columns = {"raw": effects, "raw_se": np.sqrt(variance), "shrunk": shrunk, "low": shrunk - reach}
    columns |= {"high": shrunk + reach, "se": error, "kept": 1 - drawn}
    table = pd.DataFrame(columns, index=estimate.index if isinstance(estimate, pd.Series) else None)
    table.attrs = {"tau": float(np.sqrt(tau2)), "centre": centre}
    return table


def _effects(estimate: npt.ArrayLike, se: npt.ArrayLike, fewest: int) -> tuple[FloatArray, FloatArray]:
    mend = "leave out segments without both arms"
    effects, error = as_outcome(estimate, "estimate", mend), as_outcome(se, "se", mend)
    require_length(error, len(effects), "se")
    require_same_order(estimate, se, "estimate and se")
    if len(effects) < fewest:
        refuse("estimate", f"of at least {fewest} segments", str(len(effects)), "cut segments finer, or report each")
    if (error <= 0).any():
        row = int(np.argmax(error <= 0))
        refuse(f"se, row {row}", "above 0", f"{error[row]:g}", "merge a segment that does not vary with another")
    return effects, error**2


def _require_both(label: object, arms: npt.NDArray[np.bool_], codes: npt.NDArray[np.intp] | None) -> None:
    unit = "units" if codes is None else "clusters"
    for rows, name in ((arms, "treated"), (~arms, "control")):
        count = int(rows.sum()) if codes is None else len(np.unique(codes[rows]))
        if count < 2:
            got = f"{count} {name}"
            refuse(f"segment {shown(label)}", f"of at least two {unit} in each arm", got, "merge it with another")
