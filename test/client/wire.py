"""The RPC protocol by hand: for messages that no client library would send.

XDR is RFC 4506; a message is a length word, six header words, and the payload.
"""

import socket
import struct

import peer as peers

REMOTE, QEMU, ADMIN, KEEPALIVE = 0x20008086, 0x20008087, 0x06900690, 0x6B656570
CALL, REPLY, EVENT, STREAM, CALL_WITH_FDS, REPLY_WITH_FDS, STREAM_HOLE = range(7)
OK, ERROR, CONTINUE = range(3)

CONNECT_OPEN, CONNECT_CLOSE, CONNECT_GET_TYPE = 1, 2, 3
CONNECT_GET_CAPABILITIES = 7
DOMAIN_CREATE_XML, DOMAIN_DEFINE_XML = 10, 11
CONNECT_LIST_DEFINED_DOMAINS, DOMAIN_LOOKUP_BY_NAME, DOMAIN_LOOKUP_BY_UUID = 21, 23, 24
DOMAIN_SET_MAX_MEMORY = 30
DOMAIN_SET_MEMORY = 31
CONNECT_LIST_DOMAINS = 37
DOMAIN_RESUME, DOMAIN_SUSPEND = 28, 34
CONNECT_GET_HOSTNAME, CONNECT_SUPPORTS_FEATURE = 59, 60
AUTH_LIST = 66
CONNECT_GET_LIB_VERSION = 157
DOMAIN_SET_MEMORY_PARAMETERS = 197
DOMAIN_OPEN_CONSOLE = 201
DOMAIN_SEND_KEY, NODE_GET_CPU_STATS, DOMAIN_GET_CPU_STATS = 226, 227, 262
CONNECT_LIST_ALL_DOMAINS = 273
DOMAIN_EVENT_CALLBACK_REGISTER_ANY, DOMAIN_EVENT_CALLBACK_LIFECYCLE = 316, 318


def uint(value):
    return struct.pack(">I", value & 0xFFFFFFFF)


def uhyper(value):
    return struct.pack(">Q", value & 0xFFFFFFFFFFFFFFFF)


def opaque(data):
    return uint(len(data)) + data + bytes(-len(data) % 4)


def string(text):
    return opaque(text if isinstance(text, bytes) else text.encode())


def optional(encoded):
    return uint(0) if encoded is None else uint(1) + encoded


def domain(name="x", uuid=bytes(16), number=-1):
    """remote_nonnull_domain."""
    return string(name) + uuid + uint(number)


def message(procedure, payload=b"", program=REMOTE, version=1, kind=CALL, serial=1, status=OK):
    body = struct.pack(">IIIIII", program, version, procedure & 0xFFFFFFFF, kind & 0xFFFFFFFF,
                       serial, status & 0xFFFFFFFF) + payload
    return uint(len(body) + 4) + body


class Reader:
    """Takes XDR items off a payload, in order."""

    def __init__(self, data):
        self.data = data

    def take(self, size):
        assert len(self.data) >= size, "the payload ends early"
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def uint(self):
        return struct.unpack(">I", self.take(4))[0]

    def int(self):
        return struct.unpack(">i", self.take(4))[0]

    def uhyper(self):
        return struct.unpack(">Q", self.take(8))[0]

    def opaque(self):
        size = self.uint()
        data = self.take(size)
        self.take(-size % 4)
        return data

    def string(self):
        return self.opaque().decode()

    def optional(self, item):
        return item() if self.uint() else None


class Message:
    """A received message: its header and payload."""

    def __init__(self, body):
        (self.program, self.version, self.procedure, self.kind, self.serial,
         self.status) = struct.unpack(">IIIIII", body[:24])
        self.payload = body[24:]

    def reader(self):
        return Reader(self.payload)

    def error(self):
        """The virError of a reply: code, domain, message. All of remote_error is decoded."""
        assert self.status == ERROR, "not an error"
        reader = self.reader()
        code, domain_of = reader.int(), reader.int()
        text = reader.optional(reader.string)
        level = reader.int()
        assert level in (0, 1, 2)
        reader.optional(lambda: (reader.string(), reader.take(16), reader.int()))
        for _ in range(3):
            reader.optional(reader.string)
        reader.int()
        reader.int()
        reader.optional(lambda: (reader.string(), reader.take(16)))
        assert not reader.data, "bytes after the error"
        return code, domain_of, text


class Wire:
    """A raw connection to the daemon's socket."""

    def __init__(self, path, timeout=peers.PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.serial = 0

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive_bytes(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            data += more
        return data

    def receive(self):
        """The next message, or None when the daemon has closed the connection."""
        word = self.receive_bytes(4)
        if word is None:
            return None
        body = self.receive_bytes(struct.unpack(">I", word)[0] - 4)
        return None if body is None else Message(body)

    def call(self, procedure, payload=b"", **header):
        self.serial += 1
        header.setdefault("serial", self.serial)
        self.send(message(procedure, payload, **header))
        return self.receive()

    def open(self, uri="test:///default", flags=0):
        assert self.call(AUTH_LIST).status == OK
        reply = self.call(CONNECT_OPEN, optional(string(uri)) + uint(flags))
        assert reply.status == OK, reply.error()
        return self

    def is_alive(self):
        """Whether an ordinary call is still answered."""
        try:
            reply = self.call(CONNECT_GET_HOSTNAME)
        except OSError:
            return False
        return reply is not None and reply.status == OK

    def is_cut(self):
        """Whether the daemon has closed the connection (after anything it had to say)."""
        while self.receive() is not None:
            pass
        return True
