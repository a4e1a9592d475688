"""A reader's own table of customers: whom to call, and what a trial in it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.evaluate import call_top
from casebook.churn.own_table_checks import check_own, require_leavers, require_lot
from casebook.churn.tables import CANDIDATES
from casebook.contracts import FloatArray, as_costs, refuse, require_columns
from casebook.experiments import Effect, difference
from casebook.uplift import fit_uplift, paired_qini

FOLDS = 3
SHOWN = 8  # names of features in a sentence


def call_list(frame: pd.DataFrame, capacity: int, call_cost: float, save_rate: float | None = None) -> pd.DataFrame:
    """Return whom to call of a reader's own customers, best first, with the reason for each.

    A call is expected to earn uplift x value less its cost. It is made if that is above zero and the capacity
    reaches so far. Without a column ``uplift`` it is p x ``save_rate``: then the list is that of risk x value.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :data:`casebook.churn.tables.CANDIDATES`.
    capacity : int
        Calls that can be made, at least 1.
    call_cost : float
        Dollars a call, answered or not.
    save_rate : float, optional
        Share of those about to leave whom a call keeps, answered or not; in (0, 1]. Only without ``uplift``.

    Returns
    -------
    pandas.DataFrame
        One row a customer, best first: ``customer_id``, ``call`` (bool), ``rank``, ``uplift``, ``cut`` (the uplift
        from which a call to this customer pays), ``gain`` (dollars expected, cost off), ``reason``.

    Raises
    ------
    ContractError
        The table breaks the contract, a number is out of range, or neither or both of ``uplift`` and ``save_rate``
        are there. An ``uplift`` lies between p - 1 and p: clip an estimate that does not.

    Examples
    --------
    >>> mine = pd.DataFrame({"customer_id": ["a", "b", "c"], "p": [0.3, 0.1, 0.02], "value": [900, 2400, 600]})
    >>> call_list(mine, capacity=2, call_cost=10, save_rate=0.1)[["customer_id", "call", "gain", "reason"]]
      customer_id   call  gain                                  reason
    0           a   True  17.0  keeps 3.0% of the time, worth 900 each
    1           b   True  14.0  keeps 1.0% of the time, worth 2400 each
    2           c  False  -8.8        brings 1.20 dollars and costs 10
    """
    table = check_own(frame, unknown="drop the column, which a list does not need")
    calls = _one(capacity, "capacity")
    if calls < 1 or calls % 1:
        refuse("capacity", "a whole number, 1 or more", f"{calls:g}", "pass the calls that can be made")
    cost = float(as_costs(_one(call_cost, "call_cost"), "call_cost"))
    uplift, value = _uplift(table, save_rate), np.asarray(as_costs(table["value"], "column 'value'"))
    gain = uplift * value - cost
    call = call_top(gain, int(calls), least=0.0)
    out = pd.DataFrame({"customer_id": table["customer_id"].to_numpy(), "call": call, "uplift": uplift})
    out["cut"] = np.divide(cost, value, out=np.full(len(value), np.inf), where=value > 0)
    out["gain"] = gain
    out["reason"] = [_reason(*row, cost) for row in zip(call, uplift, value, gain, strict=True)]
    out = out.sort_values("gain", ascending=False, kind="stable", ignore_index=True)
    out.insert(2, "rank", np.arange(1, len(out) + 1))
    return out


def _uplift(table: pd.DataFrame, save_rate: float | None) -> FloatArray:
    if "uplift" in table:
        if save_rate is not None:
            got = f"{save_rate} beside a column 'uplift'"
            refuse("save_rate", "left out where the table has its own uplift", got, "drop one of the two")
        return table["uplift"].to_numpy(dtype=float)
    if save_rate is None:
        mend = "measure it in a pilot, or pass your guess and vary it"
        refuse("save_rate", "given where the table has no column 'uplift'", "None", mend)
    share = _one(save_rate, "save_rate")
    if not 0 < share <= 1:
        mend = "divide percentages by 100" if share > 1 else "pass the share kept, above 0"
        refuse("save_rate", "above 0 and at most 1", f"{share:g}", mend)
    return table["p"].to_numpy(dtype=float) * share


def _one(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        refuse(what, "one number", type(value).__name__, "pass one number for all customers")
    number = float(value)
    if not np.isfinite(number):
        refuse(what, "a finite number", f"{number:g}", "pass a number")
    return number


def _reason(call: bool, uplift: float, value: float, gain: float, cost: float) -> str:
    if uplift < 0:
        return "a call makes this customer likelier to leave"
    if uplift == 0:
        return "a call changes nothing"
    if gain <= 0:
        return f"brings {uplift * value:.2f} dollars and costs {cost:g}"
    keeps = f"keeps {uplift:.1%} of the time, worth {value:.0f} each"
    return keeps if call else f"{keeps}; pays, but the capacity ends above"


@dataclass(frozen=True)
class Reading:
    """What a trial in a reader's table says.

    Attributes
    ----------
    effect : Effect
        Of a call on the share that stays, by intention to treat.
    uplift : numpy.ndarray, shape (n,)
        Each customer's, from T-learners that saw neither them nor their company.
    qini : pandas.DataFrame
        Rows ``risk`` and ``uplift``, from :func:`casebook.uplift.paired_qini`; differences are to risk.
    features : tuple of str
        The columns that the uplift was learned from.
    """

    effect: Effect
    uplift: FloatArray
    qini: pd.DataFrame
    features: tuple[str, ...]

    @property
    def separable(self) -> bool:
        """Whether ranking by uplift is shown to beat ranking by risk."""
        return float(self.qini["difference_low"].to_numpy(float)[self.qini.index.get_loc("uplift")]) > 0

    @property
    def sentence(self) -> str:
        """What to do with it, in one sentence."""
        row = self.qini.loc["uplift"]
        gap = f"{row['difference']:+.4f} ({row['difference_low']:+.4f} to {row['difference_high']:+.4f})"
        more = f", ... ({len(self.features)} in all)" if len(self.features) > SHOWN else ""
        mine = f"from {', '.join(self.features[:SHOWN])}{more}"
        if self.separable:
            return (
                f"Uplift {mine} is separable from risk: its Qini is {gap} above that of risk; rank by uplift x value."
            )
        if row["difference_high"] < 0:
            return f"Risk finds who can be kept better than uplift {mine} does ({gap}): rank by risk x value."
        return (
            f"Uplift {mine} cannot be told from risk on this trial ({gap}): rank by risk x value and keep a hold-out."
        )


def read_trial(
    frame: pd.DataFrame,
    rng: np.random.Generator,
    cluster: str | None = None,
    base: str = "logistic",
    draws: int = 200,
) -> Reading:
    """Read a randomised trial in a reader's table: the effect, each customer's uplift, and whether it outranks risk.

    Every further column of numbers is a feature, beside ``p`` and ``value``; it must have been known before the coin
    fell. The intervals of the Qini draw customers (or companies) anew and keep the fitted scores.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :data:`casebook.churn.tables.CANDIDATES`, with ``treated`` and ``y``; ``uplift``, if there, is not used.
    rng : numpy.random.Generator
    cluster : str, optional
        The column of what was randomised whole, such as a company.
    base : {"logistic", "lightgbm"}
        Model of each arm. The first needs less data and no gaps among the features.
    draws : int
        Bootstrap draws.

    Returns
    -------
    Reading

    Raises
    ------
    ContractError
        ``rng`` is no generator; the table breaks the contract, has no ``treated`` or ``y``, too few rows in an arm or
        no leavers in it; p differs between the arms far beyond chance, as where calls were chosen by risk, or drawn at
        another share for each risk (:func:`casebook.churn.own_table_checks.require_lot`).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reading = read_trial(shop_mails(6_000, rng), rng, draws=50)
    >>> reading.effect.low > 0, reading.separable
    (True, True)
    """
    if not isinstance(rng, np.random.Generator):
        seed = rng if isinstance(rng, int) else "seed"
        refuse("rng", "a numpy Generator", type(rng).__name__, f"pass np.random.default_rng({seed})")
    table = check_own(frame)
    named = [] if cluster is None else [cluster]
    require_columns(table, ["treated", "y", *named], "table 'candidates'")
    stayed, treated = 1 - table["y"].to_numpy(dtype=int), table["treated"].to_numpy(dtype=int)
    units = table[cluster].to_numpy() if cluster else None
    require_leavers(1 - stayed, treated)
    effect = difference(stayed, treated, cluster=units)
    p, X = table["p"].to_numpy(dtype=float), _features(table, named)
    require_lot(p, treated, units)
    score = _crossfitted(X, stayed, treated, units, base, rng)
    scores, share = {"risk": p, "uplift": score}, float(treated.mean())
    found = paired_qini(stayed, treated, scores, rng=rng, draws=draws, cluster=units, propensity=share)
    return Reading(effect, score, found, tuple(map(str, X.columns)))


def _features(table: pd.DataFrame, drop: list[str]) -> pd.DataFrame:
    mine = [name for name in CANDIDATES.columns if name not in ("p", "value")]
    return table.drop(columns=[*mine, *drop], errors="ignore").select_dtypes(["number", "bool"]).astype(float)


def _crossfitted(
    X: pd.DataFrame,
    stayed: npt.NDArray[np.int64],
    treated: npt.NDArray[np.int64],
    units: npt.NDArray[np.generic] | None,
    base: str,
    rng: np.random.Generator,
) -> FloatArray:
    """Return a T-learner's uplift of each fold from the other folds; a company lies in one fold."""
    codes = np.arange(len(X)) if units is None else pd.factorize(units)[0]
    fold = rng.permutation(int(codes.max()) + 1)[codes] % FOLDS
    seed, share = int(rng.integers(2**31)), float(treated.mean())
    score = np.empty(len(X))
    for k in range(FOLDS):
        out = fold == k
        model = fit_uplift("t", X[~out], stayed[~out], treated[~out], seed=seed, propensity=share, base=base)
        score[out] = model(X[out])
    return score


def shop_mails(n: int, rng: np.random.Generator, apart: bool = True) -> pd.DataFrame:
    """Draw a shop's e-mail trial in the shape of Hillstrom's, as a table of candidates with features.

    To leave means: no visit in the two weeks after. About one in ten visits unasked. A mail about women's clothes adds
    9 points among those who have bought such and nothing among others; with ``apart`` off it adds more the less
    likely a visit is, so that risk already says whom it moves.

    Parameters
    ----------
    n : int
        Customers, half of them mailed.
    rng : numpy.random.Generator
    apart : bool
        Whether the effect has to do with something else than risk.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``p``, ``value`` (dollars a visit), ``treated``, ``y``, and features ``recency`` (months),
        ``history`` (dollars), ``womens`` (0/1).

    Examples
    --------
    >>> shop_mails(1_000, np.random.default_rng(0)).shape
    (1000, 8)
    """
    recency, history = rng.integers(1, 13, n), rng.lognormal(5.2, 0.8, n)
    womens = (rng.random(n) < 0.5).astype(int)
    p = 1 / (1 + np.exp(-2.3 - 0.1 * (recency - 6.5) + 0.5 * (np.log(history) - 5.2)))
    added = np.where(womens == 1, 0.09, 0.0) if apart else np.clip(0.5 * (p - 0.8), 0, 1 - p)
    treated = rng.permutation(np.arange(n) % 2)
    y = (rng.random(n) < p - added * treated).astype(int)
    frame = {"customer_id": np.arange(n), "p": p, "value": 5.0 + 0.02 * history, "treated": treated, "y": y}
    return pd.DataFrame(frame | {"recency": recency, "history": history, "womens": womens})
