#!/usr/bin/env python3
"""Which lines and functions of src/ tests and fuzzers run.

coverage.py --build DIR [--guests DIR] [--seeds N] run PART ...
coverage.py --build DIR report

run: those parts of test/run-all.py, the kept inputs of the fuzzers, and N seeds of the simulator
(DIR-sim/sim), all built with clang's counters.

report: a line for each file with its lines, how many ran, and a mark where test/coverage.txt says why
the rest does not; then the functions that never ran. Fails when less than LEAST percent of a file ran
that is not explained there, or when one is explained of which ENOUGH percent ran.
"""

import argparse
import glob
import itertools
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "test", "fuzz"))
# Runs differ a little: a file between the two may be explained or not.
LEAST = 70
ENOUGH = 80


def profiles(options):
    return glob.glob(os.path.join(options.build, "profile", "*.profraw"))


def prepare(options):
    """Empty counters, in files that daemons of other users may write, too."""
    for old in profiles(options):
        os.unlink(old)
    subprocess.run([os.path.join(options.build, "nanovirtd"), "--version"], check=True,
                   stdout=subprocess.DEVNULL)
    for path in profiles(options):
        os.chmod(path, 0o666)


def run(options):
    from fuzz import corpus
    prepare(options)
    commands = [[program, *corpus(os.path.basename(program)[:-len("-replay")])] for program in
                sorted(glob.glob(os.path.join(options.build, "test", "fuzz", "*-replay")))]
    commands.append([options.build + "-sim/sim", "-k", "-f", "test/sim/seeds.txt", "-n", str(options.seeds)])
    commands.append([sys.executable, "test/run-all.py", "--build", options.build, "--guests",
                     options.guests, *options.part])
    for command in commands:
        status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
        if status != 0:
            print("%s: status %d; what it ran counts all the same" % (command[0], status))


def programs(build):
    """Everything that was built with counters."""
    found = [os.path.join(build, "nanovirtd"), build + "-sim/sim"]
    found += glob.glob(os.path.join(build, "test", "unit", "test_*"))
    found += glob.glob(os.path.join(build, "test", "fuzz", "*-replay"))
    return [path for path in found if os.access(path, os.X_OK)]


def source_of(filename):
    """The path below the top of a file of src/, else None."""
    path = os.path.relpath(filename, TOP)
    return path if path.startswith("src/") and path.endswith(".c") else None


def read_counters(options):
    """(lines, lines that ran) by file, and how often each function ran."""
    merged = os.path.join(options.build, "profile", "all.profdata")
    subprocess.run(["llvm-profdata", "merge", "-o", merged, *profiles(options)], check=True)
    first, *others = programs(options.build)
    objects = [word for path in others for word in ("-object", path)]
    text = subprocess.run(["llvm-cov", "export", "-skip-expansions", "-instr-profile", merged, first,
                           *objects], check=True, stdout=subprocess.PIPE).stdout
    data = json.loads(text)["data"][0]
    lines = {}
    for row in data["files"]:
        path, summary = source_of(row["filename"]), row["summary"]["lines"]
        if path and summary["count"]:
            lines[path] = (summary["count"], summary["covered"])
    return lines, count_runs(data["functions"])


def count_runs(functions):
    """By (file, function). One has a row for each different build of it; they are added up."""
    counts = {}
    for row in functions:
        path = source_of(row["filenames"][0])
        if path:
            key = (path, row["name"].split(":")[-1])
            counts[key] = counts.get(key, 0) + row["count"]
    return counts


def explained():
    """The files that test/coverage.txt has something to say about: its lines are FILE: WHY."""
    with open("test/coverage.txt") as text:
        return {line.split(":")[0] for line in text if line.startswith("src/")}


def report(options):
    lines, runs = read_counters(options)
    known = explained()
    low = {path for path, (count, ran) in lines.items() if 100 * ran < LEAST * count}
    middling = {path for path, (count, ran) in lines.items() if 100 * ran < ENOUGH * count}
    for path, (count, ran) in sorted(lines.items()):
        print("%-52s %5d %5d %4d %% %s" % (path, count, ran, 100 * ran // count,
                                           "*" if path in known else ""))
    total, ran = (sum(column) for column in zip(*lines.values()))
    print("%-52s %5d %5d %4d %%" % ("src/", total, ran, 100 * ran // total))
    never = sorted(function for function, count in runs.items() if count == 0)
    print("\nnever run: %d of %d functions" % (len(never), len(runs)))
    for path, functions in itertools.groupby(never, lambda function: function[0]):
        print("%s: %s" % (path, " ".join(name for _, name in functions)))
    for path in sorted(low - known):
        print("%s: less than %d %% ran, and test/coverage.txt does not say why" % (path, LEAST))
    for path in sorted(known - middling):
        print("%s: enough of it ran, or it is gone: test/coverage.txt need not explain it" % path)
    sys.exit(1 if low - known or known - middling else 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--guests", default="build/guest")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("action", choices=["run", "report"])
    parser.add_argument("part", nargs="*")
    options = parser.parse_args()
    os.chdir(TOP)
    run(options) if options.action == "run" else report(options)


if __name__ == "__main__":
    main()
