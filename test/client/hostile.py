"""Clients that mean no good, over TLS: they stall, flood, and talk rubbish.

    hostile.py PORT DIRECTORY COUNT

COUNT of them, with the certificate in DIRECTORY where they need one, in this one process: "ready" is printed
when all are at it, and they are until standard input ends. Who is cut comes back.
"""

import os
import random
import select
import socket
import ssl
import sys

import wire

PAUSE = 0.02  # seconds between two looks at everybody


class Hostile:
    """One of them: come() connects, act() does it again; whoever is cut comes again."""

    def __init__(self, port, directory):
        self.port, self.directory, self.socket = port, directory, None

    def come(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def act(self):
        pass

    def turn(self):
        try:
            if self.socket is None:
                self.come()
                self.socket.setblocking(False)
            self.act()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self.leave()

    def leave(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class Silent(Hostile):
    """Connects and says nothing."""


class HalfGreeting(Hostile):
    """Begins a handshake and does not go on."""

    def come(self):
        super().come()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(self.directory).wrap_bio(incoming, outgoing)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            greeting = outgoing.read()
        self.socket.sendall(greeting[:random.randrange(1, len(greeting))])


class Rubbish(Hostile):
    """Sends what nobody can understand, and comes back for more."""

    def act(self):
        self.socket.send(random.randbytes(300))
        self.socket.recv(1)  # raises as long as nothing comes
        self.leave()


class LoggedIn(Hostile):
    """Has a certificate, and speaks TLS."""

    def come(self):
        super().come()
        self.socket = client_context(self.directory).wrap_socket(self.socket)
        if self.socket.recv(1) != b"\1":
            raise ConnectionError
        self.socket.sendall(wire.message(wire.CONNECT_OPEN, wire.optional(wire.string("test:///default"))
                                         + wire.uint(0)))


class Flood(LoggedIn):
    """Calls and calls, and never reads a reply."""

    def act(self):
        for _ in range(50):
            self.socket.send(wire.message(wire.CONNECT_GET_CAPABILITIES))


class HalfMessage(LoggedIn):
    """Announces a long message, and sends some of it."""

    def come(self):
        super().come()
        self.socket.sendall(wire.message(wire.DOMAIN_DEFINE_XML, bytes(200000))[:100000])


def client_context(directory):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(os.path.join(directory, "clientcert.pem"),
                            os.path.join(directory, "clientkey.pem"))
    return context


def main():
    port, directory, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kinds = (Silent, HalfGreeting, Rubbish, Flood, HalfMessage)
    crowd = [kinds[i % len(kinds)](port, directory) for i in range(count)]
    told = False
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        for one in crowd:
            one.turn()
        if not told:
            print("ready", flush=True)
            told = True


if __name__ == "__main__":
    main()
