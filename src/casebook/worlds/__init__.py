"""Worlds that can prove a finding wrong: dials, replication, the null world, the flip map.

Twenty seeds of one fixed setting measure Monte Carlo noise. A finding is therefore held against worlds whose
dials are *drawn* from stated ranges, and against null worlds in which the effect is switched off.
"""

from casebook.worlds.dials import Dial, draw_dials
from casebook.worlds.flips import flip_map, flip_map_of
from casebook.worlds.replication import World, as_table, plan, recompute, replicate
from casebook.worlds.summaries import Interval, Share, captured, paired_interval, share_holding

__all__ = [
    "Dial",
    "Interval",
    "Share",
    "World",
    "as_table",
    "captured",
    "draw_dials",
    "flip_map",
    "flip_map_of",
    "paired_interval",
    "plan",
    "recompute",
    "replicate",
    "share_holding",
]
