"""TLS, byte by byte: records and messages, peers that stall or leave, and reloads."""

import os
import random
import socket
import ssl
import struct
import subprocess

import pytest

import peer as peers
import wire
from conftest import Virsh, open_connection
from pki import nanovirt_pki
from test_tls import HOSTS, TlsDaemon, daemon  # a fixture
from tls import Records

pytestmark = [pytest.mark.nanovirtd_only(reason="libvirtd's network is its own"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def fresh():
    made = TlsDaemon()
    made.pki.make(*HOSTS)
    yield made
    made.close()


def client_of(daemon, name="ann", **parts):
    place = daemon.pki.client(name)
    return Records(daemon.port, place + "/cacert.pem", place + "/clientcert.pem",
                   place + "/clientkey.pem", **parts)


@pytest.fixture
def client(daemon):
    made = client_of(daemon).handshake()
    assert made.welcome()
    yield made
    made.close()


def length_of(data):
    return struct.unpack(">I", data[:4])[0]


def receive_message(client):
    """One message, and how many records it came in; a record never holds more than its rest."""
    data = client.receive()
    records = 1
    while len(data) < 4 or len(data) < length_of(data):
        more = client.receive()
        assert more, "the stream ended in the middle of a message"
        data += more
        records += 1
    assert len(data) == length_of(data), "a record holds parts of two messages"
    return data, records


OPEN_TEST = wire.optional(wire.string("test:///default")) + wire.uint(0)
DOMAIN_GET_XML_DESC = 14


def call(number, serial=1, body=b""):
    return wire.message(number, body, serial=serial)


# ---- what is sent

def test_the_welcome_is_a_record_of_one_byte(daemon):
    with_care = client_of(daemon).handshake()
    assert with_care.receive() == b"\1"
    with_care.close()


def test_many_replies_at_once_come_in_records_of_their_own(client):
    for serial in range(1, 6):
        client.send(call(wire.AUTH_LIST, serial))
    for _ in range(5):
        _, records = receive_message(client)
        assert records == 1


def test_a_long_reply_spans_records_that_hold_nothing_else(daemon):
    """A definition of 60,000 bytes, and short replies before and behind it."""
    python = open_connection(daemon.uri())
    python.defineXML("<domain type='test'><name>long</name><memory>1024</memory><os><type>hvm</type>"
                     "</os><description>%s</description></domain>" % ("x" * 60000))
    client = client_of(daemon).handshake()
    assert client.welcome()
    client.send(call(wire.CONNECT_OPEN, 1, OPEN_TEST))
    receive_message(client)
    client.send(call(wire.AUTH_LIST, 2))
    client.send(call(wire.DOMAIN_LOOKUP_BY_NAME, 3, wire.string("long")))
    receive_message(client)
    found, _ = receive_message(client)
    for serial, number in ((4, wire.AUTH_LIST), (5, DOMAIN_GET_XML_DESC), (6, wire.AUTH_LIST)):
        client.send(call(number, serial, found[28:] + wire.uint(0) if number == DOMAIN_GET_XML_DESC
                         else b""))
    counts = sorted(receive_message(client)[1] for _ in range(3))
    assert counts[:2] == [1, 1] and counts[2] >= 4
    client.close()
    python.close()


# ---- what is accepted

def test_a_message_may_span_records_of_any_size(client):
    message = call(wire.AUTH_LIST)
    for cut in (1, 3, 5, 11, len(message) - 1):
        client.send(message[:cut])
        client.send(message[cut:])
        receive_message(client)
    for byte in message:
        client.send(bytes([byte]))
    receive_message(client)


def test_a_record_with_parts_of_two_messages_ends_the_connection(daemon):
    message = call(wire.AUTH_LIST)
    for data in (message + message, message + message[:1]):
        client = client_of(daemon).handshake()
        assert client.welcome()
        client.send(data)
        assert client.receive() == b""
        client.close()
    assert "a TLS record holds parts of two messages" in daemon.log()


def test_an_unmodified_client_never_does_that(daemon):
    """virsh and the binding, with keepalive, events and streams: nobody was cut for it."""
    before = daemon.log().count("parts of two messages")
    virsh = daemon.virsh(driver="test")
    virsh("-k1", "list", "--all")
    connection = open_connection(daemon.uri())
    for _ in range(50):
        connection.listAllDomains()
    connection.close()
    assert daemon.log().count("parts of two messages") == before


def test_bytes_that_are_no_tls_end_the_connection_with_a_reason(daemon):
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=peers.PATIENCE) as plain:
        plain.sendall(call(wire.AUTH_LIST) * 3)
        try:
            while plain.recv(4096):
                pass
        except ConnectionResetError:
            pass
    peers.wait_until(lambda: "TLS handshake failed: " in daemon.log(), "a reason")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_not_spoken(daemon, version):
    with pytest.raises((ssl.SSLError, EOFError, ConnectionResetError)):
        client_of(daemon, version=version).handshake()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_version_of_the_library_is_spoken_and_can_be_turned_off(fresh, version):
    fresh.start()
    try:
        client = client_of(fresh, version=version).handshake()
    except ssl.SSLError:
        assert version == ssl.TLSVersion.TLSv1_3, "TLS 1.2 is always there"
        pytest.skip("this mbedTLS does not speak TLS 1.3")
    assert client.welcome()
    client.close()
    other = {ssl.TLSVersion.TLSv1_2: "1.2", ssl.TLSVersion.TLSv1_3: "1.3"}[version]
    fresh.peer.stop()
    fresh.peer.configuration["tls_priority"] = '"NORMAL:-VERS-TLS%s"' % other
    try:
        fresh.start()
    except AssertionError as error:
        fresh.peer.process = None
        assert "no version of TLS is left" in str(error)
        return
    with pytest.raises((ssl.SSLError, EOFError, ConnectionResetError)):
        client_of(fresh, version=version).handshake()


# ---- peers that stall, leave, or do not read

def hello_of(daemon, connect=True):
    """The first flight of a handshake."""
    client = client_of(daemon, connect=connect)
    try:
        client.tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client


def test_a_thousand_handshakes_that_stall_hold_up_nobody(daemon):
    """Some say nothing, some half of the greeting, some all of it; all are there at once."""
    stalled = []
    try:
        for i in range(1000):
            client = hello_of(daemon)
            data = client.outgoing.read()
            client.socket.sendall(data[:(0, len(data) // 2, len(data))[i % 3]])
            stalled.append(client)
            if i % 100 == 99:
                assert daemon.virsh()("uri").startswith("test")
        assert daemon.virsh()("uri").startswith("test")
    finally:
        for client in stalled:
            client.close()


def test_more_than_max_anonymous_clients_may_come_at_once(daemon):
    clients = [hello_of(daemon, connect=False) for _ in range(30)]
    for client in clients:
        client.connect()
        client.send_made()
    for client in clients:
        assert client.handshake().welcome()
        client.close()


def test_a_connection_goes_on_while_others_shake_hands(daemon):
    connection = open_connection(daemon.uri())
    stalled = [hello_of(daemon) for _ in range(100)]
    for client in stalled:
        client.send_made()
    assert connection.getType().lower() == "test"
    for client in stalled:
        client.close()
    assert connection.getType().lower() == "test"
    connection.close()


@pytest.mark.parametrize("cut", [0, 1, 5, 40, 100])
def test_a_peer_that_leaves_in_the_middle_is_forgotten(daemon, cut):
    client = hello_of(daemon)
    client.socket.sendall(client.outgoing.read()[:cut])
    client.close()
    assert daemon.virsh()("uri").startswith("test")


def test_whatever_is_changed_in_a_greeting_only_that_connection_ends(daemon):
    """Bytes changed, cut out and put in, at places that the seed says."""
    for seed in range(150):
        chance = random.Random(seed)
        client = hello_of(daemon)
        data = bytearray(client.outgoing.read())
        for _ in range(chance.choice((1, 1, 2, 8))):
            place = chance.randrange(len(data))
            data[place:place + chance.choice((0, 1, 1, 4))] = chance.randbytes(chance.choice((0, 1, 1, 3)))
        client.socket.sendall(data)
        client.close()
    assert daemon.virsh()("uri").startswith("test")


def test_whatever_is_changed_in_a_record_only_that_connection_ends(daemon):
    for seed in range(20):
        chance = random.Random(seed)
        client = client_of(daemon).handshake()
        assert client.welcome()
        client.tls.write(call(wire.AUTH_LIST))
        data = bytearray(client.outgoing.read())
        data[chance.randrange(3, len(data))] ^= 1 << chance.randrange(8)
        try:
            client.socket.sendall(data + bytes(20000))  # a longer one is waited for
            assert client.receive() == b""
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            pass
        client.close()
    assert daemon.virsh()("uri").startswith("test")


def test_a_peer_that_sends_a_byte_at_a_time_is_understood(daemon):
    client = client_of(daemon)
    while True:
        try:
            client.tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            for byte in client.outgoing.read():
                client.socket.sendall(bytes([byte]))
            client.next_record()
    client.send_made()
    assert client.welcome()
    client.close()


def test_the_end_is_told_properly(daemon):
    """close_notify, and not just the end of the stream: nothing was cut off."""
    client = client_of(daemon).handshake()
    assert client.welcome()
    client.send(call(wire.CONNECT_OPEN, 1, OPEN_TEST))
    receive_message(client)
    client.send(call(wire.CONNECT_CLOSE, 2))
    receive_message(client)
    while True:
        try:
            assert client.tls.read(1) == b""
            break
        except ssl.SSLZeroReturnError:
            break
        except ssl.SSLWantReadError:
            client.next_record()  # EOFError when the stream just ends
    client.close()


def test_who_is_refused_is_told_by_virsh(daemon):
    """Not that reading failed: that it was refused."""
    daemon.pki.add_client("eve")
    daemon.pki.revoke("bob")
    revoked = [name for name in os.listdir(daemon.pki.path("libvirt/clients"))
               if name.startswith(".revoked-bob")][0]
    daemon.reload()

    def is_on_record():  # at once, but for the storms of other tests, of which the log does not tell all
        error = Virsh(daemon.uri(client=revoked)).fails("uri")
        assert "server verification (of our certificate or IP address) failed" in error
        return "The certificate has been revoked." in daemon.log()
    peers.wait_until(is_on_record, "the reason in the log")
    assert daemon.virsh(client="eve")("uri").startswith("test")


# ---- reloads

def test_a_reload_drops_nobody_and_serves_the_new_certificate(fresh):
    fresh.start()
    connection = open_connection(fresh.uri())
    waiting = hello_of(fresh)  # in the middle of its handshake with the old ones
    waiting.send_made()
    waiting.next_record()
    before = ssl.get_server_certificate(("127.0.0.1", fresh.port))
    nanovirt_pki(fresh.pki.root, "server", *HOSTS)
    fresh.reload()
    after = ssl.get_server_certificate(("127.0.0.1", fresh.port))
    assert before != after
    assert waiting.handshake().welcome()
    waiting.close()
    assert connection.getType().lower() == "test"
    assert fresh.virsh()("uri").startswith("test")
    for _ in range(10):
        fresh.reload()
    assert connection.getType().lower() == "test"
    connection.close()


def test_virt_admin_reloads_too(fresh):
    fresh.start()
    before = ssl.get_server_certificate(("127.0.0.1", fresh.port))
    nanovirt_pki(fresh.pki.root, "server", *HOSTS)
    admin = "libvirtd:///system?socket=" + fresh.peer.path("run/libvirt/libvirt-admin-sock")
    done = subprocess.run(["virt-admin", "-c", admin, "server-update-tls", "libvirtd"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ssl.get_server_certificate(("127.0.0.1", fresh.port)) != before


def test_a_reload_that_fails_keeps_the_old_ones_and_says_why(fresh):
    fresh.start()
    key = fresh.pki.path("libvirt/private/serverkey.pem")
    os.rename(key, key + ".away")
    fresh.reload()
    assert "Cannot read private key '%s'" % key in fresh.log()
    assert fresh.virsh()("uri").startswith("test")
    nanovirt_pki(fresh.pki.root, "server", *HOSTS)
    fresh.reload()
    assert fresh.virsh()("uri").startswith("test")
    with open(fresh.pki.path("CA/cacert.pem"), "w") as ca:
        ca.write("nothing\n")
    fresh.reload()
    assert "Unable to import CA certificate list" in fresh.log()
    assert fresh.virsh()("uri").startswith("test")
