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
# business-ml-casebook[graph,sql]

# %% [markdown]
# # 8. Worked example 5: A/B test analysis for a feature launch
#
# **Read the counts, the interval and the guardrails before the p-value. In the test of this chapter the new ranker truly adds
# {glue:text}`op_truth`; two arms of {glue:text}`op_arm` users can see {glue:text}`op_mde`, and the interval runs from
# {glue:text}`eff_low` to {glue:text}`eff_high`. The test has not failed, it has not answered. Had the client crashed
# on some slow phones, the same test would have promised {glue:text}`srm_logged`, and the launch would have brought
# {glue:text}`srm_launched`: the minutes do not show it, the number of users in the arms does.**
#
# :::{admonition} Steps 2 and 7 of the interview's nine: metric and evaluation, as a case of its own
# :class: step
# In the interview: two minutes of questions, then counts, interval, guardrails in this order. Say "was the split what
# you designed?" before you say "significant".
# :::
#
# You will be able to say whether a test may be read at all, what its interval leaves open, what a win is worth in a
# programme where most ideas do nothing, and what a guardrail can and cannot rule out. Cells with a solid rule are the
# core path; what has no rule can wait. Two pages belong to this one: [deeper and on real
# data](08_ab_test_deeper), and the [claims, tested](08_ab_test_claims). `seed` starts all randomness; `scale` is "small"
# or "full" (ten million users; take a machine with 24 GB).

# %% tags=["parameters"]
seed = 8
scale = "small"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from casebook import cards, studies, style
from casebook.feed.simulate import simulate
from casebook.feed.world import Design, World
from casebook.page import count, dollars, numbers, percent, probability
from casebook.worlds import share_holding

style.use()
rng = np.random.default_rng(seed)
n = {"small": 200_000, "full": 10_000_000}[scale]

# %% [markdown]
# (ch8-prompt)=
# ## The prompt
#
# > "Product team wants to launch a new home-feed algorithm. They ran an A/B test for 2 weeks with 5% / 5% / 90% split. Help
# > interpret."
#
# Maya runs the feed. She wants to launch on Thursday, and she brings a table: minutes per user in the new arm, in the
# control arm, a difference, a star or no star.
#
# The tempting answer reads the star: p below 0.05 and up, launch; otherwise drop it. Its price can be computed before
# anybody opens the table. In a programme like this one, in which {glue:text}`eff_idle` of the ideas do nothing, a
# rise that is significant at this size did nothing or did harm in {glue:text}`eff_false_here` of cases, and its
# estimate is {glue:text}`eff_exaggeration` times the truth. And a ranker that really adds {glue:text}`op_truth` gets
# its star in {glue:text}`op_power` of tests: read that way, the other {glue:text}`op_missed` of such rankers are
# dropped.
#
# ::::{admonition} Say it: the answer in sixty seconds
# :class: say-it
# "Before the effect I'd look at the counts. If the split is not 5, 5 and 90 beyond chance, I stop and find out who is
# missing; I don't reweight. Then the primary metric, the one named before the test, as an effect with its interval,
# next to the smallest effect that pays and the smallest this test could see. If the interval holds both zero and a
# gain worth having, the answer is 'not known', and more users is the remedy. Then guardrails, against margins: was
# harm ruled out, or just not seen? Then who was randomised, whether anybody peeked, and whether the effect fades. If
# it wins, I shrink it: most winners at this size are smaller than they look. Then value against cost, a staged ramp,
# and a holdback to see whether it lasts."
# ::::

# %% tags=["remove-input"]
cards.show(cards.load_card("13_ab_test"))

# %% [markdown]
# ## The company of this chapter
#
# It is simulated, so that every reading can be held against the truth: {glue:text}`op_users` users of a home feed, a
# few of whom use it very much; sessions, and impressions in them; friends; creators. Two weeks, 5% on the new ranker,
# 5% as control, the rest outside the test. This first test is sound and its ranker adds {glue:text}`op_truth`: later
# sections break it, one fault at a time. `truth` holds what each user would have done on either ranker. It judges; no
# estimate uses it. The {term}`dials <dial>` of the studies stand on [the honesty page](../book/honesty.md), those of the
# faults in the folded cell.

# %%
feed = simulate(World(), n, rng)
tables, truth = feed.tables, feed.truth

# %% tags=["hide-cell"]
from casebook.feed.dials import FAULT_DIALS

faults_on = [(d.name, d.low, d.high, d.unit, d.moral) for d in FAULT_DIALS]
dial_columns = ["dial", "from", "to", "unit", "it decides"]
pd.DataFrame(faults_on, columns=dial_columns).set_index("dial")

# %% tags=["core"]
from casebook.feed.tables import user_table

users = user_table(tables)  # one row an assigned account
shown = ["minutes", "sessions", "clicks", "hides", "load_ms"]
by_arm = users.groupby("arm")[shown].mean().round(2)
by_arm.assign(users=users["arm"].value_counts())

# %% [markdown]
# (ch8-questions)=
# ## Set up the question
#
# **Six questions, and the second answers Maya before any data: the test was too small for the effect it looks for.**
# Each question is here because something goes wrong unasked.
#
# | ask | what goes wrong unasked | where |
# | --- | --- | --- |
# | Primary metric and current value? | the best-looking of twenty becomes primary; a percentage without its spread | below; [many metrics](ch8-multiple) |
# | Minimum detectable effect (MDE)? | "not significant" is read as "no effect" | below; [power](ch8-power) |
# | Sample size in each arm? | an arm has lost users, and nobody counts | [the counts](ch8-srm) |
# | Any guardrails? Did any move? | "no significant harm" is read as "no harm" | [guardrails](ch8-guardrails) |
# | Randomised by user, session, impression? | impressions taken for independent: a star far too often | [the unit](ch8-unit) |
# | Novelty or primacy? | two weeks foretell what will have faded, or has yet to come | [days since exposure](ch8-novelty) |
#
# Three more that the source does not list: who decides by which rule, and [was it written down](ch8-own-table)? How
# often has somebody [looked](ch8-peeking)? Can users in one arm [change what the others see](ch8-spillover)?
#
# The first three take one cell. What is a usual value, how much do users differ, and what could arms of this size
# see?

# %% tags=["core"]
from casebook.experiments import mde_mean, power_of_mean, sample_size_mean

rest = users.loc[users["arm"] == "rest", "minutes"]
mean, sd = rest.mean(), rest.std()
size = users["arm"].value_counts()
worth_seeing = 0.02 * mean
two_arms = sd, worth_seeing, size["new"], size["control"]
setup = {
    "minutes a user, two weeks": mean,
    "standard deviation / mean": sd / mean,
    "smallest change seen (80%)": mde_mean(*np.delete(two_arms, 1)) / mean,
    "chance to see a true 2%": power_of_mean(*two_arms),
    "users an arm for 2%": sample_size_mean(sd, worth_seeing).total / 2,
}
as_text = {k: f"{v:,.0f}" if v > 99 else f"{v:.3g}" for k, v in setup.items()}
pd.Series(as_text, name="before the test").to_frame()

# %% tags=["remove-cell"]
op_power = setup["chance to see a true 2%"]
assert scale != "small" or setup["smallest change seen (80%)"] > 0.05
assert scale != "small" or op_power < 0.25
needed_arm = setup["users an arm for 2%"]
numbers(
    op_truth=percent(truth.total().relative),
    op_users=count(n),
    op_arm=count(round(0.05 * n, -2)),
    op_mean=f"{mean:.0f}",
    op_cv=f"{sd / mean:.1f}",
    op_mde=percent(setup["smallest change seen (80%)"], 1),
    op_power=percent(op_power),
    op_missed=percent(1 - op_power),
    op_needed=count(round(needed_arm, -3)),
    op_needed_all=f"{needed_arm / 0.05 / 1e6:.1f} million",
    op_times=f"{needed_arm / (0.05 * n):.0f}",
)

# %% [markdown]
# Users spend {glue:text}`op_mean` minutes in two weeks, with a standard deviation of {glue:text}`op_cv` times that: a
# few use the feed all day. So arms of this size see {glue:text}`op_mde`, and a true 2% in {glue:text}`op_power` of
# tests. For 80% Maya needs {glue:text}`op_needed` users an arm, which at 5% means a feed of
# {glue:text}`op_needed_all`, or arms {glue:text}`op_times` times as large. Cheaper than users: [a measure from
# before](ch8-cuped), and [the 90% as control](ch8-ninety).
#
# :::{admonition} They push back: "Then the test was a waste?"
# :class: they-push-back dropdown
# Not if a loss of a tenth was to be ruled out; that, it can do. For a gain of 2% it was too small on the day it was
# designed, and the time to say so was then. Do not work out the power from the estimate that came out: it is the
# p-value in other words. Take the smallest effect that would change the decision.
# :::
#
# ## Frame the analysis
#
# Counts, effect with its interval, guardrails: the source's three checks, in its order, and the order matters.
#
# (ch8-srm)=
# ### Sanity: is the split what was designed?
#
# **4.7 / 5.2 / 90.1 in place of 5 / 5 / 90 proves nothing at 10,000 users and everything at 100,000: below p = 0.01
# from {glue:text}`srm_n` users on.** Shares alone cannot be an {term}`SRM`. The chi-square is n times a gap that does
# not depend on n, so ask for the counts.

# %% tags=["core"]
from casebook.experiments import srm, srm_n

came, planned = np.array([0.047, 0.052, 0.901]), np.array([0.05, 0.05, 0.90])
sizes = [1_000, 10_000, 30_000, 100_000, 200_000, 1_000_000]
p_by_n = {k: srm(np.round(k * came), planned).p for k in sizes}
pd.Series(p_by_n, name="p").map("{:.2g}".format).to_frame()

# %%
levels = {"p < 0.01": 0.01, "p < 0.001": 0.001, "p < 0.0001": 0.0001}
from_n = {
    name: {
        "if seen, from users": srm_n(came, planned, level),
        "if true, found in 80% from": srm_n(came, planned, level, power=0.8),
    }
    for name, level in levels.items()
}
pd.DataFrame(from_n).T.map("{:,}".format)

# %% mystnb={"image": {"alt": "Curve of the chance of an alarm by number of users, on a log scale: near zero at the left, near one at the right, with dotted lines where the seen shares reach the level and where eight in ten tests alarm."}}
from casebook.feed import figures as opening_figures

grid = np.geomspace(1_000, 1_000_000, 60)
opening_figures.srm_by_size(came, planned, grid)

# %% tags=["remove-cell"]
first_n = srm_n(came, planned)
assert p_by_n[10_000] > 0.1 and p_by_n[30_000] > 0.01 > p_by_n[100_000]
assert srm(np.round((first_n + 2_000) * came), planned).broken
assert not srm(np.round((first_n - 2_000) * came), planned).broken
half_and_half = srm([821_588, 815_482], [0.5, 0.5])
numbers(
    srm_book=f"{half_and_half.p:.7f}",
    srm_n=count(first_n),
    srm_n_strict=count(srm_n(came, planned, 0.001)),
    srm_n_sure=count(srm_n(came, planned, power=0.8)),
    srm_p_1k=f"{p_by_n[1_000]:.2f}",
    srm_p_10k=f"{p_by_n[10_000]:.2f}",
    srm_p_30k=f"{p_by_n[30_000]:.3f}",
)

# %% [markdown]
# With 1,000 users p is {glue:text}`srm_p_1k`, with 10,000 {glue:text}`srm_p_10k`, with 30,000 {glue:text}`srm_p_30k`.
# The eye is no judge: 821,588 against 815,482 users in a test designed half and half looks fine, and p is
# {glue:text}`srm_book` {cite}`kohavi2020`. The other way round, a feed that truly loses so many users is found in
# four of five tests only from {glue:text}`srm_n_sure` users on. A small test that passes has not shown that it is
# sound.
#
# :::{admonition} The source says: 4.7 / 5.2 / 90.1, chi-squared p < 0.01
# :class: source-says
# True from {glue:text}`srm_n` users in the three arms, at the stricter 0.001 from {glue:text}`srm_n_strict`. On a
# test of 10,000 users these shares are what a sound lot gives.
# :::
#
# **Which alarm level?** A dashboard looks every day and at every phone and country. We play sound tests on this
# feed's own calendar of first sessions, and tests with the source's split on a quarter of its users, and read them by
# six rules, each at 0.01. The day is that of the first alarm, with a dash where fewer than half of the tests have one.

# %%
from casebook.feed.srm_alarms import srm_alarms

seen_first = users.dropna(subset="exposed_on")
cell = ["exposed_on", "platform", "country"]
entries = seen_first.groupby(cell).size().unstack(cell[1:], fill_value=0)
cells, quarter = entries.to_numpy(), entries.to_numpy() // 4
sound = srm_alarms(cells, planned, planned, rng)
off = srm_alarms(quarter, planned, came, rng)
alarms = pd.DataFrame({"false alarms": sound["alarm"], "finds": off["alarm"]})
day = off["day"].map("{:.0f}".format, na_action="ignore").fillna("-")
alarms.round(3).assign(**{"median day": day})

# %%
mismatch, found = 0.06, 1.0  # share of tests with one; found, at best
level = np.array([0.05, 0.01, 0.001])
false = level * (1 - mismatch)
false_share = false / (false + mismatch * found)
pd.DataFrame({"alarm level": level, "of alarms, false": false_share}).round(3)

# %% tags=["remove-cell"]
false_alarms = alarms["false alarms"]
naive_rule, holm_rule = "every day and segment", "every day and segment, Holm"
assert false_alarms[naive_rule] > 0.25 and false_alarms["every day"] > 0.015
assert (false_alarms[[holm_rule, "every day, always valid"]] < 0.02).all()
assert false_alarms["every day and segment, always valid, Holm"] < 0.02
family = cells.size + len(cells)
numbers(
    srm_once=percent(false_alarms["once, at the end"], 1),
    srm_daily=percent(false_alarms["every day"], 1),
    srm_cells=percent(false_alarms[naive_rule]),
    srm_holm=percent(false_alarms[holm_rule], 1),
    srm_valid=percent(false_alarms["every day, always valid"], 1),
    srm_family=count(family),
    srm_level=f"{0.01 / family:.6f}",
    srm_found_once=percent(alarms.loc["once, at the end", "finds"]),
    srm_found_holm=percent(alarms.loc[holm_rule, "finds"]),
    srm_found_valid=percent(alarms.loc["every day, always valid", "finds"]),
    srm_false_01=percent(false_share[1]),
    srm_false_001=percent(false_share[2], 1),
)

# %% [markdown]
# Read once, at the end, it alarms in {glue:text}`srm_once` of sound tests, near the 1% that was asked for. Read every
# day it is {glue:text}`srm_daily`; every day in every segment it is {glue:text}`srm_cells`, and soon nobody looks up.
# Holm ({term}`Holm <Holm correction>`) over all {glue:text}`srm_family`
# readings (the smallest p against {glue:text}`srm_level`) brings it to {glue:text}`srm_holm`, a test made for daily
# looks to {glue:text}`srm_valid`. The price: on a quarter of this feed the source's mismatch is found in
# {glue:text}`srm_found_once` of tests by one look at the end, in {glue:text}`srm_found_holm` with Holm and in
# {glue:text}`srm_found_valid` by the always-valid test, which may be read, and obeyed, on any day. If six tests in a
# hundred have a mismatch, as at one large firm {cite}`fabijan2019`, {glue:text}`srm_false_01` of single alarms at
# 0.01 are false and {glue:text}`srm_false_001` at 0.001. So: 0.001 for whoever wakes people up, the always-valid test
# daily, and segments to find the cause, not to raise the alarm.
#
# :::{admonition} They did it otherwise
# :class: did-otherwise
# One public engine, GrowthBook, alarms below 0.001 and leaves the looking to you. The always-valid test in the table
# was published for looking at any time {cite}`lindon2022`, and its default is the one used here.
# :::
#
# (ch8-srm-cause)=
# ### Find who is missing
#
# **An SRM says that somebody other than the lot decides who is in the table. It does not say who, and until you
# know, no weights will mend it: their error has either sign.** Here is the same feed with a new client that crashes on slow phones,
# before anything is logged. How often is taken from the middle of the dial's range; the split that follows is nearly
# the source's.

# %% tags=["core"]
from textwrap import fill

from casebook.experiments import arm_moments, relative_effect, srm_by
from casebook.feed.dials import FAULT_DIALS

crash_dial = next(dial for dial in FAULT_DIALS if dial.name == "crash")
crashing = simulate(World(crash=float(crash_dial.at(0.5))), n, rng)
logged = user_table(crashing.tables)
plan = {"new": 0.05, "control": 0.05, "rest": 0.90}
where = srm_by(logged, plan, ["platform", "country", "cohort"])
print(fill(f"p = {where.whole.p:.1g} in the whole test. {where}", 80))

# %%
columns = ["by", "value", "units", "p_holm", "arm", "residual", "rest_p"]
top = where.table[columns].sort_values("residual").head(5)
top.assign(
    units=top["units"].map(count),
    residual=top["residual"].round(1),
    p_holm=top["p_holm"].map("{:.1g}".format),
    rest_p=top["rest_p"].map("{:.1g}".format),
)

# %% tags=["remove-cell"]
drawn_arms = np.bincount(crashing.truth.arms.arm, minlength=3)
first_cause = where.table.loc[where.table["residual"].idxmin()]
assert where.whole.broken and "platform 'slow_phone'" in where.sentence
assert first_cause["value"] == "slow_phone" and first_cause["rest_p"] > 0.001
assert srm(drawn_arms, planned).p > 0.001
assert (where.table.groupby("by")["p_holm"].min() < 0.01).all()
crash_shares = 100 * logged["arm"].value_counts(normalize=True)
numbers(
    srm_split=" / ".join(f"{crash_shares[arm]:.1f}" for arm in plan),
    srm_rest_p=probability(first_cause["rest_p"]),
    srm_drawn_p=probability(srm(drawn_arms, planned).p),
)

# %% [markdown]
# The split is {glue:text}`srm_split`. Countries with many slow phones are off too, and so are cohorts; the part that
# carries it is the one whose removal mends the rest: without slow phones p is {glue:text}`srm_rest_p`. The next
# question goes to whoever owns the client. Ask along the way that a user takes: assigned, client loaded, event sent,
# event kept (a bot filter that likes one arm better?), joined in the analysis. At the first count that is off, stop.
#
# :::{admonition} The source says: randomization is broken
# :class: source-says
# "Don't trust" is right. The lot itself is sound here: by the arms as they were drawn, before the crash, p is
# {glue:text}`srm_drawn_p`. Much can go wrong after the lot, in clients, redirects, filters and joins
# {cite}`fabijan2019`.
# :::
#
# What does it cost to read on? The simulator gives every reading without luck: what it would show on average over all
# lots. In this feed those who use it least crash most; turned round, for comparison, heavy users do. From the counts
# the two are the same.

# %% tags=["core"]
from casebook.feed.lost_units import heavy_users_crash, loss_readings

light = loss_readings(crashing.truth)
heavy = loss_readings(crashing.truth, heavy_users_crash(crashing.truth))
lost = pd.DataFrame({"light users crash most": light, "heavy users": heavy})
lost.map("{:+.1%}".format)

# %% mystnb={"image": {"alt": "Dot plot of five readings of the crashed test for two kinds of lost users, with a dashed line at the ranker's true effect: reading the logs lies to the right of it, weighting by phone to the right for one kind and to the left for the other, and the launch as tested to the left of zero."}}
opening_figures.loss_dots(light, heavy)

# %%
from casebook.feed.lost_units import loss_by_crash

shares_of_range = crash_dial.at(np.array([0.0, 0.25, 0.5, 0.75, 1.0]))
by_crash = loss_by_crash(crashing.truth, shares_of_range)
by_crash.round(dict.fromkeys(by_crash.columns[1:], 4) | {"crash": 2})

# %% tags=["remove-cell"]
arms_logged = arm_moments(logged, "minutes", "arm")
crash_read = relative_effect(arms_logged["new"], arms_logged["control"])
ranker, as_tested = light["ranker"], light["launched as tested"]
assert light["as logged"] > 2 * ranker > 0 > as_tested
assert heavy["as logged"] > 1.4 * ranker and heavy["launched as tested"] < 0
assert heavy["weighted by phone"] < 0.6 * ranker
assert light["weighted by phone"] > 1.4 * ranker
assert light["weighted by phone and cohort"] > 1.3 * ranker
assert (by_crash["as logged"] > by_crash["ranker"]).all()
assert by_crash["launched as tested"].iloc[0] > 0 > as_tested

# %% tags=["remove-cell"]
nothing = (1 + light["as logged"]) / (1 + ranker) - 1
numbers(
    srm_logged=f"{light['as logged']:+.1%}",
    srm_launched=f"{as_tested:+.1%}",
    srm_nothing=f"{nothing:+.1%}",
    srm_phone_light=f"{light['weighted by phone']:+.1%}",
    srm_phone_heavy=f"{heavy['weighted by phone']:+.1%}",
    srm_cohort=f"{light['weighted by phone and cohort']:+.1%}",
    srm_read=f"{crash_read.estimate:+.1%}",
    srm_read_p=probability(crash_read.p, 3),
    srm_small_n=count(by_crash["users"].iloc[0]),
    srm_small_crash=percent(by_crash["crash"].iloc[0]),
    srm_small_bias=f"{by_crash['as logged'].iloc[0] - ranker:+.1%}",
)

# %% [markdown]
# Trusting the logs aims at {glue:text}`srm_logged` (this draw shows {glue:text}`srm_read`, p =
# {glue:text}`srm_read_p`), of which {glue:text}`srm_nothing` would be there had the ranker done nothing: the missing
# spend little. Launching what was tested brings {glue:text}`srm_launched`. Scaling the arms back to 5 / 5 / 90
# changes no mean and mends nothing. Weighting the survivors by phone leaves {glue:text}`srm_phone_light` if light
# users crash and {glue:text}`srm_phone_heavy` if heavy ones do, where {glue:text}`op_truth` is true; by phone and
# cohort it is {glue:text}`srm_cohort`. Weights mend who is missing only as far as you know what decides it. Without
# slow phones the reading is right, for other phones.
#
# What works: fix the crash, log the assignment on the server before the client loads, run again. Then those lost
# count, with zero minutes, and the test shows what a launch would do. Small crashes are the dangerous ones. At
# {glue:text}`srm_small_crash` of slow phones the counts need {glue:text}`srm_small_n` users before four in five tests
# alarm; the error is {glue:text}`srm_small_bias`, and no interval allows for it.
#
# :::{admonition} They push back: "It is a fraction of a point. The interval is wide anyway."
# :class: they-push-back dropdown
# The share that is missing does not bound the error: minutes have no ceiling, and those who are gone are not like the
# rest. Nor does the error shrink with more users, while the interval around it does.
# :::
#
# (ch8-effect)=
# ### Effect size and interval
#
# **The sound test says "between a loss and a good gain": with or without a star, that is the answer for Thursday.**

# %% tags=["core"]
arms = arm_moments(users, "minutes", "arm")
effect = relative_effect(arms["new"], arms["control"])
print("minutes, relative:", effect)

# %% tags=["remove-cell"]
assert scale != "small" or effect.low < 0 < 0.04 < effect.high
assert scale != "small" or effect.high - effect.low > 0.06
numbers(
    eff_here=f"{effect.estimate:+.1%}",
    eff_low=f"{effect.low:+.1%}",
    eff_high=f"{effect.high:+.1%}",
    eff_p=probability(effect.p),
)

# %% [markdown]
# {glue:text}`eff_here`, from {glue:text}`eff_low` to {glue:text}`eff_high`, p = {glue:text}`eff_p`. The true
# {glue:text}`op_truth` lies in it, and so do nothing and more than twice the truth. Say: "If 2% pays, this test can't
# tell us. It needs {glue:text}`op_times` times the users, or a sharper metric."
#
# Now the source's two launches, both at p = 0.04, a rise of 0.1% and one of 5%, and one between them. The same p means
# the same distance from zero in standard errors, so each tells how many users it had, at this feed's spread.

# %% tags=["core"]
from scipy.stats import norm

from casebook.experiments import chance_of_replication
from casebook.feed.dials import Programme
from casebook.feed.programme_wins import after_estimate, by_size, wins_of

spread, programme = sd / mean, Programme()
rows = {}
for rise in (0.001, 0.014, 0.05):
    se = rise / norm.isf(0.04 / 2)
    after = after_estimate(programme, rise, se)
    rows[f"+{rise:.1%}, p = 0.04"] = {
        "users an arm": f"{2 * (spread / se) ** 2:,.0f}",
        "interval": f"{rise - 1.96 * se:+.2%} to {rise + 1.96 * se:+.2%}",
        "replicates, taken at its word": f"{chance_of_replication(0.04):.0%}",
        "replicates, programme": f"{after.replication:.0%}",
        "no gain": f"{after.no_gain:.0%}",
        "expected": f"{after.expected:+.3%}",
    }
pd.DataFrame(rows)

# %% tags=["remove-cell"]
from scipy.stats import t as student

tiny, middle, huge = (
    after_estimate(programme, rise, rise / norm.isf(0.02))
    for rise in (0.001, 0.014, 0.05)
)
users_of = 2 * (spread * norm.isf(0.02) / np.array([0.001, 0.05])) ** 2
assert tiny.no_gain > 0.5 and huge.no_gain > 0.5
assert huge.replication < 0.3 and tiny.replication < 0.3
assert huge.expected < 0.25 * 0.05 and huge.expected > tiny.expected
assert 0.8 < middle.expected / huge.expected < 1.25

# %% tags=["remove-cell"]
beyond = 2 * student.sf(0.02 / programme.scale, programme.tails)
numbers(
    eff_beyond=percent(beyond),
    eff_users_tiny=f"{users_of[0] / 1e6:.0f} million",
    eff_users_huge=count(round(users_of[1], -2)),
    eff_replicate=percent(chance_of_replication(0.04)),
    eff_tiny_again=percent(tiny.replication),
    eff_huge_again=percent(huge.replication),
    eff_tiny_none=percent(tiny.no_gain),
    eff_huge_none=percent(huge.no_gain),
    eff_tiny_expected=f"{tiny.expected:+.2%}",
    eff_huge_expected=f"{huge.expected:+.1%}",
    eff_middle_expected=f"{middle.expected:+.1%}",
    eff_huge_times=f"{0.05 / huge.expected:.0f}",
    eff_idle=percent(programme.idle),
)

# %% [markdown]
# 0.1% takes {glue:text}`eff_users_tiny` users an arm and 5% takes {glue:text}`eff_users_huge`. Taken at their word,
# both have a {glue:text}`eff_replicate` chance to be significant again in a repeat of the same size: p = 0.04 is a
# coin toss. And the word flatters. What does the programme say, in which {glue:text}`eff_idle` of ideas do nothing
# and {glue:text}`eff_beyond` of the others move the feed by more than 2%? The tiny one has no gain in
# {glue:text}`eff_tiny_none` of cases, the huge one in {glue:text}`eff_huge_none`; they replicate in
# {glue:text}`eff_tiny_again` and {glue:text}`eff_huge_again`; what to expect of them is
# {glue:text}`eff_tiny_expected` and {glue:text}`eff_huge_expected`. Of the 5% one part in {glue:text}`eff_huge_times`
# is left: about what is left of 1.4% on a hundred thousand users an arm ({glue:text}`eff_middle_expected`).
#
# :::{admonition} The source says: 0.1% at p = 0.04 is barely worth shipping, 5% at p = 0.04 is huge
# :class: source-says
# Right that the p-value hides the size. But 5% at p = 0.04 is a small test that was lucky: its interval starts just
# above zero, and what to expect of it is one part in {glue:text}`eff_huge_times`. It is a reason to run a larger
# test. Whether 0.1% is worth shipping depends on [what it earns and costs](ch8-decision); on a large feed 0.1% may
# pay a team.
# :::
#
# (ch8-magnitude)=
# **Underpowered wins exaggerate.** Suppose the ranker adds 2%. A test that sees it rarely shows it, when it does, at
# a size that had to be lucky ({term}`type M error`), at times with the wrong sign ({term}`type S error`). And what share of all
# the programme's wins are false?

# %% tags=["core"]
arm_sizes = np.array([1_000, 2_500, 10_000, 40_000, 160_000, 640_000])
wins = by_size(programme, spread, arm_sizes, effect=0.02)
wins.round(dict(zip(wins.columns[1:], [4, 2, 2, 3, 3, 2], strict=True)))

# %% [markdown]
# And the type I error? Nobody in the 90% was treated. Split some of them into two arms, a thousand times at each
# size, and count the stars.

# %%
from casebook.experiments import aa_test

minutes_rest = rest.to_numpy()
type_1 = {
    k: aa_test(minutes_rest[: 2 * k], rng, splits=1_000).rate
    for k in (1_000, 2_500, 10_000)
}
pd.Series(type_1, name="A/A splits with p < 0.05").to_frame()

# %% mystnb={"image": {"alt": "Three series by users in an arm on a log scale: power rises from near zero to one, the false share among wins falls, and the dots of the type I error stay at five percent."}}
fine = np.geomspace(1_000, 640_000, 40).astype(int)
wins_fine = by_size(programme, spread, fine, effect=0.02)
opening_figures.win_lines(wins_fine, type_1, effect=0.02)

# %%
from casebook.feed.dials import PROGRAMME
from casebook.worlds import draw_dials

se_here = float(np.hypot(*spread / np.sqrt(size[["new", "control"]])))
drawn = draw_dials(PROGRAMME, 100, rng)
others = [wins_of(Programme(*row), se_here) for row in drawn.to_numpy()]
over = pd.DataFrame(
    {
        "false among wins": [one.false for one in others],
        "estimate / truth": [one.exaggeration for one in others],
    }
)
over.quantile([0.1, 0.5, 0.9]).round(2)

# %% tags=["remove-cell"]
ours = wins_of(programme, se_here)
wins_at = wins.set_index("users")
assert all(0.025 < rate < 0.08 for rate in type_1.values())
assert wins["false"].is_monotonic_decreasing
assert wins_at.loc[10_000, "type_m"] > 2 > 1.1 > wins_at.loc[160_000, "type_m"]
assert scale != "small" or ours.false > 0.5
assert (over["estimate / truth"] > 1).all()

# %% tags=["remove-cell"]
numbers(
    eff_false_here=percent(ours.false),
    eff_exaggeration=f"{ours.exaggeration:.1f}",
    eff_type_m=f"{wins_at.loc[10_000, 'type_m']:.1f}",
    eff_type_m_small=f"{wins_at.loc[1_000, 'type_m']:.0f}",
    eff_type_s_small=percent(wins_at.loc[1_000, "type_s"]),
    eff_type_m_large=f"{wins_at.loc[160_000, 'type_m']:.2f}",
    eff_type_1=" / ".join(percent(rate, 1) for rate in type_1.values()),
    eff_false_small=percent(wins_at.loc[1_000, "false"]),
    eff_false_large=percent(wins_at.loc[640_000, "false"]),
    eff_over_low=percent(over["false among wins"].quantile(0.1)),
    eff_over_high=percent(over["false among wins"].quantile(0.9)),
    eff_over_half=str(share_holding(over["false among wins"] > 0.5)),
)

# %% [markdown]
# With 10,000 users an arm a significant 2% is shown {glue:text}`eff_type_m` times as large on average, with 1,000
# {glue:text}`eff_type_m_small` times and with the wrong sign in {glue:text}`eff_type_s_small`; with 160,000 hardly at
# all ({glue:text}`eff_type_m_large`). The type I error does not care: {glue:text}`eff_type_1` at 1,000, 2,500 and
# 10,000. What low power raises is the false *share of wins*: an idle change wins in 2.5% of tests at any size, a good
# one ever more often. So it falls from {glue:text}`eff_false_small` at 1,000 to {glue:text}`eff_false_large` at
# 640,000. At the size of Maya's test it is {glue:text}`eff_false_here`; over a hundred programmes from the dials'
# ranges mostly between {glue:text}`eff_over_low` and {glue:text}`eff_over_high`, and above one half in
# {glue:text}`eff_over_half`. Your own number comes from your own past tests, all of them and not the winners:
# `fit_programme` reads it from their estimates and standard errors.
#
# :::{admonition} The source says: underpowered tests give false positives and negatives
# :class: source-says
# False negatives, yes: {glue:text}`op_missed` of the tests of a true 2% here. The rate of false positives stays at
# alpha. Say "of those that win, more are false, and all are overstated".
# :::
#
# :::{admonition} Say it
# :class: say-it
# "Significant and small sample? Then I'd expect it to shrink. I'd look up what our programme's wins became, pull the
# estimate towards that, and decide on the shrunk number."
# :::
#
# (ch8-guardrails)=
# ### Guardrails
#
# **"Down by more than the threshold? No launch" has three possible answers: harm shown, harm ruled out, not known.
# With {glue:text}`gr_k` guardrails and arms of this size a ranker that harms nothing fails to rule out harm somewhere
# in {glue:text}`gr_strict_veto` of tests.** Harm is ruled out when the whole interval stays on the harmless side of
# the margin: a test of {term}`non-inferiority`. The margins below are Maya's, in percent of the control.

# %% tags=["core"]
from casebook.experiments import difference, non_inferior, ratio_difference

two = users[users["arm"] != "rest"]
on_new, visited = (two["arm"] == "new").to_numpy(), two["sessions"] > 0
seen_by = two["impressions"], on_new
guards = {
    "hides per view": (ratio_difference(two["hides"], *seen_by), 0.10, "up"),
    "likes per view": (ratio_difference(two["likes"], *seen_by), 0.05, "down"),
    "load time": (
        difference(two["load_ms"][visited], on_new[visited]), 0.03, "up"
    ),
    "sessions": (difference(two["sessions"], on_new), 0.02, "down"),
}  # fmt: skip


# %% tags=["core"]
def read_guard(effect, margin, worse):
    base = effect.control_mean
    # What the units' standard deviation must be for this standard error.
    sd_unit = effect.se / np.hypot(effect.treated_n**-0.5, effect.control_n**-0.5)
    return {
        "moves by": f"{effect.estimate / base:+.1%}",
        "interval": f"{effect.low / base:+.1%} to {effect.high / base:+.1%}",
        "harm from": f"{margin:.0%} {worse}",
        "verdict": non_inferior(effect, margin * base, worse).verdict,
        "se": effect.se / base,
        "margin": margin,
        "users an arm": sample_size_mean(sd_unit, margin * base).total / 2,
    }


readings = pd.DataFrame({k: read_guard(*guards[k]) for k in guards}).T
columns = ["moves by", "interval", "harm from", "verdict", "users an arm"]
shown = readings[columns]
shown.assign(**{"users an arm": shown["users an arm"].map(count)})

# %% tags=["remove-cell"]
from casebook.experiments import veto_chance

assert readings.loc["hides per view", "verdict"] == "holds"
alone_stopped = veto_chance(*readings[["se", "margin"]].astype(float).T.values)
sessions_hold = 1 - alone_stopped.each[readings.index.get_loc("sessions")]
assert scale != "small" or sessions_hold < 0.3
guard_n = readings["users an arm"].astype(float)
hides_a_head = truth.direct("hides").relative
assert abs(hides_a_head - truth.direct().relative) < 1e-6
numbers(
    gr_k=count(len(guards)),
    gr_held=count((readings["verdict"] == "holds").sum()),
    gr_sessions_hold=percent(sessions_hold),
    gr_sessions_n=count(round(guard_n["sessions"], -3)),
    gr_hides_n=count(round(guard_n["hides per view"], -2)),
    gr_hides_head=f"{hides_a_head:+.0%}",
)

# %% [markdown]
# {glue:text}`gr_held` of {glue:text}`gr_k` hold here. In truth the ranker harms none of them. Sessions would hold in
# {glue:text}`gr_sessions_hold` of such tests: their standard error is nearly as large as the margin, and to rule out
# a loss of 2% takes {glue:text}`gr_sessions_n` users an arm for 80%. For hides, with a margin of 10%,
# {glue:text}`gr_hides_n` are enough. That column belongs in the plan, before the test.
#
# Mind the denominator. Hides *per user* rise by {glue:text}`gr_hides_head` in truth, for no other reason than that
# people see more. A guardrail that counts per user moves with the primary; per view it does not.
#
# Now the rule itself. How often does each reading of it stop a ranker that harms nothing, and how often does it let
# one through that hurts a guardrail by twice its margin?

# %%
from casebook.experiments import veto_rules

ses, margins = readings["se"].astype(float), readings["margin"].astype(float)
hurt = {k: np.where(readings.index == k, 2 * margins, 0.0) for k in guards}
vetoed = {k: veto_rules(ses, margins, harm) for k, harm in hurt.items()}
rules = pd.DataFrame({f"misses {k}": vetoed[k]["missed"] for k in guards})
rules.insert(0, "stops harmless", vetoed["sessions"]["false_veto"])
rules.map("{:.1%}".format)

# %%
pd.set_option("display.max_colwidth", None)
vetoed["sessions"][["stops_if"]]

# %%
users_an_arm = np.geomspace(2_500, 640_000, 41)
per_root = ses.to_numpy() * np.sqrt(len(two) / 2)
fewer_visits = hurt["sessions"]
vetoes = pd.concat(
    {
        k: veto_rules(per_root / k**0.5, margins, fewer_visits)
        for k in users_an_arm
    },
    names=["users", "rule"],
)

# %% mystnb={"image": {"alt": "Two panels by users in an arm. Left, harmless launches that are stopped: the rule of excluded harm starts at nearly all of them and falls to none, the rule of significant harm stays level. Right, launches that cost visits and are let through: highest for the rule that wants harm shown, near zero for the rule that wants harm excluded."}}
words = "visits fall by twice the margin"
opening_figures.veto_lines(vetoes, len(two) / 2, words)

# %%
alone = {"one guardrail": 1, "four": 4, "ten": 10, "twenty": 20}
grown = {
    name: veto_rules(np.ones(k), np.full(k, 2.0), np.full(k, 4.0))["false_veto"]
    for name, k in alone.items()
}
pd.DataFrame(grown).round(3)  # each margin is two standard errors wide

# %% tags=["remove-cell"]
at_margin = veto_rules(ses, margins, fewer_visits / 2)["missed"]
stops, misses = rules["stops harmless"], rules["misses sessions"]
assert scale != "small" or stops["not held"] > 0.8
assert 0.3 < at_margin["estimate"] < 0.51 and at_margin["not held"] < 0.03
readings_of_harm = misses[["broken", "significant", "not held"]]
assert readings_of_harm.is_monotonic_decreasing
assert scale != "small" or readings_of_harm.is_unique
biggest = vetoes.xs(users_an_arm[-1], level="users")
assert biggest.loc["significant", "false_veto"] > 0.09
nearly = biggest.loc[["estimate", "broken", "not held"]]
assert (nearly[["false_veto", "missed"]] < 0.02).to_numpy().all()
many = pd.DataFrame(grown)
assert many.loc["significant"].is_monotonic_increasing

# %% tags=["remove-cell"]
numbers(
    gr_plain_veto=percent(stops["estimate"]),
    gr_plain_missed=percent(misses["estimate"]),
    gr_plain_margin=percent(at_margin["estimate"]),
    gr_strict_veto=percent(stops["not held"]),
    gr_strict_missed=percent(at_margin["not held"], 1),
    gr_sig_veto=percent(stops["significant"]),
    gr_sig_missed=percent(misses["significant"]),
    gr_broken_missed=percent(misses["broken"]),
    gr_ten=percent(many.loc["significant", "ten"]),
    gr_twenty=percent(many.loc["significant", "twenty"]),
)

# %% [markdown]
# The source's rule reads the estimate. It stops {glue:text}`gr_plain_veto` of harmless launches, and it lets
# {glue:text}`gr_plain_missed` of those through that cost twice the margin of visits; if they cost just the margin,
# {glue:text}`gr_plain_margin`, and no number of users changes that. "Significantly worse" stops
# {glue:text}`gr_sig_veto` of the harmless with {glue:text}`gr_k` guardrails, {glue:text}`gr_ten` with ten and
# {glue:text}`gr_twenty` with twenty, at any size of the test, and misses {glue:text}`gr_sig_missed`. "Shown to be
# beyond the margin" stops nearly nobody and misses {glue:text}`gr_broken_missed`. "Not excluded" misses
# {glue:text}`gr_strict_missed` at the margin, and stops {glue:text}`gr_strict_veto` of the harmless. No rule repairs
# a small test. Size does, for the three rules that know a margin: at the figure's right-hand end they stop nearly
# none of the harmless and miss nearly none of the harm. (The guardrails are taken as independent; `correlation=` is
# for those that move together.)
#
# So: few guardrails, each with a margin that the test is sized for; "harm shown" stops the launch, "harm ruled out"
# lets it pass, and "not known" means a longer test, or a ramp with a kill switch. Which of the two is Maya's choice,
# made before the data.
#
# :::{admonition} They push back: "Twelve guardrails and none is red. That is as safe as it gets."
# :class: they-push-back dropdown
# Twelve that could not turn red are no guard. Ask of each: had it been hurt by its margin, how likely would it be
# red? If the answer is a half, the colour is decoration.
# :::

# %% [markdown]
# (ch8-pitfalls)=
# ## Common pitfalls in A/B analysis
#
# **Many false stars come from reading a sound test wrongly, and each wrong reading has a rate you can compute. In tests
# in which nothing differs: {glue:text}`mm_any_20` with twenty metrics, {glue:text}`pk_14` with a look a day,
# {glue:text}`un_naive` with impressions taken for independent, {glue:text}`seg_any_2` with segments crossed two by two.
# The promise was 5%.**
#
# Maya has four people with access to the table, a dashboard that refreshes every morning, and a deadline. Nobody
# cheats. Everybody looks, and somebody finds something. The tempting answer to each pitfall is a rule of conduct: be
# careful, don't peek. People do look; so what works is a number that allows for it.
#
# (ch8-multiple)=
# ### Multiple metrics and p-hacking
#
# **Twenty metrics, nothing changed: a star somewhere in {glue:text}`mm_any_20` of tests. Bonferroni ends that and
# leaves {glue:text}`mm_left_20` of the power of 80%; Holm is never worse than Bonferroni; Benjamini and Hochberg finds
# more because it promises less.** First with no metric moved, then with one in five.

# %%
from casebook.experiments import correction_cost, correction_rates

idle_rates, moved_rates = {}, {}
for m in (5, 10, 20):
    idle_rates[m] = correction_rates(m, 0, rng)["any_false"]
    moved_rates[m] = correction_rates(m, m // 5, rng)
pd.DataFrame(idle_rates).rename_axis(columns="metrics").map("{:.1%}".format)

# %%
found = {m: moved_rates[m]["found"] for m in moved_rates}
false_among = {m: moved_rates[m]["false_share"] for m in moved_rates}
mm_sides = {"found": found, "false among alarms": false_among}
mm_rates = pd.concat({k: pd.DataFrame(v) for k, v in mm_sides.items()}, axis=1)
mm_rates.rename(index=lambda rule: rule.replace("_", " ")).map("{:.0%}".format)

# %%
costs = pd.DataFrame({m: correction_cost(m) for m in (5, 10, 20)})
costs.T.rename_axis("metrics").round(3)

# %% [markdown]
# Now Maya's own table: seven metrics, one test.

# %% tags=["core"]
from casebook.experiments import difference, metrics_table
from casebook.feed.tables import user_table

everyone = user_table(tables)
two_arms = everyone[everyone["arm"] != "rest"]
is_new = (two_arms["arm"] == "new").to_numpy()
counted = ["sessions", "impressions", "minutes", "clicks", "likes", "hides"]
moves = {name: difference(two_arms[name], is_new) for name in counted}
came = (two_arms["sessions"] > 0).to_numpy()
moves["load_ms"] = difference(two_arms["load_ms"][came], is_new[came])
metrics_table(moves)[["estimate", "p", "holm", "rejected_by"]].round(3)

# %% [markdown]
# **P-hacking needs no second metric.** Here is one question, "are users more engaged?", read in ten ways that each have
# a reason. The control arm is split at random, so that nothing differs.

# %%
from casebook.feed.forking import aa_readings

control = everyone[everyone["arm"] == "control"].set_index("user_id")
week_2 = tables["daily"].query("day >= 7").groupby("user_id")["minutes"].sum()
minutes_in, visited = control["minutes"], control["sessions"] > 0
is_power = control["cohort"] == "power"
ways = {
    "minutes": minutes_in,
    "capped at 99%": minutes_in.clip(upper=minutes_in.quantile(0.99)),
    "log": np.log1p(minutes_in),
    "visitors only": minutes_in.where(visited),
    "without power users": minutes_in.where(~is_power),
    "week 2": week_2.reindex(control.index, fill_value=0.0),
    "a visit": (minutes_in / control["sessions"]).where(visited),
    "visits": control["sessions"],
    "clicks": control["clicks"],
    "likes": control["likes"],
}

# %%
hacked = aa_readings(pd.DataFrame(ways), rng)
mm_best = pd.Series(
    {k: (hacked[:, :k].min(axis=1) < 0.05).mean() for k in (1, 2, 5, 10)}
)
mm_best.rename("a star among the first k readings").to_frame()

# %% tags=["remove-cell"]
for m in (5, 10, 20):
    assert abs(idle_rates[m]["none"] - (1 - 0.95**m)) < 0.015
    assert (idle_rates[m].drop("none") < 0.058).all()
    assert found[m]["none"] > found[m]["benjamini_hochberg"]
    assert found[m]["benjamini_hochberg"] > found[m]["holm"]
    assert found[m]["holm"] >= found[m]["bonferroni"]
    assert false_among[m]["benjamini_hochberg"] < 0.05
assert mm_best[10] > 0.12 and mm_best[1] < 0.09
assert mm_best[10] < 1 - 0.95**10
holm_gain = found[20]["holm"] - found[20]["bonferroni"]
assert holm_gain < 0.03

# %% tags=["remove-cell"]
numbers(
    mm_any_5=percent(costs[5]["false_alarm"]),
    mm_any_10=percent(costs[10]["false_alarm"]),
    mm_any_20=percent(costs[20]["false_alarm"]),
    mm_bonf_20=percent(idle_rates[20]["bonferroni"], 1),
    mm_left_5=percent(costs[5]["power_left"]),
    mm_left_10=percent(costs[10]["power_left"]),
    mm_left_20=percent(costs[20]["power_left"]),
    mm_size_20=f"{costs[20]['size_factor']:.1f}",
    mm_holm_gain=f"{100 * holm_gain:.1f}",
    mm_bh_found=percent(found[20]["benjamini_hochberg"]),
    mm_bh_any=percent(moved_rates[20]["any_false"]["benjamini_hochberg"]),
    mm_hack_10=percent(mm_best[10]),
    mm_hack_1=percent(mm_best[1], 1),
)

# %% [markdown]
# Uncorrected, the chance of a false star is {glue:text}`mm_any_5`, {glue:text}`mm_any_10` and {glue:text}`mm_any_20`
# at 5, 10 and 20 metrics; with Bonferroni {glue:text}`mm_bonf_20` at twenty. A metric that was planned for a power of
# 80% keeps {glue:text}`mm_left_5`, {glue:text}`mm_left_10` and {glue:text}`mm_left_20`; to have the 80% back at twenty
# takes {glue:text}`mm_size_20` times the users. With four of the twenty moved, Holm finds
# {glue:text}`mm_holm_gain` points more, at no cost.
# Benjamini and Hochberg finds {glue:text}`mm_bh_found`. Its price: with four of twenty metrics truly moved, there is a
# false one somewhere among its alarms in {glue:text}`mm_bh_any` of tests.
#
# The ten readings of one metric hang together, so they do not reach the {glue:text}`mm_any_10` of ten independent ones:
# {glue:text}`mm_hack_10`, where the one planned reading gives {glue:text}`mm_hack_1`. That is what an honest, busy team
# gets that picks the best. No
# correction sees them, since nobody counts the readings that were not shown. Only the plan does: one primary metric,
# its cleaning and its window, written down before.
#
# So: the primary alone at 5%; the guardrails by [their own rule](ch8-guardrails), since passing *all* of them is
# another question; Holm for the few secondaries on which somebody would act; Benjamini and Hochberg for a list of leads
# to be tested again.
#
# :::{admonition} The source says: Bonferroni, or pre-register the primary
# :class: source-says
# Not equals. The plan costs no power; Bonferroni over twenty costs half of it. Where a correction is needed, Holm keeps
# the same promise at no cost {cite}`holm1979`.
# :::
#
# (ch8-peeking)=
# ### Peeking
#
# **A look a day for two weeks, stopping at the first star: {glue:text}`pk_14` false alarms in place of 5%.** Not the
# {glue:text}`pk_blog` that 1 - 0.95^14 gives: looks share their data. The theory is fifty years old
# {cite}`armitage1969`; the dots below are tests drawn without it.

# %% tags=["core"]
from casebook.experiments import peeking_error, simulate_looks

looks = [1, 2, 5, 10, 14]
drawn_looks = [
    simulate_looks(rng, np.arange(1, k + 1), [1.96] * k, 0, runs=20_000).stop
    for k in looks
]
peeks = pd.DataFrame({"theory": peeking_error(looks), "drawn": drawn_looks})
peeks["independent"] = 1 - 0.95 ** np.array(looks)
peeks.set_axis(pd.Index(looks, name="looks")).round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Share of tests without an effect that show a star, by number of looks: the theory's line climbs from five percent and flattens, the dots of drawn tests lie on it, and the line of the blog formula runs far above."}}
from casebook.feed import figures_pitfalls

figures_pitfalls.peeking_lines(peeks.set_axis(looks))

# %% tags=["remove-cell"]
assert (peeks["theory"] - peeks["drawn"]).abs().max() < 0.012
assert (peeks["independent"][1:] > peeks["theory"][1:]).all()
peeked = dict(zip(looks, peeks["theory"], strict=True))
numbers(
    pk_2=percent(peeked[2], 1),
    pk_5=percent(peeked[5], 1),
    pk_10=percent(peeked[10], 1),
    pk_14=percent(peeked[14]),
    pk_100=percent(peeking_error(100)),
    pk_blog=percent(1 - 0.95**14),
)

# %% [markdown]
# Two looks: {glue:text}`pk_2`. Five: {glue:text}`pk_5`. Ten: {glue:text}`pk_10`. A hundred: {glue:text}`pk_100`, and it
# goes on: who looks for ever gets a star with certainty. Looking is harmless in itself. What does the harm is a right to
# stop at a star that is not matched by a duty to stop without one.
#
# (ch8-fixes)=
# **Three ways to look and keep the 5%, and they differ in what they cost.** Commit to a size and look once. Plan a few
# looks with higher bars, a {term}`group-sequential test`. Or take an {term}`always-valid interval`, which may be read at any time.
# Each of them below has the same power of 80% for the same effect; one is the fixed test's users.

# %% tags=["core"]
from scipy.optimize import brentq

from casebook.experiments import (
    always_valid_critical,
    expected_n,
    group_sequential,
)

fixed_n, per_root = 10_000, (1.96 + 0.8416) / 10_000**0.5
daily = np.arange(1, 15) / 14


def valid_at(most):
    return most * daily, always_valid_critical(most * daily, tuning=fixed_n)


# %% tags=["core"]
most_valid = brentq(
    lambda k: expected_n(*valid_at(k), per_root).stop - 0.8, 1e4, 5e4
)
stop_rules = {"fixed, one look": ([fixed_n], [1.96])}
for kind, name in (("obrien-fleming", "O'Brien-Fleming"), ("pocock", "Pocock")):
    plan = group_sequential(5, kind=kind)
    stop_rules[f"{name}, 5 looks"] = plan.units(fixed_n), plan.critical
stop_rules["always valid, daily"] = valid_at(most_valid)

# %%
stopping = {}
for name, rule in stop_rules.items():
    works, idle = (expected_n(*rule, by) for by in (per_root, 0))
    stopping[name] = {
        "at most": works.max_n / fixed_n,
        "if it works": works.expected_n / fixed_n,
        "if nothing": idle.expected_n / fixed_n,
        "last interval's width": rule[1][-1] / 1.96,
        "false stars": idle.stop,
    }
stopping = pd.DataFrame(stopping).T
stopping.round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Dots by rule for stopping, in multiples of the fixed test's users: what is needed if the change works, if nothing differs, and at most. The always-valid rule has by far the highest maximum, O'Brien-Fleming hardly more than the fixed test."}}
figures_pitfalls.stopping_bars(stopping)

# %%
same_n = expected_n(*valid_at(fixed_n), per_root)
wider = float(always_valid_critical([fixed_n], tuning=fixed_n)[0]) / 1.96
pd.Series({"power on the fixed test's users": same_n.stop, "width": wider})

# %% tags=["remove-cell"]
obf, valid = stopping.loc["O'Brien-Fleming, 5 looks"], stopping.iloc[-1]
pocock = stopping.loc["Pocock, 5 looks"]
assert obf["at most"] < 1.05 and obf["if it works"] < 0.9
assert pocock["if it works"] < obf["if it works"] < valid["if it works"]
assert pocock["at most"] > 1.15 and valid["at most"] > 1.5
assert (stopping["false stars"] < 0.0505).all() and valid["false stars"] < 0.03
assert same_n.stop < 0.6
fortnight = fixed_n * np.arange(1, 15) / 14
off_plan = {
    "pocock": np.full(14, group_sequential(5, kind="pocock").critical[0]),
    "obf": group_sequential(5).critical[-1] * np.sqrt(fixed_n / fortnight),
}
off_plan = {k: expected_n(fortnight, z, 0).stop for k, z in off_plan.items()}
assert off_plan["pocock"] > 0.07 and 0.05 < off_plan["obf"] < 0.07
numbers(
    pk_off_pocock=percent(off_plan["pocock"], 1),
    pk_off_obf=percent(off_plan["obf"], 1),
    pk_obf_most=percent(obf["at most"] - 1),
    pk_obf_mean=percent(1 - obf["if it works"]),
    pk_poc_most=percent(pocock["at most"] - 1),
    pk_poc_mean=percent(1 - pocock["if it works"]),
    pk_av_most=f"{valid['at most']:.1f}",
    pk_av_mean=f"{valid['if it works']:.2f}",
    pk_av_null=f"{valid['if nothing']:.1f}",
    pk_av_false=percent(valid["false stars"], 1),
    pk_av_power=percent(same_n.stop),
    pk_av_wider=percent(wider - 1),
    pk_av_square=f"{wider**2:.1f}",
)

# %% [markdown]
# O'Brien-Fleming with five looks may need {glue:text}`pk_obf_most` more users than the fixed test and on average ends
# {glue:text}`pk_obf_mean` earlier if the change works. Pocock ends {glue:text}`pk_poc_mean` earlier and may need
# {glue:text}`pk_poc_most` more. The always-valid test needs {glue:text}`pk_av_mean` times the users on average if the
# change works, and {glue:text}`pk_av_null` times if nothing differs, for then it runs to its end at
# {glue:text}`pk_av_most`. On the fixed test's users its interval is {glue:text}`pk_av_wider` wider, the width of a test
# with {glue:text}`pk_av_square` times fewer users, and its power falls to {glue:text}`pk_av_power`. Over 14 looks it
# errs in {glue:text}`pk_av_false`: it pays for looks that nobody takes. It rests on a normal approximation at *every* look,
# so begin when the smaller arm has some twenty events, or some hundreds of users of a metric with heavy tails: before that, a
# small arm beside a large one alarms far too often. And planned bars hold for planned looks: Pocock's five, read on each of
# the 14 days, err in {glue:text}`pk_off_pocock`, O'Brien-Fleming's curve in {glue:text}`pk_off_obf`. Where the days may
# shift, take `kind="spending-obf"`.
#
# So: if the length is known, group-sequential. Always-valid for what has no end and must alarm at any time, guardrails
# first. And a test that stopped early overstates: those that stop are those that looked large. Report the rule's own
# interval (`read_look`), not the last plain one.
#
# :::{admonition} They push back: "I only looked, I didn't stop."
# :class: they-push-back dropdown
# Then the 5% stands, provided that you would also not have stopped for a star, nor gone on for want of one. Extending a
# test that ends at p = 0.07 by "one more week" is a second look, with a false-alarm rate of up to
# {glue:text}`pk_2`.
# :::
#
# (ch8-power)=
# ### Power
#
# **Low power makes estimates noisy; it does not make them biased, and it does not raise the false-positive rate. The
# selection of stars does the rest: at a power of {glue:text}`pw_low` a star shows {glue:text}`pw_m_low` times the
# truth.** Each column below is the same true effect, tested at another size. [Above](ch8-magnitude) is what that does
# to a programme's wins.

# %%
from scipy.stats import norm

from casebook.experiments import exaggeration

rows = {}
for aim in (0.10, 0.20, 0.50, 0.80, 0.95):
    z_true = brentq(lambda z, p=aim: exaggeration(z, 1.0).power - p, 0.1, 5)
    drawn_z = z_true + rng.standard_normal(200_000)
    starred, at_size = np.abs(drawn_z) > 1.96, exaggeration(z_true, 1.0)
    rows[f"{aim:.0%}"] = {
        "interval's half-width / effect": 1.96 / z_true,
        "all estimates / effect": drawn_z.mean() / z_true,
        "starred estimates / effect": at_size.type_m,
        "drawn": np.abs(drawn_z[starred]).mean() / z_true,
        "stars with the wrong sign": at_size.type_s,
        "no star: estimate / effect": drawn_z[~starred].mean() / z_true,
        "stars if nothing differs": 2 * norm.sf(1.96),
    }
by_power = pd.DataFrame(rows)
by_power.round(3)

# %% tags=["remove-cell"]
drift = by_power.loc["all estimates / effect"] - 1
assert drift.abs().max() < 0.02
type_m = by_power.loc["starred estimates / effect"]
assert type_m.is_monotonic_decreasing
assert (by_power.loc["drawn"] / type_m - 1).abs().max() < 0.02
assert (by_power.loc["no star: estimate / effect"] < 1).all()
numbers(
    pw_low=by_power.columns[1],
    pw_m_low=f"{type_m['20%']:.1f}",
    pw_m_mid=f"{type_m['50%']:.1f}",
    pw_m_80=f"{type_m['80%']:.2f}",
    pw_s_low=percent(by_power.loc["stars with the wrong sign", "10%"], 1),
    pw_none=f"{by_power.loc['no star: estimate / effect', '80%']:.1f}",
)

# %% [markdown]
# All estimates together hit the truth at every size. Those with a star exceed it: {glue:text}`pw_m_low` times at 20%
# power, {glue:text}`pw_m_mid` at a half, still {glue:text}`pw_m_80` at the 80% that everybody plans for. Those without
# one fall short: at 80% power they show {glue:text}`pw_none` of it. So report every estimate, and shrink the starred
# ones. At 10% power, {glue:text}`pw_s_low` of stars point the wrong way.
#
# (ch8-unit)=
# ### The unit of analysis
#
# **Users were randomised. Take their impressions for independent, and a click rate of which nothing changed shows a star
# in {glue:text}`un_naive` of tests.** The tempting reading is that {glue:text}`un_rows` impressions are as many
# observations. They are a thousand people, some of whom click a lot. Split a thousand control users at random and count.

# %% tags=["core"]
from casebook.experiments import aa_test

some = control[control["impressions"] > 0].head(1_000)
views = some["impressions"].to_numpy()
viewer = np.repeat(np.arange(len(some)), views)
place = np.arange(len(viewer)) - np.repeat(views.cumsum() - views, views)
splits = {}
for name in ("clicks", "likes", "hides"):
    done = (place < some[name].to_numpy()[viewer]).astype(float)
    for aware, words in ((False, "by impression"), (True, "clustered")):
        splits[name, words] = aa_test(
            done, rng, cluster=viewer, aware=aware, splits=500
        )
un_rates = pd.Series({k: aa.rate for k, aa in splits.items()}).unstack()
un_rates.map("{:.1%}".format)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Two histograms of p-values of A/A splits: by impression nearly all mass piles up at the left, clustered by user the bars are level."}}
figures_pitfalls.p_histograms({k: splits["clicks", k].p for k in un_rates})

# %% [markdown]
# The mend needs no impressions, only two sums a user: clicks and views. `ratio_difference` is the {term}`delta method`
# {cite}`deng2018`; the standard error clustered by user is the same thing worked out from rows.

# %%
from casebook.experiments import ratio_difference

odd = np.arange(len(some)) % 2
clicked = (place < some["clicks"].to_numpy()[viewer]).astype(float)
by_delta = ratio_difference(some["clicks"], some["impressions"], odd)
by_cluster = difference(clicked, odd[viewer], cluster=viewer)
as_rows = difference(clicked, odd[viewer])
errors = {"delta": by_delta, "clustered": by_cluster, "rows": as_rows}
pd.Series({k: e.se for k, e in errors.items()}, name="standard error")

# %% tags=["remove-cell"]
too_small = by_delta.se / as_rows.se
assert un_rates.loc["clicks", "by impression"] > 0.4
assert (un_rates["clustered"] < 0.09).all()
naive_rates = un_rates["by impression"]
assert naive_rates[["clicks", "likes"]].min() > 2 * naive_rates["hides"]
assert scale != "small" or naive_rates["clicks"] >= naive_rates["likes"]
assert naive_rates["hides"] < 0.25
assert abs(by_delta.se / by_cluster.se - 1) < 0.02 and too_small > 2
assert abs(by_delta.estimate - by_cluster.estimate) < 1e-9
numbers(
    un_naive=percent(naive_rates["clicks"]),
    un_likes=percent(naive_rates["likes"]),
    un_hides=percent(naive_rates["hides"]),
    un_mended=percent(un_rates.loc["clicks", "clustered"], 1),
    un_views=count(views.mean()),
    un_rows=count(round(len(viewer), -3)),
    un_small=f"{too_small:.1f}",
    un_worth=count(round(len(viewer) / too_small**2, -3)),
)

# %% [markdown]
# Clicks {glue:text}`un_naive`, likes {glue:text}`un_likes`, hides {glue:text}`un_hides`; with the user as the unit
# {glue:text}`un_mended` for clicks. The row-wise standard error is {glue:text}`un_small` times too small:
# {glue:text}`un_rows` impressions are worth {glue:text}`un_worth` independent ones. How bad it is depends on the
# metric: how many views a user has, {glue:text}`un_views` here, and how much users differ in what is counted. Hides are
# rare and nearly all luck, so an A/A test of hides alone shows little of it. More users do not mend it: both standard
# errors shrink alike.
#
# :::{admonition} Say it
# :class: say-it
# "What was randomised? Then that is my n. For clicks per view I take sums per user and the delta method, and I run an
# A/A test on the pipeline before I believe any of its stars."
# :::
#
# (ch8-trigger)=
# ### Triggered analysis and dilution
#
# **Analyse only those who could have noticed, and you save users; report their lift as the company's, and you overstate
# it {glue:text}`tr_over` times.** Suppose the new ranker were built into the web client only. Everybody else is in the
# test and adds noise.

# %%
from casebook.experiments import sample_size_mean

lift = 0.02  # for those on the web
outside = everyone[everyone["arm"] == "rest"]
time_spent, web = outside["minutes"], outside["platform"] == "web"
web_users, web_minutes = web.mean(), time_spent[web].sum() / time_spent.sum()
diluted = lift * web_minutes
n_all = sample_size_mean(time_spent.std(), diluted * time_spent.mean()).total
on_web = time_spent[web]
n_web = sample_size_mean(on_web.std(), lift * on_web.mean()).total
trigger = {"everybody": (diluted, n_all), "triggered": (lift, n_web / web_users)}
rows = {k: (percent(v, 2), count(users)) for k, (v, users) in trigger.items()}
pd.DataFrame(rows, index=["lift", "users in the test"]).T

# %% [markdown]
# The trigger must be something that the ranker cannot move, and it must be logged in both arms. "Users who saw at least
# a hundred items" is not such a thing. Give every user outside the test 5% more impressions and minutes, exactly, and
# read the two groups that pass.

# %%
bar, true_lift = 100, 0.05
seen_items = outside["impressions"]
passes, passes_new = seen_items >= bar, seen_items * (1 + true_lift) >= bar
bad_lift = (
    time_spent[passes_new].mean() * (1 + true_lift) / time_spent[passes].mean()
    - 1
)
more_pass = passes_new.sum() / passes.sum() - 1
pd.Series({"true": true_lift, "triggered": bad_lift, "more users": more_pass})

# %% tags=["remove-cell"]
saved = n_all / (n_web / web_users)
assert saved > 3 and bad_lift < 0.045 and more_pass > 0.005
numbers(
    tr_over=f"{1 / web_minutes:.0f}",
    tr_users=percent(web_users),
    tr_minutes=percent(web_minutes),
    tr_diluted=percent(diluted, 2),
    tr_saved=f"{saved:.1f}",
    tr_bad=percent(bad_lift, 1),
    tr_more=percent(more_pass, 1),
)

# %% [markdown]
# Triggering needs {glue:text}`tr_saved` times fewer users for the same effect. To get back to the company: 2% for the
# {glue:text}`tr_users` on the web, who have {glue:text}`tr_minutes` of all minutes, is {glue:text}`tr_diluted` of all
# minutes. Weigh by minutes, not by heads. The bad trigger shows {glue:text}`tr_bad` of a true 5%, because the
# {glue:text}`tr_more` more who pass thanks to the ranker are light users. An [SRM test](ch8-srm) among the triggered
# finds that once they are many.
#
# (ch8-ninety)=
# ### The 90% as control
#
# **Nine users in ten sit on the old ranker and are not used. Taking them as control cuts the standard error by
# {glue:text}`nn_cut` and is worth {glue:text}`nn_worth` times the users, and a code path of their own that differs by
# {glue:text}`nn_even` eats it up.**

# %%
from casebook.experiments import arm_moments, relative_effect
from casebook.feed.dials import FAULT_DIALS

path = next(dial for dial in FAULT_DIALS if dial.name == "code_path")
other_path = simulate(World(code_path=path.low), n, np.random.default_rng(seed))
readings = {}
for name, played in (("same code", feed), ("other code", other_path)):
    arms = arm_moments(user_table(played.tables), "minutes", "arm")
    for base in ("control", "rest"):
        readings[name, base] = relative_effect(arms["new"], arms[base])
del other_path, played  # at full scale each feed is gigabytes
nine = pd.DataFrame(
    {k: {"estimate": e.estimate, "se": e.se} for k, e in readings.items()}
)
nine.round(4)

# %% tags=["remove-cell"]
se_five, se_ninety = nine.loc["se", "same code"]
theory_cut = 1 - np.sqrt((1 / 5 + 1 / 90) / (2 / 5))
even = np.sqrt(se_five**2 - se_ninety**2)
bias = readings["other code", "rest"].estimate
bias -= readings["same code", "rest"].estimate
moved_control = readings["other code", "control"].estimate
moved_control -= readings["same code", "control"].estimate
even_10m = even * np.sqrt(n / 10_000_000)
wide = path.high
assert abs(1 - se_ninety / se_five - theory_cut) < 0.08
assert 0.02 < bias < 0.045 and abs(moved_control) < 1e-9

# %% tags=["remove-cell"]
numbers(
    nn_cut=percent(theory_cut),
    nn_worth=f"{(1 - theory_cut) ** -2:.1f}",
    nn_se=percent(se_five, 1),
    nn_se_ninety=percent(se_ninety, 1),
    nn_even=percent(even, 1),
    nn_even_10m=percent(even_10m, 1),
    nn_path=percent(-path.low),
    nn_bias=f"{100 * bias:.1f}",
    nn_better=percent(min(even / wide, 1)),
    nn_better_10m=percent(min(even_10m / wide, 1)),
    nn_seen=percent(2.8 * se_ninety, 1),
)

# %% [markdown]
# The standard error falls from {glue:text}`nn_se` to {glue:text}`nn_se_ninety`. Now let the 90% be served by older code
# that shows {glue:text}`nn_path` fewer impressions. Nothing changed in the two arms, and the reading against the 90%
# rises by {glue:text}`nn_bias` points.
#
# Can you check first? Control against the 90% is an A/A test, and it has the standard error of the reading that it is to
# protect: at Maya's size it finds a gap of {glue:text}`nn_seen` in four of five tests. It cannot rule out the gap that
# matters. If the gap may lie anywhere in the dial's range, the 90% are the nearer control in
# {glue:text}`nn_better` of feeds of this size and in {glue:text}`nn_better_10m` of feeds of ten million users, where
# {glue:text}`nn_even_10m` is enough to spoil them. Noise shrinks with users, a bias does not.
#
# :::{admonition} They push back: "So why have a separate 5% control at all?"
# :class: they-push-back dropdown
# For what the 90% do not share: the same logging, the same assignment call, the same day of release. Better than both:
# serve all 95% by the path of the control, and the question is gone.
# :::
#
# (ch8-segments)=
# ### Segment hunting after a null result
#
# **"Flat overall, but look at Brazil": with nothing there at all, hunting through phone, country and cohort finds a star
# in {glue:text}`seg_any_1` of tests, crossed two by two in {glue:text}`seg_any_2`. Holm over the list brings it back
# to about {glue:text}`seg_holm_1` and {glue:text}`seg_holm_2`.**

# %% tags=["core"]
from casebook.experiments import adjust_p
from casebook.feed.forking import within_segments

cuts = control[["platform", "country", "cohort"]]
hunts = {"whole": 0, "one by one": 1, "two by two": 2}
hunted = {}
for words, depth in hunts.items():
    cells = within_segments(minutes_in, cuts, depth)
    p = aa_readings(cells, rng, splits=400)
    holm = [adjust_p(row, "holm").min() < 0.05 for row in p]
    hunted[words] = {
        "readings": p.shape[1],
        "a star": (p.min(axis=1) < 0.05).mean(),
        "a star, Holm": np.mean(holm),
    }
hunted = pd.DataFrame(hunted).T
hunted.map("{:.1%}".format).assign(readings=hunted["readings"].map(count))

# %% [markdown]
# The other side: there may be something. In this feed the mean effect is nil, and new users gain much; the size is the
# middle of the dial's range. The three cohorts were named before the test, so three readings are all there are.

# %%
from casebook.experiments import by_segment, heterogeneity, power_of_mean

gap_dial = next(dial for dial in FAULT_DIALS if dial.name == "cohort_gap")
uneven = simulate(World(effect=0.0, cohort_gap=float(gap_dial.at(0.5))), n, rng)
uneven_users = user_table(uneven.tables).query("arm != 'rest'")
by_cohort = by_segment(
    uneven_users["minutes"],
    uneven_users["arm"] == "new",
    uneven_users["cohort"],
)
by_cohort["holm"] = adjust_p(by_cohort["p"], "holm")
base = by_cohort["control_mean"]
by_cohort["relative"], by_cohort["se_relative"] = (
    by_cohort[k] / base for k in ("estimate", "se")
)

# %%
told = uneven.truth.by_cohort().set_index("cohort")["direct"]
by_cohort["truth"] = told
spread_of = heterogeneity(by_cohort["relative"], by_cohort["se_relative"])
print(f"do they differ? Q = {spread_of.q:.1f}, p = {spread_of.p:.2g}")
by_cohort[["relative", "se_relative", "p", "holm", "truth"]].round(3)

# %% tags=["remove-cell"]
needs_z = norm.isf(0.05 / 3 / 2)
z_new = told["new"] / by_cohort.loc["new", "se_relative"]
seg_power = norm.sf(needs_z - z_new)
seg_times = ((needs_z + 0.8416) / z_new) ** 2
assert hunted["a star"].is_monotonic_increasing
assert hunted.loc["one by one", "a star"] > 0.2
assert hunted.loc["two by two", "a star"] > 0.6
assert hunted.loc["two by two", "a star, Holm"] < 0.12
assert hunted.loc["one by one", "a star, Holm"] < 0.1
assert abs(uneven.truth.direct().relative) < 0.005 and told["new"] > 0.1
assert told["new"] > 0 > told.drop("new").max()
del uneven, uneven_users  # at full scale each feed is gigabytes

# %% tags=["remove-cell"]
numbers(
    seg_any_1=percent(hunted.loc["one by one", "a star"]),
    seg_any_2=percent(hunted.loc["two by two", "a star"]),
    seg_n_1=count(hunted.loc["one by one", "readings"]),
    seg_n_2=count(hunted.loc["two by two", "readings"]),
    seg_holm_1=percent(hunted.loc["one by one", "a star, Holm"], 1),
    seg_holm_2=percent(hunted.loc["two by two", "a star, Holm"], 1),
    seg_gap=percent(told["new"]),
    seg_rest=f"{told['power']:+.1%}",
    seg_power=percent(seg_power),
    seg_times=f"{max(seg_times, 1):.1f}",
    seg_p_new=probability(by_cohort.loc["new", "holm"]),
    seg_q=probability(spread_of.p),
)

# %% [markdown]
# {glue:text}`seg_n_1` readings, and {glue:text}`seg_n_2` when crossed: a hunt of the second size mostly comes home with
# something. An honest segment was named before, is corrected by Holm over all that were named, and stands only if the
# segments differ *from each other*, which is a test of its own (here p = {glue:text}`seg_q`). "Significant here, not
# there" is no difference.
#
# The mean does hide things: new users gain {glue:text}`seg_gap` here while the others change by
# {glue:text}`seg_rest`. At this size the honest reading finds the new users' gain in {glue:text}`seg_power` of tests
# (in this one its corrected p is {glue:text}`seg_p_new`); 80% take {glue:text}`seg_times` times the users. A
# segment of a tenth of the users has a tenth of the data, so what it finds must be large.
#
# :::{admonition} The source says: the average may be tiny while cohorts gain hugely, so analyse by segment
# :class: source-says
# Both true, and after a null result they work against each other: the more segments, the surer a false find. Name three
# before the test. What turns up otherwise is a lead; run it again on that segment alone.
# :::
#
# **Simpson's paradox comes in through a ramp.** A week's test starts with a tenth of the new arm and takes in the others
# on Saturday, when everybody stays longer. The ranker is one that *loses* 2.5% of minutes.

# %%
open_late = Design(days=7, new=0.5, control=0.5, ramp_day=5, ramp_from=0.1)
losing = World(effect=-0.025)
ramped = simulate(losing, min(n // 4, 250_000), rng, open_late).tables
members = user_table(ramped)
entered = (
    members["assigned_on"] - members["assigned_on"].min()
).dt.days.to_numpy()
in_new = (members["arm"] == "new").to_numpy()
spent = ramped["daily"].groupby(["day", "arm"])["minutes"].sum().unstack()
present = {
    name: [(side & (entered <= day)).sum() for day in spent.index]
    for name, side in (("new", in_new), ("control", ~in_new))
}
present = pd.DataFrame(present, index=spent.index)

# %%
a_day = spent[["new", "control"]] / present
pooled = spent.sum() / present.sum()
pooled_lift = pooled["new"] / pooled["control"] - 1
# A day counts by what it tells of the difference (Mantel and Haenszel).
weight = present.prod(axis=1) / present.sum(axis=1)
within_lift = weight @ a_day["new"] / (weight @ a_day["control"]) - 1
pd.Series({"thrown together": pooled_lift, "within days": within_lift})

# %% tags=["remove-input"] mystnb={"image": {"alt": "Two panels by day of a week: minutes a user in both arms rise together at the weekend; users in the new arm jump on Saturday while those in control stay level."}}
figures_pitfalls.ramp_lines(
    a_day.join(present.add_suffix("_users")), pooled_lift, within_lift
)

# %% tags=["remove-cell"]
from casebook.feed.world import WEEK

week_use, open_share = np.array(WEEK), np.where(np.arange(7) < 5, 0.1, 1.0)
weighed = week_use @ open_share / open_share.sum() / week_use.mean()
expected_pooled = (1 + losing.effect) * weighed - 1
assert expected_pooled > 0.02 > 0 > losing.effect
assert 0.02 < pooled_lift - within_lift < 0.09
week_minutes = members.loc[~in_new, "minutes"]
week_luck = 1.96 * week_minutes.std() / week_minutes.mean()
week_luck *= np.sqrt(2 / (~in_new).sum())
numbers(
    seg_pooled=f"{pooled_lift:+.1%}",
    seg_within=f"{within_lift:+.1%}",
    seg_expected=f"{expected_pooled:+.1%}",
    seg_luck=f"{100 * week_luck:.0f}",
)

# %% [markdown]
# Thrown together, the user-days say {glue:text}`seg_pooled`; days compared with themselves say
# {glue:text}`seg_within`. In a single week luck moves either by some {glue:text}`seg_luck` points; it is mostly
# the same luck, so the gap between them stays. With luck left out it is {glue:text}`seg_expected` against -2.5%: a loser
# that looks like a winner. Most of the new arm's user-days are a weekend, the control's are a week. Compare within days
# and add up with the same weights for both arms, or ramp both arms together, or drop the ramp. What changes in share over
# time, be it arms, platforms or countries, must not change the comparison.
#
# :::{admonition} Say it
# :class: say-it
# "Flat is the answer to the question that we asked. If you have a segment in mind, did you have it before? I'd test
# whether segments differ at all, correct over all that were looked at, and rerun what is left. And was the split the
# same every day?"
# :::

# %% [markdown]
# (ch8-spillover)=
# ### SUTVA and spillover: friends are in the other arm
#
# **Where a gain passes between friends, a test of users falls short of the launch by the same share in any graph. The
# graph decides something else: how much of that clusters can mend.**
#
# Maya's feed shows what friends shared. Who sees a better feed shares more, and friends get some of it, in whichever
# arm they are. {term}`SUTVA`, the assumption that nobody's outcome hangs on another's arm, is broken. The tempting answer is
# that leaks "blur the arms", so the true effect must be larger and a win is all the safer. The size of the gap can be
# worked out. Let half of each friend's gain be passed on, and test the same people twice: once by user, once by
# cluster of friends, found by Leiden's algorithm {cite}`traag2019` in the friendship
# table. The planted communities are not shown to it.

# %% tags=["core"]
from casebook.feed.plays_interference import by_modularity

passed_on = World(spillover=0.5)
designs = by_modularity(passed_on, (0.2, 0.5, 0.8), seed)
shown = {"launch": 4, "user": 4, "cluster": 4, "user_se": 4, "cluster_se": 4}
designs.round({**shown, "pays_from": 0})

# %% tags=["remove-input"] mystnb={"image": {"alt": "Line chart of the share of a launch's effect that each design shows against the modularity of the friendship graph: the line by user is flat at two thirds, the line by cluster rises towards the launch."}}
from casebook.feed import figures_interference

figures_interference.bias_by_modularity(designs)

# %% tags=["remove-cell"]
sp_user = designs["user"] / designs["launch"] - 1
sp_cluster = designs["cluster"] / designs["launch"] - 1
sp_wider = (designs["cluster_se"] / designs["user_se"]) ** 2
assert np.ptp(sp_user) < 0.03 and (sp_user < -0.25).all()
assert sp_cluster.is_monotonic_increasing and (sp_cluster < -0.03).all()
assert sp_wider[1] > 1.05 and sp_wider[2] > 1.15
assert (designs["pays_from"] < 2_000_000).all()
maya_bias, maya_se = -designs["launch"][1] * sp_user[1], designs["user_se"][1]
off_user = np.hypot(maya_bias, maya_se)
off_cluster = np.hypot(designs["launch"] * sp_cluster, designs["cluster_se"])[1]
assert maya_se > 1.2 * maya_bias and 0.8 < off_cluster / off_user < 1.25

# %% tags=["remove-cell"]
numbers(
    sp_user=percent(-sp_user[1]),
    sp_cluster_low=percent(-sp_cluster[0]),
    sp_cluster_half=percent(-sp_cluster[1]),
    sp_cluster_high=percent(-sp_cluster[2]),
    sp_users_half=f"{sp_wider[1]:.1f}",
    sp_users_high=f"{sp_wider[2]:.1f}",
    sp_se=f"{100 * maya_se:.1f}",
    sp_points=f"{100 * maya_bias:.1f}",
    sp_off_user=f"{100 * off_user:.2f}",
    sp_off_cluster=f"{100 * off_cluster:.2f}",
    sp_pays_low=count(round(designs["pays_from"][0], -4)),
    sp_pays_half=count(round(designs["pays_from"][1], -4)),
    sp_pays_high=count(round(designs["pays_from"][2], -4)),
)

# %% [markdown]
# By user the test shows {glue:text}`sp_user` less than the launch, at every modularity. Nothing is blurred. Each arm has
# the same share of treated friends, so what friends pass on falls out of the difference altogether, at 5 / 5 / 90 as at
# half and half. A cluster takes its friends along: at modularity 0.2 the cluster test misses
# {glue:text}`sp_cluster_low`, at 0.5 {glue:text}`sp_cluster_half`, at 0.8 {glue:text}`sp_cluster_high`. It never
# reaches the launch, since friendships cross every border.
#
# Clusters cost power, for friends are alike and the members of a cluster are drawn together. The same standard error
# takes {glue:text}`sp_users_half` times the users at modularity 0.5 and {glue:text}`sp_users_high` times at 0.8, where
# clusters are fewer and larger. So it is a trade of bias against variance, and the company's size settles it.
# `pays_from` is the number of users, with 5% in each arm, from which on the cluster test is closer to the launch on
# average: {glue:text}`sp_pays_low` at 0.2, {glue:text}`sp_pays_half` at 0.5, {glue:text}`sp_pays_high` at 0.8 by the
# errors of this one lot, and another lot moves these numbers by half. So at Maya's size the two cannot be told apart: at 0.5
# her test would be off by {glue:text}`sp_off_user` points by user and by {glue:text}`sp_off_cluster` by cluster (root mean
# square). By user the bias is {glue:text}`sp_points` points and the standard error {glue:text}`sp_se`. What is wrong with
# her test is its size, in either design.
#
# Is that this one graph? The study draws friendship graphs, gains, effects and how alike friends are.

# %%
met = studies.load("08_spillover")
sp_found = {
    "naive_understates": "the user test understates",
    "clusters_less_biased": "clusters have less bias",
    "clusters_unbiased": "clusters have hardly any",
    "clusters_wider": "clusters have the larger error",
    "clusters_pay_small": "clusters are closer, 200,000 users",
    "clusters_pay_large": "clusters are closer, 10 million",
}
pd.DataFrame(
    {
        "drawn feeds": [str(share_holding(met.frame[f])) for f in sp_found],
        "null": [str(share_holding(met.null_frame[f])) for f in sp_found],
    },
    index=list(sp_found.values()),
)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Flip map of the error that clusters save, by the effect across and spillover upwards, for a company of ten million users: gains at both ends of the effect, losses or nothing in the column about zero."}}
from casebook.flip_figures import gain_map
from casebook.worlds import flip_map_of

sp_map = flip_map_of(
    met.frame, met.dials, "effect", "spillover", 4, 3, "gain_large"
)
gain_map(
    sp_map,
    ("effect", "effect of a user's own ranker, share of minutes"),
    ("spillover", "friend's gain passed on"),
    "Clusters pay for large effects; a small effect has a small bias",
    "percent of the error that clusters save, 10 million users; n drawn feeds",
)

# %% tags=["remove-cell"]
sp_share = {f: share_holding(met.frame[f]) for f in sp_found}
sp_null = {f: share_holding(met.null_frame[f]) for f in sp_found}
assert sp_share["naive_understates"].share > 0.9
assert sp_share["clusters_less_biased"].share > 0.7
assert sp_share["clusters_unbiased"].share < 0.5
assert sp_share["clusters_pay_large"].low > sp_share["clusters_pay_small"].high
assert sp_null["naive_understates"].holds == 0
assert sp_null["clusters_pay_large"].holds == 0
sp_big = met.frame["effect"].abs() > 0.01
sp_pays = {
    big: share_holding(met.frame.loc[sp_big == big, "clusters_pay_large"])
    for big in (True, False)
}
assert sp_pays[True].low > sp_pays[False].high
sp_by = sp_map.groupby("effect")["mean"].mean()
assert sp_by.idxmin() == sp_by.index[abs(sp_by.index).argmin()]

# %% tags=["remove-cell"]
numbers(
    sp_study_naive=str(sp_share["naive_understates"]),
    sp_study_less=str(sp_share["clusters_less_biased"]),
    sp_study_unbiased=str(sp_share["clusters_unbiased"]),
    sp_study_small=str(sp_share["clusters_pay_small"]),
    sp_study_large=str(sp_share["clusters_pay_large"]),
    sp_study_wider_null=str(sp_null["clusters_wider"]),
    sp_study_big=str(sp_pays[True]),
    sp_study_slight=str(sp_pays[False]),
)

# %% [markdown]
# The user test understates the launch in {glue:text}`sp_study_naive` drawn feeds. Clusters take off a twentieth of the
# launch's effect or more in {glue:text}`sp_study_less`, and come within a twentieth of it in
# {glue:text}`sp_study_unbiased`. With 200,000 users they have the smaller error in {glue:text}`sp_study_small`, with ten
# million in {glue:text}`sp_study_large`. What decides is the effect more than the graph. The bias is a share of it, the
# price is not: with ten million users clusters pay in {glue:text}`sp_study_big` feeds whose own effect is beyond one
# percent, and in {glue:text}`sp_study_slight` of the others. Where nothing spills over they are wider all the same in
# {glue:text}`sp_study_wider_null` and gain nothing: that is what the insurance costs.
#
# :::{admonition} The source says: arm boundaries leak, so cluster-randomize
# :class: source-says
# The direction is right and half of the answer. The leak does not blur: it hides the friends' part of the effect
# whole. Clusters mend part of it, as far as friendships stay inside them, and at a price in power that a small test
# should not pay. A loss understates itself by the same share, so "spillover makes a win safer" has a twin: it makes a
# harm look milder.
# :::
#
# :::{admonition} Say it
# :class: say-it
# "If friends pass it on, my user-level difference is the direct effect, not the launch's. I'd look at how much of the
# friendship graph stays inside clusters, work out what a cluster test costs in users, and take it only if the bias it
# removes is larger than the error it adds."
# :::
#
# (ch8-creators)=
# ### Creators who respond: the other side of the market
#
# **No test of viewers, by user or by cluster, sees what creators do after a launch.** A ranker that gets people to see more
# gives creators more exposure; they post more; everybody has more to see. In a test 5% of that exposure moves, and what
# it brings goes to both arms.

# %%
answering = dict(creators=0.5, response=0.4, creator_half_life=21)
moved = {"creators post more": 0.0, "and exposure moves to the small": 0.5}
sides = {
    name: simulate(
        World(**answering, reallocation=share),
        20_000,
        np.random.default_rng(seed),
    ).truth
    for name, share in moved.items()
}
two_sided = {
    name: {
        "the arms differ by": side.contrast(),
        **{f"launch, day {d}": side.launch(d).relative for d in (14, 30, 180)},
    }
    for name, side in sides.items()
}
pd.DataFrame(two_sided).map("{:.2%}".format)

# %% tags=["remove-cell"]
plain, tilted = two_sided.values()
sp_late = [one["launch, day 180"] for one in (plain, tilted)]
sp_apart = [one["the arms differ by"] for one in (plain, tilted)]
assert np.allclose(sp_apart, 0.02, atol=3e-4)
assert sp_late[0] > sp_late[1] > 0.0215
assert plain["launch, day 14"] < plain["launch, day 30"] < sp_late[0]
posted = tables["creators"]["posts"].sum()
sp_answer = 0.05 * 0.02 * answering["response"]
sp_noise = np.sqrt(1 / posted)
assert scale != "small" or sp_noise > 5 * sp_answer
numbers(
    sp_arms=percent(plain["the arms differ by"], 1),
    sp_late=percent(sp_late[0], 2),
    sp_late_tilted=percent(sp_late[1], 2),
    sp_day30=percent(plain["launch, day 30"], 2),
    sp_posts=percent(sp_answer, 2),
    sp_posts_noise=percent(sp_noise, 1),
)

# %% [markdown]
# The arms differ by {glue:text}`sp_arms` and the launch brings {glue:text}`sp_late` after half a year, or
# {glue:text}`sp_late_tilted` if the ranker also takes exposure from the largest creators, whose posts are most of what is
# seen. With another elasticity either number moves; the arms' difference does not. Can the creators' own table tell? At
# 5% their exposure rises by a thousandth, and even the full answer to that is {glue:text}`sp_posts` more posts, where
# the count of all posts has a standard error of {glue:text}`sp_posts_noise`. So measure it where exposure really moves:
# whole countries on the new ranker against whole countries on the old, for as long as creators take to answer; or in a
# second experiment that randomises creators. Until then say that the test is silent on supply.
#
# (ch8-log)=
# ### One log trains both arms
#
# **Two rankers that learn from one log are not two treatments: the test can prefer the worse one.** Here nothing is a
# dial. The old ranker shows the item that looks best. The new one also tries what it does not know. Each is played
# alone first (the launch), then both in one test: with one log from which both learn, or *diverted*
# (a {term}`data-diverted design`), each arm's ranker learning from its own arm's visits.

# %% tags=["core"]
from casebook.feed.one_log import clicks_of_rankers


def learn(share_new, log="shared"):
    play = np.random.default_rng(seed)
    return clicks_of_rankers(share_new, log, play, markets=300)


alone = learn(1.0)[:, 1].mean() / learn(0.0)[:, 0].mean() - 1
logs = {"launch: each alone": alone}
for share in (0.05, 0.5):
    for log in ("shared", "diverted"):
        old, new = np.nanmean(learn(share, log), axis=0)
        logs[f"test, {share:.0%} new, {log} log"] = new / old - 1
pd.Series(logs, name="lift of clicks").map("{:+.0%}".format).to_frame()

# %% tags=["remove-cell"]
shared_5, diverted_5, shared_50, diverted_50 = list(logs.values())[1:]
assert alone > 0.05 and shared_5 < -0.1 and shared_50 < -0.03
assert diverted_50 > 0 > diverted_5
numbers(
    sp_log_alone=percent(alone),
    sp_log_shared=percent(-shared_5),
    sp_log_shared_half=percent(-shared_50),
    sp_log_diverted=percent(-diverted_5),
    sp_log_diverted_half=percent(diverted_50),
)

# %% [markdown]
# Launched, the new ranker gains {glue:text}`sp_log_alone`. In the 5% test with one log it loses
# {glue:text}`sp_log_shared`: it pays for the trying, and the old ranker shows what it found. At half and half it still
# loses {glue:text}`sp_log_shared_half`. This is symbiosis bias, and its sign can be either {cite}`brennan2025`. Diverting
# the log mends the sign at half and half ({glue:text}`sp_log_diverted_half`). At 5% it does not
# ({glue:text}`sp_log_diverted` lost): a ranker that learns from a twentieth of the visits has hardly begun. In the
# chapter's feed what the shared log hides is the dial `symbiosis`, what a small log costs a ranker is `appetite`, and
# diverting pays where the first is the larger.
#
# :::{admonition} They push back: "We retrain nightly on all logs. Do I have to build a second pipeline for each test?"
# :class: they-push-back dropdown
# Ask first whether the change is in what the ranker *explores*. If both arms would show nearly the same items, the log
# is the same whoever wrote it and sharing costs nothing. If not, divert one test, with arms of equal size, and
# compare it with the shared one. What the two differ by is your bias.
# :::
#
# (ch8-novelty)=
# ### Novelty and primacy
#
# **Week 2 only is a cheap cut and half of a mend: it costs few users and keeps what fades slowly. A fitted decay removes
# the rest if novelty fades as the curve does, and only a large test can afford it.** A new feed is tried because it is new. What matters on Thursday is
# what is left in half a year. Here the first day adds 8%, half of which is gone in four days; 2% stays. Half of
# {glue:text}`nov_users` users are in each arm: with Maya's 10,000 one day's lift has a standard error of
# {glue:text}`nov_day_se` points, about as much as the 2% that stay.

# %% tags=["core"]
from casebook.feed.decay import fit_decay, lift_from, lifts_by

half = Design(new=0.5, control=0.5)
n_fresh = min(n // 2, 500_000)
fresh = simulate(World(novelty=0.08, half_life=4), n_fresh, rng, half)
daily, launch = fresh.tables["daily"], fresh.truth.launch(180).relative
by_age = lifts_by(daily)
whole, week2 = lift_from(daily), lift_from(daily, first=7)
fit = fit_decay(by_age)
readings = {
    "all 14 days": (whole.estimate, whole.low, whole.high),
    "week 2 only": (week2.estimate, week2.low, week2.high),
    "fitted decay": (fit.lasting, fit.low, fit.high),
    "truth, day 180": (launch, launch, launch),
}
pd.DataFrame(readings, index=["lift", "low", "high"]).T.map("{:+.1%}".format)

# %% tags=["remove-input"] mystnb={"image": {"alt": "The lift of minutes per session by days since exposure, falling from about ten percent, with the fitted decay through the points, and a band for the lasting lift that is wide."}}
figures_interference.decay_fit(by_age, fit, launch)

# %% tags=["remove-cell"]
assert whole.low > launch + 0.01 and whole.estimate > week2.estimate
assert week2.estimate > launch + 0.005
assert fit.high - fit.low > 1.5 * (week2.high - week2.low)

# %% tags=["remove-cell"]
nov_met = studies.load("08_novelty")
nov = {
    f: str(share_holding(nov_met.frame[f]))
    for f in nov_met.frame
    if nov_met.frame[f].dtype == bool
}
nov_null = nov_met.null_frame
nov_more = nov_met.frame["users_week2"].median() - 1
numbers(
    nov_users=count(n_fresh // 2),
    nov_day_se=f"{100 * by_age.se[7] * np.sqrt(n_fresh / 2 / 10_000):.1f}",
    nov_whole=percent(whole.estimate, 1),
    nov_week2=percent(week2.estimate, 1),
    nov_fit_low=percent(fit.low, 1),
    nov_fit_high=percent(fit.high, 1),
    nov_more=percent(nov_more),
)

# %% [markdown]
# All 14 days say {glue:text}`nov_whole`, with an interval that leaves out the 2% that stay; week 2 says
# {glue:text}`nov_week2`. More users would only make both surer. What week 2 costs is little: {glue:text}`nov_more` more
# users for the same standard error and not twice as many, since it is the same people who come back. The fit asks for three
# numbers, a lasting lift, a passing one and a half-life. Its interval, {glue:text}`nov_fit_low` to
# {glue:text}`nov_fit_high`, takes in every half-life up to 14 days that fits: not knowing it is what makes it so wide.
#
# Count days from each user's first session, not from the calendar. Here is the same feed with a ramp: three tenths of the
# new arm begin on day 0, the others on day 7.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of the same test: by calendar day the lift falls and jumps up again at the ramp; by days since exposure it falls smoothly along the truth."}}
ramp = Design(new=0.5, control=0.5, ramp_day=7, ramp_from=0.3)
ramped = simulate(World(novelty=0.08, half_life=4), n_fresh // 2, rng, ramp)
both = ("day", "days_since_exposure")
clocks = [lifts_by(ramped.tables["daily"], clock) for clock in both]
figures_interference.two_clocks(*clocks, ramped.truth.by_age(14), 7)

# %% tags=["remove-cell"]
ramp_2 = lift_from(ramped.tables["daily"], first=7)
ramp_age = lift_from(ramped.tables["daily"], 7, "days_since_exposure")
by_day = clocks[0].lift
assert by_day[7:9].mean() > by_day[4:7].mean() + 0.003
assert ramp_2.estimate > ramp_age.estimate + 0.005
numbers(
    nov_ramp_week2=percent(ramp_2.estimate, 1),
    nov_ramp_age=percent(ramp_age.estimate, 1),
)

# %% [markdown]
# By the calendar, week 2 is the newcomers' first week and says {glue:text}`nov_ramp_week2`. From the eighth day of
# exposure on it is {glue:text}`nov_ramp_age`. Even without a ramp a feed's rare visitors keep arriving. The same clock
# reads the {term}`primacy effect`, which *grows* while people unlearn the old feed: there week 2 says
# too little.
#
# How much is left depends on the half-life, which nobody knows beforehand:

# %% tags=["remove-input"] mystnb={"image": {"alt": "Dots of drawn feeds: the share of novelty left in the second week rises with the half-life from nearly none at one day to most of it at fourteen."}}
figures_interference.novelty_left(nov_met.frame)

# %%
nov_rows = {
    "the whole test overstates": "full_overstates",
    "week 2 overstates": "week2_overstates",
    "week 2 is closer, 200,000 users": "week2_closer_small",
    "week 2 is closer, 10 million": "week2_closer_large",
    "the fit is closest, 200,000 users": "decay_closest_small",
    "the fit is closest, 10 million": "decay_closest_large",
    "a loser passes as a winner": "launches_loser",
}
pd.DataFrame(
    {
        "drawn feeds": {row: nov[f] for row, f in nov_rows.items()},
        "null": {
            row: str(share_holding(nov_null[f])) for row, f in nov_rows.items()
        },
    }
)

# %% tags=["remove-cell"]
nov_is = {f: share_holding(nov_met.frame[f]) for f in nov}
covered = nov_met.frame[["decay_covers_small", "decay_covers_large"]].mean()
assert nov_is["full_overstates"].share > 0.8
assert nov_null[list(nov)].sum().sum() == 0
assert nov_is["week2_closer_small"].share > 0.85
assert nov_is["week2_closer_large"].share > 0.85
assert nov_is["decay_closest_large"].low > nov_is["decay_closest_small"].high
assert 0.15 < nov_more < 0.45
nov_left = nov_met.frame.set_index("half_life")["novelty_left"].sort_index()
assert nov_left.loc[:2].max() < 0.3 and nov_left.loc[7:].min() > 0.6
numbers(
    nov_over=nov["full_overstates"],
    nov_over_2=nov["week2_overstates"],
    nov_fit_small=nov["decay_closest_small"],
    nov_fit_large=nov["decay_closest_large"],
    nov_loser=nov["launches_loser"],
    nov_covers_small=percent(covered.iloc[0]),
    nov_covers_large=percent(covered.iloc[1]),
)

# %% [markdown]
# More than a fifth of a percent of minutes too much is read in {glue:text}`nov_over` drawn feeds from the whole test and
# in {glue:text}`nov_over_2` from week 2. Week 2 is closer nearly always where something fades, and never where nothing
# does: there it gives up users for no gain. The fit is the closest of the three in {glue:text}`nov_fit_small` with
# 200,000 users and in {glue:text}`nov_fit_large` with ten million (its 95% intervals hold the truth in
# {glue:text}`nov_covers_small` and {glue:text}`nov_covers_large` of the tests). In {glue:text}`nov_loser` a loser is
# expected to pass a large test as a significant winner. Mind what the fit is given here: novelty in these feeds *is* a
# half-life curve of at most 14 days, as the fit assumes. Where yours fades in another way, believe its interval less.
#
# :::{admonition} The source says: look at week 2 only
# :class: source-says
# Right for a novelty that halves within two days, and cheap. Where it takes a week, most of it is still there, and a
# significant week 2 says nothing about the half-life. Plot the lift by days since exposure before you cut: if days 8
# to 14 still slope, there is more to come off.
# :::
#
# (ch8-holdback)=
# ### The holdback: 30 days against 180
#
# **Thirty days are long enough for what fades in a week, too short for what grows in a month, and blind to what reaches
# both arms however long they last.** After the launch Maya keeps 5% on the old ranker. Suppose users need time to
# unlearn the old feed (3% is missing on the first day, half of that after 20 days), and creators answer as above.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two lines by days since the launch, up to half a year: the launch's lift keeps rising; the holdback's line rises too and stays below it."}}
from casebook.feed.plays_novelty import HOLDBACK, launch_and_holdback

slow = World(primacy=0.03, primacy_half_life=20, **answering)
held = simulate(slow, 20_000, np.random.default_rng(seed), HOLDBACK).truth
after = launch_and_holdback(held)
figures_interference.holdback_lines(after, {"14 days": 14, "30 days": 30})

# %% tags=["core"]
kept = studies.load("08_holdback")
ends = {
    "two weeks": "test",
    "30 days, mean": "month",
    "30 days, last week": "last_week",
    "180 days, last week": "standing",
}
missed = {
    name: {
        "misses day 180": str(share_holding(kept.frame[f"{end}_misses"])),
        "null": str(share_holding(kept.null_frame[f"{end}_misses"])),
        "median miss, points": 100 * kept.frame[f"{end}_miss"].abs().median(),
    }
    for name, end in ends.items()
}
pd.DataFrame(missed).T.round({"median miss, points": 2})

# %% tags=["remove-cell"]
misses = {
    end: share_holding(kept.frame[f"{end}_misses"]) for end in ends.values()
}
assert misses["test"].share > misses["last_week"].share > 0.6
assert misses["standing"].high < misses["last_week"].low
fast = kept.frame["primacy_half_life"] < 6
nov_fast = share_holding(kept.frame.loc[fast, "last_week_misses"])
nov_slow = share_holding(kept.frame.loc[~fast, "last_week_misses"])
assert nov_fast.share < nov_slow.share - 0.15

# %% tags=["remove-cell"]
assert 0.03 * 0.5**4 < 0.002 < 0.03 * 0.5**3
day30, late = after["holdback"].loc[30], after["launch"].loc[180]
assert day30 < 0.75 * late and after["holdback"].iloc[-1] < late - 0.001
numbers(
    nov_day14=percent(after["holdback"].loc[14], 1),
    nov_day30=percent(day30, 1),
    nov_day180=percent(late, 1),
    nov_standing=percent(after["holdback"].iloc[-1], 1),
    nov_miss_test=str(misses["test"]),
    nov_miss_week=str(misses["last_week"]),
    nov_miss_month=str(misses["month"]),
    nov_miss_standing=str(misses["standing"]),
    nov_miss_fast=str(nov_fast),
    nov_miss_slow=str(nov_slow),
    nov_wrong=str(share_holding(kept.frame["wrong_sign"])),
    nov_nearer=str(share_holding(kept.frame["last_week_nearer"])),
)

# %% [markdown]
# In the week to day 14 the holdback shows {glue:text}`nov_day14`, in that to day 30 {glue:text}`nov_day30`. The launch is
# worth {glue:text}`nov_day180`. Even a holdback kept for half a year ends at {glue:text}`nov_standing`: those held back
# read the creators' new posts too.
#
# Over drawn feeds in which novelty, primacy and creators all have a part, the last week of a 30-day holdback is off by
# more than a fifth of a percent of minutes in {glue:text}`nov_miss_week`, and its sign is wrong in
# {glue:text}`nov_wrong`. That is better than the test itself ({glue:text}`nov_miss_test`), and nearer to day 180 in
# {glue:text}`nov_nearer`. What decides is how slow the slowest part is: it misses in {glue:text}`nov_miss_fast` where
# primacy halves within six days and in {glue:text}`nov_miss_slow` where it takes longer. Kept for 180 days it misses in
# {glue:text}`nov_miss_standing`, all of them the creators' doing.
#
# :::{admonition} The source says: a holdback of 30 days here, cohorts over 30, 60, 90 and 180 days in its last section
# :class: source-says
# Thirty days settle what fades within about a week, and read the *last* week: the mean of all 30 misses in
# {glue:text}`nov_miss_month`. Slow learning needs the 180 days. Neither sees what reaches both arms. So write down,
# before the launch, which slow effect you expect and how fast: a missing 3% is below a fifth of a percent after four
# half-lives, not sooner.
# :::
#
# :::{admonition} They push back: "Nobody will let me keep 5% of users on the old feed for half a year."
# :class: they-push-back dropdown
# Price it. If the launch gains 2%, holding back a twentieth of users costs a thousandth of all minutes for as long as it
# lasts. Then offer a smaller one: 1% of ten million users is 100,000 held back, ten times an arm of Maya's test, at a
# fifth of the price.
# :::

# %% [markdown]
# (ch8-decision)=
# ## Cost-of-decision framing
#
# **A star and a launch that pays are two different bars. With {glue:text}`dec_large` users an arm the star is passed by
# gains that do not pay for the launch, and with few the programme's past asks for more than the star does. Over
# {glue:text}`dec_n` drawn tests, {glue:text}`dec_some` of them worth a launch, the star rule earns
# {glue:text}`dec_star` of what the oracle earns: it loses money. What the other rules earn is small, and mostly cannot be
# told from nothing.**
#
# Maya's ranker is built. It took a team a quarter, and everybody in the room would like that to count. The tempting
# answer is the star, and where it is missing "we have put so much into it". Write down three numbers instead: what a
# point of the metric is worth, what the launch still costs, and what is believed about the effect.
#
# :::{admonition} The source says: effect x users impacted x business value > engineering cost?
# :class: source-says
# The product on the left is right. On the right stands only what is still to pay: servers, migration, support. The
# quarter is spent whether Maya launches or not. And the effect is not the estimate, but what is left of it after the
# programme's past has had its say.
# :::

# %% tags=["core"]
from casebook.experiments import launch_value
from casebook.feed.launch_bars import bars, belief_of, past_tests

dollars_per_minute, weeks = 0.004, 52  # assumed: what a minute of feed earns
year = n * mean * (weeks / 2) * dollars_per_minute
to_pay, spent = 0.004 * year, 0.05 * year  # servers, and the quarter

past = past_tests(programme, spread, 400, rng)
belief = belief_of(past)  # fit_programme, with a share that does nothing
print(f"{belief.idle:.0%} do nothing, the others spread by {belief.sd:.1%}")

# %% tags=["core"]
decisions = {"this test": (effect.estimate, effect.se)}
decisions["0.1%, p = 0.04"] = 0.001, 0.001 / norm.isf(0.02)
decisions["5%, p = 0.04"] = 0.05, 0.05 / norm.isf(0.02)
decisions["3%, p = 0.004"] = 0.03, 0.03 / norm.isf(0.002)
priced = {}
for name, (estimate, se) in decisions.items():
    after = belief.update(estimate, se)
    worth = launch_value(after, year, to_pay=to_pay, spent=spent)
    priced[name] = {
        "shrunk": f"{after.expected:+.2%}",
        "expected": dollars(worth.expected),
        "chance of a loss": percent(worth.chance_of_loss),
        "knowing more is worth": dollars(worth.perfect_information),
        "launch": worth.launch,
    }
pd.DataFrame(priced)

# %%
from casebook.decisions import threshold

missed = 0.02 * year - to_pay  # what not launching a true 2% costs
cut_of_two = threshold(cost_fp=to_pay, cost_fn=missed)
print(f"{missed / to_pay:.1f} to 1: launch from {cut_of_two:.2f}")

# %% tags=["remove-cell"]
bar_alone, bar_sunk = worth.threshold, worth.threshold_with_sunk
launches = {name: column["launch"] for name, column in priced.items()}
assert not launches["0.1%, p = 0.04"] and bar_sunk > 5 * bar_alone
numbers(
    dec_year=dollars(year),
    dec_point=dollars(year / 100),
    dec_to_pay=dollars(to_pay),
    dec_ratio=f"{missed / to_pay:.1f}",
    dec_cut=probability(cut_of_two),
    dec_spent=dollars(spent),
    dec_bar=percent(bar_alone, 1),
    dec_bar_sunk=percent(bar_sunk, 1),
    dec_this=priced["this test"]["expected"],
    dec_this_says="launch" if launches["this test"] else "no launch",
    dec_five=priced["5%, p = 0.04"]["expected"],
    dec_five_shrunk=priced["5%, p = 0.04"]["shrunk"],
    dec_five_loss=priced["5%, p = 0.04"]["chance of a loss"],
    dec_five_more=priced["5%, p = 0.04"]["knowing more is worth"],
    dec_five_says="launch" if launches["5%, p = 0.04"] else "no launch",
    dec_three=priced["3%, p = 0.004"]["expected"],
)

# %% [markdown]
# A year of this feed's minutes is {glue:text}`dec_year`, so a point is {glue:text}`dec_point`. {glue:text}`dec_to_pay`
# is still to pay, and a launch pays from {glue:text}`dec_bar` on. With the {glue:text}`dec_spent` of the past quarter
# in the sum the bar is {glue:text}`dec_bar_sunk`, and gains between the two are thrown away to honour money that is
# gone. This test, shrunk, is worth {glue:text}`dec_this`: {glue:text}`dec_this_says`. The launch at 5% and p = 0.04
# comes down to {glue:text}`dec_five_shrunk` (by a belief fitted to 400 past tests, whose effects it takes for normal; the
# true programme [above](ch8-effect) said {glue:text}`eff_huge_expected`, so this verdict hangs on which 400 were drawn), is expected to bring {glue:text}`dec_five`, and loses in
# {glue:text}`dec_five_loss` of cases ({glue:text}`dec_five_says`). What knowing the truth first would be worth,
# {glue:text}`dec_five_more`, is the most that a second test may cost. The one at 0.1% does not pay for its servers here,
# star or not.
#
# As a threshold: were there only two rankers, one that does nothing and one that adds the 2% Maya hopes for, a useless
# launch would cost what is to pay, and a missed one {glue:text}`dec_ratio` times that. Launch from a probability of
# {glue:text}`dec_cut` that it is the good one; the cell before has it from `casebook.decisions`.
#
# **Where p < 0.05 and "do not launch" agree, and where "not significant" and "launch" do.** For each size of a test there is
# an estimate from which on it is significant, and one from which on the expected value is above zero.

# %% tags=["core"]
arm_users = np.geomspace(2_000, 20_000_000, 41).round().astype(int)
size_bars = bars(belief, spread, arm_users, bar_alone)
star_first = size_bars["star"] < size_bars["value"]
size_bars.iloc[::8].round(4)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Two lines by users in an arm on log scales: the estimate needed for a significant result falls without end; the one needed for a launch to pay falls more slowly and flattens just above the launch's cost, so that the lines cross."}}
from casebook.feed import figures_decision

figures_decision.two_bars(size_bars, bar_alone)

# %%
drawn_programmes = draw_dials(PROGRAMME, 24, rng)
turns = []
for row in drawn_programmes.to_numpy():
    seen = past_tests(Programme(*row), spread, 400, rng)
    gap = bars(belief_of(seen), spread, [10_000, 20_000_000], bar_alone)
    turns.append(gap["star"] < gap["value"].fillna(np.inf))
turns = pd.DataFrame(turns).set_axis(["10,000", "20 million"], axis=1)
pd.Series({k: str(share_holding(turns[k])) for k in turns}).rename(
    "the star is the lower bar"
).to_frame()

# %% tags=["remove-cell"]
assert star_first.iloc[0] and star_first.iloc[-1]
assert (size_bars["value"] > bar_alone).all()
star_too_high = size_bars.loc[~star_first, "users"]
assert turns["20 million"].mean() > 0.95
small_side = size_bars.iloc[0]
numbers(
    dec_small=count(int(size_bars["users"].iloc[0])),
    dec_large=count(int(size_bars["users"].iloc[-1])),
    dec_small_star=percent(small_side["star"], 1),
    dec_small_value=percent(small_side["value"], 1),
    dec_large_star=percent(size_bars["star"].iloc[-1], 2),
    dec_large_value=percent(size_bars["value"].iloc[-1], 2),
    dec_turn_small=str(share_holding(turns["10,000"])),
    dec_turn_large=str(share_holding(turns["20 million"])),
    dec_between=(
        f"from {star_too_high.min():,} to {star_too_high.max():,} users an arm"
        if len(star_too_high)
        else "at no size here"
    ),
)

# %% [markdown]
# At {glue:text}`dec_small` users an arm a star takes {glue:text}`dec_small_star`, and a launch pays from
# {glue:text}`dec_small_value`. At {glue:text}`dec_large` it is {glue:text}`dec_large_star` against
# {glue:text}`dec_large_value`. Between the lines the two rules disagree: at both ends of the figure a result there is
# significant and does not pay; where the star's bar is the higher one ({glue:text}`dec_between`) a launch pays in
# expectation before it is significant. Over drawn programmes the star is the lower bar in {glue:text}`dec_turn_small` at 10,000 users and in
# {glue:text}`dec_turn_large` at 20 million (there it must be: a star takes less than the launch costs). So neither "significant, hence launch" nor "not significant, hence not" is a
# rule about money.
#
# :::{admonition} They push back: "You want to launch something that is not significant?"
# :class: they-push-back dropdown
# If it is reversible, cheap, harmless by its guardrails, and the programme's past says that ideas like this one mostly
# help, yes, and say that the effect is not known. If it is hard to undo, the loss is what counts, and more data may be
# worth its price: `value_of_more` works it out. 0.05 was never derived from what a mistake costs here.
# :::
#
# (ch8-money)=
# ### The money table
#
# **In a programme in which most ideas do nothing, most of what a rule earns is what it stops.** The study draws tests: a
# programme, 5,000 to 100,000 users an arm, sixteen faults that may be on, a launch's cost, and what a guardrail beyond
# its margin costs. Each rule reads the same table. It is paid by what the launch does on day 180, which none of them
# sees.

# %% tags=["core"]
from casebook.feed.launch_bars import captured_shares
from casebook.feed.plays_decision import POLICIES

tests = studies.load("08_decision")
rule_names = {
    "star": "p < 0.05 and up",
    "source": "star, split sound, no guardrail beyond",
    "report": "the report",
    "shrunk": "the report, shrunk",
    "value": "expected value",
}
lots = np.random.default_rng(600)  # the bootstrap's own, whatever the seed
earned = captured_shares(tests.frame, POLICIES, lots)
table = earned.rename(index=rule_names)
table = table.astype({"launched": int, "lost": int})
table[["captured", "low", "high", "launched", "lost"]].round(2)

# %% [markdown]
# Doing nothing captures 0; the oracle, which launches where day 180 is worth its cost, captures 1.

# %% tags=["remove-input"] mystnb={"image": {"alt": "Dots with intervals for five rules of launching: the share of the oracle's earnings that each captured over drawn tests."}}
figures_decision.policy_dots(earned, rule_names, len(tests.frame))

# %%
from casebook.worlds import flip_map_of

gain = tests.frame.assign(
    gain=np.sign(tests.frame["worth_value"] - tests.frame["worth_report"])
)
turn_map = flip_map_of(gain, tests.dials, "users", "scale", 3, 3, "gain")
report_first = (turn_map["mean"] < 0).sum()

# %% tags=["remove-input"] mystnb={"image": {"alt": "Flip map of the share of tests in which expected value earns more than the report less the share in which it earns less, by users across and the size of the programme's effects upwards."}}
gain_map(
    turn_map,
    ("users", "users in each arm"),
    ("scale", "typical effect of what works"),
    f"The report wins more tests in {report_first} of {len(turn_map)} parts of the map",
    "tests won by expected value less those won by the report, percent; n drawn tests",
)

# %%
big = tests.frame["scale"] > 0.01
halves_of = {"effects above 1%": big, "effects below 1%": ~big}
of_part = {
    name: captured_shares(tests.frame[part], POLICIES, lots)
    for name, part in halves_of.items()
}
pd.DataFrame({k: v["captured"] for k, v in of_part.items()}).rename(
    index=rule_names
).round(2)

# %%
from casebook.feed.why_lost import drawn_of, losers

why_lost = losers(tests.frame, drawn_of(tests.frame), POLICIES)
why_lost.rename(index=rule_names)

# %% tags=["remove-cell"]
assert why_lost.loc["report", "novelty"] > 0.6 * why_lost.loc["report", "lost"]
assert why_lost.loc["value", "no effect"] > 0.8 * why_lost.loc["value", "lost"]
assert why_lost.loc["value", "no fault"] > why_lost.loc["report", "no fault"]
met_null = tests.null_frame
assert (met_null["oracle"] == 0).all()
star_row = earned.loc["star"]
assert star_row["high"] < 0 and star_row["over_value_high"] < 0
others = earned.drop("star")
assert (others["low"] < 0).all() and (others["captured"] < 0.5).all()
some_launch = (tests.frame["oracle"] > 0).sum()
lost_of = {
    name: f"{row['lost']:.0f} of {row['launched']:.0f}"
    for name, row in earned.iterrows()
}
by_part = {k: gain.loc[part, "gain"].mean() for k, part in halves_of.items()}
more_tests = by_part["effects above 1%"]
apart_big = of_part["effects above 1%"].loc["report"]
apart_slight = of_part["effects below 1%"].loc["shrunk"]
assert more_tests < 0 and apart_big["over_value_high"] > 0
assert apart_slight["over_value_low"] > 0
report_apart = earned.loc["report", ["over_value_low", "over_value_high"]]
assert report_apart.iloc[0] < 0 < report_apart.iloc[1]

# %% tags=["remove-cell"]
numbers(
    dec_n=count(len(tests.frame)),
    dec_some=count(some_launch),
    **{f"dec_{k}": percent(v) for k, v in earned["captured"].items()},
    **{f"dec_lost_{name}": words for name, words in lost_of.items()},
    dec_star_low=percent(-star_row["over_value_low"]),
    dec_star_high=percent(-star_row["over_value_high"]),
    dec_report_low=percent(report_apart.iloc[0]),
    dec_report_high=percent(report_apart.iloc[1]),
    dec_big_low=percent(apart_big["over_value_low"]),
    dec_big_high=percent(apart_big["over_value_high"]),
    dec_slight_low=percent(apart_slight["over_value_low"]),
    dec_slight_high=percent(apart_slight["over_value_high"]),
    dec_null=str(share_holding(met_null["launches_star"])),
    dec_rep_novel=f"{why_lost.loc['report', 'novelty']}",
    dec_rep_lost=f"{why_lost.loc['report', 'lost']}",
    dec_rep_carry=f"{why_lost.loc['report', 'carry_over']}",
    dec_val_idle=f"{why_lost.loc['value', 'no effect']}",
    dec_val_lost=f"{why_lost.loc['value', 'lost']}",
    dec_val_clean=f"{why_lost.loc['value', 'no fault']}",
    dec_value_star=str(share_holding(tests.frame["value_beats_star"])),
    dec_star_value=str(share_holding(tests.frame["star_beats_value"])),
)

# %% [markdown]
# Only {glue:text}`dec_some` of {glue:text}`dec_n` tests hold something worth a launch. The star launches too much:
# {glue:text}`dec_lost_star` of its launches cost more than they brought, and it earns {glue:text}`dec_star`. The
# source's two vetoes repair nearly all of that ({glue:text}`dec_lost_source` lost, {glue:text}`dec_source` earned): a sound split and
# guardrails are worth more here than any refinement of the effect. The report launches half as often
# ({glue:text}`dec_lost_report` lost), shrunk even less ({glue:text}`dec_lost_shrunk`). Expected value launches more often,
# loses as often ({glue:text}`dec_lost_value`), and earns {glue:text}`dec_value`: it buys many cheap tickets. The last three
# adjust by CUPED and know the launch's cost; the first two do neither.
#
# What is settled, in pairs over the same tests: the star earns less than expected value, by {glue:text}`dec_star_high` to
# {glue:text}`dec_star_low` of what the oracle earns. What is not: the report less expected value is anything from
# {glue:text}`dec_report_low` to {glue:text}`dec_report_high` of it, though {glue:text}`dec_n` tests are more than most teams
# run in a year, and where typical effects are above one percent, from {glue:text}`dec_big_low` to {glue:text}`dec_big_high`.
# Below one percent caution pays: the shrunk report earns {glue:text}`dec_slight_low` to {glue:text}`dec_slight_high` of the
# oracle's more than expected value. The map counts tests and not money. In the null worlds there is nothing to earn or to
# lose, whatever is launched; the star still launches in {glue:text}`dec_null`.
#
# Why do good rules lose at all? The report loses to what leaves no mark in its table: {glue:text}`dec_rep_novel` of its
# {glue:text}`dec_rep_lost` losing launches had novelty on. (Carry-over was on in {glue:text}`dec_rep_carry`: CUPED takes most
# of it out.) Expected value bets on ideas that do nothing: {glue:text}`dec_val_idle` of {glue:text}`dec_val_lost`, and
# {glue:text}`dec_val_clean` of these tests had no fault whatever. The first needs another design, and
# [the deeper page](ch8-faults) has the list; the second needs more users or a better past.
#
# :::{admonition} Say it
# :class: say-it
# "Before I argue about the threshold I'd look at what our rule lets through. In a programme like ours most stars are
# noise or a fault. A sound split and guardrails earn more than a sharper p-value."
# :::

# %% [markdown]
# (ch8-monitor)=
# ## Deployment & monitoring
#
# **A test is a deployment, and somebody must be able to stop it on any morning. In the crashing feed the job below
# stops on day {glue:text}`mon_crash_day`, in one that makes people hide what they see on day
# {glue:text}`mon_harm_day`, and it leaves the sound test alone for all 14 days.** Both of its readings are always
# valid, since nobody knows how often it will be looked at: the arms' sizes, and hides per view against a margin of a
# tenth. The primary is not in it. Good news can wait for the end.

# %% tags=["core"]
from casebook.feed.watch import watch

harming = simulate(World(hide_effect=0.3), n, rng)
planned_shares = {"new": 0.05, "control": 0.05, "rest": 0.90}
running = {"sound": feed, "crashing": crashing, "harming": harming}
alarm_of = {}
for name, one in running.items():
    mornings = (watch(one.tables, planned_shares, 0.10, d) for d in range(14))
    alarm_of[name] = next((m for m in mornings if m.alarm), None)
    print(f"{name}: {getattr(alarm_of[name], 'sentence', 'to the end.')}")

# %% [markdown]
# If it wins, the launch goes up a ramp, and each step is a test of its own. What can a week at each step see?

# %%
hides_seen = guards["hides per view"][0]
hides_se = hides_seen.se / hides_seen.control_mean
steps = {}
for share in (0.01, 0.05, 0.25, 0.50):
    arm = share * n
    steps[f"{share:.0%} new, {share:.0%} old"] = {
        "users an arm": f"{arm:,.0f}",
        "minutes, smallest change": f"{mde_mean(sd, arm, arm) / mean:.1%}",
        "hides": f"{2.8 * hides_se * np.sqrt(0.05 / share):.0%}",
    }
pd.DataFrame(steps).T

# %% tags=["remove-cell"]
assert alarm_of["sound"] is None
assert alarm_of["crashing"].alarm == "sample ratio"
assert alarm_of["harming"].alarm == "harm"
numbers(
    mon_crash_day=count(alarm_of["crashing"].day + 1),
    mon_harm_day=count(alarm_of["harming"].day + 1),
    mon_step_small=percent(mde_mean(sd, 0.01 * n, 0.01 * n) / mean),
    mon_step_large=percent(mde_mean(sd, 0.5 * n, 0.5 * n) / mean, 1),
)

# %% [markdown]
# At 1% only a disaster shows ({glue:text}`mon_step_small` of minutes), so that step is for crashes and not for effects. At half
# and half it is {glue:text}`mon_step_large`. Two rules keep a ramp readable: change the share of new and old *together*, or
# [Simpson](ch8-segments) reads it with you; and never carry a test's first days into the next step's estimate, for they
# were another mixture of newcomers ([days since exposure](ch8-novelty)).
#
# (ch8-roadmap)=
# ## Iteration roadmap
#
# | version | what it reads | what it costs | what it buys | cell |
# | --- | --- | --- | --- | --- |
# | v0 | the star | nothing | nothing that lasts | [the money table](ch8-money) |
# | v1 | counts, effect with interval, guardrails against margins, a plan written before | an hour before the test | faults with a mark in the table | [SRM](ch8-srm), [guardrails](ch8-guardrails) |
# | v2 | CUPED, looks that were planned, clusters as units | a join to the weeks before | users, and an honest 5% | [CUPED](ch8-cuped), [fixes](ch8-fixes), [unit](ch8-unit) |
# | v3 | the programme's past, the launch's value | a register of all tests, losers too | winners of the size that they will have | [magnitude](ch8-magnitude), [decision](ch8-decision) |
# | v4 | clusters, diverted logs, countries, a standing holdback | power, a second pipeline, users held back | the launch's effect in place of the arms' difference | [spillover](ch8-spillover), [one log](ch8-log), [holdback](ch8-holdback) |
#
# (ch8-failure-modes)=
# ## Failure modes
#
# **Each was switched on in this feed, and each moved a number that nobody would have doubted.**
#
# | failure | what it did here | what mends it |
# | --- | --- | --- |
# | lost users in one arm | showed {glue:text}`srm_logged`, a launch brings {glue:text}`srm_launched` | [find who is missing](ch8-srm-cause) |
# | a look a day | {glue:text}`pk_14` false stars | [three ways to look](ch8-fixes) |
# | twenty metrics | {glue:text}`mm_any_20` false stars | [a plan; Holm](ch8-multiple) |
# | impressions as users | {glue:text}`un_naive` false stars | [the unit](ch8-unit) |
# | a trigger that the ranker moves | {glue:text}`tr_bad` for a true 5% | [triggered analysis](ch8-trigger) |
# | a 90% on other code | {glue:text}`nn_bias` points of bias | [one path for both](ch8-ninety) |
# | a ramp in one arm | {glue:text}`seg_pooled` for a ranker that loses 2.5% | [within days](ch8-segments) |
# | friends in the other arm | {glue:text}`sp_user` of the effect gone | [clusters, in part](ch8-spillover) |
# | one log | {glue:text}`sp_log_shared` lost where a launch gains {glue:text}`sp_log_alone` | [a diverted log](ch8-log) |
# | novelty | {glue:text}`nov_whole` where 2% stay | [the half-life](ch8-novelty) |
# | creators who answer | {glue:text}`sp_arms` where a launch brings {glue:text}`sp_late` | [countries](ch8-creators) |
#
# (ch8-signals)=
# ## Senior-level signals
#
# **The source names four. Each has a cell that proves it, and each has a limit that you should say in the same
# breath.**
#
# - Effect and interval, not the p-value alone: [effect](ch8-effect). Its limit: the interval knows nothing of a broken
#   split, of faded novelty, or of the programme that the test was picked from ([magnitude](ch8-magnitude)).
# - Correction for several metrics: [many metrics](ch8-multiple). Its limit: it cannot count the readings that were not
#   shown.
# - A holdback for what lasts: [30 days against 180](ch8-holdback). Its limit: it is blind to what reaches both arms.
# - Statistical against practical significance: [two bars](ch8-decision). Its limit: the second bar needs a number that
#   most teams have never written down, the value of a point.
#
# Six more that we would listen for:
#
# - Asks for the counts before the effect, and stops at a mismatch: [the split](ch8-srm), [its price](ch8-srm-cause).
# - Says "not known" when the interval says so, and how many users would tell: [questions](ch8-questions).
# - Tells harm shown from harm ruled out: [guardrails](ch8-guardrails).
# - Asks what was randomised, and analyses that: [the unit](ch8-unit).
# - Shrinks a winner before counting its money: [magnitude](ch8-magnitude), [4,873 tests](ch8-upworthy).
# - Leaves the sunk quarter out of the sum: [decision](ch8-decision).
#
# | what practitioners ask for | shown in |
# | --- | --- |
# | metric, guardrails and decision rule written before | [questions](ch8-questions), [your own plan](ch8-own-table) |
# | SRM first, by segment and by day | [the split](ch8-srm), [who is missing](ch8-srm-cause), [the morning's job](ch8-monitor) |
# | unit of analysis = unit of randomisation | [the unit](ch8-unit) |
# | triggering and dilution | [trigger](ch8-trigger) |
# | novelty by days since exposure | [two clocks](ch8-novelty) |
# | heavy tails: capping, and how many users skew asks for | [below](ch8-tails), [one player](ch8-cookie) |
# | the winner's curse over a programme | [magnitude](ch8-magnitude), [4,873 tests](ch8-upworthy) |
# | interference; A/A tests as the platform's own test; Twyman's law | [spillover](ch8-spillover), [A/A](ch8-unit), [a test too good](ch8-unseen) |
#
# (ch8-tails)=
# One of these has had no cell yet. How heavy are the tails of minutes, and does it matter for the interval?

# %%
from casebook.experiments import capped_difference, units_for_skew

skew = float(rest.skew())
caps = {}
for upper in (1.0, 0.999, 0.99, 0.95):
    capped = capped_difference(two["minutes"], on_new, upper=upper)
    base = capped.effect.control_mean
    caps[f"{upper:.1%}"] = {
        "estimate": capped.effect.estimate / base,
        "se": capped.effect.se / base,
        "effect beyond the cap": capped.hidden.estimate / base,
    }
print(f"skew {skew:.1f}: {units_for_skew(skew):,.0f} users an arm")
caps = pd.DataFrame(caps).T.rename_axis("capped at")
caps.round(4)

# %% tags=["remove-cell"]
tails_needed = units_for_skew(skew)
capped_rest = rest.clip(upper=rest.quantile(0.99))
capped_needed = units_for_skew(float(capped_rest.skew()))
assert capped_needed < tails_needed / 3
assert caps["se"].is_monotonic_decreasing
numbers(
    tl_skew=f"{skew:.1f}",
    tl_users=count(round(tails_needed, -2)),
    tl_capped=count(round(capped_needed, -2)),
    tl_se=percent(1 - caps["se"].iloc[2] / caps["se"].iloc[0]),
    tl_type_1=percent(type_1[10_000], 1),
)

# %% [markdown]
# Minutes have a skew of {glue:text}`tl_skew`, and Kohavi's rule of thumb, 355 times its square, asks for
# {glue:text}`tl_users` users an arm before each end of the interval may be trusted {cite}`kohavi2014`. Maya has fewer. It is
# a cautious rule: in [the A/A splits](ch8-magnitude) of her size {glue:text}`tl_type_1` came out significant, for in a
# difference of two arms of equal size the skew nearly cancels. With the 90% as control it does not. Capped at 99%, minutes
# ask for {glue:text}`tl_capped`, and the standard error falls by {glue:text}`tl_se`. The price is another question: the
# effect on what lies below the cap. Use it against an account with ten thousand views, not against your best customers, and
# set the cap before the test, the same for both arms. (`two` and `on_new` are the arms of [the
# guardrails](ch8-guardrails).)
#
# (ch8-otherwise)=
# :::{admonition} They did it otherwise
# :class: did-otherwise
# Two public engines part on [peeking](ch8-fixes). GrowthBook offers an always-valid interval, so that anybody may look at
# any time; Spotify chose group-sequential tests, for their power where the length is known {cite}`spotify2023`. On these
# numbers Spotify is right for a two-week test: the always-valid interval on the fixed test's users is
# {glue:text}`pk_av_wider` wider. GrowthBook is right for what has no end. Airbnb ran the same pricing test by listing and
# by cluster, and its preprint put about a third of the plain test's effect down to interference {cite}`holtz2020`; in this feed it is
# {glue:text}`sp_user` and of the other sign, for here friends' gain is hidden, there buyers were taken from the other
# arm. So "spillover" alone tells you no direction.
# :::
#
# (ch8-real)=
# ## On real data
#
# **4,873 public headline tests: {glue:text}`08_ab_test_deeper.ipynb::rd_srm_share:s` have a sample ratio mismatch, nearly all
# of them in one half-year in which nobody looked.** Winners in one half of the visitors exaggerate what the other half
# shows {glue:text}`08_ab_test_deeper.ipynb::rd_exaggerates:s` times. One game's test has two verdicts, depending on an
# alarm level. Both stand [on the deeper page](ch8-real-data).

# %% [markdown]
# (ch8-exercises)=
# ## Exercises
#
# Write your answer in place of `...` and run the check; an answer is right to about one percent. The blanks are in
# {download}`the exercise sheet <exercises/08_ab_test.ipynb>`; here the solutions are folded.

# %% tags=["exercise", "hide-input"]
import numpy as np
import pandas as pd

from casebook import experiments
from casebook.exercises import ask
from casebook.feed.exercise_tables import LAUNCHES, PAST, TEN, hunt_table
from casebook.feed.exercises import EXERCISES

# %% [markdown] tags=["exercise"]
# **1. Is it a mismatch?** (3 minutes). Planned were 10% on the new ranker, 10% as control, 80% outside. Of 250,000 users
# 24,600 are logged in the new arm, 24,700 in the control and 200,700 outside. Is it a sample ratio mismatch at a level
# of 0.01? Give whether it is one and the p-value, as `(True, p)` or `(False, p)`.

# %% tags=["solution", "hide-cell"]
# solution
# Both arms are short alike, so comparing them with each other shows nothing.
found = experiments.srm([24_600, 24_700, 200_700], [0.1, 0.1, 0.8])
answer = (found.broken, found.p)

# %% tags=["exercise"]
ask(EXERCISES["08-srm"], answer)

# %% [markdown] tags=["exercise"]
# **2. When can it be read?** (5 minutes). Users of another feed spend 36 minutes in their first two weeks in a test, with a
# standard deviation of 61. A gain of 2% is worth seeing, with a power of 80% at 5%, two-sided. Each week 800,000 users come
# who were not in the test before, and 5% of them go into each of two arms; the minutes of each are counted for two weeks
# from the day of entry. How many users an arm, and after how many whole weeks from the start can you read? Give
# `(users, weeks)`.

# %% tags=["solution", "hide-cell"]
# solution
an_arm = experiments.sample_size_mean(sd=61, effect=0.02 * 36).treated
entering = np.ceil(an_arm / (0.05 * 800_000))
answer = (an_arm, entering + 2)  # the last to enter are counted for two weeks

# %% tags=["exercise"]
ask(EXERCISES["08-size"], answer)

# %% [markdown] tags=["exercise"]
# **3. Two launches, one p-value** (6 minutes). `PAST` has twenty tests of a programme, losers too, and `LAUNCHES` two new
# results of the same programme, all in percent. Take the effects of the programme to be normal. From which launch do you
# expect more, and how much? Give the name and the percent, as `("ranking", 1.0)` or `("redesign", 1.0)`.

# %% tags=["exercise"]
print(PAST.describe().loc[["count", "min", "50%", "max"]])
LAUNCHES

# %% tags=["solution", "hide-cell"]
# solution
past_effects = experiments.fit_programme(PAST["estimate"], PAST["se"])
left = LAUNCHES.apply(
    lambda one: past_effects.update(one["estimate"], one["se"]).expected,
    axis=1,
)
answer = (left.idxmax(), left.max())

# %% tags=["exercise"]
ask(EXERCISES["08-shrink"], answer)

# %% [markdown] tags=["exercise"]
# **4. Clicks per view by hand** (6 minutes). Ten users were drawn into two arms. The metric is all clicks of an arm over all
# its views. What is the standard error of the difference between the arms?

# %% tags=["exercise"]
TEN

# %% tags=["solution", "hide-cell"]
# solution
variance = 0.0
for _, arm in TEN.groupby("arm"):
    rate = arm["clicks"].sum() / arm["views"].sum()
    line = (arm["clicks"] - rate * arm["views"]) / arm["views"].mean()
    variance += line.var() / len(arm)
answer = np.sqrt(variance)
# The same: experiments.ratio_difference(clicks, views, treated).se

# %% tags=["exercise"]
ask(EXERCISES["08-ratio"], answer)

# %% [markdown] tags=["exercise"]
# **5. A look a day for a week** (4 minutes). Somebody reads a test of seven days every morning and stops at the first p below
# 5%. How often does a change that does nothing get a star? And if the seven looks had been planned with
# O'Brien-Fleming bars at 5%, two-sided, which |z| stops on the third morning? Give `(rate, bar)`.

# %% tags=["solution", "hide-cell"]
# solution
week = experiments.group_sequential(7)
third = experiments.read_look(week, 3 / 7, estimate=2.9, se=1.0)
answer = (experiments.peeking_error(7), third.critical)
# With z = 2.9, a star for whoever peeks: third.decision is "go on".

# %% tags=["exercise"]
ask(EXERCISES["08-looks"], answer)

# %% [markdown] tags=["exercise"]
# **6. No significant harm** (5 minutes). Visits per user: 5 in the control, and 0.03 fewer in the new arm, with a 95% interval
# from -0.09 to +0.03. Each arm has 30,000 users; the margin is a loss of 1%. Give the verdict, "holds", "broken" or "not
# known", and how many users an arm would rule out a loss of the margin with a chance of 80%, if the change harms nothing.
# As `(verdict, users)`.

# %% tags=["solution", "hide-cell"]
# solution
se = 0.06 / 1.96
sd_of_visits = se / np.sqrt(2 / 30_000)
margin = 0.01 * 5  # -0.09 lies beyond -0.05, and +0.03 does not
needed = experiments.sample_size_mean(sd_of_visits, margin).treated
answer = ("not known", needed)

# %% tags=["exercise"]
ask(EXERCISES["08-guardrail"], answer)

# %% [markdown] tags=["exercise"]
# **7. Find the fault** (8 minutes). A test of two equal arms; some users of the new arm never made it into the table. Which
# value of which column carries the mismatch? Give `(column, value)`.

# %% tags=["exercise"]
hunted = hunt_table(np.random.default_rng(8))
print(hunted["arm"].value_counts().to_string())
hunted.head(3)

# %% tags=["solution", "hide-cell"]
# solution
halves = {"new": 0.5, "control": 0.5}
parts = experiments.srm_by(
    hunted, halves, ["platform", "country", "cohort"]
).table
# Several parts are off; only one leaves a sound test when it is taken out.
carries = parts.loc[parts["rest_p"].idxmax()]
answer = (carries["by"], carries["value"])

# %% tags=["exercise"]
ask(EXERCISES["08-hunt"], answer)

# %% [markdown]
# (ch8-own-table)=
# ## Bring your own table
#
# **One row a user, an arm, and the metrics you named before: that is enough for a verdict. Change the file, what you call
# its columns, and the plan; the cells below read their names from there.** A simulated shop that tried a shorter checkout
# stands in for yours. The first line of the file must hold the columns' names; if all of them come out as one column, say
# which character parts them: `pd.read_csv(own_file, sep=";", decimal=",")`.

# %% tags=["hide-input"]
import tempfile
from pathlib import Path

own_place = tempfile.TemporaryDirectory()
own_folder, own_n = Path(own_place.name), 40_000
own_taste = rng.gamma(2, 1, own_n)
own_new = rng.random(own_n) < 0.5
own_shop = pd.DataFrame(
    {
        "customer": [f"c{i:05d}" for i in range(own_n)],
        "variant": np.where(own_new, "short", "long"),
        "dollars": rng.gamma(own_taste * np.where(own_new, 1.06, 1.0), 20),
        "refunds": rng.poisson(0.05 * own_taste),
        "dollars_before": rng.gamma(3 * own_taste, 20),
        "phone": rng.choice(["ios", "android"], own_n),
    }
)
own_shop.round(2).to_csv(own_folder / "checkout.csv", index=False)

# %%
own_file = own_folder / "checkout.csv"  # your file
own_names = {"customer": "user", "variant": "arm"}  # your columns: ours

mine = pd.read_csv(own_file).rename(columns=own_names)
mine.head(3)

# %% [markdown]
# Then the plan, in the metrics' own units: here dollars and refunds per customer. It is best written before the test; a
# margin that was chosen with the result in view guards nothing.

# %%
from casebook.experiments import Margin, Plan, report

own_plan = Plan(
    primary="dollars",
    shares={"short": 0.5, "long": 0.5},
    treated="short",
    control="long",
    mde=1.5,
    pays_from=0.5,
    guardrails=(Margin("refunds", 0.02, worse="up"),),
    kinds={"refunds": "count"},
    segments=("phone",),
)

# %% [markdown]
# The plan is also the contract of the table:

# %%
from casebook.experiments.quality import KINDS

own_rows = [
    (own_plan.unit, "filled in, each once", "what was randomised"),
    (own_plan.arm, " or ".join(own_plan.shares), "as assigned, not as seen"),
]
own_rows += [
    (name, f"{KINDS[kind]}; no gaps", "metric: 0 for who did nothing")
    for name, kind in own_plan.metrics.items()
]
own_rows += [
    (name, "filled in", "segment, known before assignment")
    for name in own_plan.segments
]
own_before = f"{own_plan.primary}_before"
own_rows += [(own_before, "any finite number", "optional, for CUPED")]
pd.DataFrame(own_rows, columns=["column", "allowed", "meaning"]).set_index(
    "column"
)

# %%
from textwrap import fill

own_report = report(mine, own_plan)
for line in str(own_report).splitlines():
    print(fill(line, 100, subsequent_indent="  "))

# %% [markdown]
# A measure from before narrows the interval of the primary. `report_effects` reads effects that were estimated apart from
# the table against the same plan; it knows the counts and nothing of the rows, so `check_quality` looks at these first.

# %%
from casebook.experiments import (
    Metric,
    absolute_effect,
    arm_moments,
    check_quality,
    report_effects,
)

check_quality(mine, list(own_plan.shares), own_plan.metrics)
own_known = (own_before,) if own_before in mine else ()
own_sides = own_plan.treated, own_plan.control
own_cuped = Metric(own_plan.primary, before=own_known)
own_arms = arm_moments(mine, own_cuped, "arm")
own_effects = dict(own_report.effects)
own_effects[own_plan.primary] = absolute_effect(*map(own_arms.get, own_sides))
own_counts = mine["arm"].value_counts().to_dict()
print(fill(report_effects(own_effects, own_counts, own_plan).sentence, 100))

# %% tags=["remove-cell"]
own_plain = own_report.effects[own_plan.primary]
own_sharp = own_effects[own_plan.primary]
own_again = report_effects(own_effects, own_counts, own_plan)
ours_still = own_file.parent == own_folder  # not yours: then the text holds
assert not ours_still or own_report.verdict == own_again.verdict == "launch"
assert not ours_still or own_sharp.se < 0.9 * own_plain.se
numbers(
    own_users=count(len(mine)),
    own_plain=f"{own_plain.estimate:+.2f}",
    own_plain_low=f"{own_plain.low:.2f}",
    own_plain_high=f"{own_plain.high:.2f}",
    own_sharp=f"{own_sharp.estimate:+.2f}",
    own_sharp_low=f"{own_sharp.low:.2f}",
    own_sharp_high=f"{own_sharp.high:.2f}",
    own_saved=percent(1 - (own_sharp.se / own_plain.se) ** 2),
)

# %% [markdown]
# Both say launch. Plain it is {glue:text}`own_plain` dollars a customer ({glue:text}`own_plain_low` to
# {glue:text}`own_plain_high`), with what they spent before {glue:text}`own_sharp` ({glue:text}`own_sharp_low` to
# {glue:text}`own_sharp_high`): the same {glue:text}`own_users` customers, with {glue:text}`own_saved` of the variance gone.
# A ratio, such as clicks per view, goes in as `Metric("clicks", denominator="views")`; what was drawn whole as
# `Plan(..., cluster="company")`; several looks as `Plan(..., looks=5, critical=group_sequential(5).critical)`.
#
# A table that breaks the contract gets a sentence, and no effect is read from it:

# %%
from casebook.experiments import quality_faults

own_third, one_side = mine.index == 2, mine["arm"] == own_plan.treated
own_key, last = own_plan.primary, list(own_plan.metrics)[-1]
swapped = mine["arm"].map(dict(zip(own_sides, own_sides[::-1], strict=True)))
own_broken = {
    "one arm only": mine[one_side],
    "a user in two arms": pd.concat([mine, mine.assign(arm=swapped)[:1]]),
    "a gap": mine.assign(**{own_key: mine[own_key].mask(own_third)}),
    "a negative count": mine.assign(**{last: mine[last].mask(own_third, -1)}),
    "an arm misspelt": mine.assign(arm=mine["arm"].mask(own_third, "Shrot")),
    "empty": mine[:0],
}
for name, table in own_broken.items():
    faults = quality_faults(table, list(own_plan.shares), own_plan.metrics)
    print(f"{name}: {' '.join(faults)}")

# %% tags=["remove-cell"]
for name, table in own_broken.items():
    faults = quality_faults(table, list(own_plan.shares), own_plan.metrics)
    stopped = report(table, own_plan)
    sentences = len(faults), stopped.verdict, len(stopped.effects)
    assert not ours_still or sentences == (1, "fix and rerun", 0), name

# %% [markdown]
# ### A table that does not fit into memory
#
# An effect needs three sums of each arm, six with a measure from before, however long the table is. DuckDB adds them up
# in one pass over Parquet files, and `unit=` checks on the way that no user is in two arms:

# %%
from casebook.experiments import parquet_moments

own_parquet = own_folder / "checkout.parquet"
mine.to_parquet(own_parquet)
own_metrics = [*own_plan.metrics, own_cuped]
own_sums = parquet_moments(own_parquet, own_metrics, "arm", unit="user")
for metric, arm_sums in own_sums.items():
    from_file = absolute_effect(*map(arm_sums.get, own_sides))
    name = f"{own_key}, CUPED" if metric == own_cuped else metric
    print(f"{name}: {from_file}")

# %% tags=["remove-cell"]
own_frame = [*(own_report.effects[m] for m in own_plan.metrics), own_sharp]
for metric, ours in zip(own_metrics, own_frame, strict=True):
    theirs = absolute_effect(*map(own_sums[metric].get, own_sides))
    for field in ("estimate", "low", "high", "se"):
        assert np.isclose(getattr(theirs, field), getattr(ours, field))

# %% [markdown]
# They are the effects of the frame. Sums of two days or two countries add up, provided that no user is in both.

# %% tags=["remove-cell"]
own_place.cleanup()

# %% [markdown]
# (ch8-memo)=
# ## Decision memo
#
# What would this test have to become to answer Maya? The same feed, sound, half and half, with CUPED, for as long as
# it takes.

# %%
from casebook.experiments import cuped_gain, value_of_more
from casebook.experiments import Metric

with_before = Metric("minutes", before=("minutes_before",))
sides = arm_moments(users, with_before, "arm")
cut = cuped_gain(sides["new"], sides["control"]).variance_cut
halves_se = spread * np.sqrt((1 - cut) * 2 / (n / 2))
halves_mde = 2.8 * halves_se
now = belief.update(effect.estimate, effect.se)
two_weeks = 2 / weeks
more = value_of_more(now, year, halves_se, to_pay=to_pay, lost_share=two_weeks)
now_worth = launch_value(now, year, to_pay=to_pay)

# %%
pd.Series(
    {
        "launch on Thursday is worth": dollars(now_worth.expected),
        "and loses with a chance of": percent(now_worth.chance_of_loss),
        "two weeks at half and half, better decision": dollars(more.information),
        "the same, what waiting costs": dollars(more.delay),
        "smallest change it sees": percent(halves_mde, 1),
        "it changes the decision in": percent(more.changes_mind),
    },
    name="on this feed",
).to_frame()

# %% tags=["remove-cell"]
assert scale != "small" or more.information > more.delay
assert halves_mde < 0.02
named = by_segment(two["minutes"], on_new, two["cohort"])
named_base = named["control_mean"]
apart = heterogeneity(named["estimate"] / named_base, named["se"] / named_base)
assert apart.p > 0.01
assert scale != "small" or not now_worth.launch
held_back = 0.05 * 0.02 * year * 180 / 365
numbers(
    memo_now=dollars(now_worth.expected),
    memo_low=dollars(year * (effect.low) - to_pay),
    memo_high=dollars(year * (effect.high) - to_pay),
    memo_loss=percent(now_worth.chance_of_loss),
    memo_more=dollars(more.information),
    memo_delay=dollars(more.delay),
    memo_mde=percent(halves_mde, 1),
    memo_se=percent(halves_se, 1),
    memo_turns=percent(more.changes_mind),
    memo_cut=percent(cut),
    memo_says="launch" if now_worth.launch else "no launch",
    memo_holdback=dollars(held_back),
    memo_bar=percent(bar_alone, 1),
    memo_apart=probability(apart.p),
)

# %% [markdown]
# :::{admonition} Decision: no launch on Thursday; the same test again, half and half, for two weeks
# :class: memo
# **Reading.** The split is sound. Minutes: {glue:text}`eff_here` ({glue:text}`eff_low` to {glue:text}`eff_high`). The test
# was too small for the 2% that it looked for; it has not shown that nothing is there.
#
# **Expected value** of a launch now, shrunk by the programme's past: {glue:text}`memo_now` in a year (by the interval's ends
# as they stand, {glue:text}`memo_low` to {glue:text}`memo_high`), with a loss in {glue:text}`memo_loss` of cases. It pays from
# {glue:text}`memo_bar` on. Two weeks at half and half with CUPED see {glue:text}`memo_mde`. The better decision is worth
# {glue:text}`memo_more`, waiting costs {glue:text}`memo_delay`, and it turns the decision in {glue:text}`memo_turns` of cases.
# An analyst's days are not in it: at this price of a minute they may cost more than the rerun is worth.
#
# **Who is hurt**: by this test nobody that we can see. Three cohorts were named before; that they
# differ is not shown (p = {glue:text}`memo_apart`). Creators are not in the test.
#
# **Guardrails**: hides per view, likes per view, load time, sessions, each with its margin; {glue:text}`gr_held` of
# {glue:text}`gr_k` have harm ruled out. The others are "not known", and the larger test is sized for them.
#
# **What would stop us**: a mismatch of the arms on any morning; hides per view shown to be above their margin; after two
# weeks, an interval whose better end does not reach {glue:text}`memo_bar`.
#
# **After a win**: ramp new and old together; hold back 5% for 180 days, which costs {glue:text}`memo_holdback` if the gain is 2%, and
# read its last week.
#
# **First step on Monday**: log the assignment on the server, before the client loads; then draw the arms anew with
# another salt.
# :::
#
# **What changed our mind.** We set out to ask whether the effect was significant. What decided was the number of users
# in each arm. It was too small for the question; and had it not been as planned, nothing below it would have meant
# anything.
#
# **What would change it back.** A launch that is free and can be undone within the hour: then the bar is zero, and the
# expected value alone decides. Or a programme with a better past than this one. Or more users: run this page with
# `scale = "full"`, fifty times as many, and the same rule may say launch. Go by its table then, not by this memo's title.
#
# **What this did not solve.** What creators will do. What friends pass on: at this size the bias is smaller than the
# error, and after the launch it is not. Whether minutes are what the company should want more of. And the price of a
# point, which we assumed and you must ask for.
#
# :::{admonition} Say it
# :class: say-it
# "I can't tell Maya yes or no from this test, and I can tell her why: it sees
# {glue:text}`op_mde` and she hopes for two. The split is fine. I'd rerun it at half and half with the pre-period as covariate, keep four guardrails with margins, and decide
# on the shrunk effect against what is still to pay. The quarter that it took is not in that sum."
# :::
