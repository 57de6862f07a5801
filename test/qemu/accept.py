#!/usr/bin/env python3
"""Real emulators accept the command lines of test/data/qemu: each one is started, stopped before the
guest runs, asked for its state over QMP, and told to quit. The last line is N passed, N failed."""

import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUESTS = os.environ.get("NANOVIRT_GUESTS", os.path.join(TOP, "build", "guest"))
PATIENCE = float(os.environ.get("NANOVIRT_TEST_PATIENCE", "60"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def other_ports(argument):
    """Ports that other programs may have are replaced by free ones."""
    argument = re.sub(r"^(127\.0\.0\.1|\[::1\]):\d+",
                      lambda m: "%s:%d" % (m.group(1), free_port() - 5900), argument)
    return re.sub(r"(,websocket=|^port=|,host=127\.0\.0\.1,port=)\d+",
                  lambda m: m.group(1) + str(free_port()), argument)


def kernel_of(arguments):
    arch = "aarch64" if "aarch64" in arguments[0] else "x86_64"
    found = glob.glob(os.path.join(GUESTS, arch, "vmlinuz*"))
    return found[0] if found else None


class Missing(Exception):
    """Something this test needs is not on this machine."""


def make_files(directory, paths, arguments):
    """The files that the command line names. Returns what has to stay open."""
    kept = []
    chain = None
    for line in paths:
        use, path = line.split()[:2]
        if use == "socket" or os.path.exists(path):
            continue
        if path.endswith(".qcow2"):
            backing = ["-b", chain, "-F", "qcow2"] if chain else []
            subprocess.check_call(["qemu-img", "create", "-q", "-f", "qcow2", *backing, path, "1M"])
            chain = path
        elif path.endswith(".sock"):
            kept.append(socket.socket(socket.AF_UNIX))
            kept[-1].bind(path)
            kept[-1].listen()
        elif path.endswith("pipe"):
            os.mkfifo(path)
        elif "-kernel" in arguments and path == arguments[arguments.index("-kernel") + 1]:
            kernel = kernel_of(arguments)
            if not kernel:
                raise Missing("a kernel")
            shutil.copy(kernel, path)
        elif "nvram" in path:
            flash = os.path.getsize(next(p.split()[1] for p in paths if "_CODE" in p))
            vars_size = 540672 if flash < 8 << 20 else flash
            with open(path, "wb") as file:
                file.truncate(vars_size)
        elif path.startswith(directory) and use != "create":
            with open(path, "wb") as file:
                file.truncate(1474560 if "fd.img" in path else 1 << 20)
        elif use != "create":
            raise Missing(path)
    return kept


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.lines = self.socket.makefile()
        json.loads(self.lines.readline())
        self.command("qmp_capabilities")

    def command(self, name):
        self.socket.sendall(json.dumps({"execute": name}).encode() + b"\n")
        for line in self.lines:
            reply = json.loads(line)
            if "return" in reply or "error" in reply:
                return reply
        return {}


def wait_for_monitor(process, path):
    """The socket is there, or the emulator has ended."""
    while process.poll() is None:
        try:
            return Monitor(path)
        except (FileNotFoundError, ConnectionRefusedError):
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
    return None


def run(arguments, directory):
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, cwd=directory)
    try:
        monitor = wait_for_monitor(process, os.path.join(directory, "monitor.sock"))
        if not monitor:
            return process.stdout.read().decode(errors="replace") or "no message"
        status = monitor.command("query-status")["return"]["status"]
        names = [chardev["label"] for chardev in monitor.command("query-chardev")["return"]]
        monitor.command("quit")
        process.wait(PATIENCE)
        if status != "prelaunch" or "charmonitor" not in names:
            return "status %s, chardevs %s" % (status, names)
        return None
    finally:
        process.kill()
        process.wait()


def accepted(name, text):
    """None when the emulator takes the command line, else what it said."""
    with tempfile.TemporaryDirectory(prefix="accept") as directory:
        os.mkdir(os.path.join(directory, "state"))
        lines, paths = text.replace("@DIR@", directory).split("\n\n", 1)
        arguments = [other_ports(argument) for argument in lines.split("\n")]
        if not os.path.exists(arguments[0]):
            raise Missing(arguments[0])
        if any(argument.startswith("tap,") for argument in arguments) or "kvm" in arguments:
            raise Missing("KVM and tap devices")
        kept = make_files(directory, paths.split("\n")[:-1], arguments)
        try:
            return run(arguments, directory)
        finally:
            for item in kept:
                item.close()


def main():
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(TOP, "test", "data", "qemu", "*.args"))):
        name = os.path.basename(path)[:-5]
        with open(path) as file:
            text = file.read()
        try:
            cause = accepted(name, text)
        except Missing as missing:
            print("skipped: %s needs %s" % (name, missing))
            continue
        passed += cause is None
        failed += cause is not None
        print("%s: %s" % (name, "accepted" if cause is None else "REFUSED: " + cause))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
