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
# **Each failure that the source lists happens here, then its repair is switched on, and the number is looked at again: a prior with a ramp
# takes {glue:text}`fa_new` of a new product's early loss, a ramp {glue:text}`fa_open` of an opening's bias. An override in a shock helps if
# it is told before the orders ({glue:text}`sh_ahead` of the error) and hurts if it comes on the third day ({glue:text}`sh_short`). And a promotion's lift is smaller
# than its weeks look: {glue:text}`li_naive` naive, {glue:text}`li_gross` in truth, {glue:text}`li_net` net.**
#
# Amara's model is good in a usual week. These are the others. This page belongs to [chapter 7](07_demand); `seed` starts all
# randomness, `scale` is "small" or "full".

# %% tags=["parameters"]
seed = 7
scale = "small"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from casebook import studies, style
from casebook.demand.origins import weekly_origins
from casebook.demand.simulate import simulate
from casebook.demand.world import World
from casebook.page import count, dollars, numbers, percent
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


# %% [markdown]
# (ch7-new)=
# ## New products
#
# **A product without a past is forecast at nothing by its lags. A prior from its category that moves with its own sales, along
# the ramp of earlier launches, takes {glue:text}`ne_gain` of the first five weeks' pinball loss away. The category's part in that is
# {glue:text}`ne_weight` after one week.**
#
# The prior is a gamma: how the units of past launches spread around an average product of the category in that store. Sales as
# they come move it ({term}`gamma-Poisson`).

# %%
from casebook.demand.new_products import by_day, find_launches
from casebook.demand.new_products import forecast_launches, launch_table

launches = find_launches(tables)
said = forecast_launches(launches, tau=0.8)
came = by_day(launches.cells, tables["sales"], demand)
known = said[said["learned"]]  # a ramp had been seen by then
table = launch_table(launches, known, came, tau=0.8)
loss = table["pinball"].unstack("method")
first = loss.loc[[0, 1, 2, 4, 8, 12]]
first[["nothing", "global ramp", "category", "shrunk", "content"]].round(2)

# %% tags=["remove-cell"]
born = studies.load("07_new")
weight = table["weight"].unstack("method")["shrunk"]
early = loss.loc[0:4].mean()
new_gain = 1 - early["shrunk"] / early["nothing"]
assert new_gain > 0
numbers(
    ne_launches=count(known["place"].nunique()),
    ne_gain=percent(new_gain),
    ne_weight=percent(weight.loc[1]),
    ne_category=held(born, "category_beats_nothing"),
    ne_global=held(born, "category_beats_global"),
    ne_null=held(born, "category_beats_global", null=True),
    ne_shrunk=held(born, "shrunk_beats_own"),
    ne_content=held(born, "content_helps"),
    ne_late=held(born, "late_alike"),
    fa_new=percent(new_gain),
)

# %% [markdown]
# Pinball loss by week since the launch, {glue:text}`ne_launches` cells. "Nothing" is own sales so far. Over drawn grocers the category's prior beats
# it in the first week in {glue:text}`ne_category`; an average product of *any* category with the same ramp is beaten in
# {glue:text}`ne_global` only (where categories are mixed up: {glue:text}`ne_null`). So what the source calls a category prior is in the main a ramp. The prior that moves
# beats own sales in weeks one to four in {glue:text}`ne_shrunk`, and even in the third month the two are alike in
# {glue:text}`ne_late` only, since own sales without a ramp lag behind growth. Content features, brand, price and size of the store, help in
# the first week in {glue:text}`ne_content`.
#
# (ch7-openings)=
# ## Stores that open and close
#
# **A store that opens looks like a small store to its lags. Read its growth off earlier openings, and the forecast of its first two months is
# {glue:text}`op_bias` off instead of {glue:text}`op_last`. A store that closes is not a forecast at all: it is a date.**

# %%
from casebook.demand.store_changes import closing_orders, forecast_openings
from casebook.demand.store_changes import opening_errors, store_weeks

chain = simulate(World(), 100, 14, np.random.default_rng(seed))
weeks = store_weeks(chain.tables, chain.truth["demand"])
opened = forecast_openings(weeks)
learned = opened[opened["learned"]]
errors = opening_errors(learned)
errors["bias"].unstack("rule").round(3)

# %%
closing = closing_orders(chain.tables)
closing[
    [
        "closed_on",
        "days_over",
        "blind_dollars",
        "forgotten_dollars",
        "left_dollars",
    ]
].round(0)

# %% tags=["remove-cell"]
begin = errors["bias"].unstack("rule").loc[:7].abs().mean()
worst = closing["forgotten_dollars"].sum()
assert scale != "small" or begin["ramp"] < begin["last"]
numbers(
    op_n=count(learned["store_id"].nunique()),
    op_bias=percent(begin["ramp"], 1),
    op_last=percent(begin["last"], 1),
    op_mean=percent(begin["mean"], 1),
    op_closed=count(len(closing)),
    op_blind=dollars(closing["blind_dollars"].sum()),
    op_forgotten=dollars(worst),
    op_left=dollars(closing["left_dollars"].sum()),
    fa_open=percent(1 - begin["ramp"] / begin["last"]),
)

# %% [markdown]
# {glue:text}`op_n` openings with an earlier one to learn from; the four-week mean is {glue:text}`op_mean` off. {glue:text}`op_closed` stores
# close. Orders placed before and delivered after lose {glue:text}`op_blind`; if nobody says a word until the lags are empty, {glue:text}`op_forgotten`.
# An [override](ch7-override) to zero from the closing day saves them. What stands on the shelves on the last evening,
# {glue:text}`op_left`, no forecast of the following week can save: it was ordered before.
#
# (ch7-shock)=
# ## The shock and its echo
#
# **In a week that no past contains the model is wrong for as long as its lags are young, and a year later it is wrong again,
# because last year says so.** For four weeks people fill their pantries.

# %%
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
# the end, forgotten. A fourth was told a week before, and a fifth looks each Sunday at what came over what was forecast.

# %%
guess = {"pantry": 2.0, "household": 2.0, "frozen": 1.5, "produce": 0.7}
noticed = span[0] + 2
plans = shock_plans(span, guess, noticed)
plans["told before"] = shock_plans(span, guess, span[0] - 8)["short"]
plans["each Sunday"] = tracking_plan(shocked, span, noticed)
planned = plan_table(shocked, plans, tables, span)
planned.round(0)[["total_during", "total_after", "cell_during", "cell_after"]]

# %%
past = weekly_origins(span[0] - 7 * 30, span[0] + 364 - 45)
later = weekly_origins(span[0] + 364 - 30, span[1] + 364 + 20)
echo = echo_table(tables, past, later, demand, span)
echo["echo"].unstack("side").round(2)

# %% tags=["remove-cell"]
blind = weeks_blind(wrong)
up = wrong["bias"].xs("up")
saved = 1 - planned["total_during"] / planned.loc["none", "total_during"]
after = planned["total_after"] / planned.loc["none", "total_after"]
said_up = echo["echo"].unstack("side")["up"]
assert up.loc[0] < -0.2
assert after["forgotten"] > 1
assert scale != "small" or saved["told before"] > max(saved["short"], 0)
assert abs(said_up["last year"]) > abs(said_up["both"])
numbers(
    sh_first=percent(-up.loc[0]),
    sh_blind=count(blind["up"]),
    sh_whole=percent(saved["whole"]),
    sh_short=percent(saved["short"]),
    sh_sunday=percent(saved["each Sunday"]),
    sh_late=percent(planned.loc["whole", "late"]),
    sh_forgotten=f"{after['forgotten']:.1f}",
    sh_echo=percent(said_up["nothing"]),
    sh_both=percent(said_up["both"]),
    sh_last=percent(said_up["last year"]),
    sh_ahead=percent(saved["told before"]),
)

# %% [markdown]
# In its first week what people hoard is forecast {glue:text}`sh_first` too low, and it takes {glue:text}`sh_blind` weekly orders until the
# bias has halved. Of the error of each category's total, told before the orders the override takes {glue:text}`sh_ahead` away. Written on the third
# day it changes the error by {glue:text}`sh_short` if it expires after two weeks, by {glue:text}`sh_whole` if it is kept to the end, and the Sunday
# planner's by {glue:text}`sh_sunday` (a minus is more error): {glue:text}`sh_late` of it lay in orders placed before anybody knew, and by the time the
# override reaches an order the lags have learnt the shock and it is counted twice, while the shock fades. The forgotten one multiplies the error
# afterwards by {glue:text}`sh_forgotten`: hence an expiry, always.
#
# A year later last year's sales are {glue:text}`sh_last` too high in those weeks (beyond their usual error), the model that was told nothing
# {glue:text}`sh_echo`, and one whose shock weeks were left out of training and marked as missing {glue:text}`sh_both`: one feature among many, which
# trees hardly use here. It is last week's or last year's sales as a forecast that echo.
#
# (ch7-stacked)=
# ## Promotions that were never stacked before
#
# **Trees answer a discount that they never saw with the largest one they saw. A line goes on, and may go on too far. Who is right
# depends on how demand bends beyond what was seen, and no past tells you.**

# %%
from casebook.demand.features import build
from casebook.demand.stacked import PromotionModel, never_seen, promotion_rows
from casebook.demand.stacked import response

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
day = new[new["stacked"] > 1].head(1)
depths = -np.log1p(-np.array([0.0, 0.1, 0.2, 0.33, 0.45, 0.55]))
answers = {
    way: response(PromotionModel(way).fit(seen, seen["y"]), day, depths)
    for way in ("trees", "linear", "capped")
}
pd.DataFrame(answers).round(1)

# %% tags=["remove-cell"]
bent = studies.load("07_stacked")
twice = ratio.unstack("kind")["stacked"]
numbers(
    st_days=count((kind == "stacked").sum()),
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
# On {glue:text}`st_days` days with two promotions at once, forecast over what was to be expected: trees {glue:text}`st_trees`, a model that is
# linear in logs {glue:text}`st_linear`, trees on top of its lift (a cascade) {glue:text}`st_cascade`, and that with a cap at a quarter
# beyond the deepest cut seen {glue:text}`st_capped`. In this simulator demand *is* a straight line in log price, so the line is
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
lift = estimated_lifts(alone.truth["demand"], states)
right = true_lift(alone.truth, states)
lift["true gross"], lift["true net"] = right["gross"], right["net"]
lift[["gross", "net", "true gross", "true net"]].round(2)

# %% tags=["remove-cell"]
lifted = studies.load("07_lift")
margin = margin_of_promotions(alone.tables, alone.truth)
assert right["net"] < right["gross"]
assert lift.loc["naive", "gross"] > right["gross"]
numbers(
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
# Held against the category's other products on the same day: {glue:text}`li_season`. Against the same product where it is not promoted that day:
# {glue:text}`li_regions`. With factors for substitutes and the weeks after, net: {glue:text}`li_spill`. Over
# drawn grocers the naive lift is too high in {glue:text}`li_over`; where promotions stand in random weeks, in
# {glue:text}`li_over_null`. Adjusting comes nearer in {glue:text}`li_season_closer` (season) and {glue:text}`li_regions_closer`
# (regions). Net is smaller than gross by more than a tenth in {glue:text}`li_smaller`, and the shelf hides as much of the lift in {glue:text}`li_hides`.
# These promotions {glue:text}`li_margin` {glue:text}`li_dollars` of margin a week here, and cost margin in {glue:text}`li_falls` worlds: a
# discount on a product that would have been bought anyway is a gift.
#
# :::{admonition} Say it
# :class: say-it
# "A promotion week sells more for two reasons, and one of them is that we chose it. I compare the same product, the same day, in
# regions without the promotion, and I count what it took from its neighbours and from the fortnight after."
# :::
