"""What an action does: a twin that plays event by event, and the money by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.fraud.outcomes import (
    ABANDONED,
    BLOCK,
    CALL,
    CONFIRM,
    DECLINED,
    DENIED,
    DENY,
    HOLD,
    NONE,
    PASSED,
    PUSH,
    STOPPED,
    UNASKED,
    Played,
    answers,
    friction,
    loss_if_passed,
    pass_shares,
    play,
)
from casebook.fraud.world import ALL_KINDS, CHANNELS, ENTRIES, LIABILITY, Friction, World

MANY = 40_000
SURE = 4.0  # standard errors
world = World(push_pass=0.2, push_confirm=0.7, push_slip=0.1, call_pass=0.1, call_confirm=0.6, call_slip=0.2)
rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(-1, 6), st.floats(0, 0.999), st.booleans()),
    min_size=1,
    max_size=25,
)


def one_by_one(events, stopped):
    """Play events as a bank does: one after the other, with a list of stopped cards."""
    gone = set(stopped)
    out = []
    for action, card, kind, luck, _ in events:
        if card in gone:
            out.append((STOPPED, UNASKED, False))
            continue
        if action in (PUSH, CALL):
            confirm, slip, passes = (0.7, 0.1, 0.2) if action == PUSH else (0.6, 0.2, 0.1)
            if kind >= 0:
                odds = HOLD.get(ALL_KINDS[kind], 1.0) * passes / (1 - passes)
                confirm = odds / (1 + odds)
                slip = (1 - confirm) * DENIED
            answer = CONFIRM if luck < confirm else DENY if luck < confirm + slip else NONE
            outcome = {CONFIRM: PASSED, DENY: DECLINED, NONE: ABANDONED}[answer]
        else:
            answer, outcome = UNASKED, DECLINED if action == BLOCK else PASSED
        stops = outcome == DECLINED
        if stops:
            gone.add(card)
        out.append((outcome, answer, stops))
    return [list(column) for column in zip(*out, strict=True)]


@given(rows)
def test_a_days_outcomes_are_those_of_one_event_after_the_other(events):
    action, card, kind, luck, flag = (np.array(column) for column in zip(*events, strict=True))
    before = {int(one) for one, on in zip(card, flag, strict=True) if on}
    played = play(
        world, action.astype(np.int8), card, kind.astype(np.int8), luck, np.isin(card, list(before)).astype(bool)
    )
    outcome, answer, stops = one_by_one(events, before)
    assert played.outcome.tolist() == outcome
    assert played.answer.tolist() == answer
    assert played.stops.tolist() == stops


@pytest.mark.parametrize(("action", "way"), [(PUSH, "push"), (CALL, "call")])
def test_honest_holders_answer_as_often_as_the_world_says(action, way):
    luck = np.random.default_rng(0).random(MANY, np.float32)
    got = answers(world, np.full(MANY, action, np.int8), np.full(MANY, -1, np.int8), luck)
    for code, share in ((CONFIRM, getattr(world, f"{way}_confirm")), (DENY, getattr(world, f"{way}_slip"))):
        assert (got == code).mean() == pytest.approx(share, abs=SURE * np.sqrt(share * (1 - share) / MANY))


def test_who_holds_the_phone_passes_more_pushes():
    shares = dict(zip(ALL_KINDS, pass_shares(0.08), strict=True))
    assert shares["account_takeover"] > shares["ring"] > shares["card_not_present"] == pytest.approx(0.08)
    assert pass_shares(0.0).tolist() == [0.0] * 7
    assert pass_shares(1.0).tolist() == [1.0] * 7


def test_an_event_that_a_stricter_world_confirms_is_confirmed_in_a_laxer_one():
    luck = np.random.default_rng(1).random(1_000, np.float32)
    push, honest = np.full(1_000, PUSH, np.int8), np.full(1_000, -1, np.int8)
    strict, lax = (answers(World(push_confirm=share), push, honest, luck) == CONFIRM for share in (0.6, 0.9))
    assert (lax | ~strict).all()


@pytest.mark.parametrize(
    ("entry", "channel", "dollars"),
    [("chip", "terminal", 100.0), ("magstripe", "terminal", 30.0), ("typed", "online", 10.0), ("app", "app", 80.0)],
)
def test_a_loss_is_liability_less_recovery_plus_fee(entry, channel, dollars):
    codes = np.array([ENTRIES.index(entry)], np.int8), np.array([CHANNELS.index(channel)], np.int8)
    assert loss_if_passed(Friction(fee=0.0), np.array([10_000]), *codes)[0] == pytest.approx(dollars)
    assert loss_if_passed(Friction(fee=7.0), np.array([10_000]), *codes)[0] == pytest.approx(dollars + 7)
    assert LIABILITY[entry] <= 1


def test_friction_by_hand():
    costs = Friction(push=0.1, call=4.0, block=9.0, margin=0.02, fee=99.0, reissue=6.0)
    played = Played(
        action=np.array([0, 1, 1, 1, 2, 3, 0, 1], np.int8),
        outcome=np.array([PASSED, PASSED, ABANDONED, DECLINED, PASSED, DECLINED, STOPPED, STOPPED], np.int8),
        answer=np.array([-1, 0, 2, 1, 0, -1, -1, -1], np.int8),
        stops=np.array([0, 0, 0, 1, 0, 1, 0, 0], bool),
    )
    cents, online = np.full(8, 10_000), np.ones(8, np.int8)
    got = friction(costs, played, cents, online, np.ones(8, bool))
    assert got == pytest.approx([0, 0.1, 2.1, 8.1, 4.0, 17.0, 2.0, 2.0])
    transfers = friction(costs, played, cents, online + np.int8(1), np.ones(8, bool))
    assert transfers == pytest.approx([0, 0.1, 0.1, 6.1, 4.0, 15.0, 0.0, 0.0])
    assert not friction(costs, played, cents, online, np.zeros(8, bool)).any()
