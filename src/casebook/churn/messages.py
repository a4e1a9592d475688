"""Which message to whom: three offers, a randomised run of them, and a rule that picks by what the tables show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray

from casebook.churn.evaluate import once
from casebook.churn.expectation import flags, stays
from casebook.churn.failures_causes import looks_like_price
from casebook.churn.latent import PULL_KEEPS, Floats, Months
from casebook.churn.play import STAYS, play
from casebook.churn.simulate import Truth
from casebook.churn.world import World
from casebook.contracts import refuse, require_columns
from casebook.experiments import cuped, difference

MESSAGES = ("help", "discount", "check-in")
NOTHING = "nothing"
Arms = NDArray[np.str_]


@dataclass(frozen=True)
class Offers:
    """What the three messages do; dials of the world, none of them measured.

    Parameters
    ----------
    discount_price : float
        Share of the hazard that a discount takes off where a price or competitor pulls.
    discount_else : float
        The same where nothing pulls.
    check_in : float
        The same for an executive's check-in, whoever gets it.
    help_times : float
        Help and onboarding take off so many times ``Months.kept``, the usual call's share, which goes with need.
    off : float
        Part of the price that the discount gives away.
    months_off : int
        Months for which it is given.

    Whatever the message, a sleeping dog is woken by ``World.bite``.
    """

    discount_price: float = 0.35
    discount_else: float = 0.08
    check_in: float = 0.12
    help_times: float = 1.0
    off: float = 0.10
    months_off: int = 6

    @classmethod
    def null(cls) -> Offers:
        """Return messages that do nothing and cost nothing but the call."""
        return cls(discount_price=0.0, discount_else=0.0, check_in=0.0, help_times=0.0, off=0.0)


def kept_by(world: World, truth: Truth, message: str, offers: Offers) -> Floats:
    """Return the share of the first month's hazard that a message takes off if it reaches somebody, shape (n,).

    Raises
    ------
    ContractError
        A message that there is none of.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(dogs=0.0), 1_000, np.random.default_rng(0))
    >>> sorted(set(kept_by(World(dogs=0.0), day.truth, "discount", Offers()).round(2).tolist()))
    [0.07999999821186066, 0.3499999940395355]
    """
    pull, dog = truth.months.pull[:, 0], truth.people.dog
    if message == "help":
        kept = offers.help_times * truth.months.kept[:, 0]
    elif message == "discount":
        kept = np.where(pull, offers.discount_price, offers.discount_else)
    elif message == "check-in":
        kept = offers.check_in * np.where(pull, PULL_KEEPS, 1.0)
    elif message == NOTHING:
        return np.zeros(len(truth.people), dtype=np.float32)
    else:
        refuse("message", "one of 'help', 'discount', 'check-in', 'nothing'", repr(message), "mend the name")
    return np.asarray(np.where(dog, -world.bite, kept), dtype=np.float32)


def message_worth(world: World, truth: Truth, offers: Offers, horizon: int = 36) -> pd.DataFrame:
    """Return the dollars that each message adds for everybody, coin flips integrated out.

    Parameters
    ----------
    world : World
    truth : Truth
    offers : Offers
    horizon : int
        Months whose margin counts.

    Returns
    -------
    pandas.DataFrame
        One row a subscriber in the truth's order, one column a message: margin gained, less the discount that a
        reached subscriber takes while still there (would-be stayers too), less the call's cost.

    Raises
    ------
    ContractError
        A horizon that the truth does not hold.
    """
    _require_horizon(truth, horizon)
    alone = stays(world, truth.months, truth.carry, horizon)
    columns = {}
    for message in MESSAGES:
        carry = np.asarray(truth.carry + kept_by(world, truth, message, offers), dtype=np.float32)
        after = stays(world, truth.months, carry, horizon)
        gained = world.margin * truth.people.price * (after - alone).sum(axis=1)
        given = _given(message, offers) * truth.people.price * after[:, : offers.months_off].sum(axis=1)
        columns[message] = world.reach * (gained - given) - world.call_cost
    return pd.DataFrame(columns)


def _given(message: str, offers: Offers) -> float:
    return offers.off if message == "discount" else 0.0


def cannibalised(world: World, truth: Truth, listed: npt.ArrayLike, offers: Offers) -> dict[str, float]:
    """Return what the discount costs on a list, and how much of it goes to those who would have stayed.

    Returns
    -------
    dict of str to float
        ``cost`` (expected dollars given away), ``to_stayers`` (of it, at bills that would have been paid in full),
        ``share`` (to_stayers / cost, 0 without a cost), ``saves`` (expected, first month).

    Raises
    ------
    ContractError
        Nobody listed.
    """
    rows = flags(listed, truth, "listed")
    carry = np.asarray(truth.carry + kept_by(world, truth, "discount", offers), dtype=np.float32)
    after, alone = (stays(world, truth.months, each, max(offers.months_off, 1))[rows] for each in (carry, truth.carry))
    given = world.reach * offers.off * truth.people.price[rows]
    cost = float(given @ after[:, : offers.months_off].sum(axis=1))
    anyway = float(given @ np.minimum(after, alone)[:, : offers.months_off].sum(axis=1))
    saves = world.reach * float((after - alone)[:, 0].sum())
    return {"cost": cost, "to_stayers": anyway, "share": anyway / cost if cost else 0.0, "saves": saves}


def by_segment(features: pd.DataFrame, otherwise: str = "help") -> Arms:
    """Return the message that the tables suggest: price signals -> discount, how-to tickets -> help, else the default.

    Parameters
    ----------
    features : pandas.DataFrame
        ``pricing_views_28d``, ``billing_tickets_30d``, ``how_to_tickets_180d``.
    otherwise : str
        Message for whoever shows neither.

    Returns
    -------
    numpy.ndarray of str, shape (n,)

    Raises
    ------
    ContractError
        A missing column, or an unknown default.

    Examples
    --------
    >>> seen = {"pricing_views_28d": [2, 0, 0], "billing_tickets_30d": [0, 0, 0], "how_to_tickets_180d": [1, 3, 0]}
    >>> by_segment(pd.DataFrame(seen)).tolist()
    ['discount', 'help', 'help']
    """
    require_columns(features, ["pricing_views_28d", "billing_tickets_30d", "how_to_tickets_180d"], "features")
    if otherwise not in MESSAGES:
        refuse("otherwise", "one of 'help', 'discount', 'check-in'", repr(otherwise), "mend the name")
    asked = features["how_to_tickets_180d"].to_numpy() > 0
    return np.where(looks_like_price(features), "discount", np.where(asked, "help", otherwise))


def run_messages(
    world: World, truth: Truth, listed: npt.ArrayLike, rng: np.random.Generator, offers: Offers, months: int = 6
) -> pd.DataFrame:
    """Give each company of a list one of four arms at random, nothing among them, and play on.

    Parameters
    ----------
    world : World
    truth : Truth
    listed : array_like of bool, shape (n,)
    rng : numpy.random.Generator
        Draws the arms; the truth's luck decides who leaves.
    offers : Offers
    months : int
        Months to watch.

    Returns
    -------
    pandas.DataFrame
        One row a listed subscriber: ``row`` (position in the truth), ``account_id``, ``arm``, ``reached``,
        ``price``, ``stayed`` (after the first month), ``dollars`` (margin of the months watched, less discount and
        call).

    Raises
    ------
    ContractError
        Nobody listed, fewer than eight companies, months that the truth does not hold.

    Examples
    --------
    >>> from casebook.churn.evaluate import call_top
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> world, rng = World(), np.random.default_rng(0)
    >>> day = draw_snapshot(world, 4_000, rng)
    >>> trial = run_messages(world, day.truth, call_top(day.worth.p, 400), rng, Offers())
    >>> sorted(trial["arm"].unique().tolist())
    ['check-in', 'discount', 'help', 'nothing']
    """
    rows = np.flatnonzero(flags(listed, truth, "listed"))
    _require_horizon(truth, months)
    arms = _draw_arms(truth.people.account[rows], rng)
    kept = truth.months.kept[:, :months].copy()
    for message in MESSAGES:
        mine = rows[arms == message]
        kept[mine, 0] = kept_by(world, truth, message, offers)[mine]
    act = np.zeros(len(truth.people), dtype=bool)
    act[rows[arms != NOTHING]] = True
    window = {name: part[:, :months] for name, part in vars(truth.months).items()} | {"kept": kept}
    played = play(world, Months(**window), truth.luck, once(act), carry=truth.carry)
    bills = np.where(played.left == STAYS, months, played.left)[rows]
    reached, price = played.reached[rows, 0], truth.people.price[rows]
    off = offers.off * price * np.minimum(bills, offers.months_off) * (reached & (arms == "discount"))
    earned = world.margin * price * bills - off - world.call_cost * (arms != NOTHING)
    frame = {"row": rows, "account_id": truth.people.account[rows], "arm": arms, "reached": reached, "price": price}
    return pd.DataFrame(frame | {"stayed": bills > 0, "dollars": earned})


def _draw_arms(account: NDArray[np.int64], rng: np.random.Generator) -> Arms:
    companies, codes = np.unique(account, return_inverse=True)
    if len(companies) < 2 * (len(MESSAGES) + 1):
        refuse("listed", "of at least eight companies", f"{len(companies)}", "list more subscribers")
    names = np.array([NOTHING, *MESSAGES])
    return cast(Arms, names[rng.permutation(np.arange(len(companies)) % len(names))][codes])


def _require_horizon(truth: Truth, months: int) -> None:
    longest = truth.months.p.shape[1]
    if not 1 <= months <= longest:
        refuse("months", f"between 1 and {longest}, those that the truth holds", repr(months), "pass 6")


def read_messages(trial: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Return what each message did against nothing, with intervals, companies as clusters.

    Dollars are adjusted for the price, which was known before and makes most of their spread.

    Parameters
    ----------
    trial : pandas.DataFrame
        From :func:`run_messages`, or one's own with ``arm``, ``account_id``, ``price``, ``stayed`` and ``dollars``.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a message and metric: ``message``, ``metric`` ("stayed", "dollars"), ``n``, ``control_n``,
        ``estimate``, ``low``, ``high``, ``p``.

    Raises
    ------
    ContractError
        A missing column, or an arm that is not there.
    """
    _require_trial(trial)
    table = []
    for message in MESSAGES:
        two = trial[trial["arm"].isin([message, NOTHING])]
        for metric in ("stayed", "dollars"):
            arm = two["arm"] == message
            y = cuped(two["dollars"], two["price"], arm) if metric == "dollars" else two["stayed"].to_numpy()
            found = difference(y, arm.to_numpy(), cluster=two["account_id"].to_numpy(), level=level)
            counts = {"n": found.treated_n, "control_n": found.control_n}
            interval = {"estimate": found.estimate, "low": found.low, "high": found.high, "p": found.p}
            table.append({"message": message, "metric": metric} | counts | interval)
    return pd.DataFrame(table)


def _require_trial(trial: pd.DataFrame) -> None:
    require_columns(trial, ["arm", "account_id", "price", "stayed", "dollars"], "trial")
    for arm in (NOTHING, *MESSAGES):
        if not (trial["arm"] == arm).any():
            refuse("trial, column 'arm'", "filled with all four arms", f"none with {arm!r}", "run every arm")
