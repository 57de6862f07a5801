"""Multicast DNS: the daemon as avahi finds it, and as a peer that sends packets of its own does.

Two network namespaces with a cable between them: `here` with the observer, `there` with the daemon.
"""

import ctypes
import os
import random
import shutil
import socket
import struct
import subprocess
import time

import pytest

import peer as peers

pytestmark = [
    pytest.mark.nanovirtd_only(reason="libvirt has dropped multicast DNS"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make network namespaces"),
]

GROUP, PORT = "224.0.0.251", 5353
A, PTR, TXT, SRV, ANY = 1, 12, 16, 33, 255
TYPE = "_libvirt._tcp.local"
CLONE_NEWNET = 0x40000000
HERE, THERE = "10.9.0.1", "10.9.0.2"


class Host:
    """A machine: namespaces for the network, the host's name and /run."""

    def __init__(self, name):
        self.process = subprocess.Popen(["unshare", "-n", "-u", "-m", "cat"], stdin=subprocess.PIPE)
        self.started = []
        own = os.readlink("/proc/self/ns/uts")
        peers.wait_until(lambda: os.readlink("/proc/%d/ns/uts" % self.process.pid) != own and
                         os.readlink("/proc/%d/exe" % self.process.pid).endswith("cat"), "a host")
        self.run("sh", "-c", "hostname %s; ip link set lo up; mount -t tmpfs -o mode=755 run /run; "
                 "mkdir -p /run/dbus /run/avahi-daemon; chown avahi /run/avahi-daemon 2>/dev/null"
                 % name, check=False)

    def inside(self, *command):
        return ["nsenter", "-t", str(self.process.pid), "-n", "-u", "-m", *command]

    def run(self, *command, check=True):
        return subprocess.run(self.inside(*command), stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, check=check, timeout=peers.PATIENCE).stdout

    def start(self, *command):
        self.started.append(subprocess.Popen(self.inside(*command), stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def socket(self, port=PORT):
        """A datagram socket in this host's network, in the group."""
        libc = ctypes.CDLL(None, use_errno=True)
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        theirs = os.open("/proc/%d/ns/net" % self.process.pid, os.O_RDONLY)
        assert libc.setns(theirs, CLONE_NEWNET) == 0
        try:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        finally:
            assert libc.setns(own, CLONE_NEWNET) == 0
            os.close(own)
            os.close(theirs)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("", port))
        for option, value in ((socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) +
                               socket.inet_aton(HERE)),
                              (socket.IP_MULTICAST_IF, socket.inet_aton(HERE)),
                              (socket.IP_MULTICAST_LOOP, 0)):
            made.setsockopt(socket.IPPROTO_IP, option, value)
        return made

    def close(self):
        for process in reversed(self.started):
            process.terminate()
            process.wait()
        self.process.stdin.close()
        self.process.wait()


class Daemon(peers.Nanovirtd):
    """A nanovirtd on such a host."""

    def __init__(self, host, hostname=None):
        super().__init__()
        self.host = host
        self.hostname = hostname
        self.configuration = {"mdns_adv": "1", "log_filters": '"1:mdns"',
                              "log_outputs": '"1:stderr"'}

    def command(self, *arguments):
        command = super().command(*arguments)
        if self.hostname:
            command = ["unshare", "-u", "sh", "-c", 'hostname "$0" && exec "$@"', self.hostname, *command]
        return self.host.inside(*command)

    def announces(self, name):
        peers.wait_until(lambda: "announced as '%s'" % name in self.log_text(),
                         "%s is announced" % name)
        return self


@pytest.fixture(scope="module")
def here():
    host = Host("observer")
    yield host
    host.close()


@pytest.fixture(scope="module")
def there(here):
    host = Host("boxy")
    here.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns",
             str(host.process.pid))
    here.run("sh", "-c", "ip addr add %s/24 dev v0; ip link set v0 up" % HERE)
    host.run("sh", "-c", "ip addr add %s/24 dev v1; ip link set v1 up" % THERE)
    for side, device in ((here, "v0"), (host, "v1")):
        peers.wait_until(lambda: "scope link" in (text := side.run("ip", "addr", "show", device))
                         and "tentative" not in text, "addresses of " + device)
    yield host
    host.close()


@pytest.fixture
def daemon(there):
    own = Daemon(there)
    yield own
    own.close()


@pytest.fixture(scope="module")
def avahi(here, there):
    if not shutil.which("avahi-daemon") or not shutil.which("dbus-daemon"):
        pytest.skip("avahi-daemon is not installed")
    here.start("dbus-daemon", "--system", "--nofork", "--nopidfile")
    peers.wait_until(lambda: here.run("ls", "/run/dbus"), "the bus")
    here.start("avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits", "-f", "/dev/null")
    peers.wait_until(lambda: "observer.local" in here.run("avahi-resolve", "-n", "observer.local",
                                                          check=False), "avahi-daemon")
    return here


def browse(avahi):
    """What avahi-browse resolves: (family, name, host, port) of each. It waits for ever for one that
    leaves while it is being resolved."""
    lines = [line.split(";") for line in avahi.run("timeout", "10", "avahi-browse", "-rtp", "_libvirt._tcp",
                                                   check=False).splitlines()]
    return {(row[2], row[3].replace("\\032", " ").replace("\\035", "#"), row[6], int(row[8]))
            for row in lines if row[0] == "="}


def resolves(avahi, name, address):
    peers.wait_until(lambda: address in avahi.run("avahi-resolve", "-4", "-n", name, check=False),
                     "%s is %s" % (name, address))


# ---- with avahi

def test_the_daemon_is_found_by_avahi_browse(avahi, daemon):
    daemon.start()
    daemon.announces("Virtualization Host boxy")
    found = peers.wait_until(lambda: (lambda rows: rows if len(rows) == 2 else None)(browse(avahi)),
                             "both families")
    assert found == {(family, "Virtualization Host boxy", "boxy.local", 22)
                     for family in ("IPv4", "IPv6")}
    resolves(avahi, "boxy.local", THERE)


def test_a_name_and_a_listening_port_are_announced(avahi, daemon):
    daemon.configuration.update({"mdns_name": '"Maschine für Gäste"', "listen_tls": "0",
                                 "listen_tcp": "1", "auth_tcp": '"none"', "tcp_port": '"17123"'})
    daemon.start("-l")
    daemon.announces("Maschine für Gäste")
    peers.wait_until(lambda: 17123 in {row[3] for row in browse(avahi)}, "the port")
    assert "Maschine f\\195\\188r G\\195\\164ste" in {row[1] for row in browse(avahi)}


def test_a_daemon_that_ends_is_gone_at_once(avahi, daemon):
    daemon.configuration["mdns_name"] = '"short-lived"'
    daemon.start()
    daemon.announces("short-lived")
    peers.wait_until(lambda: "short-lived" in {row[1] for row in browse(avahi)}, "it is found")
    daemon.stop()
    peers.wait_until(lambda: "short-lived" not in {row[1] for row in browse(avahi)}, "it is gone")


def test_a_name_that_another_host_has_gets_a_number(avahi, there, daemon):
    daemon.configuration["mdns_name"] = '"twin"'
    daemon.start()
    daemon.announces("twin")
    second = Daemon(avahi)
    second.configuration["mdns_name"] = '"twin"'
    try:
        second.start()
        second.announces("twin #2")
        peers.wait_until(lambda: {"twin", "twin #2"} <= {row[1] for row in browse(avahi)}, "both")
        assert "announced as 'twin #2'" not in daemon.log_text()
    finally:
        second.close()


def test_a_hosts_name_that_another_host_has_gets_a_number(avahi, daemon):
    daemon.start()
    daemon.announces("Virtualization Host boxy")
    second = Daemon(avahi, "boxy")
    second.configuration["mdns_name"] = '"namesake"'
    try:
        second.start()
        second.announces("namesake")
        peers.wait_until(lambda: ("IPv4", "namesake", "boxy-2.local", 22) in browse(avahi), "a number")
        resolves(avahi, "boxy-2.local", HERE)
        resolves(avahi, "boxy.local", THERE)
    finally:
        second.close()


def test_beside_avahi_on_one_host_both_keep_their_names(avahi, there):
    beside = Daemon(avahi)
    try:
        beside.start()
        beside.announces("Virtualization Host observer")
        peers.wait_until(lambda: ("IPv4", "Virtualization Host observer", "observer.local", 22)
                         in browse(avahi), "it is found")
        time.sleep(3)
        resolves(avahi, "observer.local", HERE)
        assert "Failed" in avahi.run("avahi-resolve", "-4", "-n", "observer-2.local", check=False)
    finally:
        beside.close()


# ---- by hand

def encode(name):
    labels = name if isinstance(name, list) else name.split(".")
    return b"".join(bytes([len(label.encode())]) + label.encode() for label in labels) + b"\0"


def query(*questions, answers=(), authorities=(), ident=0, flags=0):
    packet = struct.pack(">HHHHHH", ident, flags, len(questions), len(answers), len(authorities), 0)
    for name, kind, class_ in questions:
        packet += encode(name) + struct.pack(">HH", kind, class_)
    for name, kind, ttl, data in (*answers, *authorities):
        packet += encode(name) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data
    return packet


def decode_name(packet, at):
    labels, end = [], None
    while packet[at]:
        if packet[at] >= 0xC0:
            end = end or at + 2
            at = (packet[at] & 0x3F) << 8 | packet[at + 1]
        else:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += packet[at] + 1
    return labels, end or at + 1


def decode(packet):
    """(id, is a response, [(labels, type, class, ttl, data)])."""
    ident, flags, questions, *counts = struct.unpack(">HHHHHH", packet[:12])
    at, records = 12, []
    for _ in range(questions):
        at = decode_name(packet, at)[1] + 4
    for _ in range(sum(counts)):
        labels, at = decode_name(packet, at)
        kind, class_, ttl, size = struct.unpack(">HHIH", packet[at:at + 10])
        records.append((labels, kind, class_, ttl, packet[at + 10:at + 10 + size]))
        at += 10 + size
    return ident, bool(flags & 0x8000), records


def responses(sock, seconds=2.0):
    """The responses of the daemon that arrive in that time."""
    end, found = time.monotonic() + seconds, []
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            packet, sender = sock.recvfrom(9000)
        except socket.timeout:
            break
        decoded = decode(packet)
        if decoded[1] and sender[0] == THERE:
            found.append(decoded)
    return found


def response(sock):
    """The next response of the daemon."""
    return peers.wait_until(lambda: responses(sock, 0.15), "a response")[0]


def test_without_mdns_adv_nothing_is_said(daemon, here, there):
    daemon.configuration = {}
    daemon.start()
    sock = here.socket()
    sock.sendto(query((TYPE, PTR, 1)), (GROUP, PORT))
    assert not responses(sock)
    sock.close()


def test_a_name_claimed_by_somebody_else_is_given_up_for_another(daemon, here):
    daemon.configuration["mdns_name"] = '"disputed"'
    daemon.start()
    daemon.announces("disputed")
    claimant = here.socket()
    instance = ["disputed", "_libvirt", "_tcp", "local"]
    claim = (instance, SRV, 120, struct.pack(">HHH", 0, 0, 99) + encode("evil.local"))
    for _ in range(40):
        claimant.sendto(query(answers=[claim], flags=0x8400), (GROUP, PORT))
        if "announced as 'disputed #" in daemon.log_text():
            break
        time.sleep(0.1)
    daemon.announces("disputed #2")
    claimant.close()


@pytest.fixture(scope="module")
def plain(there):
    """A daemon with a name of its own."""
    own = Daemon(there)
    own.configuration["mdns_name"] = '"plain"'
    own.start()
    own.announces("plain")
    yield own
    own.close()


@pytest.fixture
def announced(plain, here):
    """A socket on the other host, when the daemon has said nothing for the second in which it would
    not say it again."""
    sock = here.socket()
    peers.wait_until(lambda: not responses(sock, 1.1), "silence")
    yield sock
    sock.close()


def kinds(answer):
    return {record[1] for record in answer[2]}


def test_a_question_for_the_type_is_answered_with_all_one_needs(announced):
    announced.sendto(query((TYPE, PTR, 1)), (GROUP, PORT))
    answer = response(announced)
    assert answer[0] == 0
    assert {PTR, SRV, TXT, A} <= kinds(answer)
    by_kind = {record[1]: record for record in answer[2]}
    assert by_kind[PTR][2] == 1 and by_kind[SRV][2] == 0x8001
    assert by_kind[SRV][4][:6] == struct.pack(">HHH", 0, 0, 22)
    assert by_kind[TXT][4] == b"\0"
    assert by_kind[A][4] == socket.inet_aton(THERE)


def test_what_the_asker_knows_is_not_told_again(announced):
    known = (TYPE, PTR, 4500, encode(["plain", "_libvirt", "_tcp", "local"]))
    announced.sendto(query((TYPE, PTR, 1), answers=[known]), (GROUP, PORT))
    assert not responses(announced, 1)
    stale = (TYPE, PTR, 1000, known[3])
    announced.sendto(query((TYPE, PTR, 1), answers=[stale]), (GROUP, PORT))
    assert response(announced)


def test_types_of_services_are_told(announced):
    announced.sendto(query(("_services._dns-sd._udp.local", PTR, 1)), (GROUP, PORT))
    assert response(announced)[2][0][4] == encode(TYPE)


def test_a_simple_resolver_is_answered_alone_with_its_id(announced, here):
    simple = here.socket(0)
    simple.sendto(query((TYPE, PTR, 1), ident=4711), (GROUP, PORT))
    answer = response(simple)
    assert answer[0] == 4711
    assert all(record[2] == 1 and record[3] <= 10 for record in answer[2])
    assert not responses(announced, 0.5)
    simple.close()


def test_the_owner_of_a_name_answers_a_probe_for_it_at_once(announced):
    instance = ["plain", "_libvirt", "_tcp", "local"]
    proposal = (instance, SRV, 120, struct.pack(">HHH", 0, 0, 99) + encode("evil.local"))
    announced.sendto(query((instance, ANY, 1), authorities=[proposal]), (GROUP, PORT))
    assert {SRV, TXT} <= kinds(response(announced))


@pytest.mark.parametrize("packet", [
    b"", b"\0" * 11, b"\0" * 12, query((TYPE, PTR, 1))[:-3],
    struct.pack(">HHHHHH", 0, 0, 65535, 65535, 65535, 65535),
    struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + b"\xc0\x0c" + struct.pack(">HH", PTR, 1),
    struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + b"\x3f" + b"x" * 20,
    query((TYPE, PTR, 1), flags=0x7800)])
def test_a_bad_packet_is_let_go_and_the_next_is_answered(announced, packet):
    announced.sendto(packet, (GROUP, PORT))
    assert not responses(announced, 0.5)
    announced.sendto(query((TYPE, PTR, 1)), (GROUP, PORT))
    assert response(announced)


def test_a_storm_of_rubbish_disturbs_nobody(announced, plain):
    chance = random.Random(6762)
    good = query((TYPE, PTR, 1), answers=[(TYPE, PTR, 4500, encode("x.local"))])
    for _ in range(3000):
        packet = bytearray(good)
        for _ in range(chance.randrange(1, 8)):
            packet[chance.randrange(len(packet))] = chance.randrange(256)
        announced.sendto(packet[:chance.randrange(len(packet)) + 1], (GROUP, PORT))
    time.sleep(1.5)
    responses(announced, 0.5)
    announced.sendto(query((TYPE, PTR, 1)), (GROUP, PORT))
    assert response(announced)
    assert plain.process.poll() is None


def test_an_interface_that_comes_later_is_served_too(daemon, here, there):
    daemon.start()
    daemon.announces("Virtualization Host boxy")
    here.run("ip", "link", "add", "w0", "type", "veth", "peer", "name", "w1", "netns",
             str(there.process.pid))
    try:
        here.run("sh", "-c", "ip addr add 10.8.0.1/24 dev w0; ip link set w0 up")
        there.run("sh", "-c", "ip addr add 10.8.0.2/24 dev w1; ip link set w1 up")
        sock = here.socket()
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(GROUP) + socket.inet_aton("10.8.0.1"))
        senders = set()
        end = time.monotonic() + peers.PATIENCE
        sock.settimeout(peers.PATIENCE)
        while "10.8.0.2" not in senders and time.monotonic() < end:
            packet, sender = sock.recvfrom(9000)
            if decode(packet)[1]:
                senders.add(sender[0])
        assert "10.8.0.2" in senders
        sock.close()
    finally:
        here.run("ip", "link", "del", "w0")
