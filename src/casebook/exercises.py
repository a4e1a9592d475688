"""Exercises whose checks are proved: right in every valid form, wrong with a message that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import ContractError, refuse

_FORMS = 2  # fewer right forms or wrong answers than this prove nothing about a check


@dataclass(frozen=True)
class Exercise:
    """One exercise of a chapter.

    Parameters
    ----------
    id : str
        Unique within the course, as ``"04-save-rate"``.
    minutes : int
        What it takes a prepared reader.
    hint : str
        Shown before the first attempt.
    check : callable
        Takes an answer; returns None if it is right, else the message for the learner. It may raise
        ContractError for an answer of the wrong kind.
    right : tuple
        The solution in at least two valid forms.
    wrong : tuple of (answer, str)
        At least two wrong answers, each with a fragment of the message that it alone must get.

    Examples
    --------
    >>> near = close_to(1 / 21, rtol=1e-3)
    >>> exercise = Exercise(
    ...     id="01-threshold",
    ...     minutes=3,
    ...     hint="A missed case costs 20 false alarms.",
    ...     check=lambda answer: (
    ...         None if near(answer) else "that is upside down" if answer > 1 else "0.5 ignores the costs"
    ...     ),
    ...     right=(1 / 21, np.float64(0.04762)),
    ...     wrong=((21.0, "upside down"), (0.5, "ignores the costs")),
    ... )
    >>> verify_exercise(exercise)
    >>> try_exercise(exercise, ...)
    Hint: A missed case costs 20 false alarms.
    False
    >>> try_exercise(exercise, 0.5)
    Not yet: 0.5 ignores the costs
    False
    >>> try_exercise(exercise, pd.Series([1 / 21]))
    Right.
    True
    """

    id: str
    minutes: int
    hint: str
    check: Callable[[Any], str | None]
    right: tuple[Any, ...]
    wrong: tuple[tuple[Any, str], ...]


def grade(exercise: Exercise, answer: object) -> str | None:
    """Run an exercise's check on any answer whatever, without ever raising.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    answer : object
        What the learner gave.

    Returns
    -------
    str or None
        None if it is right, else the message.

    Examples
    --------
    >>> check = lambda answer: None if close_to(4)(answer) else "count again"
    >>> exercise = Exercise("sum", 1, "Two and two.", check, right=(4, 4.0), wrong=())
    >>> grade(exercise, "four")
    "the answer must be one number, got str 'four'; give the number itself."
    """
    try:
        return exercise.check(answer)
    except ContractError as error:
        return str(error)
    except Exception:
        # A check is written for answers of the right kind; on any other it may fail in any way.
        kinds = dict.fromkeys(type(form).__name__ for form in exercise.right)
        return f"the answer must be {' or '.join(kinds)}, got {_shown(answer)}; give it in that form."


def try_exercise(exercise: Exercise, answer: object) -> bool:
    """Check an answer and print the verdict; ``...`` stands for not attempted and prints the hint.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    answer : object
        The learner's answer, of any type.

    Returns
    -------
    bool
        Whether it is right.

    Examples
    --------
    >>> check = lambda answer: None if close_to(4)(answer) else "count again"
    >>> exercise = Exercise("sum", 1, "Two and two.", check, right=(4, 4.0), wrong=())
    >>> try_exercise(exercise, np.array(4))
    Right.
    True
    """
    if answer is ...:
        print(f"Hint: {exercise.hint}")
        return False
    message = grade(exercise, answer)
    print("Right." if message is None else f"Not yet: {message}")
    return message is None


def verify_exercise(ex: Exercise) -> None:
    """Prove a check: it takes every right form, and rejects each wrong answer with that answer's own message.

    Parameters
    ----------
    ex : Exercise
        The exercise.

    Raises
    ------
    ContractError
        At the first thing unproved.

    Examples
    --------
    >>> lenient = Exercise("x", 1, "Two and two.", lambda answer: None, (4, 4.0), ((5, "more"), (3, "less")))
    >>> verify_exercise(lenient)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: exercise 'x', wrong answer 5 must be rejected, got accepted; tighten it.
    """
    what = f"exercise {ex.id!r}"
    _verify_listing(ex, what)
    for form in ex.right:
        said = grade(ex, form)
        if said is not None:
            refuse(f"{what}, right form {form!r}", "accepted", f"{said!r}", "widen the check")
    messages = [grade(ex, answer) for answer, _ in ex.wrong]
    for (answer, fragment), said in zip(ex.wrong, messages, strict=True):
        at = f"{what}, wrong answer {answer!r}"
        if said is None:
            refuse(at, "rejected", "accepted", "tighten it")
        if fragment not in said:
            refuse(at, f"rejected with {fragment!r}", f"{said!r}", "mend the check or the listed fragment")
        if sum(fragment in (other or "") for other in messages) > 1:
            refuse(at, "the only one told so", f"{fragment!r} for another too", "say what is wrong with each")


def _verify_listing(ex: Exercise, what: str) -> None:
    if not ex.hint.strip():
        refuse(f"{what}, hint", "text", "none", "write one")
    if ex.minutes < 1:
        refuse(f"{what}, minutes", "at least 1", str(ex.minutes), "estimate it")
    forms = {(type(form).__name__, repr(form)) for form in ex.right}
    if len(forms) < _FORMS:
        refuse(f"{what}, right", "at least two different forms", f"{len(forms)}", "add another valid form")
    if len(ex.wrong) < _FORMS:
        refuse(f"{what}, wrong", "at least two answers", f"{len(ex.wrong)}", "add the tempting mistake")


def close_to(value: float, rtol: float = 1e-6, atol: float = 0.0) -> Callable[[object], bool]:
    """A matcher for one number, in whatever form it comes.

    Parameters
    ----------
    value : float
        The right answer.
    rtol : float
        Allowed deviation as a share of value.
    atol : float
        Allowed deviation in value's own unit; needed where value is 0.

    Returns
    -------
    callable
        True for an answer within the larger of the two; it raises ContractError for what is not one number.

    Examples
    --------
    >>> near = close_to(0.25, rtol=0.01)
    >>> near(0.251), near(np.array([0.2499])), near(pd.Series([0.5])), near(float("nan"))
    (True, True, False, False)
    """
    allowed = max(rtol * abs(value), atol)
    return lambda answer: abs(as_number(answer) - value) <= allowed


def as_number(answer: object) -> float:
    """Read one number out of an answer.

    Parameters
    ----------
    answer : object
        A number, a numpy scalar, or an array, Series, Index or frame with one element.

    Returns
    -------
    float

    Raises
    ------
    ContractError
        If it is not one real number; a yes or no is none, nor is text.

    Examples
    --------
    >>> as_number(pd.Series([3], index=["jan"]))
    3.0
    >>> as_number([1, 2])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: the answer must be one number, got list [1, 2]; give the number itself.
    """
    value = answer
    if isinstance(value, pd.Series | pd.Index | pd.DataFrame):
        value = value.to_numpy()
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        refuse("the answer", "one number", _shown(answer), "give the number itself")
    return float(value)


def _shown(answer: object) -> str:
    try:
        text = " ".join(repr(answer).split())
    except Exception:  # an answer may be an object whose repr is broken
        text = "without a text of its own"
    return f"{type(answer).__name__} {text if len(text) <= 40 else text[:37] + '...'}"


def ask(exercise: Exercise, answer: object) -> None:
    """Check an answer as :func:`try_exercise` does and return nothing, so that a cell shows the verdict alone.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    answer : object
        The learner's answer, of any type; ``...`` prints the hint.

    Examples
    --------
    >>> ask(Exercise("sum", 1, "Two and two.", lambda a: None if a == 4 else "count again", (4, 4.0), ()), ...)
    Hint: Two and two.
    """
    try_exercise(exercise, answer)


def numeric(
    right: float, slips: Mapping[float, str], otherwise: str, rtol: float = 0.01
) -> Callable[[Any], str | None]:
    """Return a check of one number that answers each known slip with its own message.

    Examples
    --------
    >>> check = numeric(0.05, {0.95: "that is the complement"}, "count again")
    >>> check(1 / 20), check(0.95), check(5.0), check(0.3)
    (None, 'that is the complement', 'that is in percent; write 0.05 and not 5', 'count again')
    """

    def check(answer: Any) -> str | None:
        if close_to(right, rtol=rtol)(answer):
            return None
        known = (text for slip, text in slips.items() if close_to(slip, rtol=rtol)(answer))
        percent = "that is in percent; write 0.05 and not 5" if close_to(100 * right, rtol=rtol)(answer) else None
        return next(known, percent or otherwise)

    return check
