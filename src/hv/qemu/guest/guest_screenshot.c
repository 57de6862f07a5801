// Operation: a picture of a guest's screen (virDomainScreenshot).
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/driver.h"
#include "virt/domain/definition.h"

#include <stdio.h>
#include <string.h>

struct screenshot {
    struct guest *guest;
    struct monitor_call call;
    int fd;
    uint32_t head;
    char alias[GUEST_ALIAS_SIZE];
};

// The video device that shows the screen, and which of its heads.
static bool find_screen(struct hypervisor_op *op, struct screenshot *s)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    const struct xml_node *devices = xml_child(tree, "devices");
    uint32_t screen = op->screenshot.screen;
    if (!tree)
        return false;
    if (!xml_child(devices, "video"))
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "no screens to take screenshot from");
    XML_EACH (video, devices, "video") {
        uint32_t heads = 1;
        slice_u32(xml_attr(xml_child(video, "model"), "heads"), 10, &heads);
        if (screen < heads) {
            s->head = screen;
            return slice_copy(s->alias, sizeof(s->alias),
                              xml_attr(xml_child(video, "alias"), "name"));
        }
        screen -= heads;
    }
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "no such screen ID");
}

static void image_path(const struct hypervisor_op *op, char to[PORT_PATH_MAX])
{
    snprintf(to, PORT_PATH_MAX, "%s/screenshot-%d", qemu_driver.lib, op->domain->id);
}

// Made by us, in a directory of ours, and read through the descriptor that made it: whatever QEMU
// does with the name, only this file can be what the client sees.
static bool make_image(struct hypervisor_op *op, struct screenshot *s)
{
    char path[PORT_PATH_MAX];
    image_path(op, path);
    port_unlink(path);
    s->fd = port_open(path,
                      PORT_OPEN_READ | PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_NEW |
                          PORT_OPEN_NOFOLLOW,
                      0600);
    int result = s->fd;
    if (result >= 0 && qemu_driver.privileged && qemu_driver.uid != port_uid())
        result = port_chown(path, qemu_driver.uid, qemu_driver.gid);
    if (result >= 0)
        return true;
    port_close(s->fd);
    port_unlink(path);
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "cannot create %s: %s", path,
                     strerror(-result));
}

static struct slice screendump_arguments(const struct hypervisor_op *op, const struct screenshot *s)
{
    static char arguments[PORT_PATH_MAX * 2];
    char path[PORT_PATH_MAX];
    struct buffer out = buffer_over(arguments, sizeof(arguments));
    struct json_writer w = json_writer_to(&out);
    image_path(op, path);
    json_open_object(&w, NULL);
    json_puts(&w, "filename", path);
    if (op->screenshot.screen > 0) {
        json_puts(&w, "device", s->alias);
        json_put_u64(&w, "head", s->head);
    }
    json_puts(&w, "format", "png");
    json_close_object(&w);
    return buffer_slice(&out);
}

// An emulator before 7.1, or built without libpng, has PPM only.
static struct slice plain_arguments(const struct hypervisor_op *op, const struct screenshot *s)
{
    struct slice arguments = screendump_arguments(op, s);
    static char plain[PORT_PATH_MAX * 2];
    struct buffer out = buffer_over(plain, sizeof(plain));
    arguments.len -= sizeof(",\"format\":\"png\"}") - 1;
    buffer_put(&out, arguments);
    buffer_putc(&out, '}');
    return buffer_slice(&out);
}

static void finish_screenshot(struct hypervisor_op *op, struct screenshot *s, bool png)
{
    char path[PORT_PATH_MAX];
    image_path(op, path);
    port_unlink(path);
    if (error_is_set(op->err)) {
        port_close(s->fd);
        return;
    }
    op->screenshot.fd = s->fd;
    snprintf(op->screenshot.mime, sizeof(op->screenshot.mime), "%s",
             png ? "image/png" : "image/x-portable-pixmap");
}

static bool begin_screenshot(struct hypervisor_op *op, struct screenshot *s)
{
    s->fd = op->screenshot.fd = -1;
    s->guest = guest_need(op->domain, op->err);
    return s->guest && find_screen(op, s) && make_image(op, s);
}

enum co_status guest_screenshot(struct hypervisor_op *op)
{
    struct screenshot *s = HYPERVISOR_STATE(op, struct screenshot);
    CO_BEGIN(&op->co);
    if (!begin_screenshot(op, s))
        CO_RETURN(&op->co);
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "screendump",
                                     screendump_arguments(op, s), op->err));
    if (!error_is_set(op->err)) {
        finish_screenshot(op, s, true);
        CO_RETURN(&op->co);
    }
    error_clear(op->err);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "screendump",
                                     plain_arguments(op, s), op->err));
    finish_screenshot(op, s, false);
    CO_END(&op->co);
}
