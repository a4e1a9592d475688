"""Acting at random a little: what to let pass, what it may cost, and what the log then says of other policies.

The room knows nothing of the cases: every function takes your own arrays or Series. Rows are matched by position. A
propensity is the probability with which the action that was taken was taken, given all that was known then; log it
with the action, since nobody can work it out later.

=================================  =======================================================
You have                           Take
=================================  =======================================================
a policy that blocks               ``pass_through``, and ``affordable_share`` for its share
labels of what passed              ``label_weights``
the best action of each case       ``epsilon_greedy``
probabilities over actions         ``with_floor``, ``draw_actions``, ``propensity_of``
a log with propensities, and what  ``ips``; ``snips``, which is steadier; ``doubly_robust``,
another policy would have done     if a model of the reward is at hand as well
two policies                       ``importance_weights``, ``unsupported_share``
weights                            ``effective_sample_size``
=================================  =======================================================
"""

from casebook.exploration.passing import PassThrough, affordable_share, label_weights, pass_through
from casebook.exploration.propensities import (
    draw_actions,
    epsilon_greedy,
    propensity_of,
    unsupported_share,
    with_floor,
)
from casebook.exploration.values import PolicyValue, doubly_robust, ips, snips
from casebook.exploration.weighting import effective_sample_size, importance_weights

__all__ = [
    "PassThrough",
    "PolicyValue",
    "affordable_share",
    "doubly_robust",
    "draw_actions",
    "effective_sample_size",
    "epsilon_greedy",
    "importance_weights",
    "ips",
    "label_weights",
    "pass_through",
    "propensity_of",
    "snips",
    "unsupported_share",
    "with_floor",
]
