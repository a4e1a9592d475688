"""The company's tables, from what happened: nothing that only the simulator knows gets in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.feed.arms import Arms
from casebook.feed.creators import Creators
from casebook.feed.graph import Friends
from casebook.feed.lifts import Lifts
from casebook.feed.people import People
from casebook.feed.play import Columns, Played
from casebook.feed.world import ARMS, COHORTS, COUNTRIES, DAYS_BEFORE, FIRST_DAY, METRICS, PLATFORMS

BEFORE = ("sessions", "impressions", "clicks", "likes", "minutes")


def _words(codes: NDArray[np.int8], words: tuple[str, ...]) -> NDArray[np.object_]:
    return np.array(words, dtype=object)[codes]


def _date(day: NDArray[np.int32]) -> NDArray[np.datetime64]:
    return (FIRST_DAY + day.astype("m8[D]")).astype("M8[s]")


def users(ids: NDArray[np.int32], people: People) -> pd.DataFrame:
    """Return what is known of each account, also of those whose assignment was lost."""
    return pd.DataFrame(
        {
            "user_id": ids,
            "platform": _words(people.platform, PLATFORMS),
            "country": _words(people.country, tuple(COUNTRIES)),
            "cohort": _words(people.cohort, COHORTS),
            "signed_up_on": _date(people.joined),
        }
    )


def assignment(ids: NDArray[np.int32], arms: Arms, played: Played, cluster: NDArray[np.int32] | None) -> pd.DataFrame:
    """Return the arm of each account whose assignment was logged."""
    kept = np.flatnonzero(~arms.lost)
    exposed = np.where(played.first[kept] >= 0, _date(played.first[kept]), np.datetime64("NaT"))
    frame = pd.DataFrame(
        {
            "user_id": ids[kept],
            "arm": _words(arms.arm[kept], ARMS),
            "assigned_on": _date(np.maximum(arms.entry[kept], 0)),
            "exposed_on": exposed,
        }
    )
    return frame if cluster is None else frame.assign(cluster_id=cluster[kept])


def before(ids: NDArray[np.int32], drawn: Columns) -> pd.DataFrame:
    """Return what each account did in the 14 days before the test."""
    columns = {f"{name}_before": drawn[name] for name in BEFORE}
    whole = {name: values if values.dtype.kind == "f" else values.astype(np.int32) for name, values in columns.items()}
    return pd.DataFrame({"user_id": ids, **whole})


def friendships(ids: NDArray[np.int32], friends: Friends) -> pd.DataFrame:
    """Return the friendships, each once."""
    return pd.DataFrame({"user_a": ids[friends.a], "user_b": ids[friends.b]})


def totals(ids: NDArray[np.int32], arms: Arms, played: Played) -> pd.DataFrame:
    """Return what each assigned account did in the test; zeros if it never came."""
    kept = np.flatnonzero(~arms.lost)
    columns = {name: played.totals[name][kept] for name in METRICS}
    columns["load_ms"] = _mean_load(columns)
    return pd.DataFrame({"user_id": ids[kept], **columns})


def daily(ids: NDArray[np.int32], arms: Arms, played: Played) -> pd.DataFrame:
    """Return the two arms' user-days with a session."""
    cells = played.cells
    columns = {name: cells[name] for name in METRICS} | {"load_ms": _mean_load(cells)}
    frame = pd.DataFrame({"user_id": ids[cells["row"]], "arm": _words(arms.arm[cells["row"]], ARMS)})
    for name in ("day", "days_since_exposure"):
        frame[name] = cells[name].astype(np.int16)
    for name, values in columns.items():
        frame[name] = values if values.dtype.kind == "f" else values.astype(np.int32)
    return frame


def _mean_load(columns: Columns) -> NDArray[np.float64]:
    came = columns["sessions"] > 0
    return np.where(came, columns["load_ms"] / np.where(came, columns["sessions"], 1), np.nan)


def creators(
    ids: NDArray[np.int32], days: int, who: Creators, arms: Arms, lifts: Lifts, played: Played, earlier: Columns,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Return what each creator posted and got, before and in the test; posting answers to all that they got."""
    world = lifts.world
    seen, on = played.totals["impressions"], arms.on_new
    shown = {"new": float(seen[on].sum()), "old": float(seen[~on].sum())}
    from_new = rng.poisson(shown["new"] * who.popularity * (1 + world.reallocation * who.tilt))
    from_old = rng.poisson(shown["old"] * who.popularity)
    usual = earlier["impressions"].sum() * who.popularity
    exposure = who.exposure(world, lifts.share_new, lifts.mean)
    grown = float(lifts.grown(np.arange(days)).mean())
    posting = who.posts * (1 + grown * (exposure**world.response - 1))
    return pd.DataFrame(
        {
            "creator_id": ids[who.row],
            "posts_before": rng.poisson(who.posts * DAYS_BEFORE),
            "impressions_before": rng.poisson(usual),
            "posts": rng.poisson(posting * days),
            "impressions": from_new + from_old,
            "impressions_new": from_new,
        }
    )
