"""Access rules for who comes over the network or with a password; and what is there before that."""

import os

import libvirt
import pytest

import contract
import wire
from conftest import Virsh, open_connection
from scram import login
from test_sasl import Passwords
from test_tls import TlsDaemon

pytestmark = [pytest.mark.nanovirtd_only(reason="the rules are this daemon's"),
              pytest.mark.skipif(os.geteuid() != 0, reason="the rules name root")]

REMOTE, QEMU = contract.Contract("remote"), contract.Contract("remote", "qemu")
ACCESS_DENIED = 88


def write_rules(peer, text):
    with open(peer.path("etc/libvirt/access.conf"), "w") as stream:
        stream.write(text)


# ---- certificates

@pytest.fixture(scope="module")
def tls():
    daemon = TlsDaemon()
    try:
        daemon.pki.make("localhost", clients=("ann", "bob", "carl"))
        write_rules(daemon.peer, "allow user=root : all\n"
                                 "allow transport=tls dn=*CN=ann* : all\n"
                                 "allow transport=tls dn=*CN=bob* : connect.getattr view\n")
        daemon.start()
        yield daemon
    finally:
        daemon.close()


def test_a_certificate_is_granted_what_its_name_is(tls):
    ann, bob = (open_connection(tls.uri(client=name)) for name in ("ann", "bob"))
    assert ann.lookupByName("test").name() == "test"
    ann.lookupByName("test").suspend()
    with pytest.raises(libvirt.libvirtError) as caught:
        bob.lookupByName("test").suspend()
    assert caught.value.get_error_code() == ACCESS_DENIED
    with pytest.raises(libvirt.libvirtError) as caught:
        open_connection(tls.uri(client="carl"))
    assert caught.value.get_error_code() == ACCESS_DENIED
    for connection in (ann, bob):
        connection.close()


def test_the_record_names_the_certificate(tls):
    assert "access denied" in Virsh(tls.uri(client="carl")).fails("list")
    line = [line for line in tls.log().splitlines() if "access : denied:" in line][-1]
    assert "transport=tls" in line and "CN=carl" in line and "connect.getattr" in line


# ---- passwords

@pytest.fixture(scope="module")
def passwords():
    daemon = Passwords()
    try:
        daemon.peer.stop()
        write_rules(daemon.peer, "allow sasl=alice : all\nallow sasl=b* : connect.getattr\n"
                                 "allow user=root mode=read-only : all\n")
        daemon.peer.start()
        yield daemon
    finally:
        daemon.peer.close()


def test_a_name_that_logged_in_is_granted_what_its_rules_say(passwords):
    alice = login(passwords.path, "alice", "secret")
    bob = login(passwords.path, "bob", "b\u00fcrste, =")
    for connection, code in ((alice, 0), (bob, ACCESS_DENIED)):
        opened = connection.call(wire.CONNECT_OPEN, wire.optional(wire.string("test:///default")) +
                                 wire.uint(0))
        assert opened.status == wire.OK
        reply = connection.call(wire.DOMAIN_LOOKUP_BY_NAME, wire.string("test"))
        assert (0 if reply.status == wire.OK else reply.error()[0]) == code
        connection.close()


@pytest.mark.parametrize("program", [REMOTE, QEMU], ids=["remote", "qemu"])
def test_nothing_but_logging_in_is_reached_before_it(passwords, program):
    calls = [call for call in program.calls if not call.has("preauth")]
    assert len(program.calls) - len(calls) == (5 if program is REMOTE else 0)
    for call in calls:
        connection = wire.Wire(passwords.path)
        reply = connection.call(call.number, program.encode(call, lambda *_: None, {}),
                                program=program.number_of_program)
        assert reply.error()[2].endswith("authentication required"), call
        connection.close()
