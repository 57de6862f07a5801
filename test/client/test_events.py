"""Events: what is told, to whom, in which order."""

import os

import libvirt
import libvirt_qemu
import pytest

import peer as peers
from guest import domain_xml, remove_all
from listener import Listener, Loop

TEST_XML = "<domain type='test'><name>%s</name>%s<memory>65536</memory>" \
    "<os><type>hvm</type></os></domain>"


@pytest.fixture(scope="module", autouse=True)
def loop():
    Loop.start()


@pytest.fixture(params=["callback", "old"])
def any_listener(peer, request):
    """A listener of each kind of registration."""
    opened = Listener(peer.uri(), old=request.param == "old")
    yield opened
    opened.close()


@pytest.fixture
def listener(peer):
    opened = Listener(peer.uri())
    yield opened
    opened.close()


@pytest.fixture
def test_listener(peer):
    opened = Listener(peer.uri("test"))
    yield opened
    opened.close()


@pytest.fixture
def clean(connection):
    """Takes every domain away after the test."""
    yield connection
    remove_all(connection)


def small(name, **parts):
    return domain_xml(name, memory=64, agent=False, **parts)


def test_a_whole_life_is_told_in_order_to_both_kinds_of_listeners(any_listener, clean):
    domain = clean.defineXML(small("whole"))
    domain.create()
    domain.suspend()
    domain.resume()
    domain.destroy()
    domain.undefine()
    any_listener.heard("whole", "DEFINED ADDED", "RESUMED UNPAUSED", "STARTED BOOTED",
                       "SUSPENDED PAUSED", "RESUMED UNPAUSED", "STOPPED DESTROYED",
                       "UNDEFINED REMOVED")


def test_a_second_definition_is_an_update(listener, clean):
    text = small("twice", uuid="44444444-0000-4000-8000-000000000001")
    clean.defineXML(text)
    clean.defineXML(text)
    listener.heard("twice", "DEFINED ADDED", "DEFINED UPDATED")


def test_a_paused_start_is_told_as_suspended(listener, clean):
    clean.defineXML(small("quiet")).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    listener.heard("quiet", "DEFINED ADDED", "STARTED BOOTED", "SUSPENDED PAUSED")


def test_a_rename_is_told_under_both_names(listener, clean):
    clean.defineXML(small("before")).rename("after")
    listener.heard("before", "DEFINED ADDED", "UNDEFINED RENAMED")
    listener.heard("after", "DEFINED RENAMED")


def test_the_death_of_a_qemu_is_told_as_failed(peer, listener, clean):
    clean.defineXML(small("victim")).create()
    os.kill(peer.guest_pids()[-1], 9)
    peers.wait_until(lambda: listener.of("victim")[-1:] == ["STOPPED FAILED"], "the last event")


def test_events_of_the_monitor_are_told_by_name_and_guest(peer, clean):
    nocase = 2  # VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE, which the binding lacks
    told = []

    def tell(connection, domain, event, seconds, micros, details, key):
        told.append((key, domain.name(), event))

    domain, other = (clean.createXML(small(name)) for name in ("told", "untold"))
    connection = libvirt.open(peer.uri())
    callbacks = [libvirt_qemu.qemuMonitorEventRegister(connection, connection.lookupByName(guest),
                                                       name, tell, key, flags)
                 for key, guest, name, flags in (("exact", "told", "STOP", 0), ("small", "told", "stop", 0),
                                                 ("any case", "told", "sToP", nocase),
                                                 ("another", "told", "RESUME", nocase))]
    callbacks.append(libvirt_qemu.qemuMonitorEventRegister(connection, None, None, tell, "all", 0))
    other.suspend()
    domain.suspend()
    peers.wait_until(lambda: ("all", "told", "STOP") in told, "the event")
    assert sorted(one for one in told if one[2] == "STOP") == [
        ("all", "told", "STOP"), ("all", "untold", "STOP"), ("any case", "told", "STOP"),
        ("exact", "told", "STOP")]
    for callback in callbacks:
        libvirt_qemu.qemuMonitorEventDeregister(connection, callback)
    connection.close()


def test_a_quit_by_the_monitor_is_told_as_a_shutdown_of_the_host(listener, clean):
    domain = clean.defineXML(small("quitter"))
    domain.create()
    try:
        libvirt_qemu.qemuMonitorCommand(domain, '{"execute":"quit"}', 0)
    except libvirt.libvirtError:
        pass
    listener.heard("quitter", "DEFINED ADDED", "RESUMED UNPAUSED", "STARTED BOOTED",
                   "SHUTDOWN HOST", "STOPPED SHUTDOWN")


def test_a_transient_domain_ends_without_undefined(listener, clean):
    clean.createXML(small("brief")).destroy()
    listener.heard("brief", "RESUMED UNPAUSED", "STARTED BOOTED", "STOPPED DESTROYED")


def test_a_start_that_fails_is_told_by_nothing_but_stopped(listener, clean):
    domain = clean.defineXML(small("fails", devices="<disk type='file'>"
                                   "<source file='/nonexistent'/><target dev='vda'/></disk>"))
    with pytest.raises(libvirt.libvirtError):
        domain.create()
    domain.undefine()
    listener.heard("fails", "DEFINED ADDED", "UNDEFINED REMOVED")


def test_a_reset_is_told_as_a_reboot(listener, clean):
    reboots = []
    callback = listener.connection.domainEventRegisterAny(
        None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, lambda c, d, o: reboots.append(d.name()), None)
    domain = clean.defineXML(small("kicked"))
    domain.create()
    domain.reset()
    peers.wait_until(lambda: "kicked" in reboots, "the reboot event")
    listener.connection.domainEventDeregisterAny(callback)


def test_a_listener_of_one_domain_hears_of_no_other(peer, clean):
    clean.defineXML(small("one"))
    clean.defineXML(small("other"))
    only = Listener(peer.uri(), domain="one")
    everything = Listener(peer.uri())
    for name in ("other", "one"):
        clean.lookupByName(name).create()
    everything.heard("one", "RESUMED UNPAUSED", "STARTED BOOTED")
    only.heard("one", "RESUMED UNPAUSED", "STARTED BOOTED")
    assert only.of("other") == []
    only.close()
    everything.close()


def test_a_listener_that_has_left_hears_nothing(peer, listener, clean):
    leaver = Listener(peer.uri())
    callback = leaver.callback
    leaver.connection.domainEventDeregisterAny(callback)
    clean.defineXML(small("unheard"))
    listener.heard("unheard", "DEFINED ADDED")
    assert leaver.events == []
    with pytest.raises(libvirt.libvirtError):
        leaver.connection.domainEventDeregisterAny(callback)
    leaver.connection.close()


def test_two_listeners_are_told_each(peer, listener, clean):
    second = Listener(peer.uri())
    clean.defineXML(small("both"))
    listener.heard("both", "DEFINED ADDED")
    second.heard("both", "DEFINED ADDED")
    second.close()


@pytest.mark.parametrize("event", [
    libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, libvirt.VIR_DOMAIN_EVENT_ID_RTC_CHANGE,
    libvirt.VIR_DOMAIN_EVENT_ID_WATCHDOG, libvirt.VIR_DOMAIN_EVENT_ID_IO_ERROR,
    libvirt.VIR_DOMAIN_EVENT_ID_GRAPHICS, libvirt.VIR_DOMAIN_EVENT_ID_CONTROL_ERROR,
    libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE])
def test_every_event_of_domains_can_be_registered_for(connection, event):
    callback = connection.domainEventRegisterAny(None, event, lambda *told: None, None)
    connection.domainEventDeregisterAny(callback)


def test_a_change_of_metadata_is_told(listener, clean):
    told = []
    callback = listener.connection.domainEventRegisterAny(
        None, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
        lambda c, d, kind, uri, o: told.append((d.name(), kind, uri)), None)
    domain = clean.defineXML(small("noted"))
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "t", None, None)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<x/>", "k", "urn:x")
    peers.wait_until(lambda: len(told) == 2, "two events")
    assert told == [("noted", libvirt.VIR_DOMAIN_METADATA_TITLE, None),
                    ("noted", libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:x")]
    listener.connection.domainEventDeregisterAny(callback)


def test_the_events_carry_the_id_of_the_domain(listener, clean):
    number = clean.createXML(small("numbered")).ID()
    peers.wait_until(lambda: (libvirt.VIR_DOMAIN_EVENT_STARTED, number) in listener.numbers,
                     "the start with its id")


def test_virsh_event_prints_what_happens(peer, clean):
    import subprocess
    from conftest import ENVIRONMENT
    watcher = subprocess.Popen(["virsh", "-c", peer.uri(), "event", "--event", "lifecycle",
                                "--timeout", "60"], stdout=subprocess.PIPE, text=True,
                               env=dict(ENVIRONMENT))
    text = small("seen", uuid="44444444-0000-4000-8000-000000000002")
    peers.wait_until(lambda: clean.defineXML(text) and has_output(watcher),
                     "a line of virsh event")
    assert "event 'lifecycle' for domain 'seen': Defined" in watcher.stdout.readline()
    watcher.wait()


def has_output(process):
    import select
    return bool(select.select([process.stdout], [], [], 0.2)[0])


def test_the_test_driver_tells_a_whole_life_in_order(test_listener, test_connection):
    domain = test_connection.defineXML(TEST_XML % ("t", ""))
    domain.create()
    domain.suspend()
    domain.resume()
    domain.shutdown()
    domain.create()
    domain.destroy()
    domain.undefine()
    test_listener.heard("t", "DEFINED ADDED", "STARTED BOOTED", "SUSPENDED PAUSED",
                        "RESUMED UNPAUSED", "STOPPED SHUTDOWN", "STARTED BOOTED",
                        "STOPPED DESTROYED", "UNDEFINED REMOVED")


def test_events_of_the_test_driver_are_not_told_to_qemu_connections(listener, test_listener,
                                                                    test_connection):
    test_connection.defineXML(TEST_XML % ("apart", "")).undefine()
    test_listener.heard("apart", "DEFINED ADDED", "UNDEFINED REMOVED")
    assert listener.of("apart") == []
