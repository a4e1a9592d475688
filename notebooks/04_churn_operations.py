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
# business-ml-casebook[sql]

# %% [markdown]
# # 4. Predicting subscription churn: in operation
#
# **A list that is right today is half of the work. Here it is written every night, refused on a bad one, watched for a year,
# and worked until it fails, and each failure is mended in the cell after it.** The company, its subscribers and the dates are those of
# [the chapter](04_churn); this page needs nothing else from it.

# %% tags=["parameters"]
seed = 4
scale = "small"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from casebook import studies, style
from casebook.churn import features
from casebook.churn.evaluate import worth
from casebook.churn.simulate import simulate
from casebook.churn.world import World
from casebook.page import count, dollars, numbers, percent, probability
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
today = features.build(warehouse, "2026-01-01")

# %% [markdown]
# (ch4-operations)=
# ## Deployment & monitoring
#
# **The list is written once a night or not at all, and no alarm on features tells you whether it is still right. Over
# drawn companies no {term}`PSI` passed 0.1 where a rival had moved the model's promise by a tenth. What tells you is
# the promise held against what came, in a {term}`hold-out` that nobody calls.**
#
# :::{admonition} Step 8 of the interview's nine: deployment and monitoring
# :class: step
# In the interview: three minutes. Who reads the output, what happens on a night on which it is missing, which alarm is
# tied to money, when you retrain.
# :::
#
# (ch4-job)=
# ### The nightly job
#
# At eight in the morning twenty people open a list. The tempting deployment is the notebook on a schedule. Its price
# comes on the first bad night: half of a load is scored as if it were all of it, a crash leaves half a file, and a
# second run calls people twice. The job below promises four things. It refuses what it cannot score. It writes its
# output whole or not at all. It can be started again at any time. And it never looks past its date.
#
# ```bash
# python -m casebook.churn score --date 2026-01-01 --warehouse warehouse.duckdb --folder lists
# ```

# %%
import tempfile
from pathlib import Path

from casebook.churn.warehouse_file import save_warehouse

job_place = tempfile.TemporaryDirectory()
job, lists_folder = Path(job_place.name), Path(job_place.name) / "lists"
load = save_warehouse(company.tables, job / "warehouse.duckdb")

# %% tags=["hide-input"]
import contextlib
import sys

from casebook.churn.__main__ import main


def command(words, warehouse_file=load):
    """Run the command in this process; a refusal's sentence is shown too."""
    where = ["--warehouse", str(warehouse_file), "--folder", str(lists_folder)]
    with contextlib.redirect_stderr(sys.stdout):
        status = main([*words.split(), *where])
    print("exit status", status)


# %%
command("score --date 2026-01-01")
command("score --date 2026-01-01")
sorted(path.name for path in (lists_folder / "2026-01-01").iterdir())

# %% [markdown]
# The first run held every row against the tables' contract, computed the features in the warehouse's SQL, fitted a
# model on the last three months whose 30 days were over, scored everybody, and published a folder by one rename. The
# second found the same inputs and changed nothing. In production the fit is a job of its own: `train` once a month and
# `score --models` every night; the model is a JSON file with its trees as text, and its digest is one of the list's
# inputs. Change the load, the code or a setting, and the job refuses to overwrite a finished night unless you pass
# `--replace`.

# %%
import json

night = lists_folder / "2026-01-01"
report = json.loads((night / "report.json").read_text())
pd.Series(report, name="report.json").drop("excluded").to_frame()

# %% [markdown]
# What is a day that must be refused? One that is not loaded yet, and one of which half is there.

# %%
import shutil

import duckdb

half = shutil.copy(load, job / "half.duckdb")
with duckdb.connect(half) as broken:
    broken.execute(
        "DELETE FROM usage_weekly WHERE week = '2025-12-22' AND logins > 9"
    )
command("score --date 2026-01-08")
command("score --date 2026-01-01 --replace", half)

# %% [markdown]
# The half-loaded week would have passed every type check, and the heaviest users would have looked as if they had
# stopped. A missing column, a missing label, a customer twice, a date in the future, a call for somebody who had left,
# an empty table and a wrong type get a sentence each in the same way, exit status 2, and no file but a line in the
# audit. The tests compare these sentences word by word.
#
# Now kill it. The model is that of the first run, and the process dies as it writes the list.

# %%
from datetime import date
from unittest import mock

from casebook.churn.operate import list_for, score_job

new_year, again = date(2026, 1, 1), job / "again"
dies = mock.patch(
    "casebook.churn.operate.with_reasons", side_effect=KeyboardInterrupt
)
with contextlib.suppress(KeyboardInterrupt), dies:
    score_job(load, again, new_year, models=lists_folder)
resumed = score_job(load, again, new_year, models=lists_folder)
{"kept": resumed.reused, "run": resumed.ran}

# %% tags=["remove-cell"]
assert resumed.reused == ("features", "model", "scores")
for name in ("calls.csv", "holdout.csv", "scores.parquet", "model.json"):
    assert (resumed.path / name).read_bytes() == (night / name).read_bytes(), name
tomorrow_list, fallback = list_for(lists_folder, date(2026, 1, 2))
assert fallback.is_fallback and len(tomorrow_list) == report["listed"]

# %% [markdown]
# Three steps were kept, three were run, and the list has the same bytes. The tests kill the job before every change of
# the disk and ask for the same. If tonight's run is refused, the team works yesterday's list, which says so at its top:
# "{glue:text}`ops_fallback`" After three days it is refused too: by then its people have been called, or have left. A
# file `STOP` in the folder, with the reason in it, stops the next run.
#
# (ch4-reasons)=
# ### The list that the team reads
#
# Version one ranks by dollars a month at risk: the chance of leaving times the price. Price stands in for value here, since the
# months to come need a second model ([the money table](ch4-money)). Each name comes with the three
# features that raise its score most.

# %%
calls = pd.read_csv(night / "calls.csv")
formats = {"p": "{:.2f}", "at_risk": "${:,.0f}"}
written = {name: calls[name].map(form.format) for name, form in formats.items()}
calls.assign(**written).head(6).set_index("subscriber_id")

# %%
scored = pd.read_parquet(night / "scores.parquet")
why_not = scored["excluded"].replace("", "may be called").value_counts()
why_not["held out, of those"] = (
    scored["held_out"] & (scored["excluded"] == "")
).sum()
why_not.rename("subscribers").to_frame()

# %% tags=["remove-cell"]
from casebook.churn.call_list import CALLED

rows_of = pd.Series(range(len(truth.p)), index=company.truth.subscriber_id)
allowed = scored[(scored["place"] > 0) & ~scored["held_out"]].nsmallest(
    capacity, "place"
)
month_gain = truth.gain[rows_of[allowed["subscriber_id"]]].sum()
best_gain = np.sort(truth.gain)[::-1][:capacity].sum()
assert CALLED not in why_not.index
assert 0 < month_gain < 0.6 * best_gain
assert (
    calls["subscriber_id"].tolist()
    == allowed["subscriber_id"].head(len(calls)).tolist()
)

# %% tags=["remove-cell"]
control = pd.read_csv(night / "holdout.csv")
assert not set(calls["account_id"]) & set(control["account_id"])
numbers(
    ops_scored=count(report["scored"]),
    ops_listed=count(report["listed"]),
    ops_held=count(report["held_out"]),
    ops_fallback=fallback.note,
    ops_month=count(capacity),
    ops_captured=percent(month_gain / best_gain),
)

# %% [markdown]
# {glue:text}`ops_listed` names a day is ten calls for each of twenty people, scaled to our {glue:text}`ops_scored`
# subscribers. Four kinds are passed over. Who has unsubscribed is never called. Nor is who complained in the last half
# year, who was called in the last 90 days (nobody, tonight: the pilot's last calls are 91 days old), or whose card is
# failing, since [retries](ch4-dunning) come first. One company in ten is held out by a hash of its id, so that it stays in the same arm on any day and any machine.
# {glue:text}`ops_held` of its people would have been on today's list, and they are written down: that file is what the
# list's worth will be measured with.
#
# Reasons say why the *score* is high. They do not say why somebody leaves, nor what a call would change: "days to the
# next bill" is a date, not a complaint. And the score is version one's. By the truth, the first {glue:text}`ops_month`
# names, a month of calls, earn {glue:text}`ops_captured` of what the best {glue:text}`ops_month` would. Version two
# replaces one column, the score, and nothing else of the job.
#
# :::{admonition} They push back: "Why nightly? Let the CRM ask the model when a rep opens an account."
# :class: they-push-back dropdown
# Nothing here changes within a day: usage is loaded weekly, bills are monthly, and a call is made tomorrow. A list also
# has to be cut at a capacity, and a score per request cannot be. A service would add an on-call rota to a list that
# changes once a week.
# :::
#
# (ch4-drift)=
# ### Drift: what the weekly alarm sees, and what it cries
#
# The source says: monitor feature distributions weekly. So take weekly logins and their PSI through a whole year of our
# company, whose law of leaving is the same in every week. There are two usual lines. By custom 0.1 is a warning. And
# there is what chance alone exceeds once in twenty readings, which depends on how many subscribers you have.

# %%
from casebook.churn import figures_watch, watch

year_psi = watch.weekly_psi(warehouse, "2024-12-23", weeks=53)
year_psi.nlargest(3, "psi").round({"mean": 1, "psi": 4, "threshold": 4})

# %% tags=["remove-input"] mystnb={"image": {"alt": "Line chart of the PSI of weekly logins over a year on a log scale; it lies near the line of chance in spring, above it in autumn, and above the customary warning only at Christmas."}}
figures_watch.psi_year(year_psi)

# %% tags=["remove-cell"]
christmas = year_psi["week"].dt.strftime("%m-%d").isin(["12-23", "12-22"])
assert (year_psi.loc[christmas, "psi"] > 0.1).all() and christmas.sum() == 2
assert (year_psi.loc[~christmas, "psi"] < 0.05).all()
assert 0.25 < year_psi["alarm"].mean() < 0.95
numbers(
    ops_weeks=count(len(year_psi)),
    ops_chance_weeks=count(year_psi["alarm"].sum()),
    ops_christmas=f"{year_psi.loc[christmas, 'psi'].min():.2f}",
)

# %% [markdown]
# The strict line rings in {glue:text}`ops_chance_weeks` of {glue:text}`ops_weeks` weeks: for a slow growth of use, for
# the summer, for anything. The line at 0.1 rings twice, at {glue:text}`ops_christmas` or more, and both times it is
# Christmas. Nobody's reason to leave has changed in any of these weeks. Then the night of 1 January, with all features
# against the months that the model learnt from:

# %%
from casebook.monitoring import psi_table

columns = list(features.COLUMNS)
drift = psi_table(train[columns], today[columns], alpha=0.05 / len(columns))
drift.nlargest(5, "psi")[["column", "psi", "threshold", "alarm"]].round(3)

# %% [markdown]
# {glue:text}`ops_drift_alarms` of {glue:text}`ops_columns` features ring. Nobody has been called since the pilot ended,
# so the two contact features fell to zero. Logins fell at Christmas. Neither says anything about customers. And the
# first line, by far the largest, is a defect of our own, which no AUC of the [models](ch4-model) had shown. Look at the
# smallest value that each cohort can have:

# %%
by_cohort = pd.concat([train, today.assign(asof=pd.Timestamp("2026-01-01"))])
least = by_cohort.groupby("asof")["days_since_last_login"].min().to_frame("least")
least.insert(0, "weekday", least.index.day_name())
least

# %% tags=["remove-cell"]
top_drift = drift.set_index("column")["psi"]
assert top_drift.idxmax() == "days_since_last_login" and top_drift.max() > 1
assert {"calls_90d", "reached_90d", "logins_7d"} <= set(
    drift.nlargest(6, "psi")["column"]
)
assert (least["least"] == least.index.day_of_week + 1).all()
numbers(
    ops_weekday_psi=f"{top_drift.max():.1f}",
    ops_drift_alarms=count(drift["alarm"].sum()),
    ops_columns=count(len(columns)),
)

# %% [markdown]
# Usage is known by whole weeks. So "days since the last login" counts mostly from the last Sunday, and measures on
# which weekday the job ran. Its PSI of {glue:text}`ops_weekday_psi` is a bug report. Count it in weeks, or train on
# cohorts of all weekdays. That is what PSI is good for: a pipeline that broke, a feature that changed its meaning, a
# season that training has not seen. It reads inputs, so inputs are what it can vouch for.
#
# How soon does it see a real fall? Let a share of all logins vanish in mid-week, and read 2,000 subscribers every week
# for half a year. Beside PSI stands a CUSUM {cite}`page1954` of the mean of log logins, which adds up small deviations.
# Its limit is set so that with nothing lost it rings as rarely as PSI at the strict line, about once a year: compare the
# row at 0.

# %%
from casebook.churn.changed import Change, draw_changed

quiet_day = draw_changed(company.world, Change(), -1, 20_000, rng).features
losses = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
seen = watch.detection(quiet_day, losses, rows=2_000, rng=rng)
seen.pivot(index="lost", columns="alarm", values=["found", "days"]).round(2)

# %% tags=["remove-cell"]
found_by = seen.pivot(index="lost", columns="alarm", values="found")
days_by = seen.pivot(index="lost", columns="alarm", values="days")
assert found_by.loc[:0.1, "PSI > 0.1"].max() == 0
assert found_by.loc[0.2, "PSI > 0.1"] < 0.2 < found_by.loc[0.3, "PSI > 0.1"]
assert found_by.loc[0.05:, "CUSUM"].min() == 1
assert found_by.loc[0.02, "CUSUM"] > found_by.loc[0.02, "PSI > chance"] + 0.1
assert abs(found_by.loc[0, "CUSUM"] - found_by.loc[0, "PSI > chance"]) < 0.45
numbers(
    ops_cusum_five=count(days_by.loc[0.05, "CUSUM"]),
    ops_cusum_two=percent(found_by.loc[0.02, "CUSUM"]),
    ops_psi_two=percent(found_by.loc[0.02, "PSI > chance"]),
    ops_psi_none=percent(found_by.loc[0, "PSI > chance"]),
)

# %% [markdown]
# A fall by a tenth never reaches 0.1, and one by a fifth hardly ever. A fall by 2% rings the CUSUM in
# {glue:text}`ops_cusum_two` of runs, and PSI at the strict line in {glue:text}`ops_psi_two`, where nothing at all rings
# it in {glue:text}`ops_psi_none`. A fall by 5% is found by the CUSUM within {glue:text}`ops_cusum_five` days (median). PSI
# spends its power on every shape that a distribution could take, and a fall of use is a fall of a mean. So watch the means
# of the few features that carry the score by CUSUM, season taken out, and keep PSI for what broke.
#
# (ch4-retraining)=
# ### Retraining: monthly or never
#
# "Retrain monthly" has a price: every new model is new luck. It pays if the law changes. So let it change. In month 4 a
# rival goes after the dearest plan: its subscribers' odds of cancelling rise by a factor of {glue:text}`ops_rival_odds`, and no feature moves.
# One model was fitted before the year and stays. The other is fitted every month on the last month whose labels are in.

# %%
rival = watch.retraining_year(
    company.world, Change(rival=1.5), at=4, n=6_000, rng=rng
)
columns_shown = [
    "psi",
    "column",
    "never_promised",
    "monthly_promised",
    "never_found",
    "monthly_found",
]
rival.iloc[2:8].set_index("month")[columns_shown].round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Two line charts over twelve months: after a dotted line in month four the old model's promise falls and stays low, that of the monthly model comes back a month later; its list also finds more leavers."}}
figures_watch.retraining_lines(rival, 4)

# %% tags=["remove-cell"]
after_rival = rival[rival["month"] > 4].mean(numeric_only=True)
turn = rival.set_index("month").loc[4, "monthly_promised"]
better = after_rival["monthly_found"] - after_rival["never_found"]
old, new = after_rival[["never_promised", "monthly_promised"]]
assert rival["psi"].max() < 0.1
assert old < 0.95 and new > old and better > 0
numbers(
    ops_rival_psi=f"{rival['psi'].max():.3f}",
    ops_rival_odds=f"{np.exp(1.5):.1f}",
    ops_never_promised=percent(old),
    ops_monthly_promised=percent(new),
    ops_turn_promised=percent(turn),
    ops_found_gain=f"{100 * better:.0f}",
)

# %% tags=["remove-cell"]
watching = studies.load("04_watch")
drawn, still = watching.frame, watching.null_frame
hurt, seen_usage = drawn[drawn["rival_hurts"]], drawn[drawn["psi_sees"]]
assert hurt["psi_misses"].all() and hurt["rival_psi"].max() <= 0.1
assert not still[["psi_sees", "psi_misses", "retraining_pays"]].any().any()
assert share_holding(drawn["retraining_pays"]).low > 0.5
assert (
    len(seen_usage) > 0.5 * len(drawn) and seen_usage["usage_pays"].mean() < 0.5
)
alarm_weeks = drawn[["psi_alarm_weeks", "psi_alarm_weeks_all"]].mean()
assert alarm_weeks.iloc[0] > 0.4 and alarm_weeks.iloc[1] < 0.1

# %% tags=["remove-cell"]
numbers(
    ops_worlds=count(len(drawn)),
    ops_hurt=count(len(hurt)),
    ops_chance_misses=percent(hurt["chance_misses"].mean()),
    ops_pays=percent(drawn["retraining_pays"].mean()),
    ops_usage_sees=percent(drawn["psi_sees"].mean()),
    ops_usage_pays=percent(seen_usage["usage_pays"].mean()),
    ops_usage_promise=percent(seen_usage["usage_promise"].median() - 1),
    ops_quiet_pays=percent(drawn["quiet_pays"].mean()),
    ops_quiet_hurts=percent(drawn["retraining_hurts"].mean()),
    ops_wolf=percent(alarm_weeks.iloc[0]),
    ops_wolf_all=percent(alarm_weeks.iloc[1]),
)

# %% [markdown]
# The old model promises {glue:text}`ops_never_promised` of the leavers that come; the retrained one
# {glue:text}`ops_monthly_promised`, and its list holds {glue:text}`ops_found_gain` points more of what the best list
# would. Not in the month of the change, though: labels are 30 days late, and there it promises
# {glue:text}`ops_turn_promised`. The largest PSI of the year is {glue:text}`ops_rival_psi`, and late: the price moves
# because the dear plan's subscribers have left.
#
# That is one company. In {glue:text}`ops_worlds` drawn ones, with three changes played apart from each other:
#
# - **A rival** moves the promise by a tenth or more in {glue:text}`ops_hurt`. In none of those does a PSI pass 0.1, and
#   in {glue:text}`ops_chance_misses` of them no feature passes even the strict line. Retraining finds 2% more of the
#   leavers in {glue:text}`ops_pays` of all.
# - **Logins vanish** (a page that loads less, another way to count): a PSI passes 0.1 in {glue:text}`ops_usage_sees`.
#   Where it does, the scores promise {glue:text}`ops_usage_promise` too much (median), but the order of the list is
#   nearly the same, and retraining finds 2% more in only {glue:text}`ops_usage_pays`.
# - **Nothing changes**: with 5% for each of 16 features an alarm rings in {glue:text}`ops_wolf` of weeks, with 5% for
#   all together in {glue:text}`ops_wolf_all`. A retrained model finds 2% more in {glue:text}`ops_quiet_pays` and 2%
#   fewer in {glue:text}`ops_quiet_hurts`, by luck alone.
#
# So the loudest alarm comes with the smallest harm, and the silent change is the one to retrain for. Fit monthly, since
# you cannot see when it is needed. Learn from several months, so that luck weighs less. And let the new model replace
# the old one only if it does no worse on the newest closed month: ours does not publish a fit that cannot rank it.
#
# (ch4-list-precision)=
# ### The precision of a list that is being worked
#
# The source says: track precision of the list against realised churn, 30 days late. Late first. The labels of today's
# list are not in, and they must count as unknown and not as stayers.

# %%
from casebook.churn.models import boosted
from casebook.monitoring import precision_over_time

quick = boosted(seed, n_estimators=60).fit(train[columns][::4], train["y"][::4])
both = pd.concat(
    {"2025-12-01": later, "2026-01-01": today.assign(y=np.nan)}, names=["list"]
)
both["p"] = quick.predict_proba(both[columns])[:, 1]
listed = both.groupby("list")["p"].rank(ascending=False) <= capacity
precision_over_time(listed, both["y"], both.index.get_level_values("list")).round(
    3
)

# %% [markdown]
# In December nobody was called, so that precision is real. From January on the list is worked, and each call that keeps
# somebody turns a hit of the list into a miss. The better the team, the worse the number. Below, one model's list is
# worked for half a year: once all of it is called, as on the dashboard, and once half of the companies are held out.

# %%
from functools import partial

from casebook.churn.changed import fit_risk
from casebook.churn.failures_labels import list_precision
from casebook.churn.snapshot import draw_snapshot

learnt, working = (
    draw_snapshot(company.world, 9_000, rng, months=6) for _ in range(2)
)
half_year = partial(
    list_precision, company.world, working, fit_risk(learnt, rng), calls=360
)
all_called = half_year(rng=np.random.default_rng(seed), share=1.0)
half_called = half_year(rng=np.random.default_rng(seed), share=0.5)
precision = all_called.assign(holdout=half_called["holdout"])
precision[["month", "listed", "naive", "holdout"]].round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Line chart of the precision of a worked list over six months: what the dashboard shows lies below the hold-out in each month."}}
figures_watch.precision_lines(precision)

# %% tags=["remove-cell"]
shown, held = precision["naive"].mean(), precision["holdout"].mean()
assert shown < held
assert (precision["naive"] < precision["holdout"]).mean() > 0.6
numbers(
    ops_dashboard=percent(shown, 1),
    ops_holdout=percent(held, 1),
    ops_effect=f"{100 * (held - shown):.1f}",
)
job_place.cleanup()

# %% [markdown]
# The dashboard says {glue:text}`ops_dashboard`, the hold-out {glue:text}`ops_holdout`. Whoever reads the dashboard
# alone concludes that the model has decayed, and retrains it on labels that the calls have made. The difference of
# {glue:text}`ops_effect` points is not decay. It is what the team did, which is the number that you wanted all along.
# So a hold-out that stays is the price of knowing either one: whether the model is still right, and whether the calls
# still work.
#
# :::{admonition} Say it: what you would watch
# :class: say-it
# "Three things, in the order in which they cost money. Called against held out, every month: do the calls still keep
# people? Promise against outcome in the hold-out, 30 days late: is the score still right? And PSI, nightly, for what
# broke in the pipeline. I would not stop the list for a PSI of 0.2 at Christmas. I would stop it for a half-loaded
# table."
# :::
#
# :::{admonition} The source says: batch nightly, drift weekly, retrain monthly, precision 30 days late
# :class: source-says
# Nightly and monthly hold here. Weekly PSI is a test of the pipeline and missed the change that cost money. Precision
# of a called list measures the calls as well as the model; it needs the hold-out beside it.
# :::

# %% [markdown]
# (ch4-roadmap)=
# ## Iteration roadmap: v3 and v4
#
# The versions, and why the source's labels collide, stand [in the chapter](ch4-versions). Here is what v3 would do.

# %% [markdown]
# (ch4-messages)=
# ### v3: which message
#
# **A discount sent to those at risk goes almost wholly to people who would have paid the full price:
# {glue:text}`fl_discount_share` of what it costs here.** The tempting v3 is a table of rules: who looks at the price
# list gets the discount, who asks how things work gets help. Three messages, and what they do is an assumption of
# ours (`Offers` lists it): help is the usual call; ten percent off for half a year keeps many whom a price pulls and
# few others; an executive's check-in keeps a few of everybody. The list is a month's, from a churn model fitted on
# another day.

# %%
from casebook.churn import models
from casebook.churn.evaluate import call_top, run
from casebook.churn.snapshot import draw_snapshot

before, day, after = (draw_snapshot(World(), n, rng) for _ in range(3))
left = ~run(World(), before.truth, months=1).here(1)
risk_model = models.boosted(seed).fit(before.features, left)
risk_score = risk_model.predict_proba(day.features)[:, 1]
month_calls = round(World().capacity * len(day))
risk_list = call_top(risk_score, month_calls)

# %%
from casebook.churn.messages import (
    Offers,
    by_segment,
    cannibalised,
    read_messages,
    run_messages,
)

offers, rule = Offers(), by_segment(day.features)
trial = run_messages(World(), day.truth, risk_list, rng, offers)
arms = read_messages(trial)
arms.round({"estimate": 3, "low": 3, "high": 3, "p": 2})

# %%
from casebook.churn.messages_rule import rule_value, true_values

given_away = cannibalised(World(), day.truth, risk_list, offers)
by_rule = rule_value(trial, rule, single="help", change=10.0)
in_truth = pd.DataFrame(
    {
        f"{months} months": true_values(
            World(), day.truth, risk_list, rule, offers, months
        )
        for months in (6, 12, 36)
    }
)
in_truth.rename_axis("dollars a listed subscriber").round(1)

# %% tags=["remove-cell"]
half_year, three_years = in_truth["6 months"], in_truth["36 months"]
assert given_away["share"] > 0.85
assert (offers.off, offers.months_off) == (0.10, 6)  # as the prose says
assert half_year["discount"] < half_year["rule"] < half_year["help"]
assert three_years["discount"] < min(three_years["rule"], three_years["help"])
assert three_years["oracle"] > 1.3 * max(three_years["rule"], three_years["help"])
for column in (half_year, three_years):
    best = max(column["rule"], column["help"])
    assert column["rule"] - column["help"] < 0.5 * (column["oracle"] - best)
numbers(
    fl_half_rule=dollars(half_year["rule"], 1),
    fl_half_help=dollars(half_year["help"], 1),
    fl_three_rule=dollars(three_years["rule"], 1),
    fl_three_help=dollars(three_years["help"], 1),
    fl_three_oracle=dollars(three_years["oracle"], 1),
)

# %% tags=["remove-cell"]
shut_out = int(((arms["low"] > 0) | (arms["high"] < 0)).sum())
numbers(
    fl_discount_share=percent(given_away["share"]),
    fl_discount_cost=dollars(given_away["cost"]),
    fl_discount_saves=count(given_away["saves"]),
    fl_message_listed=count(len(trial)),
    fl_message_shut_out=count(shut_out),
    fl_rule_differs=percent(by_rule.differs),
    fl_rule_gain=dollars(by_rule.effect.estimate),
    fl_rule_low=dollars(by_rule.effect.low),
    fl_rule_high=dollars(by_rule.effect.high),
    fl_rule_readable=count(by_rule.readable),
    fl_rule_months=count(np.ceil(by_rule.readable / 4_200)),
)

# %% [markdown]
# The discount costs {glue:text}`fl_discount_cost` on this list and keeps {glue:text}`fl_discount_saves` subscribers
# in its first month; {glue:text}`fl_discount_share` of the cost falls on bills that would have been paid in full.
# That is why a discount belongs to whoever asks to leave, not to whoever a model suspects.
#
# What can a run tell you? {glue:text}`fl_message_listed` subscribers in four arms, companies drawn whole:
# {glue:text}`fl_message_shut_out` of the six intervals shut out zero. The rule gives {glue:text}`fl_rule_differs` of
# the list another message than help, and against help for all it reads {glue:text}`fl_rule_gain` a listed subscriber,
# from {glue:text}`fl_rule_low` to {glue:text}`fl_rule_high`. To see a difference of \$10 you would need
# {glue:text}`fl_rule_readable` listed subscribers, {glue:text}`fl_rule_months` months of the prompt's 4,200 calls.
#
# And the horizon matters as much as the size. The truth after six months, the discount just paid: rule
# {glue:text}`fl_half_rule`, help for all {glue:text}`fl_half_help`. After three years it is
# {glue:text}`fl_three_rule` and {glue:text}`fl_three_help`. The right message for each, or none, would earn
# {glue:text}`fl_three_oracle`: the room is real, and the tables' signals find little of it. So v3 starts as one
# message against none, and a second one only where its gain is expected to be large.
#
# (ch4-touches)=
# **v4, which interaction caused the save.** It has no answer in the logs. Whoever got an e-mail, a webinar and a call
# got them because somebody or some rule thought that they were needed, and a save is never seen in one customer: it
# is a difference between groups. Last touch, first touch and Shapley values share out a correlation, and they share
# it out even where no touch does anything. What identifies it is chance: each touch drawn by itself, so that every
# combination has customers ([the pilot](ch4-pilot-size) did it for one touch). With three touches on or off there are
# eight cells, and the question "did the call work better after the webinar" is a difference of differences. By the
# numbers above, that is years of calls. Randomise one touch at a time, in the order of what it costs.

# %% [markdown]
# (ch4-failures)=
# ## Failure modes, reproduced
#
# **Each of these shows you a number that misleads, mostly by flattering, and in none of them is the model at fault.** All happen in a cell:
# the surprise, its cause, the repair, and the truer number, which is nearly always the smaller one. Two more
# happen elsewhere: [leaks](ch4-leaks), and above [a list whose precision falls because it works](ch4-list-precision).

# %% [markdown]
# (ch4-neglect)=
# ### Self-fulfilling neglect
#
# *Surprise*: AUC and precision of the churn model rise, although nobody touched it. *Cause*: sales was given the
# scores, and wrote off the riskiest tenth as lost. Say that neglect raises their hazard by three tenths. *Repair*: a
# {term}`hold-out` of the riskiest, drawn by lot, that keeps the old attention.

# %%
from casebook.churn.failures import neglect

prophecy = neglect(day.truth, risk_score, rng, harm=0.3)
prophecy.table.round(3)

# %% tags=["remove-cell"]
equal, worse = (prophecy.table.iloc[row] for row in (0, 1))
assert (worse > equal).all()
harmed = worse["precision"] - equal["precision"]
shown = prophecy.revealed
numbers(
    fl_auc_equal=probability(equal["auc"], 3),
    fl_auc_worse=probability(worse["auc"], 3),
    fl_precision_equal=percent(equal["precision"], 1),
    fl_precision_worse=percent(worse["precision"], 1),
    fl_more_leave=count(worse["leaving"] - equal["leaving"]),
    fl_neglect_true=f"{100 * harmed:.1f}",
    fl_neglect_seen=f"{100 * shown.estimate:.1f}",
    fl_neglect_low=f"{100 * shown.low:.1f}",
    fl_neglect_high=f"{100 * shown.high:.1f}",
)

# %% [markdown]
# AUC goes from {glue:text}`fl_auc_equal` to {glue:text}`fl_auc_worse`, precision in the riskiest tenth from
# {glue:text}`fl_precision_equal` to {glue:text}`fl_precision_worse`, and {glue:text}`fl_more_leave` more subscribers
# leave in the month. No metric of prediction can see it: the model became right. A hold-out can, if it is large enough. Half of the
# companies among the riskiest keep their attention, and the others leave {glue:text}`fl_neglect_seen` points more
# often, from {glue:text}`fl_neglect_low` to {glue:text}`fl_neglect_high` (truth: {glue:text}`fl_neglect_true`). One
# month of a tenth of the base is a weak test; a hold-out that stays adds up.
#
# (ch4-survivors)=
# ### Survivor bias
#
# *Surprise*: new subscribers look as loyal as old ones. *Cause*: the warehouse begins in January 2024, and whoever
# had signed up before and left before is in no table. Counted from signup, the rest cannot have left young:
# {term}`left truncation`. *Repair*: let each subscriber enter the count at the age at which the warehouse met them.

# %%
from casebook.churn.failures import never_seen, tenure_hazard, true_hazard

by_tenure = tenure_hazard(company.tables, longest=12)
newcomers = true_hazard(company, longest=12)
unseen = never_seen(company, truth, days=90)
unseen.round({"all": 0, "unseen": 0, "share": 3})

# %% tags=["hide-input"] mystnb={"image": {"alt": "Line chart of the share that leaves in each of the first twelve months of tenure: the corrected line lies on the true one, the naive line lies at about half of both."}}
from casebook.churn import figures_failures

figures_failures.tenure_lines(by_tenure, newcomers)

# %% tags=["remove-cell"]
first, known = by_tenure.iloc[0], newcomers.iloc[0]["hazard"]
miss = (by_tenure["hazard"] - newcomers["hazard"]).abs()
assert (miss < (by_tenure["naive"] - newcomers["hazard"]).abs()).all()
lost_share = unseen["share"]
assert lost_share["leavers next month"] > lost_share["subscribers"]
assert lost_share["cancellations so far"] > lost_share["leavers next month"]
numbers(
    fl_first_naive=percent(first["naive"], 1),
    fl_first_corrected=percent(first["hazard"], 1),
    fl_first_true=percent(known, 1),
    fl_unseen_now=percent(lost_share["subscribers"]),
    fl_unseen_leavers=percent(lost_share["leavers next month"]),
    fl_unseen_dollars=percent(lost_share["dollars that leave"]),
    fl_unseen_so_far=percent(lost_share["cancellations so far"]),
)

# %% [markdown]
# In their first month {glue:text}`fl_first_naive` seem to leave. With late entry corrected it is
# {glue:text}`fl_first_corrected`; the truth is {glue:text}`fl_first_true`. Here the truer number is the larger one.
# (In the twelfth month annual plans can leave for the first time.)
#
# The same bias has a second door. A model whose features want 90 days of history is silent on
# {glue:text}`fl_unseen_now` of today's subscribers, and those are {glue:text}`fl_unseen_leavers` of next month's
# leavers and {glue:text}`fl_unseen_dollars` of the dollars that leave. Of all who signed up since the warehouse began
# and cancelled, {glue:text}`fl_unseen_so_far` did so before their ninetieth day. So "we cover the base" is true of
# the base and not of the losses. Short windows, and a value for "too young to know", let the young be scored
# ([features](ch4-features)).
#
# (ch4-confounder)=
# ### The drop in usage that a call cannot mend
#
# *Surprise*: those whose usage fell are called, and the calls save far fewer than planned. *Cause*: usage falls for
# more than one reason. *Repair*: ask why before you ask who. Below, everybody's usage fell by three tenths or more,
# and the two groups are weighted to the same risk.

# %%
from casebook.churn.failures import by_drop, drops, same_drop

causes = same_drop(day, most=0.7)
causes.round(3)

# %%
dropping = by_drop(World(), day, month_calls)
dropping.round(2)

# %% tags=["remove-cell"]
price, ill = causes.iloc[0], causes.iloc[1]
assert price["saves_per_100"] < 0.5 * ill["saves_per_100"]
assert price["per_call"] < 0 < ill["per_call"]
alone, filtered = dropping.iloc[0], dropping.iloc[1]
assert alone["saves_per_100"] < 0.7 * alone["claimed_per_100"]
assert filtered["pulled"] < 0.5 * alone["pulled"]
assert filtered["claimed_per_100"] < alone["claimed_per_100"]
numbers(
    fl_drop_claimed=f"{alone['claimed_per_100']:.2f}",
    fl_drop_true=f"{alone['saves_per_100']:.2f}",
    fl_drop_filtered_claim=f"{filtered['claimed_per_100']:.2f}",
    fl_drop_filtered=f"{filtered['saves_per_100']:.2f}",
    fl_drop_pulled=percent(alone["pulled"]),
    fl_drop_left=percent(filtered["pulled"]),
)

# %% tags=["remove-cell"]
dog, pull = day.truth.people.dog, day.truth.months.pull[:, 0]
callable_rows = drops(day) & ~dog & ~pull
promised = World().reach * World().effect * day.truth.months.p[callable_rows, 0]
kept_promise = day.worth.uplift[callable_rows].mean() / promised.mean()
assert abs(kept_promise - 1) < 0.15
numbers(
    fl_drop_dogs=percent(dog[drops(day)].mean()),
    fl_drop_kept=percent(kept_promise),
    fl_usage_price=percent(price["usage_kept"]),
    fl_usage_ill=percent(ill["usage_kept"]),
    fl_p_price=percent(price["p"]),
    fl_p_ill=percent(ill["p"]),
    fl_call_price=dollars(price["per_call"]),
    fl_call_ill=dollars(ill["per_call"]),
)

# %% [markdown]
# The same fall (usage at {glue:text}`fl_usage_price` and {glue:text}`fl_usage_ill` of what it was), the same risk
# ({glue:text}`fl_p_price` and {glue:text}`fl_p_ill`): a call earns {glue:text}`fl_call_ill` where they are unwell and
# {glue:text}`fl_call_price` where a price or a competitor pulls. No model of *leaving* can tell the two apart, since
# they leave alike.
#
# On a whole list the pulled are few, {glue:text}`fl_drop_pulled` of those whose usage fell most. With the mean effect
# for everybody, such a list promises {glue:text}`fl_drop_claimed` saves per 100 calls; it brings
# {glue:text}`fl_drop_true`. Leaving out who looked at prices or asked about a bill cuts the pulled to
# {glue:text}`fl_drop_left`, the promise to {glue:text}`fl_drop_filtered_claim`, and the truth becomes
# {glue:text}`fl_drop_filtered`. Of those whose usage fell, {glue:text}`fl_drop_dogs` are dormant, and may wake. With neither
# them nor the pulled, a call brings {glue:text}`fl_drop_kept` of what the mean effect promises: these two groups are
# the gap. One leaves traces in the tables; the other shows in a [randomised pilot](ch4-pilot-size) only.
#
# (ch4-fatigue)=
# ### Fatigue
#
# *Surprise*: the sixth call in as many months makes leaving likelier. *Cause*: each call of the last three months
# takes a part off the next one's effect, and the list hardly changes. *Repair*: a rest after each call, and the next
# call's effect in the plan instead of the first one's.

# %%
from casebook.churn.failures import fatigue, next_call

best_list = call_top(day.worth.gain, month_calls)
levels = (0.0, 0.04, 0.08, 0.12, 0.16)
tired, worn = (
    fatigue(World(), day.truth, listed, rng, levels, copies=10)
    for listed in (best_list, risk_list)
)
wearing = next_call(World(), day.truth, risk_list)
wearing.round(3)

# %% mystnb={"image": {"alt": "Line chart of what a list earns in a year against how much each call tires: called every month it earns most where calls do not tire and falls steeply below the two rarer rhythms."}}
figures_failures.rhythm_lines(tired, here=World().fatigue)

# %% tags=["remove-cell"]
earned = tired.pivot(index="fatigue", columns="rhythm", values="earned")
risky = worn.pivot(index="fatigue", columns="rhythm", values="earned")
assert earned.loc[0.0].idxmax() == earned.loc[0.08].idxmax() == "every month"
assert earned.loc[0.16, "every month"] < earned.loc[0.16, "once"]
assert (risky["every month"] < risky["once"]).all()
harmful = wearing[wearing["taken_off"] < 0]["call"]
assert wearing.loc[0, "taken_off"] > 0 and len(harmful)
angry = worn.query("fatigue == 0.08").set_index("rhythm")["complaints"]
assert angry["every month"] > 2 * angry["once"]
numbers(
    fl_risk_monthly=dollars(risky.loc[0.08, "every month"]),
    fl_risk_once=dollars(risky.loc[0.08, "once"]),
    fl_worse_from=count(harmful.iloc[0]),
    fl_worse_share=percent(wearing.iloc[-1]["harmed"]),
    fl_angry_monthly=count(angry["every month"]),
    fl_angry_once=count(angry["once"]),
)

# %% tags=["remove-cell"]
numbers(
    fl_tire_free=dollars(earned.loc[0.0, "every month"]),
    fl_tire_here=dollars(earned.loc[0.08, "every month"]),
    fl_tire_once=dollars(earned.loc[0.08, "once"]),
    fl_tire_strong=dollars(earned.loc[0.16, "every month"]),
    fl_tire_strong_once=dollars(earned.loc[0.16, "once"]),
)

# %% [markdown]
# On the list by true gain, half a year of monthly calls would earn {glue:text}`fl_tire_free` if each worked like the
# first. With this company's tiredness it is {glue:text}`fl_tire_here`: the smaller number, and still more than the
# {glue:text}`fl_tire_once` of calling once. Were people twice as easily tired, calling monthly would earn
# {glue:text}`fl_tire_strong` against {glue:text}`fl_tire_strong_once`. So a good list can bear repetition, up to a
# point that you must measure.
#
# A list by risk cannot. From call number {glue:text}`fl_worse_from` on, the next call adds to the list's hazard on
# average, and by the sixth it does so for {glue:text}`fl_worse_share` of the listed. Six months of it earn
# {glue:text}`fl_risk_monthly`, against {glue:text}`fl_risk_once` for the first call alone, and bring
# {glue:text}`fl_angry_monthly` complaints instead of {glue:text}`fl_angry_once`. The [job](ch4-job) lets whoever was
# called rest.
#
# (ch4-before-after)=
# ### The number that fell by itself
#
# *Surprise*: a month after the first calls, churn on the list is down by {glue:text}`fl_ba_claimed`. *Cause*: it
# would have been down by {glue:text}`fl_ba_alone` had nobody been called. *Repair*: a random half of the list that is
# not called.

# %%
from casebook.churn.failures import before_after

fell = before_after(World(), day.truth, risk_list, rng)
monthly_plan = risk_list & (day.features["is_annual"] == 0).to_numpy()
fell_monthly = before_after(World(), day.truth, monthly_plan, rng)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Line chart of a list's churn over six months, called and left alone: both lines fall steeply after the first month and lie close together."}}
figures_failures.before_after_lines(fell.months)

# %% tags=["remove-cell"]
assert fell.claimed > 3 * fell.true > 0
assert fell.fell_alone > 0.8 * fell.claimed
assert 0 < fell_monthly.fell_alone < fell.fell_alone
did = fell.months["left_alone"][1] - fell.months["called"][1]
assert fell.measured.high - fell.measured.low > 4 * did > 0
numbers(
    fl_ba_claimed=percent(fell.claimed),
    fl_ba_alone=percent(fell.fell_alone),
    fl_ba_true=percent(fell.true),
    fl_ba_points=f"{100 * did:.1f}",
    fl_ba_annual=percent(1 - monthly_plan.sum() / risk_list.sum()),
    fl_ba_monthly=percent(fell_monthly.fell_alone),
    fl_ba_seen=f"{100 * fell.measured.estimate:+.1f}",
    fl_ba_low=f"{100 * fell.measured.low:+.1f}",
    fl_ba_high=f"{100 * fell.measured.high:+.1f}",
)

# %% [markdown]
# What the calls did is {glue:text}`fl_ba_true` of that month's churn. The list was drawn up from signs that pass. The
# riskiest leave first and are gone from the next month's rate; health returns to its mean
# ({term}`regression to the mean`); and {glue:text}`fl_ba_annual` of the list had an annual bill due, which, once
# paid, is not due again for a year. On monthly plans alone churn falls by {glue:text}`fl_ba_monthly`. The random half
# of the list reads {glue:text}`fl_ba_seen` points, from {glue:text}`fl_ba_low` to {glue:text}`fl_ba_high`, where the
# truth is {glue:text}`fl_ba_points` points fewer. So one month of one list is too small for an effect of this size,
# and a reading that shuts out zero is one that exaggerates; the honest comparison tells you that much, and the
# before-and-after never does. How large a test must be is [worked out in the chapter](ch4-power).
#
# :::{admonition} They push back: "A publisher cut churn by 18.6% with a churn model. What is wrong with this number?"
# :class: they-push-back dropdown
# De Persgroep reports it for a campaign by risk decile that began in June 2017: average churn fell by 18.6% from June
# to December, and ARPU rose by 2.03% {cite}`depersgroep2018`. Nothing need be wrong with it, but as it is told it is
# a before and an after without a group that was left alone. Ask four things. Who is in the average: the customers of
# June, whose riskiest are gone by December, or each month's own? What else changed with the season and the prices?
# What did the offers cost, and was ARPU measured among those who stayed, which leaves out whoever left a low price?
# And what happened to those who were not targeted? Our list's churn fell by {glue:text}`fl_ba_alone` with nobody
# called.
# :::
#
# (ch4-own-calls)=
# ### The model that learns from its own calls
#
# *Surprise*: the model is retrained, its AUC does not move, and it thinks better of exactly those whom a call keeps.
# *Cause*: some of its labels are those of called people who stayed because they were called. *Repair*: learn from the
# hold-out in place of the called, weighted up.

# %% tags=["deeper"]
from casebook.churn.failures import retrained

taught = call_top(risk_score, 2 * month_calls)
relearnt = retrained(day, after, taught, models.boosted(seed), rng)
relearnt.round(3)

# %% tags=["remove-cell"]
free, unknown = relearnt.loc["nobody called"], relearnt.loc["calls not known"]
apart = relearnt.loc["hold-out only"]
assert unknown["movable"] < free["movable"]
assert abs(unknown["auc"] - free["auc"]) < 0.005
numbers(
    fl_learn_lower=percent(1 - unknown["movable"] / free["movable"], 1),
    fl_learn_holdout=f"{100 * (apart['movable'] / free['movable'] - 1):+.1f}%",
    fl_learn_auc=f"{unknown['auc'] - free['auc']:+.4f}",
)

# %% [markdown]
# For the tenth whom a call keeps best, the retrained model's $p$ is {glue:text}`fl_learn_lower` lower than it would
# be had nobody been called; with the hold-out only it differs by {glue:text}`fl_learn_holdout`. AUC moves by
# {glue:text}`fl_learn_auc`. After one month of calls this is small, and you should say so. It grows with every month
# that the list is called and nobody is held out.

# %% [markdown]
# ## The studies' rows
#
# One drawn and one null world of each study that the chapter's pages rest on, played again just now, agree with the record.
# (Pilots are on the [claims page](04_churn_claims). Last year's calls are played again in the course's tests only, since the
# models in them move with the version of a library.)

# %%
from casebook.churn.studies import STUDIES

rows_of_studies = {
    one.name: studies.verify(
        one, studies.load(one.name), 1, np.random.default_rng(seed)
    )
    for one in STUDIES
    if one.name in ("04_lists", "04_trajectory", "04_models", "04_watch")
}
pd.Series(
    {name: len(rows) for name, rows in rows_of_studies.items()},
    name="values that agree",
).to_frame()
