"""What the features are: names, windows and constants that the query and the state store share."""

from __future__ import annotations

from dataclasses import dataclass

from casebook.contracts import refuse
from casebook.fraud.world import CATEGORIES, CURRENCIES, DAY, HOME

HOUR = 3_600

#: Velocity windows: name -> seconds. A window is [t - seconds, t): the row's own second is never in it.
WINDOWS = {"10m": 600, "1h": HOUR, "24h": DAY, "7d": 7 * DAY}
#: Windows over which reports are held against events.
RISK_WINDOWS = {"7d": 7 * DAY, "28d": 28 * DAY}

#: What is counted, and the column that names it; a negative id is an id that the issuer does not see.
KEYS = {"card": "card_id", "merchant": "merchant_id", "device": "device_id"}
RISK_KEYS = {"merchant": "merchant_id", "terminal": "terminal_id"}

#: Seconds without an event from which on longer makes no difference; also the value of a card without a past.
SINCE_CAP = 90 * DAY
#: Kilometres an hour from which on faster makes no difference; an aeroplane flies at 900.
SPEED_CAP = 10_000.0

#: Columns of ``events`` that features are made of.
EVENT_COLUMNS = (
    *("event_id", "at", "card_id", "merchant_id", "terminal_id", "device_id", "amount_cents"),
    *("channel", "entry", "currency", "country", "category", "x_km", "y_km"),
)


@dataclass(frozen=True)
class Spec:
    """What a bank sets about its features.

    Parameters
    ----------
    prior : float
        Events that the risk of an unknown merchant or terminal is worth, above 0.
    prior_rate : float
        Reports per event there, in [0, 1].
    home : str
        The bank's own country.
    categories : tuple of str
        Words of ``category`` in the order of their codes; another word gets -1.
    currencies : tuple of str
        What an event may be in; the state refuses another.

    Raises
    ------
    ContractError
        A prior that is none.

    Examples
    --------
    >>> Spec(prior=0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Spec.prior must be above 0, got 0; 100 events is a start.
    """

    prior: float = 100.0
    prior_rate: float = 0.001
    home: str = HOME
    categories: tuple[str, ...] = CATEGORIES
    currencies: tuple[str, ...] = tuple(dict.fromkeys(CURRENCIES.values()))

    def __post_init__(self) -> None:
        if not self.prior > 0:
            refuse("Spec.prior", "above 0", str(self.prior), "100 events is a start")
        if not 0 <= self.prior_rate <= 1:
            refuse("Spec.prior_rate", "in [0, 1]", str(self.prior_rate), "divide percentages by 100")


def _velocities() -> dict[str, str]:
    told = {}
    for key in KEYS:
        for window in WINDOWS:
            told[f"{key}_count_{window}"] = f"events of the {key} in the {window} before"
            told[f"{key}_cents_{window}"] = f"cents of the {key} in the {window} before"
    return told


def _risks() -> dict[str, str]:
    return {
        f"{key}_risk_{window}": f"reports that came in the {window} before, per event at the {key} then, smoothed"
        for key in RISK_KEYS
        for window in RISK_WINDOWS
    }


#: Every feature in the order of its column -> what it says. "Before" is strictly before the event's second.
FEATURES: dict[str, str] = {
    "amount_cents": "the event's own amount",
    "hour": "hour of the day, 0 to 23",
    "weekday": "day of the week, 0 to 6 from Monday, the first day's",
    "channel": "place in world.CHANNELS",
    "entry": "place in world.ENTRIES",
    "country_home": "1 at home, 0 abroad",
    "category": "place in Spec.categories, -1 for another",
    **_velocities(),
    "card_count": "events of the card before",
    "card_mean_cents": "their mean amount; 0 without any",
    "card_max_cents": "their largest amount; 0 without any",
    "amount_to_mean": "amount over that mean; 1 without any",
    "new_merchant": "1 if the card was never at this merchant before",
    "new_country": "1 if the card was never in this country before",
    "new_device": "1 if the card was never seen with this device before; 0 where no device is seen",
    "card_since": "seconds since the card's last event before, at most SINCE_CAP, which is also the value without any",
    "travel_kmh": "speed from the card's last terminal event before, at most SPEED_CAP; 0 without two places",
    **_risks(),
}
