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
# # 7. Worked example 4: demand forecasting for inventory
#
# **Sales are not demand, and a forecast is not an order. Trained on sales as they are, the same model's orders cost {glue:text}`md_plain` more; ordered as
# forecast, without looking at the shelf, it loses to last week's order. One quantile for all keeps {glue:text}`mo_source` of what could be kept, the
# newsvendor's own a product {glue:text}`mo_newsvendor`, and one that knows how long a unit keeps {glue:text}`mo_life`. Over drawn
# shops the last beats the first in {glue:text}`wo_life`.**
#
# "The source", below, is the interview guide that this course is built on. Each of its figures is judged on the [claims page](07_demand_claims).
#
# :::{admonition} Steps 1 to 9 of the interview's nine: a whole case
# :class: step
# In the interview: who owns the stock, two minutes of arithmetic, then what a missing unit costs and what one too many costs.
# Say "sales are not demand" before you say "gradient boosting".
# :::
#
# You will be able to turn two costs into a quantile, say which past a forecast may see, repair sales that a shelf cut off,
# compare models by what their orders cost, and order for a delivery rather than for a day. Cells with a solid rule are the core
# path, about 25 minutes with the bold sentences and the boxes. Three pages belong to this one: [in operation](07_demand_operations),
# [deeper](07_demand_deeper) and [on data that others made](07_demand_real). `seed` starts all randomness; `scale` is "small" or "full".

# %% tags=["parameters"]
seed = 7
scale = "small"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from scipy import stats

from casebook import cards, style
from casebook.demand.simulate import simulate
from casebook.demand.world import World
from casebook.page import count, dollars, numbers, percent
from casebook.worlds import share_holding

style.use()
rng = np.random.default_rng(seed)
stores, skus = {"small": (14, 60), "full": (128, 120)}[scale]

# %% [markdown]
# (ch7-prompt)=
# ## The prompt
#
# > "We're a grocery delivery service. Forecast next-week demand per (product x store) pair to drive inventory ordering."
#
# Amara orders for the stores. On Monday morning she sends one list to the suppliers, on Wednesday evening the goods come, and
# they must last from Thursday to the Wednesday after. What is missing she hears from customers; what is too much she sees in
# the bins. She does not ask for a forecast. She asks how many cases.
#
# The tempting answer is a model of sales, squared error, and an order equal to the forecast. Its price:
# the mean is {glue:text}`co_mean` dearer than the best order where a unit short costs five times one too many, and an order that does not look at the
# shelf keeps {glue:text}`mo_order` of what could be kept.
#
# ::::{admonition} Say it: the answer in sixty seconds
# :class: say-it
# "First, do we own the stock? If we do, I need two costs: a unit short and a unit left over. Ten dollars against two gives
# the 83rd percentile of demand, and a different one for milk than for batteries. Sales are demand cut off by the shelf, so I
# repair the days on which it ran empty before I train. The forecast is made on Sunday and its goods are sold from day four to
# day ten, so last week's sale is known for four of these days and not for the others. I start with last week, adjusted,
# then one boosted model for all products with the quantile as its loss, and I judge by what the orders would have cost, over
# several weeks, in the warehouse's own calendar with its case packs. Quantiles don't add up, so I order for the delivery, not
# for seven days one by one. In operation: one weekly job that can crash and be started again, named fallbacks, and overrides
# whose value is measured."
# ::::

# %% tags=["remove-input"]
cards.show(cards.load_card("04_demand"))

# %% [markdown]
# (ch7-scale)=
# ## Business context
#
# **A million products in a thousand stores are a billion cells and seven billion forecasts a week. Most of these cells do not
# exist, and the rest is a table that one night and a few machines can carry.** Begin with whom the stock belongs to. A grocer who owns
# it pays for what is left over; a delivery service that picks in other people's shops does not, and needs the chance of
# finding a thing rather than a quantile of demand. (Instacart publishes the latter: the company does not own the shelf.)

# %% tags=["core"]
from casebook.demand.scale import bytes_table, prompt_table

by_hand = prompt_table()
as_text = by_hand.assign(value=by_hand["value"].map("{:,.0f}".format))
as_text

# %%
day_of_sales = {"one day of all cells": 1e9, "two years of them": 730e9}
gigabytes = bytes_table(day_of_sales, ("float64", "float32", "uint8"))
gigabytes.map("{:,.0f}".format).rename_axis("gigabytes")

# %% tags=["remove-cell"]
per_night = 7e9 / (6 * 3600)
numbers(
    sc_cells=f"{by_hand.loc['cells', 'value'] / 1e9:.0f} billion",
    sc_forecasts=f"{by_hand.loc['forecasts', 'value'] / 1e9:.0f} billion",
    sc_history=f"{by_hand.loc['history', 'value'] / 1e9:.0f} billion",
    sc_gigabytes=f"{gigabytes.loc['one day of all cells', 'float32']:.0f}",
    sc_a_second=count(round(per_night, -3)),
)

# %% [markdown]
# In a window of six hours {glue:text}`sc_forecasts` forecasts are {glue:text}`sc_a_second` a second. Two years of history would be
# {glue:text}`sc_history` rows, and LightGBM counts rows in 32 bits: it takes two billion at most. So you train on a sample, and
# the scale is in prediction and in features. What that costs at rates measured on two cores is [a table of its
# own](07_demand_operations). Here is the grocer whom we simulate, small enough for this page.

# %% tags=["core"]
world = World()
grocer = simulate(world, stores, skus, rng)
tables, truth = grocer.tables, grocer.truth
sales = tables["sales"]
{name: len(table) for name, table in tables.items()}

# %% tags=["remove-cell"]
listed = len(tables["cells"]) / (stores * skus)
sold_mean = sales.groupby(["store_id", "sku_id"])["sold"].mean()
numbers(
    gr_stores=count(stores),
    gr_skus=count(skus),
    gr_cells=count(len(tables["cells"])),
    gr_listed=percent(listed),
    gr_rows=f"{len(sales) / 1e6:.1f} million",
    gr_out=percent(truth["stocked_out"].mean(), 1),
    gr_lost=percent(truth["lost"].sum() / truth["demand"].sum(), 1),
    gr_slow=percent((sold_mean < 1).mean()),
    gr_zero=percent((sales["sold"] == 0).mean()),
)

# %% [markdown]
# {glue:text}`gr_stores` stores, {glue:text}`gr_skus` products, three years: {glue:text}`gr_rows` rows of sales, in
# {glue:text}`gr_cells` cells, which are {glue:text}`gr_listed` of all pairs. The rest is not sold there, and a forecast of a cell
# that does not exist is an order that nobody can deliver. {glue:text}`gr_slow` of the cells sell less than one unit a day, and
# {glue:text}`gr_zero` of all rows are zeros. On {glue:text}`gr_out` of days somebody finds an empty shelf (8.3% in the
# survey by Gruen, Corsten and Bharadwaj, 2002). `truth` stands apart and judges; nothing is fitted on it. [The
# dials](../book/honesty.md) stand on the honesty page.
#
# (ch7-costs)=
# ## Success metric
#
# **Two costs make a quantile. Ten dollars a unit short and two a unit left over mean {glue:text}`co_ten`; with five and two,
# which the source's own metric is written with, it is {glue:text}`co_five`. Its P95 would take {glue:text}`co_p95` dollars a unit
# short.** The {term}`critical fractile` is the chance of selling a unit at which it is just worth having.

# %% tags=["core"]
from casebook.decisions.fractile import critical_fractile, money_by_quantile
from casebook.demand.source_costs import statements_table

fractile = critical_fractile(10.0, 2.0)
statements = statements_table()
statements[["words", "fractile", "cost_under_at", "verdict"]].round(3)

# %% tags=["core"]
above = {}
for dispersion in (0.3, 1.0, 3.0):
    spread = stats.nbinom(5 / dispersion, 1 / (1 + dispersion))
    lines = money_by_quantile(spread, 10, 2, taus=(0.5, 5 / 7, 0.95))
    above[dispersion] = lines["cost_above_best"] / lines["cost"].min()
above = pd.DataFrame(above).rename_axis(columns="dispersion")
above.round(2)

# %%
from casebook.demand import figures

taus = np.linspace(0.4, 0.98, 59)
curves = {}
for dispersion in (0.3, 1.0, 3.0):
    spread = stats.nbinom(50 / dispersion, 1 / (1 + dispersion))
    cost = money_by_quantile(spread, 10, 2, taus=taus)["cost"]
    curve = cost[cost.index.str.startswith("quantile")].to_numpy()
    curves[f"dispersion {dispersion:g}"] = pd.Series(
        curve / curve.min() - 1, taus
    )

# %% tags=["remove-input"] mystnb={"image": {"alt": "Three curves of cost above the least by the quantile ordered: all are lowest near the critical fractile, rise slowly above it and fast below."}}
marks = {"10 against 2": fractile, "5 against 2": 5 / 7, "P95": 0.95}
figures.cost_by_quantile(curves, fractile, marks)

# %% tags=["remove-cell"]
by_cost = statements.set_index(statements.index.astype(str))
assert by_cost.loc["costs", "verdict"] == "fits"
assert {by_cost.loc[k, "verdict"] for k in ("metric", "P95", "trust")} == {
    "too low",
    "too high",
    "wrong direction",
}
numbers(
    co_ten=f"{fractile:.3f}",
    co_five=f"{critical_fractile(5.0, 2.0):.3f}",
    co_p95=f"{by_cost.loc['P95', 'cost_under_at']:.0f}",
    co_trust=f"{by_cost.loc['trust', 'cost_under_at']:.0f}",
    co_mean=percent(above.loc["mean"].max()),
    co_median=percent(above.loc["quantile 0.5"].max()),
    co_p95_costs=percent(above.loc["quantile 0.95"].max()),
    co_five_costs=percent(above.loc["quantile 0.7143"].max()),
)

# %% [markdown]
# Rounding to whole units aside, ordering the median costs up to {glue:text}`co_median` more than the best order, the mean up to
# {glue:text}`co_mean`, P95 up to {glue:text}`co_p95_costs`, and the quantile of five against two up to {glue:text}`co_five_costs`.
# (Mean demand five a day; {term}`dispersion` is the variance over the mean, less one.) Near the best quantile the curve is
# flat: to have the costs right within a quarter matters less than to have asked.
#
# :::{admonition} The source says: 5:1 by raw cost, 2:1 with customers' trust
# :class: the-source-says
# {glue:text}`07_demand_claims.ipynb::v_trust:s` Trust that a customer loses makes an empty shelf *dearer*. Two to one means that a unit short costs
# {glue:text}`co_trust` dollars, six less than without trust.
# :::
#
# (ch7-per-sku)=
# ### A critical ratio per SKU
#
# **A unit of bread that stays is thrown away; a unit of soap that stays is sold next week. So there is no one quantile.** Short
# costs the margin and some goodwill. Too many costs, of what spoils, its cost less {term}`salvage`; of what keeps, a week's holding.

# %% tags=["core"]
from casebook.demand.play import Costs
from casebook.demand.policies import sku_fractiles
from casebook.demand.shelf import Supply

costs = Costs(goodwill=1.0)
everything = Supply.of(tables["cells"], tables["products"])
ratios = tables["cells"].merge(tables["products"], on="sku_id")
ratios = ratios[["category", "sku_id", "shelf_life_days"]].assign(
    ratio=sku_fractiles(everything, costs)
)
ratios = ratios.drop_duplicates("sku_id")
ratios.groupby("category", observed=True)[
    ["ratio", "shelf_life_days"]
].median().round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Dots of products by critical ratio, one row a category: what spoils lies far below what keeps, on both sides of the one ratio for all."}}
figures.ratios_by_category(ratios, fractile)

# %% tags=["remove-cell"]
by_shelf = ratios.groupby("category", observed=True)["ratio"].median()
assert by_shelf.min() < fractile < by_shelf.max()
numbers(
    ra_low=f"{by_shelf.min():.2f}",
    ra_low_name=by_shelf.idxmin(),
    ra_high=f"{by_shelf.max():.2f}",
    ra_high_name=by_shelf.idxmax(),
    ra_goodwill=dollars(costs.goodwill, 0),
)

# %% [markdown]
# From {glue:text}`ra_low` ({glue:text}`ra_low_name`) to {glue:text}`ra_high` ({glue:text}`ra_high_name`), with
# {glue:text}`ra_goodwill` of goodwill a unit. The newsvendor sells a paper that is worthless tomorrow; most of a grocer's goods
# are not. What that and the delivery's calendar change is next, and whether own ratios pay is [played](ch7-money).
#
# (ch7-calendar)=
# ### The calendar of the order
#
# **The forecast of Sunday is ordered on Monday, comes on Wednesday and is sold from Thursday to Wednesday. The order is for the
# sum of these days, and the sum of seven daily quantiles is not the quantile of the sum.**

# %%
from casebook.demand.order_up_to import WEEKLY
from casebook.demand.protection import week_by_correlation

WEEKLY.table(origin=6)

# %% tags=["core"]
week = week_by_correlation(
    np.full(7, 5.0), 0.5, (0.0, 0.3, 1.0), 10, 2, rng, draws=20_000
)
week[["order", "service_level", "cost", "cost_above_best"]].round(2)

# %% tags=["remove-cell"]
both = week["order"].unstack()
lost = week["cost_above_best"] / week["cost"].groupby("correlation").transform(
    "min"
)
served = week["service_level"].unstack()
assert both.loc[0.0, "sum of quantiles"] > both.loc[0.0, "quantile of the sum"]
assert served.loc[1.0, "days as independent"] < fractile - 0.05
numbers(
    ca_sum=f"{both.loc[0.0, 'sum of quantiles']:.0f}",
    ca_week=f"{both.loc[0.0, 'quantile of the sum']:.0f}",
    ca_cost=percent(lost.loc[(0.0, "sum of quantiles")]),
    ca_served=percent(served.loc[0.0, "sum of quantiles"]),
    ca_some=percent(lost.loc[(0.3, "sum of quantiles")]),
    ca_forgot=percent(served.loc[1.0, "days as independent"]),
)

# %% [markdown]
# With independent days seven daily quantiles order {glue:text}`ca_sum` where {glue:text}`ca_week` are right: they serve {glue:text}`ca_served`
# instead of {glue:text}`co_ten` and cost {glue:text}`ca_cost` more. If days move together the sum comes nearer (at a
# correlation of 0.3 it costs {glue:text}`ca_some` more), and who takes them as independent then serves {glue:text}`ca_forgot`. So either
# forecast the week itself, or draw whole weeks ([paths](ch7-network)).
#
# Monday's order is placed before Monday is sold. What stands on the shelf then must last until Wednesday night: the
# {term}`protection interval` is ten days, {term}`lead time` and {term}`review period` together, and the level to order up to is a quantile of ten
# days' demand, less what is there and on its way.
#
# :::{admonition} They push back: "Then why forecast by day at all?"
# :class: they-push-back dropdown
# For bread, which is ordered daily; for promotions that begin on the Thursday; for the part of the week that is left when a
# lorry is late. And since whoever sums days keeps the calendar; whoever forecasts weeks must put holidays back by hand.
# :::
#
# (ch7-pinball)=
# ## Why quantile loss not MSE
#
# **Squared error learns the mean, whatever the costs. The {term}`pinball loss` charges tau for a unit short and 1 - tau for a unit too many, so that
# what it learns is the quantile; at the critical fractile it is the cost of the order, up to a factor.**


# %% tags=["core"]
def pinball(y, q, tau):
    """Return the loss of forecasting q where y came."""
    short = np.maximum(y - q, 0)
    over = np.maximum(q - y, 0)
    return tau * short + (1 - tau) * over


# %% tags=["core"]
from sklearn.metrics import mean_pinball_loss

from casebook.decisions.fractile import newsvendor_cost
from casebook.demand.pinball_demo import demonstration

shop, product = sold_mean.idxmax()
one = sales.query("store_id == @shop and sku_id == @product")["sold"]
demonstration(one, (0.5, 5 / 7, 10 / 12, 0.95)).round(2)

# %% tags=["remove-cell"]
guess = one.mean()
ours = pinball(one, guess, fractile).mean()
assert np.isclose(
    ours, mean_pinball_loss(one, np.full(len(one), guess), alpha=fractile)
)
assert np.isclose(12 * ours, newsvendor_cost(one, guess, 10, 2).mean())

# %% [markdown]
# On one product's days: the empirical quantile, the number with the least loss by trying all, and LightGBM's constant with
# `objective="quantile"`; then their losses, and the loss of the mean. Ours equals scikit-learn's.

# %% [markdown]
# (ch7-frame)=
# ## Frame as ML problem
#
# **A billion cells share one model, and what the model is asked for is a quantile of demand on days four to ten.**
#
# | | naive | winning |
# | --- | --- | --- |
# | unit | product, store, day | product, store, day, *as seen from one Sunday* |
# | label | units sold | units wanted: sales, repaired where the shelf was empty |
# | output | a number | quantiles of the days that an order covers |
# | loss | squared error | pinball, at each product's own fractile |
# | use | the forecast is the order | a level to order up to, less stock, in whole cases |
#
# (ch7-censored)=
# ## Data
#
# **Sales are demand cut off by the shelf. Taken as they are they are {glue:text}`ce_as_is` too low, and dropping the days on which
# the shelf ran empty does not mend it: {glue:text}`ce_drop`, since those were the days on which many came.** Three repairs: scale
# up by the hour in which the shelf ran empty; the likelihood of a {term}`Tobit model`, for counts; and the app's own log of people who
# tried to add what was gone.

# %% tags=["core"]
from casebook.demand.hour_profile import learn_profile
from casebook.demand.unconstrain import WAYS, bias, unconstrain

last = (sales["day"] >= 1092 - 364).to_numpy()  # a year will do to compare
seen, true = (part[last].reset_index(drop=True) for part in (sales, truth))
profile, products = learn_profile(tables["hours"]), tables["products"]
cell = seen["store_id"] * 1_000 + seen["sku_id"]
repaired = {
    way: unconstrain(seen, way, products=products, profile=profile)
    for way in WAYS
}
off = pd.DataFrame(
    {way: bias(guess, true, cell).loc["all"] for way, guess in repaired.items()}
).T
off[["bias", "bias_stockout", "error"]].round(3)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Bars of bias in estimated demand by way: sales as they are and without empty days are clearly too low, the three repairs are near zero."}}
words = {
    "as is": "sales as they are",
    "drop": "without empty days",
    "hours": "by the hour",
    "tobit": "censored counts",
    "app": "the app's log",
}
closest = off["bias"].abs().idxmin()
figures.bars(
    off["bias"].rename(words),
    f"Nearest to what was wanted: {words[closest]}",
    "estimated over true demand, less one",
    "bias",
    [words["hours"], words["tobit"], words["app"]],
)

# %% [markdown]
# The flag says when the shelf ran empty as the *record* has it, and records are wrong. Here is the same with
# one record in ten wrong at a time.

# %%
wrong = simulate(
    World(record_error=0.1), stores, skus, np.random.default_rng(seed)
)
late = (wrong.tables["sales"]["day"] >= 1092 - 364).to_numpy()
seen_wrong = wrong.tables["sales"][late].reset_index(drop=True)
true_wrong = wrong.truth[late].reset_index(drop=True)
cell_wrong = seen_wrong["store_id"] * 1_000 + seen_wrong["sku_id"]
off_wrong = {}
for way in WAYS:
    guess = unconstrain(
        seen_wrong, way, products=wrong.tables["products"], profile=profile
    )
    off_wrong[way] = bias(guess, true_wrong, cell_wrong).loc["all"]
off_wrong = pd.DataFrame(off_wrong).T
off_wrong[["bias", "bias_stockout", "error"]].round(3)

# %% tags=["remove-cell"]
flagged = seen_wrong["stocked_out"][true_wrong["stocked_out"]].mean()
assert off.loc["as is", "bias"] < -0.02 and off.loc["drop", "bias"] < -0.02
assert off["error"].idxmin() == off_wrong["error"].idxmin()
numbers(
    ce_as_is=percent(-off.loc["as is", "bias"], 1),
    ce_drop=percent(-off.loc["drop", "bias"], 1),
    ce_hours=percent(off.loc["hours", "bias"], 1),
    ce_tobit=percent(off.loc["tobit", "bias"], 1),
    ce_app=percent(off.loc["app", "bias"], 1),
    ce_best=words[off["error"].idxmin()],
    ce_flagged=percent(flagged),
    ce_wrong_hours=percent(off_wrong.loc["hours", "bias"], 1),
    ce_wrong_tobit=percent(off_wrong.loc["tobit", "bias"], 1),
    ce_wrong_app=percent(off_wrong.loc["app", "bias"], 1),
)
del wrong, seen_wrong, true_wrong, guess, repaired

# %% [markdown]
# Where records are wrong the flag sees {glue:text}`ce_flagged` of the days on which somebody was turned away, and what rests on the flag
# is off by {glue:text}`ce_wrong_hours` (hours) and {glue:text}`ce_wrong_tobit` (censored counts); the app's log, which asks no
# record, by {glue:text}`ce_wrong_app`. Least error in both: {glue:text}`ce_best`. It is a delivery service's privilege: every order comes
# through the app. A shop with a door does not see who leaves.
#
# (ch7-spiral)=
# ### The spiral
#
# **Low forecasts make low orders, low orders make low sales, and low sales make low forecasts.** Each week the mean of the last eight
# weeks' sales is ordered, for cells that want the same all year.

# %%
from casebook.demand.spiral import run_spiral, spiral_by_level

asked = rng.negative_binomial(5, 0.2, (400, 112))  # stays as it is
ways = {
    "sales as they are": "as is",
    "without sold-out weeks": "drop",
    "censored counts": "tobit",
    "true demand": "truth",
}
runs = {name: run_spiral(asked, way) for name, way in ways.items()}
never = run_spiral(asked, "as is", unlimited=True)
by_tau = spiral_by_level(asked, (0.6, 5 / 7, 10 / 12, 0.95), rng, fitted=True)
by_tau["order_kept"].unstack().round(2)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Lines of orders over demand by week: with sales as they are the line falls week after week, with repaired demand it stays."}}
end = {
    name: run.tail(13)["order"].mean() / run.tail(13)["demand"].mean()
    for name, run in runs.items()
}
figures.spiral_lines(
    runs, f"After two years orders are {end['sales as they are']:.0%} of demand"
)

# %% tags=["remove-cell"]
kept = by_tau["order_kept"].unstack()
idle = never.tail(13)["order"].mean() / never.tail(13)["demand"].mean()
assert end["sales as they are"] < 0.8 < end["censored counts"]
assert abs(idle - 1) < 0.03
numbers(
    sp_end=percent(end["sales as they are"]),
    sp_tobit=percent(end["censored counts"]),
    sp_null=percent(idle),
    sp_low=percent(kept.loc[0.6, "as is"]),
    sp_high=percent(kept.loc[0.95, "as is"]),
)

# %% [markdown]
# After two years the order is {glue:text}`sp_end` of what is wanted, with repaired demand {glue:text}`sp_tobit`; where
# nothing is ever cut off, {glue:text}`sp_null`. The mean is the worst case, since half of all weeks sell out. Who orders a high
# quantile, with a spread taken from full shelves, spirals less: at 0.6 the loop keeps {glue:text}`sp_low` of the order that true
# demand would make, at 0.95 {glue:text}`sp_high`.
#
# (ch7-leak)=
# ### What is known on Sunday
#
# **The source's lag of seven days is known for days four to seven and is a leak for days eight to ten. Weather and promotions are
# to be taken as they were known, not as they came.**

# %% tags=["core"]
from casebook.demand.origins import legal_lags

legal_lags()

# %% [markdown]
# The feature builder takes an origin and horizons and cannot see past them: one query in DuckDB, the same for a warehouse. Every
# day is the target of exactly one Sunday.

# %% tags=["core"]
from casebook.demand.features import build
from casebook.demand.origins import weekly_origins

wanted = unconstrain(sales, "app", products=products)
known = {**tables, "sales": sales.assign(wanted=wanted)}
weeks = {"small": 40, "full": 30}[scale]
first_origin = 1091 - 7 * weeks - 14
origins = weekly_origins(first_origin, 1091 - 10)
frame = build(known, origins, target="wanted")
frame[["store_id", "sku_id", "origin", "horizon", "y", "lag_14"]].head(3)

# %% [markdown]
# How much would the leaks flatter? Plant them: the lag of seven days for all horizons, rolling means that end the day before the
# target, the weather as it came, promotions that nobody had announced. One quantile, fitted with and without them, tested on the
# last {glue:text}`le_weeks` Sundays, with what was then in the table; and with what is there on the Sunday itself.

# %%
from casebook.demand.evaluate import pinball as mean_pinball
from casebook.demand.leaked import add_leaks, swap_leaks
from casebook.demand.models import BoostedMean, BoostedQuantiles, SeasonalNaive
from casebook.demand.rolling import last_origins, roll, seconds_of

tests = last_origins(frame, weeks=9)
few = frame[frame["origin"] >= tests[0] - 7 * 16]
leaky = swap_leaks(add_leaks(few, tables))
one_tau, learner = [10 / 12], BoostedQuantiles([10 / 12], trees=80)
honest, flattered = (roll(learner, part, tests, one_tau) for part in (few, leaky))
came = few["y"].to_numpy()[honest.rows]
offline = {
    "honest": mean_pinball(came, honest.forecasts).iloc[0],
    "leaky, offline": mean_pinball(came, flattered.forecasts).iloc[0],
}
pd.Series(offline, name="pinball loss at 0.833").round(3).to_frame()

# %% [markdown]
# On the Sunday of an order those columns hold something else: the lag of days eight to ten is not there, the rolling means end on Sunday,
# the weather is a forecast. The same leaky model, given that:

# %%
from casebook.demand.leaked import IN_PLACE_OF, LEAKS

sunday = leaky.copy()
for leak, columns in LEAKS.items():
    for leaked, plain in zip(columns, IN_PLACE_OF[leak], strict=True):
        sunday[leaked] = few[plain]
on_sunday = flattered.model.predict(
    sunday.iloc[flattered.rows].drop(columns="y"), one_tau
)
offline["leaky, on Sunday"] = mean_pinball(came, on_sunday).iloc[0]
pd.Series(offline, name="pinball loss at 0.833").round(3).to_frame()

# %% tags=["remove-cell"]
gain = 1 - offline["leaky, offline"] / offline["honest"]
price = offline["leaky, on Sunday"] / offline["honest"] - 1
assert gain > 0 and price > -0.02
numbers(
    le_gain=percent(gain, 1),
    le_price=percent(price, 1),
    le_weeks=count(len(tests)),
)
del leaky, sunday, few, honest, flattered, on_sunday

# %% [markdown]
# The leaks promise a loss {glue:text}`le_gain` smaller, and deliver one {glue:text}`le_price` larger. A time split does not find
# them: every row's past lies before its test, and the leak is in the row.
#
# (ch7-features)=
# ### Features

# %%
from casebook.demand.feature_spec import FEATURES

pd.Series(FEATURES, name="what it says").sample(8, random_state=seed).to_frame()

# %% [markdown]
# {glue:text}`fe_n` in all: last sales by weekday, means and spread over four windows that end on Sunday, the same week last year, level and
# trend of store, category and region, the calendar of the *target* day, the planned price, the forecast weather, and what the
# product and the store are. The tests shuffle everything after the origin and find every feature unchanged.
#
# (ch7-models)=
# ## Model
#
# **One boosted model for all products has {glue:text}`md_gain` less pinball loss than last week, adjusted. Trained on sales as they
# are it looks as good to the company, and its orders are too small.** All are fitted once, before the first of {glue:text}`le_weeks`
# Sundays, and rolled.

# %% tags=["core"]
from casebook.demand.conformal import Mended

grid = (0.1, 0.3, 0.5, 5 / 7, 10 / 12, 0.95)
boosted = Mended(BoostedQuantiles(grid, trees=80), days=28)
as_sold = build(known, origins, target="sold")
learners = {
    "v0 last week, adjusted": (SeasonalNaive(), frame),
    "boosted, squared error": (BoostedMean(trees=80), frame),
    "boosted, on sales as they are": (boosted, as_sold),
    "v1 boosted quantiles": (boosted, frame),
}
rolled = {
    name: roll(model, table, tests, grid)
    for name, (model, table) in learners.items()
}

# %%
from casebook.demand.score_table import score_table

rows = rolled["v1 boosted quantiles"].rows
asked_for = frame.iloc[rows]
at = sales[["store_id", "sku_id", "day"]].assign(demand=truth["demand"])
asked_for = asked_for.merge(at, on=["store_id", "sku_id", "day"], how="left")
shelf = products.set_index("sku_id")["category"]
scores = score_table(
    asked_for["demand"],
    {name: one.forecasts.reset_index(drop=True) for name, one in rolled.items()},
    10.0,
    2.0,
    category=shelf.loc[asked_for["sku_id"]].astype(str).to_numpy(),
    seconds=pd.DataFrame({k: seconds_of(one) for k, one in rolled.items()}).T,
)
shown = ["pinball", "pinball_0.833", "wape", "coverage_0.833", "bias_order"]
scores[[*shown, "money_day", "fit_seconds", "predict_seconds"]].round(2)

# %% [markdown]
# Judged against what was truly wanted, day by day; `money_day` is ten dollars a unit short and two a unit over, in dollars. WAPE by category:

# %%
by_shelf = scores.filter(regex="^wape_").rename(columns=lambda c: c[5:])
by_shelf.round(2)

# %% tags=["remove-cell"]
naive, plain, best = (
    scores.loc[k]
    for k in (
        "v0 last week, adjusted",
        "boosted, on sales as they are",
        "v1 boosted quantiles",
    )
)
assert best["pinball"] < naive["pinball"]
assert plain["bias_order"] < best["bias_order"]
numbers(
    fe_n=count(len(FEATURES)),
    md_gain=percent(1 - best["pinball"] / naive["pinball"]),
    md_plain=percent(plain["money_day"] / best["money_day"] - 1, 1),
    md_covers=percent(best["coverage_0.833"], 1),
    md_covers_plain=percent(plain["coverage_0.833"], 1),
    md_rows=count(len(asked_for)),
)

# %% [markdown]
# Trained on sales as they are, the quantiles cost {glue:text}`md_plain` more than trained on repaired demand: they cover
# {glue:text}`md_covers_plain` of what was wanted where {glue:text}`md_covers` of v1's do. The company cannot see it, since it holds both against
# sales.
#
# "LightGBM handles them via mean encoding", the source says of the ids; [it does something else](ch7-categories). Its v2
# names two networks as hierarchical models; [they are not](ch7-names), and one of them is [fitted](ch7-network) beside
# {term}`ETS`, Croston's method and TSB.
#
# (ch7-crossing)=
# ### Crossing and coverage
#
# **A model a quantile knows nothing of its neighbours, and nothing holds its coverage on new data. Sort the quantiles, and shift
# them by what the last weeks before the test showed.**

# %%
from casebook.demand.evaluate import coverage_table
from casebook.demand.quantile_fix import crossing, rearrange

v1 = rolled["v1 boosted quantiles"]
unmended = v1.model.model_.predict(frame.iloc[v1.rows].drop(columns="y"), grid)
wanted_then = asked_for["demand"].to_numpy()
weeks_apart = asked_for["origin"].to_numpy()
fixed = {
    "as fitted": rearrange(unmended).reset_index(drop=True),
    "shifted": v1.forecasts.reset_index(drop=True),
}
covered = coverage_table(wanted_then, fixed, weeks_apart)
covered[["share", "low", "high", "holds"]].round(3)

# %% tags=["remove-cell"]
upper = covered.loc[(slice(None), list(grid[3:])), :]  # below, zeros decide
apart = upper["share"].unstack(0).sub(list(grid[3:]), axis=0).abs().mean()
holds = covered["holds"].unstack(0).sum()
numbers(
    cr_rows=percent(crossing(unmended).share, 1),
    cr_fitted=percent(apart["as fitted"], 1),
    cr_shifted=percent(apart["shifted"], 1),
    cr_holds_fitted=f"{holds['as fitted']} of {len(grid)}",
    cr_holds_shifted=f"{holds['shifted']} of {len(grid)}",
    cr_at=percent(covered.loc[("as fitted", 10 / 12), "share"], 1),
)

# %% [markdown]
# Before they are sorted quantiles cross in {glue:text}`cr_rows` of the rows. A low quantile of a slow seller is zero and covers all days without a
# sale, so the share is at least the level there and no more can be asked. In the upper half the quantiles as fitted are
# {glue:text}`cr_fitted` off on average, shifted {glue:text}`cr_shifted`. The interval over weeks (rows of one Sunday are not independent) holds the
# level for {glue:text}`cr_holds_fitted` as fitted and {glue:text}`cr_holds_shifted` shifted. "LightGBM with tau = 0.83 covers 83%" is a hope: here it covers
# {glue:text}`cr_at`.
#
# ## Hierarchical reconciliation
#
# **Forecasts by level disagree, {term}`MinT` makes them agree, and whether that makes them better depends on the leaves.** Of
# {glue:text}`07_demand_deeper.ipynb::rw_n:s` drawn shops the {term}`leaves <leaf>` get better in {glue:text}`07_demand_deeper.ipynb::rw_leaves:s` and the total worse in
# {glue:text}`07_demand_deeper.ipynb::rw_total_hurt:s`: [where it helps and where it hurts](ch7-reconcile). And quantiles do not add: what a warehouse of
# twenty stores needs is [not the sum of theirs](ch7-quantiles-add).
#
# (ch7-disagree)=
# ## Evaluation
#
# **WAPE, pinball loss and money are three questions, and they need not have the same answer.** A forecast of the median has the least absolute
# error there is; for a slow seller the median is zero, and who orders by it sells nothing.

# %%
from casebook.demand.wape_points import points_compared

slow = stats.nbinom(0.3 / 0.6, 1 / 1.6).pmf(np.arange(30))  # three in ten days
slow_seller = points_compared(slow / slow.sum(), 10.0, 2.0)
slow_seller.round(2)

# %%
from casebook.demand.score_table import disagreement

verdict = disagreement(scores, ("wape", "pinball", "money_day"))
shelves = {}
for name, part in asked_for.groupby(
    shelf.loc[asked_for["sku_id"]].to_numpy(), observed=True
):
    told = {k: one.forecasts.iloc[part.index] for k, one in rolled.items()}
    by_model = score_table(part["demand"], told, 10.0, 2.0)
    found = disagreement(by_model, ("wape", "pinball", "money_day"))
    shelves[str(name)] = found.best["best"]
shelves = pd.DataFrame(shelves).T
shelves

# %% tags=["remove-input"] mystnb={"image": {"alt": "Three panels of bars by model: how far each is behind the best in WAPE, in pinball loss and in money; the order of the models differs between the panels."}}
words = {"wape": "WAPE", "pinball": "pinball", "money_day": "money"}
places = scores[list(words)].rank()
same = bool((places.nunique(axis=1) == 1).all())
figures.measures_disagree(
    scores,
    words,
    "Three measures, one order" if same else "Three measures do not rank alike",
)

# %% tags=["remove-cell"]
torn = (shelves.nunique(axis=1) > 1).sum()
assert slow_seller.loc["zero", "wape"] <= slow_seller["wape"].min() + 1e-9
assert slow_seller.loc["zero", "money"] > slow_seller.loc["fractile", "money"]
numbers(
    di_torn=f"{torn} of {len(shelves)}",
    di_same="rank the four models alike"
    if same
    else "do not rank the four models alike",
    di_zero=f"{slow_seller.loc['zero', 'wape']:.2f}",
    di_fractile=f"{slow_seller.loc['fractile', 'wape']:.2f}",
    di_cost=percent(
        slow_seller.loc["zero", "money"] / slow_seller.loc["fractile", "money"]
        - 1
    ),
)

# %% [markdown]
# For a product that sells three units in ten days a forecast of nothing has a WAPE of {glue:text}`di_zero`, the best order one of
# {glue:text}`di_fractile`, and nothing costs {glue:text}`di_cost` more. Over all products the three measures {glue:text}`di_same`;
# category by category they name different winners in {glue:text}`di_torn`. So choose the model by money, print pinball by tau
# and coverage beside it, and keep WAPE for the meeting in which somebody asks "how far off are you".
#
# (ch7-packs)=
# ### Orders come in cases
#
# **Goods come in whole cases, and in {glue:text}`pk_fixed` of the weekly orders the case decides, whatever the quantile.**

# %%
from casebook.demand.case_packs import fixed_by_change, fixed_by_tau
from casebook.demand.grids import by_cell_and_day
from casebook.demand.path_forecasts import QuantileGrid
from casebook.demand.trial import cut_trial

monday, end = tests[1] + 1, tests[-1] + 10
trial = cut_trial(grocer, int(monday), int(end - monday + 1))
told = by_cell_and_day(
    v1.forecasts,
    frame.iloc[v1.rows],
    trial.keys,
    int(monday),
    trial.wanted.shape[1],
)
weekly = trial.supply.review_days == 7
level = QuantileGrid(int(monday), told, grid, correlation=0.1)
reach = trial.supply.lead_days + trial.supply.review_days
ten_days = np.column_stack(
    [
        level.quantile(int(monday), reach, tau)
        for tau in (0.5, 5 / 7, 10 / 12, 0.95)
    ]
)
packs_fixed = pd.Series(
    {
        "same cases from the median to P95": fixed_by_tau(
            ten_days[weekly],
            trial.supply.case_pack[weekly],
            stock=trial.stock[weekly],
        ).mean(),
        "same cases if the forecast moves by a fifth": fixed_by_change(
            ten_days[weekly, 2],
            trial.supply.case_pack[weekly],
            (-0.2, 0.2),
            stock=trial.stock[weekly],
        ).mean(),
    },
    name="share of weekly orders",
)
packs_fixed.round(2).to_frame()

# %% tags=["remove-cell"]
numbers(
    pk_fixed=percent(packs_fixed.iloc[0]),
    pk_change=percent(packs_fixed.iloc[1]),
    pk_case=f"{trial.supply.case_pack[weekly].min()} to {trial.supply.case_pack[weekly].max()}",
)

# %% [markdown]
# With {glue:text}`pk_case` units a case, what stands on the shelf taken off, the order is the same from the median to P95 in
# {glue:text}`pk_fixed` of weekly cells, and the same if the forecast moves by a fifth either way in {glue:text}`pk_change`.
# There a better model changes nothing; a smaller case would.
#
# (ch7-money)=
# ### Money: forecast, order, stock, sales
#
# **Played over eight weeks, the source's single quantile keeps {glue:text}`mo_source` of what could be kept, a newsvendor's own
# quantile a product {glue:text}`mo_newsvendor`, and one that knows that a unit left over is sold later {glue:text}`mo_life`.** Every policy meets the same customers; what is left carries over, spoils on its
# day, and comes in cases. "What could be kept" is what somebody who knows all demand earns, less last week's sales ordered again.

# %% tags=["core"]
from casebook.demand.oracle import Oracle
from casebook.demand.play import play
from casebook.demand.policies import P95, ForecastIsOrder, GlobalFractile
from casebook.demand.policies import LastWeek, MeanForecast, Nothing
from casebook.demand.policies import PerSkuFractile, SumOfDaily
from casebook.demand.shelf_life import ShelfLifeFractile

shop = trial.supply
policies = {
    "nothing": Nothing(),
    "last week": LastWeek(shop, trial.sold[:, -7:]),
    "mean": MeanForecast(level, shop),
    "P95": P95(level, shop),
    "source: 0.833 for all": GlobalFractile(level, shop, 10 / 12),
    "source: seven daily 0.833": SumOfDaily(level, shop),
    "source: forecast is order": ForecastIsOrder(level, shop),
    "newsvendor's own": PerSkuFractile(level, shop, costs),
    "own, with shelf life": ShelfLifeFractile(level, shop, costs),
    "oracle": Oracle(trial.wanted, shop, trial.first_day, trial.stock, costs),
}

# %% tags=["core"]
from casebook.demand.ledger import money_table
from casebook.demand.trial import LEAD_IN

ledgers = {
    name: play(
        trial.wanted,
        shop,
        policy,
        trial.first_day,
        trial.stock,
        np.random.default_rng(seed),
        world.recapture,
        costs,
        LEAD_IN,
        trial.price,
    )
    for name, policy in policies.items()
}
played = money_table(ledgers, weeks=8)
shown = ["net", "captured_week", "waste_cost", "fill_rate", "waste_share"]
played[shown].astype(float).round(2)

# %%
sold_grid = by_cell_and_day(
    rolled["boosted, on sales as they are"].forecasts,
    as_sold.iloc[rows],
    trial.keys,
    int(monday),
    trial.wanted.shape[1],
)
on_sales = QuantileGrid(int(monday), sold_grid, grid, correlation=0.1)
again = play(
    trial.wanted,
    shop,
    ShelfLifeFractile(on_sales, shop, costs),
    trial.first_day,
    trial.stock,
    np.random.default_rng(seed),
    world.recapture,
    costs,
    LEAD_IN,
    trial.price,
)
week_by_week = {
    name: ledgers[name].daily_net.reshape(8, 7).sum(axis=1)
    for name in ("own, with shelf life", "source: 0.833 for all")
}
week_by_week["on sales as they are"] = again.daily_net.reshape(8, 7).sum(axis=1)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Bars of what each policy keeps of what could be kept; some policies of the source are below zero, the quantile that knows the shelf life is longest but for the oracle's."}}
kept = (
    played["captured_week"].astype(float).drop(["nothing", "last week", "oracle"])
)
kept = kept.sort_values(ascending=False)
advised = "own, with shelf life"
figures.bars(
    kept,
    f"{kept.index[0].capitalize()} keeps most: {kept.iloc[0]:.0%}",
    "of what the oracle earns beyond last week's sales",
    "share kept, eight weeks",
    [advised],
)

# %%
from casebook.demand.newsvendor_limits import Product, limits_table

limits = limits_table(Product(), costs, rng)
limits[["fractile", "best_tau", "lost", "fill_rate", "waste_share"]].round(2)

# %% tags=["remove-cell"]
from casebook.worlds import paired_interval

gap = paired_interval(
    week_by_week["own, with shelf life"], week_by_week["source: 0.833 for all"]
)
cut = paired_interval(
    week_by_week["own, with shelf life"], week_by_week["on sales as they are"]
)
assert scale != "small" or kept[advised] > kept["newsvendor's own"]
assert (
    scale != "small" or kept["newsvendor's own"] < kept["source: 0.833 for all"]
)
numbers(
    mo_source=percent(kept["source: 0.833 for all"]),
    mo_newsvendor=percent(kept["newsvendor's own"]),
    mo_life=percent(kept[advised]),
    mo_mean=percent(kept["mean"]),
    mo_p95=percent(kept["P95"]),
    mo_daily=percent(kept["source: seven daily 0.833"]),
    mo_order=percent(kept["source: forecast is order"]),
    mo_gap=f"{dollars(gap.mean)} a week ({dollars(gap.low)} to {dollars(gap.high)})",
    mo_cut=f"{dollars(cut.mean)} a week ({dollars(cut.low)} to {dollars(cut.high)})",
    mo_fill=percent(played.loc[advised, "fill_rate"]),
    mo_waste=percent(played.loc[advised, "waste_share"]),
    mo_fill_source=percent(played.loc["source: 0.833 for all", "fill_rate"]),
    mo_waste_source=percent(played.loc["source: 0.833 for all", "waste_share"]),
    mo_last=dollars(played.loc["last week", "net"]),
    mo_net=dollars(played.loc[advised, "net"]),
)

# %% [markdown]
# The source counts differently: each day is a fresh {term}`newsvendor`, the forecast is the order, and what is left is gone. Ordered so in
# this shop, the forecast keeps {glue:text}`mo_order`: the shelf fills with what was already there. The newsvendor's own quantile
# a product treats milk that keeps three weeks as if it were thrown away on Wednesday, and here it loses to one quantile for all. Put carry-over in,
# and own quantiles earn {glue:text}`mo_gap` more than 0.833 for all (the interval is paired over eight weeks). Against the same
# policy trained on sales as they are it is {glue:text}`mo_cut`: cases and carry-over swallow a part of what [the loss](ch7-models) shows.
#
# What the newsvendor does not know, each switched on alone for one product with known demand, is the last table: the quantile that earned
# most, and what the newsvendor's costs. Once a unit left over can be sold next week, the best quantile rises far above
# the textbook's.
#
# :::{admonition} They push back: "So the source's 0.83 was right after all?"
# :class: they-push-back dropdown
# As one number for a shop where half of the goods keep, it is near the best single one here. It was derived from two costs that
# are not this shop's. What moves it is the {term}`shelf life`, the holding cost and the case, not the two dollars.
# :::
#
# (ch7-worlds)=
# ### Over drawn worlds
#
# **In {glue:text}`wo_n` drawn shops, each with its own costs, cases and planner, 0.833 for all beats the mean in {glue:text}`wo_mean` and P95 in {glue:text}`wo_p95`. The
# newsvendor's own quantiles beat it in {glue:text}`wo_newsvendor`; own quantiles that know shelf life beat it in {glue:text}`wo_life`.** Where everything is ordered ahead,
# nothing is left to forecast and no policy beats another ({glue:text}`wo_null`).

# %%
from casebook import studies
from casebook.demand.studies import STUDIES

drawn = studies.load("07_money")
gained = drawn.frame.filter(regex="^gained_")
gained = gained.rename(columns=lambda c: c[7:].replace("_", " "))
marks = ["nothing", "last week", "oracle"]
gained.drop(columns=marks, errors="ignore").agg(["mean", "min", "max"]).T.round(
    2
).sort_values("mean", ascending=False)

# %%
money_study = next(one for one in STUDIES if one.name == "07_money")
again = studies.verify(money_study, drawn, 1, np.random.default_rng(seed))
print(
    f"{drawn.n} drawn and {len(drawn.null_frame)} null shops at commit "
    f"{drawn.commit}; one of each, played again just now: {len(again)} values agree."
)

# %%
from casebook.worlds import flip_map_of

over = drawn.frame.assign(
    gain=drawn.frame["gained_p95"] - drawn.frame["gained_global"]
)
cells = flip_map_of(over, drawn.dials, "goodwill", "dispersion", 2, 2, "gain")
wins = cells.assign(wins=cells["share_positive"] * cells["n"])
wins = wins.groupby("goodwill")[["wins", "n"]].sum().round().astype(int)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Flip map of what P95 keeps beyond the quantile from the source's costs, by goodwill across and holding cost upwards: it loses at low goodwill and comes near or wins at high goodwill."}}
from casebook.flip_figures import gain_map

low, high = wins.iloc[0], wins.iloc[-1]
gain_map(
    cells,
    ("goodwill", "goodwill, dollars a unit lost"),
    ("dispersion", "dispersion of baskets"),
    f"P95 wins in {low['wins']} of {low['n']} shops where goodwill is small, "
    f"in {high['wins']} of {high['n']} where it is large",
    "P95 less 0.833, share of what could be kept",
    0.5,
)


# %% tags=["remove-cell"]
def share(finding, null=False):
    frame = drawn.null_frame if null else drawn.frame
    return str(share_holding(frame[finding]))


assert not drawn.frame["oracle_is_beaten"].any()
numbers(
    wo_n=count(drawn.n),
    wo_mean=share("fractile_beats_mean"),
    wo_p95=share("p95_loses_to_fractile"),
    wo_newsvendor=share("per_sku_beats_global"),
    wo_life=share("life_beats_global"),
    wo_life_all=share("life_beats_all"),
    wo_null=share("life_beats_global", null=True),
    wo_daily=share("sum_of_daily_loses"),
    wo_daily_more=share("sum_of_daily_quantiles_overorders"),
    wo_order=share("forecast_is_order_loses_to_last_week"),
    wo_count=share("source_count_picks_same_policy"),
    wo_own_count=share("own_count_picks_same_policy"),
    wo_count_costs=percent(drawn.frame["source_costs"].mean()),
    wo_own_costs=percent(drawn.frame["own_costs"].mean()),
)

# %% [markdown]
# Each shop is played with a cheap forecast, recent moments of each cell and weekday. Against the best single quantile in hindsight own
# quantiles with shelf life still win in {glue:text}`wo_life_all`. Seven daily quantiles have more delivered in {glue:text}`wo_daily_more` and earn less
# in {glue:text}`wo_daily`, hardly better than a coin: their surplus is a crude insurance. The forecast as an order loses to last week's in
# {glue:text}`wo_order`.
#
# The source's evaluation, each day a fresh newsvendor, picks the policy that earns most in {glue:text}`wo_count` shops with its two costs
# and in {glue:text}`wo_own_count` with each product's own; to follow it costs {glue:text}`wo_count_costs` and {glue:text}`wo_own_costs` of what
# could be kept. Count money by playing.

# %% [markdown]
# ## Deployment
#
# **One command on Sunday night reads Parquet, writes orders and a report, can be killed anywhere and started again, and names its
# fallback where a store's data are late.** [The weekly job](ch7-job) with its [crash](ch7-crash) and its
# [fallbacks](ch7-fallback); the [override tool](ch7-override), whose every entry is measured; what the [six-hourly
# update](ch7-part-day) of fresh goods can change while orders are weekly; [alarms](ch7-watch); and the same features and model
# on [a cluster](ch7-dask), with [what a billion cells cost](ch7-cost-model).
#
# ## Failure modes
#
# Each happens on [a page of its own](07_demand_failures), with its repair.
#
# | what goes wrong | what repairs it |
# | --- | --- |
# | a new product has no past | [the category's prior, then its own sales](ch7-new) |
# | a store opens or closes | [the ramp of earlier openings; the closing date](ch7-openings) |
# | a shock that no past contains, and its echo a year later | [an override with an expiry; its weeks flagged](ch7-shock) |
# | two promotions at once, never seen | [a cap, or a line where trees cannot reach](ch7-stacked) |
# | "promotions lift sales by so much" | [what would have been sold anyway](ch7-lift) |
# | sales taken for demand | [repaired](ch7-censored), or [the spiral](ch7-spiral) |
# | a lag that is not there yet | [the origin](ch7-leak) |
#
# (ch7-roadmap)=
# ## Iteration roadmap
#
# | version | what it costs | what it buys |
# | --- | --- | --- |
# | v0, last week, adjusted | an afternoon | an order on Monday, and a fallback for ever |
# | v1, one boosted model of quantiles on repaired demand | features by origin, a weekly fit | {glue:text}`md_gain` less pinball loss |
# | orders by own quantiles with shelf life | costs and shelf lives that somebody keeps right | {glue:text}`mo_life` of what could be kept, against {glue:text}`mo_newsvendor` by the textbook |
# | v2, whole weeks drawn, levels reconciled | a network or a copula, and a hierarchy kept clean | quantiles of sums: [paths](ch7-network), [levels](ch7-reconcile) |
#
# (ch7-signals)=
# ## Senior-level signals
#
# | signal | where it is proved |
# | --- | --- |
# | asks who owns the stock | [the arithmetic](ch7-scale) |
# | quantile loss from two costs, and says which of the source's do not fit | [the metric](ch7-costs) |
# | a ratio for each product, and what the newsvendor does not know | [the ratios](ch7-per-sku), [played](ch7-money) |
# | orders for the delivery, not for seven days | [the calendar](ch7-calendar) |
# | sales are not demand | [the repairs](ch7-censored), [the spiral](ch7-spiral) |
# | features: lags, rolling statistics and calendar, by origin | [the leak](ch7-leak), [the features](ch7-features) |
# | coverage on new data, not on hope | [the mend](ch7-crossing) |
# | names the measure by which the model is chosen | [three measures](ch7-disagree) |
# | reconciliation, and where it hurts | [the levels](ch7-reconcile), [drawn shops](ch7-reconcile-worlds) |
# | an override tool whose value is measured | [the tool](ch7-override), [planners](ch7-planner) |
# | says what the case pack decides | [the packs](ch7-packs) |
#
# (ch7-real-data)=
# ## On real data
#
# **Two public sets, one with levels and one with slow sellers, go [through the same functions](07_demand_real).** On Australian
# trips our base forecasts agree with the published table, and {term}`MinT` makes the total worse there as it does in print
# ([by level](ch7-tourism)). At a wholesaler a forecast of nothing beats four simple methods in WAPE ([slow
# sellers](ch7-retail)).

# %% [markdown]
# (ch7-exercises)=
# ## Exercises
#
# Write your answer in place of `...` and run the check; an answer is right to about one percent unless the task says otherwise. The blanks are in
# {download}`the exercise sheet <exercises/07_demand.ipynb>`; here the solutions are folded.

# %% tags=["exercise", "hide-input"]
import numpy as np
import pandas as pd

from casebook.demand.exercise_tables import BREAD, HOURS, OVERRIDES
from casebook.demand.exercise_tables import READS, SLOW, WEEKS
from casebook.demand.exercises import EXERCISES
from casebook.exercises import ask

# %% [markdown] tags=["exercise"]
# **1. A product's own fractile** (3 minutes). A yogurt sells at 3.00 dollars and costs 1.80. What is left over goes back for 0.30. A customer
# who finds none takes a dollar of goodwill along. Which quantile of demand do you order?

# %% tags=["solution", "hide-cell"]
# solution
short = 3.00 - 1.80 + 1.00  # margin and goodwill
over = 1.80 - 0.30  # cost less salvage
answer = short / (short + over)

# %% tags=["exercise"]
ask(EXERCISES["07-fractile"], answer)

# %% [markdown] tags=["exercise"]
# **2. What an order betrays** (5 minutes). In forty weeks a product was wanted as often as the table says, and weeks do not differ otherwise. Amara always
# has 18 of it on the shelf. If that is the best for her, between which two ratios of a unit short to a unit over do her
# costs lie? Give `(lowest, highest)`.

# %% tags=["exercise"]
WEEKS.to_frame().T

# %% tags=["solution", "hide-cell"]
# solution
reached = WEEKS.cumsum() / WEEKS.sum()
# 18 is the least that reaches her level: 17 does not, 18 does.
answer = tuple(reached[units] / (1 - reached[units]) for units in (17, 18))

# %% tags=["exercise"]
ask(EXERCISES["07-implied"], answer)

# %% [markdown] tags=["exercise"]
# **3. The pinball loss** (5 minutes). Write a function of `wanted`, `forecast` and `tau` that returns the mean pinball loss. The first two are arrays. The check
# tries it on the three forecasts below, at more than one tau.

# %% tags=["exercise"]
BREAD.T


# %% tags=["solution", "hide-cell"]
# solution
def answer(wanted, forecast, tau):
    short = np.maximum(wanted - forecast, 0)
    over = np.maximum(forecast - wanted, 0)
    return (tau * short + (1 - tau) * over).mean()


# %% tags=["exercise"]
ask(EXERCISES["07-pinball"], answer)

# %% [markdown] tags=["exercise"]
# **4. Every second week** (5 minutes). A supplier now comes every second week. What is forecast on Sunday is sold on days 4 to 17 after it. Which of these
# features are known on that Sunday for every one of these days? Give a list of their names.

# %% tags=["exercise"]
READS.to_frame()

# %% tags=["solution", "hide-cell"]
# solution
days = range(4, 18)
legal = [f"lag_{lag}" for lag in (7, 14, 21) if all(lag >= h for h in days)]
answer = [*legal, "last_weekday", "mean_28", "holiday", "promoted"]

# %% tags=["exercise"]
ask(EXERCISES["07-lags"], answer)

# %% [markdown] tags=["exercise"]
# **5. Order up to** (6 minutes). Monday morning, before the shop opens. A product is wanted 6 times a day with a variance of 12; days are independent. Today's order comes on
# Wednesday evening, the next one a week later. On the shelf stand 15, and 6 are on their way. A case holds 6. To which level do you order for a
# fractile of 0.833 (the normal's quantile there is 0.967), and how many cases is that, rounded up? Give `(level, cases)`.

# %% tags=["solution", "hide-cell"]
# solution
days = 3 + 7  # Monday to Wednesday, and the week that the goods must last
up_to = days * 6 + 0.967 * np.sqrt(days * 12)
answer = (up_to, np.ceil((up_to - 15 - 6) / 6))

# %% tags=["exercise"]
ask(EXERCISES["07-up-to"], answer)

# %% [markdown] tags=["exercise"]
# **6. Half a day** (6 minutes). A shelf ran empty at 11:00 sharp, after 6 units; the table holds orders of whole days by the hour in which they came. First scale the
# day up by the share that was seen. Then let the cell's mean of 15 a day have its say: the day's rate is taken as
# (sold + 4) / (seen + 4 / 15), and the rest of the day brings its share of that. Give `(scaled, shrunk)`, in units of the whole day.

# %% tags=["exercise"]
HOURS.to_frame().T

# %% tags=["solution", "hide-cell"]
# solution
part_seen = HOURS[HOURS.index < 11].sum() / HOURS.sum()
rate = (6 + 4) / (part_seen + 4 / 15)
answer = (6 / part_seen, 6 + (1 - part_seen) * rate)

# %% tags=["exercise"]
ask(EXERCISES["07-unconstrain"], answer)

# %% [markdown] tags=["exercise"]
# **7. Make it add up** (5 minutes). The total is forecast as 100, its two stores as 60 and 52. Which three numbers that add up are nearest to these, by the sum of
# squared changes? Give `(total, first, second)`.

# %% tags=["solution", "hide-cell"]
# solution
adds = np.array([[1, 1], [1, 0], [0, 1]])  # from the stores to all three
stores_told = np.linalg.lstsq(adds, np.array([100, 60, 52]), rcond=None)[0]
answer = adds @ stores_told

# %% tags=["exercise"]
ask(EXERCISES["07-coherent"], answer)

# %% [markdown] tags=["exercise"]
# **8. What Bob's overrides are worth** (6 minutes). Their forecast value added: the error without them less the error with them, summed over his rows. Measure it
# in absolute errors, and then in pinball loss at 10/12, both in units. Give `(absolute, at_fractile)`.

# %% tags=["exercise"]
OVERRIDES

# %% tags=["solution", "hide-cell"]
# solution
bob = OVERRIDES.query("author == 'Bob'")


def missed(by, forecast):
    error = bob["wanted"] - bob[forecast]
    return np.where(error > 0, by * error, (by - 1) * error).sum()


# The absolute error is twice the pinball loss at one half.
answer = tuple(
    weight * (missed(by, "before") - missed(by, "after"))
    for weight, by in ((2, 1 / 2), (1, 10 / 12))
)

# %% tags=["exercise"]
ask(EXERCISES["07-added"], answer)

# %% [markdown] tags=["exercise"]
# **9. A forecast of nothing** (5 minutes). A slow seller is wanted as the table says. Which WAPE has a forecast of zero in the long run, and which one of the mean? And how many units
# do you stock for a day if a unit short costs five dollars and one over costs one? Give `(wape_zero, wape_mean, order)`.

# %% tags=["exercise"]
SLOW.to_frame().T

# %% tags=["solution", "hide-cell"]
# solution
asked_a_day = SLOW.index.to_numpy()
mean = (asked_a_day * SLOW).sum()
wapes = [(abs(asked_a_day - q) * SLOW).sum() / mean for q in (0, mean)]
answer = (*wapes, asked_a_day[SLOW.cumsum() >= 5 / 6][0])

# %% tags=["exercise"]
ask(EXERCISES["07-slow"], answer)

# %% [markdown]
# (ch7-own-table)=
# ## Bring your own table
#
# **A year of your own sales, with a flag for empty shelves, and what your products cost give the share that the shelf cut off, a fractile
# per product, two forecasts held against each other, and next week's cases. For {glue:text}`own_cells` cells of this
# grocer that takes a few seconds.** The contract:

# %%
from casebook.churn.tables import contract
from casebook.demand import own_table
from casebook.demand.own_table_contract import CONTRACTS

words = ["column", "type", "allowed", "meaning"]
contracts = {
    name: pd.DataFrame(contract(schema), columns=words).set_index("column")
    for name, schema in CONTRACTS.items()
}
pd.concat(contracts, names=["table"])

# %% [markdown]
# Your columns may have other names: say which is which. Four shops of one region, and what is ordered weekly, stand in for your tables.

# %%
start = pd.Timestamp("2023-01-02")


def dated(table, *names):
    """Return the table with days as dates."""
    days = {n: start + pd.to_timedelta(table[n], unit="D") for n in names}
    return table.assign(**days)


region = tables["stores"]["region"].iloc[0]
near = tables["stores"].query("region == @region")["store_id"].head(4)
weekly_skus = products.query("review_days == 7")["sku_id"]
mine = sales[sales["store_id"].isin(near) & sales["sku_id"].isin(weekly_skus)]
mine = dated(mine[mine["day"] >= 1092 - 364], "day").rename(
    columns={"store_id": "shop", "day": "when", "sold": "units"}
)

# %%
from casebook.demand.policies import unit_costs

over = unit_costs(everything, costs)[1]  # what spoils and what keeps
dear = tables["cells"].assign(over=over).drop_duplicates("sku_id")
priced = dear.merge(products[products["sku_id"].isin(weekly_skus)])
priced = priced[["sku_id", "over", "case_pack", "category"]].assign(
    price=priced["price_cents"] / 100,
    cost=priced["cost_cents"] / 100,
    goodwill=costs.goodwill,
)
priced["salvage"] = priced["cost"] - priced.pop("over")
promoted = tables["promotions"].query(
    "region == @region and sku_id in @weekly_skus and last_day > 1092 - 364"
)
promoted = dated(promoted, "first_day", "last_day", "announced_on")

# %%
fair = pd.DataFrame(
    {
        "shop": [near.iloc[0]],
        "first_day": ["2026-01-01"],
        "last_day": ["2026-01-04"],
        "factor": [1.5],
    }
)
given = {
    "sales": mine,
    "products": priced,
    "promotions": promoted,
    "overrides": fair,
    "columns": {"store_id": "shop", "date": "when", "sold": "units"},
}
reading = own_table.read_sales(**given)
print(f"{reading.at:%A, %d %B %Y}; empty: {reading.stockouts:.1%} of days")
reading.ways.round(3)

# %%
print(f"money says: {reading.best}")
reading.scores.round(3)

# %%
print(reading.warning)
reading.orders.sample(8, random_state=seed).sort_index().round(2)

# %% tags=["remove-cell"]
off, by_model = reading.ways["off"], reading.scores
true_mean = truth.loc[mine.index, "demand"].mean()
by_truth = reading.ways["units"] / true_mean - 1
assert scale != "small" or off["as is"] < off["drop"] < 0
assert scale != "small" or by_truth["as is"] < by_truth["drop"] < 0
assert scale != "small" or reading.best == "boosted quantiles"
numbers(
    own_cells=count(mine.groupby(["shop", "sku_id"]).ngroups),
    own_out=percent(reading.stockouts, 1),
    own_as_is=percent(-off["as is"], 1),
    own_drop=percent(-off["drop"], 1),
    own_true_as_is=percent(-by_truth["as is"], 1),
    own_true_drop=percent(-by_truth["drop"], 1),
    own_true_tobit=percent(by_truth["tobit"], 1),
    own_money=percent(1 - by_model["money"].min() / by_model["money"].max()),
    own_best=reading.best,
    own_covers=percent(by_model.loc[reading.best, "coverage"]),
    own_asked=percent(by_model.loc[reading.best, "asked"]),
    own_none=percent((reading.orders["cases"] == 0).mean()),
)

# %% [markdown]
# Three things to read here. First, sales are {glue:text}`own_as_is` below what censored counts make of them, and without the empty days still
# {glue:text}`own_drop`. You will not know the truth of your own; of this grocer it is known: {glue:text}`own_true_as_is` and
# {glue:text}`own_true_drop` too low, and the repair is off by {glue:text}`own_true_tobit`. Second, the cheaper of the two forecasts ({glue:text}`own_best`) costs {glue:text}`own_money`
# less in these weeks, and covers {glue:text}`own_covers` of days where {glue:text}`own_asked` were asked. Third, {glue:text}`own_none` of the orders are for no case at all: what is on the shelf
# will do. What a unit left over is worth decides most of it. For what spoils, `salvage` is what you get back; for what keeps, its cost
# less a week's holding.

# %% [markdown]
# A table that breaks the contract gets one sentence: what, what it must be, what it is, how to mend it.

# %%
from casebook.contracts import ContractError

few, last_shop = mine.head(364), near.iloc[-1]
stays = (mine["shop"] != last_shop) | (mine["when"] < "2025-06-01")
turned = {"first_day": "last_day", "last_day": "first_day"}
cents = (100 * priced["price"]).round().astype(int)
own_broken = {
    "another name": {"sales": few.rename(columns={"units": "pieces"})},
    "a gap": {"sales": few.drop(index=few.index[3:5])},
    "a day twice": {"sales": pd.concat([few, few.head(1)])},
    "returns": {"sales": few.assign(units=-few["units"])},
    "empty, with stock": {"sales": few.assign(stocked_out=1, stock_close=3)},
    "dates as text": {"sales": few.assign(when="31.03.2025")},
    "too few weeks": {"sales": few.head(70)},
    "cents": {"products": priced.assign(price=cents)},
    "no margin": {"products": priced.assign(cost=99.0)},
    "ends early": {"promotions": promoted.rename(columns=turned)},
    "percent": {"promotions": promoted.assign(discount=25.0)},
    "closed": {"sales": mine[stays], "overrides": fair.assign(shop=last_shop)},
}

# %%
for name, changed in own_broken.items():
    try:
        own_table.read_sales(**(given | changed))
    except ContractError as error:
        print(f"{name}: {error}")

# %% [markdown]
# Dates may be text if they stand in the order year, month, day, as a CSV file has them. Without a flag sales stand for demand, and without
# `stock_close` the order is as if all shelves were empty; the warning says so.

# %% [markdown]
# (ch7-memo)=
# ## Decision memo
#
# :::{admonition} Decision memo: repair the sales, order for the delivery, know what keeps
# :class: memo
# **Decision.** Replace last week's order by one boosted model of quantiles on repaired demand, and order up to each product's
# own quantile of ten days, with shelf life and carry-over in it.
#
# **Expected.** {glue:text}`mo_net` a week in this shop's cells against {glue:text}`mo_last` by last week's sales: {glue:text}`mo_life` of what could be
# kept. Most of it is the model and the level; own quantiles against 0.833 for all are worth {glue:text}`mo_gap`.
#
# **Who is hurt.** Suppliers of what spoils get smaller, more frequent orders. {glue:text}`mo_waste` of what leaves the shelf is thrown away;
# last week's orders wasted next to nothing, since shelves stood empty.
#
# **Guardrails.** Units wanted and not had ({glue:text}`mo_fill` are had), waste by category, orders out on Monday for all stores.
#
# **What would stop us.** Coverage of 0.833 outside its interval for two weeks; stock records that are wrong in more than one cell of ten.
#
# **First step on Monday.** Log failed adds. Then order one category in two stores by the new level, the others as before, and
# count what was not had and what was thrown away.
#
# **Next.** Smaller cases where the case decides: {glue:text}`pk_fixed` of weekly orders.
# :::
#
# **What changed our mind.** We set out to find the right quantile and found that the textbook's own, product by product, was worse here than the source's one for all, and in most drawn shops.
#
# **What would change it back.** Goods that are all thrown away on the day of the next delivery.
#
# **What this did not solve.** What an empty shelf does to a customer's next order is one assumed dollar. Substitutes are in
# the play and not in the level.
#
# :::{admonition} Say it
# :class: say-it
# "Sales aren't demand, so I repair them first. Two costs give a quantile, shelf life moves it, and I order for ten days, in cases. I choose the
# model by what its orders cost."
# :::
