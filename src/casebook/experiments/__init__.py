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
a metric that must not suffer       ``non_inferior``
days until an event                 ``by_horizon``
==================================  ==============================================================
"""

from casebook.experiments.assign import assign, assign_by_hash
from casebook.experiments.check import SRM, Delivery, balance, delivery, srm
from casebook.experiments.clusters import design_effect, intraclass_correlation
from casebook.experiments.design import SampleSize, mde, power_of, sample_size
from casebook.experiments.design_means import mde_mean, power_of_mean, sample_size_mean
from casebook.experiments.effect import Effect, complier_effect, cuped, difference
from casebook.experiments.reading import Guardrail, by_horizon, non_inferior

__all__ = [
    "SRM",
    "Delivery",
    "Effect",
    "Guardrail",
    "SampleSize",
    "assign",
    "assign_by_hash",
    "balance",
    "by_horizon",
    "complier_effect",
    "cuped",
    "delivery",
    "design_effect",
    "difference",
    "intraclass_correlation",
    "mde",
    "mde_mean",
    "non_inferior",
    "power_of",
    "power_of_mean",
    "sample_size",
    "sample_size_mean",
    "srm",
]
