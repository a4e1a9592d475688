"""The model as a service holds it: one file, its version, one row at a time, and the cuts that make p an action."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import as_probabilities, refuse, require_columns
from casebook.decisions import IsotonicCalibrator, PlattCalibrator, undo_undersampling
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.world import ACTIONS
from casebook.jobs import write_atomic, write_json
from casebook.jobs.atomic import StrPath

MANIFEST = "manifest.json"
TIERS = ACTIONS[1:]  # what begins at the first, second and third cut
Calibrator = PlattCalibrator | IsotonicCalibrator


@dataclass(frozen=True)
class ServedModel:
    """A boosted model, its calibration, and its cuts.

    Parameters
    ----------
    name : str
    text : str
        The model as LightGBM writes it to a file; :meth:`of` takes it from a fitted one.
    cuts : sequence of float, length 3
        p from which on to push, call and block: rising, in (0, 1). Where two are equal, the action of the first
        is never taken.
    keep_negatives : float
        Share of the rows without fraud that the model was fitted on, in (0, 1], see
        :func:`casebook.decisions.undo_undersampling`.
    calibrator : PlattCalibrator or IsotonicCalibrator, optional
        Applied after that.
    features : sequence of str, optional
        What it reads, in its own order; by default the names in the model's file.

    Attributes
    ----------
    version : str
        SHA-256 of the model's file, in hexadecimal. It names the trees; cuts and calibration are in the manifest.

    Raises
    ------
    ContractError
        Text that is no model, features that the state does not give or that are too few or too many, cuts that do not
        rise, a share that is none.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"amount_cents": rng.integers(100, 90_000, 2_000), "new_merchant": rng.integers(0, 2, 2_000)})
    >>> y = rng.random(2_000) < 0.2 * X["new_merchant"]
    >>> fitted = lgb.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(X, y)
    >>> model = ServedModel.of(fitted, "toy", cuts=(0.05, 0.4, 0.8))
    >>> p = model.p({"amount_cents": 5_000, "new_merchant": 1})
    >>> model.tier(p), bool(p == model.predict(X.assign(amount_cents=5_000, new_merchant=1))[0])
    ('push', True)
    >>> ServedModel.of(fitted, "toy", cuts=(0.5, 0.4, 0.8))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: cuts must be three numbers that rise in (0, 1), for push, call and block,
    got (0.5, 0.4, 0.8); take them from casebook.decisions.lower_envelope.
    """

    name: str
    text: str = field(repr=False)
    cuts: tuple[float, float, float]
    keep_negatives: float = 1.0
    calibrator: Calibrator | None = None
    features: tuple[str, ...] = field(default=(), repr=False)
    version: str = field(init=False)
    _booster: lgb.Booster = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cuts", _checked_cuts(self.cuts))
        if not 0 < self.keep_negatives <= 1:
            refuse("keep_negatives", "above 0 and at most 1", f"{self.keep_negatives:g}", "give the share kept")
        object.__setattr__(self, "_booster", _read(self.text))
        object.__setattr__(self, "features", _checked_features(self.features, self._booster))
        object.__setattr__(self, "version", hashlib.sha256(self.text.encode()).hexdigest())

    @classmethod
    def of(cls, model: Any, name: str, cuts: Sequence[float], **settings: Any) -> ServedModel:
        """Take a fitted model.

        Parameters
        ----------
        model : lightgbm.Booster, or an estimator that has one as ``booster_``
            LGBMClassifier, or the room's BoostedModel, whose ``columns_`` and ``keep_`` are the features and the
            share of rows without fraud.
        name, cuts, **settings
            The other parameters of the class.
        """
        booster = model if isinstance(model, lgb.Booster) else getattr(model, "booster_", None)
        if booster is None:
            must = "a fitted lightgbm.Booster, LGBMClassifier or BoostedModel"
            refuse("model", must, type(model).__name__, "fit one, or write a server for yours")
        if hasattr(model, "columns_"):
            settings = {"features": tuple(model.columns_), "keep_negatives": model.keep_, **settings}
        return cls(name, booster.model_to_string(), tuple(cuts), **settings)  # type: ignore[arg-type]

    def p(self, features: Mapping[str, float]) -> float:
        """Return the calibrated probability that one event is fraud; ``features`` holds at least the model's own."""
        row = np.array([[features[name] for name in self.features]], dtype=np.float64)
        return float(self._calibrated(row)[0])

    def predict(self, table: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the same for a table of events, shape (n,)."""
        require_columns(table, self.features, "table")
        return self._calibrated(table[list(self.features)].to_numpy(dtype=np.float64))

    def tier(self, p: float) -> str:
        """Return the action of the highest cut that p reaches, one of ``ACTIONS``."""
        return ACTIONS[bisect_right(self.cuts, p)]

    def reasons(self, features: Mapping[str, float], most: int = 3) -> list[str]:
        """Name the features that raised one event's score most, by their shares in its log odds.

        The shares are those of the trees before calibration, and sum with a constant to the score (Lundberg, Erion
        and Lee, 2018, Consistent individualized feature attribution for tree ensembles). They say what moved this
        model, not what would change its mind or what a fraudster did.
        """
        values = [float(features[name]) for name in self.features]
        found: Any = self._booster.predict(np.array([values]), pred_contrib=True, num_threads=1)
        shares = np.asarray(found)[0, :-1]
        top = [place for place in np.argsort(-shares)[:most].tolist() if shares[place] > 0]
        return [f"model: {self.features[place]} = {values[place]:g} ({shares[place]:+.2f})" for place in top]

    def save(self, folder: StrPath) -> Path:
        """Write the model's file, then the manifest that names it: a reader sees the old model or this one.

        Returns
        -------
        pathlib.Path
            The manifest. Models saved there before are left: an older manifest brings one back.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        file = f"model-{self.version[:12]}.txt"
        write_atomic(place / file, self.text)
        said = {"name": self.name, "file": file, "sha256": self.version, "features": list(self.features)}
        settings = {"keep_negatives": self.keep_negatives, "calibrator": _plain(self.calibrator)}
        write_json(place / MANIFEST, {**said, "cuts": list(self.cuts), **settings})
        return place / MANIFEST

    @classmethod
    def load(cls, folder: StrPath) -> ServedModel:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ContractError
            No manifest, one that cannot be read, or a file that is not the one it names.
        """
        path = Path(folder) / MANIFEST
        if not path.is_file():
            refuse("--model", f"a folder with a {MANIFEST}", str(folder), "write it with ServedModel.save")
        try:
            said = json.loads(path.read_bytes())
            raw = (path.parent / said["file"]).read_bytes()
            settings = said["cuts"], said["keep_negatives"], _calibrator(said["calibrator"]), tuple(said["features"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            must = "a manifest whose model's file lies beside it"
            refuse(str(path), must, f"{type(error).__name__}: {error}"[:120], "save the model again")
        if hashlib.sha256(raw).hexdigest() != said["sha256"]:
            mend = "restore it or save the model again"
            refuse(str(path.parent / said["file"]), "the file that its manifest names", "another one", mend)
        return cls(said["name"], raw.decode(), *settings)

    def _calibrated(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        raw: Any = self._booster.predict(rows, num_threads=1, validate_features=False)
        p = as_probabilities(raw, "p") if self.keep_negatives == 1 else undo_undersampling(raw, self.keep_negatives)
        return p if self.calibrator is None else self.calibrator(p)


def _checked_cuts(cuts: Sequence[float]) -> tuple[float, float, float]:
    numbers = tuple(float(cut) for cut in cuts)
    rising = len(numbers) == len(TIERS) and 0 < numbers[0] <= numbers[1] <= numbers[2] < 1
    if not rising:
        must = "three numbers that rise in (0, 1), for push, call and block"
        refuse("cuts", must, str(numbers), "take them from casebook.decisions.lower_envelope")
    return numbers  # type: ignore[return-value]


def _checked_features(features: Sequence[str], booster: lgb.Booster) -> tuple[str, ...]:
    names = tuple(features) or tuple(booster.feature_name())
    if len(names) != booster.num_feature():
        refuse("features", f"of {booster.num_feature()} names", str(len(names)), "name the columns it was fitted on")
    strange = [name for name in names if name not in FEATURES]
    if strange:
        must, mend = "among casebook.fraud.feature_spec.FEATURES", "fit on a table with those columns"
        refuse("the model's features", must, repr(strange[0]), mend)
    return names


def _read(text: str) -> lgb.Booster:
    if not text.startswith("tree\n"):
        refuse("text", "a model as LightGBM writes it", f"{text[:20]!r}", "use ServedModel.of or ServedModel.load")
    return lgb.Booster(model_str=text)


def _plain(calibrator: Calibrator | None) -> dict[str, Any] | None:
    if calibrator is None:
        return None
    return {name: value if isinstance(value, float) else list(value) for name, value in vars(calibrator).items()}


def _calibrator(said: Mapping[str, Any] | None) -> Calibrator | None:
    if said is None:
        return None
    if "slope" in said:
        return PlattCalibrator(**said)
    return IsotonicCalibrator(**{name: np.asarray(value, dtype=np.float64) for name, value in said.items()})
