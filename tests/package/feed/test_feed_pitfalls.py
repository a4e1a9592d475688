"""Many readings of an A/A test, and the figures of the pitfalls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from scipy.stats import binom, norm

from casebook.contracts import ContractError
from casebook.feed import figures_pitfalls as figures
from casebook.feed.forking import aa_readings, within_segments


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def title() -> str:
    return plt.gcf().texts[0].get_text().replace("\n", " ")


def test_a_reading_is_a_z_test_of_the_halves_of_those_who_have_it():
    draw = np.random.default_rng(1)
    y = pd.DataFrame({"all": draw.gamma(2.0, size=60), "some": draw.normal(5.0, size=60)})
    y.loc[::3, "some"] = np.nan
    p = aa_readings(y, np.random.default_rng(2), splits=3)
    arms = np.random.default_rng(2).permuted(np.tile(np.arange(60) < 30, (3, 1)), axis=1)
    for split, column in np.ndindex(3, 2):
        one, other = (y.iloc[:, column][side].dropna() for side in (arms[split], ~arms[split]))
        z = (one.mean() - other.mean()) / np.hypot(one.std() / len(one) ** 0.5, other.std() / len(other) ** 0.5)
        assert p[split, column] == pytest.approx(2 * norm.sf(abs(z)), rel=1e-9)


def test_each_reading_keeps_its_level_and_the_best_of_ten_independent_ones_does_not():
    draw = np.random.default_rng(3)
    p = aa_readings(pd.DataFrame(draw.normal(size=(1_000, 10))), draw, splits=2_000)
    low, high = binom.interval(0.9999, 2_000, 0.05)
    assert ((low <= (p < 0.05).sum(axis=0)) & ((p < 0.05).sum(axis=0) <= high)).all()
    low, high = binom.interval(0.9999, 2_000, 1 - 0.95**10)
    assert low <= (p.min(axis=1) < 0.05).sum() <= high


def test_shifting_and_scaling_a_reading_changes_no_p_value():
    y = pd.DataFrame(np.random.default_rng(4).normal(size=(50, 2)))
    p, moved = (aa_readings(frame, np.random.default_rng(5), splits=20) for frame in (y, -3 * y + 1_000))
    np.testing.assert_allclose(p, moved, rtol=1e-6)


def test_segments_are_whole_once_each_and_crossed():
    cut = pd.DataFrame({"phone": list("aaabbb"), "land": list("xxyyxx")})
    metric = pd.Series(np.arange(6.0))
    found = within_segments(metric, cut, depth=2, fewest=2)
    assert found.columns.tolist() == [
        "whole", "phone a", "phone b", "land x", "land y", "phone a, land x", "phone b, land x",
    ]  # fmt: skip
    assert found["phone b, land x"].dropna().tolist() == [4.0, 5.0]
    assert found["whole"].tolist() == metric.tolist()


def test_a_reading_that_cannot_be_read_is_refused():
    rng, y = np.random.default_rng(6), pd.DataFrame({"flat": np.ones(30)})
    with pytest.raises(ContractError, match="reading 'flat' must be of 20 users or more who differ, got 30 that have"):
        aa_readings(y, rng)
    with pytest.raises(ContractError, match=r"reading 0 must be .* got 19 that have it; leave it out"):
        aa_readings(pd.DataFrame(rng.normal(size=(19, 1))), rng)
    with pytest.raises(ContractError, match="splits must be 1 or more, got 0; take some hundreds"):
        aa_readings(pd.DataFrame(rng.normal(size=(30, 1))), rng, splits=0)


def test_the_peeking_figure_draws_the_rates_and_titles_the_last():
    rates = pd.DataFrame({"theory": [0.05, 0.2], "drawn": [0.05, 0.21], "independent": [0.05, 0.4]}, index=[1, 9])
    figures.peeking_lines(rates)
    np.testing.assert_array_equal(plt.gcf().axes[0].get_lines()[1].get_ydata(), rates["theory"])
    assert title() == "Stopping at the first star in 9 looks: 20% false alarms in place of 5%"


def test_the_stopping_figure_names_the_dearest_rule():
    rules = pd.DataFrame(
        {"at most": [1, 1.03, 1.8], "if it works": [1, 0.8, 1.1], "if nothing": [1, 1.02, 1.7]}, index=["f", "g", "v"]
    )
    figures.stopping_bars(rules)
    drawn = {tuple(line.get_xdata()) for line in plt.gcf().axes[0].get_lines()}
    assert {tuple(rules[column]) for column in rules} <= drawn
    assert title() == "For the same power 'v' may need 1.8 times the users, 'g' 1.03 times"


def test_the_histograms_hold_every_p_value_and_title_the_shares_below():
    figures.p_histograms({"rows": [0.01, 0.02, 0.03, 0.5], "users": [0.2, 0.4, 0.6, 0.8]})
    for ax in plt.gcf().axes:
        assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1)
    assert title() == "p below 0.05 in 75% of A/A splits by impression, in 0% by user"


def test_the_ramp_figure_draws_means_and_users():
    by_day = pd.DataFrame({"new": [1.0, 3], "control": [2.0, 4], "new_users": [1, 9], "control_users": [9, 9]})
    figures.ramp_lines(by_day, 0.03, -0.02)
    users = [line.get_ydata().tolist() for line in plt.gcf().axes[1].get_lines()]
    assert users == [[9, 9], [1, 9]]
    assert title() == "Thrown together +3.0%, within days -2.0%: the new arm's days are mostly a weekend"
