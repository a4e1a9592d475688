"""``python -m casebook.screening``: one desk, its policies, and what each costs."""

from __future__ import annotations

import numpy as np

from casebook.screening import models
from casebook.screening.evaluate import act_all_ways, money_table
from casebook.screening.simulate import World, simulate


def main(seed: int = 3, cases: int = 60_000) -> None:
    """Print the money table of the default desk: a quarter to fit, a quarter to calibrate, the rest to judge."""
    fitting, validation, test = simulate(World(), cases, np.random.default_rng(seed)).split(1 / 4, 1 / 4)
    table = money_table(test, act_all_ways(models.fit(models.boosted(seed), fitting), validation, test))
    print(table[["stopped", "bad missed", "paid", "captured"]].round({"paid": 0, "captured": 2}).add(0).to_string())


if __name__ == "__main__":
    main()
