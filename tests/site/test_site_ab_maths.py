"""The arithmetic of the A/B test calculator, in the browser, against its twins in Python."""

from __future__ import annotations

import itertools

import pytest
from scipy.stats import chi2, norm

from casebook.contracts import ContractError
from casebook.experiments import mde, mde_mean, sample_size, sample_size_mean, srm
from casebook.experiments.verdict import ratio_reason

pytestmark = pytest.mark.site

# Both sides work in double precision; the root of mde is found to 1e-14 in Python, of changes from 1e-5 up.
RELATIVE = 1e-8
SHARES = (0.1, 0.5, 0.9)
TESTS = ((0.05, 0.8), (0.01, 0.9), (0.001, 0.5))  # alpha and power
RATES = [
    (base, move * base, share, *test)
    for base, move, share, test in itertools.product((1e-4, 0.02, 0.2, 0.6), (-0.5, -0.03, 0.01, 0.4), SHARES, TESTS)
]
MEANS = list(itertools.product((0.3, 40.0), (-2.0, 0.01, 7.0), SHARES, TESTS))
UNITS = list(itertools.product((1e-3, 0.05, 0.3, 0.9), (400, 90_000, 5_000_000), SHARES, TESTS, ("down", "up")))
SPLITS = [
    ([round(n * share * (1 + tilt * (-1) ** arm)) for arm, share in enumerate(shares)], shares)
    for n, tilt, shares in itertools.product(
        (40, 3_000, 100_000, 1_637_070),
        (0, 1e-4, 2e-3, 0.01, 0.02),
        ([0.5, 0.5], [0.8, 0.2], [0.25, 0.5, 0.25], [0.3, 0.3, 0.4]),
    )
]


@pytest.fixture
def calculator(open_page):
    return open_page("book/ab_calculator.html")


def run(page, function: str, calls: list[dict]) -> list:
    """Call a function of the script on each set of arguments; a refusal comes back as its sentence."""
    script = """([name, calls]) => calls.map(call => {
      try { return casebookAb[name](call); } catch (error) { return error.message; } })"""
    return page.evaluate(script, [function, calls])


def test_the_grids_are_as_large_as_promised():
    assert len(RATES) + len(MEANS) >= 190
    assert len(UNITS) >= 200
    assert len(RATES) + len(MEANS) + len(UNITS) + len(MEANS) + len(SPLITS) >= 500


def test_sizes_for_a_rate_are_the_packages(calculator):
    calls = [
        {"baseRate": base, "effect": effect, "shares": [1 - share, share], "alpha": alpha, "power": power}
        for base, effect, share, alpha, power in RATES
    ]
    got = [answer["arms"] for answer in run(calculator, "sampleSize", calls)]
    sizes = [sample_size(b, e, allocation=share, alpha=alpha, power=power) for b, e, share, alpha, power in RATES]
    assert got == [[size.control, size.treated] for size in sizes]


def test_sizes_for_a_mean_are_the_packages(calculator):
    calls = [
        {"sd": sd, "effect": effect, "shares": [1 - share, share], "alpha": alpha, "power": power}
        for sd, effect, share, (alpha, power) in MEANS
    ]
    got = [answer["arms"] for answer in run(calculator, "sampleSizeMean", calls)]
    sizes = [sample_size_mean(sd, e, allocation=share, alpha=a, power=power) for sd, e, share, (a, power) in MEANS]
    assert got == [[size.control, size.treated] for size in sizes]


def package_mde(base: float, n: float, share: float, alpha: float, power: float, direction: str) -> float | None:
    """Return the package's answer, or None where not even a rate of 0 (or 1) would be seen."""
    try:
        return mde(base, n * share, n * (1 - share), alpha=alpha, power=power, direction=direction)
    except ContractError as error:
        if "which see even a rate of" not in str(error):
            raise
        return None


def test_detectable_change_of_a_rate_is_the_packages(calculator):
    calls = [
        {"baseRate": b, "treated": n * w, "control": n * (1 - w), "alpha": alpha, "power": power, "direction": way}
        for b, n, w, (alpha, power), way in UNITS
    ]
    got = run(calculator, "mde", calls)
    wanted = [package_mde(b, n, w, alpha, power, way) for b, n, w, (alpha, power), way in UNITS]
    assert [one is None for one in got] == [one is None for one in wanted]
    assert 0 < sum(one is None for one in wanted) < 100
    found = [(a, b) for a, b in zip(got, wanted, strict=True) if b is not None]
    assert [a for a, _ in found] == pytest.approx([b for _, b in found], rel=RELATIVE, abs=0)


def test_detectable_change_of_a_mean_is_the_packages(calculator):
    calls = [
        {"sd": sd, "treated": 900 * w, "control": 900 * (1 - w), "alpha": alpha, "power": power}
        for sd, _, w, (alpha, power) in MEANS
    ]
    wanted = [mde_mean(sd, 900 * w, 900 * (1 - w), alpha=a, power=power) for sd, _, w, (a, power) in MEANS]
    assert run(calculator, "mdeMean", calls) == pytest.approx(wanted, rel=RELATIVE, abs=0)


def test_sample_ratio_and_its_sentence_are_the_packages(calculator):
    got = run(calculator, "srm", [{"counts": counts, "shares": shares} for counts, shares in SPLITS])
    wanted = [srm(counts, shares) for counts, shares in SPLITS]
    assert [one["p"] for one in got] == pytest.approx([one.p for one in wanted], rel=RELATIVE, abs=0)
    assert [one["statistic"] for one in got] == pytest.approx([one.statistic for one in wanted], rel=RELATIVE, abs=0)
    assert [one["broken"] for one in got] == [one.broken for one in wanted]
    assert [one["sentence"] for one in got] == [ratio_reason(one).text for one in wanted]
    assert {one.broken for one in wanted} == {True, False}
    assert min(one.p for one in wanted) < 1e-30


def test_curves_are_scipys(calculator):
    tails = [10.0**-k for k in range(1, 20)] + [0.2, 0.3, 0.49, 0.5]
    got = calculator.evaluate("tails => tails.map(casebookAb.upperQuantile)", tails)
    assert got == pytest.approx(norm.isf(tails).tolist(), rel=1e-12, abs=1e-15)
    pairs = list(itertools.product((0.0, 1e-6, 0.5, 3.0, 40.0, 900.0), range(1, 8)))
    got = calculator.evaluate("pairs => pairs.map(([x, k]) => casebookAb.chiSquareAbove(x, k))", pairs)
    assert got == pytest.approx([chi2.sf(*pair) for pair in pairs], rel=1e-11, abs=0)


def test_two_digits_are_written_as_python_writes_them(calculator):
    values = [0, 1, 0.5, 0.104, 0.0999, 0.01, 0.00123, 1e-4, 9.96e-5, 9.94e-5, 1.82e-6, 3e-12, 2.5e-120]
    assert calculator.evaluate("all => all.map(casebookAb.twoDigits)", values) == [f"{value:.2g}" for value in values]


def test_duration_is_rounded_up_to_whole_weeks(calculator):
    calls = [{"users": 700, "perDay": 100, "share": share} for share in (1, 0.5, 0.49)]
    got = run(calculator, "duration", calls)
    assert [one["days"] for one in got] == pytest.approx([7, 14, 7 / 0.49])
    assert [one["weeks"] for one in got] == [1, 2, 3]


def test_functions_refuse_what_is_no_plan(calculator):
    rate, pair = {"baseRate": 0.2, "effect": 0.05}, {"counts": [50, 50], "shares": [0.5, 0.5]}
    plans = [{"baseRate": 1.2}, {"effect": 0.9}, {"shares": [0.5, 0.4]}, {"power": 0.3}]
    assert run(calculator, "sampleSize", [rate | plan for plan in plans]) == [
        "baseRate must be above 0 and below 1, got 1.2; divide percentages by 100.",
        "baseRate + effect must be above 0 and below 1, got 1.1; give effect as an absolute change, "
        "-0.01 for one point down.",
        "The shares must be above 0 and 1 in sum, got 0.5, 0.4; divide them by their sum.",
        "power must be at least 0.5 and below 1, got 0.3; ask for 0.8 or 0.9.",
    ]
    assert run(calculator, "srm", [pair | {"counts": [50.5, 50]}, pair | {"counts": [5, 4]}]) == [
        "counts must be a whole number for each share, got 50.5, 50; count the users of each arm.",
        "The counts must be large enough to expect 5 in each arm, got 4.5 expected in one; wait for more users.",
    ]
