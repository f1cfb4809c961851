"""A command line that is broken at one call after the other, and what it leaves behind."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults_harness import KILLED, Ended, Fault, Warm, is_crash, is_removal  # as conftest.py calls it
from faults_states import States, copy_folder, files_in

NO_MEMORY = "not enough memory"
MOST = 20_000
"""Calls of one kind that any command line makes."""


@dataclass(frozen=True)
class Scenario:
    """A command line to be broken.

    Attributes
    ----------
    name : str
    old, new : tuple
        The command that made what is there, and the one that is to replace it, in a folder with ``in`` and
        ``out``. None for `old`: nothing is there.
    """

    name: str
    old: tuple[Any, ...] | None
    new: tuple[Any, ...]


class Stage:
    """A folder in which a command line is run again and again, each time as if for the first time."""

    def __init__(self, warm: Warm, scenario: Scenario, inputs: Path, place: Path) -> None:
        self.warm, self.scenario = warm, scenario
        self.folder, self.template = place / "work", place / "template"
        for name in ("out", "tmp"):
            (self.folder / name).mkdir(parents=True)
        shutil.copytree(inputs, self.folder / "in")
        self.states = States()
        if scenario.old is not None:
            made = warm.run(self.folder, scenario.old)
            assert made.code == 0, made.err
            self.states.old = self.states.read(self.folder / "out")
        copy_folder(self.folder, self.template)
        self.before = files_in(self.folder)
        self.whole = warm.run(self.folder, scenario.new)
        assert self.whole.code == 0, self.whole.err
        self.states.new = self.states.read(self.folder / "out")
        assert self.states.new != self.states.old
        self.restore()

    def restore(self) -> None:
        if files_in(self.folder) != self.before:
            copy_folder(self.template, self.folder)

    def calls(self, fault: Fault) -> int:
        """Count the calls that could be broken."""
        self.restore()
        return self.warm.run(self.folder, self.scenario.new, fault).count

    def break_at(self, fault: Fault, at: int, **about: Any) -> tuple[Ended, list[str]]:
        """Run with the call number `at` broken; return how it ended, and what is wrong with that."""
        self.restore()
        ended = self.warm.run(self.folder, self.scenario.new, fault, at, **about)
        left = ended.code == KILLED or is_removal(fault, ended) or is_crash(fault, ended)
        wrong = [*self.faults_of_files(ended, left=left), *self.faults_of_words(fault, ended)]
        return ended, wrong + (self.faults_afterwards() if left else [])

    def faults_of_files(self, ended: Ended, *, left: bool) -> list[str]:
        """Say what is wrong with the files; hidden ones may be left, where nobody could remove them."""
        found = []
        now = files_in(self.folder)
        if any(now.get(name) != digest for name, digest in self.before.items() if name.startswith("in/")):
            found.append("the input has changed")
        extra = {name for name in now if name not in self.before and not name.startswith("out/")}
        if extra and not left:
            found.append(f"litter: {sorted(extra)}")
        judged = self.states.judge(self.folder / "out")
        several = {
            name
            for name, files in self.states.new.items()
            if len(files) > 1 or any(isinstance(content, list) for content in files.values())
        }
        if left:  # several files, or a folder, take several calls: whoever comes next puts them right
            judged = {name: state for name, state in judged.items() if name[0] != "." and name not in several}
        found += [
            f"{name} is {state}" for name, state in judged.items() if state not in {"old", "new", "same"}
        ]
        if ended.code == 0:
            found += [f"{name} is {state} after exit 0" for name, state in judged.items() if state == "old"]
        return found

    def faults_of_parts(self) -> list[str]:
        """Say which file of several is missing that can be read by itself, or neither old nor new."""
        found = []
        now = self.states.read(self.folder / "out")
        for stem, files in self.states.new.items():
            main = min(files, key=len)
            if len(files) == 1 or main.endswith((".shp", ".gdb", ".cpg", ".dbf")):
                continue
            before = self.states.old.get(stem, {}).get(main)
            if now.get(stem, {}).get(main) not in (before, files[main]):
                found.append(f"{main} is neither old nor new")
        return found

    def faults_afterwards(self) -> list[str]:
        """Say what is wrong once others come to write there: first one who may not replace it."""
        careful = tuple(word for word in self.scenario.new if word != "--overwrite")
        refused = self.warm.run(self.folder, careful)
        judged = self.states.judge(self.folder / "out")
        found = [
            f"{name} is {state} when the next has come"
            for name, state in judged.items()
            if name[0] != "." and state not in {"old", "new", "same"}
        ]
        if refused.code and "already" not in refused.err:  # it exists, or has such a layer
            found.append(f"the next cannot write: {refused.err}")
        again = self.warm.run(self.folder, self.scenario.new)
        judged = self.states.judge(self.folder / "out")
        found += [
            f"{name} is {state} afterwards" for name, state in judged.items() if state not in {"new", "same"}
        ]
        return found if again.code == 0 else [*found, f"it cannot be done again: {again.err}"]

    def faults_when_resumed(self) -> list[str]:
        """Say what is wrong once a batch that was cut short goes on: it replaces nobody else's files."""
        careful = tuple(word for word in self.scenario.new if word != "--overwrite")
        again = self.warm.run(self.folder, (*careful, "--resume"))
        judged = self.states.judge(self.folder / "out")
        found = [f"{name} is {state} when resumed" for name, state in judged.items() if state == "old"]
        found += [f"it cannot be resumed: {again.err}"] if again.code else []
        return found + self.faults_of_files(again, left=False)

    def faults_of_words(self, fault: Fault, ended: Ended) -> list[str]:
        """Say what is wrong with the exit code and the line that says why."""
        if ended.hung:
            return ["it never ended"]
        if ended.code in {0, KILLED} or is_crash(fault, ended):
            return []
        if ended.code != 1:
            return [f"exit code {ended.code}", ended.err[-2000:]]
        if self.scenario.new[0] == "batch":
            return self.faults_of_table(ended)
        found: list[str] = []
        if (
            "Traceback" in ended.err
            or len(ended.errors) != 1
            or ended.err.splitlines()[-1] != ended.errors[0]
        ):
            return [f"not one line: {ended.err[-2000:]}"]
        line = ended.errors[0].removeprefix("error: ")
        if NO_MEMORY in line:  # wherever it was, there is none
            return found
        if not line.startswith(("out/", "in/")) and not line.startswith(str(self.folder)):
            found.append(f"names no file: {line}")
        if "; " not in line:
            found.append(f"does not say what to do: {line}")
        if "/." in line.split("; ")[0]:
            found.append(f"names a hidden file: {line}")
        if ended.out and "--save-config" not in self.scenario.new:  # of a run whose report has been shown
            found.append("something on standard output")
        return found

    def faults_of_table(self, ended: Ended) -> list[str]:
        """Say what is wrong with the words on a batch: a line for each run, or one for the whole."""
        lines = [line for line in ended.err.splitlines() if re.match(r"\[./.\] failed  ", line)]
        about = lines or ended.errors
        if "Traceback" in ended.err or not about:
            return [f"no line of a run that failed: {ended.err[-2000:]}"]
        return [f"does not say what to do: {line}" for line in about if "; " not in line]

    def sweep(self, fault: Fault, step: int = 1, **about: Any) -> tuple[int, dict[str, list[int]]]:
        """Break one call after the other, until none is left; return how many were, and what was wrong."""
        found: dict[str, list[int]] = {}
        for tried, at in enumerate(range(1, MOST, step)):
            ended, wrong = self.break_at(fault, at, **about)
            for one in wrong:
                found.setdefault(f"{one} [{ended.met}]", []).append(at)
            if not ended.hits:
                assert ended.code == 0, ended.err
                return tried, found
        raise AssertionError("there is no end to it")
