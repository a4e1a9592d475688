"""The committed studies: there, fresh, of the size declared, and saying what the claims page says they say."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from casebook.claims import Verdict, load_claims
from casebook.claims.verdicts import edges, judge_moral
from casebook.screening.morals import MORALS
from casebook.studies import discover, load, staleness, verify

STUDIES = discover()
ROWS = 1  # of the drawn and of the null worlds of each study
#: Morals that the worlds refused when they were first played, and what became of them.
WITHDRAWN = {"3.correction-harms": Verdict.CORRECTED, "3.kept-beats-risk": Verdict.CORRECTED}


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_committed_and_fresh(name):
    changed = staleness(load(name), STUDIES[name])
    assert not changed, f"{name}.json must be what its code gives, got other {', '.join(changed)}; run `make studies`."


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_the_worlds_it_declares_and_at_least_twenty(name):
    study, result = STUDIES[name], load(name)
    assert (len(result.frame), len(result.null_frame)) == (study.n, study.null_n)
    assert result.n == study.n >= 20
    assert study.null_n >= 20
    assert result.commit != "unknown"
    for dial in study.dials:
        assert result.frame[dial.name].between(dial.low, dial.high).all()
        if dial.null is not None:
            assert set(result.null_frame[dial.name]) == {dial.null}


def test_no_file_belongs_to_no_study():

    committed = {place.name.removesuffix(".json") for place in (files("casebook.data") / "studies").iterdir()}
    assert committed == set(STUDIES)


@pytest.mark.parametrize("claim", MORALS)
def test_every_moral_has_its_worlds(claim):
    moral = MORALS[claim]
    result = load(moral.study)
    assert result.frame[moral.finding].dtype == bool
    picked = result.frame if moral.only is None else result.frame.query(moral.only)
    drawn, null = moral.shares()
    assert (drawn.holds, drawn.n) == (int(picked[moral.finding].sum()), len(picked))
    assert (null.holds, null.n) == (int(result.null_frame[moral.finding].sum()), len(result.null_frame))
    assert drawn.n >= 20, f"{claim} must rest on 20 drawn worlds or more, got {drawn.n}; widen `only` or draw more."


@pytest.mark.parametrize("claim", [name for name in MORALS if name not in WITHDRAWN])
def test_a_morals_shares_lie_inside_the_figures_stated_for_them(claim):
    stated, (drawn, null) = load_claims()[claim], MORALS[claim].shares()
    for share, figure, which in ((drawn, stated.figure, "drawn"), (null, stated.null_figure, "null")):
        low, high = edges(figure)
        assert low <= share.share <= high, f"{claim} must hold in {figure} of {which} worlds, got {share}; restate it."


@pytest.mark.parametrize("claim", WITHDRAWN)
def test_a_withdrawn_moral_is_still_refused(claim):
    stated = load_claims()[claim]
    assert judge_moral(stated.figure, stated.null_figure, *MORALS[claim].shares()) is WITHDRAWN[claim]


@pytest.mark.slow
def test_rows_drawn_anew_each_time_are_what_the_files_say(capsys):
    entropy = np.random.SeedSequence().entropy
    with capsys.disabled():
        print(f"\nrows of the studies drawn with seed {entropy}")
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    for name, study in STUDIES.items():
        try:
            checked = verify(study, load(name), ROWS, rng)
        except AssertionError as error:
            raise AssertionError(f"{error} Rows drawn with seed {entropy}; run `make studies`.") from error
        assert checked.groupby("table")["world"].nunique().to_dict() == {"rows": ROWS, "null_rows": ROWS}
