"""The settings of one issuer bank: its card-holders, its fraudsters, and what stopping either costs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from casebook.contracts import refuse

FIRST_DAY = np.datetime64("2026-03-02")  # a Monday; the world's first midnight
DAY = 86_400  # seconds
CARDS, DAYS = 15_000, 120  # about two million events
KINDS = (
    *("card_testing", "stolen_card", "card_not_present"),
    *("compromised_merchant", "account_takeover", "ring"),
)
NOVEL = "wallet"  # the seventh kind, which appears only where a world says so
ALL_KINDS = (*KINDS, NOVEL)
TACTICS = ("bold", "plain", "small", "patient", "mimic")
ACTIONS = ("allow", "push", "call", "block")  # in the order of their friction
OUTCOMES = ("passed", "declined", "abandoned", "stopped")
ANSWERS = ("confirm", "deny", "none")
CHANNELS = ("terminal", "online", "app")
ENTRIES = ("chip", "contactless", "magstripe", "wallet", "typed", "threeds", "app")
HOME = "US"
CURRENCIES = {"US": "USD", "CA": "CAD", "MX": "MXN", "GB": "GBP", "FR": "EUR", "DE": "EUR", "JP": "JPY", "BR": "BRL"}
COUNTRIES = tuple(CURRENCIES)
CATEGORIES = (
    *("grocery", "restaurant", "fuel", "pharmacy", "fashion"),
    *("electronics", "home", "travel", "digital", "transfer"),
)
REISSUE_DAYS = 3  # midnights until the holder of a stopped card has a new one
LIABILITY = {
    "chip": 1.0,
    "contactless": 1.0,
    "magstripe": 0.3,
    "wallet": 1.0,
    "typed": 0.1,
    "threeds": 1.0,
    "app": 1.0,
}
"""Share of a fraud that the issuer bears. With 3-D Secure, and at a terminal that read the chip, the liability is the
issuer's; without either most of it is the merchant's, and what is left stands for disputes that the issuer loses."""
RECOVERY = {"terminal": 0.0, "online": 0.0, "app": 0.2}
"""Share of a loss that comes back: transfers are frozen at the payee's bank if they are noticed in time."""
_SHARES = (
    *("prevalence", "ring_share", "sharing", "push_pass", "push_confirm", "push_slip", "call_pass", "call_confirm"),
    *("call_slip", "reported", "false_claims", "novel_share"),
)


@dataclass(frozen=True)
class Friction:
    """What an action against an honest holder costs, and what a fraud costs beside its amount, in dollars.

    Parameters
    ----------
    push : float
        One push to an honest holder: the message and the annoyance.
    call : float
        One call: a minute or two of an agent, and the holder's wait.
    block : float
        One refusal of an honest sale: the complaint, and the share of holders who put the card away for good.
    margin : float
        What the bank loses on a sale that does not happen, as a share of its amount; transfers earn none.
    fee : float
        Handling of one passed fraud: dispute, scheme's fee, letter.
    reissue : float
        A new card for an honest holder whose card was stopped.

    Examples
    --------
    >>> Friction(call=-1.0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Friction, call must be 0 or more, got -1.0; state costs as positive dollars.
    """

    push: float = 0.05
    call: float = 6.0
    block: float = 10.0
    margin: float = 0.015
    fee: float = 15.0
    reissue: float = 5.0

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if not (np.isfinite(value) and value >= 0):
                refuse(f"Friction, {part.name}", "0 or more", str(value), "state costs as positive dollars")


@dataclass(frozen=True)
class World:
    """Settings of one bank; the defaults are the chapter's bank.

    Parameters
    ----------
    prevalence : float
        Share of attempts by fraudsters among all events while nothing is stopped.
    speed : float
        How fast fraudsters turn to the tactics that pay, see :mod:`casebook.fraud.adversary`; 0: never.
    ring_share : float
        Share of the attempts that rings make; 0 is the null world.
    sharing : float
        Innocent sharing of devices, networks and addresses in households, offices and by carriers; 0: none.
    push_pass, call_pass : float
        Share of pushes and calls that a fraudster passes, in a kind that has no hold of the holder's phone; odds
        are higher for account takeovers and rings, see :data:`casebook.fraud.outcomes.HOLD`.
    push_confirm, call_confirm : float
        Share of them that an honest holder answers with yes in time.
    push_slip, call_slip : float
        Share of them that an honest holder answers with no by mistake; the rest goes unanswered.
    delay_days : float
        Median days from a fraud to its report, log-normal; 95 percent come within six medians.
    reported : float
        Share of passed frauds that are ever reported.
    false_claims : float
        Share of false claims among all claims while nothing is stopped; they fall on honest online events.
    notice_days : float
        Median days from the first fraud that passes on a card until holder or bank ends the episode there.
    novel_share, novel_day : float, int
        Share of the attempts that the seventh kind makes, and its first day; 0: it never comes.
    drift, drift_day : float, int
        How much honest behaviour changes, and the day: online shares grow by ``drift``, amounts by half of it,
        trips by twice of it; 0: not at all.
    costs : Friction

    Raises
    ------
    ContractError
        If a setting is not finite, not a share, or out of its range.

    Examples
    --------
    >>> World(prevalence=0.2).prevalence
    0.2
    >>> World(sharing=80)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: World, sharing must be in [0, 1], got 80; divide percentages by 100.
    """

    prevalence: float = 0.001
    speed: float = 0.2
    ring_share: float = 0.2
    sharing: float = 0.5
    push_pass: float = 0.08
    push_confirm: float = 0.85
    push_slip: float = 0.004
    call_pass: float = 0.03
    call_confirm: float = 0.7
    call_slip: float = 0.002
    delay_days: float = 7.0
    reported: float = 0.85
    false_claims: float = 0.05
    notice_days: float = 3.0
    novel_share: float = 0.0
    novel_day: int = 60
    drift: float = 0.0
    drift_day: int = 60
    costs: Friction = field(default_factory=Friction)

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name != "costs" and not np.isfinite(value):
                refuse(f"World, {part.name}", "a finite number", str(value), "fill it in")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                refuse(f"World, {name}", "in [0, 1]", str(getattr(self, name)), "divide percentages by 100")
        self._check_ranges()

    def _check_ranges(self) -> None:
        for name, low, high, mend in (
            ("prevalence", 0.0, 0.3, "a world with more fraud is none of an issuer's"),
            ("false_claims", 0.0, 0.9, "leave some claims true"),
            ("speed", 0.0, 5.0, "slow the fraudsters down"),
            ("drift", 0.0, 1.0, "state the growth as a share"),
        ):
            if not low <= getattr(self, name) <= high:
                refuse(f"World, {name}", f"in [{low:g}, {high:g}]", str(getattr(self, name)), mend)
        for name in ("delay_days", "notice_days"):
            if not getattr(self, name) > 0:
                refuse(f"World, {name}", "above 0", str(getattr(self, name)), "state a median in days")
        for name in ("novel_day", "drift_day"):
            if not getattr(self, name) >= 0:
                must = "0 or more"
                refuse(f"World, {name}", must, str(getattr(self, name)), "switch it off by its size")
        for way in ("push", "call"):
            total = getattr(self, f"{way}_confirm") + getattr(self, f"{way}_slip")
            if total > 1:
                what = f"World, {way}_confirm and {way}_slip"
                refuse(what, "at most 1 together", f"{total:g}", "lower one of them")
        if not isinstance(self.costs, Friction):
            refuse("World, costs", "a Friction", type(self.costs).__name__, "write costs=Friction(...)")

    def shares(self, day: int) -> np.ndarray:
        """Return the share of the attempts that each of :data:`ALL_KINDS` makes on a day, shape (7,).

        The kinds other than rings and the novel one have equal shares, so that each can be counted.

        Examples
        --------
        >>> World(ring_share=0.2, novel_share=0.5, novel_day=10).shares(10).round(2).tolist()
        [0.08, 0.08, 0.08, 0.08, 0.08, 0.1, 0.5]
        """
        novel = self.novel_share if day >= self.novel_day else 0.0
        each = (1 - self.ring_share) / (len(KINDS) - 1)
        return np.array([*[(1 - novel) * each] * (len(KINDS) - 1), (1 - novel) * self.ring_share, novel])


def null_world(world: World | None = None) -> World:
    """Return the same bank without rings, so that a graph of shared devices has nothing to find.

    Examples
    --------
    >>> null_world(World(speed=0.5)) == World(speed=0.5, ring_share=0.0)
    True
    """
    return replace(world or World(), ring_share=0.0)
