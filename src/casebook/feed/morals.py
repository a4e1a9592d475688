"""Which column of which study speaks for each moral of chapter 8: one table for the claims page and for the tests."""

from __future__ import annotations

from casebook.claims import Moral

MORALS = {
    moral.claim: moral
    for moral in (
        Moral("8.spillover-understates", "08_spillover", "naive_understates", "ch8-spillover"),
        Moral("8.clusters-mend", "08_spillover", "clusters_less_biased", "ch8-spillover"),
        Moral("8.clusters-pay-small", "08_spillover", "clusters_pay_small", "ch8-spillover"),
        Moral("8.clusters-pay-large", "08_spillover", "clusters_pay_large", "ch8-spillover"),
        Moral("8.novelty-inflates", "08_novelty", "full_overstates", "ch8-novelty"),
        Moral("8.week2-still-inflated", "08_novelty", "week2_overstates", "ch8-novelty"),
        Moral("8.week2-closer", "08_novelty", "week2_closer_small", "ch8-novelty"),
        Moral("8.decay-closest-small", "08_novelty", "decay_closest_small", "ch8-novelty"),
        Moral("8.decay-closest-large", "08_novelty", "decay_closest_large", "ch8-novelty"),
        Moral("8.novelty-launches-loser", "08_novelty", "launches_loser", "ch8-novelty"),
        Moral("8.holdback-misses", "08_holdback", "last_week_misses", "ch8-holdback"),
        Moral("8.holdback-nearer", "08_holdback", "last_week_nearer", "ch8-holdback"),
        Moral("8.holdback-wrong-sign", "08_holdback", "wrong_sign", "ch8-holdback"),
        Moral("8.standing-holdback-misses", "08_holdback", "standing_misses", "ch8-holdback"),
        Moral("8.report-launches-harm", "08_report", "launched_harmful", "ch8-faults"),
        Moral("8.report-holds-worthwhile", "08_report", "held_worthwhile", "ch8-faults", only="worthwhile"),
        Moral("8.report-false-alarm", "08_report", "false_alarm", "ch8-faults", only="clean"),
    )
}
