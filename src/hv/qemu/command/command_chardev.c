// Character devices: -chardev for the host's end of serial and parallel ports, consoles, channels.
#include "hv/qemu/command/command_parts.h"

// The open argument while a chardev is written; paths are told after it is closed.
struct chardev {
    const struct xml_node *device, *source;
    struct slice alias;
    struct slice path; // that QEMU will open
    enum qemu_path_use use;
};

static const struct xml_node *source_in_mode(const struct xml_node *device, const char *mode)
{
    XML_EACH (source, device, "source")
        if (xml_attr_is(source, "mode", mode))
            return source;
    return NULL;
}

static void put_start(struct builder *b, const struct chardev *chardev, const char *backend)
{
    buffer_printf(&b->text, "%s,id=char%.*s", backend, SLICE_ARG(chardev->alias));
}

static void put_path(struct builder *b, struct chardev *chardev, enum qemu_path_use use)
{
    chardev->path = xml_attr(chardev->source, "path");
    chardev->use = use;
    if (!slice_present(chardev->path))
        internal_error(b, "character device '%.*s' has no path", SLICE_ARG(chardev->alias));
    put_option(b, "path", chardev->path);
}

static void put_file(struct builder *b, struct chardev *chardev)
{
    put_start(b, chardev, "file");
    put_path(b, chardev, QEMU_PATH_CREATE);
    put_option(b, "append", xml_attr(chardev->source, "append"));
}

static void put_pipe(struct builder *b, struct chardev *chardev)
{
    put_start(b, chardev, "pipe");
    put_path(b, chardev, QEMU_PATH_SHARED);
}

static void put_host_device(struct builder *b, struct chardev *chardev)
{
    bool parallel = slice_starts(chardev->alias, "parallel");
    put_start(b, chardev, parallel ? "parallel" : "serial");
    put_path(b, chardev, QEMU_PATH_SHARED);
}

static void put_pty(struct builder *b, struct chardev *chardev)
{
    put_start(b, chardev, "pty");
}

static void put_null(struct builder *b, struct chardev *chardev)
{
    put_start(b, chardev, "null");
}

static void put_vc(struct builder *b, struct chardev *chardev)
{
    put_start(b, chardev, "vc");
}

static void put_stdio(struct builder *b, struct chardev *chardev)
{
    put_start(b, chardev, "stdio");
}

static void put_server(struct builder *b, const struct chardev *chardev)
{
    const struct xml_node *reconnect = xml_child(chardev->source, "reconnect");
    if (xml_attr_is(chardev->source, "mode", "bind"))
        buffer_puts(&b->text, ",server=on,wait=off");
    if (is_on(xml_attr(reconnect, "enabled")))
        put_option(b, "reconnect", xml_attr(reconnect, "timeout"));
    else if (reconnect)
        buffer_puts(&b->text, ",reconnect=0");
}

// The emulator's user may not be allowed to make sockets where this one shall be.
static void put_listener(struct builder *b, const struct chardev *chardev)
{
    char path[108]; // what a socket's address holds (unix(7))
    if (builder_failed(b))
        return;
    if (!slice_copy(path, sizeof(path), xml_attr(chardev->source, "path")) || !*path)
        internal_error(b, "UNIX socket path '%.*s' too long",
                       SLICE_ARG(xml_attr(chardev->source, "path")));
    else
        buffer_printf(&b->text, ",fd=%d", b->context->listen(b->context->data, path, b->err));
}

static void put_unix(struct builder *b, struct chardev *chardev)
{
    bool binds = xml_attr_is(chardev->source, "mode", "bind");
    put_start(b, chardev, "socket");
    if (binds && b->context->listen)
        put_listener(b, chardev);
    else
        put_path(b, chardev, binds ? QEMU_PATH_SOCKET : QEMU_PATH_SHARED);
    put_server(b, chardev);
}

static void put_tcp(struct builder *b, struct chardev *chardev)
{
    struct slice protocol = xml_attr_at(chardev->device, "protocol", "type");
    put_start(b, chardev, "socket");
    put_option(b, "host", xml_attr(chardev->source, "host"));
    put_option(b, "port", xml_attr(chardev->source, "service"));
    if (slice_is(protocol, "telnet"))
        buffer_puts(&b->text, ",telnet=on");
    else if (slice_present(protocol) && !slice_is(protocol, "raw"))
        unsupported(b, "protocol '%.*s' of character devices is not supported",
                    SLICE_ARG(protocol));
    if (is_on(xml_attr(chardev->source, "tls")))
        unsupported(b, "TLS of character devices is not supported");
    put_server(b, chardev);
}

static void put_udp(struct builder *b, struct chardev *chardev)
{
    const struct xml_node *bind = source_in_mode(chardev->device, "bind");
    const struct xml_node *connect = source_in_mode(chardev->device, "connect");
    struct slice host = xml_attr(connect, "host"), local = xml_attr(bind, "host");
    struct slice port = xml_attr(bind, "service");
    put_start(b, chardev, "udp");
    put_option(b, "host", slice_present(host) ? host : SLICE(""));
    put_option(b, "port", xml_attr(connect, "service"));
    put_option(b, "localaddr", slice_present(local) ? local : SLICE(""));
    put_option(b, "localport", slice_present(port) ? port : SLICE("0"));
}

static void check_spice(struct builder *b)
{
    if (!builder_has(b, "-spice"))
        unsupported(b, "spice not supported in this QEMU binary");
}

static void put_spicevmc(struct builder *b, struct chardev *chardev)
{
    struct slice name = xml_attr_at(chardev->device, "target", "name");
    check_spice(b);
    if (xml_named(chardev->device, "redirdev")) {
        put_start(b, chardev, "spicevmc");
        buffer_puts(&b->text, ",name=usbredir");
        return;
    }
    if (slice_present(name) && !slice_is(name, "com.redhat.spice.0"))
        unsupported(b, "Unsupported spicevmc target name '%.*s'", SLICE_ARG(name));
    put_start(b, chardev, "spicevmc");
    buffer_puts(&b->text, ",name=vdagent");
}

static void put_spiceport(struct builder *b, struct chardev *chardev)
{
    check_spice(b);
    put_start(b, chardev, "spiceport");
    put_option(b, "name", xml_attr(chardev->source, "channel"));
}

static void put_vdagent(struct builder *b, struct chardev *chardev)
{
    struct slice mouse = xml_attr_at(chardev->source, "mouse", "mode");
    struct slice clipboard = xml_attr_at(chardev->source, "clipboard", "copypaste");
    put_start(b, chardev, "qemu-vdagent");
    buffer_puts(&b->text, ",name=vdagent");
    if (slice_present(clipboard))
        buffer_printf(&b->text, ",clipboard=%s", is_on(clipboard) ? "on" : "off");
    if (slice_present(mouse))
        buffer_printf(&b->text, ",mouse=%s", slice_is(mouse, "client") ? "on" : "off");
}

static const struct {
    const char *type;
    void (*put)(struct builder *b, struct chardev *chardev);
} backends[] = {
    {"pty", put_pty},
    {"unix", put_unix},
    {"tcp", put_tcp},
    {"udp", put_udp},
    {"file", put_file},
    {"null", put_null},
    {"dev", put_host_device},
    {"pipe", put_pipe},
    {"vc", put_vc},
    {"stdio", put_stdio},
    {"spicevmc", put_spicevmc},
    {"spiceport", put_spiceport},
    {"qemu-vdagent", put_vdagent},
};

static void put_backend(struct builder *b, struct chardev *chardev)
{
    struct slice type = xml_attr(chardev->device, "type");
    if (!slice_present(type))
        type = xml_attr(chardev->device, "model"); // of <backend model='egd' type='...'>
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
        if (slice_is(type, backends[i].type)) {
            backends[i].put(b, chardev);
            return;
        }
    }
    unsupported(b, "unsupported character device type '%.*s'", SLICE_ARG(type));
}

void build_chardev(struct builder *b, const struct xml_node *device, struct slice alias)
{
    const struct xml_node *log = xml_child(device, "log");
    struct chardev chardev = {device, xml_child(device, "source"), alias, SLICE_NONE,
                              QEMU_PATH_READ};
    arg(b, "-chardev");
    arg_open(b);
    put_backend(b, &chardev);
    put_option(b, "logfile", xml_attr(log, "file"));
    put_option(b, "logappend", xml_attr(log, "append"));
    arg_close(b);
    if (slice_present(chardev.path))
        path_add(b, chardev.path, chardev.use, false);
    if (log)
        path_add(b, xml_attr(log, "file"), QEMU_PATH_CREATE, false);
}

static void put_chardev(struct builder *b, const struct xml_node *device)
{
    json_putf(&b->json, "chardev", "char%.*s", SLICE_ARG(device_alias(device)));
}

static bool has_spice(const struct builder *b)
{
    XML_EACH (graphics, b->devices, "graphics")
        if (xml_attr_is(graphics, "type", "spice"))
            return true;
    return false;
}

static void build_serial(struct builder *b, const struct xml_node *serial)
{
    static const char *const models[] = {"isa-serial", "usb-serial", "pci-serial", "isa-debugcon"};
    const struct xml_node *target = xml_child(serial, "target");
    struct slice model = xml_attr_at(target, "model", "name");
    if (!slice_present(model))
        model = xml_attr(target, "type");
    if (xml_attr_is(serial, "type", "spiceport") && !has_spice(b))
        return; // nobody could connect to it
    build_chardev(b, serial, device_alias(serial));
    if (!slice_present(model) || slice_is(model, "pl011") || slice_is(model, "16550a") ||
        slice_is(model, "system-serial")) {
        arg(b, "-serial"); // the machine's own port
        argf(b, "chardev:char%.*s", SLICE_ARG(device_alias(serial)));
        return;
    }
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (!slice_is(model, models[i]))
            continue;
        device_open(b, models[i]);
        put_chardev(b, serial);
        put_alias(b, serial);
        if (slice_is(model, "isa-serial"))
            put_number(b, "index", xml_attr(target, "port"));
        put_address(b, serial);
        json_arg_close(b);
        return;
    }
    unsupported(b, "'%.*s' is not supported in this QEMU binary", SLICE_ARG(model));
}

void build_serials(struct builder *b)
{
    XML_EACH (serial, b->devices, "serial")
        build_serial(b, serial);
}

void build_parallels(struct builder *b)
{
    XML_EACH (parallel, b->devices, "parallel") {
        build_chardev(b, parallel, device_alias(parallel));
        device_open(b, "isa-parallel");
        put_chardev(b, parallel);
        put_alias(b, parallel);
        json_arg_close(b);
    }
}

static void build_guest_forward(struct builder *b, const struct xml_node *channel)
{
    const struct xml_node *target = xml_child(channel, "target");
    struct slice alias = device_alias(channel);
    arg(b, "-netdev");
    argf(b, "user,guestfwd=tcp:%.*s:%.*s-chardev:char%.*s,id=%.*s",
         SLICE_ARG(xml_attr(target, "address")), SLICE_ARG(xml_attr(target, "port")),
         SLICE_ARG(alias), SLICE_ARG(alias));
}

static void build_virtio_port(struct builder *b, const struct xml_node *device, const char *driver)
{
    struct slice name = xml_attr_at(device, "target", "name");
    device_open(b, driver);
    put_address(b, device);
    put_chardev(b, device);
    put_alias(b, device);
    if (xml_attr_is(device, "type", "spicevmc") && !slice_present(name))
        name = SLICE("com.redhat.spice.0");
    put_text(b, "name", name);
    json_arg_close(b);
}

void build_channels(struct builder *b)
{
    XML_EACH (channel, b->devices, "channel") {
        struct slice type = xml_attr_at(channel, "target", "type");
        build_chardev(b, channel, device_alias(channel));
        if (slice_is(type, "guestfwd"))
            build_guest_forward(b, channel);
        else if (slice_is(type, "virtio"))
            build_virtio_port(b, channel, "virtserialport");
        else
            unsupported(b, "unsupported channel target type '%.*s'", SLICE_ARG(type));
    }
}

void build_consoles(struct builder *b)
{
    XML_EACH (console, b->devices, "console") {
        struct slice type = xml_attr_at(console, "target", "type");
        if (slice_is(type, "serial"))
            continue; // another name of the first serial port
        if (!slice_is(type, "virtio")) {
            unsupported(b, "unsupported console target type %.*s", SLICE_ARG(type));
            continue;
        }
        build_chardev(b, console, device_alias(console));
        build_virtio_port(b, console, "virtconsole");
    }
}

void build_redirdevs(struct builder *b)
{
    if (xml_child(b->devices, "redirdev") && !builder_has(b, "usb-redir"))
        unsupported(b, "USB redirection is not supported by this version of QEMU");
    XML_EACH (redirdev, b->devices, "redirdev") {
        build_chardev(b, redirdev, device_alias(redirdev));
        device_open(b, "usb-redir");
        put_chardev(b, redirdev);
        put_alias(b, redirdev);
        put_boot_index(b, redirdev);
        put_address(b, redirdev);
        json_arg_close(b);
    }
}
