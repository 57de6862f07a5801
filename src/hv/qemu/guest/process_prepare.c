// What a guest needs on this host before its emulator can start: graphics ports, files, variable
// stores.
#include "hv/qemu/guest/process_prepare.h"

#include "hv/qemu/driver.h"
#include "hv/qemu/guest/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// ---- ports

static bool is_ours(uint32_t port)
{
    for (const struct guest *guest = guest_next(NULL); guest; guest = guest_next(guest))
        for (size_t i = 0; i < GUEST_PORTS; i++)
            if (guest->ports[i] == port)
                return true;
    return false;
}

static bool keep_port(struct guest *guest, uint32_t port)
{
    for (size_t i = 0; i < GUEST_PORTS; i++) {
        if (guest->ports[i] == 0) {
            guest->ports[i] = (uint16_t)port;
            return true;
        }
    }
    return false;
}

struct port_range {
    const char *name;
    uint32_t first, last;
};

// libvirt (virPortAllocatorAcquire): the first that neither a guest of ours nor anybody else has.
static uint32_t take_port(struct guest *guest, const struct port_range *range, struct error *err)
{
    for (uint32_t port = range->first; port <= range->last && port < 65536; port++)
        if (!is_ours(port) && port_tcp_is_free((uint16_t)port) && keep_port(guest, port))
            return port;
    error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "Unable to find an unused port in range '%s' (%u-%u)", range->name, range->first,
              range->last);
    return 0;
}

// ---- graphics

static bool listens_on_network(const struct xml_node *graphics)
{
    const struct xml_node *listen = xml_child(graphics, "listen");
    return xml_attr_is(listen, "type", "address") || xml_attr_is(listen, "type", "network");
}

static bool prepare_port(struct guest *guest, struct xml_doc *doc, struct xml_node *graphics,
                         const char *attribute, bool wanted, const struct port_range *range,
                         struct error *err)
{
    uint32_t port;
    if (!wanted && slice_u32(xml_attr(graphics, attribute), 10, &port)) {
        keep_port(guest, port);
        return true;
    }
    if (!wanted)
        return true;
    port = take_port(guest, range, err);
    if (port)
        xml_setf(doc, graphics, attribute, "%u", port);
    return port != 0;
}

static bool prepare_vnc(struct guest *guest, struct xml_doc *doc, struct xml_node *graphics,
                        struct error *err)
{
    const struct qemu_settings *s = &qemu_driver.settings;
    const struct port_range display = {"display", s->remote_display_port_min,
                                       s->remote_display_port_max};
    const struct port_range web = {"webSocket", s->remote_websocket_port_min,
                                   s->remote_websocket_port_max};
    bool choose = xml_attr_is(graphics, "autoport", "yes") || xml_attr_is(graphics, "port", "-1");
    bool choose_web = xml_attr_is(graphics, "websocket", "-1");
    return prepare_port(guest, doc, graphics, "port", choose, &display, err) &&
           prepare_port(guest, doc, graphics, "websocket", choose_web, &web, err);
}

static bool prepare_spice(struct guest *guest, struct xml_doc *doc, struct xml_node *graphics,
                          struct error *err)
{
    const struct qemu_settings *s = &qemu_driver.settings;
    const struct port_range display = {"display", s->remote_display_port_min,
                                       s->remote_display_port_max};
    bool choose = xml_attr_is(graphics, "autoport", "yes") || xml_attr_is(graphics, "port", "-1");
    return prepare_port(guest, doc, graphics, "port", choose, &display, err) &&
           prepare_port(guest, doc, graphics, "tlsPort", false, &display, err);
}

bool process_prepare_graphics(struct guest *guest, struct xml_doc *doc, struct error *err)
{
    XML_EACH (graphics, xml_child(doc->root, "devices"), "graphics") {
        if (!listens_on_network(graphics))
            continue;
        if (xml_attr_is(graphics, "type", "vnc") && !prepare_vnc(guest, doc, graphics, err))
            return false;
        if (xml_attr_is(graphics, "type", "spice") && !prepare_spice(guest, doc, graphics, err))
            return false;
    }
    return true;
}

// ---- variable stores

// Firmware images whose templates are known without a descriptor (libvirt: the built-in `nvram`
// list of qemu.conf).
static const struct {
    const char *loader, *template;
} known_firmware[] = {
    {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {"/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {"/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"},
    {"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},
    {"/usr/share/AAVMF/AAVMF32_CODE.fd", "/usr/share/AAVMF/AAVMF32_VARS.fd"},
};

static struct slice template_of(const struct xml_node *nvram, struct slice loader)
{
    struct slice said = xml_attr(nvram, "template");
    for (size_t i = 0; !slice_present(said) && i < sizeof(known_firmware) / sizeof(*known_firmware);
         i++)
        if (slice_is(loader, known_firmware[i].loader))
            said = slice_of(known_firmware[i].template);
    return said;
}

bool process_needs_nvram(const struct xml_node *tree, bool reset, struct process_nvram *nvram,
                         struct error *err)
{
    const struct xml_node *node = xml_find(tree, "os/nvram");
    struct port_stat stat;
    struct slice path = xml_text(node), loader = xml_text_at(tree, "os/loader");
    if (!node || !slice_present(loader))
        return false;
    if (!slice_present(path))
        path = xml_attr(xml_child(node, "source"), "file");
    if (!slice_copy(nvram->path, sizeof(nvram->path), path) || !nvram->path[0])
        return false;
    if (!reset && port_stat(nvram->path, &stat) == 0)
        return false;
    if (slice_copy(nvram->template, sizeof(nvram->template), template_of(node, loader)) &&
        nvram->template[0])
        return true;
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                     "unable to find any master var store for loader: %.*s", SLICE_ARG(loader));
}

static int copy_all(int from, int to)
{
    char bytes[16384];
    uint64_t offset = 0;
    ptrdiff_t got;
    while ((got = port_pread(from, bytes, sizeof(bytes), offset)) > 0) {
        ptrdiff_t written = port_pwrite(to, bytes, (size_t)got, offset);
        if (written != got)
            return written < 0 ? (int)written : -ENOSPC;
        offset += (uint64_t)got;
    }
    return got < 0 ? (int)got : port_sync(to);
}

int process_make_nvram(void *argument, int out)
{
    const struct process_nvram *nvram = argument;
    char temporary[PORT_PATH_MAX];
    (void)out;
    snprintf(temporary, sizeof(temporary), "%s.new", nvram->path);
    int from = port_open(nvram->template, PORT_OPEN_READ, 0);
    if (from < 0)
        return -from;
    int to = port_open(temporary, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0600);
    int result = to < 0 ? to : copy_all(from, to);
    port_close(from);
    port_close(to);
    if (result == 0)
        result = port_rename(temporary, nvram->path);
    if (result < 0)
        port_unlink(temporary);
    return -result;
}

// ---- sockets

#define SOCKET_MODE 0775 // as QEMU's own would be, under the umask that libvirt gives it

int process_listen(void *data, const char *path, struct error *err)
{
    struct process_sockets *sockets = data;
    if (sockets->count == SOCKETS_MAX) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "too many listening character devices: limit is %d", SOCKETS_MAX);
        return -1;
    }
    int fd = port_listen_unix(path, SOCKET_MODE, (uint32_t)-1);
    if (fd < 0) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                  "Unable to bind to UNIX socket path '%s': %s", path, strerror(-fd));
        return -1;
    }
    if (qemu_driver.privileged)
        port_chown(path, qemu_driver.uid, qemu_driver.gid);
    sockets->fds[sockets->count++] = fd;
    return fd;
}

void process_close_sockets(struct process_sockets *sockets)
{
    while (sockets->count > 0)
        port_close(sockets->fds[--sockets->count]);
}

// ---- files

static bool check_there(const struct qemu_path *path, struct error *err)
{
    struct port_stat stat;
    int result = port_stat(path->path, &stat);
    if (result == 0)
        return true;
    // libvirtd names the user when it is not the daemon's own
    if (qemu_driver.privileged && qemu_driver.uid != 0)
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot access storage file '%s' (as uid:%u, gid:%u): %s", path->path,
                         qemu_driver.uid, qemu_driver.gid, strerror(-result));
    return error_set(err, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR,
                     "Cannot access storage file '%s': %s", path->path, strerror(-result));
}

// A file of a serial port or its log is made by us, where the guest's user could not, and is his
// while the guest runs (libvirt opens it for him).
static bool make_file(const struct domain *domain, const char *path, struct error *err)
{
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_APPEND, 0600);
    port_close(fd);
    if (fd >= 0)
        return process_take_image(domain, path, err);
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                     "Unable to pre-create chardev file '%s': %s", path, strerror(-fd));
}

// libvirt gives the guest's user every kernel, initrd and image, also one that is only read. Here
// such a file changes hands only when that user could not read it as it is.
static bool readable_by_guest(const struct port_stat *stat)
{
    return (stat->mode & 0004) || (stat->gid == qemu_driver.gid && (stat->mode & 0040)) ||
           stat->uid == qemu_driver.uid;
}

static bool take_for_reading(const struct domain *domain, const char *path, struct error *err)
{
    struct port_stat stat;
    if (port_stat(path, &stat) < 0 || (stat.kind != PORT_FILE && stat.kind != PORT_BLOCK) ||
        readable_by_guest(&stat))
        return true; // what is missing is QEMU's to say
    return process_take_image(domain, path, err);
}

bool process_prepare_files(const struct domain *domain, const struct qemu_command *command,
                           struct error *err)
{
    for (size_t i = 0; i < command->path_count; i++) {
        const struct qemu_path *path = &command->paths[i];
        if (path->image && !check_there(path, err))
            return false;
    }
    for (size_t i = 0; i < command->path_count; i++) {
        const struct qemu_path *path = &command->paths[i];
        if (path->image && path->use == QEMU_PATH_WRITE &&
            !process_take_image(domain, path->path, err))
            return false;
        if ((path->use == QEMU_PATH_READ || (path->image && path->use == QEMU_PATH_SHARED)) &&
            !take_for_reading(domain, path->path, err))
            return false;
        if (path->use == QEMU_PATH_CREATE && !path->image &&
            !process_owns_path(domain, path->path) && !make_file(domain, path->path, err))
            return false;
    }
    return true;
}
