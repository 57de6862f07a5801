"""A TLS peer that can be looked at: what is in each record, and what records are made of."""

import socket
import ssl
import struct

import peer as peers

APPLICATION_DATA = 23


class Records:
    """A client that feeds its TLS one record at a time, so that it knows what each one held."""

    def __init__(self, port, ca=None, certificate=None, key=None, host="127.0.0.1", version=None,
                 timeout=peers.PATIENCE, connect=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        if ca:
            context.load_verify_locations(ca)
        if certificate:
            context.load_cert_chain(certificate, key)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.place, self.timeout = (host, port), timeout
        self.buffer = b""
        if connect:
            self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.place, timeout=self.timeout)

    def send_made(self):
        """Sends what the TLS has made so far."""
        data = self.outgoing.read()
        if data:
            self.socket.sendall(data)

    def bytes_until(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more

    def next_record(self):
        """The next record's type, its bytes given to the TLS."""
        self.bytes_until(5)
        kind, _, length = struct.unpack(">BHH", self.buffer[:5])
        self.bytes_until(5 + length)
        self.incoming.write(self.buffer[:5 + length])
        self.buffer = self.buffer[5 + length:]
        return kind

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self.send_made()
                return self
            except ssl.SSLWantReadError:
                self.send_made()
                self.next_record()

    def receive(self):
        """What one record of application data holds; b"" when the stream ended."""
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                pass
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            try:
                self.next_record()
            except EOFError:
                return b""

    def welcome(self):
        """Whether the server's one byte comes: '\\1', or the end of the stream."""
        return self.receive() == b"\1"

    def send(self, data):
        """In one record, if it is short enough."""
        self.tls.write(data)
        self.send_made()

    def close(self):
        self.socket.close()


def is_welcome(*arguments, **keywords):
    """Whether a client with that certificate is let in."""
    client = Records(*arguments, **keywords)
    try:
        return client.handshake().welcome()
    except (ssl.SSLError, EOFError, ConnectionResetError):
        return False
    finally:
        client.close()
