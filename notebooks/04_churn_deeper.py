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
# business-ml-casebook[bayes,causal,neural,sql]

# %% [markdown]
# # 4. Predicting subscription churn: deeper, and on real data
#
# **Three things look cleverer than what the chapter does: last year's calls in place of a pilot, a network on raw weeks, a model for
# every segment. What each is worth is measured here.** Then the chapter's functions meet two data sets that nobody here made. The
# company is that of [the chapter](04_churn); this page needs nothing else from it.

# %% tags=["parameters"]
seed = 4
scale = "small"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from casebook import page, studies, style
from casebook.churn import features, model_study, models
from casebook.churn.evaluate import worth
from casebook.churn.simulate import simulate
from casebook.churn.world import World
from casebook.page import count, numbers, percent
from casebook.worlds import share_holding

style.use()
rng = np.random.default_rng(seed)
n = {"small": 20_000, "full": 100_000}[scale]

# %% tags=["hide-input"]
company = simulate(World(), n, rng)
truth = worth(company.world, company.truth)
warehouse = features.connect(company.tables)
capacity = round(company.world.capacity * len(truth.p))  # calls a month
train = features.cohorts(
    warehouse, ["2025-03-01", "2025-05-01", "2025-07-01", "2025-09-01"]
)
later = features.cohorts(warehouse, ["2025-12-01"])

# %% [markdown]
# (ch4-history)=
# ## What can last year's calls teach?
#
# **Adjusting for everything in the warehouse repairs {glue:text}`aud_reps_repaired` of the error and leaves the sign wrong.** You
# hold seventeen months in which the reps chose whom to call. Call it data about calls: compare the called with the others, adjust
# for every feature, and spare yourself the pilot. Here for the calls of May 2025, their last month.

# %%
from casebook.churn.adjust import e_value, risk_ratio
from casebook.churn.history import history_effects, history_frame

by_reps = history_frame(company, ["2025-05-01"])
effects = history_effects(by_reps)
naive, adjusted, did = (effects[name] for name in ("naive", "adjusted", "truth"))
for name in ("naive", "adjusted"):
    print(f"{name:>8}  {effects[name]}")
print(f"   truth  {did:+.4f}")

# %%
leaving = 1 - by_reps.loc[by_reps["called"], "stayed"].mean()
seems, is_true = risk_ratio(adjusted, leaving), leaving / (leaving + did)
hidden_cause = {
    "risk ratio, adjusted": seems,
    "E-value, to no effect": e_value(seems),
    "E-value, to the truth": e_value(seems, is_true),
}
pd.Series(hidden_cause, name="ratio").round(2).to_frame()

# %% tags=["remove-cell"]
assert naive.high < 0 and adjusted.high < 0 < did
assert naive.value < adjusted.value
past = studies.load("04_history")
off, by_ear = (
    past.frame["adjusted"] - past.frame["truth"],
    past.frame["gut"] > past.frame["gut"].median(),
)
assert off[by_ear].mean() < off[~by_ear].mean() < 0

# %% tags=["remove-cell"]
numbers(
    aud_reps_naive=f"{100 * naive.value:+.1f}",
    aud_reps_adjusted=f"{100 * adjusted.value:+.1f}",
    aud_reps_high=f"{100 * adjusted.high:+.1f}",
    aud_reps_truth=f"{100 * did:+.1f}",
    aud_reps_repaired=percent(
        (adjusted.value - naive.value) / (did - naive.value)
    ),
    aud_evalue=f"{e_value(seems):.1f}",
    aud_wrong_naive=str(share_holding(past.frame["naive_wrong_sign"])),
    aud_wrong_adjusted=str(share_holding(past.frame["adjusted_wrong_sign"])),
    aud_covers=str(share_holding(past.frame["adjusted_covers"])),
    aud_off_ears=f"{100 * off[by_ear].mean():+.1f}",
    aud_off_eyes=f"{100 * off[~by_ear].mean():+.1f}",
    aud_covers_null=str(share_holding(past.null_frame["adjusted_covers"])),
)

# %% [markdown]
# The calls seem to change retention by {glue:text}`aud_reps_naive` points. Doubly robust adjustment (a model of who is
# called, a model of who stays, each predicting companies it has not seen) brings that to
# {glue:text}`aud_reps_adjusted`, with an interval that ends at {glue:text}`aud_reps_high`. The truth is
# {glue:text}`aud_reps_truth`. Adjusting repaired {glue:text}`aud_reps_repaired` of the error and left the sign wrong:
# the reps called those who were unwell, by what they saw and heard themselves, and no table holds that.
#
# The {term}`E-value` {cite}`vanderweele2017` is no way out. A hidden cause would have to be tied to the call and to
# leaving by risk ratios of {glue:text}`aud_evalue` each to explain the harm away. That sounds like safety. Just such a
# cause is at work here.
#
# Over drawn companies the naive comparison has the wrong sign in {glue:text}`aud_wrong_naive`, the adjusted one in
# {glue:text}`aud_wrong_adjusted`, and its 95% interval holds the truth in {glue:text}`aud_covers`. In the half whose
# reps give least weight to hearsay it is off by {glue:text}`aud_off_eyes` points on average, in the other
# half by {glue:text}`aud_off_ears`: what they see for themselves is enough. The method is not at fault. Where nobody is riskier
# than anybody else there is nothing to hear, and it covers in {glue:text}`aud_covers_null`. Which of these companies is
# yours, no table can say. So randomise ([the pilot](ch4-pilot-size)).

# %% [markdown]
# (ch4-sequence)=
# ## v2, a network that reads the weeks themselves
#
# **It comes in {glue:text}`mdl_seq_place`, and a company's id makes it worse.** The source's v2 takes three months: usage as a
# sequence, and an embedding of the company's id. Ours is small: two convolutions over 26 weeks of four signals beside all of v1's
# columns, Keras on JAX, one setting. Five passes over the rows without ids, two with ids. First the two rivals again:

# %%
versions = {
    "v0 logistic, 30 columns": models.logistic(seed, features.TOP30),
    "v1 boosted trees": models.boosted(seed),
}
table = models.compare(versions, train, later, company.world.capacity)
v0, v1 = table.loc["v0 logistic, 30 columns"], table.loc["v1 boosted trees"]

# %%
from casebook.churn.sequence import weekly_usage

dates = train["asof"].drop_duplicates()
weeks = np.concatenate([weekly_usage(warehouse, date) for date in dates])
weeks_later = weekly_usage(warehouse, later["asof"].iloc[0])
months = (weeks, train), (weeks_later, later)
share = company.world.capacity
runs = [{"seed": seed}, {"seed": seed, "ids": True, "epochs": 2}]
(plain, plain_memory), (named, named_memory) = model_study.measure_apart(
    *months, share, runs
)

# %%
sequences = pd.DataFrame(
    {"v2 network, no ids": plain, "v2 network, ids": named}
).T
versions_table = pd.concat([table, sequences])
versions_table[
    ["auprc", "auc", "precision", "fit_seconds", "row_ms", "base_seconds"]
].round(3)

# %%
memory = pd.DataFrame({"no ids": plain_memory, "ids": named_memory}).T
memory.round(3)

# %% tags=["remove-cell"]
assert named_memory["auc_train"] > 0.95
assert named_memory["auc_later"] < plain_memory["auc_later"] - 0.02
assert named_memory["auc_met"] < plain_memory["auc_met"]
assert plain_memory["auc_train"] - plain_memory["auc_later"] < 0.1
places = ("ahead of both simpler models", "between the two", "behind both")
place = places[int(plain["auc"] < v0["auc"]) + int(plain["auc"] < v1["auc"])]
numbers(
    mdl_seq_place=place,
    mdl_seq_auc=f"{plain['auc']:.3f}",
    mdl_seq_v1=f"{v1['auc']:.3f}",
    mdl_seq_v0=f"{v0['auc']:.3f}",
    mdl_id_train=f"{named_memory['auc_train']:.2f}",
    mdl_id_later=f"{named_memory['auc_later']:.2f}",
    mdl_id_met=f"{named_memory['auc_met']:.2f}",
    mdl_id_new=f"{named_memory['auc_new']:.2f}",
    mdl_plain_met=f"{plain_memory['auc_met']:.2f}",
    mdl_plain_new=f"{plain_memory['auc_new']:.2f}",
    mdl_plain_train=f"{plain_memory['auc_train']:.2f}",
    mdl_leavers=count(train["y"].sum()),
    mdl_new_leavers=count(named_memory["leavers_new"]),
)

# %% [markdown]
# The network reaches {glue:text}`mdl_seq_auc`, v1 {glue:text}`mdl_seq_v1`, v0 {glue:text}`mdl_seq_v0`. It had
# everything that v1 had and the weeks on top. With {glue:text}`mdl_leavers` leavers to learn from, that is what
# the weeks hold beyond the sums and ratios that the trees get. It is one architecture and one run, so take it as a floor
# for networks, and as the bar for whoever proposes the three months.
#
# The ids are worse. On the months it has seen, that network's AUC is {glue:text}`mdl_id_train`; on December
# {glue:text}`mdl_id_later`, where the one without has {glue:text}`mdl_plain_train` and {glue:text}`mdl_seq_auc`. A
# company stands in the training rows several times, and the embedding learns by heart which ones lost somebody. On
# companies that it has met it scores {glue:text}`mdl_id_met` against {glue:text}`mdl_plain_met` without ids: the memory
# is what hurts. On new ones it is {glue:text}`mdl_id_new` against {glue:text}`mdl_plain_new`, but
# {glue:text}`mdl_new_leavers` leavers decide that. An id pays where a unit comes back thousands of times, as in ads. A
# company that signs once does not.

# %% [markdown]
# (ch4-segments)=
# ## Thin segments, pooled by a hierarchical model
#
# **Shrinking repairs what thin cells get wrong; that the cells differ at all, this pilot cannot show.** Split the pilot by plan,
# term, price signal and how-to questions, and each cell holds a handful of leavers. Raw differences are noise, one pooled number hides
# what differs. A {term}`partial pooling` model in PyMC shrinks each cell as far as its counts deserve; a closed form (empirical Bayes)
# does so without draws.

# %%
from casebook.churn.pilot import pilot_frame, pilot_truth

pilot = pilot_frame(company.tables, warehouse)
treated, stayed = pilot["treated"], pilot["stayed"].astype(int)
known = pilot_truth(company, pilot)

# %%
from casebook.churn.segment_model import partial_pooling
from casebook.churn.segments import (
    root_mean_square,
    segment_counts,
    segment_names,
    segment_table,
)

cells = segment_names(pilot)
counts = segment_counts(cells, treated, 1 - stayed, known)
draws = {"small": 400, "full": 1_500}[scale]
posterior = partial_pooling(counts, seed=seed, draws=draws, chains=2)
by_segment = segment_table(counts, posterior)
by_segment.head(6).round(4)

# %%
misses = root_mean_square(by_segment, by_segment["n"])
pd.DataFrame({"root mean squared error, points": 100 * misses}).round(3)

# %% tags=["remove-cell"]
assert (
    misses["raw"] > 1.5 * misses["eb"]
    and misses["raw"] > 1.5 * misses["posterior"]
)
assert posterior.r_hat < 1.02
numbers(
    upl_cells=count(len(by_segment)),
    upl_miss_raw=f"{100 * misses['raw']:.2f}",
    upl_miss_pooled=f"{100 * misses['pooled']:.2f}",
    upl_miss_eb=f"{100 * misses['eb']:.2f}",
    upl_miss_bayes=f"{100 * misses['posterior']:.2f}",
    upl_rhat=f"{posterior.r_hat:.3f}",
    upl_tau=f"{100 * by_segment.attrs['tau']:.1f}",
)

# %% [markdown]
# Over {glue:text}`upl_cells` cells the raw differences miss the truth by {glue:text}`upl_miss_raw` points, the pooled number by
# {glue:text}`upl_miss_pooled`, empirical Bayes by {glue:text}`upl_miss_eb`, the hierarchical model by
# {glue:text}`upl_miss_bayes` (R-hat {glue:text}`upl_rhat`; the fit refuses its answer if the chains have not met). Shrinking
# repairs the raw numbers. Whether it beats one number for all depends on how much the cells differ, and in a pilot of this
# size you cannot tell: the closed form finds a spread between cells of {glue:text}`upl_tau` points.

# %% [markdown]
# (ch4-real-data)=
# ## On real data
#
# **No public table holds both churn and randomised calls, so there are two: one shows how far a model of risk gets,
# the other whom a message moves. Neither result is ours to choose.** Both are read by the chapter's functions.

# %% [markdown]
# (ch4-telco)=
# ### Risk: IBM's telephone customers
#
# 7,043 customers of a telephone company that IBM made up, 26.5% of whom left "last month". There is no date in it, so
# no split by time; and no treatment, so nothing about calls. What it is good for is a floor, a leak, and the
# difference between customers and dollars.

# %% tags=["hide-input"]
from IPython.display import display

from casebook import datasets
from casebook.churn import figures_failures, real, real_texts

telco_path = datasets.fetch("telco-churn")
telco = telco_path and datasets.prepare_telco_churn(telco_path)
if telco is None:
    page.absent(real_texts.TELCO_KEYS)
else:
    print(datasets.credit("telco-churn"))

# %%
if telco is not None:
    floor = real.telco_floor(telco, seed)
    some = telco.iloc[rng.permutation(len(telco))[:2_000]]
    leak = real.telco_smote_like_leak(some.reset_index(drop=True), seed)
    at_stake = real.who_to_keep(telco, seed, share=0.1)
    texts = real_texts.telco_texts(floor, leak, at_stake, len(some))
    numbers(**texts)

# %% tags=["hide-input"]
if telco is not None:
    read = ["auc", "auc_earlier", "ap", "ap_earlier", "brier", "folds_above"]
    display(floor[read].round(4))
    display(leak.loc["SMOTE"].round(3))

# %% tags=["remove-cell"]
if telco is not None:
    assert len(telco) == 7_043 and round(telco["churned"].mean(), 3) == 0.265
    auc, smote = floor["auc"], leak.loc["SMOTE"]
    assert (auc - floor["auc_earlier"]).abs().max() < 0.01
    assert (
        floor.loc["boosting, default", "auc"]
        < auc.drop("boosting, default").min()
    )
    assert auc["boosting, depth 3"] - auc["logistic regression"] < 0.01
    assert smote.loc["before the split", "f1"] > 1.2 * smote.loc["nowhere", "f1"]
    assert smote.loc["before the split", "shared"] > 0.5
    each = smote.loc["in each part by itself"]
    assert each["shared"] == 0 and each["f1"] > 1.1 * smote.loc["nowhere", "f1"]
    assert at_stake.loc["p x bill", "more"] > 0

# %% [markdown]
# **The floor.** Logistic regression has an AUC of {glue:text}`rl_auc_linear` ({glue:text}`rl_auc_linear_earlier` when
# we measured it with three times the folds), boosted trees of depth 3 {glue:text}`rl_auc_shallow`
# ({glue:text}`rl_auc_shallow_earlier`), a gain of {glue:text}`rl_auc_gain`, higher in {glue:text}`rl_folds_above` of
# {glue:text}`rl_folds` folds. The same library with its defaults reaches {glue:text}`rl_auc_deep` and is above the
# regression in {glue:text}`rl_folds_deep`. Whoever shows you a network on this table should be asked for its distance
# to the regression.
#
# **The leak.** An F1 of {glue:text}`rl_leak_f1_last` and an AUC of {glue:text}`rl_leak_auc_last` take one line:
# multiply those who left with SMOTE {cite}`chawla2002` until they are half, *then* split. On
# {glue:text}`rl_leak_rows` of the customers the honest order gives {glue:text}`rl_leak_f1_first` and
# {glue:text}`rl_leak_auc_first`. Three things are wrong at once: {glue:text}`rl_leak_shared` of the test leavers are
# made from a customer who also stands behind a training row; half of the test rows are leavers, and F1 depends on the
# base rate; and made rows are easily recognised (the table's third line has no shared customer and rises too). If you
# read an F1 above 0.8 on this table, ask where the split was.
#
# **Customers or dollars.** A list of {glue:text}`rl_keep_customers` by chance of leaving times the bill shares
# {glue:text}`rl_keep_overlap` with the list by chance alone, and the leavers on it had paid {glue:text}`rl_keep_more`
# a month more, from {glue:text}`rl_keep_low` to {glue:text}`rl_keep_high`, {glue:text}`rl_keep_verdict`. That is
# money at risk. Without a treatment in the table nobody can say how much a call would keep.
#
# (ch4-hillstrom)=
# ### Uplift: Hillstrom's e-mail trial
#
# In 2008 Kevin Hillstrom published a trial of a shop {cite}`hillstrom2008`: customers drawn to get an e-mail about
# men's goods, one about women's, or none; outcome, a visit to the site within two weeks. This one can answer whom a
# message moves.

# %% tags=["hide-input"]
from casebook.churn import real_trial, real_uplift

email_path = datasets.fetch("hillstrom-email")
emails = email_path and datasets.prepare_hillstrom(email_path)
if emails is None:
    page.absent(real_texts.HILLSTROM_KEYS)
else:
    print(datasets.credit("hillstrom-email"))

# %%
from threadpoolctl import threadpool_limits

from casebook.uplift import uplift_by_bin

if emails is not None:
    ratio, did_what = real_trial.sample_ratio(emails), real_trial.arms(emails)
    ranked, halves = {}, {}
    with threadpool_limits(1):
        for arm in real_uplift.EMAILS:
            ranked[arm] = real_uplift.hillstrom_uplift(
                emails, arm, seed=seed, kinds=("t", "s"), draws=60
            )
            halves[arm] = real_uplift.over_splits(
                emails, arm, seed=seed, splits=3, kinds=("s",)
            )
    numbers(**real_texts.hillstrom_texts(ratio, did_what, ranked, halves))

# %% tags=["hide-input"]
if emails is not None:
    display(did_what.loc["visit"].drop(columns="p").round(4))
    womens_readings = ranked["Womens E-Mail"].readings.drop(columns="formula")
    display(womens_readings.astype(float).round(4))
    for row in ranked["Womens E-Mail"].readings.itertuples():
        print(", ".join(row.Index), "=", row.formula)

# %%
if emails is not None:
    seen = ranked["Mens E-Mail"].held_out
    fifths = uplift_by_bin(seen["y"], seen["treated"], seen["t"], bins=5)
    display(fifths[["n", "predicted", "realised", "se"]].round(4))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two dot plots of the Qini of five rankings with intervals, for the men's and the women's e-mail: the order of the rankings differs between the two, and most intervals overlap."}}
if emails is not None:
    pairs = {"the men's": "Mens E-Mail", "the women's": "Womens E-Mail"}
    figures_failures.qini_intervals(
        {name: ranked[arm].paired.loc["qini"] for name, arm in pairs.items()}
    )

# %% tags=["remove-cell"]
if emails is not None:
    visits = did_what.loc["visit"]
    assert (visits["mean"].round(4) == visits["published"]).all()
    assert not ratio.broken
    mens, womens = (halves[arm].loc["s"] for arm in real_uplift.EMAILS)
    assert mens["above_response"] < womens["above_response"]
    per_unit = ranked["Womens E-Mail"].readings["s"].drop(("qini", "none"))
    assert per_unit.max() > 5 * per_unit.min() > 0
    gained = visits["difference"].drop("No E-Mail")
    assert (visits["low"].drop("No E-Mail") > 0).all()
    assert real_uplift.PUBLISHED_UPLIFT["Mens E-Mail", 0.1] < gained.iloc[0]
    ends = fifths.iloc[0] - fifths.iloc[-1]
    assert ends["predicted"] > 2 * ends["realised"]
printed = real_uplift.PUBLISHED_UPLIFT
numbers(
    rl_published_women=f"{100 * printed['Womens E-Mail', 0.1]:.1f}",
    rl_published_men=f"{100 * printed['Mens E-Mail', 0.1]:.1f}",
)

# %% [markdown]
# **Was it sound?** {glue:text}`rl_customers` customers in three arms; shares as uneven as these come up by chance
# with a probability of {glue:text}`rl_srm_p`. The visit rates are the ones that scikit-uplift's notebook prints,
# 0.1062, 0.1828 and 0.1514, to the last digit. The men's e-mail adds {glue:text}`rl_men_effect` points
# ({glue:text}`rl_men_low` to {glue:text}`rl_men_high`), the women's {glue:text}`rl_women_effect`
# ({glue:text}`rl_women_low` to {glue:text}`rl_women_high`).
#
# **Whom should it go to?** Fitted on half of the customers, read on the other half. For the men's e-mail the highest
# Qini is that of {glue:text}`rl_men_first`; the S-learner less the response ranking (who visits after an e-mail?) is
# {glue:text}`rl_men_gap`, from {glue:text}`rl_men_gap_low` to {glue:text}`rl_men_gap_high`,
# {glue:text}`rl_men_gap_verdict`. For the women's it is {glue:text}`rl_women_first`, and the same difference is
# {glue:text}`rl_women_gap`, from {glue:text}`rl_women_gap_low` to {glue:text}`rl_women_gap_high`,
# {glue:text}`rl_women_gap_verdict`. On fresh halves the S-learner is above the response ranking in
# {glue:text}`rl_men_ahead` of {glue:text}`rl_men_splits` for the men's e-mail and in {glue:text}`rl_women_ahead` of
# {glue:text}`rl_women_splits` for the women's. The same customers, the same learner, two e-mails: which ranking is
# best belongs to the message and not to the method. (Risk, who visits anyway, reads {glue:text}`rl_men_risk` and
# {glue:text}`rl_women_risk`.)
#
# **What does a published Qini mean?** Nothing without its formula. Read in the four ways above that are not a plain count, one ranking (women's,
# S-learner) has a Qini from {glue:text}`rl_s_least` to {glue:text}`rl_s_most`, {glue:text}`rl_s_times` times as much.
# Compare rankings within a formula, on the same rows, by paired intervals.
#
# **Does the predicted uplift mean what it says?** For the men's e-mail the T-learner's highest fifth is predicted to
# gain {glue:text}`rl_men_said` points more than its lowest; realised are {glue:text}`rl_men_did`. For the women's it
# is {glue:text}`rl_women_said` and {glue:text}`rl_women_did`. A score that ranks must be calibrated by group before
# you multiply it by dollars.
#
# **What would you do?** An e-mail costs nearly nothing and both gain on average, so mail everybody; ranking pays
# where a contact has a price. In the top tenth by S-learner the women's e-mail adds {glue:text}`rl_women_top` points
# ({glue:text}`rl_women_top_low` to {glue:text}`rl_women_top_high`); scikit-uplift's notebook prints {glue:text}`rl_published_women` for another
# model and split. Its {glue:text}`rl_published_men` for the men's is less than the {glue:text}`rl_men_effect` points that a tenth drawn by lot
# would gain.
