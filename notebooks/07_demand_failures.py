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
# # Demand forecasting: failure modes
#
# **Each failure that the source lists happens here, then its repair is switched on, and the number is looked at again. In this shop a
# ramp and its own sales take {glue:text}`fa_new` of a new product's early loss away, a ramp {glue:text}`fa_open` of an opening's early error. An override takes
# {glue:text}`sh_ahead` of this shock's error away if it is told before the orders, and adds {glue:text}`sh_short` if it comes on the third day. And a promotion's lift is
# smaller than its weeks look: {glue:text}`li_naive` naive, {glue:text}`li_gross` in truth, {glue:text}`li_net` net.**
#
# Amara's model is good in a usual week. These are the others. This page belongs to [chapter 7](07_demand); `seed` starts all
# randomness, `scale` is "small" or "full". Forecasts and estimates read sales, as recorded or [repaired](ch7-censored); true demand, which
# nobody has, only judges them.

# %% tags=["parameters"]
seed = 7
scale = "small"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from casebook import studies, style
from casebook.demand.origins import weekly_origins
from casebook.demand.simulate import simulate
from casebook.demand.unconstrain import unconstrain
from casebook.demand.world import World
from casebook.page import count, dollars, numbers, percent, plural
from casebook.worlds import share_holding

style.use()
rng = np.random.default_rng(seed)
stores, skus = {"small": (10, 84), "full": (40, 168)}[scale]
grocer = simulate(World(), stores, skus, rng)
tables, truth = grocer.tables, grocer.truth
demand = truth["demand"]


def held(result, finding, null=False):
    """Return in how many worlds a finding held."""
    frame = result.null_frame if null else result.frame
    return str(share_holding(frame[finding]))


def repaired(tables):
    """Return demand as the app's log tells it, row by row as sales."""
    return unconstrain(tables["sales"], "app", products=tables["products"])


# %% [markdown]
# (ch7-new)=
# ## New products
#
# **A product without a past is forecast at nothing by its lags. In its first week the ramp of earlier launches does it (it helps in
# {glue:text}`ne_ramp` drawn grocers); the category adds to it in {glue:text}`ne_global`, and content is a coin ({glue:text}`ne_content`). After that, let its own sales
# move the belief: {glue:text}`ne_gain` of the first five weeks' pinball loss is gone.**
#
# Five forecasts of each week, four days ahead. The ramp is what earlier launches sold in each week, over what they sold in the end.
#
# - *own sales so far*: their mean; nothing before the first;
# - *average, ramp*: an average product of any category, times the ramp;
# - *category, ramp*: a gamma prior instead, of how the category's products on sale spread around their average in that store;
# - *moved*: that prior, moved by own sales as they come ({term}`gamma-Poisson`);
# - *moved, content*: the same, the prior's mean first moved by brand, price and size of the store.

# %%
from casebook.demand.new_products import by_day, find_launches
from casebook.demand.new_products import forecast_launches, launch_table

tau = 0.8  # a unit short costs four times a unit over
launches = find_launches(tables)
said = forecast_launches(launches, tau)
came = by_day(launches.cells, tables["sales"], demand)
known = said[said["learned"]]  # a ramp had been seen by then
table = launch_table(launches, known, came, tau)
loss = table["pinball"].unstack("method")
names = {
    "nothing": "own sales so far",
    "global ramp": "average, ramp",
    "category": "category, ramp",
    "shrunk": "moved",
    "content": "moved, content",
}
loss.loc[[0, 1, 2, 4, 8, 12], list(names)].rename(columns=names).round(2)

# %% tags=["remove-cell"]
born = studies.load("07_new")
drawn = born.frame
weight = table["weight"].unstack("method")["shrunk"]
early = loss.loc[0:4].mean()
new_gain = 1 - early["shrunk"] / early["nothing"]
assert new_gain > 0
assert drawn["ramp_helps"].mean() > 0.9
assert drawn["category_beats_global"].mean() < 0.5
assert drawn["first_category"].mean() > drawn["first_ramp"].mean()
assert 0.35 < drawn["content_helps"].mean() < 0.65
assert born.null_frame["shrunk_beats_own"].mean() > 0.9
numbers(
    ne_launches=count(known["place"].nunique()),
    ne_gain=percent(new_gain),
    ne_weight=percent(weight.loc[1]),
    ne_ramp=held(born, "ramp_helps"),
    ne_category=held(born, "category_beats_nothing"),
    ne_category_null=held(born, "category_beats_nothing", null=True),
    ne_global=held(born, "category_beats_global"),
    ne_null=held(born, "category_beats_global", null=True),
    ne_loss_ramp=f"{drawn['first_ramp'].mean():.1f}",
    ne_loss_category=f"{drawn['first_category'].mean():.1f}",
    ne_shrunk=held(born, "shrunk_beats_own"),
    ne_shrunk_null=held(born, "shrunk_beats_own", null=True),
    ne_content=held(born, "content_helps"),
    ne_content_null=held(born, "content_helps", null=True),
    ne_late=held(born, "late_alike"),
    fa_new=percent(new_gain),
)

# %% [markdown]
# Pinball loss by week since the launch, units a cell, {glue:text}`ne_launches` cells. Over drawn grocers, in the first week the category's prior beats own
# sales, that is nothing, in {glue:text}`ne_category`. But so it does in {glue:text}`ne_category_null` where categories are mixed up, and the average with the ramp
# loses less: {glue:text}`ne_loss_ramp` against {glue:text}`ne_loss_category` units, the category ahead in {glue:text}`ne_global` (mixed up:
# {glue:text}`ne_null`). What the source calls a category prior is in the main a ramp. Content betters the category's prior in {glue:text}`ne_content`, and
# in {glue:text}`ne_content_null` where the category misleads.
#
# In weeks one to four the prior that moves beats own sales in {glue:text}`ne_shrunk`, and in {glue:text}`ne_shrunk_null` with categories mixed up: that is the ramp and the
# moving, not the category, which weighs {glue:text}`ne_weight` in the second week's forecast here. Even in the third month the two are alike in
# {glue:text}`ne_late` only, since a mean of own sales lags behind growth.
#
# (ch7-openings)=
# ## Stores that open and close
#
# **A store that opens looks like a small store to its lags. Read its growth off earlier openings: in this chain its first two months are then
# {glue:text}`op_bias` off instead of {glue:text}`op_last`. By the fifth month nothing of that gain is left. A store that closes is not a forecast at all: it is a date.**
#
# Three rules, each from the weeks that are over when the order leaves: the *last* of them, the *mean* of up to four, and that mean carried
# along the *ramp* of openings that were complete by then. They read repaired sales and are held against demand.

# %%
from casebook.demand.store_changes import closing_orders, forecast_openings
from casebook.demand.store_changes import store_weeks

chain = simulate(World(), 100, 14, np.random.default_rng(seed))
wanted = forecast_openings(store_weeks(chain.tables, chain.truth["demand"]))
opened = forecast_openings(store_weeks(chain.tables, repaired(chain.tables)))
opened = opened.assign(came=wanted["came"], weeks=opened["age"] // 8 * 8)
learned = opened[opened["learned"] & (opened["age"] < 24)]
rules = ["last", "mean", "ramp"]
sums = learned.groupby(["weeks", "store_id"])[["came", *rules]].sum()
off = sums[rules].div(sums["came"], axis=0) - 1
closer = (off["last"].abs() - off["ramp"].abs()).groupby("weeks")
months = off.groupby("weeks").mean().add_prefix("bias, ")
months["ramp closer by"], months["standard error"] = closer.mean(), closer.sem()
months.round(3).assign(stores=closer.size())

# %% [markdown]
# Each row is two months since the opening, averaged over stores. Now the closings: days for which goods were still ordered, what these
# lose if nobody knows the date, what is lost if nobody says a word until the lags are empty, and what stands on the shelf on the last
# evening (cost less salvage).

# %%
closing = closing_orders(chain.tables)
names = {
    "closed_on": "closes on day",
    "days_over": "days ordered",
    "blind_dollars": "nobody knows, $",
    "forgotten_dollars": "nobody speaks, $",
    "left_dollars": "on the shelf, $",
}
closing[list(names)].rename(columns=names).round(0)

# %% tags=["remove-cell"]
begin = off.abs().groupby("weeks").mean().loc[0]
worst = closing["forgotten_dollars"].sum()
gain, doubt = 100 * months["ramp closer by"], 100 * months["standard error"]
assert scale != "small" or gain.loc[0] > 0
assert scale != "small" or gain.loc[16] < gain.loc[0] / 4
numbers(
    op_n=count(learned["store_id"].nunique()),
    op_first=count(closer.size().loc[0]),
    op_bias=percent(begin["ramp"]),
    op_last=percent(begin["last"]),
    op_gain=count(gain.loc[0]),
    op_doubt=count(doubt.loc[0]),
    op_middle=count(gain.loc[8]),
    op_middle_doubt=count(doubt.loc[8]),
    op_late=count(gain.loc[16]),
    op_late_doubt=count(doubt.loc[16]),
    op_closed=count(len(closing)),
    op_blind=dollars(closing["blind_dollars"].sum()),
    op_forgotten=dollars(worst),
    op_left=dollars(closing["left_dollars"].sum()),
    fa_open=percent(1 - begin["ramp"] / begin["last"]),
)

# %% [markdown]
# {glue:text}`op_n` openings had an earlier one to learn from, {glue:text}`op_first` of them in their first two months. There the ramp is {glue:text}`op_gain` points
# nearer than last week (standard error over stores {glue:text}`op_doubt`); in months three and four {glue:text}`op_middle` ({glue:text}`op_middle_doubt`), in the two after that
# {glue:text}`op_late` ({glue:text}`op_late_doubt`). So drop it once the store stands. These stores share one chain and its few ramps: with one or two
# openings behind you, the ramp is a guess.
#
# {glue:text}`op_closed` stores close. Orders placed before and delivered after lose {glue:text}`op_blind`; if nobody says a word until the lags are
# empty, {glue:text}`op_forgotten`. An [override](ch7-override) to zero from the closing day, told before these orders, saves them. What stands on the
# shelves on the last evening, {glue:text}`op_left`, no forecast of the following week can save: it was ordered before.
#
# (ch7-shock)=
# ## The shock and its echo
#
# **In a week that no past contains the model is too low for as long as its lags are young, and too high when the shock is over and they
# are full of it. A year later last year's sales, used as a forecast, repeat it ({glue:text}`sh_last` too high); the model hardly does
# ({glue:text}`sh_echo`), flagged or not.**
#
# For four weeks people fill their pantries. The table has the bias of each weekly order, counted from the first that lies in the shock:
# *up* is pantry, household and frozen, *down* produce and bakery, *still* the rest.

# %%
from dataclasses import replace

from casebook.demand.shock import by_week, fit_and_forecast, shock_span
from casebook.demand.shock import tracking_plan, plan_table, shock_plans
from casebook.demand.shock import echo_table, weeks_blind

span = shock_span(grocer.world)
train = weekly_origins(span[0] - 7 * 40, span[0] - 30)
test = weekly_origins(span[0] - 15, span[1] + 30)
shocked = fit_and_forecast(tables, train, test, demand)
wrong = by_week(shocked, span)
wrong["bias"].unstack("side").round(2)

# %% [markdown]
# Three overrides, written on the third day by a planner who knows the direction and roughly the size: expires after two weeks, kept to
# the end, forgotten. A fourth was told a week before, and a fifth looks each Sunday at what was sold over what was forecast. The table has their
# absolute errors in units, of each category's total in an order and of each product in each store, in the shock and after it.

# %%
guess = {"pantry": 2.0, "household": 2.0, "frozen": 1.5, "produce": 0.7}
noticed = span[0] + 2
plans = shock_plans(span, guess, noticed)
plans["told before"] = [
    replace(one, first_day=span[0])
    for one in shock_plans(span, guess, span[0] - 8)["short"]
]
keys = ["store_id", "sku_id", "day"]
sold = tables["sales"][[*keys, "sold"]].rename(columns={"sold": "came"})
looked = shocked.drop(columns="came").merge(sold, on=keys)
plans["each Sunday"] = tracking_plan(looked, span, noticed)
planned = plan_table(shocked, plans, tables, span)
names = {
    f"{level}_{when}": f"{level}s {when}"
    for level in ("total", "cell")
    for when in ("during", "after")
}
planned[list(names)].rename(columns=names).round(0)

# %% [markdown]
# And a year later: the bias in the weeks whose last year was the shock, less that in the weeks around them. *Dropped* leaves the shock's
# weeks out of training, *flagged* marks as missing what looks back at them, *last year* is no model but its sales again.

# %%
past = weekly_origins(span[0] - 7 * 30, span[0] + 364 - 45)
later = weekly_origins(span[0] + 364 - 30, span[1] + 364 + 20)
echo = echo_table(tables, past, later, demand, span)
echo["echo"].unstack("side").round(2)

# %% tags=["remove-cell"]
blind = weeks_blind(wrong)
up = wrong["bias"].xs("up")
shy = {name: factor**0.5 for name, factor in guess.items()}
plans["shy"] = shock_plans(span, shy, noticed)["short"]
planned = plan_table(shocked, plans, tables, span)
saved = 1 - planned["total_during"] / planned.loc["none", "total_during"]
after = planned["total_after"] / planned.loc["none", "total_after"]
said_up = echo["echo"].unstack("side")["up"]
models = said_up.drop("last year").abs()
assert up.loc[0] < -0.2 and up.loc[4] > 0.2
assert after["forgotten"] > 1
assert scale != "small" or saved["told before"] > 0.1
assert scale != "small" or saved["whole"] < saved["short"] < 0
assert scale != "small" or saved["short"] < saved["shy"]
assert scale != "small" or saved["each Sunday"] < 0
assert scale != "small" or models.max() < 0.1
assert said_up["last year"] > 5 * models.max()
numbers(
    sh_first=percent(-up.loc[0]),
    sh_then=percent(up.loc[4]),
    sh_blind=plural(blind["up"], "weekly order"),
    sh_whole=percent(-saved["whole"]),
    sh_short=percent(-saved["short"]),
    sh_shy=percent(-saved["shy"]),
    sh_sunday=percent(-saved["each Sunday"]),
    sh_late=percent(planned.loc["whole", "late"]),
    sh_forgotten=f"{after['forgotten']:.1f}",
    sh_echo=percent(said_up["nothing"]),
    sh_both=percent(said_up["both"]),
    sh_last=percent(said_up["last year"]),
    sh_ahead=percent(saved["told before"]),
)

# %% [markdown]
# In its first week what people hoard is forecast {glue:text}`sh_first` too low, and it takes {glue:text}`sh_blind` until the bias has halved; in the first
# week after its end it is forecast {glue:text}`sh_then` too high.
#
# Told before the orders, the override takes {glue:text}`sh_ahead` off the error of each category's total. Written on the third day it adds {glue:text}`sh_short` in this
# shock if it expires after two weeks and {glue:text}`sh_whole` if it is kept to the end; the Sunday planner adds {glue:text}`sh_sunday`. Of the error
# (by product and store) {glue:text}`sh_late` lay in orders placed before anybody knew, and when the override reaches an order the lags have learnt the
# shock, so that it is counted twice while it fades. With half the guess, in logs, it adds {glue:text}`sh_shy`: late, be timid. The forgotten one
# multiplies the error afterwards by {glue:text}`sh_forgotten`: hence an expiry, always.
#
# A year later last year's sales are {glue:text}`sh_last` too high in those weeks, beyond their usual error. The model that was told nothing is {glue:text}`sh_echo` off, and one whose
# shock weeks were left out of training and flagged {glue:text}`sh_both`: last year is one feature among many, which trees hardly use here, so
# flagging has nothing to mend. Flag where last year *is* the forecast.
#
# (ch7-stacked)=
# ## Promotions that were never stacked before
#
# **Trees answer a discount that they never saw with the largest one they saw. A line goes on, and may go on too far. Who is right
# depends on how demand bends beyond what was seen, and no past tells you.**

# %%
from casebook.demand.features import build
from casebook.demand.stacked import READ, PromotionModel
from casebook.demand.stacked import never_seen, promotion_rows

start = grocer.world.stacked_from
before = build(tables, weekly_origins(start - 7 * 40, start - 12))
behind = build(tables, weekly_origins(start - 4, 1091 - 10))
seen, new = (promotion_rows(part, tables, truth) for part in (before, behind))
kind = np.select(
    [new["stacked"] > 1, new["stacked"] == 1], ["stacked", "one"], "none"
)
ratio = never_seen(seen, new, kind)["ratio"]
ratio.unstack("kind").round(2)

# %%
days = new.loc[new["stacked"] > 1, list(READ)]
cuts = pd.Index([0.0, 0.1, 0.2, 0.33, 0.45, 0.55], name="cut")
answers = pd.DataFrame(index=cuts)
for way in ("trees", "linear", "capped"):
    model = PromotionModel(way).fit(seen[list(READ)], seen["y"])
    asked = [days.assign(depth=-np.log1p(-cut)) for cut in cuts]
    answers[way] = [model.predict(rows).mean() for rows in asked]
answers.round(1)

# %% tags=["remove-cell"]
bent = studies.load("07_stacked")
twice, one = (ratio.unstack("kind")[name] for name in ("stacked", "one"))
largest = -np.expm1(-seen["depth"].max())
trees = answers["trees"]
assert np.isclose(largest, 0.33)
assert (trees.loc[:0.33].diff().dropna() >= 0).all()
assert trees.loc[0.33] > 1.2 * trees.loc[0.0]
assert np.ptp(trees.loc[0.33:]) < 0.01
assert answers.loc[0.55, "linear"] > 1.2 * answers.loc[0.33, "linear"]
assert scale != "small" or twice["trees"] < twice.drop("trees").min()
assert twice["trees"] < one["trees"] < 1
numbers(
    st_days=count((kind == "stacked").sum()),
    st_one=f"{one['trees']:.2f}",
    st_seen=percent(largest),
    st_none=f"{trees.loc[0.0]:.1f}",
    st_top=f"{trees.loc[0.55]:.1f}",
    st_line=f"{answers.loc[0.55, 'linear']:.1f}",
    st_end=f"{answers.loc[0.55, 'capped']:.1f}",
    st_deep=percent(cuts[-1]),
    st_trees=f"{twice['trees']:.2f}",
    st_linear=f"{twice['linear']:.2f}",
    st_cascade=f"{twice['cascade']:.2f}",
    st_capped=f"{twice['capped']:.2f}",
    st_short=held(bent, "trees_short"),
    st_over=held(bent, "cascade_over"),
    st_closer=held(bent, "cascade_closer"),
    st_capcloser=held(bent, "capped_closer"),
    st_cap=held(bent, "cap_helps"),
    st_null=held(bent, "cascade_closer", null=True),
)

# %% [markdown]
# The second table has the mean answer over those {glue:text}`st_days` days to a cut that is set by hand. Trees rise from {glue:text}`st_none` units to {glue:text}`st_top` at the
# largest cut seen, {glue:text}`st_seen`, and stand there. At {glue:text}`st_deep` the line says {glue:text}`st_line`; with a cap at a quarter beyond the deepest cut
# seen it stops at {glue:text}`st_end`.
#
# Forecast over what was to be expected, on days with two promotions: trees {glue:text}`st_trees`, a model that is linear in logs {glue:text}`st_linear`, trees
# on top of its lift (a cascade) {glue:text}`st_cascade`, and that with the cap {glue:text}`st_capped`. All learn from sales, which the shelf cuts short:
# with one promotion trees stand at {glue:text}`st_one`. In this simulator demand *is* a straight line in log price, so the line is
# favoured. Where the bend is drawn, trees fall short in {glue:text}`st_short` worlds, the cascade is nearer in
# {glue:text}`st_closer` (no elasticity: {glue:text}`st_null`) and too high in {glue:text}`st_over`; the cap is nearer than trees in {glue:text}`st_capcloser` and helps the
# cascade in {glue:text}`st_cap`. "Limit extrapolation", the source says, and means the cap. The same for holidays: DoorDash's cascade
# of 2023 is [a published answer](ch7-otherwise).
#
# (ch7-lift)=
# ## What did the promotion bring?
#
# **Promoted weeks sell {glue:text}`li_naive` more than others. They were chosen because much was expected; the promotion itself brings
# {glue:text}`li_gross`, and with what it takes from its substitutes and from the weeks after, {glue:text}`li_net`.**

# %%
from casebook.demand.promo_lift import estimated_lifts, margin_of_promotions
from casebook.demand.promo_lift import promotion_states, true_lift

alone = simulate(
    World(stacked_from=10**6), 5, 84, np.random.default_rng(seed), days=728
)
states = promotion_states(alone.tables)
lift = estimated_lifts(repaired(alone.tables), states)
right = true_lift(alone.truth, states)
lift["true gross"], lift["true net"] = right["gross"], right["net"]
lift[["gross", "net", "true gross", "true net"]].round(2)

# %% tags=["remove-cell"]
lifted = studies.load("07_lift")
margin = margin_of_promotions(alone.tables, alone.truth)
reached = lifted.frame
missed = (reached["spillovers_net"] - reached["net"]).rename("missed")
nearer = missed.abs() < (reached["season"] - reached["net"]).abs()
tilt = missed.corr(reached["placement"])
wrong_by = (lift["gross"] - right["gross"]).abs()
net_by = abs(lift.loc["spillovers", "net"] - right["net"])
assert right["net"] < right["gross"]
assert lift.loc["naive", "gross"] > right["gross"]
assert wrong_by[["season", "regions"]].max() < wrong_by["naive"]
assert scale != "small" or net_by > abs(
    lift.loc["season", "gross"] - right["net"]
)
assert 0.35 < nearer.mean() < 0.65 and tilt < -0.4
numbers(
    li_net_closer=str(share_holding(nearer)),
    li_naive=percent(lift.loc["naive", "gross"]),
    li_season=percent(lift.loc["season", "gross"]),
    li_regions=percent(lift.loc["regions", "gross"]),
    li_spill=percent(lift.loc["spillovers", "net"]),
    li_gross=percent(right["gross"]),
    li_net=percent(right["net"]),
    li_margin="gain" if margin["gained"] > 0 else "cost",
    li_dollars=dollars(abs(margin["gained"]) / 104),
    li_over=held(lifted, "naive_overstates"),
    li_over_null=held(lifted, "naive_overstates", null=True),
    li_season_closer=held(lifted, "adjusted_closer"),
    li_regions_closer=held(lifted, "regions_closer"),
    li_smaller=held(lifted, "net_smaller"),
    li_hides=held(lifted, "stock_hides"),
    li_falls=held(lifted, "margin_falls"),
)

# %% [markdown]
# Estimated from repaired sales. Against the category's other products on the same day: {glue:text}`li_season`. Against the same product
# where it is not promoted that day: {glue:text}`li_regions`. Over drawn grocers the naive lift is too high by more than ten points in {glue:text}`li_over`; where promotions stand in
# random weeks, in {glue:text}`li_over_null`. Adjusting comes nearer in {glue:text}`li_season_closer` (season) and {glue:text}`li_regions_closer` (regions).
#
# Net is not so easy. With factors for substitutes and the weeks after, the estimate is {glue:text}`li_spill` and the truth {glue:text}`li_net`: counting what
# is taken misses by more than ignoring it. Over drawn grocers counting comes nearer in {glue:text}`li_net_closer`: what is taken is spread thinly, and the better
# the weeks that the buyer picked, the lower this estimate, so what adjusts gross does not adjust net. True net is more than ten points below gross
# in {glue:text}`li_smaller`. Those lifts are estimated from demand; from sales as recorded, season's is more than ten points lower in {glue:text}`li_hides`.
#
# These promotions {glue:text}`li_margin` {glue:text}`li_dollars` of margin a week here, and cost margin in {glue:text}`li_falls` worlds: a
# discount on a product that would have been bought anyway is a gift.
#
# :::{admonition} Say it
# :class: say-it
# "A promotion week sells more for two reasons, and one of them is that we chose it. I compare with the season, or with regions without the
# promotion on the same day: both come nearer ({glue:text}`li_season_closer`, {glue:text}`li_regions_closer`). What it took from its neighbours and from the fortnight after I'd
# rather test by lot than estimate."
# :::
