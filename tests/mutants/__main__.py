"""Puts small faults into a copy of the package, one at a time: which do the tests notice?

`make mutants` draws 200 by a seed. Each is run under the tests that most likely notice it, and
what they do not notice under all others. Faults that change nothing are listed with the reason in
`same.toml`.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

from tests.mutants.faults import Fault, faults
from tests.mutants.likely import likely

ROOT = Path(__file__).parents[2]
LONGEST = 1800
"""Seconds until a run that does not end counts as a fault noticed."""


def drawn(number: int, seed: int, under: list[str], known: dict[str, str]) -> list[Fault]:
    """Some faults of some folders, none of those that change nothing."""
    paths = sorted(path for folder in under for path in found_in(ROOT / folder))
    every = [
        fault for path in paths for fault in faults(str(path.relative_to(ROOT)), path.read_bytes())
    ]
    random.Random(seed).shuffle(every)
    return [fault for fault in every if fault.name not in known][:number]


def found_in(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))


def copied(folder: Path) -> None:
    """The files of the project, without what is built from them."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\n"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def fails(folder: Path, *arguments: str) -> bool:
    """Whether a run of the tests ends with a failure, or not at all."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def noticed(folder: Path, fault: Fault, quick: bool) -> bool:
    """Whether tests fail with it: the likeliest, and if they do not, all."""
    source = (ROOT / fault.path).read_bytes()
    first = likely(ROOT, fault)
    (folder / fault.path).write_bytes(fault.apply(source))
    try:
        if fails(folder, "-n0", *first):
            return True
        return not quick and fails(folder, *(f"--deselect={path}" for path in first))
    finally:
        (folder / fault.path).write_bytes(source)


def package_of(fault: Fault) -> str:
    return "/".join(Path(fault.path).parts[1:2])


def report(results: list[tuple[Fault, bool]]) -> str:
    """A line for each package, and each fault that no test noticed."""
    tried, seen = Counter[str](), Counter[str]()
    passed: dict[str, list[Fault]] = defaultdict(list)
    for fault, one in results:
        tried[package_of(fault)] += 1
        seen[package_of(fault)] += one
        if not one:
            passed[package_of(fault)].append(fault)
    lines = [f"{'package':16} tried noticed"]
    lines += [f"{name:16} {tried[name]:5} {seen[name]:7}" for name in sorted(tried)]
    lines += [f"{'all':16} {tried.total():5} {seen.total():7}"]
    for name in sorted(passed):
        lines += [f"{fault.path}:{fault.line} {fault.name}" for fault in passed[name]]
    return "\n".join(lines)


def main() -> None:
    """Reports, and fails where less than 95 in 100 are noticed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--number", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true", help="the likeliest tests only")
    arguments.add_argument("paths", nargs="*", default=["jaxsched"])
    asked = arguments.parse_args()
    known = tomllib.loads((Path(__file__).parent / "same.toml").read_text())
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        for fault in drawn(asked.number, asked.seed, asked.paths, known):
            results.append((fault, noticed(folder, fault, asked.quick)))
            print("noticed" if results[-1][1] else "PASSED ", fault.name, flush=True)
    print(report(results))
    if sum(one for _, one in results) < 0.95 * len(results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
