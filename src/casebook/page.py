"""What a notebook shows: numbers that its prose can cite, and their one way of being written.

A page cites a number as ``{glue:text}`key```. The book's builder finds it in the notebook's outputs; a reader
on Colab, who sees the citation raw, finds it in the block of lines below the cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from html import escape

import numpy as np
from IPython.core.getipython import get_ipython
from IPython.display import display

from casebook.contracts import refuse

# The prefix that MyST-NB strips when it collects what was glued without being shown.
_RECORD = "application/papermill.record/"
_ABSENT = "not run here (data absent)"
_THOUSAND = Decimal(1000)
_MILLION = Decimal(1_000_000)
Number = float | Decimal | np.number


def numbers(**texts: str) -> None:
    """Glue each text under its key, and print it.

    Parameters
    ----------
    **texts : str
        Key and formatted text, as by :func:`dollars`, :func:`percent`, :func:`probability`, :func:`count`.

    Raises
    ------
    ContractError
        If a value is not text, or is empty; nothing is glued then.

    Examples
    --------
    >>> numbers(saved=dollars(1_234.5), share=percent(0.125))
    saved = $1,235
    share = 13%
    >>> numbers(saved=1234.5)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: 'saved' must be formatted text, got float 1234.5; format it.
    """
    for key, text in texts.items():
        if not isinstance(text, str):
            refuse(repr(key), "formatted text", f"{type(text).__name__} {text}", "format it")
        if not text.strip():
            refuse(repr(key), "formatted text", "an empty one", "say what it is, or do not glue it")
    for key, text in texts.items():
        _glue(key, text)
    _show(f"{key} = {text}" for key, text in texts.items())


def absent(keys: Iterable[str], reason: str = _ABSENT) -> None:
    """Glue every key with the reason why there is no number, and print one line.

    Parameters
    ----------
    keys : iterable of str
        All that the section would have glued.
    reason : str
        What the page says instead.

    Raises
    ------
    ContractError
        If keys is one text, whose letters would be taken for keys.

    Examples
    --------
    >>> absent(["bank_auc", "bank_lift"])
    not run here (data absent): bank_auc, bank_lift
    """
    if isinstance(keys, str):
        refuse("keys", "a list of keys", f"the text {keys!r}", f"write [{keys!r}]")
    listed = list(keys)
    for key in listed:
        _glue(key, reason)
    _show([f"{reason}: {', '.join(listed)}"], "casebook-absent")


def _show(lines: Iterable[str], name: str = "casebook-numbers") -> None:
    """Print the lines; in a notebook, as a block. The site hides those of numbers, since its prose cites them."""
    listed = list(lines)
    if get_ipython() is None:
        print("\n".join(listed))
        return
    html = f'<pre class="{name}">{escape(chr(10).join(listed))}</pre>'
    display({"text/html": html, "text/plain": "\n".join(listed)}, raw=True)


def _glue(key: str, text: str) -> None:
    """What ``myst_nb.glue(key, text, display=False)`` does, without that package, which Colab lacks."""
    if get_ipython() is None:
        return
    # repr, since the builder reads a Python literal: a bare "1,234" would come out as the pair (1, 234).
    bundle = {f"{_RECORD}text/plain": repr(text)}
    display(bundle, raw=True, metadata={"scrapbook": {"name": key, "mime_prefix": _RECORD}})


def dollars(x: Number, digits: int = 0) -> str:
    """Write an amount of money, rounded half away from zero.

    Parameters
    ----------
    x : number
        Dollars.
    digits : int
        Decimals below a million; from a million on it is one decimal and M or B.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        If x is not one finite number.

    Examples
    --------
    >>> dollars(1_234.5), dollars(-35), dollars(1_250_000), dollars(0.985, digits=2)
    ('$1,235', '-$35', '$1.3M', '$0.99')
    """
    exact = _exact("dollars", x)
    size = _rounded(abs(exact), digits)
    unit = ""
    if size >= _MILLION:
        size, unit, digits = _rounded(abs(exact) / _MILLION, 1), "M", 1
        if size >= _THOUSAND:
            size, unit = _rounded(abs(exact) / _MILLION / _THOUSAND, 1), "B"
    sign = "-" if exact < 0 and size > 0 else ""
    return f"{sign}${size:,.{digits}f}{unit}"


def percent(x: Number, digits: int = 0) -> str:
    """Write a share as a percentage, rounded half away from zero.

    Parameters
    ----------
    x : number
        The share: 0.125 is 12.5 percent.
    digits : int
        Decimals of the percentage.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        If x is not one finite number.

    Examples
    --------
    >>> percent(0.125), percent(0.1125, digits=1), percent(-0.004)
    ('13%', '11.3%', '0%')
    """
    size = _rounded(_exact("percent", x) * 100, digits)
    return f"{_unsigned_zero(size):,.{digits}f}%"


def probability(x: Number, digits: int = 2) -> str:
    """Write a probability; what is neither 0 nor 1 is never written as 0 or 1.

    Parameters
    ----------
    x : number
        In [0, 1].
    digits : int
        Decimals.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        If x is not one number in [0, 1].

    Examples
    --------
    >>> probability(0.125), probability(0.0004), probability(0.0004, digits=4), probability(0.9999)
    ('0.13', '<0.01', '0.0004', '>0.99')
    """
    exact = _exact("probability", x)
    if not 0 <= exact <= 1:
        refuse("probability", "in [0, 1]", str(x), "divide percentages by 100")
    size, least = _rounded(exact, digits), Decimal(1).scaleb(-digits)
    if size == 0 and exact > 0:
        return f"<{least}"
    if size == 1 and exact < 1:
        return f">{1 - least}"
    return f"{size:.{digits}f}"


def count(x: Number) -> str:
    """Write a count with commas, rounded half away from zero.

    Parameters
    ----------
    x : number
        A count, or a mean of counts.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        If x is not one finite number.

    Examples
    --------
    >>> count(41_188), count(2.5)
    ('41,188', '3')
    """
    return f"{_unsigned_zero(_rounded(_exact('count', x), 0)):,.0f}"


def _exact(what: str, x: object) -> Decimal:
    """The number as it prints, so that 2.675 rounds as written and not as its binary neighbour."""
    if isinstance(x, bool | np.bool_) or not isinstance(x, int | float | Decimal | np.number):
        refuse(what, "one number", f"{type(x).__name__} {x!r}", "pass the number itself")
    # str of a numpy scalar is its shortest text in its own precision: float32 0.1 is 0.1.
    exact = x if isinstance(x, Decimal) else Decimal(str(x))
    if not exact.is_finite():
        refuse(what, "a finite number", str(x), "find out where it was lost")
    return exact


def _rounded(exact: Decimal, digits: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _unsigned_zero(size: Decimal) -> Decimal:
    return abs(size) if size == 0 else size


def plural(x: Number, word: str) -> str:
    """Write a count with its word, in the singular for one.

    Parameters
    ----------
    x : number
        A whole number.
    word : str
        The word, whose plural ends in s.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        If x is not one finite number.

    Examples
    --------
    >>> plural(1, "day"), plural(14, "day")
    ('1 day', '14 days')
    """
    return f"{count(x)} {word}" + ("" if x == 1 else "s")
