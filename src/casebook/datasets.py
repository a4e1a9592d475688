"""Public data sets that nobody here made: where they lie, what they owe to whom, and their tables.

Three places are tried in turn: the folder that ``CASEBOOK_DATASETS`` names, a ``shared/datasets`` folder
beside the working copy, and the pinned download (skipped if ``CASEBOOK_OFFLINE`` is 1).
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from casebook.contracts import refuse
from casebook.dataset_demand import ONLINE_RETAIL, TOURISM, prepare_online_retail, prepare_tourism
from casebook.dataset_experiments import COOKIE_CATS, UPWORTHY, prepare_cookie_cats, prepare_upworthy
from casebook.dataset_fraud import FRAUD_HANDBOOK, prepare_fraud_handbook
from casebook.dataset_tables import (
    BANK_MARKETING,
    HILLSTROM,
    TELCO_CHURN,
    prepare_bank_marketing,
    prepare_hillstrom,
    prepare_telco_churn,
)

__all__ = [
    "BANK_MARKETING",
    "COOKIE_CATS",
    "FRAUD_HANDBOOK",
    "HILLSTROM",
    "ONLINE_RETAIL",
    "TELCO_CHURN",
    "TOURISM",
    "UPWORTHY",
    "Dataset",
    "credit",
    "fetch",
    "prepare_bank_marketing",
    "prepare_cookie_cats",
    "prepare_fraud_handbook",
    "prepare_hillstrom",
    "prepare_online_retail",
    "prepare_telco_churn",
    "prepare_tourism",
    "prepare_upworthy",
    "registry",
]

_PARENTS = 4  # how far above the working directory a shared folder is looked for
_TIMEOUT = 10.0  # seconds, one try


@dataclass(frozen=True)
class Dataset:
    """What the registry ``data/datasets.yml`` knows of a data set.

    Parameters
    ----------
    title, kind, licence, attribution : str
        For the page.
    rows : int
        Rows of the whole table.
    file, sha256 : str
        The name of the file and its digest.
    url : str
        The pinned download; empty where none is offered, since the original is pickles, which run what they hold.
    member, member_sha256 : str
        The table inside, where the download is a zip.
    mirror, mirror_sha256 : str
        Another packing of the same table that a shared folder may hold.
    """

    title: str
    kind: str
    rows: int
    file: str
    sha256: str
    licence: str
    attribution: str
    url: str = ""
    member: str = ""
    member_sha256: str = ""
    mirror: str = ""
    mirror_sha256: str = ""


@cache
def registry() -> dict[str, Dataset]:
    """All data sets by slug.

    Returns
    -------
    dict of str to Dataset

    Examples
    --------
    >>> sorted(registry())[:2]
    ['bank-marketing', 'cookie-cats']
    """
    text = (files("casebook.data") / "datasets.yml").read_text(encoding="utf-8")
    return {slug: Dataset(**facts) for slug, facts in yaml.safe_load(text).items()}


def credit(slug: str) -> str:
    """The line that a page owes to those who made the data.

    Parameters
    ----------
    slug : str
        A key of :func:`registry`.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        For an unknown slug.

    Examples
    --------
    >>> credit("telco-churn")[:72]
    'Data: IBM, Telco Customer Churn sample data set (IBM/telco-customer-chur'
    """
    known = _known(slug)
    return f"Data: {known.attribution}. Licence: {known.licence}."


def fetch(slug: str) -> Path | None:
    """Find a data set's file, or download it once.

    Parameters
    ----------
    slug : str
        A key of :func:`registry`.

    Returns
    -------
    Path or None
        None if it can be had nowhere; one printed line says so.

    Raises
    ------
    ContractError
        For an unknown slug, and for a file whose SHA-256 is not the pinned one.

    Examples
    --------
    >>> fetch("telco")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: slug must be one of bank-marketing, cookie-cats, fraud-handbook, hillstrom-email,
    online-retail-ii-2009-2010, telco-churn, tourism-australia, upworthy-exploratory, got 'telco'; pick one.
    """
    known = _known(slug)
    for folder in _folders():
        for name, digest in ((known.file, known.sha256), (known.mirror, known.mirror_sha256)):
            path = folder / slug / name
            if name and path.is_file():
                return _verified(path, digest)
    if not known.url:
        _say_missing(slug, "no download is offered")
        return None
    import pooch  # here, since it imports tqdm, which warns in every notebook without ipywidgets

    path = Path(pooch.os_cache("casebook")) / known.file
    if path.is_file():
        return _verified(path, known.sha256)
    if os.environ.get("CASEBOOK_OFFLINE") == "1":
        _say_missing(slug, "downloads are off")
        return None
    return _download(slug, known, path)


def _download(slug: str, known: Dataset, path: Path) -> Path | None:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.retrieve(
            known.url,
            known_hash=None,  # the digest is checked below, where its refusal is ours
            fname=known.file,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT),
        )
    except OSError as error:  # requests' errors are OSErrors, and so is a cache that cannot be written
        _say_missing(slug, f"the download failed with {type(error).__name__}")
        return None
    got = _digest(path)
    if got != known.sha256:
        path.unlink()
        _refuse_digest(path, known.sha256, got)
    return path


def _known(slug: str) -> Dataset:
    if slug not in registry():
        refuse("slug", f"one of {', '.join(registry())}", repr(slug), "pick one")
    return registry()[slug]


def _folders() -> Iterator[Path]:
    named = os.environ.get("CASEBOOK_DATASETS")
    if named:
        yield Path(named)
    here = Path.cwd()
    for start in [here, *list(here.parents)[:_PARENTS]]:
        yield start.parent / "shared" / "datasets"


def _say_missing(slug: str, why: str) -> None:
    print(f"{slug}: not here, and {why}; set CASEBOOK_DATASETS to a folder that holds {slug}/.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified(path: Path, digest: str) -> Path:
    got = _digest(path)
    if got != digest:
        _refuse_digest(path, digest, got)
    return path


def _refuse_digest(path: Path, digest: str, got: str) -> None:
    mend = "delete it and let fetch download it again"
    refuse(f"file {path.name!r}", f"the pinned one, SHA-256 {digest[:12]}", got[:12], mend)
