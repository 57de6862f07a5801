#!/usr/bin/python3
"""Holds the contract against what others say of the protocol.

    contract.py XDRGEN DIRECTORY FILE.x...

DIRECTORY has the programs `packets` and `traffic`. The dissector of tshark is asked about every
procedure that it knows, and messages between virsh, virt-admin and libvirtd are decoded with our
tables. And xdrgen must refuse what is wrong in the first place.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import dissector
import refusals

HERE = os.path.dirname(os.path.abspath(__file__))
NOBODY = 65534


def record_traffic(directory):
    """libvirtd serves the test driver to an ordinary user: root becomes nobody, who may not be able
    to read our files, so the script comes by standard input."""
    user = {}
    if os.geteuid() == 0:
        os.chown(directory, NOBODY, NOBODY)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    shutil.copy(f"{HERE}/traffic.virsh", directory)
    os.chmod(f"{directory}/traffic.virsh", 0o644)
    with open(f"{HERE}/traffic.py", "rb") as script:
        subprocess.run([sys.executable, "-", directory, f"{directory}/traffic.virsh"], check=True,
                       stdin=script, **user)


def run_traffic(programs):
    """(passed, failed, skipped)"""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not all(shutil.which(command) for command in ("libvirtd", "virsh", "virt-admin")):
        print("FAILED: traffic: install the Debian packages libvirt-daemon and libvirt-clients")
        return 0, 1, 0
    with tempfile.TemporaryDirectory() as directory:
        record_traffic(directory)
        records = [f"{directory}/remote.record", f"{directory}/admin.record"]
        check = subprocess.run([f"{programs}/traffic", *records], stdout=subprocess.PIPE, check=False)
    *lines, last = check.stdout.decode("ascii", "replace").splitlines()
    print("".join(line + "\n" for line in lines), end="")
    passed, failed = re.fullmatch(r"(\d+) passed, (\d+) failed", last).groups()
    return int(passed), int(failed), 0


def main():
    xdrgen, programs, sources = sys.argv[1], sys.argv[2], sys.argv[3:]
    results = refusals.run(xdrgen), dissector.run(programs, sources), run_traffic(programs)
    for name, (passed, failed, skipped) in zip(("xdrgen", "dissector", "traffic"), results):
        print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped")
    passed, failed, skipped = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
