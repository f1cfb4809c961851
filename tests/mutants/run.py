"""Change the package in small ways, one after the other, and list the changes that no test notices.

``make mutants`` runs all parts of `plan.toml`, ``make mutants MUTANTS=weights`` some. Those that survive are
judged in `survivors.toml`; one that is not judged there ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy is loaded: processes are forked, and threads do not follow
os.environ["NUMBA_DISABLE_JIT"] = "1"  # each change of a kernel would be compiled anew
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for what tests start: it would outlast the change

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from changes import Change, changes_of  # noqa: E402 - after the settings above
from trial import Outcome, load_beside, run_tests  # noqa: E402 - as above

LEAVE = shutil.ignore_patterns(".*", "__pycache__", "demo", "_build", "*.egg-info", "node_modules")
PROFILES = ("quick", "fixed")
"""Hypothesis tries few examples at first: most changes are noticed at once."""
SLACK = 4
"""Times the tests of an unchanged module may take before a change counts as endless."""


def main() -> int:
    """Try all changes, or a share; return 1 if one survives that nobody has judged."""
    options = parse()
    plan = tomllib.loads((HERE / "plan.toml").read_text(encoding="utf-8"))
    judged = tomllib.loads((HERE / "survivors.toml").read_text(encoding="utf-8"))["survivor"]
    known = {(row["module"], row["before"], row["after"]) for row in judged}
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("REGIONALIZE_SHARED", str((ROOT / ".." / "shared").resolve()))
    load_beside()
    open_survivors = 0
    with tempfile.TemporaryDirectory(dir=options.out) as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=LEAVE)
        for part in options.parts or plan:
            for module, tests in plan[part]["modules"].items():
                if options.only and options.only not in module:
                    continue
                share = options.share or plan[part]["share"]
                survivors = try_module(copy, module, [*tests, *plan[part].get("besides", ())], share, options)
                open_survivors += sum(change.key not in known for change in survivors)
    if open_survivors:
        print(f"{open_survivors} survivors are not judged in tests/mutants/survivors.toml")
    return int(open_survivors > 0)


def parse() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", help="parts of plan.toml; all by default")
    parser.add_argument("--only", metavar="TEXT", help="only modules whose path holds this")
    parser.add_argument("--share", type=float, help="share of the changes to try; else that of plan.toml")
    parser.add_argument("--seed", type=int, default=0, help="which share")
    folder = Path(tempfile.gettempdir()) / "mutants"
    parser.add_argument(
        "--out", type=Path, default=folder, help="where the copy and a list of all changes go"
    )
    return parser.parse_args()


def try_module(
    copy: Path, module: str, tests: list[str], share: float, options: argparse.Namespace
) -> list[Change]:
    """Try the changes of one module, print and keep what became of them, and return those that survived."""
    path, log = copy / module, options.out / "pytest.log"
    source = path.read_text(encoding="utf-8")
    tests = [module, *tests]  # its own examples first
    usual = {}
    sys.dont_write_bytecode = False  # of what stays as it is, for all trials to come
    for profile in PROFILES:
        outcome, usual[profile] = run_tests(copy, tests, 300, profile=profile, log=log)
        if outcome is not Outcome.SURVIVED:
            sys.exit(f"{module}: its tests fail on the unchanged module\n{log.read_text()[-2000:]}")

    def look(profile: str) -> tuple[Outcome, float]:
        return run_tests(copy, tests, SLACK * usual[profile] + 5, profile=profile, log=log)

    sys.dont_write_bytecode = True
    changes, places = changes_of(module, source, share, options.seed)
    survivors, counts, spent = [], Counter[Outcome](), 0.0
    with (options.out / f"{path.stem}.jsonl").open("w", encoding="utf-8") as kept:
        for change in changes:
            outcome, took = try_change(path, source, change, look)
            counts[outcome] += 1
            spent += took
            row = {"outcome": outcome, "seconds": round(took, 2), **asdict(change)}
            del row["source"]
            kept.write(json.dumps(row) + "\n")
            kept.flush()
            if outcome is Outcome.SURVIVED:
                survivors.append(change)
                print(f"  {module}:{change.line} {change.operator}")
                print(f"    - {change.before}\n    + {change.after}", flush=True)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    print(f"{module}: {len(changes)} of {places} changes, {told}; {spent:.0f} s", flush=True)
    return survivors


def try_change(
    path: Path, source: str, change: Change, look: Callable[[str], tuple[Outcome, float]]
) -> tuple[Outcome, float]:
    """Put a change in its place, look at it with few examples and, if it survives, with all; undo it."""
    before = path.stat()
    path.write_text(change.source, encoding="utf-8")
    os.utime(path, (before.st_atime, before.st_mtime + 10))  # older or newer than the bytecode, at any speed
    try:
        spent = 0.0
        for profile in PROFILES:
            outcome, took = look(profile)
            spent += took
            if outcome is not Outcome.SURVIVED:
                break
        return outcome, spent
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, (before.st_atime, before.st_mtime))


if __name__ == "__main__":
    sys.exit(main())
