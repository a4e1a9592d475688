"""Chapter 3 on real data: whom to call in a bank's telephone campaign, and what the threshold earns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from casebook.decisions import Costs, decide, money, shift_prior
from casebook.page import count, dollars, percent, probability

#: Known before the call is made. ``duration`` is not; the five economic series stand in for the date.
BEFORE_THE_CALL = (
    "age", "job", "marital", "education", "default", "housing", "loan", "contact", "campaign", "pdays", "previous",
    "poutcome",
)  # fmt: skip

#: The rules that are compared, in words.
RULES = {
    "half": "calling above one half",
    "stale": "the threshold on the model as fitted",
    "corrected": "the threshold on corrected odds",
    "tuned": "the tuned threshold",
    "everyone": "calling everyone",
}
#: The keys of :meth:`Campaign.texts`: what a page says in their place where the data are absent.
CITED = tuple(
    f"bank_{name}"
    for name in (
        "half", "stale", "corrected", "tuned", "everyone", "rows", "time", "early", "late", "random_auc", "auc", "leak",
        "best", "moved", "mended",
    )
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Campaign:
    """What the campaign's record says.

    Attributes
    ----------
    profits : dict of str to float
        Dollars on the last fifth of the calls, by rule.
    rates : dict of str to float
        Subscription rates of the first half (``early``) and the last tenth (``late``).
    auc : dict of str to float
        Of a random split, of the split in time, and with the leak (``random``, ``time``, ``leak``).
    rows, tested : int
        Calls in all, and in the last fifth.
    tenths : pandas.DataFrame
        ``tenth`` (1 to 10), ``observed`` and mean ``predicted`` rate.
    """

    profits: dict[str, float]
    rates: dict[str, float]
    auc: dict[str, float]
    rows: int
    tested: int
    tenths: pd.DataFrame

    def texts(self) -> dict[str, str]:
        """Return the numbers that the chapter's prose cites, formatted."""
        money_texts = {f"bank_{name}": dollars(value) for name, value in self.profits.items()}
        got = self.profits
        return money_texts | {
            "bank_best": RULES[max(got, key=lambda name: got[name])],
            "bank_moved": dollars(got["stale"] - got["half"]),
            "bank_mended": dollars(got["corrected"] - got["stale"]),
            "bank_rows": count(self.rows),
            "bank_time": count(self.tested),
            "bank_early": percent(self.rates["early"], 1),
            "bank_late": percent(self.rates["late"], 1),
            "bank_random_auc": probability(self.auc["random"]),
            "bank_auc": probability(self.auc["time"]),
            "bank_leak": probability(self.auc["leak"]),
        }


def model(features: pd.DataFrame) -> Pipeline:
    """Return an unfitted logistic regression on scaled numbers and one-hot words."""
    words = [name for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    figures = [name for name in features if name not in words]
    columns = make_column_transformer(
        (StandardScaler(), figures), (OneHotEncoder(handle_unknown="ignore", min_frequency=20), words)
    )
    return make_pipeline(columns, LogisticRegression(C=1.0, max_iter=2000))


def bank_campaign(calls: pd.DataFrame, call: float, deposit: float) -> Campaign:
    """Fit on the first six tenths of the calls, tune on the next two, and judge every rule on the last two.

    Parameters
    ----------
    calls : pandas.DataFrame
        As :func:`casebook.datasets.prepare_bank_marketing` returns it, in the order of the calls.
    call, deposit : float
        Dollars that a call costs and that a subscription is worth.

    Returns
    -------
    Campaign
        Profits by rule, rates, AUCs and the series for the figure.
    """
    features, y = calls[list(BEFORE_THE_CALL)], calls["subscribed"].to_numpy()
    cuts = [int(share * len(calls)) for share in (0.6, 0.8)]
    fitted = model(features).fit(features[: cuts[0]], y[: cuts[0]])
    p = fitted.predict_proba(features)[:, 1]
    costs = Costs(fp=call, fn=0.0, tp=call - deposit, tn=0.0)
    acts = _rules(fitted, features, y, p, costs, cuts)
    tenth = np.arange(len(calls)) * 10 // len(calls) + 1
    series = pd.DataFrame({"tenth": tenth, "observed": y, "predicted": p}).groupby("tenth", as_index=False).mean()
    return Campaign(
        profits={name: -money(y[cuts[1] :], act, costs) for name, act in acts.items()},
        rates={"early": float(y[: len(y) // 2].mean()), "late": float(y[tenth == 10].mean())},
        auc={
            "random": _random_split_auc(features, y),
            "time": float(roc_auc_score(y[cuts[1] :], p[cuts[1] :])),
            "leak": _random_split_auc(calls[[*BEFORE_THE_CALL, "duration"]], y),
        },
        rows=len(calls),
        tested=len(calls) - cuts[1],
        tenths=series,
    )


def _rules(
    fitted: Pipeline,
    features: pd.DataFrame,
    y: NDArray[np.int64],
    p: NDArray[np.float64],
    costs: Costs,
    cuts: list[int],
) -> dict[str, NDArray[np.bool_]]:
    between, last = slice(cuts[0], cuts[1]), slice(cuts[1], None)
    gain = make_scorer(lambda truth, act: -money(truth, act, costs))
    tuned = TunedThresholdClassifierCV(FrozenEstimator(fitted), scoring=gain, cv="prefit", refit=False)
    tuned.fit(features[between], y[between])
    corrected = shift_prior(p[last], float(y[: cuts[0]].mean()), float(y[between].mean()))
    return {
        "half": p[last] > 0.5,
        "stale": decide(p[last], costs),
        "corrected": decide(corrected, costs),
        "tuned": p[last] > tuned.best_threshold_,
        "everyone": np.ones(len(corrected), dtype=bool),
    }


def _random_split_auc(features: pd.DataFrame, y: NDArray[np.int64]) -> float:
    parts = train_test_split(features, y, test_size=0.2, random_state=0, stratify=y)
    fitted = model(features).fit(parts[0], parts[2])
    return float(roc_auc_score(parts[3], fitted.predict_proba(parts[1])[:, 1]))
