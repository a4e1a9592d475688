"""The tables inside public data sets of experiments: Upworthy's headline tests and one game's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, require_columns
from casebook.dataset_tables import _whole, _words

UPWORTHY = pa.DataFrameSchema(
    {
        "test": pa.Column(),
        "image": pa.Column(nullable=True),
        "headline": pa.Column(),
        "impressions": _whole(1),
        "clicks": _whole(0),
        "winner": pa.Column(bool),
        "week": _whole(201_301, 201_553),
    },
    checks=pa.Check(lambda frame: frame["clicks"] <= frame["impressions"], error="no more clicks than impressions"),
    name="upworthy",
    strict="filter",
    coerce=True,
)
"""Contract of :func:`prepare_upworthy`: ``week`` is the year and the week of the year, 201446."""

COOKIE_CATS = pa.DataFrameSchema(
    {
        "user": pa.Column("int64", unique=True),
        "arm": _words("gate_30,gate_40"),
        "rounds": _whole(0),
        "retention_1": _whole(0, 1),
        "retention_7": _whole(0, 1),
    },
    name="cookie cats",
    strict="filter",
    coerce=True,
)
"""Contract of :func:`prepare_cookie_cats`: ``rounds`` of the first 14 days, back on day 1 and on day 7."""


def prepare_upworthy(path: Path) -> pd.DataFrame:
    """Read Upworthy's headline tests into a table, one row a package (a headline with its image) of a test.

    Parameters
    ----------
    path : Path
        A Parquet file with the archive's columns.

    Returns
    -------
    pandas.DataFrame
        ``test`` and ``image`` (their keys in the archive), ``headline``; ``impressions`` (viewers who were assigned
        the package) and ``clicks``; ``winner`` (chosen by the editors); ``week`` (201446 is week 46 of 2014).

    Raises
    ------
    ContractError
        If the file is not that table.

    References
    ----------
    Matias, Munger, Aubin Le Quere and Ebersole (2021), The Upworthy Research Archive, Scientific Data 8.

    Examples
    --------
    What it returns:

    >>> list(UPWORTHY.columns)
    ['test', 'image', 'headline', 'impressions', 'clicks', 'winner', 'week']
    """
    raw = pd.read_parquet(Path(path))
    names = {"clickability_test_id": "test", "eyecatcher_id": "image", "test_week": "week"}
    require_columns(raw, list(names), "upworthy")
    return check_frame(raw.rename(columns=names), UPWORTHY)


def prepare_cookie_cats(path: Path) -> pd.DataFrame:
    """Read the test of the game Cookie Cats into a table, one row a player.

    Parameters
    ----------
    path : Path
        The original CSV, gzipped or not.

    Returns
    -------
    pandas.DataFrame
        ``user``; ``arm``, the level with the first gate; ``rounds`` played in 14 days; ``retention_1`` and
        ``retention_7``, 1 for those who came back that many days after they had installed the game.

    Raises
    ------
    ContractError
        If the file is not that table.

    Examples
    --------
    What it returns:

    >>> list(COOKIE_CATS.columns)
    ['user', 'arm', 'rounds', 'retention_1', 'retention_7']
    """
    raw = pd.read_csv(Path(path))
    names = {"userid": "user", "version": "arm", "sum_gamerounds": "rounds"}
    require_columns(raw, list(names), "cookie cats")
    return check_frame(raw.rename(columns=names), COOKIE_CATS)
