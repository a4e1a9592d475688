"""The small tables of chapter 5's exercises: labels as of a day, one episode, a hunt for a leak, blocked payments."""

from __future__ import annotations

import pandas as pd


def _times(*words: str) -> pd.DatetimeIndex:
    return pd.to_datetime(list(words))


#: The midnight as of which the labels are asked, and the age from which silence counts as honest.
AS_OF, MATURE = pd.Timestamp("2026-04-01"), pd.Timedelta(days=14)

#: Eight payments with what became of them and when their holder disputed them, for the exercise on known labels.
DISPUTES = pd.DataFrame(
    {
        "at": _times(
            "2026-03-02", "2026-03-05", "2026-03-09", "2026-03-10",
            "2026-03-12", "2026-03-28", "2026-03-30", "2026-04-02",
        ),
        "outcome": ["passed", "passed", "declined", "passed", "abandoned", "passed", "passed", "passed"],
        "reported_at": _times("2026-03-20", "NaT", "NaT", "2026-04-03", "NaT", "2026-03-30", "NaT", "2026-04-03"),
    },
    index=pd.Index(list("abcdefgh"), name="payment"),
)  # fmt: skip

#: What the bank knows of them at :data:`AS_OF`: 1, 0, or nothing.
KNOWN = {"a": 1, "b": 0, "c": None, "d": 0, "e": None, "f": 1, "g": None, "h": None}

#: One card's payments of an afternoon, for the exercise on what a stopped card spares.
EPISODE = pd.DataFrame(
    {
        "at": ["12:02", "14:10", "14:13", "14:31", "14:50", "15:22"],
        "amount": [31.0, 1.0, 180.0, 240.0, 60.0, 410.0],
        "p": [0.002, 0.04, 0.35, 0.22, 0.41, 0.18],
        "fraud": [0, 1, 1, 1, 1, 1],
    },
    index=pd.Index(range(1, 7), name="payment"),
)

#: Nine payments with five features; one of them holds what nobody knew in the second of the payment.
HUNT = pd.DataFrame(
    {
        "at": _times(
            "2026-03-02 10:00", "2026-03-02 18:00", "2026-03-04 09:00", "2026-03-05 12:00", "2026-03-06 20:00",
            "2026-03-09 11:00", "2026-03-10 08:00", "2026-03-10 19:00", "2026-03-20 09:00",
        ),
        "card": ["x", "x", "y", "x", "y", "z", "x", "y", "z"],
        "merchant": ["kiosk", "shop", "kiosk", "kiosk", "shop", "kiosk", "kiosk", "shop", "kiosk"],
        "amount": [20.0, 60.0, 15.0, 40.0, 75.0, 12.0, 200.0, 30.0, 36.0],
        "reported_at": _times(
            "NaT", "NaT", "2026-03-12 10:00", "2026-03-07 09:00", "NaT", "NaT", "2026-03-16 10:00", "NaT", "NaT"
        ),
        "card_count_24h": [0, 1, 0, 0, 0, 0, 0, 0, 0],
        "amount_to_mean": [None, 3.0, None, 1.0, 5.0, None, 5.0, 2 / 3, 3.0],
        "merchant_frauds": [0, 0, 0, 1, 0, 2, 2, 0, 3],
        "new_merchant": [1, 1, 1, 0, 1, 1, 0, 0, 0],
        "days_to_payday": [29, 29, 27, 26, 25, 22, 21, 21, 11],
    },
    index=pd.Index(range(1, 10), name="payment"),
)  # fmt: skip
HUNTED = ("card_count_24h", "amount_to_mean", "merchant_frauds", "new_merchant", "days_to_payday")

#: A day's blocked payments by band of p, for the exercise on letting some of them through.
BLOCKED = pd.DataFrame(
    {"payments": [400, 150, 50], "p": [0.07, 0.18, 0.60], "loss": [150.0, 200.0, 300.0]},
    index=pd.Index(["0.05 to 0.1", "0.1 to 0.3", "above 0.3"], name="p of the blocked"),
)
