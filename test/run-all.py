#!/usr/bin/env python3
"""Runs the parts of the test suite, two at a time, and adds up what they say.

run-all.py [--build DIR] [--guests DIR] [--sim DIR] [--fuzz DIR] [--smallest DIR] [--mbedtls3 DIR]
           [--peer NAME] [--valgrind] [PART ...]

A part is a family (unit, contract, alloc, format, qemu, client, profile, mbedtls3, compare, sim, fuzz) or one of its members, as
client/connection.
Every part writes its whole output into DIR/results/; what failed is printed. The last line is the sum
over all parts: N passed, N failed.
"""

import argparse
import collections
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLIENT = os.path.join(TOP, "test", "client")
PYTHON = "/usr/bin/python3"

Part = collections.namedtuple("Part", "name command count")
Outcome = collections.namedtuple("Outcome", "passed failed skipped")

SIM_SEEDS = 3000
REFERENCE_SECONDS = 0.046  # of machine_factor()
OVER_THE_LIMIT = "a turn used "  # in the log of a daemon whose turn was too long

VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=no", "--track-fds=no",
            "--child-silent-after-fork=yes"]


def count_tap(status, text, _):
    """cmocka's TAP output; a program that ended early has failed once more than it says."""
    passed = len(re.findall(r"^ok \d+", text, re.M))
    failed = len(re.findall(r"^not ok \d+", text, re.M))
    skipped = len(re.findall(r"^ok \d+.*# SKIP", text, re.M))
    if status != 0 and failed == 0:
        failed = 1
    return Outcome(passed - skipped, failed, skipped)


def count_junit(status, _, report):
    """pytest's own report."""
    try:
        suite = ET.parse(report).getroot().find("testsuite")
    except (OSError, ET.ParseError):
        return Outcome(0, 1, 0)
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    if status not in (0, 5) and failed == 0:
        failed = 1
    return Outcome(max(total - skipped - failed, 0), failed, skipped)


def count_line(status, text, _):
    """A program whose last line is N passed, N failed; else its exit status is one test."""
    found = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
    if not found:
        return Outcome(int(status == 0), int(status != 0), 0)
    passed, failed = map(int, found[-1])
    return Outcome(passed, failed or int(status != 0), 0)


def parts_of(options):
    """Every part there is, the slow ones first."""
    build = options.build
    parts = [client_part("client/" + os.path.basename(path)[5:-3], path, options)
             for path in sorted(glob.glob(os.path.join(CLIENT, "test_*.py")), key=slowness)]
    smallest = client_part("profile/smallest", os.path.join(CLIENT, "profile_smallest.py"), options)
    daemon = os.path.abspath(os.path.join(options.smallest, "nanovirtd"))
    parts.append(smallest._replace(command=["env", "NANOVIRTD=" + daemon,
                                            "NANOVIRT_TEST_ADMIN=no", *smallest.command]))
    parts += mbedtls3_parts(options)
    compare = os.path.join(TOP, "test", "compare", "compare.py")
    if os.path.exists(compare):
        parts.append(Part("compare", [PYTHON, compare], count_line))
    accept = os.path.join(TOP, "test", "qemu", "accept.py")
    parts.append(Part("qemu", [PYTHON, accept], count_line))
    parts += sim_parts(options.sim) + fuzz_parts(options.fuzz)
    wrapper = VALGRIND if options.valgrind else []
    for path in sorted(glob.glob(os.path.join(build, "test", "unit", "test_*"))):
        if os.access(path, os.X_OK):
            parts.append(Part("unit/" + os.path.basename(path)[5:], wrapper + [path], count_tap))
    parts.append(Part("alloc", ["sh", "test/check-alloc.sh", os.path.join(build, "libnanovirt.a"),
                                *glob.glob(os.path.join(build, "src/*/main.o"))], count_line))
    parts.append(Part("format", ["sh", "test/check-format.sh"], count_line))
    contract = os.path.join(TOP, "test", "contract", "contract.py")
    parts.append(Part("contract", [PYTHON, contract, os.path.join(build, "host", "xdrgen"),
                                   os.path.join(build, "test", "contract"),
                                   *sorted(glob.glob("proto/*.x"))], count_line))
    return parts


def client_part(name, path, options):
    """A file of tests with a daemon and its clients."""
    report = os.path.join(options.results, name.replace("/", "-") + ".xml")
    return Part(name, [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", report,
                       path], count_junit)


def mbedtls3_parts(options):
    """What needs mbedTLS, once more with the daemon that was built with its version 3."""
    daemon = os.path.abspath(os.path.join(options.mbedtls3, "nanovirtd"))
    if not os.path.exists(daemon):
        return []
    parts = [client_part("mbedtls3/" + os.path.basename(path)[5:-3], path, options)
             for name in ("tls", "sasl")
             for path in sorted(glob.glob(os.path.join(CLIENT, "test_%s*.py" % name)))]
    parts = [part._replace(command=["env", "NANOVIRTD=" + daemon, *part.command]) for part in parts]
    for name in ("tls", "scram", "sasl"):
        parts += [Part("mbedtls3/unit-" + os.path.basename(path)[5:], [path], count_tap)
                  for path in sorted(glob.glob(os.path.join(options.mbedtls3, "test", "unit",
                                                            "test_%s*" % name)))
                  if os.access(path, os.X_OK) and "." not in os.path.basename(path)]
    return parts


def sim_parts(build):
    """The daemon on the simulated machine: each of these is one test, over many seeds."""
    program = os.path.join(build, "sim")
    return [Part("sim/seeds", [program, "-f", "test/sim/seeds.txt", "-n", str(SIM_SEEDS)], count_line),
            Part("sim/twice", [program, "-2", "-s", str(SIM_SEEDS + 1), "-n", "60"], count_line),
            Part("sim/crashes", [program, "-c", "-n", "3"], count_line),
            Part("sim/lies", [program, "-l"], count_line)]


def fuzz_parts(build):
    """A bounded run of each fuzzer from a fixed seed."""
    fuzz = os.path.join(TOP, "test", "fuzz")
    targets = sorted(os.path.basename(path)[5:-2] for path in glob.glob(fuzz + "/fuzz_*.c"))
    return [Part("fuzz/" + target, [PYTHON, os.path.join(fuzz, "fuzz.py"), "--build", build, "short",
                                    target], count_line) for target in targets]


def slowness(path):
    """Files whose tests boot guests come first, so that they overlap with everything else."""
    with open(path) as text:
        return (0 if "boot" in text.read() else 1, path)


def is_chosen(part, chosen):
    return not chosen or any(part.name == name or part.name.startswith(name + "/")
                             for name in chosen)


def machine_factor():
    """How many times as long this machine takes for the same work as the one that DESIGN.md's figures are
    from, for which a turn of the daemon is limited to 10 ms. CPU time is what is counted, so it
    does not matter who else is running."""
    def work():
        begin = time.process_time()
        sum(number * number % 7 for number in range(1000000))
        return time.process_time() - begin
    return max(1, round(min(work() for _ in range(5)) / REFERENCE_SECONDS))


def alone(part):
    """The command of a part, for root in a network of its own: parts that run side by side would take
    each other's ports, which a display finds out too late."""
    if os.getuid() != 0 or not part.name.startswith(("client", "profile", "mbedtls3", "compare")):
        return part.command
    return ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *part.command]


def run_part(part, options):
    """Runs one part to its end and counts. CPU time on a shared machine is not all the daemon's own, so
    that a turn was over its limit is believed when it happens again: who is at fault does it again."""
    begin = time.monotonic()
    outcome, text = run_once(part, options)
    if outcome.failed and OVER_THE_LIMIT in text:
        print("%s: a turn was over its limit; once more" % part.name, flush=True)
        outcome, text = run_once(part, options)
    report(part, outcome, text, time.monotonic() - begin)
    return outcome


def run_once(part, options):
    stem = os.path.join(options.results, part.name.replace("/", "-"))
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
                       NANOVIRTD=os.path.abspath(os.path.join(options.build, "nanovirtd")),
                       NANOVIRT_GUESTS=os.path.abspath(options.guests),
                       NANOVIRT_TEST_PEER=options.peer, PYTHONDONTWRITEBYTECODE="1",
                       NANOVIRT_STALL_FACTOR=str(options.stall_factor))
    if options.valgrind:
        environment["NANOVIRT_TEST_WRAPPER"] = " ".join(VALGRIND)
        environment["NANOVIRT_TEST_PATIENCE"] = "240"
    completed = subprocess.run(alone(part), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, cwd=TOP, env=environment)
    text = completed.stdout.decode(errors="replace")
    with open(stem + ".log", "w") as log:
        log.write(text)
    return part.count(completed.returncode, text, stem + ".xml"), text


def report(part, outcome, text, seconds):
    line = "%-28s %4d passed, %d failed" % (part.name, outcome.passed, outcome.failed)
    if outcome.skipped:
        line += ", %d skipped" % outcome.skipped
    line += "   (%.0f s)" % seconds
    if outcome.failed:
        line += "\n" + text
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--guests", default="build/guest")
    parser.add_argument("--sim", default="build-sim")
    parser.add_argument("--fuzz", default="build-fuzz")
    parser.add_argument("--smallest", default="build-smallest")
    parser.add_argument("--mbedtls3", default="build-mbedtls3")
    parser.add_argument("--peer", default="nanovirtd")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count()))
    parser.add_argument("part", nargs="*")
    options = parser.parse_args()
    options.results = os.path.join(options.build, "results")
    os.makedirs(options.results, exist_ok=True)
    os.chdir(TOP)
    options.stall_factor = machine_factor() * (100 if options.valgrind else 20 if "sanitize" in options.build else 1)

    parts = [part for part in parts_of(options) if is_chosen(part, options.part)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda part: run_part(part, options), parts))
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print("%d parts, %d tests skipped" % (len(parts), skipped))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
