"""What the daemon answers to messages that no client library sends.

Rule: a virError with libvirt's own code, and a connection that lives on. The connection is cut only
where the peer can no longer be understood, and nobody else notices anything.
"""

import select
import socket
import struct

import pytest

import peer as peers
import wire
from wire import (CALL, CALL_WITH_FDS, CONTINUE, ERROR, EVENT, KEEPALIVE, OK, QEMU, REPLY, STREAM,
                  STREAM_HOLE, Wire, domain, message, opaque, optional, string, uint)

VIR_ERR_INTERNAL_ERROR, VIR_ERR_NO_SUPPORT, VIR_ERR_NO_CONNECT, VIR_ERR_INVALID_ARG = 1, 3, 5, 8
VIR_ERR_RPC, VIR_ERR_NO_DOMAIN, VIR_ERR_OVERFLOW = 39, 42, 82
VIR_FROM_RPC, VIR_FROM_DOMAIN = 7, 20
HOSTNAME = wire.CONNECT_GET_HOSTNAME
# Suspending it, its interfaces, memory and devices: not at random.
THINGS_DONE_TO_THE_MACHINE = (118, 119, 120, 124, 125, 128, 129, 130, 131, 132, 133, 134, 220, 221, 222,
                              250, 288, 301, 347)


@pytest.fixture
def raw(peer):
    """A raw connection with test:///default open."""
    opened = Wire(peer.socket_path()).open()
    yield opened
    opened.close()


@pytest.fixture
def fresh(peer):
    """A raw connection on which nothing has been said."""
    opened = Wire(peer.socket_path())
    yield opened
    opened.close()


def refused(reply, code, text, domain_of=VIR_FROM_RPC):
    assert reply is not None, "the connection was cut"
    assert reply.status == ERROR
    got = reply.error()
    assert got[0] == code and text in got[2], got
    assert domain_of is None or got[1] == domain_of


def test_a_reply_repeats_program_version_procedure_and_serial(raw):
    reply = raw.call(HOSTNAME, serial=0xFFFFFFFF)
    assert (reply.program, reply.version, reply.procedure) == (wire.REMOTE, 1, HOSTNAME)
    assert (reply.kind, reply.serial, reply.status) == (REPLY, 0xFFFFFFFF, OK)


@pytest.mark.parametrize("program", [0, 0x12345678, 0x20008088])
def test_an_unknown_program_is_refused_and_the_connection_lives(raw, program):
    reply = raw.call(HOSTNAME, program=program)
    refused(reply, VIR_ERR_RPC, "Cannot find program %d version 1" % program)
    assert reply.program == program
    assert raw.is_alive()


@pytest.mark.parametrize("version", [0, 2, 0x7FFFFFFF])
def test_an_unknown_version_is_refused_and_the_connection_lives(raw, version):
    refused(raw.call(HOSTNAME, version=version), VIR_ERR_RPC,
            "Cannot find program 536903814 version %d" % version)
    assert raw.is_alive()


@pytest.mark.parametrize("procedure,shown", [(0, "0"), (99999, "99999"), (0xFFFFFFFF, "-1"),
                                             (0x80000000, "-2147483648")])
def test_an_unknown_procedure_is_refused_and_the_connection_lives(raw, procedure, shown):
    refused(raw.call(procedure), VIR_ERR_RPC, "unknown procedure: " + shown)
    assert raw.is_alive()


def test_an_event_can_not_be_called(raw):
    refused(raw.call(wire.DOMAIN_EVENT_CALLBACK_LIFECYCLE), VIR_ERR_RPC, "unknown procedure: 318")
    assert raw.is_alive()


@pytest.mark.parametrize("status", [ERROR, CONTINUE, 77, 0xFFFFFFFF])
def test_a_call_with_a_status_is_refused_and_the_connection_lives(raw, status):
    refused(raw.call(HOSTNAME, status=status), VIR_ERR_RPC,
            "Unexpected message status %d" % status)
    assert raw.is_alive()


@pytest.mark.parametrize("kind", [REPLY, EVENT, STREAM, STREAM_HOLE, 77])
def test_a_message_that_is_no_call_is_let_go_and_the_connection_lives(raw, kind):
    raw.send(message(HOSTNAME, kind=kind, serial=7))
    assert raw.is_alive()


def test_stream_data_for_no_stream_is_let_go(raw):
    raw.send(message(wire.DOMAIN_OPEN_CONSOLE, b"data", kind=STREAM, serial=999, status=CONTINUE))
    assert raw.is_alive()


def test_a_call_with_no_descriptors_of_the_kind_that_may_have_them_is_a_call(raw):
    assert raw.call(HOSTNAME, uint(0), kind=CALL_WITH_FDS).status == OK


def test_more_descriptors_than_the_protocol_allows_cut_the_connection(raw):
    raw.send(message(HOSTNAME, uint(99), kind=CALL_WITH_FDS))
    assert raw.is_cut()


def test_descriptors_that_come_with_a_call_that_wants_none_are_closed(peer, raw):
    before = len(open_descriptors(peer))
    ours, theirs = socket.socketpair()
    data = message(HOSTNAME, uint(1), kind=CALL_WITH_FDS, serial=5)
    raw.send(data)
    socket.send_fds(raw.socket, [b"\0"], [theirs.fileno()])
    theirs.close()
    assert raw.receive().serial == 5
    ours.settimeout(peers.PATIENCE)
    assert ours.recv(1) == b""
    ours.close()
    assert len(open_descriptors(peer)) <= before


def open_descriptors(peer):
    import os
    return os.listdir("/proc/%d/fd" % peer.daemon_pid())


@pytest.mark.parametrize("what,procedure,payload", [
    ("no arguments at all", wire.DOMAIN_LOOKUP_BY_NAME, b""),
    ("half a length", wire.DOMAIN_LOOKUP_BY_NAME, b"\0\0"),
    ("a string longer than the message", wire.DOMAIN_LOOKUP_BY_NAME, uint(64) + b"test"),
    ("a string of two gigabytes", wire.DOMAIN_LOOKUP_BY_NAME, uint(0x7FFFFFFF) + b"test"),
    ("a string of negative length", wire.DOMAIN_LOOKUP_BY_NAME, uint(-1) + b"test"),
    ("a string beyond the limit", wire.DOMAIN_LOOKUP_BY_NAME, uint(4194305) + bytes(4194308)),
    ("an array beyond its limit", wire.DOMAIN_SEND_KEY,
     domain("test") + uint(0) + uint(0) + uint(17) + uint(30) * 17 + uint(0)),
    ("an array of a billion", wire.DOMAIN_SEND_KEY,
     domain("test") + uint(0) + uint(0) + uint(0x40000000) + uint(30) + uint(0)),
    ("an array of negative length", wire.DOMAIN_SEND_KEY,
     domain("test") + uint(0) + uint(0) + uint(-1) + uint(30) + uint(0)),
    ("a uuid that ends early", wire.DOMAIN_LOOKUP_BY_UUID, bytes(15)),
    ("a typed parameter of no type", wire.DOMAIN_SET_MEMORY_PARAMETERS,
     domain("test") + uint(1) + string("x") + uint(99) + uint(0) + uint(0)),
    ("typed parameters beyond their limit", wire.DOMAIN_SET_MEMORY_PARAMETERS,
     domain("test") + uint(17)),
])
def test_arguments_that_do_not_decode_are_refused(raw, what, procedure, payload):
    refused(raw.call(procedure, payload), VIR_ERR_RPC, "")
    assert raw.is_alive()


@pytest.mark.nanovirtd_only(reason="libvirtd ends the string at the NUL")
@pytest.mark.parametrize("text", [b"te\0st", b"test\0", b"\0"])
def test_a_string_with_a_nul_is_refused(raw, text):
    refused(raw.call(wire.DOMAIN_LOOKUP_BY_NAME, string(text)), VIR_ERR_RPC, "")
    assert raw.is_alive()


@pytest.mark.parametrize("procedure,count,text", [
    (wire.CONNECT_LIST_DOMAINS, -1, "maxids must be non-negative"),
    (wire.CONNECT_LIST_DOMAINS, 16385, "maxids > REMOTE_DOMAIN_LIST_MAX"),
    (wire.CONNECT_LIST_DOMAINS, 0x7FFFFFFF, "maxids > REMOTE_DOMAIN_LIST_MAX"),
    (wire.CONNECT_LIST_DEFINED_DOMAINS, -1, "maxnames must be non-negative"),
    (wire.CONNECT_LIST_DEFINED_DOMAINS, 0x7FFFFFFF, "maxnames > REMOTE_DOMAIN_LIST_MAX")])
def test_an_absurd_count_in_an_argument_is_refused(raw, procedure, count, text):
    refused(raw.call(procedure, uint(count)), VIR_ERR_RPC, text)
    assert raw.is_alive()


@pytest.mark.parametrize("count,text", [(-5, "nparams must be non-negative"),
                                        (17, "nparams too large")])
def test_an_absurd_number_of_parameters_is_refused(raw, count, text):
    refused(raw.call(wire.NODE_GET_CPU_STATS, uint(0) + uint(count) + uint(0)),
            VIR_ERR_INTERNAL_ERROR, text)
    assert raw.is_alive()


def test_no_keys_at_all_are_refused(raw):
    payload = domain("test") + uint(0) + uint(0) + uint(0) + uint(0)
    reply = raw.call(wire.DOMAIN_SEND_KEY, payload)
    assert reply.status == ERROR and reply.error()[0] == VIR_ERR_INVALID_ARG
    assert raw.is_alive()


def test_room_for_0_domains_gets_0_domains(raw):
    assert raw.call(wire.CONNECT_LIST_DOMAINS, uint(0)).payload == uint(0)


def test_list_all_domains_without_results_gives_the_number_alone(raw):
    reply = raw.call(wire.CONNECT_LIST_ALL_DOMAINS, uint(0) + uint(0)).reader()
    assert (reply.uint(), reply.uint()) == (0, 1)


def test_flags_of_all_ones_are_refused(raw):
    refused(raw.call(wire.CONNECT_LIST_ALL_DOMAINS, uint(1) + uint(0xFFFFFFFF)),
            VIR_ERR_INVALID_ARG, "unsupported flags (0xffff0000)", None)
    assert raw.is_alive()


def test_a_forged_domain_is_not_found(raw):
    reply = raw.call(12, domain("zz", bytes(range(16)), 7) + uint(0))
    assert reply.status == ERROR
    code, _, text = reply.error()
    assert code == VIR_ERR_NO_DOMAIN
    assert "00010203-0405-0607-0809-0a0b0c0d0e0f" in text


def test_a_name_that_is_no_utf8_is_not_found(raw):
    reply = raw.call(wire.DOMAIN_LOOKUP_BY_NAME, string(b"\xff\xfe"))
    assert reply.status == ERROR
    assert raw.is_alive()


def test_a_qemu_call_on_a_test_connection_is_not_supported(raw):
    reply = raw.call(1, domain("test") + string("x") + uint(0), program=QEMU)
    refused(reply, VIR_ERR_NO_SUPPORT, "virDomainQemuMonitorCommand", None)
    assert raw.is_alive()


def test_a_call_before_open_is_refused(fresh):
    refused(fresh.call(wire.DOMAIN_LOOKUP_BY_NAME, string("test")), VIR_ERR_INTERNAL_ERROR,
            "hypervisor connection not open")


def test_open_needs_no_auth_list_before_it_where_there_is_no_authentication(fresh):
    assert fresh.call(wire.CONNECT_OPEN,
                      optional(string("test:///default")) + uint(0)).status == OK


def test_a_second_open_is_refused_and_the_first_still_holds(raw):
    refused(raw.call(wire.CONNECT_OPEN, optional(string("test:///default")) + uint(0)),
            VIR_ERR_INTERNAL_ERROR, "connection already open")
    assert raw.call(wire.CONNECT_LIST_ALL_DOMAINS, uint(0) + uint(0)) is not None


def test_an_unknown_uri_is_refused_and_another_may_be_opened(fresh):
    refused(fresh.call(wire.CONNECT_OPEN, optional(string("nope:///")) + uint(0)),
            VIR_ERR_NO_CONNECT, "no connection driver available for nope:///", None)
    assert fresh.call(wire.CONNECT_OPEN,
                      optional(string("test:///default")) + uint(0)).status == OK


def test_close_ends_the_connection_after_its_reply(raw):
    assert raw.call(wire.CONNECT_CLOSE).status == OK
    assert raw.is_cut()


@pytest.mark.parametrize("length", [0, 3, 4, 20, 27, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_can_be_no_message_cuts_the_connection(raw, length):
    raw.send(uint(length) + bytes(min(max(length - 4, 0), 64)))
    assert raw.is_cut()


def test_a_web_browser_is_cut(fresh):
    fresh.send(b"GET / HTTP/1.0\r\n\r\n")
    assert fresh.is_cut()


def test_a_cut_connection_does_not_disturb_another(raw, fresh):
    fresh.send(b"\xff" * 100)
    assert fresh.is_cut()
    assert raw.is_alive()


def test_a_message_in_single_bytes_is_understood(raw):
    for byte in message(HOSTNAME, serial=9):
        raw.send(bytes([byte]))
    assert raw.receive().serial == 9


def test_two_messages_in_one_piece_get_two_replies(raw):
    raw.send(message(HOSTNAME, serial=10) + message(HOSTNAME, serial=11))
    assert {raw.receive().serial, raw.receive().serial} == {10, 11}


def test_a_hundred_calls_at_once_get_a_hundred_replies(raw):
    raw.send(b"".join(message(HOSTNAME, serial=serial) for serial in range(100, 200)))
    assert sorted(raw.receive().serial for _ in range(100)) == list(range(100, 200))


def test_half_a_message_and_silence_disturb_nobody(peer, raw):
    silent = [Wire(peer.socket_path()).open() for _ in range(5)]
    for connection in silent:
        connection.send(message(HOSTNAME)[:11])
    assert raw.is_alive()
    for connection in silent:
        connection.send(message(HOSTNAME)[11:])
        assert connection.receive().status == OK
        connection.close()


def test_a_client_that_leaves_in_the_middle_of_a_message_disturbs_nobody(peer, raw):
    for length in (1, 3, 4, 5, 27, 28, 40):
        leaver = Wire(peer.socket_path()).open()
        leaver.send(message(wire.DOMAIN_LOOKUP_BY_NAME, string("some name"))[:length])
        leaver.close()
    assert raw.is_alive()


def test_a_client_that_never_reads_disturbs_nobody(peer, raw):
    """It sends until nothing more is taken, and others are still served."""
    greedy = Wire(peer.socket_path()).open()
    greedy.socket.setblocking(False)
    call = message(wire.CONNECT_GET_CAPABILITIES)
    sent = 0
    while sent < 20000:
        try:
            greedy.socket.sendall(call)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            _, writable, _ = select.select([], [greedy.socket], [], 1)
            if not writable:
                break
            sent += 1000
        sent += 1
        if sent % 100 == 0:
            assert raw.is_alive()
    for _ in range(50):
        assert raw.is_alive()
    greedy.close()
    assert raw.is_alive()


def test_a_client_that_never_reads_its_events_disturbs_nobody(peer, raw):
    deaf = Wire(peer.socket_path()).open()
    reply = deaf.call(wire.DOMAIN_EVENT_CALLBACK_REGISTER_ANY, uint(0) + uint(0))
    assert reply.status == OK, reply.error()
    uuid = bytes.fromhex("6695eb01f6a4830479aa97f2502e193f")
    for _ in range(2500):
        for procedure in (wire.DOMAIN_SUSPEND, wire.DOMAIN_RESUME):
            reply = raw.call(procedure, domain("test", uuid, 1))
            assert reply.status == OK, reply.error()
    assert raw.is_alive()
    deaf.close()
    assert raw.is_alive()


def test_a_keepalive_ping_gets_a_pong(raw):
    raw.send(message(1, program=KEEPALIVE, kind=EVENT, serial=0))
    pong = raw.receive()
    assert (pong.program, pong.procedure, pong.kind, pong.serial, pong.status) == \
        (KEEPALIVE, 2, EVENT, 0, OK)
    assert pong.payload == b""


def test_a_keepalive_ping_gets_a_pong_even_before_open(fresh):
    fresh.send(message(1, program=KEEPALIVE, kind=EVENT, serial=0))
    assert fresh.receive().procedure == 2


@pytest.mark.parametrize("procedure", [2, 9])
def test_other_keepalive_messages_are_let_go(raw, procedure):
    raw.send(message(procedure, program=KEEPALIVE, kind=EVENT, serial=0))
    assert raw.is_alive()


def test_a_keepalive_that_is_a_call_is_refused(raw):
    refused(raw.call(1, program=KEEPALIVE, kind=CALL), VIR_ERR_RPC,
            "Cannot find program 1801807216 version 1")
    assert raw.is_alive()


def test_a_message_longer_than_any_string_gets_an_error_and_the_connection_lives(raw):
    reply = raw.call(wire.DOMAIN_DEFINE_XML, string(b"<" * 5000000))
    assert reply is not None and reply.status == ERROR
    assert raw.is_alive()


def test_a_definition_of_50_kilobytes_is_taken(raw):
    text = "<domain type='test'><name>long</name><memory>1024</memory><os><type>hvm</type></os>" \
        "<description>%s</description></domain>" % ("x" * 50000)
    reply = raw.call(wire.DOMAIN_DEFINE_XML, string(text))
    assert reply.status == OK, reply.error()
    reply = raw.call(14, domain("long", reply.reader().take(28)[8:24]) + uint(0))
    assert reply.status == OK, reply.error()
    assert len(reply.payload) > 50000


@pytest.mark.nanovirtd_only(reason="a limit of nanovirtd's own")
def test_a_message_beyond_the_limit_names_the_limit(raw):
    reply = raw.call(wire.DOMAIN_DEFINE_XML, string(b"x" * 400000))
    assert reply.status == ERROR
    assert "CONFIG_REMOTE_MESSAGE_MAX" in reply.error()[2]
    assert raw.is_alive()


@pytest.mark.nanovirtd_only(reason="a limit of nanovirtd's own")
def test_a_string_beyond_the_limit_names_the_limit(raw):
    reply = raw.call(wire.DOMAIN_DEFINE_XML, string(b"x" * 200000))
    assert reply.status == ERROR
    assert "CONFIG_REMOTE_STRING_MAX" in reply.error()[2]
    assert raw.is_alive()


@pytest.mark.parametrize("seed", range(20))
def test_random_arguments_never_disturb_the_daemon(peer, raw, seed):
    import random
    chance = random.Random(seed)
    noisy = Wire(peer.socket_path()).open()
    for _ in range(40):
        payload = bytes(chance.choice([0, 0, 0, 1, 4, 255, chance.randrange(256)])
                        for _ in range(chance.randrange(0, 120)))
        procedure = chance.randrange(3, 450)
        if procedure in THINGS_DONE_TO_THE_MACHINE:
            continue
        try:
            noisy.send(message(procedure, payload, serial=chance.randrange(1 << 32)))
        except OSError:
            noisy = Wire(peer.socket_path()).open()
    noisy.close()
    assert raw.is_alive()


# The client library checks this itself. A definition can not hold it: it would not be read again.
@pytest.mark.parametrize("procedure", [wire.DOMAIN_SET_MAX_MEMORY, wire.DOMAIN_SET_MEMORY])
def test_memory_that_no_definition_can_say_is_refused(raw, procedure):
    there = domain("test", bytes.fromhex("6695eb01f6a4830479aa97f2502e193f"), 1)
    for kib in (2 ** 63 // 1024, 2 ** 64 - 1):
        refused(raw.call(procedure, there + wire.uhyper(kib)), VIR_ERR_OVERFLOW,
                "numerical overflow: input too large: %d" % kib, VIR_FROM_DOMAIN)


@pytest.mark.nanovirtd_only(reason="libvirtd has threads")
def test_many_costly_calls_at_once_do_not_make_a_turn_long(peer):
    """A checking build ends at a turn of 10 ms; thirty clients ask for what takes one or two each."""
    clients = [Wire(peer.socket_path()).open() for _ in range(30)]
    for client in clients:
        client.send(b"".join(message(wire.CONNECT_GET_CAPABILITIES, serial=n) for n in range(5)))
    for client in clients:
        assert sorted(client.receive().serial for _ in range(5)) == [0, 1, 2, 3, 4]
        client.close()
