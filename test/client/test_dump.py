"""The memory of a running QEMU domain written to a file."""

import os
import threading

import libvirt
import pytest

from guest import domain_xml
from peer import wait_until

RUNNING, PAUSED, SHUTOFF = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED,
                            libvirt.VIR_DOMAIN_SHUTOFF)


@pytest.fixture
def domain(connection):
    made = connection.defineXML(domain_xml("dumped", memory=64))
    made.create()
    yield made
    if made.isActive():
        made.destroy()
    made.undefine()


@pytest.fixture
def path(peer):
    path = peer.path("images", "core")
    yield path
    if os.path.exists(path):
        os.unlink(path)


def head(path):
    with open(path, "rb") as file:
        return file.read(8)


def test_a_dump_of_memory_only_is_an_elf_file_and_the_guest_goes_on(domain, path):
    domain.coreDump(path, libvirt.VIR_DUMP_MEMORY_ONLY)
    assert head(path)[:4] == b"\x7fELF"
    assert os.path.getsize(path) > 64 * 1024 * 1024
    assert domain.state() == [RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]


def test_a_dump_can_be_compressed_for_kdump(domain, path):
    domain.coreDumpWithFormat(path, libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB,
                              libvirt.VIR_DUMP_MEMORY_ONLY)
    assert head(path) in (b"KDUMP   ", b"makedump")


def test_a_plain_dump_is_a_stream_of_migration_and_the_guest_goes_on(domain, path):
    domain.coreDump(path)
    assert head(path)[:4] == b"QEVM"
    assert domain.state()[0] == RUNNING


def test_a_paused_guest_stays_paused(domain, path):
    domain.suspend()
    domain.coreDump(path, libvirt.VIR_DUMP_MEMORY_ONLY)
    assert domain.state() == [PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]


def test_a_dump_that_crashes_ends_the_guest(domain, path):
    domain.coreDump(path, libvirt.VIR_DUMP_CRASH | libvirt.VIR_DUMP_MEMORY_ONLY)
    assert domain.state() == [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]
    assert head(path)[:4] == b"\x7fELF"


@pytest.mark.parametrize("flags", [libvirt.VIR_DUMP_LIVE, libvirt.VIR_DUMP_RESET])
def test_a_guest_runs_after_a_live_dump_and_one_that_resets(domain, path, flags):
    domain.coreDump(path, flags)
    assert domain.state()[0] == RUNNING and head(path)[:4] == b"QEVM"


def test_a_file_that_can_not_be_made_leaves_the_guest_running(domain):
    with pytest.raises(libvirt.libvirtError, match="Failed to create file '/nowhere/core'"):
        domain.coreDump("/nowhere/core")
    assert domain.state()[0] == RUNNING


def test_a_format_without_memory_only_is_refused(domain, path):
    with pytest.raises(libvirt.libvirtError, match="only supported with memory-only dump") as error:
        domain.coreDumpWithFormat(path, libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB)
    assert error.value.get_error_code() == libvirt.VIR_ERR_OPERATION_UNSUPPORTED
    assert domain.state()[0] == RUNNING


def test_a_domain_that_does_not_run_has_nothing_to_dump(domain, path):
    domain.destroy()
    with pytest.raises(libvirt.libvirtError, match="domain is not running"):
        domain.coreDump(path)


def test_a_dump_is_a_job_that_can_be_asked_about_and_aborted(peer, connection, domain, path):
    """Into a pipe that nobody reads until the end, so that it takes as long as it takes."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    other = libvirt.open(peer.uri())
    failures = []

    def dump():
        try:
            other.lookupByName("dumped").coreDump(path)
        except libvirt.libvirtError as error:
            failures.append(error)
    thread = threading.Thread(target=dump)
    thread.start()
    try:
        wait_until(lambda: domain.jobInfo()[0] == libvirt.VIR_DOMAIN_JOB_UNBOUNDED, "the job")
        domain.abortJob()
        os.set_blocking(reader, True)
        while os.read(reader, 1 << 20):
            pass
    finally:
        os.close(reader)
        thread.join(60)
        other.close()
    assert failures[0].get_error_code() == libvirt.VIR_ERR_OPERATION_ABORTED
    assert domain.jobInfo()[0] == libvirt.VIR_DOMAIN_JOB_NONE
    assert domain.state()[0] == RUNNING
