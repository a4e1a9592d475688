"""Draws are exact, blind to row order and whole by cluster; hashes are uniform, independent, nested and stable."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from casebook.contracts import ContractError
from casebook.experiments import assign, assign_by_hash

# A test that repeats its draws exactly fails by chance at most this often over all seeds one might have chosen.
CHANCE = 1e-3
# Four standard errors of a share over 4,000 draws.
FOUR_ERRORS = 4 * np.sqrt(0.25 / 4000)
ROUNDING = 1e-9

strata_sizes = st.lists(st.integers(1, 12), min_size=1, max_size=8).filter(lambda sizes: sum(sizes) >= 10)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


@given(strata_sizes, st.floats(0.1, 0.9), st.integers(0, 2**32))
def test_every_stratum_and_the_whole_keep_the_share_to_within_one(sizes, share, seed):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    treated = assign(np.arange(len(strata)), np.random.default_rng(seed), share, stratum=strata).to_numpy()
    by_stratum = np.bincount(strata, weights=treated)
    assert (np.abs(by_stratum - share * np.array(sizes)) < 1 + ROUNDING).all()
    assert abs(treated.sum() - share * len(strata)) < 1 + ROUNDING
    assert 0 < treated.sum() < len(strata)


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_half_of_an_even_number_is_exact(half, seed):
    assert assign(np.arange(2 * half), np.random.default_rng(seed)).sum() == half


@given(st.lists(st.integers(1, 5), min_size=4, max_size=12), st.integers(0, 2**32))
def test_clusters_stay_whole_and_are_counted_as_wholes(sizes, seed):
    cluster = np.repeat([f"account {i}" for i in range(len(sizes))], sizes)
    treated = assign(np.arange(len(cluster)), np.random.default_rng(seed), cluster=cluster)
    arms = treated.groupby(cluster).agg(["min", "max"])
    assert (arms["min"] == arms["max"]).all()
    assert abs(arms["max"].sum() - len(sizes) / 2) < 1


@given(st.integers(0, 2**32))
def test_the_draw_does_not_depend_on_the_order_of_rows(seed):
    users = pd.DataFrame({"user": np.arange(60), "account": np.arange(60) // 3, "plan": np.arange(60) // 3 % 2})
    turned = users.sample(frac=1, random_state=seed % 1000)
    first, second = (
        assign(t["user"], np.random.default_rng(seed), cluster=t["account"], stratum=t["plan"]) for t in (users, turned)
    )
    pd.testing.assert_series_equal(second.sort_index(), first)


def test_each_cluster_is_treated_with_exactly_the_share_whatever_its_size_or_stratum():
    cluster = np.repeat(list("abcdefg"), [1, 30, 2, 2, 9, 1, 5])
    stratum = np.repeat(list("xxxyyyz"), [1, 30, 2, 2, 9, 1, 5])
    rng = np.random.default_rng(2)
    starts = np.searchsorted(cluster, list("abcdefg"))
    hits = sum(assign(np.arange(50), rng, 0.3, cluster, stratum).to_numpy()[starts].astype(int) for _ in range(4000))
    np.testing.assert_allclose(hits / 4000, 0.3, atol=FOUR_ERRORS)


def test_units_of_one_stratum_are_drawn_independently_enough_for_all_pairs_to_occur_alike():
    rng = np.random.default_rng(3)
    pairs = pd.Series([tuple(np.flatnonzero(assign(range(4), rng))) for _ in range(3000)])
    assert len(pairs.unique()) == 6
    assert chisquare(pairs.value_counts()).pvalue > CHANCE


def test_strata_of_one_are_paired_at_random():
    rng = np.random.default_rng(3)
    pairs = pd.Series([tuple(np.flatnonzero(assign(range(4), rng, stratum=list("abcd")))) for _ in range(3000)])
    assert len(pairs.unique()) == 6


def test_the_series_fits_into_the_table_that_the_units_came_from():
    users = pd.DataFrame({"user": list("abcd")}, index=[40, 30, 20, 10])
    users["treated"] = assign(users["user"], np.random.default_rng(0))
    assert users["treated"].dtype == bool
    assert users["treated"].sum() == 2
    assert assign(["a", "b"], np.random.default_rng(0)).index.equals(pd.RangeIndex(2))


def test_hashes_keep_the_share_in_every_part_of_the_unit_interval():
    ids = np.arange(20_000)
    cuts = np.linspace(0.05, 0.95, 19)
    counts = np.diff([0, *(assign_by_hash(ids, "uniform", share).sum() for share in cuts), len(ids)])
    assert chisquare(counts).pvalue > CHANCE


def test_two_salts_draw_independently_and_one_salt_not():
    ids = [f"user-{i}" for i in range(20_000)]
    first, second = assign_by_hash(ids, "one", 0.4), assign_by_hash(ids, "two", 0.4)
    table = np.array([[np.sum((first == a) & (second == b)) for b in (True, False)] for a in (True, False)])
    assert chi2_contingency(table).pvalue > CHANCE
    np.testing.assert_array_equal(first, assign_by_hash(ids, "one", 0.4))


def test_neighbouring_ids_draw_independently():
    arms = assign_by_hash(np.arange(20_001), "neighbours")
    table = np.array([[np.sum((arms[1:] == a) & (arms[:-1] == b)) for b in (True, False)] for a in (True, False)])
    assert chi2_contingency(table).pvalue > CHANCE


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30), st.floats(0.01, 0.9), st.floats(0.001, 0.09))
def test_a_larger_share_keeps_all_who_were_treated(ids, share, more):
    small, large = assign_by_hash(ids, "nested", share), assign_by_hash(ids, "nested", share + more)
    assert not (small & ~large).any()


def test_an_arm_depends_on_the_id_alone_and_is_the_same_for_ever():
    # These arms were computed once; a change here would move people between the arms of running experiments.
    assert assign_by_hash([1, 2, 3, 4, 5, 6, 7, 8], "hold-out").astype(int).tolist() == PINNED
    ids = ["c", "a", "b"]
    np.testing.assert_array_equal(assign_by_hash(ids, "s"), [assign_by_hash([i], "s")[0] for i in ids])
    np.testing.assert_array_equal(assign_by_hash([7, 8, 9], "s"), assign_by_hash(["7", "8", "9"], "s"))
    np.testing.assert_array_equal(
        assign_by_hash(pd.Series([7, 8], dtype="Int64"), "s"), assign_by_hash(np.array([7, 8], dtype=np.int32), "s")
    )


PINNED = [0, 0, 0, 1, 0, 0, 0, 1]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: assign(["a", "b", "a"], RNG),
            "units, row 2 must be unique, got 'a' again; keep one row per unit, or pass what repeats as cluster=.",
        ),
        (
            lambda: assign([], RNG),
            "units must be at least one row long, got no rows; check the filter or the join that made it.",
        ),
        (
            lambda: assign(["a", None], RNG),
            "units, row 1 must be filled in, got a missing value; give a unit that stands alone a label of its own.",
        ),
        (lambda: assign("abcd", RNG), "units must be one-dimensional, got shape (); pass one column."),
        (
            lambda: assign([1, 2], 7),
            "rng must be a numpy Generator, got int; pass np.random.default_rng(seed).",
        ),
        (lambda: assign([1, 2], RNG, 50), "share must be above 0 and below 1, got 50; divide percentages by 100."),
        (
            lambda: assign([1, 2, 3], RNG, 0.1),
            "share must be large enough to give each arm one unit or cluster, got 0.1 of 3; "
            "add units or move share towards 0.5.",
        ),
        (
            lambda: assign([1, 2, 3], RNG, cluster=["x", "x", "x"]),
            "share must be large enough to give each arm one unit or cluster, got 0.5 of 1; "
            "add units or move share towards 0.5.",
        ),
        (
            lambda: assign([1, 2, 3], RNG, cluster=["x", "y"]),
            "cluster must be 3 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: assign([1, 2, 3, 4], RNG, cluster=["x", "x", "y", "y"], stratum=[0, 0, 0, 1]),
            "the stratum of cluster 'y' must be one for all its rows, got two; stratify by what whole clusters share.",
        ),
        (
            lambda: assign(pd.Series(["a", "b"], index=[0, 1]), RNG, cluster=pd.Series(["x", "y"], index=[1, 0])),
            "units and cluster must be in one row order, got the same index labels in two orders; "
            "reindex one, or pass .to_numpy() if positions match.",
        ),
        (
            lambda: assign_by_hash([1.0, 2.0], "s"),
            "ids, row 0 must be text or a whole number, got 1.0; convert it with .astype('int64') or str.",
        ),
        (
            lambda: assign_by_hash(["a", None], "s"),
            "ids, row 1 must be filled in, got a missing value; give every unit an id.",
        ),
        (lambda: assign_by_hash([1], ""), "salt must be text that is not empty, got ''; name the experiment."),
        (lambda: assign_by_hash([1], "s", 1.0), "share must be above 0 and below 1, got 1.0; pass a share."),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
