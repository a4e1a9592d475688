"""Which column of which study speaks for each moral of chapter 7: one table for the claims page and for the tests."""

from __future__ import annotations

from casebook.claims import Moral

MORALS = {
    moral.claim: moral
    for moral in (
        Moral("7.mint-helps-leaves", "07_reconcile", "mint_helps_leaves", "ch7-reconcile-worlds"),
        Moral("7.mint-hurts-leaves", "07_reconcile", "mint_hurts_leaves", "ch7-reconcile-worlds"),
        Moral("7.mint-helps-total", "07_reconcile", "mint_helps_total", "ch7-reconcile-worlds"),
        Moral("7.mint-hurts-total", "07_reconcile", "mint_hurts_total", "ch7-reconcile-worlds"),
        Moral("7.ols-hurts-leaves", "07_reconcile", "ols_hurts_leaves", "ch7-reconcile-worlds"),
        Moral("7.shrink-beats-ols", "07_reconcile", "shrink_beats_ols", "ch7-reconcile-worlds"),
        Moral("7.bottom-up-hurts-total", "07_reconcile", "bottom_up_hurts_total", "ch7-reconcile-worlds"),
        Moral("7.bottom-up-helps-total", "07_reconcile", "bottom_up_helps_total", "ch7-reconcile-worlds"),
        Moral("7.nothing-to-reconcile", "07_reconcile", "changes_nothing", "ch7-reconcile-worlds"),
        Moral("7.planner-helps", "07_planners", "helps", "ch7-planner"),
        Moral("7.planner-disagree", "07_planners", "disagree", "ch7-planner"),
        Moral("7.trust-safe", "07_planners", "trust_safe", "ch7-planner"),
        Moral("7.trust-beats", "07_planners", "trust_beats", "ch7-planner"),
        Moral("7.per-sku-pays", "07_money", "per_sku_beats_global", "ch7-worlds"),
        Moral("7.per-sku-beats-all", "07_money", "per_sku_beats_all", "ch7-worlds"),
        Moral("7.shelf-life-pays", "07_money", "life_beats_per_sku", "ch7-worlds"),
        Moral("7.fractile-beats-mean", "07_money", "fractile_beats_mean", "ch7-worlds"),
        Moral("7.p95-loses", "07_money", "p95_loses_to_fractile", "ch7-worlds"),
        Moral("7.daily-overorders", "07_money", "sum_of_daily_quantiles_overorders", "ch7-worlds"),
        Moral("7.daily-loses", "07_money", "sum_of_daily_loses", "ch7-worlds"),
        Moral("7.mean-beats-last-week", "07_money", "mean_beats_last_week", "ch7-worlds"),
        Moral("7.source-count-picks", "07_money", "source_count_picks_same_policy", "ch7-worlds"),
        Moral("7.own-count-picks", "07_money", "own_count_picks_same_policy", "ch7-worlds"),
        Moral("7.naive-lift-overstates", "07_lift", "naive_overstates", "ch7-lift"),
        Moral("7.adjusted-lift-closer", "07_lift", "adjusted_closer", "ch7-lift"),
        Moral("7.regions-lift-closer", "07_lift", "regions_closer", "ch7-lift"),
        Moral("7.net-lift-smaller", "07_lift", "net_smaller", "ch7-lift"),
        Moral("7.stock-hides-lift", "07_lift", "stock_hides", "ch7-lift"),
        Moral("7.promotions-cost", "07_lift", "margin_falls", "ch7-lift"),
        Moral("7.category-beats-global", "07_new", "category_beats_global", "ch7-new"),
        Moral("7.shrunk-beats-own", "07_new", "shrunk_beats_own", "ch7-new"),
        Moral("7.late-alike", "07_new", "late_alike", "ch7-new"),
        Moral("7.content-helps", "07_new", "content_helps", "ch7-new"),
        Moral("7.product-helps", "07_new", "product_helps", "ch7-new"),
        Moral("7.trees-short", "07_stacked", "trees_short", "ch7-stacked"),
        Moral("7.cascade-closer", "07_stacked", "cascade_closer", "ch7-stacked"),
        Moral("7.cascade-over", "07_stacked", "cascade_over", "ch7-stacked"),
        Moral("7.capped-closer", "07_stacked", "capped_closer", "ch7-stacked"),
        Moral("7.cap-helps", "07_stacked", "cap_helps", "ch7-stacked"),
        Moral("7.refit-weekly", "07_refit", "weekly_helps", "ch7-refit"),
        Moral("7.refit-monthly-does", "07_refit", "monthly_does", "ch7-refit"),
    )
}
