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
# # 5. Credit-card fraud detection: in operation
#
# **The source retrains daily, watches drift, tells a novel attack from decay, and keeps a holdback. Here the verdict is right in {glue:text}`nv_right` drawn banks, and in {glue:text}`nv_right_changed` of those where something changed; daily refits buy nothing that can be told from luck; and a holdback of 1% needs a bank of
# millions. What pays most stands on no such list: the answer to a push as a label, in {glue:text}`pl_pays`.** The bank is that of
# [the chapter](05_fraud); this page needs nothing else from it.

# %% tags=["parameters"]
seed = 5
scale = "small"

# %% tags=["hide-input"]
import gc

import numpy as np
import pandas as pd
from scipy.stats import binom
from scipy.stats import t as student_t

from casebook import studies, style
from casebook.fraud import figures_deeper, figures_operations
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World
from casebook.page import count, dollars, numbers, percent
from casebook.worlds import share_holding

style.use()
rng = np.random.default_rng(seed)
cards = {"small": 4_000, "full": 40_000}[scale]


# %% tags=["hide-input"]
def held(study, name, null=False):
    """Return in how many of a study's banks a finding holds, in words."""
    return str(share_holding((study.null_frame if null else study.frame)[name]))


# %% [markdown]
# (ch5-monitoring)=
# ## Monitoring: a week is not read before its time
#
# :::{admonition} Step 8 of the interview's nine: deployment and monitoring
# :class: step
# In the interview: three minutes. What you look at each morning, which part of it can be believed yet, who acts on it, and how
# you would know that a release is worse.
# :::
#
# **A young week always looks better than it is. Held against the reports that should have come by its age, the last week of which
# half is known reads {glue:text}`mn_ratio` reported for each promised and not {glue:text}`mn_naive`; {glue:text}`mn_end` came in the end.
# The youngest, with {glue:text}`mn_young_known` known, reads {glue:text}`mn_young` and came to {glue:text}`mn_young_end`: right in direction,
# wrong in size.**
#
# Tomasz looks at fraud by week on a Monday morning. The last bars are short, and somebody says that the new model works. The
# price of that sentence is a month in which nobody looks. Here is a model that was fitted on day {glue:text}`mn_start` and left
# alone; the bank reads it on day {glue:text}`mn_today`.

# %%
from casebook.fraud.in_force import InForce, Schedule
from casebook.fraud.weekly import alert_rates, calibration_by_week, maturity

days, today = 126, 91
schedule = Schedule(start=42)  # push the top 1%, block the top 0.1%
policy = InForce(schedule, rng)
bank = simulate(World(prevalence=0.006), cards, days, rng, policy)
scored = policy.scored(bank.tables)

# %%
reports = bank.tables["reports"]
curve = maturity(bank.tables, today * DAY)  # corrected for what is to come
weeks = calibration_by_week(scored, reports, today * DAY, curve)
later = calibration_by_week(
    scored, reports, days * DAY, maturity(bank.tables, days * DAY)
)
weeks.set_index("week").round({"promised": 0, "known": 2}).round(1)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Lines of reported over promised frauds by week: as it stands it ends below what came in the end; mended for the labels still to come it lies on it but for the youngest week."}}
figures_operations.weekly_calibration(weeks[weeks["note"] == ""], later)

# %% tags=["remove-cell"]
ripe = weeks[weeks["note"] == ""]
end = later.set_index("week")["naive"].reindex(ripe["week"]).to_numpy()
off_naive = np.abs(np.log(ripe["naive"].to_numpy() / end))
off_mended = np.abs(np.log(ripe["ratio"].to_numpy() / end))
assert scale != "small" or off_mended.mean() < off_naive.mean()
half_known = weeks[weeks["known"] > 0.5].iloc[-1]
came = float(later.set_index("week")["naive"][half_known["week"]])
assert scale != "small" or half_known["naive"] < came
assert scale != "small" or half_known["week"] == ripe["week"].iloc[-2]
numbers(
    mn_start=str(schedule.start),
    mn_today=str(today),
    mn_naive=f"{half_known['naive']:.1f}",
    mn_ratio=f"{half_known['ratio']:.1f}",
    mn_known=percent(half_known["known"]),
    mn_end=f"{came:.1f}",
    mn_young=f"{ripe['ratio'].iloc[-1]:.1f}",
    mn_young_known=percent(ripe["known"].iloc[-1]),
    mn_young_end=f"{end[-1]:.1f}",
    mn_off_naive=percent(np.expm1(off_naive.mean())),
    mn_off_mended=percent(np.expm1(off_mended.mean())),
)

# %% [markdown]
# Of what the week before the last will be reported, {glue:text}`mn_known` has come. Over all weeks shown the naive reading is off by
# {glue:text}`mn_off_naive` on average and the mended one by {glue:text}`mn_off_mended`. The curve of delays is itself taken
# from the bank's reports, and corrected, since of a month's reports those known so far are the fast ones (Lagakos, Barraj and
# De Gruttola 1988). A week of which less than a quarter is known is printed as "too young": say so, rather than extrapolate
# by four.
#
# Two more things in the table. The weeks jump, because frauds come in episodes: the interval counts a card's frauds as one
# cluster. And nearly all ratios lie above one: the model promises too little, as [on the chapter's page](ch5-calibration).
# That is a level, not a change. So the alarm is a week against the weeks before it. Before you wire it to a pager,
# ask how often it goes off where nothing changes: here in {glue:text}`mn_still` banks whose holders and fraudsters stay as they are.


# %%
def rings(weeks, usual=3):
    """Return the weeks whose interval lies above the mean of those before."""
    mean = weeks["ratio"].expanding().mean().shift()
    known = (weeks.index >= usual) & (weeks["note"] == "")
    return weeks[known & (weeks["low"] > mean)]


# %%
def still_bank(number):
    """Return how many weeks rang, and could, where nothing changes."""
    world, new = World(prevalence=0.006, speed=0.0), [seed, number]
    policy = InForce(schedule, np.random.default_rng(new))
    run = simulate(world, 2_000, days, np.random.default_rng(new), policy)
    table, now = run.tables, days * DAY
    told = (policy.scored(table), table["reports"], now, maturity(table, now))
    read = calibration_by_week(*told)
    del run, policy, table, told
    gc.collect()
    return len(rings(read)), int((read["note"].iloc[3:] == "").sum())


alarmed = rings(later)
still_weeks = np.array([still_bank(number) for number in range(6)])
pd.DataFrame(still_weeks, columns=["rang", "weeks"]).sum().to_frame("quiet").T

# %% [markdown]
# What happened in the weeks in which it rang in our own bank? The truth knows each attempt's kind:

# %%
truth = bank.truth.events
live = scored["event_id"][scored["p"].notna()]
in_week = truth["fraud"] & truth["event_id"].isin(live)
by_kind = pd.crosstab(
    scored["at"][in_week] // (7 * DAY), truth["kind"][in_week]
).rename_axis("week")
by_kind = by_kind[by_kind.index.isin(later["week"])]
shown = by_kind.copy()
shown.insert(0, "rings", shown.index.isin(alarmed["week"]))
shown

# %%
tiers = alert_rates(scored, today * DAY)
alerts = tiers.assign(week=tiers["day"] // 7).pivot_table(
    index="week", columns="tier", values="n", aggfunc="sum", observed=False
)
alerts[["push", "block"]].T

# %% tags=["remove-cell"]
assert scale != "small" or len(alarmed) > 0, "an alarm must go off"
pushes = alerts["push"]
traffic = weeks["n"].iloc[[0, -1]].to_numpy()
assert scale != "small" or abs(traffic[1] / traffic[0] - 1) < 0.05
wave = (by_kind / by_kind.mean()).max(axis=1)
quiet_waves = wave[~wave.index.isin(alarmed["week"])]
rang, could = still_weeks.sum(axis=0)
assert rang / could > 0.05
rung_waves = wave.loc[alarmed["week"]]
assert scale != "small" or rung_waves.min() > quiet_waves.max()
numbers(
    mn_still=count(len(still_weeks)),
    mn_still_rang=f"{rang} of {could}",
    mn_wave=f"{rung_waves.min():.1f}",
    mn_quiet_waves=f"{quiet_waves.max():.1f}",
    mn_rings=count(len(alarmed)),
    mn_weeks=count(int((later["note"].iloc[3:] == "").sum())),
    mn_push_first=count(pushes.iloc[0]),
    mn_push_last=count(pushes.iloc[-1]),
)

# %% [markdown]
# Read once all reports were in, it rang in {glue:text}`mn_rings` of the {glue:text}`mn_weeks` weeks in which it could, and in {glue:text}`mn_still_rang` weeks of banks in which nothing
# changes: an interval of 95% about one week knows how few cards stand behind it, but not that fraud comes in waves. Where it
# rang, one kind had {glue:text}`mn_wave` times its usual attempts or more, in silent weeks {glue:text}`mn_quiet_waves` times at most:
# in these weeks a wave explains it. So this alarm is a reason to *look*, and none to refit. What it should start is the procedure
# of the next section, whose false alarms are counted. Alerts drift as well, though no cut was touched:
# {glue:text}`mn_push_first` pushes in the first week, {glue:text}`mn_push_last` in the last, at the same traffic: a count of alerts
# is not a count of fraud.
#
# (ch5-novel)=
# ## A new attack, or a model that wears out?
# **They need different first answers, a rule today or a look at what moved, and two questions tell them apart: do the missed frauds lie where no
# earlier one lay, and have the honest payments moved? Over {glue:text}`nv_n` drawn banks the procedure names the cause in
# {glue:text}`nv_right`.**
#
# Misses rise. The tempting answer is to refit at once. If a new attack has come, its reports are not there yet. [In drawn
# banks](ch5-anomaly) a refit fifteen days after its first day had {glue:text}`nv_known` reports of it in the median, and found
# {glue:text}`nv_later` of the new kind where the old model found {glue:text}`nv_before`. So a refit does mend it, after two weeks; a
# rule covers these two weeks. If the holders changed, a rule does nothing. Three banks from the same seed: nothing changes, a seventh kind of fraud comes (a wallet
# that is set up with a stolen card), or holders move online as in a lockdown.

# %%
from casebook.fraud.diagnose import diagnose
from casebook.fraud.plays_diagnose import cause_of, scored_with_features
from casebook.fraud.studies_watch import QUIET
from casebook.fraud.verdicts import conclude, confusion, fit_limits
from casebook.fraud.verdicts import questions, verdicts

met = studies.load("05_diagnose")
limits = fit_limits(met.null_frame.head(QUIET))  # banks where nothing changes
changes = {
    "nothing": {},
    "a new attack": {"novel_share": 0.3, "novel_day": 70},
    "holders move": {"drift": 0.4, "drift_day": 70},
}


# %%
def read(changed, weeks=14):
    """Play a bank and read its last four weeks against those before."""
    policy = InForce(Schedule(start=42), np.random.default_rng(seed + 1))
    world = World(prevalence=0.006, **changed)
    run = simulate(world, 3_000, 7 * weeks, np.random.default_rng(seed), policy)
    told = (run.tables["reports"], run.tables["answers"], 7 * weeks * DAY)
    what = diagnose(scored_with_features(run, policy), *told)
    del run, policy, told
    gc.collect()
    return conclude(what, limits)


found = {name: read(changed) for name, changed in changes.items()}
times = {name: one.evidence["times"].to_numpy() for name, one in found.items()}
labels = next(iter(found.values())).evidence[["question", "reading", "limit"]]
pd.concat([labels, pd.DataFrame(times)], axis=1).round(1)

# %%
for name, one in found.items():
    print(f"{name} -> {one.sentence}\n")

# %% tags=["remove-cell"]
logged = policy.features.tail(2_000).to_numpy()  # for a check further down
del bank, policy, scored, truth, live  # large, and they have served
gc.collect()

# %% [markdown]
# Each number is how many times what nine in ten quiet banks read; the procedure speaks from the column *limit* on. The first two
# rows are about frauds, the others about honest payments. Here is the same procedure over drawn banks: the cause, how much changes, how late labels come and how fast fraudsters answer are all drawn.

# %%
judged = confusion(met.frame.apply(cause_of, axis=1), verdicts(met.frame, limits))
quiet = verdicts(met.null_frame.tail(len(met.null_frame) - QUIET), limits)
judged

# %%
from casebook.fraud.studies import STUDIES

told_apart = next(one for one in STUDIES if one.name == "05_diagnose")
again = studies.verify(told_apart, met, 1, np.random.default_rng(seed))
print(
    f"{met.n} drawn and {len(met.null_frame)} quiet banks at commit "
    f"{met.commit}; one of each, played again: {len(again)} values agree."
)

# %% tags=["remove-cell"]
gc.collect()
assert [one.verdict for one in found.values()] == [
    "nothing",
    "novel attack",
    "decay",
]
quiet_told = int((quiet != "nothing").sum())
assert quiet_told <= binom.ppf(0.975, len(quiet), limits.alpha)
fell = met.frame["recall_before"] - met.frame["recall_recent"]
usual_fall = (
    met.null_frame["recall_before"] - met.null_frame["recall_recent"]
).quantile(0.9)
hurt = (fell > usual_fall).groupby(met.frame.apply(cause_of, axis=1))
new = met.frame[met.frame["novel"]]
unseen = new[~questions(new, limits)["frauds"]]
small = unseen[unseen["novel_share"] < new["novel_share"].quantile(0.1)]
late = unseen.drop(small.index)
assert len(small) == 3 and len(late) == 1 and late["delay_days"].iloc[0] > 30
refitted = studies.load("05_novel").frame
assert refitted["refit_gains"].mean() > 0.9
right = int(np.trace(judged.to_numpy()))
missed_new = int(judged.loc["novel attack", ["nothing", "decay"]].sum())
numbers(
    nv_n=count(met.n),
    nv_right=f"{right} of {met.n}",
    nv_right_changed=f"{right - judged.loc['none', 'nothing']} of "
    f"{judged.drop('none').to_numpy().sum()}",
    nv_missed=f"{missed_new} of {int(judged.loc['novel attack'].sum())}",
    nv_decay=f"{int(judged.loc['decay', ['decay', 'both']].sum())} of {int(judged.loc['decay'].sum())}",
    nv_unseen=f"{len(unseen)} of {len(new)}",
    nv_small=percent(small["novel_share"].max()),
    nv_smallest=percent(new["novel_share"].drop(small.index).min()),
    nv_late=count(late["delay_days"].iloc[0]),
    nv_hurt_new="{:.0f} of {:.0f}".format(
        *hurt.agg(["sum", "size"]).loc["novel attack"]
    ),
    nv_hurt_decay="{:.0f} of {:.0f}".format(
        *hurt.agg(["sum", "size"]).loc["decay"]
    ),
    nv_usual_fall=f"{100 * usual_fall:.0f}",
    nv_known=count(refitted["known_new"].median()),
    nv_before=percent(refitted["new_before"].mean()),
    nv_later=percent(refitted["new_later"].mean()),
    nv_quiet=f"{quiet_told} of {len(quiet)}",
    nv_alpha=percent(limits.alpha),
    nv_limit_banks=count(limits.worlds),
)

# %% [markdown]
# It finds {glue:text}`nv_decay` decays and tells {glue:text}`nv_missed` banks with a new attack alone that nothing is wrong. Counting
# those where both came, it overlooks {glue:text}`nv_unseen` new attacks. Three are the smallest ones, up to
# {glue:text}`nv_small` of the attempts; it finds all from {glue:text}`nv_smallest` on, but for one in a bank whose reports
# take {glue:text}`nv_late` days in the median: of that attack the bank had read hardly anything. The limits come from
# {glue:text}`nv_limit_banks` quiet banks and allow {glue:text}`nv_alpha` of quiet banks to be told anything. Of those kept apart
# {glue:text}`nv_quiet` were: more than promised, and no more than so few banks can show by luck.
#
# Two limits of what it says. "Decay" means that the honest payments moved, not that the model suffered: in
# {glue:text}`nv_hurt_decay` banks with decay alone its recall fell by more than the {glue:text}`nv_usual_fall` points that nine
# in ten quiet banks stay within, and in {glue:text}`nv_hurt_new` banks with an attack alone. And the banks differ from yours in what an attack
# looks like: ours has an entry mode that hardly any fraud had before. One that imitates old ones in every column is found by neither
# question.
#
# :::{admonition} They push back: "We would have seen it in the feature drift dashboard."
# :class: they-push-back dropdown
# The new attack moves no honest feature: look at its rows of traffic and scores above. And the drift that the dashboard shows
# needs a refit, not a rule. The dashboard answers one of the two questions.
# :::
#
# (ch5-retraining)=
# ## How often to refit
#
# **Daily refits bought nothing in these banks that luck does not explain: {glue:text}`rt_mean` of the cost over weekly ones, plus or minus
# {glue:text}`rt_error`, and they "pay" as often where fraudsters do not move.** The source retrains daily. Labels come after days or
# weeks, so ask what a model learns overnight.

# %%
from casebook.fraud.plays_retrain import MATERIAL, retraining_map

refits = studies.load("05_retrain")
pairs = {"daily over weekly": "daily_weekly", "weekly over never": "weekly_never"}
columns = ["mean", "standard error", "spread", "spread, still banks"]
pd.DataFrame(
    {
        words: figures_operations.scatter_of(
            refits.frame, refits.null_frame, f"saved_{pair}"
        )
        for words, pair in pairs.items()
    },
    index=columns,
).T.round(3)

# %% [markdown]
# What is saved is a share of the cost. The map of both, by the fraudsters' speed and the median delay of a report; `luck` is twice
# the standard error that so few banks leave.

# %%
by_cell = pd.DataFrame(
    {
        words: retraining_map(refits.frame, f"saved_{pair}").set_index(
            ["speed", "delay_days"]
        )["mean"]
        for words, pair in pairs.items()
    }
)
in_cell = retraining_map(refits.frame, "saved_daily_weekly")["n"].to_numpy()
for words, pair in pairs.items():
    wide = 2 * refits.frame[f"saved_{pair}"].std() / np.sqrt(in_cell)
    by_cell[f"luck, {words}"] = wide
by_cell.assign(banks=in_cell).round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Flip map of what daily refits save over weekly ones, by the fraudsters' speed across and the delay of reports upwards: small gains and losses without an order."}}
cells = retraining_map(refits.frame, "saved_daily_weekly")
mean, error, spread, still = figures_operations.scatter_of(
    refits.frame, refits.null_frame, "saved_daily_weekly"
)
figures_operations.refit_map(
    cells,
    f"Daily refits save {cells['mean'].min():+.2f} to {cells['mean'].max():+.2f}, as luck does",
)

# %% tags=["remove-cell"]
gc.collect()
weekly = figures_operations.scatter_of(
    refits.frame, refits.null_frame, "saved_weekly_never"
)
assert abs(mean) < 2 * error and abs(weekly[0]) < 2 * weekly[1]
assert 0.5 < spread / still < 2
for words in pairs:
    assert (by_cell[words].abs() < by_cell[f"luck, {words}"]).all()
both = pd.concat([refits.frame, refits.null_frame])["caught_weekly_never"]
kinds_apart = [
    one["caught_weekly_never"] for one in (refits.frame, refits.null_frame)
]
assert both.mean() > 2 * both.sem()
assert abs(kinds_apart[0].mean() - kinds_apart[1].mean()) < both.sem() * 2
numbers(
    rt_mean=f"{mean:+.1%}",
    rt_error=percent(1.96 * error, 1),
    rt_weekly=f"{weekly[0]:+.1%}",
    rt_weekly_error=percent(1.96 * weekly[1], 1),
    rt_pays=held(refits, "daily_pays"),
    rt_pays_still=held(refits, "daily_pays", null=True),
    rt_material=percent(MATERIAL),
    rt_spread=percent(spread),
    rt_still=percent(still),
    rt_caught=f"{100 * both.mean():.1f}",
    rt_caught_error=f"{196 * both.sem():.1f}",
    rt_attempts=count(refits.frame["attempts"].median()),
)

# %% [markdown]
# Daily refits save more than {glue:text}`rt_material` of the cost in {glue:text}`rt_pays` banks, and in {glue:text}`rt_pays_still`
# of banks whose fraudsters never move. One bank's result spreads by {glue:text}`rt_spread` either way, {glue:text}`rt_still` in
# the still ones: with some {glue:text}`rt_attempts` attempts in five weeks a few dear frauds decide. Weekly over never is
# {glue:text}`rt_weekly`, plus or minus {glue:text}`rt_weekly_error`. Count frauds and not dollars, and weekly refits do stop
# {glue:text}`rt_caught` points more of the attempts than none, plus or minus {glue:text}`rt_caught_error`, over all banks; but they do so
# in the still banks as well, so it is no answer to an adversary. So this page does *not* show that refits are useless. It shows
# that at this size the gain cannot be seen, that no corner of the map is an exception, and that a team which tried daily refits
# in one bank and saw an improvement cannot know that it was one.
#
# Mind what these banks leave out. Fraudsters turn between tactics that the model has met; holders do not drift and no new kind comes. Where
# one comes, a refit fifteen days later lifts [what is found of it](ch5-anomaly) from {glue:text}`nv_before` to {glue:text}`nv_later`. That is a refit on an event, and no
# argument for a clock.
#
# :::{admonition} Say it
# :class: say-it
# "I would refit weekly because it is cheap and keeps the pipeline alive, and on an alarm. I would not promise money for daily
# refits: the labels that they would learn from are still on their way."
# :::
#
# (ch5-holdback)=
# ## A holdback on the old model
#
# **With 1% of the cards held back, a bank of thousands sees nothing within six weeks, whatever breaks. A bank of ten million would, by the rates
# of ours, see the worse of two faults in {glue:text}`hb_days_1` days by reports and in {glue:text}`hb_denials_1` by denied pushes.** The source keeps a
# {term}`holdback`; ask how large it must be, and which signal is read.
#
# A release is fitted to whole features and served broken ones. Two faults: the store of merchants' and terminals' risk answers
# zero, or that of velocities does. Three runs meet the same holders and the same plans.

# %%
from casebook.fraud.holdback import FAULTS, HeldBack, Release, alarm_day
from casebook.fraud.holdback import by_group, first_days

hold_cards = {"small": 8_000, "full": 40_000}[scale]
faults = {fault.name: fault for fault in FAULTS}
releases = {
    "the old model again": {"same": True},
    "risk store down": {"fault": faults["risk store down"]},
    "velocity store down": {"fault": faults["velocity store down"]},
}
hold_world, share, released_on = World(prevalence=0.008), 0.05, 49


signals = ("alerts", "denials", "reports")


# %%
def release(**how):
    """Play a release beside a holdback; return its readings, and who is held."""
    one = HeldBack(Release(share, **how), hold_cards, np.random.default_rng(seed))
    new = np.random.default_rng(seed + 1)
    run = simulate(hold_world, hold_cards, 91, new, one)
    since = run.money[run.money["day"] >= released_on]
    first = {signal: first_days(run, released_on, signal) for signal in signals}
    late = maturity(run.tables, 91 * DAY)
    read = {"lost": since["loss"].sum(), "late": late, **first}
    del run
    gc.collect()  # a run is large and refers to itself
    return read, one.held


# %%
played_out, seen = {}, []
for name, how in releases.items():
    played_out[name], held_cards = release(**how)
    row = {"release": name, "lost, dollars": played_out[name]["lost"]}
    for signal in signals:
        groups = by_group(played_out[name][signal], held_cards, 42)
        row |= {f"held, {signal}": groups["held"].sum()}
        row |= {f"day, {signal}": alarm_day(groups, share)}
    seen.append(row)
seen = pd.DataFrame(seen).set_index("release")
seen.T.round(0)

# %% [markdown]
# Read the rows "day": the first evening on which the two groups are known to differ, by a test that may be looked at daily and
# errs in one release of a hundred at most (`casebook.experiments.srm_sequential`: equal models share cards with a signal as
# the lots were drawn). Behind 5% of {glue:text}`hb_cards` cards stand a few dozen reports. Alerts ring soonest and say the least: with half
# of the cards held in drawn banks they rang for {glue:text}`hb_broken_alerts` broken releases and for {glue:text}`hb_sound_alerts` sound ones. Denied pushes are mostly frauds, known at once, and a model that
# sees less asks less: look for a *fall* (in {glue:text}`hb_fewer` drawn banks whose frauds rose). Reports are what you are after, and come last.
#
# Now scale it: the rates of the broken and the old model, at the prompt's share of fraud, in a bank of ten million cards.

# %%
from casebook.fraud.holdback_scale import PREVALENCE, Rates, expected_day
from casebook.fraud.holdback_scale import exposure


def rates(name, signal, curve):
    """Return first signals a card and day of released cards, old and new."""
    first = (played_out[one][signal] for one in ("the old model again", name))
    known = float(exposure(curve, 42)[-1])
    gave = [(~held_cards[one.index]).sum() for one in first]
    return Rates(*(n / (~held_cards).sum() / known for n in gave)).times(
        PREVALENCE / hold_world.prevalence
    )


# %%
hold_curve = played_out["the old model again"]["late"]
scaled = [
    {
        "release": name,
        "signal": signal,
        "rise": (pair := rates(name, signal, late)).new / pair.old - 1,
        **{
            f"days at {s:.0%}": expected_day(pair, s, 1e7, late)
            for s in (0.01, 0.05)
        },
    }
    for name in list(releases)[1:]
    for signal, late in (("denials", None), ("reports", hold_curve))
]
scaled = pd.DataFrame(scaled).set_index(["release", "signal"])
scaled.round(2)

# %% [markdown]
# How often does it show in a small bank, and what is it worth in a large one? Over drawn banks of three thousand cards, each with one of
# five faults:

# %%
kept = studies.load("05_holdback")
pd.DataFrame(
    {
        f"{size}% held": [
            f"{kept.frame[f'days_{name}_{size}'].notna().sum()} of {kept.n}"
            for name in signals
        ]
        for size in (1, 5, 50)
    },
    index=[f"{name} show it" for name in signals],
)

# %%
worse = kept.frame[kept.frame["z_frauds"] > 2]  # more frauds, beyond luck
money = pd.DataFrame(
    {
        "a holdback of 1% costs": kept.frame["cost_1"],
        "a holdback of 5% costs": kept.frame["cost_5"],
        "a fault costs, all banks": kept.frame["harm"],
        "a fault costs, where frauds rose": worse["harm"],
    }
)
money.agg(["mean", "sem", "count"]).T.round(-2).assign(count=money.count())

# %%
by_days = {"1%": worse["bank_frauds_1"], "5%": worse["bank_frauds_5"]}
pd.DataFrame(by_days).describe().loc[["count", "min", "50%", "max"]]

# %% tags=["remove-cell"]
worst = scaled.loc["risk store down"]
false = kept.frame[[f"false_{name}_{s}" for name in signals for s in (1, 5, 50)]]
assert (
    seen.loc["risk store down", "lost, dollars"]
    > 1.2 * seen.loc["the old model again", "lost, dollars"]
)
assert (
    scale != "small"
    or worst.loc["denials", "days at 1%"] < worst.loc["reports", "days at 1%"]
)
broken_days = seen.loc["risk store down", ["day, denials", "day, reports"]]
assert scale != "small" or broken_days.isna().all()
assert scale != "small" or seen.loc["risk store down", "day, alerts"] > 0
assert not kept.frame["shows_1"].any() and not kept.frame["shows_5"].any()
assert (
    seen.loc[
        "the old model again", ["day, alerts", "day, denials", "day, reports"]
    ]
    .isna()
    .all()
)
dearer = money.mean()
assert dearer.iloc[0] > 2 * money.iloc[:, 0].sem()
half = student_t.ppf(0.975, len(worse) - 1)
six_weeks = 42 * dearer.iloc[0]
assert abs(dearer.iloc[2]) < 2 * money.iloc[:, 2].sem()
assert not kept.null_frame["shows_50"].any()
numbers(
    hb_days_1=count(worst.loc["reports", "days at 1%"]),
    hb_denials_1=count(worst.loc["denials", "days at 1%"]),
    hb_broken_alerts=f"{kept.frame['days_alerts_50'].notna().sum()} of {kept.n}",
    hb_sound_alerts=f"{kept.frame['sound_alerts_50'].notna().sum()} of {kept.n}",
    hb_cards=count(hold_cards),
    hb_held=count(held_cards.sum()),
    hb_reports=count(seen.loc["risk store down", "held, reports"]),
    hb_shows=held(kept, "shows_5"),
    hb_shows_half=held(kept, "shows_50"),
    hb_false=percent(float(false.to_numpy().max()), 1),
    hb_worse=f"{len(worse)} of {kept.n}",
    hb_fewer=f"{(worse['rise_denials'] < 0).sum()} of {len(worse)}",
    hb_better=f"{(kept.frame['z_frauds'] < -2).sum()} of {kept.n}",
    hb_cost_1=dollars(round(dearer.iloc[0], -2)),
    hb_cost_5=dollars(round(dearer.iloc[1], -2)),
    hb_six=f"${six_weeks / 1e6:.1f} million",
    hb_harm=f"${dearer.iloc[3] / 1e6:.1f} million",
    hb_harm_error=f"${half * money.iloc[:, 3].sem() / 1e6:.1f} million",
    hb_harm_all=f"${dearer.iloc[2] / 1e6:.1f} million",
    hb_harm_all_error=f"${1.96 * money.iloc[:, 2].sem() / 1e6:.1f} million",
    hb_bank_all=f"{kept.frame['bank_frauds_1'].median():g}",
    hb_bank_never=str(kept.frame["bank_frauds_1"].isna().sum()),
    hb_bank_1=f"{worse['bank_frauds_1'].median():g}",
    hb_bank_1_most=f"{worse['bank_frauds_1'].max():.0f}",
    hb_bank_5=f"{worse['bank_frauds_5'].median():g}",
    hb_fall=percent(-worst.loc["denials", "rise"]),
    hb_lost=percent(
        seen.loc["risk store down", "lost, dollars"]
        / seen.loc["the old model again", "lost, dollars"]
        - 1
    ),
)

# %% [markdown]
# The lost risk store raises losses by {glue:text}`hb_lost` in our bank, and {glue:text}`hb_held` held cards with
# {glue:text}`hb_reports` reports do not show it in six weeks; denials fall by {glue:text}`hb_fall` and do not show it either; only
# alerts do, which ring for sound releases as well. In
# drawn banks with 5% held, reports or frauds a card show a fault in {glue:text}`hb_shows`, and with half of the cards held in
# {glue:text}`hb_shows_half`. Part of that is the faults: frauds rose by more than two standard errors in {glue:text}`hb_worse`
# banks, and in {glue:text}`hb_better` they fell, because a model that is served rubbish may also ask more. False alarms keep their
# word, at most {glue:text}`hb_false` of drawn holdbacks in any bank.
#
# At the prompt's bank it turns round. A holdback costs what the old model is worse than a sound new one: {glue:text}`hb_cost_1` a
# day at 1%, {glue:text}`hb_cost_5` at 5%, {glue:text}`hb_six` for six weeks of 1%. Where frauds rose, the fault shows in
# {glue:text}`hb_bank_1` days at 1% in the median, {glue:text}`hb_bank_1_most` at most, and in {glue:text}`hb_bank_5` at 5%. (These are the banks whose rise was measured largest, so count
# on more days: over all faults the median is {glue:text}`hb_bank_all`, and {glue:text}`hb_bank_never` never show within a year.) What such a
# fault costs we cannot tell you to a dollar: {glue:text}`hb_harm` a day, plus or minus {glue:text}`hb_harm_error`, in the banks whose frauds
# rose, which flatters it, and {glue:text}`hb_harm_all`, plus or minus {glue:text}`hb_harm_all_error`, over all faults. In three thousand
# cards a few dear frauds decide the sum. So argue with the premium and the days: an insurance at that price a day, against finding it
# a month later from the trend. All of it is rates from small banks put through a formula, not a large bank played: on these numbers a
# holdback of 1% is an insurance, and no proven gain.
#
# If you are small, do not wait for frauds at all. A fault at serving is visible in what was served, before anybody is robbed:
# compute the features of some payments again from the log, by the same definition ([one runs in both
# places](ch5-features)), and hold them against those that the model got.

# %%
for_fault = np.random.default_rng(seed)
differ = {
    name: (fault.serve(logged, for_fault) != logged).any(axis=1).mean()
    for name, fault in faults.items()
}
pd.Series(differ, name="share of payments that differ").round(2).to_frame()

# %% tags=["remove-cell"]
assert min(differ.values()) > 0.05
least = min(differ.values())
numbers(
    hb_differ=percent(least),
    hb_payments=count(np.ceil(np.log(0.001) / np.log(1 - least))),
)

# %% [markdown]
# The least visible of the five faults changes {glue:text}`hb_differ` of the payments: {glue:text}`hb_payments` of them compared
# find it with a chance of 999 in a thousand. The holdback is then for what such a comparison cannot see, a model that is worse though nothing is
# broken.
#
# (ch5-selective)=
# ## What a bank forgets about what it blocks
#
# **A model that learns only from what passed forgets what it blocked, in {glue:text}`se_forgets` banks. The usual mend, to let
# a small random share through, pays in {glue:text}`se_explore_pays`; to keep the old labels costs a longer table and pays in {glue:text}`se_kept_pays`.**
#
# A blocked payment is never reported, so next month's training data holds it as nothing at all, and the pattern that was
# caught best is the one that is forgotten first. Here a bank allows everything for a month, then blocks by its model for
# three, and fits anew each month to what it let pass. Its rivals are scored on the same log: *told* knows the truth about the blocked; *kept* learns from all its past and not
# the last month only.

# %%
from casebook.fraud.selective import Exploration, arms, run_arms
from casebook.fraud.selective_rounds import audit_blocks, by_round

explore = Exploration(share=0.1, event_cap=500.0, daily_budget=500.0)
compared = {
    name: arm
    for name, arm in arms(explore).items()
    if name in ("none", "unweighted")
}
played = run_arms(World(prevalence=0.006), compared, seed, 2_000, 120)
rounds = {name: by_round(one) for name, one in played.items()}
shown = ["attempts", "ap_seen", "ap_told", "ap_kept", "passed_ap"]
rounds["none"].set_index("first_day")[shown].round(2)

# %%
truth_blocked, audited = audit_blocks(played["unweighted"])
bought = rounds["unweighted"][
    ["explored", "explored_frauds", "explored_loss", "explored_spared"]
].sum()
bought.round(0).to_frame("with exploration").T

# %% [markdown]
# `passed_ap` is what the bank itself can measure: over what passed, its model looks worse than it is, with the frauds that it
# caught gone from the data. That held in {glue:text}`se_worse` drawn banks. In this bank exploration also answers a question that nothing else can: which share of the blocks
# were frauds? From {glue:text}`se_explored` payments let through the estimate is {glue:text}`se_audit`, weighted by one over the chance; the truth is
# {glue:text}`se_truth`. It takes that many: over drawn banks the 95% interval held the truth in {glue:text}`se_cover` of those that
# explored anything, because a handful of rows cannot say how unsure they are. With twenty or more
# ({glue:text}`se_many` banks) the estimate was off by {glue:text}`se_many_off` on average.
#
# Does it pay? Over drawn banks, of the cost of the bank that does nothing about it:

# %%
blind = studies.load("05_selective")
ways = {
    "kept": "keep all old labels",
    "unweighted": "explore",
    "weighted": "explore and weight",
    "told": "be told the truth",
}
saved = pd.DataFrame(
    {
        name: blind.frame[f"saved_{name}"] / blind.frame["cost_none"]
        for name in ways
    }
)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Dots of drawn banks by what is saved: keeping all old labels and being told the truth save in most banks, exploring loses a little in most."}}
figures_deeper.world_dots(
    saved,
    ways,
    f"Old labels save {saved['kept'].mean():.0%}, exploring {saved['unweighted'].mean():+.0%}",
    "a dot a drawn bank, the bar their mean",
    "share of the cost saved",
)

# %% tags=["remove-cell"]
error_kept = saved["kept"].sem()
assert saved["kept"].mean() > 2 * error_kept and saved["unweighted"].mean() < 0
forgetting = blind.frame["ap_told"] - blind.frame["ap_seen"]
some = blind.frame[blind.frame["explored"] > 0]
gap = (some["block_precision_estimate"] - some["block_precision"]).abs()
covered = gap < 1.96 * some["block_precision_error"]
many = gap[some["explored"] >= 20]
price = blind.frame["price"] / blind.frame["cost_none"]
assert covered.mean() < 0.9 and price.mean() > 0
back = saved["unweighted"] + price
assert back.mean() < price.mean()
numbers(
    se_forgets=held(blind, "forgets"),
    se_still=held(blind, "forgets", null=True),
    se_lost_ap=f"{forgetting.mean():.2f}",
    se_explore_pays=held(blind, "exploration_pays"),
    se_weighted_pays=held(blind, "weighted_pays"),
    se_weights_help=held(blind, "weights_help"),
    se_kept_ap=f"{(blind.frame['ap_kept'] - blind.frame['ap_seen']).mean():.2f}",
    se_kept_ap_null="{:.2f}".format(
        (blind.null_frame["ap_kept"] - blind.null_frame["ap_seen"]).mean()
    ),
    se_kept_pays=held(blind, "keeping_pays"),
    se_kept_saved=percent(saved["kept"].mean()),
    se_explore_saved=f"{saved['unweighted'].mean():+.1%}",
    se_told_saved=percent(saved["told"].mean()),
    se_worse=held(blind, "looks_worse"),
    se_cover=f"{covered.sum()} of {len(some)}",
    se_many=count(len(many)),
    se_many_off=f"{many.mean():.2f}",
    se_back=f"{back.mean():.1%} (standard error {back.sem():.1%})",
    se_none=f"{(blind.frame['explored'] == 0).sum()} of {blind.n}",
    se_price=percent(price.mean(), 1),
    se_explored=count(bought["explored"]),
    se_audit=f"{audited.value:.2f} (standard error {audited.standard_error:.2f})",
    se_truth=f"{truth_blocked:.2f}",
)

# %% [markdown]
# Forgetting costs {glue:text}`se_lost_ap` of average precision on average, and where nothing is blocked it happens in
# {glue:text}`se_still`. Being told would save {glue:text}`se_told_saved` of the cost. Keeping all old labels saves
# {glue:text}`se_kept_saved`, nearly as much. But not all of that is memory: it adds {glue:text}`se_kept_ap` to the average precision,
# and {glue:text}`se_kept_ap_null` where nothing is blocked, because more rows are more rows. What exploration lets through costs
# {glue:text}`se_price` on average, what its labels bring back is {glue:text}`se_back`, and all told it comes to {glue:text}`se_explore_saved`.
# Weighting them helps the model in {glue:text}`se_weights_help` and the purse in {glue:text}`se_weighted_pays`. Under its loss cap
# {glue:text}`se_none` banks explored nothing at all. So explore to *audit* your blocks, and size it for that; to learn, keep what
# you knew. What we have not played and might turn this: a bank that never had a month without blocks, so that it has no old
# labels to keep; fraudsters whose tactics of three months ago mislead; and millions of blocks in place of dozens.
#
# (ch5-push-label)=
# ## The push as a label of the same minute
#
# **A denied push is a fraud known at once, of a payment that would never have had a label. With these answers as labels
# the model is better in {glue:text}`pl_helps` banks and cheaper in {glue:text}`pl_pays`. To trust a confirmation against a later
# report gains nothing: it hurts in {glue:text}`pl_trusting`, by {glue:text}`pl_trust_loss` on average.**

# %%
from casebook.fraud.push_labels import answer_quality, precisions, run_push
from casebook.fraud.relearn import allow_until

begun = allow_until(World(prevalence=0.006), 2_000, 80, seed, day=30)
rivals = ("answers", "trusting", "prompt", "truth")
asked = run_push(begun, "reports", rivals=rivals)
quality = answer_quality(asked)
quality.round(2)

# %%
pd.Series(precisions(asked), name="average precision").to_frame().T.round(3)

# %% [markdown]
# *reports* learns from reports alone, *answers* from denials as well, *trusting* believes confirmations too. *prompt* is an
# oracle with complete reports and no delay, *truth* one that knows all. In this bank {glue:text}`pl_deny` of the denials were frauds
# (the rest slips and doubts) and {glue:text}`pl_confirm` of the confirmations: people who were talked into it, and phones in the
# wrong hands.

# %% tags=["remove-cell"]
answers = studies.load("05_push_labels")
gained = answers.frame["ap_answers"] - answers.frame["ap_reports"]
trust_loss = answers.frame["ap_answers"] - answers.frame["ap_trusting"]
share_saved = answers.frame["saved"] / answers.frame["cost_reports"]
assert trust_loss.mean() > 0
assert (answers.frame["ap_prompt"] > answers.frame["ap_answers"]).mean() > 0.5
assert gained.mean() > 2 * gained.sem() and share_saved.mean() > 0
slip = answers.frame["push_slip"]
careful, clumsy = gained[slip < 0.01], gained[slip >= 0.01]
assert np.corrcoef(slip, gained)[0, 1] < -0.4
worst_two = slip[answers.frame["answers_hurt"]]
assert (worst_two > 0.01).all()
numbers(
    pl_helps=held(answers, "answers_help"),
    pl_helps_null=held(answers, "answers_help", null=True),
    pl_pays=held(answers, "answers_pay"),
    pl_trusting=held(answers, "trusting_hurts"),
    pl_trust_loss=f"{trust_loss.mean():.3f}",
    pl_prompt=held(answers, "answers_beat_prompt"),
    pl_gain=f"{gained.mean():.2f}",
    pl_careful=f"{careful.mean():.2f}",
    pl_clumsy=f"{clumsy.mean():.2f}",
    pl_hurts=held(answers, "answers_hurt"),
    pl_saved=percent(share_saved.mean()),
    pl_deny=percent(quality.loc["deny", "fraud_share"]),
    pl_confirm=percent(quality.loc["confirm", "fraud_share"], 1),
    pl_denied=percent(answers.frame["denied_frauds"].min()),
)

# %% [markdown]
# Over drawn banks denials add {glue:text}`pl_gain` to the average precision and save {glue:text}`pl_saved` of the cost. The oracle with
# prompt and complete reports is better in most banks; the answers beat it in {glue:text}`pl_prompt`, which speed alone could not do: they
# also tell of what never passed. That is the selective label of the section before, given back for the price of a question. Where nobody is asked they change nothing
# ({glue:text}`pl_helps_null`). What spoils them is the thumb: with fewer than one honest push in a hundred denied by mistake they add
# {glue:text}`pl_careful`, with one to two {glue:text}`pl_clumsy`, and the {glue:text}`pl_hurts` banks in which they hurt are of these. In the
# worst bank {glue:text}`pl_denied` of the denials were frauds: call back a hundred people who denied before you train on them.
#
# (ch5-runbook)=
# ## The page that the person on call opens
#
# :::{admonition} Runbook: fraud model in service
# :class: memo
# | alarm | read | do | if you cannot |
# | --- | --- | --- | --- |
# | answers carry `fallback` | the log's last version, state and model file | restore the file, replay the log into the state | the rules decide; do nothing in haste |
# | reported over promised, mended for age, above the weeks before | it rings in quiet weeks too: ask the [two questions](ch5-novel) | nothing, unless one of them says yes | wait a week for reports, and read the same week again |
# | missed frauds where none lay | their cell: entry, category, country | a rule for it today, its cases to review; refit in two weeks, when reports are in | push the whole cell |
# | honest payments moved | which column, and whether a release or a holiday explains it | refit on recent weeks, set the cuts anew | keep the model: often its recall has not fallen |
# | a release went out | served features against the log in the first hour; fewer denials in the first days; reports last | back to the old model, which the holdback kept warm | the rules |
#
# **Never**: read a week of which less than a quarter is known; throw away labels from before
# you blocked; call a count of alerts a count of frauds.
# :::
#
# **What changed our mind.** We expected to show how much daily refits and exploration buy. Neither does, here; the answer to a
# push does.
#
# **What would change it back.** A bank with a hundred times the cards, in which a gain of one percent can be seen; new kinds of
# fraud every month, so that a refit on each is a refit by the clock.
#
# **What this did not solve.** Whether a refit mends decay was not played. The delays are ours. A holdback treats the held holders worse once you know that the release is
# better: end it on a date.
#
# :::{admonition} Say it
# :class: say-it
# "Labels are late, so I read each week by its age. When misses rise I ask two questions before I refit. I use denied pushes as
# labels the same day, keep the old ones, let a few blocks through to audit them, and hold back 1% only because ten million
# cards make that enough."
# :::
