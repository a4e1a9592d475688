"""Which column of which study speaks for each moral of chapter 3: one table for the claims page and for the tests."""

from __future__ import annotations

from casebook.claims import Moral

MORALS = {
    moral.claim: moral
    for moral in (
        Moral("3.costs-beat-half", "03_thresholds", "costs_pay", "ch3-evaluation"),
        Moral("3.calibration-pays", "03_calibration", "calibration_pays", "ch3-calibration"),
        Moral("3.amounts-pay", "03_amounts", "amounts_pay", "ch3-amounts"),
        Moral("3.weights-idle", "03_weights", "weights_move_money", "ch3-weights"),
        Moral("3.risk-misleads", "03_calls", "risk_misleads", "ch3-actions-change"),
        Moral("3.uplift-beats-risk", "03_calls", "uplift_beats_risk", "ch3-actions-change"),
        Moral("3.correct-label-shift", "03_shift", "correction_pays", "ch3-undersampling", "other_cases < 1 / 3"),
        Moral("3.correction-harms", "03_shift", "correction_hurts", "ch3-undersampling", "other_cases > 2 / 3"),
        Moral("3.kept-beats-risk", "03_calls", "kept_beats_risk", "ch3-actions-change"),
    )
}
