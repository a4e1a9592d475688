"""From arrays to the tables of cards and merchants."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.fraud.merchants import Market
from casebook.fraud.people import People
from casebook.fraud.tables import words


def card_table(people: People) -> pd.DataFrame:
    """Return table ``cards``: what a bank knows of its holders, and no habit of theirs."""
    return pd.DataFrame(
        {
            "card_id": np.arange(len(people), dtype=np.int64),
            "household_id": people.household.astype(np.int64),
            "opened": people.opened,
            "x_km": people.x_km,
            "y_km": people.y_km,
        }
    )


def merchant_table(market: Market) -> pd.DataFrame:
    """Return table ``merchants``, payees among them."""
    return pd.DataFrame(
        {
            "merchant_id": np.arange(len(market), dtype=np.int64),
            "category": words("category", market.category),
            "country": words("country", market.country),
            "channel": words("channel", market.channel),
            "x_km": market.x_km,
            "y_km": market.y_km,
        }
    )
