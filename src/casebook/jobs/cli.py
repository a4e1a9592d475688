"""The command line of a job: its usual arguments, and its exit status."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Sequence
from datetime import date

from casebook.contracts import ContractError

REFUSED = 2


def guarded(main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None) -> int:
    """Run a job's main; a refusal becomes its one sentence on stderr and the exit status 2.

    Parameters
    ----------
    main : callable
        ``main(argv)`` returns an exit status; None counts as 0. Its prints are held back until it ends, so that a
        refused job has printed nothing; put progress on stderr.
    argv : sequence of str, optional
        By default that of the process, without its name.

    Returns
    -------
    int
        For ``sys.exit(guarded(main))``. Any error but a :class:`ContractError` goes on as it is (exit status 1, with a
        traceback).

    Examples
    --------
    >>> from casebook.contracts import refuse
    >>> guarded(lambda argv: print("3 accounts to call"), [])
    3 accounts to call
    0
    >>> guarded(lambda argv: refuse("table 'usage'", "loaded", "no rows", "wait"), [])  # one sentence on stderr
    2
    """
    held = io.StringIO()
    try:
        with contextlib.redirect_stdout(held):
            status = main(sys.argv[1:] if argv is None else argv)
    except ContractError as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    except BaseException:
        sys.stdout.write(held.getvalue())
        raise
    sys.stdout.write(held.getvalue())
    return status or 0


def job_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the arguments that the refusals speak of: --date, --folder and --replace.

    Examples
    --------
    >>> arguments = job_parser("Score tonight.").parse_args(["--date", "2026-01-05", "--folder", "scores"])
    >>> arguments.date.isoformat(), arguments.folder, arguments.replace
    ('2026-01-05', 'scores', False)
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="what the run is for: year-month-day")
    parser.add_argument("--folder", required=True, help="the job's folder: outputs, audit.jsonl, kill switch")
    parser.add_argument("--replace", action="store_true", help="swap a finished output whose inputs have changed")
    return parser
