"""nanovirtd, Debian's libvirtd and the least that any server could do, side by side.

bench.py [--build DIR] [GROUP ...]

A group is a file beside this one; without a name all are run. Each figure is the median of several
rounds in which the sides take turns; each ratio is the median of the rounds' ratios. Prints a table and
writes it to bench.csv. Asserts nothing.
"""

import argparse
import importlib
import os
import platform
import subprocess
import tempfile
import time

import sides
from table import Table

GROUPS = ("calls", "over_tls", "siege", "start", "lists", "events", "guests", "memory", "counts")


def first_line(*command):
    ran = subprocess.run(command, capture_output=True, text=True)
    return ran.stdout.strip().splitlines()[0] if ran.stdout.strip() else "unknown"


def describe_machine():
    with open("/proc/cpuinfo") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    print("machine   %d x %s, Linux %s" % (os.cpu_count(), names[0] if names else platform.machine(),
                                           platform.release()))
    print("versions  nanovirt %s; libvirtd %s; %s" % (
        first_line("git", "describe", "--always", "--dirty"), first_line("libvirtd", "--version").split()[-1],
        first_line("qemu-system-x86_64", "--version")))


def describe_load(when):
    print("load      %s, at the %s: %s" % (time.strftime("%F %T"), when, os.getloadavg()), flush=True)


def run_group(name, table, directory):
    group = importlib.import_module(name)
    table.begin(name, group.FLOOR)
    daemons = sides.start_daemons() if group.NEEDS_DAEMONS else {}
    try:
        group.measure(table, daemons, directory)
    finally:
        sides.close_daemons(daemons)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="one of " + ", ".join(GROUPS))
    arguments = parser.parse_args()
    for name in arguments.groups:
        if name not in GROUPS:
            parser.error("there is no group '%s', but %s" % (name, ", ".join(GROUPS)))
    sides.BUILD = os.path.abspath(arguments.build)
    os.environ["NANOVIRTD"] = os.path.join(sides.BUILD, "nanovirtd")
    describe_machine()
    describe_load("start")
    table = Table("bench.csv")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nv-bench-") as directory:
        for name in arguments.groups or GROUPS:
            run_group(name, table, directory)
    describe_load("end")
    print("%.0f s; bench.csv has it all" % (time.monotonic() - began))


main()
