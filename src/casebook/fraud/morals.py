"""Which column of which study speaks for each moral of chapter 5: one table for the claims page and for the tests."""

from __future__ import annotations

from casebook.claims import Moral

ENOUGH_RINGS = "ring_added == ring_added"  # not missing: a world with too few frauds of rings has no value
ENOUGH_NEW = "new_forest == new_forest"  # the same of the new kind

MORALS = {
    moral.claim: moral
    for moral in (
        Moral("5.own-beat-source", "05_tiers", "source_loses_to_own_costs", "ch5-worlds"),
        Moral("5.amount-pays", "05_tiers", "amount_beats_mean", "ch5-worlds"),
        Moral("5.entry-pays", "05_tiers", "entry_beats_all", "ch5-worlds"),
        Moral("5.push-gains", "05_tiers", "push_gains", "ch5-worlds"),
        Moral("5.push-most", "05_tiers", "push_is_most_of_gain", "ch5-worlds"),
        Moral("5.second-cut", "05_tiers", "two_beat_one", "ch5-worlds"),
        Moral("5.third-cut", "05_tiers", "three_beat_two", "ch5-worlds"),
        Moral("5.call-never", "05_tiers", "call_dominated", "ch5-tiers"),
        Moral("5.junior-beats-source", "05_tiers", "source_loses_to_junior", "ch5-worlds"),
        Moral("5.source-below-nothing", "05_tiers", "source_worse_than_nothing", "ch5-worlds"),
        Moral("5.push-beats-block", "05_push", "push_beats_block", "ch5-tiers"),
        Moral("5.push-beside-block", "05_push", "push_helps", "ch5-tiers"),
        Moral("5.push-mistaken", "05_push", "mistaken_loses", "ch5-tiers"),
        Moral("5.wrong-level-costs", "05_odds", "distortion_costs", "ch5-calibration"),
        Moral("5.mending-pays", "05_odds", "mending_pays", "ch5-calibration"),
        Moral("5.wrong-level-ruins", "05_odds", "distorted_worse_than_nothing", "ch5-calibration"),
        Moral("5.counts-find-rings", "05_graph", "entity_pays", "ch5-graph-map", ENOUGH_RINGS),
        Moral("5.graph-finds-rings", "05_graph", "graph_pays", "ch5-graph-map", ENOUGH_RINGS),
        Moral("5.graph-leads", "05_graph", "graph_leads", "ch5-graph-map", ENOUGH_RINGS),
        Moral("5.counts-lead", "05_graph", "entity_leads", "ch5-graph-map", ENOUGH_RINGS),
        Moral("5.graph-adds", "05_graph", "graph_adds", "ch5-graph-map", ENOUGH_RINGS),
        Moral("5.walks-beat-counts", "05_graph", "structure_leads", "ch5-graph-map", ENOUGH_RINGS),
        Moral("5.boosted-beats-logistic", "05_models", "boosted_beats_logistic", "ch5-models-drawn"),
        Moral("5.boosted-beats-rules", "05_models", "boosted_beats_rules", "ch5-models-drawn"),
        Moral("5.random-flatters", "05_models", "random_split_flatters", "ch5-optimism"),
        Moral("5.cards-flatter", "05_models", "card_split_flatters", "ch5-optimism"),
        Moral("5.leak-flatters", "05_models", "leak_flatters", "ch5-optimism"),
        Moral("5.whole-table-hurts", "05_models", "whole_table_hurts", "ch5-optimism"),
        Moral("5.forest-sees-new", "05_novel", "forest_sees_more", "ch5-anomaly", ENOUGH_NEW),
        Moral("5.refit-sees-new", "05_novel", "refit_sees_more", "ch5-anomaly", ENOUGH_NEW),
        Moral("5.labels-see-known", "05_novel", "labels_see_known", "ch5-anomaly", ENOUGH_NEW),
        Moral("5.forgets", "05_selective", "forgets", "ch5-selective"),
        Moral("5.forgets-though-kept", "05_selective", "forgets_though_kept", "ch5-selective"),
        Moral("5.keeping-mends", "05_selective", "keeping_mends", "ch5-selective"),
        Moral("5.looks-worse", "05_selective", "looks_worse", "ch5-selective"),
        Moral("5.weighing-mends", "05_selective", "weighing_mends", "ch5-selective"),
        Moral("5.exploration-mends", "05_selective", "exploration_mends", "ch5-selective"),
        Moral("5.weights-help", "05_selective", "weights_help", "ch5-selective"),
        Moral("5.blocked-labels-pay", "05_selective", "labels_pay", "ch5-selective"),
        Moral("5.exploration-pays", "05_selective", "exploration_pays", "ch5-selective"),
        Moral("5.answers-help", "05_push_labels", "answers_help", "ch5-push-label"),
        Moral("5.trusting-hurts", "05_push_labels", "trusting_hurts", "ch5-push-label"),
        Moral("5.answers-beat-prompt", "05_push_labels", "answers_beat_prompt", "ch5-push-label"),
        Moral("5.answers-pay", "05_push_labels", "answers_pay", "ch5-push-label"),
        Moral("5.daily-pays", "05_retrain", "daily_pays", "ch5-retraining"),
        Moral("5.weekly-pays", "05_retrain", "weekly_pays", "ch5-retraining"),
        Moral("5.holdback-one", "05_holdback", "shows_1", "ch5-holdback"),
        Moral("5.holdback-five", "05_holdback", "shows_5", "ch5-holdback"),
        Moral("5.holdback-half", "05_holdback", "shows_50", "ch5-holdback"),
    )
}
