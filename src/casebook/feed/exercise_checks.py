"""Checks of answers in two parts, such as a verdict and a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse

Check = Callable[[Any], str | None]


def two(answer: Any, write: str) -> tuple[Any, Any]:
    """Return the two parts of an answer, in whatever sequence they come.

    Raises
    ------
    ContractError
        If there are not two.

    Examples
    --------
    >>> two(pd.Series(["holds", 3]), "(verdict, users)")
    ('holds', 3)
    """
    parts = list(answer) if isinstance(answer, pd.Series) else list(np.asarray(answer, dtype=object).ravel())
    if len(parts) != 2:
        refuse("the answer", "two things", str(len(parts)), f"write {write}")
    return parts[0], parts[1]


def pair(first: Check, second: Check, write: str) -> Check:
    """Return a check of two parts that speaks of the first wrong one.

    Examples
    --------
    >>> from casebook.exercises import numeric
    >>> check = pair(word("holds", {"broken": "not shown"}), numeric(3, {}, "count again"), "(verdict, users)")
    >>> check(("holds", 3)), check(["broken", 3]), check(("holds", 4))
    (None, 'not shown', 'count again')
    """

    def check(answer: Any) -> str | None:
        one, other = two(answer, write)
        return first(one) or second(other)

    return check


def word(right: str, slips: Mapping[str, str]) -> Check:
    """Return a check of one word; any that is neither right nor a slip is refused.

    Examples
    --------
    >>> word("holds", {"broken": "not shown"})("broken")
    'not shown'
    """

    def check(answer: Any) -> str | None:
        if answer not in (right, *slips):
            must = "one of " + ", ".join(map(repr, sorted([right, *slips])))
            refuse("the answer's word", must, repr(answer), "copy the spelling")
        return slips.get(answer)

    return check
