"""Randomised experiments: how large, who is treated, was it run as designed, what did it do.

The room knows nothing of the cases: every function takes your own arrays, Series or frames. Rows are matched
by position. Effects are treated less control, in the outcome's units; rates and changes of rates are shares.
What is randomised whole (a company account, a shop) goes in as ``cluster``.

==================================  ==============================================================
You have                            Take
==================================  ==============================================================
a rate and a change worth seeing    ``sample_size``, ``power_of``
a number of units                   ``mde``
a mean in place of a rate           ``sample_size_mean``, ``power_of_mean``, ``mde_mean``
clusters                            ``intraclass_correlation``, ``design_effect`` (the inflation)
units to assign                     ``assign``, or ``assign_by_hash`` for a standing hold-out
arms that have run                  ``srm``, ``balance``, ``delivery``
outcomes                            ``difference``, ``complier_effect``
a measure from before               ``cuped``, then ``difference``
several measures from before        ``cuped_many``, then ``difference``; ``days_saved`` to plan
clicks per view, users randomised   ``ratio_difference``
sums in place of rows               ``arm_moments`` or ``parquet_moments`` (many metrics of a file),
                                    then ``absolute_effect``, ``relative_effect``, ``cuped_gain``
a tail: waits, revenue              ``quantile_difference``, ``capped_difference``, ``units_for_skew``
cohorts that may differ             ``by_segment``, ``heterogeneity``, then ``shrink``
a metric that must not suffer       ``non_inferior``
days until an event                 ``by_horizon``
a fixed test, read more than once   ``peeking_error``
a few planned looks                 ``group_sequential``, ``read_look``
looks at any time                   ``always_valid``
a rule for stopping                 ``expected_n``, ``simulate_looks``
a suspected sample ratio mismatch   ``srm_n``, ``srm_power``, ``srm_sequential`` (daily), ``srm_by`` (where)
an analysis to be trusted           ``aa_test``
a tidy table, a plan                ``quality_faults``, ``check_quality``; ``Plan``, ``Margin``, ``report``
effects from elsewhere, a plan      ``report_effects``
several metrics                     ``adjust_p``, ``metrics_table``, ``correction_cost``, ``correction_rates``
several guardrails                  ``veto_chance``, ``veto_rules``
a significant result                ``false_positive_risk``, ``chance_of_replication``, ``exaggeration``
a programme's past effects          ``fit_programme`` (a ``Belief``), ``winners``
a launch with its costs             ``launch_value``, ``value_of_more``
==================================  ==============================================================
"""

from casebook.experiments.aa import AA, aa_test
from casebook.experiments.adjust import CupedGain, cuped_gain, cuped_many, days_saved
from casebook.experiments.assign import assign, assign_by_hash
from casebook.experiments.belief import Belief, fit_programme
from casebook.experiments.boundaries import GroupSequential, LookReading, group_sequential, read_look
from casebook.experiments.capping import Capped, capped_difference, units_for_skew, winsorise
from casebook.experiments.check import SRM, Delivery, balance, delivery, srm
from casebook.experiments.clusters import design_effect, intraclass_correlation
from casebook.experiments.design import SampleSize, mde, power_of, sample_size
from casebook.experiments.design_means import mde_mean, power_of_mean, sample_size_mean
from casebook.experiments.effect import Effect, complier_effect, cuped, difference
from casebook.experiments.launch import LaunchValue, MoreData, launch_value, value_of_more
from casebook.experiments.lift import absolute_effect, relative_effect
from casebook.experiments.moments import Metric, Moments, arm_moments
from casebook.experiments.moments_sql import parquet_moments
from casebook.experiments.multiple import adjust_p, correction_cost, correction_rates, metrics_table
from casebook.experiments.plan import Margin, Plan
from casebook.experiments.programme import (
    Exaggeration,
    Winners,
    chance_of_replication,
    exaggeration,
    false_positive_risk,
    winners,
)
from casebook.experiments.quality import check_quality, quality_faults
from casebook.experiments.quantile import quantile_difference
from casebook.experiments.ratio import ratio_difference
from casebook.experiments.reading import Guardrail, by_horizon, non_inferior
from casebook.experiments.report import report, report_effects
from casebook.experiments.segments import Heterogeneity, by_segment, heterogeneity, shrink
from casebook.experiments.sequential import AlwaysValid, always_valid, always_valid_critical, peeking_error
from casebook.experiments.srm_by import Mismatch, srm_by
from casebook.experiments.srm_sequential import srm_sequential
from casebook.experiments.srm_size import srm_n, srm_power
from casebook.experiments.stopping import Stopping, expected_n, simulate_looks
from casebook.experiments.verdict import Reason, Report
from casebook.experiments.vetoes import Veto, veto_chance, veto_rules

__all__ = [
    "AA",
    "SRM",
    "AlwaysValid",
    "Belief",
    "Capped",
    "CupedGain",
    "Delivery",
    "Effect",
    "Exaggeration",
    "GroupSequential",
    "Guardrail",
    "Heterogeneity",
    "LaunchValue",
    "LookReading",
    "Margin",
    "Metric",
    "Mismatch",
    "Moments",
    "MoreData",
    "Plan",
    "Reason",
    "Report",
    "SampleSize",
    "Stopping",
    "Veto",
    "Winners",
    "aa_test",
    "absolute_effect",
    "adjust_p",
    "always_valid",
    "always_valid_critical",
    "arm_moments",
    "assign",
    "assign_by_hash",
    "balance",
    "by_horizon",
    "by_segment",
    "capped_difference",
    "chance_of_replication",
    "check_quality",
    "complier_effect",
    "correction_cost",
    "correction_rates",
    "cuped",
    "cuped_gain",
    "cuped_many",
    "days_saved",
    "delivery",
    "design_effect",
    "difference",
    "exaggeration",
    "expected_n",
    "false_positive_risk",
    "fit_programme",
    "group_sequential",
    "heterogeneity",
    "intraclass_correlation",
    "launch_value",
    "mde",
    "mde_mean",
    "metrics_table",
    "non_inferior",
    "parquet_moments",
    "peeking_error",
    "power_of",
    "power_of_mean",
    "quality_faults",
    "quantile_difference",
    "ratio_difference",
    "read_look",
    "relative_effect",
    "report",
    "report_effects",
    "sample_size",
    "sample_size_mean",
    "shrink",
    "simulate_looks",
    "srm",
    "srm_by",
    "srm_n",
    "srm_power",
    "srm_sequential",
    "units_for_skew",
    "value_of_more",
    "veto_chance",
    "veto_rules",
    "winners",
    "winsorise",
]
