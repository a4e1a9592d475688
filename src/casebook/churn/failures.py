"""The ways in which a churn system deceives its owners, each with its repair and the smaller, truer number.

==========================================================  ===========================================
The surprise                                                Take
==========================================================  ===========================================
the model is better than ever, and more leave               ``neglect``
the young look loyal                                        ``tenure_hazard``, ``true_hazard``
a third of the cancellations was never scored               ``never_seen``
usage fell, the call did nothing                            ``same_drop``, ``by_drop``
the sixth call made it worse                                ``fatigue``, ``next_call``
the list's precision falls although the model is unchanged  ``list_precision``
the retrained model thinks the called are safe              ``retrained``
churn in the list fell after the calls, as it would have    ``before_after``
cards that fail cost more than calls earn                   ``involuntary``, ``dunning``
==========================================================  ===========================================
"""

from casebook.churn.dunning import dunning, involuntary
from casebook.churn.failures_attention import Neglect, Rhythm, fatigue, neglect, next_call
from casebook.churn.failures_causes import BeforeAfter, before_after, by_drop, drops, looks_like_price, same_drop
from casebook.churn.failures_labels import features_in, list_precision, retrained
from casebook.churn.failures_survivors import never_seen, tenure_hazard, true_hazard

__all__ = [
    "BeforeAfter",
    "Neglect",
    "Rhythm",
    "before_after",
    "by_drop",
    "drops",
    "dunning",
    "fatigue",
    "features_in",
    "involuntary",
    "list_precision",
    "looks_like_price",
    "neglect",
    "never_seen",
    "next_call",
    "retrained",
    "same_drop",
    "tenure_hazard",
    "true_hazard",
]
