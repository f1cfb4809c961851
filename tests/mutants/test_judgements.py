"""The plan and the judgements speak of files and lines that are there."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def read(name):
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def test_judged_changes_are_of_lines_that_are_there():
    for row in read("survivors.toml")["survivor"]:
        lines = {line.strip() for line in (ROOT / row["module"]).read_text(encoding="utf-8").splitlines()}
        assert row["before"] in lines, f"judge it again, or take it out: {row}"
        assert row["after"] != row["before"]
        assert row["verdict"] in {"equivalent", "harmless", "gap"}
        assert len(row["why"]) > 10


def test_the_plan_names_every_module_once_and_tests_that_are_there():
    plan = read("plan.toml")
    named = [module for part in plan.values() for module in part["modules"]]
    assert len(named) == len(set(named))
    for part in plan.values():
        for module, tests in part["modules"].items():
            assert (ROOT / module).is_file()
            assert tests
            assert all((ROOT / test.split("::")[0]).is_file() for test in tests)
    for room in ("weights", "kernels"):
        there = {f"regionalize/{room}/{file.name}" for file in (ROOT / "regionalize" / room).glob("*.py")}
        assert there - {f"regionalize/{room}/__init__.py"} == set(plan[room]["modules"])
