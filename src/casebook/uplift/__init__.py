"""Uplift: whom treatment moves, from a randomised trial.

The room knows nothing of the cases. Rows are matched by position. y is 0/1 or a number of which more is
better for you; treated is 0/1 and was drawn by a coin whose chance is known; a higher score is treated first.
A larger value is better throughout, and the formula of a Qini travels with it.

===========================================  ====================================================
You have                                     Take
===========================================  ====================================================
a trial and one score                        ``uplift_curve``, ``qini``, ``auuc``
a trial and several scores                   ``paired_qini``
predictions that claim to be effects         ``uplift_by_bin``
a budget for the top share                   ``uplift_at``
a rule, its cost and what an outcome earns   ``policy_value``
a trial and features, but no score           ``fit_uplift``
===========================================  ====================================================
"""

from casebook.uplift.compare import paired_qini, uplift_by_bin
from casebook.uplift.curves import DEFINITIONS, NORMALISATIONS, QiniValue, auuc, qini, uplift_curve
from casebook.uplift.learners import KINDS, FittedUplift, fit_uplift
from casebook.uplift.policy import Estimate, policy_value, uplift_at

__all__ = [
    "DEFINITIONS",
    "KINDS",
    "NORMALISATIONS",
    "Estimate",
    "FittedUplift",
    "QiniValue",
    "auuc",
    "fit_uplift",
    "paired_qini",
    "policy_value",
    "qini",
    "uplift_at",
    "uplift_by_bin",
    "uplift_curve",
]
