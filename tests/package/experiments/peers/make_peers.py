"""Write peers.json: what two public engines say of one table, each engine run by an interpreter of its own.

    python -m venv A && A/bin/pip install gbstats 'pyarrow<18'
    python -m venv B && B/bin/pip install spotify-confidence pyarrow
    python make_peers.py A/bin/python B/bin/python

Run it with the casebook's own interpreter. The table is drawn again by the tests and never committed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from casebook.feed.simulate import simulate
from casebook.feed.tables import user_table
from casebook.feed.world import Design, World

HERE = Path(__file__).parent
SEED, USERS, SHARES = 20260302, 20_000, {"new": 0.4, "control": 0.6}
ENGINES = {"gbstats": "run_gbstats.py", "spotify-confidence": "run_confidence.py"}
COLUMNS = ["arm", "minutes", "minutes_before", "clicks", "impressions", "sessions", "converted"]


def peer_table() -> pd.DataFrame:
    """Return one row for each user of a test with unequal arms; who liked anything has converted."""
    design = Design(new=SHARES["new"], control=SHARES["control"])
    users = user_table(simulate(World(effect=0.05), USERS, np.random.default_rng(SEED), design).tables)
    return users.assign(converted=(users["likes"] > 0).astype("int64"))[COLUMNS].reset_index(drop=True)


def sums(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return each arm's users and sums, by which a table that was drawn otherwise is known."""
    parts = table.groupby("arm")[COLUMNS[1:]].sum().assign(users=table["arm"].value_counts())
    return {arm: {name: float(value) for name, value in row.items()} for arm, row in parts.iterrows()}


def ask(python: str, script: str, path: Path) -> dict[str, object]:
    """Return what an engine's script prints, run by that interpreter."""
    done = subprocess.run([python, str(HERE / script), str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Draw the table, ask both engines, write their answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gbstats", help="interpreter that has gbstats")
    parser.add_argument("confidence", help="interpreter that has spotify-confidence")
    given = parser.parse_args()
    table = peer_table()
    pythons = dict(zip(ENGINES, (given.gbstats, given.confidence), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "users.parquet"
        table.to_parquet(path, index=False)
        answers = {name: ask(pythons[name], script, path) for name, script in ENGINES.items()}
    document = {"seed": SEED, "users": USERS, "sums": sums(table), "engines": answers}
    (HERE / "peers.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
