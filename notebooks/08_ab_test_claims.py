# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["install", "remove-cell"]
# business-ml-casebook

# %% [markdown]
# # 8. A/B test analysis for a feature launch: the claims, tested
#
# Every claim of the source's section, and every moral of [the chapter](08_ab_test), with the cell that judges it. A verdict is
# computed: values all inside the claimed figure confirm it, none inside correct it, some inside mean that it depends. Where the
# source gives no number, the claim says how we read it. "We tested" stands over claims that the source does not make and that
# its readers do. The stated assumptions stand in the cell.

# %% tags=["parameters"]
seed = 8
scale = "small"

# %%
import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chisquare, norm

# %%
from casebook import experiments as ex
from casebook import studies
from casebook.claims import record, record_moral
from casebook.feed.claim_checks import lost_by_bar, play_tests, star_and_worth
from casebook.feed.dials import FAULT_DIALS, PROGRAMME, Programme
from casebook.feed.forking import aa_readings, within_segments
from casebook.feed.lost_units import (
    heavy_users_crash,
    loss_by_crash,
    loss_readings,
)
from casebook.feed.morals import MORALS
from casebook.feed.plays_novelty import MATERIAL
from casebook.feed.programme_wins import after_estimate, wins_of
from casebook.feed.simulate import simulate
from casebook.feed.tables import user_table
from casebook.feed.world import World
from casebook.worlds import draw_dials, share_holding

# %%
rng = np.random.default_rng(seed)
n = {"small": 200_000, "full": 1_000_000}[scale]

# %% [markdown]
# The chapter's feed and its sound test: 5% on a new ranker that adds 2% of minutes, 5% as control, two weeks.

# %%
feed = simulate(World(), n, rng)
users = user_table(feed.tables)
tested = users[users["arm"] != "rest"]
on_new = (tested["arm"] == "new").to_numpy()
control = users[users["arm"] == "control"].set_index("user_id")
untreated = users.loc[users["arm"] == "rest", "minutes"].to_numpy()
mean, spread = untreated.mean(), untreated.std() / untreated.mean()
programme = Programme()
dial = {one.name: one for one in FAULT_DIALS}


# %%
def each(shares, digits=0):
    """Return a mapping of words to shares in words."""
    return ", ".join(f"{v:.{digits}%} ({k})" for k, v in shares.items())


# %% [markdown]
# ## Set up the question
#
# Feeds of 200,000, one million and ten million users, 5% of them in each arm; users differ as in the chapter's.

# %%
power = {
    f"{k:,}": ex.power_of_mean(spread * mean, 0.02 * mean, 0.05 * k, 0.05 * k)
    for k in (200_000, 1_000_000, 10_000_000)
}
needed = ex.sample_size_mean(spread * mean, 0.02 * mean).total / 2
record(
    "8.two-weeks-see",
    list(power.values()),
    f"A gain of 2% is seen in {each(power)} of tests, by users of the feed. "
    f"80% take {needed:,.0f} users an arm.",
    cell="ch8-questions",
)

# %% [markdown]
# Users were randomised: split a thousand of the control at random, and read clicks, likes and hides per impression as if
# impressions were independent.

# %%
some = control[control["impressions"] > 0].head(1_000)
views = some["impressions"].to_numpy()
viewer = np.repeat(np.arange(len(some)), views)
place = np.arange(len(viewer)) - np.repeat(views.cumsum() - views, views)
by_view, by_user = (
    {
        name: ex.aa_test(
            (place < some[name].to_numpy()[viewer]).astype(float),
            rng,
            cluster=viewer,
            aware=aware,
            splits=1_000,
        ).rate
        for name in ("clicks", "likes", "hides")
    }
    for aware in (False, True)
)

# %%
record(
    "8.unit",
    list(by_view.values()),
    f"Impressions taken for independent show a star in {each(by_view)} of A/A "
    f"splits; clustered by user in {each(by_user, 1)}.",
    cell="ch8-unit",
)

# %% [markdown]
# The 90%, on the same code, as control in place of the 5%.

# %%
arms = ex.arm_moments(users, "minutes", "arm")
se_against = {
    base: ex.relative_effect(arms["new"], arms[base]).se
    for base in ("control", "rest")
}
five, ninety = se_against["control"], se_against["rest"]
path = dial["code_path"]
record(
    "8.ninety-idle",
    1 - ninety / five,
    f"The standard error falls by {1 - ninety / five:.0%}, as with "
    f"{(five / ninety) ** 2:.1f} times the users. But a code path of their "
    f"own that shows {path.high:.0%} more or less biases the reading by as "
    f"much, and the standard error here is {ninety:.1%}.",
    cell="ch8-ninety",
)

# %% [markdown]
# ## Frame the analysis
#
# ### Sanity (SRM)

# %%
seen, planned = np.array([0.047, 0.052, 0.901]), np.array([0.05, 0.05, 0.90])
sizes = [1_000, 10_000, 30_000, 100_000, 1_000_000]
by_n = {k: ex.srm(np.round(k * seen), planned).p for k in sizes}
record(
    "8.srm-shares",
    list(by_n.values()),
    "p is "
    + ", ".join(f"{p:.2g} ({k:,} users)" for k, p in by_n.items())
    + f". It is below 0.01 from {ex.srm_n(seen, planned):,} users on, and "
    f"below 0.001 from {ex.srm_n(seen, planned, 0.001):,}.",
    cell="ch8-srm",
)

# %% [markdown]
# A sound lot, and a client that crashes on some slow phones of the new arm before it has logged anything: the middle of the
# dial's range. We draw the lot two thousand times and keep the tests with a mismatch.

# %%
crash_dial = dial["crash"]
crashing = simulate(World(crash=float(crash_dial.at(0.5))), n, rng).truth
lots = rng.multinomial(n, planned, 2_000)
logged = lots.copy()
logged[:, 0] -= rng.binomial(lots[:, 0], crashing.arms.crash.mean())
drawn_p, logged_p = (
    chisquare(k, np.outer(k.sum(axis=1), planned), axis=1).pvalue
    for k in (lots, logged)
)
mismatched = logged_p < 0.01
off = share_holding(drawn_p[mismatched] < 0.01)
record(
    "8.srm-lot",
    off,
    f"{mismatched.mean():.0%} of the tests have a mismatch; in {off} of these "
    "the arms were off as drawn, which is what 0.01 allows. The lot is sound, "
    "for so this feed is made; the client is not. Redirects, filters and joins can do the same.",
    cell="ch8-srm-cause",
)

# %% [markdown]
# What the logs then say, but for luck: crashes from the middle of the dial's range up to its end, all of which a test of this
# size finds, where light users crash most; and the middle of the range once more, where heavy users do.

# %%
levels = crash_dial.at(np.array([0.5, 0.75, 1.0]))
by_crash = loss_by_crash(crashing, levels)
errors = (by_crash["as logged"] - by_crash["ranker"]).tolist()
heavy = loss_readings(crashing, heavy_users_crash(crashing))
errors.append(heavy["as logged"] - heavy["ranker"])
light = loss_readings(crashing)
assert (by_crash["users"] < n).all() and min(errors) > 0
record(
    "8.srm-distrust",
    errors,
    f"Off by {min(errors):.1%} to {max(errors):.1%} of minutes, upwards, "
    "since slow phones are used less than others. At the middle of the range "
    f"the logs say {light['as logged']:+.1%}, and a launch as tested brings "
    f"{light['launched as tested']:+.1%}.",
    cell="ch8-srm-cause",
)

# %% [markdown]
# ### Effect and interval
#
# Tests drawn from users whom nobody treated, with a true gain of 2% and without one, at four sizes.

# %%
arm_sizes = (1_000, 2_500, 10_000, 40_000)
played = {
    (k, gain): play_tests(untreated, gain, k, rng, tests=1_000)
    for k in arm_sizes
    for gain in (0.0, 0.02)
}
covers = {f"{k:,}": played[k, 0.02]["covers"].mean() for k in arm_sizes}
record(
    "8.interval-covers",
    list(covers.values()),
    f"{each(covers, 1)} of intervals, by users in an arm, hold the true gain.",
    cell="ch8-effect",
)

# %% [markdown]
# Among significant tests by theory, which has no luck in it, and as drawn at 10,000 users an arm.

# %%
starred, bar = {}, norm.isf(0.025)
for k in arm_sizes:
    z = 0.02 / (spread * np.sqrt(2 / k))
    beyond = norm.sf(max(bar, z - bar) - z) - norm.sf(bar)
    starred[f"{k:,}"] = beyond / ex.exaggeration(z, 1.0).power
as_drawn = played[10_000, 0.02].query("star")["covers"].mean()
record(
    "8.star-covers",
    list(starred.values()),
    f"Among significant tests {each(starred)}, by users in an arm; as drawn "
    f"at 10,000 {as_drawn:.0%}. A star in a small test takes luck, and the "
    "interval does not know that it was picked.",
    cell="ch8-magnitude",
)

# %% [markdown]
# Both launches at p = 0.04. What is left of them in this feed's programme, and in a hundred programmes from the dials' ranges.


# %%
def left_of(rise, programme=programme):
    """Return what is known after a rise at p = 0.04."""
    return after_estimate(programme, rise, rise / norm.isf(0.02))


drawn = draw_dials(PROGRAMME, 100, rng).to_numpy()
tiny, huge = (
    pd.Series([left_of(rise, Programme(*row)).expected for row in drawn])
    for rise in (0.001, 0.05)
)
tiny_here, huge_here = left_of(0.001), left_of(0.05)

# %% [markdown]
# A year of minutes at 0.004 dollars each, in the smallest feed that can show 0.1% at p = 0.04: half of its users in each arm,
# and 5%. Shipping costs 50,000 or a million dollars.

# %%
arm_for_tiny = 2 * (spread * norm.isf(0.02) / 0.001) ** 2
year = mean * 26 * 0.004
gains = {
    f"{share:.0%} in an arm, ${cost:,}": arm_for_tiny
    / share
    * year
    * tiny_here.expected
    / cost
    for share in (0.5, 0.05)
    for cost in (50_000, 1_000_000)
}
record(
    "8.tiny-win",
    list(gains.values()),
    f"It takes {arm_for_tiny / 1e6:.0f} million users an arm to see it, and a "
    "feed of that size earns, per dollar of cost, "
    + ", ".join(f"{gain:.2g} ({words})" for words, gain in gains.items())
    + f", though {tiny_here.expected:.3%} is all that is left of 0.1%.",
    cell="ch8-effect",
)

# %%
arm_for_huge = 2 * (spread * norm.isf(0.02) / 0.05) ** 2
se = 0.05 / norm.isf(0.02)
shown = wins_of(programme, se).exaggeration
ends = [huge_here.expected, *huge.quantile([0.1, 0.5, 0.9])]
record(
    "8.huge-win",
    ends,
    f"{arm_for_huge:,.0f} users an arm, and an interval from "
    f"{0.05 - 1.96 * se:.1%} to {0.05 + 1.96 * se:.1%}. The programme leaves "
    f"{huge_here.expected:.1%} of it (others {ends[1]:.1%} to {ends[3]:.1%}); "
    f"no gain is behind it in {huge_here.no_gain:.0%} of cases, and wins of "
    f"such tests are shown {shown:.0f} times too large.",
    cell="ch8-effect",
)

# %%
again = {
    "at its word": ex.chance_of_replication(0.04),
    "spread by its error": ex.chance_of_replication(0.04, flat=True),
    "0.1% in the programme": tiny_here.replication,
    "5% in the programme": huge_here.replication,
}
record(
    "8.star-returns",
    list(again.values()),
    f"{each(again)}.",
    cell="ch8-effect",
)

# %% [markdown]
# ### Guardrails
#
# Four guardrails with margins of 10, 5, 3 and 2 percent. The source's rule reads the estimate. Harm of twice the margin is done
# to sessions, the bluntest of the four.

# %%
visited = (tested["sessions"] > 0).to_numpy()
load, on_load = tested["load_ms"][visited], on_new[visited]
views_of = tested["impressions"], on_new
guards = {
    "hides": ex.ratio_difference(tested["hides"], *views_of),
    "likes": ex.ratio_difference(tested["likes"], *views_of),
    "load time": ex.difference(load, on_load),
    "sessions": ex.difference(tested["sessions"], on_new),
}
margins = np.array([0.10, 0.05, 0.03, 0.02])
ses = np.array([one.se / one.control_mean for one in guards.values()])
ses *= np.sqrt(len(tested) / 2 / 10_000)  # in arms of 10,000

# %%
harm = np.array([0, 0, 0, 2 * margins[-1]])
rules = {
    k: ex.veto_rules(ses * np.sqrt(10_000 / k), margins, harm)
    for k in (2_500, 10_000, 40_000, 160_000)
}
missed, spoiled = (
    {f"{k:,}": table.loc["estimate", column] for k, table in rules.items()}
    for column in ("missed", "false_veto")
)
just = ex.veto_rules(ses / 4, margins, harm / 2).loc["estimate", "missed"]
record(
    "8.guard-sees",
    list(missed.values()),
    f"It lets {each(missed)} through, by users in an arm. Harm of just the "
    f"threshold passes in {just:.0%} even in the largest of these tests.",
    cell="ch8-guardrails",
)

# %%
twenty = ex.veto_rules(np.ones(20), np.full(20, 2.0), np.full(20, 4.0))
record(
    "8.guard-spares",
    list(spoiled.values()),
    f"It stops {each(spoiled)} of harmless launches, by users in an arm. "
    f'"Significantly worse" in any of twenty guardrails stops '
    f"{twenty.loc['significant', 'false_veto']:.0%} at any size.",
    cell="ch8-guardrails",
)

# %% [markdown]
# ## Common pitfalls in A/B analysis
#
# ### Several metrics
#
# 5, 10 and 20 independent metrics: none moved, and one in five moved with a power of 80% each.

# %%
metrics = (5, 10, 20)
idle = {m: ex.correction_rates(m, 0, rng) for m in metrics}
moved = {m: ex.correction_rates(m, m // 5, rng) for m in metrics}
costs = {m: ex.correction_cost(m) for m in metrics}
any_star = {f"{m} metrics": idle[m].loc["none", "any_false"] for m in metrics}
record(
    "8.many-metrics",
    list(any_star.values()),
    f"A star somewhere in {each(any_star)}.",
    cell="ch8-multiple",
)

# %%
mended = {m: idle[m].loc["bonferroni", "any_false"] for m in metrics}
alike = ex.correction_rates(20, 0, rng, correlation=0.6)
mended["20, correlated"] = alike.loc["bonferroni", "any_false"]
record(
    "8.bonferroni-holds",
    list(mended.values()),
    f"{each(mended, 1)}: too careful where metrics hang together.",
    cell="ch8-multiple",
)

# %%
lost = {m: 0.8 - costs[m]["power_left"] for m in metrics}
record(
    "8.bonferroni-or-plan",
    list(lost.values()),
    "The plan costs nothing. Bonferroni leaves "
    + ", ".join(f"{0.8 - gone:.0%} ({m} metrics)" for m, gone in lost.items())
    + f" of a power of 80%, and {costs[20]['size_factor']:.1f} times the "
    "users bring it back at twenty.",
    cell="ch8-multiple",
)

# %%
false = {m: moved[m].loc["none", "false_share"] for m in metrics}
false["20, none moved"] = idle[20].loc["none", "false_share"]
record(
    "8.secondary-leads",
    list(false.values()),
    f"Of the uncorrected stars {each(false)} are false, by metrics.",
    cell="ch8-multiple",
)

# %% [markdown]
# ### Peeking

# %%
looks = [2, 5, 10, 14, 100]
errors = dict(zip(looks, ex.peeking_error(looks), strict=True))
record(
    "8.peeking-grows",
    list(errors.values()),
    f"{each(errors, 1)}, by looks. Looks share their data, so that it is less "
    "than one less 0.95 to the power of the looks.",
    cell="ch8-peeking",
)

# %% [markdown]
# Three rules on the users of a fixed test that has a power of 80%.

# %%
fixed, root = 10_000, (norm.isf(0.025) + norm.isf(0.2)) / 10_000**0.5
fifths, daily = fixed * np.arange(1, 6) / 5, fixed * np.arange(1, 15) / 14
stops = {
    "O'Brien-Fleming": (fifths, ex.group_sequential(5).critical),
    "Pocock": (fifths, ex.group_sequential(5, kind="pocock").critical),
    "always valid": (daily, ex.always_valid_critical(daily, tuning=fixed)),
}
unplanned = {
    "Pocock's bar, daily": np.full(14, stops["Pocock"][1][0]),
    "O'Brien-Fleming's curve, daily": stops["O'Brien-Fleming"][1][-1]
    * np.sqrt(fixed / daily),
}
errs = {name: ex.expected_n(*rule, 0).stop for name, rule in stops.items()}
off = {name: ex.expected_n(daily, z, 0).stop for name, z in unplanned.items()}
finds = {name: ex.expected_n(*rule, root).stop for name, rule in stops.items()}

# %%
record(
    "8.sequential-holds",
    [*errs.values(), *off.values()],
    f"As planned, five looks or one a day for two weeks: {each(errs, 2)}. Read "
    f"on other days than planned: {each(off, 1)}. Bars that are planned hold "
    "for the looks they were planned for.",
    cell="ch8-fixes",
)

# %%
record(
    "8.sequential-or-fixed",
    [0.8 - power for power in finds.values()],
    f"On the fixed test's users they find the effect in {each(finds)}. A few "
    "planned looks cost little, a test for any time costs much.",
    cell="ch8-fixes",
)

# %% [markdown]
# ### Spillover
#
# By user, what the arms show is their own part of the launch: a quarter of the dial's range, its middle, and three quarters.

# %%
leak = {}
for at in (0.25, 0.5, 0.75):
    passed = float(dial["spillover"].at(at))
    truth = simulate(World(spillover=passed), 20_000, rng).truth
    leak[f"{passed:.2f} passed on"] = (
        1 - truth.contrast() / truth.total().relative
    )
record(
    "8.boundaries-leak",
    list(leak.values()),
    f"Missing of the launch's effect: {each(leak)}.",
    cell="ch8-spillover",
)

# %%
spilling = studies.load("08_spillover").frame
near = share_holding(spilling["clusters_unbiased"])
kept = (spilling["cluster_bias"] / spilling["naive_bias"]).median()
record(
    "8.cluster-mends",
    near,
    f"{near} drawn feeds. In the middle one {kept:.0%} of the bias stays: "
    "friendships cross every border.",
    cell="ch8-spillover",
)

# %%
pays = {
    size: MORALS[f"8.clusters-pay-{size}"].shares()[0]
    for size in ("small", "large")
}
record(
    "8.cluster-pays",
    [share.share for share in pays.values()],
    f"{pays['small']} drawn feeds at 200,000 users, {pays['large']} at ten "
    "million: clusters are wider, and only a large test feels the bias more.",
    cell="ch8-spillover",
)

# %% [markdown]
# ### Novelty

# %%
fading = studies.load("08_novelty").frame
over = MORALS["8.novelty-inflates"].shares()[0]
record(
    "8.novelty-first-days",
    over,
    f"{over} drawn feeds.",
    cell="ch8-novelty",
)

# %%
clean = (fading["week2"] - fading["launch"]).abs() <= MATERIAL
group = pd.cut(fading["half_life"], [1, 2, 4, 7, 14], include_lowest=True)
by_life = pd.DataFrame({"clean": clean, "left": fading["novelty_left"]})
by_life = by_life.groupby(group, observed=True).mean()
spans = {f"{g.left:.0f} to {g.right:.0f} days": g for g in by_life.index}
shares, left = (
    {words: by_life.loc[g, column] for words, g in spans.items()}
    for column in ("clean", "left")
)
record(
    "8.week2-clean",
    list(shares.values()),
    f"By half-life: clean in {each(shares)}. Of the novelty in the whole test "
    f"week 2 still has {each(left)}.",
    cell="ch8-novelty",
)

# %%
more = fading["users_week2"].median()
record(
    "8.week2-half",
    more,
    f"{more:.1f} times the users for the same standard error, since the same "
    "people come back.",
    cell="ch8-novelty",
)

# %% [markdown]
# ### Segments
#
# One cohort gains 5% and the others nothing.

# %%
minutes_of = users.groupby("cohort")["minutes"].sum()
carried = (0.05 * minutes_of / minutes_of.sum()).to_dict()
record(
    "8.average-hides",
    list(carried.values()),
    f"The mean of all minutes moves by {each(carried, 1)}: a mean hides the "
    "gain of those who use little, and no other.",
    cell="ch8-segments",
)

# %% [markdown]
# New users' gain at both ends of the dial's range and in its middle; the standard error is that of this test.

# %%
parts = ex.by_segment(tested["minutes"], on_new, tested["cohort"])
error = (parts["se"] / parts["control_mean"])["new"]
bar = norm.isf(0.05 / 3 / 2)
found = {
    f"gain of {gap:.0%}": norm.sf(bar - gap / error)
    for gap in dial["cohort_gap"].at(np.array([0.0, 0.5, 1.0]))
}
record(
    "8.segments-find",
    list(found.values()),
    f"{each(found)}, with {len(tested) / 2:,.0f} users an arm.",
    cell="ch8-segments",
)

# %%
cuts = control[["platform", "country", "cohort"]]
hunts = {"one by one": 1, "two by two": 2}
hunted, corrected = {}, {}
for words, depth in hunts.items():
    cells = within_segments(control["minutes"], cuts, depth)
    p = aa_readings(cells, rng, splits=300)
    hunted[words] = (p.min(axis=1) < 0.05).mean()
    corrected[words] = np.mean([ex.adjust_p(row).min() < 0.05 for row in p])
record(
    "8.segments-hunt",
    list(hunted.values()),
    f"Phones, countries and cohorts, where nothing differs: a star in "
    f"{each(hunted)}; after Holm in {each(corrected)}.",
    cell="ch8-segments",
)

# %% [markdown]
# ### Power

# %%
aims = (0.1, 0.2, 0.4)
z_of = {
    f"power {aim:.0%}": brentq(
        lambda z, p=aim: ex.exaggeration(z, 1.0).power - p, 0.1, 5
    )
    for aim in aims
}
widths = {words: norm.isf(0.025) / z for words, z in z_of.items()}
times = {words: ex.exaggeration(z, 1.0).type_m for words, z in z_of.items()}
record(
    "8.power-noisy",
    list(widths.values()),
    "The interval reaches "
    + ", ".join(f"{width:.1f} ({words})" for words, width in widths.items())
    + " times the effect to either side. Those with a star show "
    + ", ".join(f"{m:.1f} ({words})" for words, m in times.items())
    + " times the truth. (That the interval reaches as far as the effect is "
    "what a power below a half means.)",
    cell="ch8-power",
)

# %%
small = arm_sizes[:3]
unseen, alarms = (
    {f"{k:,}": rate(played[k, gain]["star"].mean()) for k in small}
    for gain, rate in ((0.02, lambda p: 1 - p), (0.0, float))
)
record(
    "8.power-negatives",
    list(unseen.values()),
    f"A true gain of 2% shows no star in {each(unseen)}, by users in an arm.",
    cell="ch8-power",
)

# %%
record(
    "8.power-positives",
    list(alarms.values()),
    f"With nothing there a star in {each(alarms, 1)}, by users in an arm: the "
    "level does not ask for the size.",
    cell="ch8-magnitude",
)

# %%
se_of = {k: spread * np.sqrt(2 / k) for k in arm_sizes}
wins = {f"{k:,}": wins_of(programme, se).false for k, se in se_of.items()}
record(
    "8.wins-false",
    list(wins.values()),
    f"No gain stands behind {each(wins)} of the significant rises, by users "
    f"in an arm, if {programme.idle:.0%} of ideas do nothing. That is where "
    "low power harms.",
    cell="ch8-magnitude",
)

# %%
signs = {words: ex.exaggeration(z, 1.0).type_s for words, z in z_of.items()}
one_k = ex.exaggeration(0.02, spread * np.sqrt(2 / 1_000))
signs["2% with 1,000 an arm"] = one_k.type_s
record(
    "8.star-sign",
    list(signs.values()),
    f"The sign is wrong in {each(signs, 1)} of significant estimates.",
    cell="ch8-power",
)

# %% [markdown]
# ## Cost-of-decision framing

# %%
decided = studies.load("08_decision").frame
launched = decided[decided["launches_star"]]
losing = share_holding(launched["loses_star"])
record(
    "8.star-not-enough",
    losing,
    f"In {losing} launches at p < 0.05 and up.",
    cell="ch8-money",
)

# %% [markdown]
# What is still to pay is 0.4% of a year's minutes; what the quarter has cost already, another 5%.

# %%
to_pay, spent = 0.004, 0.05
given_away = {
    "cost still to pay": lost_by_bar(programme, to_pay, to_pay),
    "with what is spent": lost_by_bar(programme, to_pay, to_pay + spent),
}
record(
    "8.cost-bar",
    list(given_away.values()),
    f"Of what the programme can earn, {each(given_away)} is given away. What "
    "is spent already is gone either way.",
    cell="ch8-decision",
)

# %%
apart = {}
for k in (10_000, 100_000, 1_000_000, 20_000_000):
    told = star_and_worth(programme, spread, k, to_pay)
    apart[f"{k:,}"] = told["star_only"] + told["pays_only"]
    last = told["star_only"]
record(
    "8.practical",
    list(apart.values()),
    f"They part in {each(apart)} of the programme's tests, by users in an "
    f"arm; in the largest {last:.0%} have a star and do not pay.",
    cell="ch8-decision",
)

# %% [markdown]
# Holdbacks over drawn feeds, by how fast users unlearn the old feed.

# %%
held = studies.load("08_holdback").frame
right = ~held["last_week_misses"]
pace = pd.cut(held["primacy_half_life"], [3, 6, 15, 40], include_lowest=True)
lasting = {
    f"{g.left:.0f} to {g.right:.0f} days": share
    for g, share in right.groupby(pace, observed=True).mean().items()
}
record(
    "8.holdback-30",
    list(lasting.values()),
    f"{each(lasting)}, by half-life; {share_holding(right)} in all.",
    cell="ch8-holdback",
)

# %%
standing = share_holding(~held["standing_misses"])
creators = held["creators"] * held["response"] > 0.1
answered = share_holding(~held.loc[creators, "standing_misses"])
record(
    "8.holdback-long",
    standing,
    f"{standing} drawn feeds; {answered} of those whose creators answer most. "
    "Whoever is held back reads their new posts too.",
    cell="ch8-holdback",
)

# %% [markdown]
# ## Our morals
#
# A moral is a yes-or-no function of a world that returns true or false, run over drawn worlds and over null worlds in which its
# cause is switched off. Which study speaks for a moral stands in `casebook.feed.morals`. The ranges in the texts record the
# committed run and guard it against drift. They are not predictions.


# %%
def moral(claim):
    """Record a moral from its committed study."""
    one = MORALS[claim]
    result = studies.load(one.study)
    share, null = one.shares(result)
    sentence = (
        f"{share} drawn worlds ({share.share:.0%}), {null} null worlds; study "
        f"{one.study} at commit {result.commit}."
    )
    return record_moral(claim, share, null, sentence, cell=one.cell)


moral("8.spillover-understates")

# %%
moral("8.clusters-mend")

# %%
moral("8.clusters-pay-small")

# %%
moral("8.clusters-pay-large")

# %%
moral("8.novelty-inflates")

# %%
moral("8.week2-still-inflated")

# %%
moral("8.week2-closer")

# %%
moral("8.decay-closest-small")

# %%
moral("8.decay-closest-large")

# %%
moral("8.novelty-launches-loser")

# %%
moral("8.holdback-misses")

# %%
moral("8.holdback-nearer")

# %%
moral("8.holdback-wrong-sign")

# %%
moral("8.standing-holdback-misses")

# %%
moral("8.report-launches-harm")

# %%
moral("8.report-holds-worthwhile")

# %%
moral("8.report-false-alarm")

# %% [markdown]
# ## The study's rows
#
# One drawn and one null world of the study of novelty, played again just now; the chapter's other pages recompute another
# study.

# %%
from casebook.feed.studies import STUDIES

novelty = next(one for one in STUDIES if one.name == "08_novelty")
again = studies.verify(
    novelty, studies.load(novelty.name), 1, np.random.default_rng(seed)
)
print(f"{len(again)} values agree.")
