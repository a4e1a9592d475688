"""Bad input gets one sentence; here is the whole text of each."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from casebook.contracts import ContractError
from casebook.uplift import auuc, fit_uplift, paired_qini, policy_value, qini, uplift_at, uplift_by_bin, uplift_curve

Y, W, S = [1, 0, 1, 0], [1, 1, 0, 0], [0.4, 0.3, 0.2, 0.1]
X = pd.DataFrame({"a": np.arange(40.0), "b": 1.0})
Y40, W40 = [0, 1] * 20, [0, 0, 1, 1] * 10


def rng():
    return np.random.default_rng(0)


def fit(kind="two_model", X=X, y=Y40, treated=W40, **more):
    return fit_uplift(kind, X, y, treated, seed=0, **more)


ONE_ARM = "treated must be 1 in some rows and 0 in others, got only {}; keep both arms."
DEFINITION = "definition must be one of 'qini', 'gain', 'ips', got 'Qini'; choose from the list."
SHARE = "share must be above 0 and at most 1, got {}; give it as a share, such as 0.3."
ONE_TABLE = "take all arguments from one table."

CASES = {
    "y missing": (
        lambda: qini([1, np.nan, 1, 0], W, S),
        "y, row 1 must be a finite number, got nan; fill it in or drop the row.",
    ),
    "y text": (
        lambda: auuc(["kept", "left", "kept", "left"], W, S),
        "y must be a number or one number per row, got 'kept' in row 0; pass one number, or one per row.",
    ),
    "one arm": (lambda: uplift_curve(Y, [1, 1, 1, 1], S), ONE_ARM.format(1)),
    "the other arm": (lambda: policy_value(Y, [0, 0, 0, 0], W), ONE_ARM.format(0)),
    "arm 2": (
        lambda: uplift_at(Y, [0, 1, 2, 1], S, 0.5),
        "treated, row 2 must be 0 or 1, got 2; put 1 where the event happened and 0 elsewhere.",
    ),
    "short y": (lambda: qini(Y[:3], W, S), f"y must be 4 long, got 3 rows; {ONE_TABLE}"),
    "short score": (lambda: uplift_by_bin(Y, W, S[:2]), f"score must be 4 long, got 2 rows; {ONE_TABLE}"),
    "short act": (lambda: policy_value(Y, W, [1, 0]), f"act must be 4 long, got 2 rows; {ONE_TABLE}"),
    "short cluster": (
        lambda: policy_value(Y, W, W, cluster=[1, 2]),
        f"cluster must be 4 long, got 2 rows; {ONE_TABLE}",
    ),
    "row order": (
        lambda: qini(pd.Series(Y, index=[3, 2, 1, 0]), pd.Series(W), S),
        "y and treated must be in one row order, got the same index labels in two orders; "
        "reindex one, or pass .to_numpy() if positions match.",
    ),
    "score missing": (
        lambda: qini(Y, W, [0.1, np.nan, 0.2, 0.3]),
        "score, row 1 must be a finite number, got nan; fill it in or drop the row.",
    ),
    "a named score missing": (
        lambda: paired_qini(Y, W, {"risk": [1, 2, 3, np.inf]}, rng=rng()),
        "score 'risk', row 3 must be a finite number, got inf; fill it in or drop the row.",
    ),
    "score of one number": (
        lambda: qini(Y, W, 0.5),
        "score must be one-dimensional, got shape (); pass one column.",
    ),
    "empty": (
        lambda: qini([], [], []),
        "treated must be at least one row long, got no rows; check the filter or the join that made it.",
    ),
    "definition": (lambda: qini(Y, W, S, definition="Qini"), DEFINITION),
    "definition of pairs": (lambda: paired_qini(Y, W, {"s": S}, rng=rng(), definition="Qini"), DEFINITION),
    "normalise": (
        lambda: qini(Y, W, S, normalise=True),
        "normalise must be one of 'none', 'per_unit', 'perfect', got True; choose from the list.",
    ),
    "perfect gain": (
        lambda: qini(Y, W, S, definition="gain", normalise="perfect"),
        "normalise must be 'none' or 'per_unit' for 'gain', got 'perfect'; pass definition='qini'.",
    ),
    "perfect number": (
        lambda: qini([0, 1, 2.5, 0], W, S, normalise="perfect"),
        "y, row 2 must be 0 or 1 for normalise='perfect', got 2.5; take another or cut y at a level.",
    ),
    "perfect zero": (
        lambda: qini([0, 0, 0, 0], W, S, normalise="perfect"),
        "y must be 1 somewhere for normalise='perfect', got only 0; pass normalise='per_unit'.",
    ),
    "propensity 1": (
        lambda: policy_value(Y, W, W, propensity=1.0),
        "propensity must be above 0 and below 1, got 1.0; leave out rows that could never be in the other arm.",
    ),
    "propensity 0 in a row": (
        lambda: qini(Y, W, S, definition="ips", propensity=[0.5, 0.5, 0, 0.5]),
        "propensity, row 2 must be above 0 and below 1, got 0.0; leave out rows that could never be in the other arm.",
    ),
    "propensity by row": (
        lambda: qini(Y, W, S, propensity=[0.5, 0.5, 0.4, 0.5]),
        "definition must be 'ips' where the propensity differs by row, "
        "got 'qini' with a propensity that differs by row; pass definition='ips'.",
    ),
    "no scores": (
        lambda: paired_qini(Y, W, {}, rng=rng()),
        'scores must be a mapping of name to score with at least one, got none; pass {"name": score}.',
    ),
    "scores in a list": (
        lambda: paired_qini(Y, W, [S], rng=rng()),
        'scores must be a mapping of name to score with at least one, got list; pass {"name": score}.',
    ),
    "reference": (
        lambda: paired_qini(Y, W, {"a": S, "b": S}, rng=rng(), reference="c"),
        "reference must be one of 'a', 'b', got 'c'; name one of the scores.",
    ),
    "draws": (lambda: paired_qini(Y, W, {"a": S}, rng=rng(), draws=1), "draws must be 2 or more, got 1; take 200."),
    "level": (
        lambda: policy_value(Y, W, W, level=95),
        "level must be above 0 and below 1, got 95; give it as a share, such as 0.95.",
    ),
    "one cluster": (
        lambda: paired_qini(Y, W, {"a": S}, rng=rng(), cluster=["h"] * 4),
        "cluster must be at least two labels, got one; leave cluster out or pass the unit that was randomised.",
    ),
    "cluster missing": (
        lambda: policy_value(Y, W, W, cluster=["h", None, "k", "k"]),
        "cluster, row 1 must be a label, got a missing value; fill it in or drop the row.",
    ),
    "bins": (lambda: uplift_by_bin(Y, W, S, bins=0), "bins must be 1 or more, got 0; take 10."),
    "share 0": (lambda: uplift_at(Y, W, S, 0), SHARE.format(0)),
    "share 30": (lambda: uplift_at(Y, W, S, 30), SHARE.format(30)),
    "share too small": (
        lambda: uplift_at(Y, W, S, 0.5),
        "share must be large enough for two treated rows and two controls, got 0.5, which holds 2 and 0; "
        "take a larger share.",
    ),
    "rule against all": (
        lambda: policy_value(Y, W, [0, 0, 1, 1]),
        "act must be the arm of some rows, got a rule that agrees with none; check that act is not turned round.",
    ),
    "kind": (
        lambda: fit("t_learner"),
        "kind must be one of 'class_transformation', 'two_model', 't', 's', 'x', 'dr', 'forest', got 't_learner'; "
        "choose from the list.",
    ),
    "X an array": (
        lambda: fit(X=X.to_numpy()),
        "X must be a pandas DataFrame, got ndarray; wrap it in pd.DataFrame(...).",
    ),
    "X empty": (
        lambda: fit(X=X.iloc[:0]),
        "X must be a table with at least one row, got no rows; check the filter or the join that made it.",
    ),
    "X no columns": (
        lambda: fit(X=X[[]]),
        "X must be a table with at least one column, got no columns; pass the features as columns.",
    ),
    "X text": (
        lambda: fit(X=X.assign(plan="gold")),
        "X, column 'plan' must be numbers, got 'gold' in row 0; encode it as numbers.",
    ),
    "X infinite": (
        lambda: fit(X=X.assign(a=np.inf)),
        "X, column 'a', row 0 must be finite or missing, got inf; mend it.",
    ),
    "X twice": (
        lambda: fit(X=pd.concat([X, X[["a"]]], axis=1)),
        "X, column 'a' must be there once, got a name that stands twice; rename or drop one.",
    ),
    "X short": (
        lambda: fit(X=X.iloc[:39]),
        f"X must be 40 rows long, as treated, got 39 rows; {ONE_TABLE}",
    ),
    "X another order": (
        lambda: fit(X=X, y=pd.Series(Y40, index=range(39, -1, -1))),
        "X and y must be in one row order, got the same index labels in two orders; "
        "reindex one, or pass .to_numpy() if positions match.",
    ),
    "X missing for logistic": (
        lambda: fit(X=X.assign(b=np.nan), base="logistic"),
        "X, column 'b', row 0 must be filled in for base='logistic', got a missing value; "
        "fill it in or take the default base.",
    ),
    "X lacks a column at the call": (
        lambda: fit(base="logistic")(X[["a"]]),
        "X must be a table with a column 'b', got 'a'; add 'b' or rename one of yours.",
    ),
    "few treated": (
        lambda: fit(treated=[1] * 9 + [0] * 31),
        "treated must be at least 10 rows in each arm, got 9 in the smaller; take more rows or a larger hold-out.",
    ),
    "transformation of another propensity": (
        lambda: fit("class_transformation", propensity=0.3),
        "propensity must be 0.5 for 'class_transformation', got 0.3; take another kind, such as 'dr'.",
    ),
    "transformation of a number": (
        lambda: fit("class_transformation", y=np.arange(40.0)),
        "y, row 2 must be 0 or 1 for class_transformation, got 2.0; take another or cut y at a level.",
    ),
    "forest of a number": (
        lambda: fit("forest", y=np.arange(40.0)),
        "y, row 2 must be 0 or 1 for forest, got 2.0; take another or cut y at a level.",
    ),
    "forest with a base": (
        lambda: fit("forest", base="logistic"),
        "base must be left out for 'forest', got 'logistic'; drop it: the forest grows its own trees.",
    ),
    "base": (
        lambda: fit(base="xgboost"),
        "base must be 'lightgbm', 'logistic' or an unfitted scikit-learn model, got 'xgboost'; "
        "choose one of them or leave it out.",
    ),
    "classifier of a number": (
        lambda: fit(y=np.arange(40.0), base=LogisticRegression()),
        "base must be a regressor where y is not 0/1, got the classifier LogisticRegression; pass a regressor.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    call, text = CASES[case]
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()


@pytest.mark.parametrize("kind", ["s", "x", "dr", "forest"])
def test_without_causalml_a_sentence_names_the_extra(kind, monkeypatch):
    for module in ("causalml", "causalml.inference.meta", "causalml.inference.tree"):
        monkeypatch.setitem(sys.modules, module, None)
    text = (
        f"kind must be a kind whose library is installed, got {kind!r} without causalml; "
        'run pip install "business-ml-casebook[causal]".'
    )
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        fit(kind)
    assert fit("two_model", base="logistic")(X).shape == (40,)
