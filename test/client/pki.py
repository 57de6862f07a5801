"""Keys and certificates for the tests: made by nanovirt-pki, or by certtool from a description."""

import os
import subprocess
import time

import peer as peers

SCRIPT = os.path.join(peers.TOP, "scripts", "nanovirt-pki")


def nanovirt_pki(root, *arguments):
    """Runs the script as a user would; returns what it says."""
    completed = subprocess.run(["sh", SCRIPT, "--root", root, *arguments], capture_output=True,
                               text=True)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


class Pki:
    """What nanovirt-pki lays below a root."""

    def __init__(self, root):
        self.root = root

    def path(self, *parts):
        return os.path.join(self.root, "etc/pki", *parts)

    def make(self, *hosts, clients=("ann",)):
        nanovirt_pki(self.root, "ca", "test authority")
        nanovirt_pki(self.root, "server", *hosts)
        for client in clients:
            self.add_client(client)

    def add_client(self, name):
        nanovirt_pki(self.root, "client", name)
        return self.client(name)

    def client(self, name):
        return self.path("libvirt/clients", name)

    def revoke(self, name):
        nanovirt_pki(self.root, "revoke", name)


# ---- certificates of every kind, good and bad

USAGE, PURPOSE = "2.5.29.15", "2.5.29.37"
SIGN, ENCIPHER, CERT_SIGN = 0x80, 0x20, 0x04  # bits of a key usage
SERVER_AUTH, CLIENT_AUTH, CODE_SIGNING = "2b06010505070301", "2b06010505070302", "2b06010505070303"


def der(tag, content):
    return bytes([tag, len(content)]) + content


def usage(bits):
    unused = 0 if bits == 0 else (bits & -bits).bit_length() - 1
    return USAGE, der(3, bytes([unused, bits]))


def purposes(*oids):
    return PURPOSE, der(0x30, b"".join(der(6, bytes.fromhex(oid)) for oid in oids))


class Certificate:
    """A certificate by certtool, signed by `issuer` or by itself. Extensions are (critical, (oid,
    value)); days are counted from today."""

    key_files = {}

    def __init__(self, directory, name, issuer=None, ca=False, extensions=(), begin=-1, end=100,
                 key="rsa", subject='country = UK\ncn = "%s"', hosts=(), v1=False):
        self.file = os.path.join(directory, name + ".pem")
        self.key = self.make_key(directory, key)
        template = [subject % name if "%s" in subject else subject]
        template += ['activation_date = "%s"' % day(begin), 'expiration_date = "%s"' % day(end)]
        template += ["ca"] if ca else []
        template += ["%s = %s" % ("ip_address" if host[-1].isdigit() else "dns_name", host)
                     for host in hosts]
        for critical, (oid, value) in extensions:
            template.append('add_%sextension = "%s 0x%s"' % ("critical_" if critical else "", oid,
                                                              value.hex()))
        command = ["--generate-self-signed"] if issuer is None else [
            "--generate-certificate", "--load-ca-certificate", issuer.file, "--load-ca-privkey",
            issuer.key]
        certtool(directory, "\n".join(template), *command, "--load-privkey", self.key, "--outfile",
                 self.file, *(["--v1"] if v1 else []))

    @classmethod
    def make_key(cls, directory, kind):
        """One key of each kind is enough for all certificates of a directory."""
        path = os.path.join(directory, "key-%s.pem" % kind)
        if not os.path.exists(path):
            options = {"rsa": ["rsa", "--bits", "2048"], "rsa3072": ["rsa", "--bits", "3072"],
                       "ec": ["ecdsa", "--curve", "secp256r1"],
                       "ec384": ["ecdsa", "--curve", "secp384r1"],
                       "ec521": ["ecdsa", "--curve", "secp521r1"],
                       "ed25519": ["ed25519"]}[kind]
            certtool(directory, "", "--generate-privkey", "--key-type", *options, "--outfile", path)
        return path

    def text(self):
        with open(self.file) as pem:
            return pem.read()


def day(offset):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + offset * 86400))


def certtool(directory, template, *arguments):
    path = os.path.join(directory, "template")
    with open(path, "w") as text:
        text.write(template + "\n")
    completed = subprocess.run(["certtool", "--template", path, *arguments], capture_output=True,
                               text=True, env={"PATH": os.environ["PATH"], "TZ": "UTC"})
    assert completed.returncode == 0, completed.stderr + template


def chain(path, *certificates):
    with open(path, "w") as text:
        text.write("".join(one.text() for one in certificates))
    return path


def revocation_list(directory, name, issuer, *revoked, days=30):
    path = os.path.join(directory, name + ".pem")
    listed = chain(os.path.join(directory, "revoked.pem"), *revoked)
    certtool(directory, 'crl_this_update_date = "%s"\ncrl_next_update_date = "%s"\ncrl_number = 1\n' %
             (day(-20), day(days)), "--generate-crl",
             "--load-ca-privkey", issuer.key, "--load-ca-certificate", issuer.file,
             "--load-certificate", listed, "--outfile", path)
    return path
