"""A thread that runs libvirt's event loop, and a record of what it was told."""

import atexit
import threading

import libvirt

import peer as peers

KINDS = ["DEFINED", "UNDEFINED", "STARTED", "SUSPENDED", "RESUMED", "STOPPED", "SHUTDOWN",
         "PMSUSPENDED", "CRASHED"]


def details_of(kind):
    """number -> name of the details of a lifecycle event, as the binding spells them."""
    prefix = "VIR_DOMAIN_EVENT_%s_" % kind
    return {getattr(libvirt, name): name[len(prefix):] for name in dir(libvirt)
            if name.startswith(prefix)}


def spell(event, detail):
    kind = KINDS[event]
    return "%s %s" % (kind, details_of(kind).get(detail, str(detail)))


class Loop:
    """The default event loop, turning until the interpreter begins to end: a callback that comes after
    that would find the interpreter gone, and end the process by a signal."""

    thread = None
    ending = False

    @classmethod
    def start(cls):
        if cls.thread is None:
            libvirt.virEventRegisterDefaultImpl()
            libvirt.virEventAddTimeout(200, lambda *ignored: None, None)
            cls.thread = threading.Thread(target=cls.turn, daemon=True)
            cls.thread.start()
            atexit.register(cls.end)

    @classmethod
    def turn(cls):
        while not cls.ending:
            libvirt.virEventRunDefaultImpl()

    @classmethod
    def end(cls):
        cls.ending = True
        cls.thread.join()


class Listener:
    """Lifecycle events of one connection, spelled "STARTED BOOTED", in order."""

    def __init__(self, uri, old=False, domain=None):
        Loop.start()
        libvirt.registerErrorHandler(lambda context, error: None, None)
        self.connection = libvirt.open(uri)
        self.events = []
        self.numbers = []
        self.old = old
        if old:
            self.connection.domainEventRegister(self.told, None)
        else:
            self.callback = self.connection.domainEventRegisterAny(
                self.connection.lookupByName(domain) if domain else None,
                libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.told, None)

    def told(self, connection, domain, event, detail, opaque):
        self.events.append((domain.name(), spell(event, detail)))
        self.numbers.append((event, domain.ID()))

    def of(self, name):
        """What was told of one domain. QEMU's own SHUTDOWN may or may not come before a destroyed
        domain's STOPPED: libvirtd tells whichever it hears first, so it is left out there."""
        told = [text for who, text in self.events if who == name]
        return [text for text, after in zip(told, told[1:] + [""])
                if (text, after) != ("SHUTDOWN HOST", "STOPPED DESTROYED")]

    def heard(self, name, *expected):
        """Waits until these events of the domain, and no others, have come in this order."""
        try:
            peers.wait_until(lambda: self.of(name) == list(expected), "the events")
        except AssertionError:
            pass
        told = self.of(name)
        assert told == list(expected), "told: %s" % told

    def forget(self):
        self.events.clear()

    def close(self):
        if self.old:
            self.connection.domainEventDeregister(self.told)
        else:
            self.connection.domainEventDeregisterAny(self.callback)
        self.connection.close()
