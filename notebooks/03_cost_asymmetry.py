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
# # 3. Cost-asymmetry thinking
#
# A miss costs {glue:text}`ratio` false alarms.

# %% tags=["parameters"]
seed = 3
scale = "small"

# %% mystnb={"image": {"alt": "A line."}}
import matplotlib.pyplot as plt
from myst_nb import glue

glue("ratio", 100)
fig, ax = plt.subplots()
ax.plot([0, 1])
