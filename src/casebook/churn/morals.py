"""Which column of which study speaks for each moral of chapter 4: one table for the claims page and for the tests."""

from __future__ import annotations

from casebook.claims import Moral

MORALS = {
    moral.claim: moral
    for moral in (
        Moral("4.uplift-beats-risk", "04_lists", "uplift_beats_risk", "ch4-flip"),
        Moral("4.risk-beats-uplift", "04_lists", "risk_beats_uplift", "ch4-flip"),
        Moral("4.worth-beats-risk-value", "04_lists", "worth_beats_risk_value", "ch4-money"),
        Moral("4.risk-value-beats-worth", "04_lists", "risk_value_beats_worth", "ch4-money"),
        Moral("4.value-pays", "04_lists", "value_pays", "ch4-money"),
        Moral("4.everybody-loses", "04_lists", "everybody_loses", "ch4-money"),
        Moral("4.source-loses", "04_lists", "source_loses", "ch4-threshold"),
        Moral("4.pilot-shows-effect", "04_pilot", "pilot_shows_effect", "ch4-pilot-size"),
        Moral("4.pilot-covers", "04_pilot", "covers", "ch4-itt"),
        Moral("4.trajectory-matters-most", "04_trajectory", "trajectory_matters_most", "ch4-trajectory"),
        Moral("4.trajectory-matters-most-due", "04_trajectory", "trajectory_matters_most_due", "ch4-trajectory"),
        Moral("4.trajectory-pays", "04_trajectory", "trajectory_pays", "ch4-trajectory"),
        Moral("4.boosted-beats-logistic", "04_models", "boosted_beats_logistic", "ch4-model"),
        Moral("4.weights-move-ranking", "04_models", "weights_move_ranking", "ch4-weights"),
        Moral("4.naive-wrong-sign", "04_history", "naive_wrong_sign", "ch4-history"),
        Moral("4.adjusted-wrong-sign", "04_history", "adjusted_wrong_sign", "ch4-history"),
        Moral("4.adjusted-covers", "04_history", "adjusted_covers", "ch4-history"),
        Moral("4.psi-misses", "04_watch", "psi_misses", "ch4-drift"),
        Moral("4.psi-cries-wolf", "04_watch", "psi_cries_wolf", "ch4-drift"),
        Moral("4.retraining-pays", "04_watch", "retraining_pays", "ch4-retraining"),
        Moral("4.trajectory-best-alone", "04_trajectory", "trajectory_best_alone", "ch4-trajectory"),
        Moral("4.logistic-beats-boosted", "04_models", "logistic_beats_boosted", "ch4-model"),
        Moral("4.auprc-misleads", "04_models", "auprc_misleads", "ch4-which-metric"),
        Moral("4.auc-misleads", "04_models", "auc_misleads", "ch4-which-metric"),
        Moral("4.precision-misleads", "04_models", "precision_misleads", "ch4-which-metric"),
    )
}
