"""The month loop: who cancels, whose card fails, whom a call reached, and what it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from casebook.churn.latent import Flags, Floats, Months
from casebook.churn.world import World

STAYS = np.int64(10_000)  # the month in which somebody leaves who never leaves
RECENT = 3  # months in which a call still tires
WORST, SUREST = 4.0, 0.97  # a call cannot raise a hazard more than fourfold, nor anything make leaving certain


@dataclass
class State:
    """What is known of each person at the start of a month, arrays of shape (n,).

    Attributes
    ----------
    month : which month of the play it is, from 0.
    here : still subscribed.
    carry : what earlier calls still take off the hazard, as a share of it.
    calls : months of the last three in which a call was made, shape (n, 3).
    """

    month: int
    here: Flags
    carry: Floats
    calls: Flags


Rule = Callable[[State], Flags]


def nobody(state: State) -> Flags:
    """Call nobody."""
    return np.zeros_like(state.here)


@dataclass(frozen=True)
class Played:
    """What happened, shapes (n,) and (n, months).

    Attributes
    ----------
    left : month of leaving, ``STAYS`` if never.
    by_card : left because a card failed.
    called, reached : who was called and who answered, month by month.
    carry : what the calls still take off the hazard after the last month.
    """

    left: NDArray[np.int64]
    by_card: Flags
    called: Flags
    reached: Flags
    carry: Floats

    def here(self, month: int) -> Flags:
        """Return who is still there after ``month`` months of play (0 is the start), shape (n,).

        Who had not signed up yet counts as there.
        """
        return np.asarray(self.left >= month)


@dataclass(frozen=True)
class Luck:
    """Uniform numbers, drawn once so that two policies meet the same coin flips, each of shape (n, months)."""

    cancel: Floats
    card: Floats
    answer: Floats

    @classmethod
    def draw(cls, n: int, months: int, rng: np.random.Generator) -> Luck:
        """Draw the luck of ``n`` people over ``months`` months."""
        return cls(*(rng.random((n, months), dtype=np.float32) for _ in range(3)))


@dataclass
class _Record:
    left: NDArray[np.int64]
    by_card: Flags
    called: list[Flags] = field(default_factory=list)
    reached: list[Flags] = field(default_factory=list)


def play(
    world: World,
    months: Months,
    luck: Luck,
    rule: Rule,
    here: Callable[[int], Flags] | None = None,
    carry: Floats | None = None,
) -> Played:
    """Play every month in turn: the rule picks whom to call, calls reach some, then bills fall due.

    Calls precede the month's decision: the list is worked in the order of due dates.

    Parameters
    ----------
    world : World
    months : Months
        Hazards and effects, shape (n, T).
    luck : Luck
        Shape (n, T).
    rule : callable
        From the state at the start of a month to the people called, flags of shape (n,).
    here : callable, optional
        From a month's position to who has signed up by then; by default everybody has.
    carry : numpy.ndarray of float, shape (n,), optional
        What calls before the first month still take off each hazard; by default nothing.

    Returns
    -------
    Played
        ``left`` counts positions from 0; ``called`` and ``reached`` have the shape of the months.
    """
    n, length = months.p.shape
    record = _Record(np.full(n, STAYS), np.zeros(n, dtype=bool))
    carry = np.zeros(n, dtype=np.float32) if carry is None else carry
    calls = np.zeros((n, RECENT), dtype=bool)
    for position in range(length):
        present = record.left == STAYS
        if here is not None:
            present &= here(position)
        called = rule(State(position, present, carry, calls)) & present
        reached = called & (luck.answer[:, position] < world.reach)
        tired = np.float32(world.fatigue) * calls.sum(axis=1, dtype=np.float32)
        carry = carry + np.where(reached, months.kept[:, position] - tired, np.float32(0))
        _bills(months, luck, position, present, carry, record)
        carry = carry * np.float32(world.persistence)
        calls = np.column_stack([called, calls[:, :-1]])
        record.called.append(called)
        record.reached.append(reached)
    return Played(record.left, record.by_card, np.stack(record.called, 1), np.stack(record.reached, 1), carry)


def _bills(months: Months, luck: Luck, position: int, present: Flags, carry: Floats, record: _Record) -> None:
    hazard = called_hazard(months.p[:, position], carry)
    cancels = present & (luck.cancel[:, position] < hazard)
    fails = present & ~cancels & (luck.card[:, position] < months.failed[:, position])
    record.left[cancels | fails] = position
    record.by_card |= fails


def called_hazard(p: Floats, carry: Floats) -> Floats:
    """Return the chance of cancelling once earlier calls have taken ``carry`` of it off."""
    return np.asarray(np.minimum(p * np.clip(1 - carry, 0, WORST), SUREST))
