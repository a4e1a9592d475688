"""What LightGBM does with a category, beside integer codes and target encodings.

It encodes nothing by a mean. At each split it sorts the categories by the mean gradient of the rows in that node and
cuts the order in two, so that one side is a *set* of categories. For squared error that is the order of the node's
residual means; for a quantile it is the order of the shares of rows above the current forecast. Fisher proved that for
squared error no other partition in two is better. What is rare is not sorted: a category with fewer than ``cat_smooth``
rows in the node stays on the other side, and the rarest, a hundredth of all rows, get no bin and count as missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from casebook.contracts import FloatArray, as_amounts, refuse, require_length

_ONE_SPLIT: dict[str, Any] = {
    **{"num_leaves": 2, "learning_rate": 1.0, "min_data_in_leaf": 1, "min_data_in_bin": 1, "seed": 0},
    **{"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1},
}
#: LightGBM's smoothing of categories, switched off, so that its first split is the plain optimum.
UNSMOOTHED: dict[str, Any] = {"cat_smooth": 0, "cat_l2": 0, "min_data_per_group": 1, "max_cat_to_onehot": 1}


class Cut(NamedTuple):
    """One split of rows in two.

    Attributes
    ----------
    low : tuple
        Categories on the side with the lower mean, sorted.
    loss : float
        Mean squared error when each side gets its mean.
    """

    low: tuple[Any, ...]
    loss: float


def gradient_order(category: npt.ArrayLike, y: npt.ArrayLike, tau: float | None = None) -> pd.Series:
    """Return what LightGBM sorts the categories by at the root: minus the mean gradient of each, rising.

    Parameters
    ----------
    category : array_like, shape (n,)
    y : array_like, shape (n,)
    tau : float, optional
        None: squared error, whose gradient is the forecast less y; else that of the pinball loss, ``1 - tau`` for a row
        at or below the forecast and ``-tau`` above it.

    Returns
    -------
    pandas.Series
        Index category. Without tau: the category's mean of y less that of all; else its share of rows above the
        tau-quantile of all, less ``1 - tau``.

    Raises
    ------
    ContractError
        Unequal lengths or missing numbers.

    Examples
    --------
    >>> gradient_order(["a", "a", "b", "b"], [0, 20, 3, 5]).to_dict()
    {'b': -3.0, 'a': 3.0}
    >>> gradient_order(["a", "a", "b", "b"], [0, 2, 3, 5], tau=0.5).to_dict()
    {'a': -0.5, 'b': 0.5}
    """
    units, words = _pair(category, y)
    pull = units - units.mean() if tau is None else np.where(units > np.quantile(units, tau), tau, tau - 1)
    return pd.Series(pull).groupby(words).mean().sort_values(kind="stable").rename("pull")


def best_cut(category: npt.ArrayLike, y: npt.ArrayLike) -> Cut:
    """Return the partition in two with the least squared error, by trying every cut of the order of means.

    References
    ----------
    Fisher (1958), On grouping for maximum homogeneity, Journal of the American Statistical Association 53.

    Raises
    ------
    ContractError
        Unequal lengths, missing numbers, or one category only.

    Examples
    --------
    >>> best_cut(["a", "b", "c", "d"], [1, 9, 0, 10])
    Cut(low=('a', 'c'), loss=0.25)
    """
    units, words = _pair(category, y)
    order = gradient_order(words, units).index
    if len(order) < 2:
        refuse("category", "of two values or more", "one", "a single category cannot be split")
    cuts = [cut_at(words, units, list(order[:size])) for size in range(1, len(order))]
    return min(cuts, key=lambda cut: cut.loss)


def cut_at(category: npt.ArrayLike, y: npt.ArrayLike, one_side: Sequence[Any]) -> Cut:
    """Return the cut that puts some categories on one side.

    Examples
    --------
    >>> cut_at(["a", "b", "c"], [1, 9, 0], ["b"])
    Cut(low=('a', 'c'), loss=0.16666666666666666)
    """
    units, words = _pair(category, y)
    inside = np.isin(words, list(one_side))
    low = inside if units[inside].mean() < units[~inside].mean() else ~inside
    means = np.where(low, units[low].mean(), units[~low].mean())
    return Cut(tuple(sorted(set(words[low].tolist()))), float(np.mean((units - means) ** 2)))


def lightgbm_cut(
    numbers: npt.ArrayLike, category: npt.ArrayLike, y: npt.ArrayLike, unordered: bool, **settings: Any
) -> Cut:
    """Return the first split of a LightGBM tree by one column.

    Parameters
    ----------
    numbers : array_like, shape (n,)
        The column that the tree sees.
    category : array_like, shape (n,)
        What the split is told in.
    y : array_like, shape (n,)
    unordered : bool
        Whether LightGBM is told that the numbers are categories.
    settings
        LightGBM's, such as ``cat_smooth=0``.

    Raises
    ------
    ContractError
        Unequal lengths, missing numbers, or a tree that does not split.
    """
    units, words = _pair(category, y)
    column = np.asarray(numbers, dtype=float)[:, None]
    known = {**_ONE_SPLIT, "objective": "regression", **settings}
    data = lightgbm.Dataset(column, units, categorical_feature=[0] if unordered else [], params=known)
    tree = lightgbm.train(known, data, 1)
    leaf = np.asarray(tree.predict(column, num_threads=1))
    if leaf.min() == leaf.max():
        refuse("y", "different between the categories", "no split", "take more rows, or less smoothing")
    return cut_at(words, units, sorted(set(words[leaf == leaf.min()].tolist())))


def out_of_fold(category: npt.ArrayLike, y: npt.ArrayLike, folds: Any) -> FloatArray:
    """Return the target encoding of each row by scikit-learn's ``TargetEncoder``, fitted without the row's own fold.

    Parameters
    ----------
    category : array_like, shape (n,)
    y : array_like, shape (n,)
    folds : a splitter of scikit-learn, such as ``KFold(5)``

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Examples
    --------
    >>> out_of_fold(["a", "b", "a", "b"], [0, 8, 2, 9], KFold(2)).round(1).tolist()
    [2.0, 9.0, 0.0, 8.0]
    """
    units, words = _pair(category, y)
    encoded = np.empty(len(units))
    for kept, left_out in folds.split(units):
        encoder = TargetEncoder(target_type="continuous").fit(words[kept, None], units[kept])
        encoded[left_out] = encoder.transform(words[left_out, None])[:, 0]
    return encoded


def first_splits(category: npt.ArrayLike, y: npt.ArrayLike, folds: int = 5, seed: int = 0) -> pd.DataFrame:
    """Return the first split of one tree that is given a category in four ways, beside the best there is.

    Parameters
    ----------
    category : array_like, shape (n,)
    y : array_like, shape (n,)
    folds, seed : int
        Of scikit-learn's out-of-fold target encoding, under which a category has a number per fold.

    Returns
    -------
    pandas.DataFrame
        Index ``way``: "best partition", "category, unsmoothed", "category, as set by default", "integer codes",
        "target encoding". Columns ``low`` (categories with rows on the side of the lower forecast) and ``loss`` (mean
        squared error when each side of these categories gets its mean).

    Raises
    ------
    ContractError
        As :func:`best_cut` and :func:`lightgbm_cut`.

    Examples
    --------
    >>> sku = np.repeat(list("abcdef"), 200)
    >>> sold = np.tile([0, 2], 600) + np.repeat([1, 9, 2, 8, 0, 9], 200)
    >>> first_splits(sku, sold).round(2)
                                             low   loss
    way
    best partition                     (a, c, e)   1.44
    category, unsmoothed               (a, c, e)   1.44
    category, as set by default        (a, c, e)   1.44
    integer codes                (a, b, c, d, e)  12.67
    target encoding                    (a, c, e)   1.44
    """
    units, words = _pair(category, y)
    code = pd.factorize(words, sort=True)[0]
    encoded = out_of_fold(words, units, KFold(folds, shuffle=True, random_state=seed))
    columns = {
        "category, unsmoothed": (code, True, UNSMOOTHED),
        "category, as set by default": (code, True, {}),
        "integer codes": (code, False, {}),
        "target encoding": (encoded, False, {}),
    }
    rows = {"best partition": best_cut(words, units)}
    for way, (column, unordered, settings) in columns.items():
        rows[way] = lightgbm_cut(column, words, units, unordered, **settings)
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(Cut._fields)).rename_axis("way")


def _pair(category: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[Any]]:
    units, words = np.atleast_1d(np.asarray(as_amounts(y, "y"))), np.asarray(category)
    require_length(words, len(units), "category")
    return units, words
