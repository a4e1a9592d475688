"""Where a moral's worlds lie: the study, and the column that is true where the finding holds."""

from __future__ import annotations

from dataclasses import dataclass

from casebook import studies
from casebook.worlds import Share, share_holding


@dataclass(frozen=True)
class Moral:
    """Where a moral's worlds lie.

    Attributes
    ----------
    claim : str
        Its id in ``claims.yml``, which holds the ranges that its shares are held against.
    study, finding : str
        The committed study, and its column that is true where the finding holds.
    cell : str
        Anchor of the chapter's section that shows it.
    only : str or None
        Query that picks the drawn worlds which the moral speaks of. Null worlds are never picked from: they have
        no effect to restrict.
    """

    claim: str
    study: str
    finding: str
    cell: str
    only: str | None = None

    def shares(self, result: studies.StudyResult | None = None) -> tuple[Share, Share]:
        """Return the share of drawn worlds and of null worlds in which the finding holds.

        Parameters
        ----------
        result : StudyResult, optional
            By default the committed study.

        Examples
        --------
        >>> drawn, null = Moral("3.risk-misleads", "03_calls", "risk_misleads", "ch3-actions-change").shares()
        >>> drawn.share > null.share
        True
        """
        result = studies.load(self.study) if result is None else result
        drawn = result.frame if self.only is None else result.frame.query(self.only)
        return share_holding(drawn[self.finding]), share_holding(result.null_frame[self.finding])
