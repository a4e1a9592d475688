"""Two rankers that learn while they are compared: from one log, or each from its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebook.contracts import refuse

LOGS = ("shared", "diverted")
PRIOR = (2.0, 18.0)  # of an item's chance of a click: beta, one click in ten on average; both rankers know it


def clicks_of_rankers(
    share_new: float, log: str, rng: np.random.Generator, *, markets: int = 100, items: int = 20, visits: int = 4_000
) -> NDArray[np.float64]:
    """Play an old ranker that shows what looks best and a new one that also tries what it does not know.

    Every visit is shown one item. The old ranker takes the item with the highest mean so far, the new one draws from
    what is known of each item (Thompson 1933), so that it tries what might be better. What is learnt of a visit goes
    into one log from which both choose, or into the log of the ranker that served it.

    Parameters
    ----------
    share_new : float
        Share of the visits that the new ranker serves, in [0, 1]; 0 and 1 are the two worlds without a test.
    log : {"shared", "diverted"}
    rng : numpy.random.Generator
    markets : int
        How often all of it is played, with new items each time.
    items, visits : int
        Of each market.

    Returns
    -------
    numpy.ndarray of float, shape (markets, 2)
        True clicks per visit that the old and the new ranker served; nan for one that served none.

    Raises
    ------
    ContractError
        If the share is none, or the log is another.

    References
    ----------
    Thompson (1933), On the likelihood that one unknown probability exceeds another, Biometrika 25. Brennan et al.
    (2025), Reducing symbiosis bias through better A/B tests of recommendation algorithms, WWW.

    Examples
    --------
    >>> alone = clicks_of_rankers(0.0, "shared", np.random.default_rng(0), markets=3, visits=50)
    >>> alone.shape, np.isnan(alone[:, 1]).all()
    ((3, 2), np.True_)
    """
    if not 0 <= share_new <= 1:
        refuse("share_new", "in [0, 1]", str(share_new), "divide percentages by 100")
    if log not in LOGS:
        refuse("log", " or ".join(map(repr, LOGS)), repr(log), "choose one of the two")
    chance = rng.beta(*PRIOR, (markets, items))
    known = np.empty((markets, 2, 2, items))  # market, log, clicks or none, item: the parameters of a beta each
    known[:] = np.array(PRIOR)[:, None]
    sums, served = np.zeros((markets, 2)), np.zeros((markets, 2))
    market = np.arange(markets)
    for _ in range(visits):
        new = (rng.random(markets) < share_new).astype(int)
        place = new if log == "diverted" else np.zeros(markets, int)
        clicked, passed = known[market, place, 0], known[market, place, 1]
        score = clicked / (clicked + passed)
        tries = np.flatnonzero(new)
        score[tries] = rng.beta(clicked[tries], passed[tries])
        shown = score.argmax(axis=1)
        p = chance[market, shown]
        known[market, place, (rng.random(markets) >= p).astype(int), shown] += 1
        sums[market, new] += p
        served[market, new] += 1
    return np.asarray(np.where(served > 0, sums / np.maximum(served, 1), np.nan))
