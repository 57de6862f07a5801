"""Guests: how long one takes to start, and how fast its console comes through."""

import os
import re
import socket
import subprocess
import time
import tty

import libvirt

import sides
from sides import DAEMONS, cpu_seconds, take_turns

FLOOR = "QEMU alone with the same arguments; reading the guest's terminal without a daemon"
NEEDS_DAEMONS = True
START_ROUNDS = 7
CONSOLE_ROUNDS = 5
CONSOLE_SECONDS = 1
# mov dx, 0x3f8; mov al, 'A'; again: out dx, al; jmp again
BOOT_SECTOR = bytes.fromhex("baf803b041eeebfd").ljust(510, b"\0") + b"\x55\xaa"


def measure(table, daemons, directory):
    guests = {}
    for side, daemon in daemons.items():
        disk = daemon.path("images/disk.img")
        with open(disk, "wb") as file:
            file.write(BOOT_SECTOR.ljust(1 << 20, b"\0"))
        guests[side] = libvirt.open(daemon.uri()).defineXML(sides.GUEST % disk)
    starts(table, daemons, guests, directory)
    consoles(table, daemons, guests)


# ---- starting

def start_paused(guest):
    began = time.monotonic()
    guest.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    took = (time.monotonic() - began) * 1000
    guest.destroy()
    return took


def arguments_of(daemon, guest):
    guest.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    with open("/proc/%d/cmdline" % daemon.guest_pids()[0]) as file:
        arguments = file.read().split("\0")[:-1]
    guest.destroy()
    return arguments


def time_of_qemu(arguments, directory):
    """The same QEMU, with a monitor of our own in the place of the daemon's: milliseconds to its greeting,
    and to its answer to a command, which it gives once it has made its machine."""
    path = os.path.join(directory, "qmp")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    ours = [re.sub(r"(id=charmonitor,fd=)\d+", r"\g<1>%d" % listener.fileno(), word) for word in arguments]
    began = time.monotonic()
    qemu = subprocess.Popen(ours, pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    monitor = socket.socket(socket.AF_UNIX)
    monitor.connect(path)
    greeting = monitor.recv(4096)
    greeted = (time.monotonic() - began) * 1000
    monitor.sendall(b'{"execute":"qmp_capabilities"}')
    answer = monitor.recv(4096)
    answered = (time.monotonic() - began) * 1000
    qemu.kill()
    qemu.wait()
    monitor.close()
    listener.close()
    os.unlink(path)
    if b"QMP" not in greeting or b"return" not in answer:
        raise RuntimeError("QEMU greets with %r and answers %r" % (greeting, answer))
    return greeted, answered


def starts(table, daemons, guests, directory):
    arguments = arguments_of(daemons["nanovirtd"], guests["nanovirtd"])
    arguments_of(daemons["libvirtd"], guests["libvirtd"])  # its first start is slower
    runs = take_turns(START_ROUNDS, {
        **{side: lambda side=side: start_paused(guests[side]) for side in DAEMONS},
        "floor": lambda: time_of_qemu(arguments, directory)})
    alone = runs.pop("floor")
    for i, name in enumerate(("QEMU's greeting", "QEMU's first answer")):
        floor = [times[i] for times in alone]
        table.add("start, paused; floor: " + name, "ms", {**runs, "floor": floor})
        table.add("  over " + name, "ms", {
            side: [took - least for took, least in zip(runs[side], floor)] for side in DAEMONS})


# ---- consoles

def read_console(daemon, guest):
    """(KB a second, CPU time of the daemon in ms for a MB)."""
    stream = guest.connect().newStream()
    guest.openConsole(None, stream)
    guest.resume()
    stream.recv(1)  # the firmware has come to the boot sector
    time.sleep(0.2)
    used, got, began = cpu_seconds(daemon.daemon_pid()), 0, time.monotonic()
    while time.monotonic() - began < CONSOLE_SECONDS:
        got += len(stream.recv(65536))
    seconds, used = time.monotonic() - began, cpu_seconds(daemon.daemon_pid()) - used
    guest.suspend()
    stream.abort()
    return got / seconds / 1000, used * 1000 / (got / 1e6)


def read_terminal(guest):
    """The same from the guest's pseudo terminal itself."""
    path = re.search(r"<serial type='pty'>\s*<source path='([^']*)'", guest.XMLDesc()).group(1)
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    guest.resume()
    os.read(fd, 1)
    time.sleep(0.2)
    got, began = 0, time.monotonic()
    while time.monotonic() - began < CONSOLE_SECONDS:
        got += len(os.read(fd, 65536))
    seconds = time.monotonic() - began
    guest.suspend()
    os.close(fd)
    return got / seconds / 1000, None


def consoles(table, daemons, guests):
    for guest in guests.values():
        guest.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    runs = take_turns(CONSOLE_ROUNDS, {
        **{side: lambda side=side: read_console(daemons[side], guests[side]) for side in DAEMONS},
        "floor": lambda: read_terminal(guests["nanovirtd"])})
    for i, (name, unit) in enumerate((("console of a guest that prints", "KB/s"),
                                      ("  CPU time of the daemon for a MB of it", "ms"))):
        table.add(name, unit, {side: [run[i] for run in values] for side, values in runs.items()})
    for guest in guests.values():
        guest.destroy()
