"""The one error of this package and its one form."""

from __future__ import annotations

from typing import NoReturn


class ContractError(ValueError):
    """Input that a function cannot use; its text says how to mend it."""

    __module__ = "casebook.contracts"  # its public home, so that a traceback names what one can import


def refuse(what: str, must: str, got: str, mend: str) -> NoReturn:
    """Raise a :class:`ContractError` in the house's one form.

    Parameters
    ----------
    what : str
        The argument, column or file at fault, with its row where there is one.
    must : str
        What it must be.
    got : str
        What it was.
    mend : str
        What the reader can do, as an imperative.

    Raises
    ------
    ContractError
        Always.

    Examples
    --------
    >>> refuse("column 'p', row 3", "in [0, 1]", "7.0", "divide percentages by 100")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: column 'p', row 3 must be in [0, 1], got 7.0; divide percentages by 100.
    """
    raise ContractError(f"{what} must be {must}, got {got}; {mend}.")
