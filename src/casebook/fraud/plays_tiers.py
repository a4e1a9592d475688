"""Tiers in drawn banks: who loses to whom when a bank's own costs set the cuts, and what a push and a true p are worth.

Each world is a bank whose costs, fraudsters and holders are drawn. It allows all for fifty days, fits a model to what
was reported by then, reads its stakes from the same reports, and goes on for thirty days under every policy.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from casebook.fraud.drawn_bank import draw_bank, mend, play_chosen
from casebook.fraud.money import Ledger
from casebook.fraud.outcomes import pass_shares
from casebook.fraud.policies import Choose, Distorted, Predicts, choices
from casebook.fraud.prices import Asking
from casebook.fraud.tiers import TWO_CUTS, Tiers, mean_cuts, push_limit
from casebook.fraud.world import World

WAYS = ("junior", "source", "one cut", "two cuts", "without push", "three cuts", "per amount")
BY_ENTRY = ("three cuts", "per amount")
Row = dict[str, float | bool]


def _money(ledger: Ledger) -> Row:
    """Return the net costs and the shares captured, by the policies' names."""
    row: Row = {}
    for name, one in ledger.table.iterrows():
        word = str(name).replace(" ", "_")
        row |= {f"net_{word}": float(one["net"]), f"captured_{word}": float(one["captured"])}
    return row


def _beats(ledger: Ledger, policy: str, other: str) -> bool:
    net = ledger.table["net"]
    return bool(net[policy] < net[other])


def play_tiers(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one bank and let it go on under each way of choosing.

    Parameters
    ----------
    dials : dict
        ``prevalence``, and ``push_pass``: where fraudsters pass every push (1, the null world), it is worth nothing.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``net_*`` in dollars per million events and ``captured_*`` of nothing, the oracle, ``WAYS`` of
        :func:`casebook.fraud.policies.choices`, and ``*_by_entry`` of a bank that knows by which entry mode the
        fraudsters come who pass its pushes; ``frauds`` (attempts on the later days, if nothing is stopped);
        ``push_share`` (of the gain of three cuts over doing nothing, what is lost without the push);
        ``push_limit`` (:func:`casebook.fraud.tiers.push_limit`). The findings:

        ``source_loses_to_own_costs``, ``own_costs_lose_to_source`` : three cuts at the mean loss against the source's.
        ``amount_beats_mean``, ``mean_beats_amount`` : cuts event by event against three cuts at the mean loss.
        ``entry_beats_all``, ``amount_beats_mean_by_entry`` : pass shares by entry mode against one for all, both with
        three cuts at the mean loss; and the amount on top of them.
        ``two_beat_one``, ``three_beat_two``, ``two_beat_three`` : more actions; three are two where one is dominated.
        ``call_dominated`` : a call is never the cheapest at the mean loss.
        ``push_is_most_of_gain`` : the push's share is above one half. ``push_gains`` : it is above 0.
        ``junior_worse_than_nothing``, ``source_worse_than_nothing``, ``source_loses_to_junior``.
    """
    drawn = draw_bank(dials, rng)
    ways, informed = choices(drawn.prices), choices(drawn.informed)
    chosen = {name: ways[name] for name in WAYS} | {f"{name} by entry": informed[name] for name in BY_ENTRY}
    ledger = play_chosen(drawn, {name: (drawn.model, way) for name, way in chosen.items()})
    net = ledger.table["net"]
    lost, gain = net["without push"] - net["three cuts"], net["nothing"] - net["three cuts"]
    return {
        **_money(ledger),
        "frauds": float(ledger.table["attempts"].loc["nothing"]),
        "push_share": float(lost / gain) if gain > 0 else float("nan"),
        "push_limit": push_limit(drawn.prices, TWO_CUTS),
        "source_loses_to_own_costs": _beats(ledger, "three cuts", "source"),
        "own_costs_lose_to_source": _beats(ledger, "source", "three cuts"),
        "amount_beats_mean": _beats(ledger, "per amount", "three cuts"),
        "mean_beats_amount": _beats(ledger, "three cuts", "per amount"),
        "entry_beats_all": _beats(ledger, "three cuts by entry", "three cuts"),
        "amount_beats_mean_by_entry": _beats(ledger, "per amount by entry", "three cuts by entry"),
        "two_beat_one": _beats(ledger, "two cuts", "one cut"),
        "three_beat_two": _beats(ledger, "three cuts", "two cuts"),
        "two_beat_three": _beats(ledger, "two cuts", "three cuts"),
        "call_dominated": "call" in mean_cuts(drawn.prices).dominated,
        "push_is_most_of_gain": bool(gain > 0 and lost > gain / 2),
        "push_gains": bool(lost > 0),
        "junior_worse_than_nothing": _beats(ledger, "nothing", "junior"),
        "source_worse_than_nothing": _beats(ledger, "nothing", "source"),
        "source_loses_to_junior": _beats(ledger, "junior", "source"),
    }


def play_push(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one bank and ask what its pushes are worth if fraudsters pass so many, and if the bank does not know it.

    Parameters
    ----------
    dials : dict
        ``prevalence``, and ``push_pass`` of a kind without a hold of the holder's phone.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``net_*`` and ``captured_*`` of nothing, the oracle, ``one cut``, ``push only``, ``two cuts`` and ``mistaken``
        (two cuts of a bank that believes in the default world's pass share); ``passed_of_all`` (pass share over all
        kinds); ``push_less_block`` (what a bank with pushes alone saves more than one with blocks alone) and
        ``second_cut`` (what the push adds to the block), dollars per million events. The findings:

        ``push_beats_block`` : pushes alone cost less than blocks alone.
        ``push_helps`` : two cuts cost less than one. ``mistaken_loses`` : the mistaken bank pays more than one cut.
    """
    drawn = draw_bank(dials, rng)
    ways, world = choices(drawn.prices), drawn.past.world
    naive = replace(drawn.prices, asking=replace(drawn.prices.asking, push_pass=Asking.of(World()).push_pass))
    chosen = {name: ways[name] for name in ("one cut", "push only", "two cuts")}
    chosen["mistaken"] = Tiers.of(mean_cuts(naive, TWO_CUTS))
    ledger = play_chosen(drawn, {name: (drawn.model, way) for name, way in chosen.items()})
    net = ledger.table["net"]
    return {
        **_money(ledger),
        "passed_of_all": float(world.shares(0) @ pass_shares(world.push_pass)),
        "push_less_block": float(net["one cut"] - net["push only"]),
        "second_cut": float(net["one cut"] - net["two cuts"]),
        "push_beats_block": _beats(ledger, "push only", "one cut"),
        "push_helps": _beats(ledger, "two cuts", "one cut"),
        "mistaken_loses": _beats(ledger, "one cut", "mistaken"),
    }


def play_odds(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one bank and distort its model's odds, as if the sample it was fitted to had not been corrected for.

    Parameters
    ----------
    dials : dict
        ``prevalence``, and ``odds``: the factor; 1 is the null world.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``net_*`` and ``captured_*`` of nothing, the oracle, ``true``, ``distorted`` and ``mended``, all with three cuts
        at the mean loss; ``price`` (distorted less true) and ``left`` (mended less true), dollars per million events.
        The findings:

        ``distortion_costs`` : distorted odds cost more than true ones. ``mending_pays`` : and a Platt curve less.
        ``distorted_worse_than_nothing``.
    """
    drawn = draw_bank(dials, rng)
    tiers = Tiers.of(mean_cuts(drawn.prices))
    off = drawn.of_frauds(Distorted(drawn.claims, dials["odds"]))
    chosen: dict[str, tuple[Predicts, Choose]] = {"true": (drawn.model, tiers), "distorted": (off, tiers)}
    chosen["mended"] = (drawn.of_frauds(mend(drawn, dials["odds"])), tiers)
    if dials["odds"] == 1:
        chosen["distorted"] = chosen["true"]
    ledger = play_chosen(drawn, chosen)
    net = ledger.table["net"]
    return {
        **_money(ledger),
        "price": float(net["distorted"] - net["true"]),
        "left": float(net["mended"] - net["true"]),
        "distortion_costs": _beats(ledger, "true", "distorted"),
        "mending_pays": _beats(ledger, "mended", "distorted"),
        "distorted_worse_than_nothing": _beats(ledger, "nothing", "distorted"),
    }
