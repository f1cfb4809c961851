"""Ask an advisory database of the versions installed: `make audit`.

Exit codes: 0 all packages were looked up and no weakness is known; 1 some are; 2 some were not looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig

OWN = "regionalize"


def main(pip_audit: str) -> int:
    """Run pip-audit, and say what it found and how many packages it could not look up."""
    where = sysconfig.get_path("purelib")
    command = [pip_audit, "--path", where, "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        say(f"audit: the advisory database cannot be reached, and nothing is known: {last[:300]}")
        return 2
    found = [package for package in found if package["name"] != OWN]
    unknown = [package["name"] for package in found if "skip_reason" in package]
    weak = [package for package in found if package.get("vulns")]
    for package in weak:
        for fault in package["vulns"]:
            mended = ", ".join(fault["fix_versions"]) or "no version yet"
            say(f"{package['name']} {package['version']}: {fault['id']}, mended in {mended}")
    known = len(found) - len(unknown)
    say(f"audit: {known} of {len(found)} packages looked up; {len(weak)} with known weaknesses")
    if unknown:
        say(f"audit: not found in the database: {', '.join(unknown[:8])}{' …' if unknown[8:] else ''}")
    if unknown and not known:
        say("audit: the database does not answer for any package, and nothing is known")
    return 1 if weak else 2 if unknown else 0


def say(text: str) -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
