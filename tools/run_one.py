"""Execute one notebook by papermill in a process of its own, and say how it went, a JSON line at a time."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

PROGRESS_EVERY_SECONDS = 5.0


def peak_megabytes() -> float:
    """Return the largest peak resident memory among this process's children (the kernel), in MB."""
    return max([0.0, *(peak_of(child) for child in psutil.Process().children(recursive=True))])


def peak_of(child: psutil.Process) -> float:
    """Return one process's peak resident memory in MB (0 if it has just ended)."""
    try:
        if not Path("/proc/self/status").exists():
            return float(child.memory_info().rss) / 2**20
        rows = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    except (OSError, psutil.Error):  # a child may end between being listed and being read
        return 0.0
    return max([0.0, *(int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM"))])


def say(**facts: Any) -> None:
    """Print one JSON line for the parent."""
    print(json.dumps(facts), flush=True)


class Meter:
    """Reads the kernel's memory after each cell and reports progress now and then."""

    def __init__(self, cells: int) -> None:
        self.cells, self.peak_mb = cells, 0.0
        self.start = self.last = time.monotonic()

    def __call__(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        """Take one reading (the signature is nbclient's)."""
        self.peak_mb = max(self.peak_mb, peak_megabytes())
        now = time.monotonic()
        if now - self.last >= PROGRESS_EVERY_SECONDS:
            self.last = now
            say(cell=cell_index + 1, cells=self.cells, seconds=now - self.start, peak_mb=self.peak_mb)


class MeteredEngine(NBClientEngine):
    """Papermill's own engine with a hook after each cell."""

    meter: Meter

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *arguments: Any, **options: Any) -> Any:
        """Execute with the meter attached, and write the file once: papermill would write it twice a cell."""
        target, nb_man.output_path = nb_man.output_path, None
        try:
            return super().execute_managed_notebook(
                nb_man, kernel_name, *arguments, on_cell_executed=cls.meter, **options
            )
        finally:
            nb_man.output_path = target
            nb_man.save()


def execute(source: Path, target: Path, parameters: dict[str, Any], timeout: int) -> None:
    """Execute ``source`` into ``target``; the last line printed holds status, seconds and peak memory."""
    cells = len(nbformat.read(source, as_version=4).cells)
    MeteredEngine.meter = meter = Meter(cells)
    papermill_engines.register("metered", MeteredEngine)
    status = "ok"
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters,
            engine_name="metered",
            kernel_name="python3",
            cwd=source.parent,
            progress_bar=False,
            execution_timeout=timeout,
            log_output=False,
        )
    except PapermillExecutionError as error:
        status = f"cell {error.cell_index}: {error.ename}: {error.evalue}\n{error}"
    except Exception as error:  # a dead kernel or a time-out must reach the report as well
        status = f"{type(error).__name__}: {error}"
    say(status=status, seconds=time.monotonic() - meter.start, peak_mb=meter.peak_mb)


def main() -> int:
    """Read the command line and execute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--timeout", type=int, default=600)
    options = parser.parse_args()
    execute(options.source, options.target, options.parameters, options.timeout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
