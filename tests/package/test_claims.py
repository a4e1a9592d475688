"""Claims: verdicts by property, boxes as they are printed, and all that may be amiss with the ledger."""

from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from casebook.claims import (
    MIME,
    Bounds,
    Verdict,
    boxes,
    collect,
    judge,
    ledger,
    ledger_problems,
    load_claims,
    record,
    record_moral,
)
from casebook.contracts import ContractError
from casebook.worlds import paired_interval, share_holding

TEXT = """
finished: [3]
claims:
  - {id: 3.fraud-ratio, section: 3, text: "Missing a fraud costs <10x> a false alarm.", source: document,
     kind: claim, figure: [5, 10], unit: ratio}
  - {id: 3.opinion, section: 3, text: Fraud is fun., source: document, kind: claim, figure: null,
     reason: A matter of taste.}
  - {id: 3.threshold-wins, section: 3, text: The cost threshold wins., source: own, kind: moral,
     figure: [0.9, 1.0], null_figure: [0, 0.1]}
  - {id: 4.churn-rate, section: 4, text: Churn is 5 %., source: document, kind: claim,
     figure: 0.05, rounding: 0.005}
"""
CLAIMS = load_claims(TEXT)
numbers = st.floats(-1e6, 1e6)


def refused(text: str) -> str:
    return f"^{re.escape(text)}$"


@st.composite
def claimed(draw: st.DrawFn) -> tuple[tuple[float, float], float]:
    low, width, rounding = draw(numbers), draw(st.floats(0, 1e3)), draw(st.floats(0, 1e3))
    return (low, low + width), rounding


@given(claimed(), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_all_inside_is_confirmed(claim: tuple[tuple[float, float], float], at: list[float]) -> None:
    (low, high), rounding = claim
    values = [low - rounding + share * (high - low + 2 * rounding) for share in at]
    assert judge((low, high), rounding, values) is Verdict.CONFIRMED
    assert judge((low, high), rounding, values[0]) is Verdict.CONFIRMED
    assert judge((low, high), rounding, Bounds(min(values), max(values))) is Verdict.CONFIRMED


@given(claimed(), st.lists(st.floats(1, 1e6), min_size=1, max_size=5), st.sampled_from([-1, 1]))
def test_none_inside_is_corrected(claim: tuple[tuple[float, float], float], beyond: list[float], side: int) -> None:
    (low, high), rounding = claim
    edge = high + rounding if side > 0 else low - rounding
    values = [edge + side * distance for distance in beyond]
    assert judge((low, high), rounding, values) is Verdict.CORRECTED
    assert judge((low, high), rounding, values[0]) is Verdict.CORRECTED
    assert judge((low, high), rounding, Bounds(min(values), max(values))) is Verdict.CORRECTED


@given(claimed(), st.floats(0, 1), st.floats(1, 1e6))
def test_mixed_depends(claim: tuple[tuple[float, float], float], at: float, beyond: float) -> None:
    (low, high), rounding = claim
    inside, outside = low + at * (high - low), high + rounding + beyond
    assert judge((low, high), rounding, [inside, outside]) is Verdict.DEPENDS
    assert judge((low, high), rounding, Bounds(inside, outside)) is Verdict.DEPENDS
    straddle = Bounds(low - rounding - beyond, outside)
    assert judge((low, high), rounding, straddle) is Verdict.DEPENDS
    assert judge((low, high), rounding, list(straddle)) is Verdict.CORRECTED


@given(claimed(), st.floats(0, 1e3), st.lists(numbers, min_size=1, max_size=5), st.booleans())
def test_widening_the_rounding_never_moves_away_from_confirmed(
    claim: tuple[tuple[float, float], float], more: float, found: list[float], interval: bool
) -> None:
    figure, rounding = claim
    values = Bounds(min(found), max(found)) if interval else found
    order = [Verdict.CORRECTED, Verdict.DEPENDS, Verdict.CONFIRMED]
    before, after = judge(figure, rounding, values), judge(figure, rounding + more, values)
    assert order.index(after) >= order.index(before)


@given(numbers, st.floats(0, 1e3), numbers)
def test_a_number_is_a_range_of_no_width_and_order_is_irrelevant(figure: float, rounding: float, value: float) -> None:
    assume(abs(value - figure) < 1e5)
    assert judge(figure, rounding, value) is judge((figure, figure), rounding, [value])
    assert judge(figure, rounding, [figure, value]) is judge(figure, rounding, [value, figure])


@pytest.mark.parametrize("values", [[0.66, 0.9], np.array([0.66, 0.9]), pd.Series([0.66, 0.9])])
def test_lists_arrays_and_series_are_judged_alike(values: Any) -> None:
    assert judge(0.7, 0.05, values) is Verdict.DEPENDS


def test_known_verdicts() -> None:
    assert judge(0.7, 0.05, 0.75) is Verdict.CONFIRMED  # the edge belongs to the figure, in float64 too
    assert judge(0.3, 0.0, 0.1 + 0.2) is Verdict.CONFIRMED
    assert judge(0.3, 0.0, 0.30001) is Verdict.CORRECTED
    assert judge(None, 0.0, None) is Verdict.NOT_TESTABLE
    assert judge(2.0, 0.0, paired_interval([3.0, 5.0, 7.0], [1.0, 2.0, 6.0])) is Verdict.DEPENDS
    assert str(Verdict.NOT_TESTABLE) == "not testable"


@pytest.mark.parametrize(
    ("figure", "rounding", "values", "text"),
    [
        (1, 0, np.nan, "values must be finite, got nan; drop it or mend its cell."),
        (1, 0, [1.0, np.nan], "values must be finite, got nan; drop it or mend its cell."),
        (1, 0, Bounds(1.0, np.nan), "values must be finite, got nan; drop it or mend its cell."),
        (
            1,
            0,
            Bounds(2.0, 1.0),
            "values must be an interval with low <= high, got 2.0 to 1.0; swap its ends.",
        ),
        (
            1,
            0,
            (0.0, 2.0),
            "values must be a number, Bounds(low, high) or a list, got a bare tuple; say whether it is an interval.",
        ),
        (
            1,
            0,
            [],
            "values must be a number or a list of at least one, got shape (0,); pass one an assumption.",
        ),
        (
            1,
            0,
            None,
            "values must be what a cell computed, got None; pass a number, Bounds(low, high) or a list.",
        ),
        (1, -1, 1.0, "rounding must be zero or more, got -1; give the half-width of the figure's rounding."),
        (None, 0, 1.0, "values must be None for a claim without a figure, got 1.0; leave them out."),
    ],
)
def test_judge_refuses(figure: Any, rounding: float, values: Any, text: str) -> None:
    with pytest.raises(ContractError, match=refused(text)):
        judge(figure, rounding, values)


def test_claims_are_loaded_from_text_and_file(tmp_path: Path) -> None:
    place = tmp_path / "claims.yml"
    place.write_text(TEXT, encoding="utf-8")
    assert load_claims(place) == CLAIMS
    assert CLAIMS["3.fraud-ratio"].figure == (5.0, 10.0)
    assert [claim.id for claim in CLAIMS.values() if claim.finished] == list(CLAIMS)[:3]


def test_committed_claims_load() -> None:
    assert all(key == claim.id for key, claim in load_claims().items())


LINE = "  - {id: 3.a, section: 3, text: T., source: document, kind: claim, figure: 1}\n"


REFUSED = {
    "claims: []": "claims must be a mapping with the keys 'finished' and 'claims', got ['claims']; "
    "write both, even if empty.",
    f"finished: []\nclaims:\n{LINE}{LINE}": "claims, id '3.a' must be there once, got it twice; rename or remove one.",
}
BROKEN = {
    "section: 4": "a claim with an id that starts with its section",
    "figure: null": "a claim with a reason why it cannot be tested, or a figure",
    "figure: [2, 1]": "a claim with a figure of rising ends",
    "kind: moral": "a claim with a null_figure if it is a moral with a figure, and only then",
}


@pytest.mark.parametrize(("change", "must"), BROKEN.items())
def test_load_claims_refuses_what_does_not_hang_together(change: str, must: str) -> None:
    key = change.partition(":")[0]
    line = re.sub(rf"{key}: \w+", change, LINE)
    with pytest.raises(
        ContractError, match=refused(f"claims, claim 1 (3.a) must be {must}, got one without; mend it.")
    ):
        load_claims(f"finished: []\nclaims:\n{line}")


def test_load_claims_refuses_an_unknown_field() -> None:
    line = LINE.replace("figure: 1", "figure: 1, colour: red")
    text = (
        "claims, claim 1 (3.a), field 'colour' must be as the model says, got 'red' (Extra inputs are not "
        "permitted); mend it."
    )
    with pytest.raises(ContractError, match=refused(text)):
        load_claims(f"finished: []\nclaims:\n{line}")


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_load_claims_refuses(text: str, message: str) -> None:
    with pytest.raises(ContractError, match=refused(message)):
        load_claims(text)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []

    def catch(bundle: dict[str, Any], raw: bool, metadata: dict[str, Any]) -> None:
        assert raw and set(bundle) == {"text/html", "text/plain"}
        bundles.append(bundle | metadata)

    monkeypatch.setattr(boxes, "display", catch)
    return bundles


def test_box_carries_html_json_and_text(shown: list[dict[str, Any]]) -> None:
    judgement = record("3.fraud-ratio", np.float64(20), "Here it is 20 & more.", claims=CLAIMS)
    assert judgement.verdict is Verdict.CORRECTED
    (bundle,) = shown
    assert bundle[MIME] == {
        "id": "3.fraud-ratio",
        "section": 3,
        "claim": "Missing a fraud costs <10x> a false alarm.",
        "kind": "claim",
        "source": "document",
        "verdict": "corrected",
        "value": 20.0,
        "values": 20.0,
        "unit": "ratio",
        "sentence": "Here it is 20 & more.",
        "cell": "claim-3-fraud-ratio",
        "anchor": "claim-3-fraud-ratio",
    }
    assert json.loads(json.dumps(bundle)) == bundle
    assert bundle["text/html"] == (
        '<div class="casebook-claim casebook-claim--corrected" id="claim-3-fraud-ratio" role="note">'
        '<p class="casebook-claim__header">The source says</p>'
        '<p class="casebook-claim__text">Missing a fraud costs &lt;10x&gt; a false alarm.</p>'
        '<p class="casebook-claim__verdict">Corrected</p>'
        '<p class="casebook-claim__sentence">Here it is 20 &amp; more.</p></div>'
    )
    assert bundle["text/plain"] == (
        "The source says: Missing a fraud costs <10x> a false alarm. Corrected. Here it is 20 & more."
    )
    with pytest.raises(FrozenInstanceError):
        judgement.unit = "x"  # type: ignore[misc]


def test_values_and_anchor_in_the_box(shown: list[dict[str, Any]]) -> None:
    record("3.fraud-ratio", Bounds(6, 20), value="6 to 20", unit="times", cell="fraud-costs", claims=CLAIMS)
    record("3.fraud-ratio", np.array([6, 20]), value=13, claims=CLAIMS)
    first, second = (bundle[MIME] for bundle in shown)
    assert (first["values"], first["value"], first["unit"]) == (
        {"low": 6.0, "high": 20.0},
        "6 to 20",
        "times",
    )
    assert (first["cell"], first["anchor"], first["verdict"]) == (
        "fraud-costs",
        "claim-3-fraud-ratio",
        "depends",
    )
    assert (second["values"], second["value"]) == ([6.0, 20.0], 13.0)


def test_untestable_and_absent_claims(shown: list[dict[str, Any]]) -> None:
    taste = record("3.opinion", claims=CLAIMS)
    assert (taste.verdict, taste.sentence) == (Verdict.NOT_TESTABLE, "A matter of taste.")
    assert "casebook-claim--not-testable" in shown[0]["text/html"]
    absent = record("4.churn-rate", not_run="data absent", claims=CLAIMS)
    assert (absent.verdict, absent.sentence) == (Verdict.NOT_RUN, "Not run here (data absent).")


OFTEN, HALF, NEVER = (share_holding(np.arange(20) < holds) for holds in (19, 10, 0))


@pytest.mark.parametrize(
    ("share", "null_share", "verdict"),
    [
        (OFTEN, NEVER, Verdict.CONFIRMED),
        (OFTEN, OFTEN, Verdict.CORRECTED),  # the finding does not vanish
        (OFTEN, HALF, Verdict.CORRECTED),
        (HALF, NEVER, Verdict.CORRECTED),
        (share_holding(np.arange(20) < 17), NEVER, Verdict.DEPENDS),  # 0.85, Wilson to 0.95
    ],
)
def test_morals(shown: list[dict[str, Any]], share: Any, null_share: Any, verdict: Verdict) -> None:
    judgement = record_moral("3.threshold-wins", share, null_share, "s", claims=CLAIMS)
    assert judgement.verdict is verdict
    assert judgement.values == {"low": share.low, "high": share.high}
    assert judgement.value == f"{share.holds} of 20 worlds, {null_share.holds} of 20 null worlds"
    assert "Our moral" in shown[0]["text/html"]


def test_record_refuses(shown: list[dict[str, Any]]) -> None:
    text = "claim_id must be an id of claims.yml, got '3.fraud-ration'; did you mean '3.fraud-ratio'."
    with pytest.raises(ContractError, match=refused(text)):
        record("3.fraud-ration", 7, claims=CLAIMS)
    text = "claim_id must be an id of claims.yml, got 'zzz'; add it to claims.yml."
    with pytest.raises(ContractError, match=refused(text)):
        record("zzz", 7, claims=CLAIMS)
    text = "claim '3.threshold-wins' must be a claim, got a moral; use record_moral with its shares of worlds."
    with pytest.raises(ContractError, match=refused(text)):
        record("3.threshold-wins", 1.0, claims=CLAIMS)
    text = "claim '3.fraud-ratio' must be a moral, got a claim; use record with its values."
    with pytest.raises(ContractError, match=refused(text)):
        record_moral("3.fraud-ratio", OFTEN, NEVER, claims=CLAIMS)
    text = "values must be None where the claim was not run, got 7; leave out values or not_run."
    with pytest.raises(ContractError, match=refused(text)):
        record("3.fraud-ratio", 7, not_run="data absent", claims=CLAIMS)
    assert shown == []


def notebook(*bundles: dict[str, Any]) -> nbformat.NotebookNode:
    cells = [new_markdown_cell("text"), new_code_cell("1", outputs=[new_output("stream", text="1")])]
    for bundle in bundles:
        data = {kind: text for kind, text in bundle.items() if kind != MIME}
        output = new_output("display_data", data=data, metadata={MIME: bundle[MIME]})
        cells.append(new_code_cell("c", outputs=[output]))
    return new_notebook(cells=cells)


@pytest.fixture
def complete(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    record_moral("3.threshold-wins", OFTEN, NEVER, "s", claims=CLAIMS)
    record("3.opinion", claims=CLAIMS)
    record("3.fraud-ratio", 7, claims=CLAIMS, cell="fraud-costs")
    return shown


def test_ledger_collects_from_nodes_and_files(complete: list[dict[str, Any]], tmp_path: Path) -> None:
    node = notebook(*complete)
    place = tmp_path / "03_x.ipynb"
    nbformat.write(node, place)
    assert collect(node) == collect(place) == collect(str(place)) == [bundle[MIME] for bundle in complete]
    entries = ledger({"03_x": node, "04_y": notebook()})
    assert [entry["id"] for entry in entries] == ["3.fraud-ratio", "3.opinion", "3.threshold-wins"]
    assert [entry["link"] for entry in entries][:2] == [
        "notebooks/03_x.html#claim-3-fraud-ratio",
        "notebooks/03_x.html#claim-3-opinion",
    ]
    assert ledger_problems(entries, CLAIMS) == []


def test_ledger_misses_a_claim_of_a_finished_section(complete: list[dict[str, Any]]) -> None:
    entries = ledger({"03_x": notebook(*complete[:2])})
    text = "No cell records claim '3.fraud-ratio' of the finished section 3; record it."
    assert ledger_problems(entries, CLAIMS) == [text]


def test_ledger_finds_a_claim_recorded_twice(complete: list[dict[str, Any]]) -> None:
    entries = ledger({"03_x": notebook(*complete), "03_x_claims": notebook(complete[2])})
    text = "Claim '3.fraud-ratio' is recorded by 2 cells (03_x and 03_x_claims), each 'confirmed'; keep one."
    assert ledger_problems(entries, CLAIMS) == [text]


def test_ledger_finds_cells_that_differ(complete: list[dict[str, Any]]) -> None:
    record("3.fraud-ratio", 70, claims=CLAIMS)
    entries = ledger({"03_x": notebook(*complete)})
    text = (
        "Two cells judge claim '3.fraud-ratio' differently ('confirmed' in 03_x, 'corrected' in 03_x); "
        "keep the one that is right."
    )
    assert ledger_problems(entries, CLAIMS) == [text]


def test_ledger_finds_an_unknown_id(complete: list[dict[str, Any]]) -> None:
    entries = ledger({"03_x": notebook(*complete)})
    entries.append({**entries[0], "id": "9.unknown"})
    text = "03_x records claim '9.unknown', which claims.yml does not have; add it or mend the id."
    assert ledger_problems(entries, CLAIMS) == [text]
