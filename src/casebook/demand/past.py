"""The past of some stores, day by day: what was wanted, what the shelf had, and what was written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.demand.clock import draw_stockout_hour
from casebook.demand.planner import Planner, Records
from casebook.demand.shelf import Served, Shelf, Supply
from casebook.demand.world import NEVER_OUT, World

Array = NDArray[np.float32]
Whole = NDArray[np.int64]
BROWSING, NOTICED = 0.5, 0.6  # lookers for each one who wants it; share of the unserved who try to add it anyway
AMPLE = 10_000  # units on every shelf, each morning, where nothing is ever cut off


@dataclass(frozen=True, eq=False)
class Stage:
    """What is given before the first day, one row a cell.

    Attributes
    ----------
    supply : Supply
    category : code of the category
    wanted : units wanted, shape (cells, days); 0 where the product is not on sale
    mean : expectation of it
    on_sale : whether it is listed that day
    promoted : days with a promotion that was announced two weeks before
    """

    supply: Supply
    category: Whole
    wanted: NDArray[np.int32]
    mean: Array
    on_sale: NDArray[np.bool_]
    promoted: NDArray[np.bool_]


#: Columns written a day, with their types.
WRITTEN = {
    "sold": np.int32, "stock_open": np.int32, "stock_close": np.int32, "stocked_out": bool, "stockout_hour": np.int8,
    "searches": np.int32, "failed_adds": np.int32, "substitutions": np.int32,
    "true_out": bool, "true_hour": np.int8, "true_close": np.int32, "lost": np.int32,
}  # fmt: skip


def run_past(world: World, stage: Stage, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """Let the planner of the past order for all days, and return what was written down.

    Returns
    -------
    dict of str to numpy.ndarray, shape (cells, days)
        Those of :data:`WRITTEN`; what begins with ``true`` and ``lost`` the company does not know.
    """
    cells, days = stage.wanted.shape
    written = {name: np.zeros((cells, days), kind) for name, kind in WRITTEN.items()}
    first = np.where(stage.on_sale.any(axis=1), stage.on_sale.argmax(axis=1), 0)
    guess = stage.mean[np.arange(cells)[:, None], np.minimum(first[:, None] + np.arange(28), days - 1)].mean(axis=1)
    guess = guess.astype(np.float64)
    planner = Planner(world, stage.supply, stage.promoted, guess)
    records = Records(world, guess, rng)
    shelf = Shelf(stage.supply, _opening(stage, guess) * stage.on_sale[:, 0])
    coming = np.zeros((cells, int(stage.supply.lead_days.max()) + 1), np.int64)
    for day in range(days):
        starts = stage.on_sale[:, day] & (~stage.on_sale[:, day - 1] if day else False)
        if starts.any():
            planner.restart(starts, guess)
            shelf.deliver(np.where(starts, _opening(stage, guess), 0))
        shelf.deliver(coming[:, 0])
        shelf.clear(~stage.on_sale[:, day])
        coming[:, :-1], coming[:, -1] = coming[:, 1:].copy(), 0
        position = records.of(shelf.on_hand) + coming.sum(axis=1)
        _place(coming, planner.order(day, position) * stage.on_sale[:, day], stage.supply.lead_days)
        if not world.censored:
            shelf.deliver(np.maximum(AMPLE - shelf.on_hand, 0) * stage.on_sale[:, day])
        opened = shelf.on_hand
        served = _serve(world, shelf, stage.wanted[:, day], rng)
        _write(written, day, stage, served, opened, shelf, records, rng)
        planner.watch(day, served.sold)
        shelf.close()
        records.tonight()
    return written


def _opening(stage: Stage, guess: NDArray[np.float64]) -> Whole:
    reach = np.minimum(stage.supply.lead_days + stage.supply.review_days, stage.supply.shelf_life)
    return np.asarray(np.ceil(1.2 * guess * reach).astype(np.int64))


def _place(coming: Whole, units: Whole, lead: Whole) -> None:
    """Add orders to what is coming: column 0 arrives tomorrow."""
    coming[np.arange(len(units)), lead - 1] += units


def _serve(world: World, shelf: Shelf, wanted: NDArray[np.int32], rng: np.random.Generator) -> Served:
    unserved = np.maximum(wanted - shelf.on_hand, 0)
    chance = np.zeros(len(wanted), np.int64)
    some = np.flatnonzero(unserved)
    chance[some] = rng.binomial(unserved[some], world.recapture)
    return shelf.serve(wanted.astype(np.int64), chance)


def _write(
    written: dict[str, NDArray[np.generic]], day: int, stage: Stage, served: Served, opened: Whole, shelf: Shelf,
    records: Records, rng: np.random.Generator,
) -> None:  # fmt: skip
    wanted = stage.wanted[:, day].astype(np.int64)
    missed = wanted - served.own
    hour = draw_stockout_hour(served.own, wanted, stage.category, rng)
    left = shelf.on_hand
    believed = records.of(left)
    flagged = believed == 0
    rows = {
        "sold": served.sold,
        "stock_open": records.of(opened),
        "stock_close": believed,
        "stocked_out": flagged,
        "stockout_hour": np.where(flagged, _hour_seen(hour, rng), NEVER_OUT),
        "searches": wanted + rng.poisson(BROWSING * stage.mean[:, day]),
        "failed_adds": rng.binomial(missed, NOTICED),
        "substitutions": served.moved,
        "true_out": missed > 0,
        "true_hour": hour,
        "true_close": left,
        "lost": served.lost,
    }
    for name, values in rows.items():
        written[name][:, day] = values


def _hour_seen(hour: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
    """Return the hour of the last unit; where the shelf emptied without anybody left to want more, near the close."""
    late = rng.integers(19, 22, len(hour)).astype(np.int8)
    return np.where(hour == NEVER_OUT, late, hour)
