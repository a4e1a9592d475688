"""Checks of exercises: proved themselves, and never thrown off by an odd answer."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.exercises import Exercise, as_number, close_to, grade, try_exercise, verify_exercise

NEAR = close_to(1 / 21, rtol=1e-3)


def check(answer):
    if NEAR(answer):
        return None
    return "that is the ratio upside down" if answer > 1 else "one half ignores the costs"


GOOD = Exercise(
    id="01-threshold",
    minutes=3,
    hint="Twenty false alarms for a miss.",
    check=check,
    right=(1 / 21, np.float64(1 / 21), pd.Series([1 / 21])),
    wrong=((21.0, "upside down"), (0.5, "ignores the costs"), ("low", "must be one number")),
)


class Hostile:
    def __repr__(self):
        raise RuntimeError("no text")

    def __float__(self):
        raise RuntimeError("no number")


def test_a_good_exercise_is_proved():
    verify_exercise(GOOD)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"hint": " "}, "exercise '01-threshold', hint must be text, got none; write one."),
        ({"minutes": 0}, "exercise '01-threshold', minutes must be at least 1, got 0; estimate it."),
        (
            {"right": (0.5, 0.5)},
            "exercise '01-threshold', right must be at least two different forms, got 1; add another valid form.",
        ),
        (
            {"wrong": ((21.0, "upside down"),)},
            "exercise '01-threshold', wrong must be at least two answers, got 1; add the tempting mistake.",
        ),
        (
            {"right": (1 / 21, 0.5)},
            "exercise '01-threshold', right form 0.5 must be accepted, got 'one half ignores the costs'; "
            "widen the check.",
        ),
        (
            {"check": lambda answer: None},
            "exercise '01-threshold', wrong answer 21.0 must be rejected, got accepted; tighten it.",
        ),
        (
            {"wrong": ((21.0, "too large"), (0.5, "ignores the costs"))},
            "exercise '01-threshold', wrong answer 21.0 must be rejected with 'too large', "
            "got 'that is the ratio upside down'; mend the check or the listed fragment.",
        ),
        (
            {"wrong": ((21.0, "upside down"), (22.0, "upside down"))},
            "exercise '01-threshold', wrong answer 21.0 must be the only one told so, "
            "got 'upside down' for another too; say what is wrong with each.",
        ),
    ],
)
def test_what_is_not_proved_is_refused(change, text):
    with pytest.raises(ContractError) as caught:
        verify_exercise(replace(GOOD, **change))
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("answer", "printed", "verdict"),
    [
        (..., "Hint: Twenty false alarms for a miss.\n", False),
        (1 / 21, "Right.\n", True),
        (0.5, "Not yet: one half ignores the costs\n", False),
        (None, "Not yet: the answer must be one number, got NoneType None; give the number itself.\n", False),
    ],
)
def test_try_exercise(answer, printed, verdict, capsys):
    assert try_exercise(GOOD, answer) is verdict
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    "answer",
    [
        "x",
        None,
        [],
        {},
        (),
        Hostile(),
        pd.DataFrame(),
        np.array([]),
        np.array([1, 2]),
        1j,
        True,
        print,
        b"1",
        10**400,
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_odd_answers_never_throw(answer):
    assert "must be" in grade(GOOD, answer) or "upside down" in grade(GOOD, answer)


def test_a_check_that_breaks_says_what_the_answer_must_be():
    broken = replace(
        GOOD, check=lambda answer: None if answer["p"] > 1 else "no", right=({"p": 2}, pd.Series({"p": 2}))
    )
    assert grade(broken, 5) == "the answer must be dict or Series, got int 5; give it in that form."
    shown = grade(broken, Hostile())
    assert shown == "the answer must be dict or Series, got Hostile without a text of its own; give it in that form."


@pytest.mark.parametrize(
    "form",
    [
        float,
        np.float64,
        np.float32,
        np.array,
        lambda x: np.array([x]),
        lambda x: pd.Series([x], index=["a"]),
        lambda x: pd.DataFrame({"p": [x]}),
        lambda x: Decimal(str(x)),
        Fraction,
    ],
)
def test_close_to_takes_a_number_in_any_form(form):
    near = close_to(0.25, rtol=0.01)
    assert near(form(0.251)) is True
    assert near(form(0.26)) is False


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 0.1))
def test_close_to_is_a_share_of_the_right_answer(value, rtol):
    near = close_to(value, rtol=rtol)
    assert near(value)
    assert near(value * (1 + 0.99 * rtol))
    assert not near(value * (1 + 1.01 * rtol))
    assert not near(float("nan"))


def test_zero_needs_an_absolute_tolerance():
    assert not close_to(0.0)(1e-12)
    assert close_to(0.0, atol=1e-9)(1e-12)


@pytest.mark.parametrize("answer", ["3", True, np.True_, None, [3], np.array([1, 2]), pd.Series(["3"]), 3j])
def test_what_is_not_one_number_is_refused(answer):
    with pytest.raises(ContractError, match=r"^the answer must be one number, got .*; give the number itself\.$"):
        as_number(answer)


def test_a_long_answer_is_shown_shortened():
    with pytest.raises(ContractError) as caught:
        as_number(list(range(100)))
    assert str(caught.value) == (
        "the answer must be one number, got list [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11...; give the number itself."
    )
