"""Fixtures of the weekly job: tables of four stores, two of them late, and a book with one override."""

import numpy as np
import pytest

from casebook.demand.overrides import OverrideBook
from casebook.demand.simulate import simulate
from casebook.demand.world import World
from tests.package.demand.weekly_shop import FAIR, ORIGIN, save


@pytest.fixture(scope="module")
def tables():
    return simulate(World(), 4, 14, np.random.default_rng(3), days=98).tables


@pytest.fixture(scope="module")
def data(tables, tmp_path_factory):
    """Store 1 is three days late, store 2 thirty."""
    sales = tables["sales"]
    late = (sales["store_id"] == 1) & (sales["day"] > ORIGIN - 3) | (sales["store_id"] == 2) & (
        sales["day"] > ORIGIN - 30
    )
    return save({**tables, "sales": sales[~late]}, tmp_path_factory.mktemp("data"))


@pytest.fixture
def book(tables, tmp_path):
    book = OverrideBook(tmp_path / "book.jsonl")
    book.add(FAIR, tables, ORIGIN - 3)
    return book
