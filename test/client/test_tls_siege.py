"""Many clients at work over TLS while as many others do their worst."""

import os
import selectors
import ssl
import subprocess
import sys

import pytest

import wire
from hostile import client_context
from test_tls import TlsDaemon

pytestmark = pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")

CLIENTS, HOSTILE, CALLS = 200, 200, 50


class Worker:
    """A client that makes one call after the other and looks at every reply."""

    def __init__(self, daemon):
        import socket
        plain = socket.create_connection(("127.0.0.1", daemon.port), timeout=60)
        self.socket = client_context(daemon.pki.client("ann")).wrap_socket(plain)
        self.answered, self.buffer = -1, b""  # the first call opens
        assert self.socket.recv(1) == b"\1"
        self.socket.setblocking(False)

    def call(self):
        body = (wire.optional(wire.string("test:///default")) + wire.uint(0)) if self.answered < 0 else b""
        number = wire.CONNECT_OPEN if self.answered < 0 else wire.CONNECT_GET_HOSTNAME
        self.socket.send(wire.message(number, body, serial=self.answered + 2))

    def take(self):
        """Reads what has come; whether it was a whole reply."""
        try:
            more = self.socket.recv(65536)
        except ssl.SSLWantReadError:
            return False
        assert more, "a client that behaves was cut"
        self.buffer += more
        if len(self.buffer) < 28:
            return False
        reply = wire.Message(self.buffer[4:])
        assert reply.status == wire.OK, reply.error()
        assert reply.serial == self.answered + 2
        self.answered, self.buffer = self.answered + 1, b""
        return True


@pytest.fixture
def daemon():
    made = TlsDaemon()
    made.pki.make("localhost", "127.0.0.1")
    made.start()
    yield made
    made.close()


def test_nobody_who_behaves_sees_an_error_under_siege(daemon):
    workers = [Worker(daemon) for _ in range(CLIENTS)]
    hostile = subprocess.Popen(
        [sys.executable, os.path.join(os.path.dirname(__file__), "hostile.py"), str(daemon.port),
         daemon.pki.client("ann"), str(HOSTILE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert hostile.stdout.readline() == b"ready\n"
    try:
        with selectors.DefaultSelector() as selector:
            for worker in workers:
                selector.register(worker.socket, selectors.EVENT_READ, worker)
                worker.call()
            while any(worker.answered < CALLS for worker in workers):
                ready = selector.select(60)
                assert ready, "nobody is answered any more"
                for key, _ in ready:
                    if key.data.take() and key.data.answered < CALLS:
                        key.data.call()
    finally:
        hostile.stdin.close()
        hostile.wait()
        hostile.stdout.close()
        for worker in workers:
            worker.socket.close()
