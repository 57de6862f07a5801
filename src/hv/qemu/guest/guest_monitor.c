// Operations: users' own monitor commands, and screenshots.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/driver.h"
#include "virt/domain/definition.h"

#include <stdio.h>
#include <string.h>

// ---- virDomainQemuMonitorCommand

struct pass {
    struct guest *guest;
    struct monitor_call call;
};

static char text[SLOT_LARGE_SIZE];

// The human monitor's command line as a JSON argument.
static struct slice human_arguments(struct slice command)
{
    static char arguments[2 * CONFIG_REMOTE_STRING_MAX + 64];
    struct buffer out = buffer_over(arguments, sizeof(arguments));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_put_string(&w, "command-line", command);
    json_close_object(&w);
    return buffer_slice(&out);
}

static enum co_status human_command(struct hypervisor_op *op, struct pass *s)
{
    if (monitor_command(&s->call, &s->guest->monitor, op->task, "human-monitor-command",
                        human_arguments(op->command.command), op->err) != CO_DONE)
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    op->command.result = json_string(s->call.result);
    if (!slice_present(op->command.result))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "unexpected type returned by QEMU command 'human-monitor-command'");
    return CO_DONE;
}

static enum co_status qmp_command(struct hypervisor_op *op, struct pass *s)
{
    s->call.unlimited = true; // what it takes is for the user to know
    if (monitor_pass(&s->call, &s->guest->monitor, op->task, op->command.command, op->err) !=
        CO_DONE)
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    json_put_value(&w, NULL, s->call.message);
    op->command.result = buffer_slice(&out);
    return CO_DONE;
}

enum co_status guest_monitor_command(struct hypervisor_op *op)
{
    struct pass *s = HYPERVISOR_STATE(op, struct pass);
    if (!s->guest) {
        s->guest = guest_need(op->domain, op->err);
        s->call.unlimited = true;
        if (!s->guest)
            return CO_DONE;
        guest_taint(s->guest, DOMAIN_TAINT_CUSTOM_MONITOR);
    }
    if (op->flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
        return human_command(op, s);
    return qmp_command(op, s);
}

// ---- virDomainScreenshot

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
