"""Which certificates are taken: the matrix of libvirt's virnettlscontexttest and
virnettlssessiontest, made by certtool, against the daemon."""

import os
import shutil
import subprocess

import pytest

import peer as peers
from pki import (CERT_SIGN, CLIENT_AUTH, CODE_SIGNING, ENCIPHER, SERVER_AUTH, SIGN, Certificate, chain,
                 purposes, revocation_list, usage)
from tls import is_welcome

pytestmark = pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")

BOTH = SIGN | ENCIPHER
CA_USAGE = (True, usage(CERT_SIGN))
GOOD = {"server": [(True, usage(BOTH)), (True, purposes(SERVER_AUTH))],
        "client": [(True, usage(BOTH)), (True, purposes(CLIENT_AUTH))]}

# What a certificate for a server or a client has beside its name, and what is said of it; None when
# it is taken. OTHER stands for the purpose that the role has not.
OTHER = {"server": CLIENT_AUTH, "client": SERVER_AUTH}
OWN = {"server": SERVER_AUTH, "client": CLIENT_AUTH}
MATRIX = {
    "perfect": (lambda role: GOOD[role], None),
    "no usage or purpose": (lambda role: [], None),
    "usage: cert-sign + sign + encipher: critical":
        (lambda role: [(True, usage(CERT_SIGN | BOTH))], None),
    "usage: cert-sign: not critical": (lambda role: [(False, usage(CERT_SIGN))], None),
    "purpose: own: critical": (lambda role: [(True, purposes(OWN[role]))], None),
    "purpose: own: not critical": (lambda role: [(False, purposes(OWN[role]))], None),
    "purpose: both: critical": (lambda role: [(True, purposes(CLIENT_AUTH, SERVER_AUTH))], None),
    "purpose: both: not critical":
        (lambda role: [(False, purposes(CLIENT_AUTH, SERVER_AUTH))], None),
    "purpose: something else: critical": (lambda role: [(True, purposes(CODE_SIGNING))], None),
    "purpose: other: not critical": (lambda role: [(False, purposes(OTHER[role]))], None),
    "usage: cert-sign: critical":
        (lambda role: [(True, usage(CERT_SIGN))], "usage does not permit digital signature"),
    "usage: sign only: critical":
        (lambda role: [(True, usage(SIGN))], "usage does not permit key encipherment"),
    "purpose: other: critical":
        (lambda role: [(True, purposes(OTHER[role]))],
         "purpose does not allow use for with a TLS %s"),
    "usage: none: critical":
        (lambda role: [(True, usage(0))],
         "usage does not permit digital signature"),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """The certificates, made as they are asked for."""
    return Shelf(str(tmp_path_factory.mktemp("certificates")))


class Shelf:
    def __init__(self, directory):
        self.directory = directory
        self.ca = self.make("libvirt CA", ca=True, extensions=[CA_USAGE])
        self.server = self.make("libvirt.org", issuer=self.ca, extensions=GOOD["server"])
        self.client = self.make("libvirt", issuer=self.ca, extensions=GOOD["client"])

    def make(self, name, **parts):
        return Certificate(self.directory, name, **parts)

    def file(self, name):
        return os.path.join(self.directory, name)


class Daemon:
    """A daemon with just these credentials."""

    def __init__(self, ca, server, **configuration):
        self.peer = peers.make_peer()
        self.port = peers.free_port()
        os.chmod(server.key, 0o600)
        self.peer.configuration.update({
            "tls_port": '"%d"' % self.port, "ca_file": '"%s"' % getattr(ca, "file", ca),
            "cert_file": '"%s"' % server.file, "key_file": '"%s"' % server.key})
        self.peer.configuration.update(configuration)

    def __enter__(self):
        try:
            self.peer.start("--listen", "--verbose")
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        if self.peer.process and self.peer.process.poll() is not None:
            self.peer.process = None
        self.peer.close()

    def __exit__(self, *exception):
        self.close()

    def admits(self, client=None, certificate=None, **parts):
        self.told = len(self.refusals())
        self.come_again = lambda: is_welcome(
            self.port, certificate=certificate or getattr(client, "file", None),
            key=getattr(client, "key", None), **parts)
        return self.come_again()

    def refusals(self):
        return [line for line in self.peer.log_text().splitlines() if "is refused: " in line]

    def refusal(self):
        """Why the last client was refused. Of many in ten seconds the log tells ten: then he has to
        come again."""
        def told():
            if len(self.refusals()) == self.told:
                self.come_again()
            return self.refusals()[self.told:]
        return peers.wait_until(told, "a refusal")[-1].split("is refused: ")[1]


def refusal_to_start(ca, server, **configuration):
    try:
        with Daemon(ca, server, **configuration):
            return None
    except AssertionError as error:
        return str(error)


# ---- our own certificates, at start

@pytest.mark.parametrize("name", MATRIX)
def test_a_servers_certificate_is_one_for_servers(shelf, name):
    extensions, reason = MATRIX[name]
    server = shelf.make("s " + name.replace(":", ""), issuer=shelf.ca, extensions=extensions("server"))
    said = refusal_to_start(shelf.ca, server)
    if reason:
        assert "ertificate %s %s" % (server.file, reason.replace("%s", "server")) in said
    else:
        assert said is None


CAS = {
    "basic: critical": (dict(ca=True), None),
    "usage: cert-sign: critical": (dict(ca=True, extensions=[CA_USAGE]), None),
    "usage: sign: not critical":
        (dict(ca=True, extensions=[(False, usage(SIGN))]), "hasn't got a known issuer"),
    "usage: sign: critical": (dict(ca=True, extensions=[(True, usage(SIGN))]),
                              "usage does not permit certificate signing"),
    "no basic constraints": (dict(v1=True), "is missing basic constraints for a CA"),
    "basic constraints of no CA": (dict(ca=False), "basic constraints do not show a CA"),
    "expired": (dict(ca=True, begin=-20, end=-1), "The CA certificate %s has expired"),
    "not yet": (dict(ca=True, begin=1, end=2), "The CA certificate %s is not yet active"),
}


@pytest.mark.parametrize("name", CAS)
def test_an_authority_is_one(shelf, name):
    parts, reason = CAS[name]
    ca = shelf.make("ca " + name.replace(":", ""), **parts)
    server = shelf.make("under " + name.replace(":", ""), issuer=ca, extensions=GOOD["server"])
    said = refusal_to_start(ca, server)
    assert (reason.replace("%s", ca.file) in said) if reason else said is None


def test_basic_constraints_of_an_authority_need_not_be_critical(shelf):
    ca = shelf.make("replaced", ca=True)
    subprocess.run(["openssl", "req", "-x509", "-new", "-key", ca.key, "-subj", "/C=UK/CN=replaced",
                    "-addext", "basicConstraints=CA:TRUE", "-out", ca.file], check=True,
                   capture_output=True)
    server = shelf.make("under replaced", issuer=ca, extensions=GOOD["server"])
    assert refusal_to_start(ca, server) is None


def test_a_servers_certificate_is_within_its_time(shelf):
    for name, begin, end, reason in (("old", -20, -1, "has expired"),
                                     ("new", 1, 2, "is not yet active")):
        server = shelf.make(name, issuer=shelf.ca, extensions=GOOD["server"], begin=begin, end=end)
        assert "The server certificate %s %s" % (server.file, reason) in \
            refusal_to_start(shelf.ca, server)


def test_a_server_is_no_authority(shelf):
    server = shelf.make("too much", issuer=shelf.ca, ca=True)
    assert "The certificate %s basic constraints show a CA, but we need one for a server" % \
        server.file in refusal_to_start(shelf.ca, server)


def test_a_servers_certificate_leads_to_the_authority(shelf):
    other = shelf.make("libvirt CA 1", ca=True)
    assert "Our own certificate %s failed validation against %s: The certificate hasn't got a " \
        "known issuer." % (shelf.server.file, other.file) in refusal_to_start(other, shelf.server)


def test_without_sanity_checks_the_daemon_starts_with_what_it_is_given(shelf):
    server = shelf.make("expired", issuer=shelf.ca, begin=-20, end=-1)
    assert refusal_to_start(shelf.ca, server, tls_no_sanity_certificate="1") is None


# ---- files that are not what they should be

def test_a_key_that_everybody_can_read_is_refused(shelf):
    server = shelf.make("loose", issuer=shelf.ca, extensions=GOOD["server"], key="ec")
    daemon = Daemon(shelf.ca, server)
    os.chmod(server.key, 0o644)
    with pytest.raises(AssertionError, match="can be read or changed by everybody .its mode is 0644"):
        with daemon:
            pass


def test_a_key_of_another_certificate_is_refused(shelf):
    server = shelf.make("another's", issuer=shelf.ca, extensions=GOOD["server"])
    server.key = Certificate.make_key(shelf.directory, "rsa3072")
    assert "The certificate and the given key do not match." in refusal_to_start(shelf.ca, server)


def test_an_encrypted_key_is_refused(shelf):
    server = shelf.make("secret", issuer=shelf.ca, extensions=GOOD["server"])
    for command in (["rsa", "-aes256"], ["pkcs8", "-topk8"]):
        server.key = shelf.file("encrypted.pem")
        subprocess.run(["openssl", *command, "-in", shelf.ca.key, "-passout", "pass:secret", "-out",
                        server.key], check=True, capture_output=True)
        assert "the key is encrypted" in refusal_to_start(shelf.ca, server)


def test_a_key_of_a_kind_that_is_not_supported_is_refused(shelf):
    server = shelf.make("modern", issuer=shelf.ca, extensions=GOOD["server"], key="ed25519")
    said = refusal_to_start(shelf.ca, server)
    assert "Unable to import server certificate" in said or "not supported" in said


@pytest.mark.parametrize("part,what", [("ca_file", "CA certificate"), ("cert_file", "certificate"),
                                       ("key_file", "private key")])
def test_a_file_that_is_not_there_is_named(shelf, part, what):
    said = refusal_to_start(shelf.ca, shelf.server, **{part: '"/nonexistent.pem"'})
    assert "Cannot read %s '/nonexistent.pem': No such file or directory" % what in said


@pytest.mark.parametrize("part", ["ca_file", "cert_file", "key_file", "crl_file"])
def test_a_file_of_something_else_is_named(shelf, part):
    other = shelf.file("something.pem")
    with open(other, "w") as text:
        text.write("-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n")
    os.chmod(other, 0o600)
    assert other in refusal_to_start(shelf.ca, shelf.server, **{part: '"%s"' % other})


def test_files_are_named_together_or_not_at_all(shelf):
    assert "No server certificate path set to match server key" in \
        refusal_to_start(shelf.ca, shelf.server, cert_file='""')


# ---- the client's certificates

@pytest.fixture(scope="module")
def daemon(shelf):
    with Daemon(shelf.ca, shelf.server) as running:
        yield running


@pytest.mark.parametrize("name", MATRIX)
def test_a_clients_certificate_is_one_for_clients(shelf, daemon, name):
    extensions, reason = MATRIX[name]
    client = shelf.make("c " + name.replace(":", ""), issuer=shelf.ca, extensions=extensions("client"))
    if "none" in name:
        pytest.skip("OpenSSL does not send such a certificate")
    assert daemon.admits(client) == (reason is None)
    if reason:
        assert "Certificate [session] " + reason.replace("%s", "client") in daemon.refusal()


def test_a_client_is_no_authority(shelf, daemon):
    assert not daemon.admits(shelf.make("c too much", issuer=shelf.ca, ca=True))
    assert "basic constraints show a CA, but we need one for a client" in daemon.refusal()


def test_a_clients_certificate_is_within_its_time(shelf, daemon):
    for name, begin, end, reason in (("c old", -20, -1, "has expired"),
                                     ("c new", 1, 2, "is not yet active")):
        assert not daemon.admits(shelf.make(name, issuer=shelf.ca, extensions=GOOD["client"],
                                            begin=begin, end=end))
        assert "The client certificate [session] " + reason in daemon.refusal()


def test_a_client_of_another_authority_is_refused(shelf, daemon):
    other = shelf.make("other CA", ca=True)
    assert not daemon.admits(shelf.make("stranger", issuer=other, extensions=GOOD["client"]))
    assert "The certificate hasn't got a known issuer." in daemon.refusal()


def test_a_client_that_only_says_it_is_of_our_authority_is_refused(shelf, daemon):
    double = shelf.make("double", subject='country = UK\ncn = "libvirt CA"', ca=True, key="rsa3072")
    assert not daemon.admits(shelf.make("liar", issuer=double, extensions=GOOD["client"]))


def test_a_client_without_a_certificate_is_refused(daemon):
    assert not daemon.admits()
    assert "No certificate was found." in daemon.refusal()


@pytest.mark.parametrize("key", ["rsa3072", "ec", "ec384", "ec521"])
def test_keys_are_rsa_and_ec_on_either_side(shelf, key, monkeypatch):
    extensions = {role: [(False, purposes(OWN[role])), (True, usage(SIGN if "ec" in key else BOTH))]
                  for role in OWN}
    ca = shelf.make("CA " + key, ca=True, key=key)
    server = shelf.make("server " + key, issuer=ca, key=key, extensions=extensions["server"])
    client = shelf.make("client " + key, issuer=ca, key=key, extensions=extensions["client"])
    if key in ("rsa3072", "ec521"):  # nothing can divide one signature: it may be longer than a turn
        monkeypatch.setenv("NANOVIRT_STALL_FACTOR",
                           str(3 * int(os.environ.get("NANOVIRT_STALL_FACTOR", "1"))))
    with Daemon(ca, server) as running:
        assert running.admits(client)


def test_chains_lead_through_intermediate_authorities(shelf):
    root = shelf.make("root", ca=True, extensions=[CA_USAGE])
    level = {}
    for name, issuer in (("1a", root), ("1b", root), ("2a", "1a")):
        level[name] = shelf.make("level " + name, issuer=level.get(issuer, issuer), ca=True,
                                 extensions=[CA_USAGE])
    server = shelf.make("level 3a", issuer=level["2a"], extensions=GOOD["server"])
    client = shelf.make("level 2b", issuer=level["1b"], extensions=GOOD["client"])
    everyone = chain(shelf.file("everyone.pem"), root, level["1a"], level["1b"], level["2a"])
    with Daemon(everyone, server) as running:
        assert running.admits(client)
    # The same with the root alone: who is in between comes with the certificate.
    chain(server.file + ".chain", server, level["2a"], level["1a"])
    shutil.move(server.file + ".chain", server.file)
    with Daemon(root, server) as running:
        assert not running.admits(client)
        assert running.admits(client, chain(shelf.file("sent.pem"), client, level["1b"]))


def test_an_intermediate_authority_alone_is_trusted(shelf):
    root = shelf.make("far root", ca=True, extensions=[CA_USAGE])
    middle = shelf.make("middle", issuer=root, ca=True, extensions=[CA_USAGE])
    server = shelf.make("s of middle", issuer=middle, extensions=GOOD["server"])
    client = shelf.make("c of middle", issuer=middle, extensions=GOOD["client"])
    with Daemon(middle, server) as running:
        assert running.admits(client)
        assert not running.admits(shelf.make("c of root", issuer=root, extensions=GOOD["client"]))


# ---- revocation

def test_who_was_revoked_is_refused(shelf):
    bad = shelf.make("bad", issuer=shelf.ca, extensions=GOOD["client"])
    crl = revocation_list(shelf.directory, "crl", shelf.ca, bad)
    with Daemon(shelf.ca, shelf.server, crl_file='"%s"' % crl) as running:
        assert running.admits(shelf.client)
        assert not running.admits(bad)
        assert "The certificate has been revoked." in running.refusal()


def test_a_list_that_is_too_old_still_counts(shelf):
    bad = shelf.make("bad for long", issuer=shelf.ca, extensions=GOOD["client"])
    crl = revocation_list(shelf.directory, "old crl", shelf.ca, bad, days=-1)
    with Daemon(shelf.ca, shelf.server, crl_file='"%s"' % crl) as running:
        assert "should have been renewed" in running.peer.log_text()
        assert running.admits(shelf.client)
        assert not running.admits(bad)


def test_no_list_is_no_error(shelf):
    with Daemon(shelf.ca, shelf.server, crl_file='"/nonexistent.pem"') as running:
        assert running.admits(shelf.client)


# ---- names

WILDCARDS = [
    (["C=UK,CN=dogfood"], False),
    (["C=UK,CN=libvirt"], True),
    (["C=UK,CN=dogfood", "C=UK,CN=libvirt"], True),
    (["C=UK,CN=libvirtstuff"], False),
    (["C=UK,CN=libvirt*"], True),
    (["C=UK,CN=*virt*"], True),
    (["C=UK,CN=lib????"], True),
    ([], False),
]


@pytest.mark.parametrize("patterns,admitted", WILDCARDS)
def test_the_list_of_names_has_wildcards(shelf, patterns, admitted):
    listed = "[%s]" % ", ".join('"%s"' % pattern for pattern in patterns)
    with Daemon(shelf.ca, shelf.server, tls_allowed_dn_list=listed) as running:
        assert running.admits(shelf.client) == admitted
        if not admitted:
            assert "Client's Distinguished Name 'C=UK,CN=libvirt' is not on the list of allowed " \
                "clients" in running.refusal()


NAMES = ['country = GB\nstate = London\norganization = "Red Hat"\ncn = "name"',
         'cn = "a,b+c;d"', 'cn = " blank "', 'cn = "#hash"', 'cn = "J\u00fcrgen"',
         'organization = "A \\"quote\\""\ncn = x', 'uid = ann\ndc = example\ndc = org\ncn = y',
         'cn = z\nemail = ann@example.org', 'unit = one\nunit = two\nlocality = here\ncn = w',
         "/CN=v/title=Dr./1.2.3.4.5=strange", "/CN=multi+OU=valued/O=Example", "/CN=x/serialNumber=7",
         "/C=DE/CN=\u4e2d\u6587"]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_names_are_those_of_virt_pki_query_dn(shelf, daemon, number):
    name = NAMES[number]
    client = shelf.make("named %d" % number, issuer=shelf.ca, extensions=GOOD["client"],
                        subject="cn = x" if name.startswith("/") else name)
    if name.startswith("/"):  # what certtool does not take
        subprocess.run(["openssl", "req", "-x509", "-new", "-CA", shelf.ca.file, "-CAkey",
                        shelf.ca.key, "-key", client.key, "-utf8", "-multivalue-rdn", "-subj", name,
                        "-addext", "basicConstraints=critical,CA:FALSE", "-out", client.file],
                       check=True, capture_output=True)
    expected = subprocess.run(["virt-pki-query-dn", client.file], capture_output=True, text=True,
                              check=True).stdout.rstrip("\n").replace("Distinguished Name: ", "")
    assert daemon.admits(client)
    peers.wait_until(lambda: "has finished its handshake as '%s'\n" % expected in
                     daemon.peer.log_text(), expected)


# ---- who does not want to know

def test_without_verification_anybody_is_let_in(shelf):
    with Daemon(shelf.ca, shelf.server, tls_no_verify_certificate="1",
                tls_allowed_dn_list='["nobody"]') as running:
        assert is_welcome(running.port)
        assert running.admits(shelf.make("self-made", extensions=GOOD["client"]))
        assert "as ''" in running.peer.log_text()


# ---- versions

@pytest.mark.parametrize("priority,reason", [
    ("NORMAL", None), ("NORMAL:-VERS-TLS1.3", None), ("@SYSTEM", None),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2", None), ("NONE", "'NONE' means nothing to this daemon"),
    ("NORMAL:-VERS-ALL", "no version of TLS is left"), ("NORMAL:-AES-128-GCM", "means nothing")])
def test_priorities_choose_versions_and_nothing_else(shelf, priority, reason):
    said = refusal_to_start(shelf.ca, shelf.server, tls_priority='"%s"' % priority)
    assert (reason in said) if reason else said is None
