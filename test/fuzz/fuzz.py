#!/usr/bin/env python3
"""Runs the fuzzers.

fuzz.py --build DIR [--seconds N] [--more DIR] run|short|keep|cost [TARGET ...]

run     each target for N seconds; what it learns stays in DIR/corpus/TARGET
short   a bounded number of runs from a fixed seed over test/fuzz/corpus/TARGET
keep    adds to test/fuzz/corpus/TARGET what DIR/corpus/TARGET reaches and it does not
cost    CPU time of the slowest inputs, with the replay programs in DIR; --more names a directory
        whose corpus is looked at too

A target that finds something leaves the input in DIR/found/TARGET-...; the last line is
"N passed, N failed".
"""

import argparse
import glob
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join("test", "fuzz")
DEFINITIONS = ["test/data/domain/test", "test/data/domain/qemu"]
# CPU time that one input may take in an instrumented build; it stands for 10 ms in a release build.
LIMIT_MS = "400"
KEEP_SIZE = 8192

# By target: directories of further inputs, the longest input, and the runs of a short run.
SEEDS = {"domain": DEFINITIONS, "domain_qemu": DEFINITIONS, "xml": DEFINITIONS, "qemu_command": ["test/data/qemu"]}
LENGTH = {"access": 4096, "tls": 4096, "number": 200, "scram": 4096, "log": 4096, "conf": 16384, "status": 16384, "smbios": 4096,
          "domain": 65536, "domain_qemu": 65536, "xml": 65536, "qemu_command": 65536, "json": 65536}
RUNS = {"admin": 4000, "tls": 200, "qemu_command": 5000, "rpc": 2000, "rpc_login": 5000, "domain": 2000, "domain_qemu": 2000,
        "status": 3000, "smbios": 5000, "xml": 8000, "users": 5000}


def targets():
    return [os.path.basename(path)[5:-2] for path in sorted(glob.glob(HERE + "/fuzz_*.c"))]


def corpus(target):
    """The committed inputs, and what else the project has that fits."""
    wanted = [os.path.join(HERE, "corpus", target)] + SEEDS.get(target, [])
    return [path for path in wanted if os.path.isdir(path)]


def command(options, target, *flags):
    arguments = [os.path.join(options.build, "test", "fuzz", target)]
    dictionary = os.path.join(HERE, target + ".dict")
    if os.path.exists(dictionary):
        arguments.append("-dict=" + dictionary)
    found = os.path.join(options.build, "found")
    os.makedirs(found, exist_ok=True)
    arguments += ["-max_len=%d" % LENGTH.get(target, 16384), "-timeout=20", "-rss_limit_mb=4096",
                  "-artifact_prefix=%s/%s-" % (found, target), "-print_final_stats=1"]
    return arguments + list(flags)


def execute(options, target, arguments, **environment):
    """Runs a target to its end; its output is shown when it found something."""
    os.makedirs(os.path.join(options.build, "log"), exist_ok=True)
    log = os.path.join(options.build, "log", target + ".log")
    full = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1", ASAN_OPTIONS="detect_leaks=0",
                **environment)
    with open(log, "wb") as output:
        status = subprocess.run(arguments, stdout=output, stderr=output, env=full,
                                stdin=subprocess.DEVNULL).returncode
    with open(log, errors="replace") as output:
        text = output.read()
    if status != 0:
        print(text[-6000:])
    return status == 0, text


def statistic(text, name):
    for line in text.splitlines():
        if line.startswith("stat::%s:" % name):
            return int(line.split()[-1])
    return 0


def run(options, target):
    learnt = os.path.join(options.build, "corpus", target)
    os.makedirs(learnt, exist_ok=True)
    flags = ["-max_total_time=%d" % options.seconds, learnt] + corpus(target)
    good, text = execute(options, target, command(options, target, *flags),
                         NANOVIRT_FUZZ_LIMIT_MS=LIMIT_MS)
    print("%-12s %s, %d runs, %d inputs kept" %
          (target, "clean" if good else "FOUND SOMETHING",
           statistic(text, "number_of_executed_units"), len(os.listdir(learnt))), flush=True)
    return good


def short(options, target):
    with tempfile.TemporaryDirectory() as nowhere:
        flags = ["-seed=1", "-runs=%d" % RUNS.get(target, 20000), nowhere] + corpus(target)
        good, text = execute(options, target, command(options, target, *flags))
    print("%-12s %s, %d runs" % (target, "passed" if good else "FAILED",
                                 statistic(text, "number_of_executed_units")), flush=True)
    return good


def keep(options, target):
    learnt = os.path.join(options.build, "corpus", target)
    kept = os.path.join(HERE, "corpus", target)
    os.makedirs(kept, exist_ok=True)
    before = len(os.listdir(kept))
    flags = ["-merge=1", "-max_len=%d" % KEEP_SIZE, kept] + SEEDS.get(target, []) + [learnt]
    good, _ = execute(options, target, command(options, target, *flags))
    print("%-12s %d inputs, %d of them new" % (target, len(os.listdir(kept)),
                                              len(os.listdir(kept)) - before), flush=True)
    return good


def long_inputs(options, target):
    """Inputs of the longest kind, made out of the short ones."""
    out = os.path.join(options.build, "long", target)
    for size in (LENGTH.get(target, 16384), LENGTH.get(target, 16384) // 4):
        subprocess.run([sys.executable, os.path.join(HERE, "long.py"), "--size", str(size),
                        "%s/%d" % (out, size)] + corpus(target), check=True)
    return out


def cost(options, target):
    program = os.path.join(options.build, "test", "fuzz", target + "-replay")
    inputs = corpus(target)
    inputs.append(long_inputs(options, target))
    if options.more:
        inputs.append(os.path.join(options.more, "corpus", target))
    print(target, flush=True)
    return subprocess.run([program] + inputs).returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--more")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("action", choices=["run", "short", "keep", "cost"])
    parser.add_argument("target", nargs="*")
    options = parser.parse_args()
    os.chdir(TOP)
    action = {"run": run, "short": short, "keep": keep, "cost": cost}[options.action]
    chosen = options.target or targets()
    results = [action(options, target) for target in chosen]
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
