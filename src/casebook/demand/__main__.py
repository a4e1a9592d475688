"""``python -m casebook.demand weekly``: write the orders of a week."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import NoReturn

from casebook.contracts import refuse
from casebook.demand.operate import Settings, date_of, weekly_job
from casebook.jobs import guarded

_SAID = {"done": "written", "replaced": "replaced", "already done": "unchanged"}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        refuse("the command", "written as its --help says", message, "mend it")


def weekly(arguments: argparse.Namespace) -> int:
    """Write the orders of the Monday after an origin."""
    result = weekly_job(
        arguments.data,
        arguments.out,
        arguments.origin,
        model=arguments.model,
        overrides=arguments.overrides,
        settings=Settings(tau=arguments.tau),
        replace=arguments.replace,
    )
    report = json.loads((result.path / "report.json").read_text(encoding="utf-8"))
    fallbacks = "".join(f", {count:,} by {name}" for name, count in report["fallbacks"].items() if count)
    print(
        f"{date_of(arguments.origin)}: {_SAID[result.status]}, {report['rows']['orders']:,} orders of "
        f"{report['units']:,} units, {report['model']:,} by the model{fallbacks}, "
        f"{len(report['overrides'])} overrides"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m casebook.demand weekly", description=weekly.__doc__)
    parser.add_argument("--data", required=True, help="folder with <table>.parquet")
    parser.add_argument("--out", required=True, help="the job's folder: outputs, audit.jsonl, kill switch STOP")
    parser.add_argument("--origin", required=True, type=int, help="the Sunday, in days since Monday 2023-01-02")
    parser.add_argument("--model", help="a joblib file of your own; without it every cell gets a fallback")
    parser.add_argument("--overrides", help="the file of an OverrideBook")
    parser.add_argument("--tau", type=float, help="one quantile for all products; by default one for each")
    parser.add_argument("--replace", action="store_true", help="swap a finished output whose inputs have changed")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 2 with one sentence on stderr.

    Examples
    --------
    >>> main(["weekly", "--data", "none", "--out", "orders", "--origin", "7"])
    2
    """

    def run(words: Sequence[str]) -> int:
        command, *rest = words or [""]
        if command != "weekly":
            refuse("the command", "weekly", repr(command), "write 'weekly --help' for its arguments")
        return weekly(_parser().parse_args(rest))

    return guarded(run, argv)


if __name__ == "__main__":
    sys.exit(main())
