"""The sides that are compared: nanovirtd, Debian's libvirtd, and the floor; and the tools that load them."""

import os
import re
import socket
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "client"))
import peer as peers  # noqa: E402  (the daemons of the client tests)
import pki  # noqa: E402  (and their certificates)

BUILD = os.path.join(peers.TOP, "build")
TEST_URI = "test:///default"
QEMU_URI = "qemu:///system"
DAEMONS = ("nanovirtd", "libvirtd")
# So that the limits of the daemons are not what is measured.
WIDE = {"max_client_requests": "1000", "max_clients": "1000", "max_queued_clients": "1000",
        "max_anonymous_clients": "1000"}
GUEST = """<domain type='qemu'><name>guest-0</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>
<target dev='vda' bus='virtio'/></disk><serial type='pty'/><console type='pty'/>
<memballoon model='virtio'/></devices></domain>"""


def program(name):
    return os.path.join(BUILD, "test/bench", name)


def run_tool(name, *arguments, enter=()):
    """Runs one of the programs beside this file, inside what `enter` enters; name -> figure."""
    ran = subprocess.run([*enter, program(name), *map(str, arguments)], capture_output=True, text=True)
    if ran.returncode != 0:
        raise RuntimeError("%s %s: %s" % (name, arguments, ran.stderr))
    return read_figures(ran.stdout)


def read_figures(text):
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def load(daemon, call, connections=1, outstanding=1, calls=2000, uri=TEST_URI, options=()):
    return run_tool("load", *options, daemon.socket_path(), uri, call, connections, outstanding, calls,
                    enter=getattr(daemon, "enter", ()))


def make_daemon(side, binary=None):
    """A daemon on a root of its own, not started yet."""
    daemon = {"nanovirtd": peers.Nanovirtd, "libvirtd": peers.Libvirtd}[side]()
    daemon.configuration.update(WIDE)
    if binary:
        daemon.command = lambda *arguments: [binary, "--root", daemon.root, *arguments]
    return daemon


class OverTls:
    """A daemon that listens with TLS, as the load generator reaches it."""

    def __init__(self, side, **configuration):
        self.daemon = make_daemon(side)
        self.daemon.configuration.update(configuration)
        self.pki = pki.Pki(self.daemon.root)
        self.pki.make("localhost", "127.0.0.1", clients=("bench",))
        self.port, self.enter = 16514, []
        if side == "libvirtd":  # whose network is its own
            self.enter = ["nsenter", "-t", str(self.daemon.first_process), "-n"]
            self.daemon.configuration.update({
                "ca_file": '"%s"' % self.pki.path("CA/cacert.pem"),
                "cert_file": '"%s"' % self.pki.path("libvirt/servercert.pem"),
                "key_file": '"%s"' % self.pki.path("libvirt/private/serverkey.pem")})
        else:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self.daemon.configuration["tls_port"] = '"%d"' % self.port
        self.daemon.start("--listen")

    def socket_path(self):
        return "tls:%d:%s" % (self.port, self.pki.client("bench"))

    def daemon_pid(self):
        return self.daemon.daemon_pid()

    def close(self):
        self.daemon.close()


def start_daemons():
    return {side: make_daemon(side).start() for side in DAEMONS}


def close_daemons(daemons):
    for daemon in daemons.values():
        daemon.close()


class Echo:
    """The floor of calls: the same bytes, looked at by nobody."""

    def __init__(self, directory, request, reply, event=None):
        self.path = os.path.join(directory, "echo-%d-%d" % (request, reply))
        sizes = [request, reply] + ([event] if event else [])
        self.process = subprocess.Popen([program("echo"), self.path] + ["%d" % size for size in sizes])
        peers.wait_until(lambda: os.path.exists(self.path), "the echo server listens")

    def socket_path(self):
        return self.path

    def daemon_pid(self):
        return self.process.pid

    def close(self):
        self.process.kill()
        self.process.wait()


def take_turns(rounds, sides):
    """Calls every side's measurement once a round, in turn, so that a machine that becomes slower
    becomes so for all; side -> the values."""
    values = {side: [] for side in sides}
    for _ in range(rounds):
        for side, measure in sides.items():
            values[side].append(measure())
    return values


def canonical_definition(daemon):
    """The file that a daemon writes for the guest of the benchmarks."""
    import libvirt
    connection = libvirt.open(daemon.uri())
    connection.defineXML(GUEST % daemon.path("images/disk.img"))
    connection.close()
    with open(daemon.path("etc/libvirt/qemu/guest-0.xml")) as file:
        return file.read()


def populate(daemon, count, definition):
    """Lays definitions of guest-0, guest-1, ... where the daemon finds them at its next start."""
    for i in range(count):
        text = definition.replace("guest-0", "guest-%d" % i)
        text = re.sub("<uuid>.*?</uuid>", "<uuid>%s</uuid>" % uuid.uuid4(), text)
        with open(daemon.path("etc/libvirt/qemu", "guest-%d.xml" % i), "w") as file:
            file.write(text)


def memory_kib(pid):
    """(resident, private) of a process."""
    fields = {}
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        for line in rollup.readlines()[1:]:
            name, value = line.split()[:2]
            fields[name.rstrip(":")] = int(value)
    return fields["Rss"], fields["Private_Clean"] + fields["Private_Dirty"]


def cpu_seconds(pid):
    """What all threads of a process have used."""
    used = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as file:
            used += int(file.read().split()[0])
    return used / 1e9
