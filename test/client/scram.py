"""SCRAM (RFC 5802) and the SASL procedures by hand: a client that can do everything wrong."""

import base64
import hashlib
import hmac

from wire import OK, Wire, string, uint

INIT, START, STEP = 67, 68, 69


def chars(data):
    """char<>: an element of four bytes for each byte, signed as C has it."""
    return uint(len(data)) + b"".join(uint(byte - 256 if byte > 127 else byte) for byte in data)


def nullable(data):
    return uint(data is None) + chars(data or b"")


class Login:
    """One exchange over a raw connection, message by message."""

    def __init__(self, wire, user, password, mechanism="SCRAM-SHA-256"):
        self.wire, self.user, self.password, self.mechanism = wire, user, password, mechanism
        self.hash = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}[mechanism]
        self.header = "n,,"
        self.bare = "n=%s,r=clientnonce" % user.replace("=", "=3D").replace(",", "=2C")

    def mac(self, key, text):
        return hmac.new(key, text.encode(), self.hash).digest()

    def init(self):
        return self.wire.call(INIT)

    def start(self):
        """Sends the first message; keeps what the server says to it."""
        reply = self.wire.call(START, string(self.mechanism) + nullable((self.header + self.bare).encode()))
        if reply is not None and reply.status == OK:
            self.challenge = data_of(reply, complete=0).decode()
        return reply

    def final(self):
        """The last message, and what the server has to answer to it."""
        parts = dict(part.split("=", 1) for part in self.challenge.split(","))
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), base64.b64decode(parts["s"]),
                                     int(parts["i"]))
        key = self.mac(salted, "Client Key")
        without = "c=%s,r=%s" % (base64.b64encode(self.header.encode()).decode(), parts["r"])
        said = ",".join((self.bare, self.challenge, without))
        signature = self.mac(hashlib.new(self.hash, key).digest(), said)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.expected = b"v=" + base64.b64encode(self.mac(self.mac(salted, "Server Key"), said))
        return ("%s,p=%s" % (without, base64.b64encode(proof).decode())).encode()

    def step(self):
        return self.wire.call(STEP, nullable(self.final()))

    def run(self):
        """All of it; the reply that decided."""
        for say in (self.init, self.start, self.step):
            reply = say()
            if reply is None or reply.status != OK:
                return reply
        assert data_of(reply, complete=1) == self.expected, "the server does not know the password, either"
        return reply


def data_of(reply, complete):
    """The data of a reply to start and step; None when it is absent."""
    reader = reply.reader()
    assert reader.uint() == complete
    absent = reader.uint()
    data = bytes(reader.uint() & 0xFF for _ in range(reader.uint()))
    assert not (absent and data)
    return None if absent else data


def login(path, user, password, **parts):
    """A raw connection that is logged in."""
    wire = Wire(path)
    reply = Login(wire, user, password, **parts).run()
    assert reply.status == OK, reply.error()
    return wire
