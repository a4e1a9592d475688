"""From a small bank to a large one: on which day a regression shows, by a formula, and what the holdback costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.experiments import srm_sequential
from casebook.experiments.srm_sequential import log_e_value
from casebook.fraud.holdback import ALPHA, RISE, concentration
from casebook.fraud.outcomes import PASSED
from casebook.fraud.simulate import Run
from casebook.fraud.weekly import known_share
from casebook.fraud.world import DAY

EVENTS_A_DAY, PREVALENCE = 50_000_000, 0.001  # the bank of the prompt, at the published share of fraud
LONGEST = 365


@dataclass(frozen=True)
class Rates:
    """Cards that will give a first signal, per card and day, of each group.

    Attributes
    ----------
    old, new : float
    """

    old: float
    new: float

    def times(self, factor: float) -> Rates:
        """Return the rates where frauds are so many times as frequent."""
        return Rates(self.old * factor, self.new * factor)


def exposure(curve: pd.DataFrame | None, days: int) -> FloatArray:
    r"""Return the known days of each card by the end of each day: :math:`G(t) = \int_0^t F(u)\,du`.

    Parameters
    ----------
    curve : pandas.DataFrame, optional
        Maturity F of reports, from :func:`casebook.fraud.weekly.maturity`; None for what is known at once.
    days : int

    Returns
    -------
    numpy.ndarray of float, shape (days,)
        t days if all is known at once.

    Examples
    --------
    >>> exposure(None, 3).tolist()
    [1.0, 2.0, 3.0]
    >>> exposure(pd.DataFrame({"days": [0, 2], "known": [0.0, 1.0]}), 3).round(2).tolist()
    [0.25, 1.0, 2.0]
    """
    if curve is None:
        return np.arange(1.0, days + 1)
    fine = np.linspace(0, days, 24 * days + 1)
    share = known_share(curve, fine)
    area = np.append(0.0, np.cumsum((share[1:] + share[:-1]) / 2 * np.diff(fine)))
    return np.asarray(area[24::24])


def rates_of(counts: pd.DataFrame, held: BoolArray, curve: pd.DataFrame | None) -> Rates:
    """Return the rates that a run's counts say.

    Parameters
    ----------
    counts : pandas.DataFrame
        From :func:`casebook.fraud.holdback.by_group`.
    held : array of bool, shape (cards,)
    curve : pandas.DataFrame, optional
        As in :func:`exposure`.

    Examples
    --------
    >>> counts = pd.DataFrame({"held": [1, 1], "released": [2, 4]})
    >>> rates_of(counts, np.array([True] * 10 + [False] * 10), None)
    Rates(old=0.1, new=0.3)
    """
    days = float(exposure(curve, len(counts))[-1])
    cards = {"held": held.sum(), "released": (~held).sum()}
    return Rates(*(round(float(counts[name].sum() / (cards[name] * days)), 15) for name in ("held", "released")))


def expected_day(
    rates: Rates,
    share: float,
    cards: float,
    curve: pd.DataFrame | None = None,
    alpha: float = ALPHA,
    rise: float = RISE,
    longest: int = LONGEST,
) -> float:
    r"""Return the day on which the sequential test is expected to alarm; NaN if not within ``longest``.

    By the end of day t the groups have :math:`h C (1 - e^{-r_0 G(t)})` and :math:`(1 - h) C (1 - e^{-r_1 G(t)})`
    cards with a signal, C cards, h of them held, G from :func:`exposure`. The formula is the first day on which the
    log e-value of these expected counts reaches :math:`\log(1/\alpha)`. Cards are taken as alike. Where a few of them
    give most of the signals, as with alerts, these have given theirs within days, and the alarm comes sooner.

    Parameters
    ----------
    rates : Rates
    share : float
    cards : float
        All cards of the bank.
    curve, alpha, rise
        As in :func:`exposure` and :func:`casebook.fraud.holdback.alarm_day`.
    longest : int

    Returns
    -------
    float

    Examples
    --------
    >>> rates = Rates(old=1e-4, new=1.5e-4)
    >>> [expected_day(rates, 0.01, cards) for cards in (1e5, 1e6, 1e7)]
    [nan, 68.0, 7.0]
    """
    expected = _expected(rates, share, cards, curve, longest)
    log_e = log_e_value(expected, np.array([share, 1 - share]), concentration(share, rise))
    above = log_e >= np.log(1 / alpha)
    return float(np.argmax(above) + 1) if above.any() else np.nan


def drawn_days(
    rates: Rates,
    share: float,
    cards: float,
    rng: np.random.Generator,
    runs: int = 100,
    curve: pd.DataFrame | None = None,
    alpha: float = ALPHA,
    rise: float = RISE,
    longest: int = LONGEST,
) -> FloatArray:
    """Return the days on which the test alarms in so many drawn banks, NaN where never; it checks the formula.

    A day's counts are Poisson about what the formula expects.

    Parameters
    ----------
    rates, share, cards, curve, alpha, rise, longest
        As in :func:`expected_day`.
    rng : numpy.random.Generator
    runs : int

    Returns
    -------
    numpy.ndarray of float, shape (runs,)

    Examples
    --------
    >>> days = drawn_days(Rates(1e-4, 1.5e-4), 0.01, 1e7, np.random.default_rng(0), longest=30)
    >>> float(np.median(days))
    8.0
    """
    if runs < 1:
        refuse("runs", "1 or more", str(runs), "draw a hundred")
    each = np.diff(_expected(rates, share, cards, curve, longest), axis=0, prepend=0.0)
    found = np.full(runs, np.nan)
    for run in range(runs):
        looks = rng.poisson(each)
        read = srm_sequential(looks, [share, 1 - share], alpha=alpha, concentration=concentration(share, rise))
        broken = read["broken"].to_numpy()
        found[run] = np.argmax(broken) + 1 if broken.any() else np.nan
    return found


def _expected(rates: Rates, share: float, cards: float, curve: pd.DataFrame | None, days: int) -> FloatArray:
    """Return the cards with a signal by the end of each day, held and released, shape (days, 2)."""
    known = exposure(curve, days)[:, None]
    return np.asarray(cards * np.array([share, 1 - share]) * -np.expm1(-np.array([rates.old, rates.new]) * known))


@dataclass(frozen=True)
class Price:
    """What a group of cards costs, dollars per event, with its standard error over cards.

    Attributes
    ----------
    loss, friction : float
    error : float
        Of their sum.
    events : int
    """

    loss: float
    friction: float
    error: float
    events: int


def prices(run: Run, held: BoolArray, release_day: int) -> dict[str, Price]:
    """Return what each group of cards has cost per event since a release; it reads the truth.

    Parameters
    ----------
    run : Run
    held : array of bool, shape (cards,)
    release_day : int

    Returns
    -------
    dict of str to Price
        ``held`` and ``released``.
    """
    events, truth = run.tables["events"], run.truth.events
    late = events["at"].to_numpy() >= release_day * DAY
    passed = run.tables["decisions"]["outcome"].cat.codes.to_numpy() == PASSED
    loss = np.where(truth["fraud"].to_numpy() & passed, truth["loss_dollars"].to_numpy(), 0.0)[late]
    friction = truth["friction_dollars"].to_numpy()[late]
    card = events["card_id"].to_numpy()[late]
    return {name: _price(loss, friction, card, side) for name, side in (("held", held), ("released", ~held))}


def _price(loss: FloatArray, friction: FloatArray, card: npt.NDArray[Any], side: BoolArray) -> Price:
    n = len(side)
    events = np.bincount(card, minlength=n)[side]
    parts = [np.bincount(card, values, n)[side] for values in (loss, friction)]
    total = parts[0] + parts[1]
    count = int(events.sum())
    rest = total - total.sum() / count * events  # of a ratio of sums over cards
    error = float(np.sqrt((rest**2).sum()) / count)
    return Price(float(parts[0].sum() / count), float(parts[1].sum() / count), error, count)


def holdback_cost(
    price: dict[str, Price], share: float, factor: float = 1.0, events_a_day: float = EVENTS_A_DAY
) -> float:
    """Return the dollars a day that a holdback costs: what the old model costs more on its share of the events.

    Below 0 if the old model is the better one, which is what a holdback is for.

    Parameters
    ----------
    price : dict of str to Price
        From :func:`prices`.
    share : float
    factor : float
        How many times as frequent frauds are at the bank in question; losses grow with it, friction does not.
    events_a_day : float

    Examples
    --------
    >>> price = {"held": Price(0.05, 0.01, 0.0, 1), "released": Price(0.04, 0.01, 0.0, 1)}
    >>> round(holdback_cost(price, share=0.01, events_a_day=1_000_000))
    100
    """
    old, new = price["held"], price["released"]
    return share * events_a_day * (factor * (old.loss - new.loss) + old.friction - new.friction)
