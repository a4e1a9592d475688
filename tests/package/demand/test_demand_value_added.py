"""What overrides were worth, against scikit-learn's errors and sums by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from casebook.contracts import ContractError
from casebook.demand.value_added import loss, planner_summary, value_added

CLOSE = 1e-9  # the same sums in another order


def applied(seed=0, n=200):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "override_id": rng.choice(["", "a", "b", "c"], n),
            "mean_before": rng.gamma(2, 3, n),
            "mean": rng.gamma(2, 3, n),
            "y": rng.poisson(6, n),
        }
    ).assign(author=lambda frame: np.where(frame["override_id"] == "c", "Bob", "Ada"))


@pytest.mark.parametrize("tau", [None, 0.5, 0.833])
def test_value_added_is_the_difference_of_scikit_learns_errors(tau):
    rows = applied()
    found = value_added(rows, tau).set_index("override_id")
    assert set(found.index) == {"a", "b", "c"}
    for name, part in rows[rows["override_id"] != ""].groupby("override_id"):
        errors = [
            mean_absolute_error(part["y"], part[column])
            if tau is None
            else mean_pinball_loss(part["y"], part[column], alpha=tau)
            for column in ("mean_before", "mean")
        ]
        assert abs(found.loc[name, "added"] - len(part) * (errors[0] - errors[1])) < CLOSE
        assert found.loc[name, "rows"] == len(part)
        assert found.loc[name, "upward"] == (part["mean"].sum() > part["mean_before"].sum())


def test_a_planners_sum_is_that_of_his_overrides_by_direction():
    added = value_added(applied(3))
    table = planner_summary(added).set_index("author")
    ada = added[added["author"] == "Ada"]
    assert table.loc["Ada", "overrides"] == 2
    assert abs(table.loc["Ada", "added"] - ada["added"].sum()) < CLOSE
    assert abs(table.loc["Ada", "added_up"] + table.loc["Ada", "added_down"] - ada["added"].sum()) < CLOSE
    assert abs(table.loc["Ada", "error"] - np.std(ada["added"], ddof=1) * np.sqrt(2)) < CLOSE
    assert np.isnan(table.loc["Bob", "error"])  # one override tells nothing of the next
    assert (
        table.loc["Bob", "share"]
        == added.set_index("author").loc["Bob", ["added"]].iloc[0]
        / (added.set_index("author").loc["Bob", "error_without"])
    )


@given(st.floats(0.05, 0.95))
def test_pinball_at_the_half_is_half_the_absolute_error(tau):
    y, guess = np.array([3.0, 0, 7]), np.array([1.0, 2, 7])
    assert np.allclose(2 * loss(y, guess, 0.5), loss(y, guess))
    assert np.allclose(loss(y, guess, tau) + loss(y, guess, 1 - tau), loss(y, guess))


def test_refusals_of_the_measure():
    with pytest.raises(ContractError) as refusal:
        loss([1.0], [1.0], 83)
    assert str(refusal.value) == "tau must be in (0, 1), got 83; divide percentages by 100."
    with pytest.raises(ContractError) as refusal:
        value_added(applied().drop(columns="y"))
    assert str(refusal.value) == (
        "applied must be a table with a column 'y', got 'override_id', 'mean_before', 'mean', 'author'; add 'y' or "
        "rename one of yours."
    )
