"""``python -m casebook.churn``: train a model, score a night, show the list that is to be worked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date
from typing import NoReturn

from casebook.churn.call_list import Settings
from casebook.churn.operate import LIST_AGE, list_for, score_job, train_job
from casebook.contracts import refuse
from casebook.jobs import JobResult, guarded, job_parser

_SAID = {"done": "written", "replaced": "replaced", "already done": "unchanged"}


def train(arguments: argparse.Namespace) -> int:
    """Write a model."""
    result = train_job(arguments.warehouse, arguments.folder, arguments.date, replace=arguments.replace)
    card = json.loads((result.path / "model.json").read_text(encoding="utf-8"))
    _print(arguments.date, result, f"{card['rows']:,} rows, {card['leavers']:,} leavers, AUC {card['auc']:.3f}")
    return 0


def score(arguments: argparse.Namespace) -> int:
    """Write a night's scores, list and control group."""
    result = score_job(
        arguments.warehouse,
        arguments.folder,
        arguments.date,
        settings=Settings(capacity=arguments.capacity),
        models=arguments.models,
        replace=arguments.replace,
    )
    report = json.loads((result.path / "report.json").read_text(encoding="utf-8"))
    _print(
        arguments.date,
        result,
        f"{report['scored']:,} scored, {report['listed']:,} to call, {report['held_out']:,} held out",
    )
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Print the list to work, with a first line of warning if it is an older one."""
    listed, output = list_for(arguments.folder, arguments.date, arguments.max_age)
    if output.note:
        print(output.note)
    print(listed.to_csv(index=False), end="")
    return 0


def _print(at: date, result: JobResult, what: str) -> None:
    print(f"{at}: {_SAID[result.status]}, {what}")


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"train": train, "score": score, "show": show}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        refuse("the command", "written as its --help says", message, "mend it")


def _parser(command: str) -> argparse.ArgumentParser:
    parser = job_parser(COMMANDS[command].__doc__ or "")
    parser.__class__ = _Parser
    parser.prog = f"python -m casebook.churn {command}"
    if command == "show":
        parser.add_argument("--max-age", type=int, default=LIST_AGE, help="days for which an older list may stand in")
        return parser
    parser.add_argument("--warehouse", required=True, help="the DuckDB file that the load has written")
    if command == "score":
        parser.add_argument("--models", help="the folder of the command 'train'; without it a model is trained")
        parser.add_argument("--capacity", type=int, help="calls a day; by default 0.2%% of the base")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 2 with one sentence on stderr.

    Examples
    --------
    >>> main(["score", "--date", "2026-01-01", "--folder", "lists", "--warehouse", "week.duckdb", "--capacity", "0"])
    2
    """

    def run(words: Sequence[str]) -> int:
        command, *rest = words or [""]
        if command not in COMMANDS:
            refuse(
                "the command", "one of " + ", ".join(COMMANDS), repr(command), "write 'score --help' for its arguments"
            )
        return COMMANDS[command](_parser(command).parse_args(rest))

    return guarded(run, argv)


if __name__ == "__main__":
    sys.exit(main())
