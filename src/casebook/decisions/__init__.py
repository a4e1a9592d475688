"""From probabilities to decisions: costs, thresholds, tiers, budgets, regret and calibration.

The room knows nothing of the cases: every function takes your own arrays, Series or frames. Rows are matched
by position. Costs are money that you pay, so less is better; acting means p > threshold throughout.

========================  =============================================================
You have                  Take
========================  =============================================================
two costs                 ``threshold``, ``Costs``, ``decide``, ``decide_frame``
labels as well            ``money``, ``sweep``, ``best_cut``, ``where_money_goes``
three actions or more     ``least_cost_action``, ``lower_envelope``
a queue that is too long  ``allocate``
a cost ratio in dispute   ``threshold_range``, ``minimax_regret_cut``, ``flip_ratio``
p that may be off         ``reliability``, ``fit_platt``, ``fit_isotonic``
another base rate         ``shift_prior``, ``undo_undersampling``, ``estimate_base_rate``
nothing but an AUC        ``operating_point``
========================  =============================================================
"""

from casebook.decisions.actions import Envelope, expected_cost_table, least_cost_action, lower_envelope
from casebook.decisions.binormal import OperatingPoint, operating_point
from casebook.decisions.budget import Allocation, allocate
from casebook.decisions.calibration import (
    IsotonicCalibrator,
    PlattCalibrator,
    calibration_error,
    fit_isotonic,
    fit_platt,
    reliability,
    wilson_interval,
)
from casebook.decisions.costs import (
    Costs,
    case_money,
    decide,
    decide_frame,
    expected_money,
    money,
    threshold,
)
from casebook.decisions.curves import cost_curve, where_money_goes
from casebook.decisions.cuts import Cut, best_cut, sweep
from casebook.decisions.priors import estimate_base_rate, shift_prior, undo_undersampling
from casebook.decisions.regret import (
    RegretCut,
    flip_ratio,
    minimax_regret_cut,
    regret_table,
    threshold_range,
)

__all__ = [
    "Allocation",
    "Costs",
    "Cut",
    "Envelope",
    "IsotonicCalibrator",
    "OperatingPoint",
    "PlattCalibrator",
    "RegretCut",
    "allocate",
    "best_cut",
    "calibration_error",
    "case_money",
    "cost_curve",
    "decide",
    "decide_frame",
    "estimate_base_rate",
    "expected_cost_table",
    "expected_money",
    "fit_isotonic",
    "fit_platt",
    "flip_ratio",
    "least_cost_action",
    "lower_envelope",
    "minimax_regret_cut",
    "money",
    "operating_point",
    "regret_table",
    "reliability",
    "shift_prior",
    "sweep",
    "threshold",
    "threshold_range",
    "undo_undersampling",
    "where_money_goes",
    "wilson_interval",
]
