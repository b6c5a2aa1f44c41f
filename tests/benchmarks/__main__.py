"""``make bench``: every figure of the speed budget that exists so far, as a table and as out/bench.json.

Name modules of this folder to run only those: ``python -m tests.benchmarks startup brush``.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
from pathlib import Path

import tests.benchmarks
from tests.benchmarks.row import Row

HELPERS = {"row", "ct_series", "other_readers", "model_ways", "__main__"}


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    found = [m.name for m in pkgutil.iter_modules(tests.benchmarks.__path__) if m.name not in HELPERS]
    wanted = sys.argv[1:] or sorted(found)
    rows: list[Row] = []
    for name in wanted:
        print(f"{name} ...", file=sys.stderr)
        rows += importlib.import_module(f"tests.benchmarks.{name}").rows()
    width = max(len(row.name) for row in rows)
    for row in rows:
        budget = "" if row.budget is None else f"  budget {row.budget:g}"
        mark = "  MISSES" if row.misses else ""
        print(f"{row.name:<{width}}  {row.value:10.2f} {row.unit:<4}{budget}{mark}  {row.note}")
    missed = [row.name for row in rows if row.misses]
    print(f"\n{len(rows)} figures, {len(missed)} over budget{': ' + '; '.join(missed) if missed else ''}")
    out = Path("out")
    out.mkdir(exist_ok=True)
    document = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows": [row.document() for row in rows],
    }
    (out / "bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
