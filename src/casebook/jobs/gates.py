"""Reasons not to run: the kill switch, a stale table, a half-loaded table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from casebook.contracts import refuse
from casebook.jobs.atomic import StrPath

_REASON_LENGTH = 200
_NO_DATE = {"None", "NaT", "nan"}  # as SQL, pandas and numpy say that a table is empty


def refuse_if_killed(folder: StrPath, switch: str = "STOP") -> None:
    """Refuse to run while the kill switch, a file with the reason in it, lies in the job's folder.

    Parameters
    ----------
    folder : str or path
        The job's folder; it need not exist.
    switch : str
        Name of the file.

    Raises
    ------
    ContractError
        The file is there, whether or not there is a reason in it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "STOP").write_text("labels are wrong since Monday")
    ...     refuse_if_killed(folder)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: kill switch 'STOP' must be absent, got one that says 'labels are wrong since
    Monday'; remove the file once that is mended.
    """
    path = Path(folder) / switch
    if not path.exists():
        return
    said = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    reason = textwrap.shorten(said, _REASON_LENGTH, placeholder=" ...")
    got = f"one that says {reason!r}" if reason else "one with no reason in it"
    refuse(f"kill switch {switch!r}", "absent", got, "remove the file once that is mended")


def check_fresh(latest: Mapping[str, date | None], date: date, max_lag_days: int) -> None:
    """Refuse to run on a table that is not loaded up to the date, less a lag that is normal.

    Parameters
    ----------
    latest : mapping of str to datetime.date
        The newest date in each table (a datetime or a Timestamp counts by its day); None or NaT if it has no rows.
    date : datetime.date
        The date that the job runs for.
    max_lag_days : int
        Days by which a table may end before it; 7 for one that is loaded weekly.

    Raises
    ------
    ContractError
        For the first stale table; no tables; a negative lag; something that is no date.

    Examples
    --------
    >>> from datetime import date
    >>> check_fresh({"usage_weekly": date(2025, 12, 28)}, date(2026, 1, 4), max_lag_days=7)
    >>> check_fresh({"usage_weekly": date(2025, 12, 21)}, date(2026, 1, 4), max_lag_days=7)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'usage_weekly' must be loaded up to 2025-12-28, got 2025-12-21; wait for
    the load or pass an earlier --date.
    """
    if not latest:
        refuse("latest", "given for at least one table", "none", "name the tables that the job reads")
    if max_lag_days < 0:
        refuse("max_lag_days", "0 or more", str(max_lag_days), "count the days that a table may lag behind")
    needed = _day(date, "date") - timedelta(days=max_lag_days)
    for table, newest in latest.items():
        day = None if str(newest) in _NO_DATE else _day(newest, f"latest, table {table!r}")
        if day is None or day < needed:
            got = "no rows" if day is None else str(day)
            refuse(f"table {table!r}", f"loaded up to {needed}", got, "wait for the load or pass an earlier --date")


def check_loaded(
    counts: Mapping[str, float], *, expected: Mapping[str, tuple[float, float]], what: str = "rows"
) -> None:
    """Refuse to run on a table that is loaded in part, or twice.

    Parameters
    ----------
    counts : mapping of str to number
        What was counted in each table, for the date of the run.
    expected : mapping of str to (low, high)
        Bounds, both allowed; from the last weeks' counts, say.
    what : str
        What was counted, in the plural.

    Raises
    ------
    ContractError
        For the first table outside of its bounds or without a count; no tables; bounds the wrong way round.

    Examples
    --------
    >>> check_loaded({"usage_weekly": 450}, expected={"usage_weekly": (900, 1100)})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'usage_weekly' must be loaded with 900 to 1100 rows, got 450; wait for the
    load or look for what doubled or dropped them.
    """
    if not expected:
        refuse("expected", "given for at least one table", "none", "name the tables that the job reads")
    for table, (low, high) in expected.items():
        if not low <= high:
            refuse(f"expected, table {table!r}", "(low, high)", f"({low}, {high})", "turn the bounds round")
        count = counts.get(table)
        if count is None or not low <= count <= high:  # NaN fails as well
            got = "no count" if count is None else str(count)
            mend = "wait for the load or look for what doubled or dropped them"
            refuse(f"table {table!r}", f"loaded with {low} to {high} {what}", got, mend)


def _day(moment: object, what: str) -> date:
    if not isinstance(moment, date):
        refuse(what, "a date", repr(moment), "convert it with date.fromisoformat or pd.Timestamp")
    return moment.date() if isinstance(moment, datetime) else moment
