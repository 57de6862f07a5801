"""TLS on port 16514, as unmodified clients see it."""

import os
import signal
import subprocess

import pytest

import peer as peers
from conftest import Virsh, open_connection
from pki import Pki

pytestmark = pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")

HOSTS = ("localhost", "127.0.0.1", "::1")


class TlsDaemon:
    """A daemon that listens with TLS, and what its clients need."""

    def __init__(self):
        self.peer = peers.make_peer()
        self.pki = Pki(self.peer.root)
        self.port = peers.free_port()
        self.peer.configuration.update({"tls_port": '"%d"' % self.port})

    def start(self, **configuration):
        self.peer.configuration.update(configuration)
        self.peer.start("--listen", "--verbose")

    def uri(self, host="localhost", client="ann", more="", driver="test"):
        shown = "[%s]" % host if ":" in host else host
        place = {"test": "test+tls://%s:%d/default", "qemu": "qemu://%s:%d/system",
                 "qemu+tls": "qemu+tls://%s:%d/system"}[driver] % (shown, self.port)
        return "%s?pkipath=%s%s" % (place, self.pki.client(client), more)

    def virsh(self, **parts):
        return Virsh(self.uri(**parts))

    def reload(self):
        """SIGHUP, and until the daemon has said what came of it."""
        before = self.log().count("read again")
        os.kill(self.peer.daemon_pid(), signal.SIGHUP)
        peers.wait_until(lambda: self.log().count("read again") > before, "the reload")

    def log(self):
        return self.peer.log_text()

    def close(self):
        self.peer.close()


@pytest.fixture
def fresh():
    daemon = TlsDaemon()
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def daemon():
    made = TlsDaemon()
    made.pki.make(*HOSTS, clients=("ann", "bob"))
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize("driver", ["qemu", "qemu+tls"])
@pytest.mark.parametrize("host", HOSTS)
def test_virsh_comes_in_by_name_and_by_either_address(daemon, driver, host):
    assert daemon.virsh(driver=driver, host=host)("uri").startswith("qemu")


def test_a_connection_over_tls_is_secure_and_encrypted(daemon):
    connection = open_connection(daemon.uri())
    assert connection.isSecure() == 1
    assert connection.isEncrypted() == 1
    connection.close()


def test_no_verify_takes_a_server_of_another_name(daemon):
    error = daemon.virsh(host="127.0.0.2").fails("uri")
    assert "does not match the hostname 127.0.0.2" in error
    assert daemon.virsh(host="127.0.0.2", more="&no_verify=1")("uri").startswith("test")


def test_gnutls_cli_is_told_that_it_is_welcome(daemon):
    place = daemon.pki.client("ann")
    client = subprocess.Popen(
        ["gnutls-cli", "--x509cafile", place + "/cacert.pem", "--x509certfile",
         place + "/clientcert.pem", "--x509keyfile", place + "/clientkey.pem", "-p",
         str(daemon.port), "localhost"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seen = b""
    while b"\1" not in seen:
        more = os.read(client.stdout.fileno(), 4096)
        assert more, seen
        seen += more
    client.kill()
    client.wait()
    client.stdin.close()
    client.stdout.close()
    assert b"Handshake was completed" in seen


def test_a_long_document_spans_records_both_ways(daemon):
    connection = open_connection(daemon.uri())
    text = "x" * 50000
    xml = ("<domain type='test'><name>long</name><memory>1024</memory><os><type>hvm</type></os>"
           "<description>%s</description></domain>" % text)
    domain = connection.defineXML(xml)
    assert text in domain.XMLDesc()
    domain.undefine()
    connection.close()


def test_without_certificates_listen_says_what_is_missing(fresh):
    with pytest.raises(AssertionError, match="servercert.pem': No such file or directory"):
        fresh.start()
    fresh.peer.process = None
