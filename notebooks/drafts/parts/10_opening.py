# %% [markdown]
# # 8. Worked example 5: A/B test analysis for a feature launch
#
# **The p-value is the fourth thing to read. In the test of this chapter the new ranker truly adds
# {glue:text}`op_truth`; two arms of {glue:text}`op_arm` users can see {glue:text}`op_mde`, and the interval runs from
# {glue:text}`eff_low` to {glue:text}`eff_high`. The test has not failed, it has not answered. Had the client crashed
# on some slow phones, the same test would have promised {glue:text}`srm_logged`, and the launch would have brought
# {glue:text}`srm_launched`: only the number of users in the arms gives it away.**
#
# :::{admonition} Steps 2 and 7 of the interview's nine: metric and evaluation, as a case of its own
# :class: step
# In the interview: two minutes of questions, then counts, interval, guardrails in this order. Say "was the split what
# you designed?" before you say "significant".
# :::
#
# You will be able to say whether a test may be read at all, what its interval leaves open, what a win is worth in a
# programme where most ideas do nothing, and what a guardrail can and cannot rule out. Cells with a solid rule are the
# core path; what has no rule can wait. Two pages belong to this one: [deeper](08_ab_test_deeper) and the [claims,
# tested](08_ab_test_claims). `seed` starts all randomness; `scale` is "small" or "full".
#
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
# cards.show(cards.load_card("13_ab_test"))

# %% [markdown]
# ## The company of this chapter
#
# It is simulated, so that every reading can be held against the truth: {glue:text}`op_users` users of a home feed, a
# few of whom use it very much; sessions, and impressions in them; friends; creators. Two weeks, 5% on the new ranker,
# 5% as control, the rest outside the test. This first test is sound and its ranker adds {glue:text}`op_truth`: later
# sections break it, one fault at a time. `truth` holds what each user would have done on either ranker. It judges; no
# estimate uses it. [The dials](../book/honesty.md) and their ranges stand on the honesty page.

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
# Three more that the source does not list: who decides by which rule, and [was it written down](ch8-decision)? How
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
pd.Series(setup, name="before the test").map("{:,.4g}".format).to_frame()

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
# six rules, each at 0.01.

# %%
from casebook.feed.srm_alarms import srm_alarms

seen_first = users.dropna(subset="exposed_on")
cell = ["exposed_on", "platform", "country"]
entries = seen_first.groupby(cell).size().unstack(cell[1:], fill_value=0)
cells, quarter = entries.to_numpy(), entries.to_numpy() // 4
sound = srm_alarms(cells, planned, planned, rng)
off = srm_alarms(quarter, planned, came, rng)
alarms = pd.DataFrame({"false alarms": sound["alarm"], "finds": off["alarm"]})
alarms.assign(day=off["day"]).round(3)

# %%
mismatch, found = 0.06, 1.0  # share of tests with one; chance to find it
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
# Read once, 0.01 is 0.01. Read every day it is {glue:text}`srm_daily`; every day in every segment
# {glue:text}`srm_cells` of sound tests alarm, and soon nobody looks up. Holm over all {glue:text}`srm_family`
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
# **An SRM says that somebody other than the lot decides who is in the table. It does not say who, and until you know,
# you do not even know the sign of the error.** Here is the same feed with a new client that crashes on slow phones,
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
shown = top.style.format(precision=1, thousands=",")
shown.format("{:.1g}", ["p_holm", "rest_p"]).hide()

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
# Now the source's two launches, both at p = 0.04: a rise of 0.1% and one of 5%. The same p means the same distance
# from zero in standard errors, so each tells how many users it had, at this feed's spread.

# %% tags=["core"]
from scipy.stats import norm

from casebook.experiments import chance_of_replication
from casebook.feed.dials import Programme
from casebook.feed.programme_wins import after_estimate, by_size, wins_of

spread, programme = sd / mean, Programme()
rows = {}
for rise in (0.001, 0.05):
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

tiny, huge = (
    after_estimate(programme, rise, rise / norm.isf(0.02))
    for rise in (0.001, 0.05)
)
users_of = 2 * (spread * norm.isf(0.02) / np.array([0.001, 0.05])) ** 2
assert tiny.no_gain > 0.5 and huge.no_gain > 0.5
assert huge.replication < 0.3 and tiny.replication < 0.3
assert huge.expected < 0.25 * 0.05 and huge.expected > tiny.expected

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
# is left.
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
# a size that had to be lucky (*type M error*), at times with the wrong sign (*type S error*). And what share of all
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
# the margin: a test of *non-inferiority*. The margins below are Maya's, in percent of the control.

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
    sd_unit = effect.se / np.hypot(
        effect.treated_n**-0.5, effect.control_n**-0.5
    )
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
readings[columns].style.format("{:,.0f}", "users an arm")

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
    name: veto_rules(np.ones(k), np.full(k, 2.0), np.full(k, 4.0))[
        "false_veto"
    ]
    for name, k in alone.items()
}
pd.DataFrame(grown).round(3)  # each margin is two standard errors wide

# %% tags=["remove-cell"]
at_margin = veto_rules(ses, margins, fewer_visits / 2)["missed"]
stops, misses = rules["stops harmless"], rules["misses sessions"]
assert scale != "small" or stops["not held"] > 0.8
assert 0.3 < at_margin["estimate"] < 0.51 and at_margin["not held"] < 0.03
assert misses["broken"] > misses["significant"] > misses["not held"]
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
