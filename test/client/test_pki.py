"""nanovirt-pki: what a newcomer does, and what goes wrong."""

import os
import stat
import subprocess

import pytest

from pki import SCRIPT, Pki

pytestmark = pytest.mark.nanovirtd_only(reason="a script of nanovirt's")


@pytest.fixture
def pki(tmp_path):
    return Pki(str(tmp_path))


def refused(pki, *arguments):
    completed = subprocess.run(["sh", SCRIPT, "--root", pki.root, *arguments], capture_output=True,
                               text=True)
    assert completed.returncode != 0
    return completed.stderr


def info(certificate):
    return subprocess.run(["certtool", "--certificate-info", "--infile", certificate],
                          capture_output=True, text=True, check=True).stdout


def test_everything_lies_where_libvirt_looks_and_keys_are_kept_from_others(pki):
    pki.make("host.example.org", "192.0.2.7", "2001:db8::7")
    for key in ("CA/private/cakey.pem", "libvirt/private/serverkey.pem",
                "libvirt/clients/ann/clientkey.pem"):
        assert stat.S_IMODE(os.stat(pki.path(key)).st_mode) & 0o077 == 0
    for public in ("CA/cacert.pem", "libvirt/servercert.pem"):
        assert stat.S_IMODE(os.stat(pki.path(public)).st_mode) == 0o644
    assert sorted(os.listdir(pki.client("ann"))) == ["cacert.pem", "clientcert.pem", "clientkey.pem"]


def test_a_server_has_all_its_names_and_addresses(pki):
    pki.make("host.example.org", "host", "192.0.2.7", "2001:db8::7", "4.example")
    shown = info(pki.path("libvirt/servercert.pem"))
    for part in ("DNSname: host.example.org", "DNSname: host", "IPAddress: 192.0.2.7",
                 "IPAddress: 2001:db8::7", "DNSname: 4.example", "CN=host.example.org"):
        assert part + "\n" in shown


def test_what_is_there_is_not_overwritten(pki):
    pki.make("host")
    assert "there is an authority already" in refused(pki, "ca")
    assert "ann has a certificate already" in refused(pki, "client", "ann")


def test_names_can_not_reach_elsewhere(pki):
    pki.make("host")
    for name in ("../x", "a/b", "", ".", 'a"b', "a b", "a\nb"):
        assert "is no name" in refused(pki, "client", name)
    assert "is no name" in refused(pki, "server", "host", 'x"\nca')


def test_nothing_is_signed_without_an_authority(pki):
    for command in (("server", "host"), ("client", "ann"), ("revoke", "ann")):
        assert "there is no authority" in refused(pki, *command)


def test_a_revoked_client_is_listed_no_more_and_its_name_is_free(pki):
    pki.make("host", clients=("ann", "bob"))
    pki.revoke("ann")
    listed = subprocess.run(["sh", SCRIPT, "--root", pki.root, "list"], capture_output=True,
                            text=True, check=True).stdout
    assert "CN=bob" in listed and "CN=host" in listed and "CN=ann" not in listed
    assert "nobody of that name" in refused(pki, "revoke", "ann")
    pki.add_client("ann")
    pki.revoke("ann")
    crl = subprocess.run(["certtool", "--crl-info", "--infile", pki.path("CA/cacrl.pem")],
                         capture_output=True, text=True, check=True).stdout
    assert "Revoked certificates (2)" in crl


def test_the_command_line_is_explained(pki):
    for arguments in ((), ("nonsense",), ("client",), ("server",), ("--root",)):
        assert "usage: nanovirt-pki" in refused(pki, *arguments)
