// The emulator's command line: the order of its parts, and the writing of arguments.
#include "hv/qemu/command/command_parts.h"

#include "core/assert.h"

#include <string.h>

bool builder_failed(const struct builder *b)
{
    return error_is_set(b->err);
}

void unsupported(struct builder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(b->err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, format, args);
    va_end(args);
}

void internal_error(struct builder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(b->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, format, args);
    va_end(args);
}

bool builder_has(const struct builder *b, const char *fact)
{
    return qemu_capabilities_have(b->capabilities, fact);
}

// The address at which the next string starts, or NULL when its list is full.
static const char *string_start(struct builder *b, size_t count, size_t max, const char *limit)
{
    assert(!b->open);
    b->open = true;
    if (count < max)
        return b->text.at + b->text.len;
    internal_error(b, "too many entries on the QEMU command line: limit is %zu, %s", max, limit);
    return NULL;
}

static void string_end(struct builder *b)
{
    b->open = false;
    buffer_putc(&b->text, '\0');
    if (!buffer_ok(&b->text))
        internal_error(b, "QEMU command line too long: limit is %d bytes, CONFIG_QEMU_COMMAND_TEXT",
                       CONFIG_QEMU_COMMAND_TEXT);
}

void arg_open(struct builder *b)
{
    struct qemu_command *out = b->out;
    const char *start =
        string_start(b, out->arg_count, CONFIG_QEMU_ARGUMENTS, "CONFIG_QEMU_ARGUMENTS");
    if (start)
        out->args[out->arg_count++] = start;
}

void arg_close(struct builder *b)
{
    string_end(b);
}

void arg_slice(struct builder *b, struct slice text)
{
    arg_open(b);
    buffer_put(&b->text, text);
    arg_close(b);
}

void arg(struct builder *b, const char *text)
{
    arg_slice(b, slice_of(text));
}

void argf(struct builder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    arg_open(b);
    buffer_vprintf(&b->text, format, args);
    arg_close(b);
    va_end(args);
}

void arg_pair(struct builder *b, const char *option, const char *value)
{
    arg(b, option);
    arg(b, value);
}

void put_escaped(struct builder *b, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == ',')
            buffer_putc(&b->text, ',');
        buffer_putc(&b->text, value.at[i]);
    }
}

void put_option(struct builder *b, const char *name, struct slice value)
{
    if (!slice_present(value))
        return;
    buffer_printf(&b->text, ",%s=", name);
    put_escaped(b, value);
}

void environment(struct builder *b, struct slice name, const char *separator, struct slice value)
{
    struct qemu_command *out = b->out;
    const char *start =
        string_start(b, out->environment_count, CONFIG_QEMU_ENVIRONMENT, "CONFIG_QEMU_ENVIRONMENT");
    if (start)
        out->environment[out->environment_count++] = start;
    buffer_put(&b->text, name);
    buffer_puts(&b->text, separator);
    buffer_put(&b->text, value);
    string_end(b);
}

void path_add(struct builder *b, struct slice path, enum qemu_path_use use, bool image)
{
    struct qemu_command *out = b->out;
    const char *start = string_start(b, out->path_count, CONFIG_QEMU_PATHS, "CONFIG_QEMU_PATHS");
    if (start)
        out->paths[out->path_count++] = (struct qemu_path){start, use, image};
    buffer_put(&b->text, path);
    string_end(b);
}

void json_arg_open(struct builder *b, const char *option, const char *first, const char *value)
{
    arg(b, option);
    arg_open(b);
    b->json = json_writer_to(&b->text);
    json_open_object(&b->json, NULL);
    if (first)
        json_puts(&b->json, first, value);
}

void json_arg_close(struct builder *b)
{
    json_close_object(&b->json);
    arg_close(b);
}

void device_open(struct builder *b, const char *driver)
{
    json_arg_open(b, "-device", "driver", driver);
}

void object_open(struct builder *b, const char *type, const char *id)
{
    json_arg_open(b, "-object", "qom-type", type);
    json_puts(&b->json, "id", id);
}

// What libvirt's daemon hands on to an emulator: a fixed search path and language, and for system
// guests a home below their own directory, so that no library of QEMU's writes into "/".
static void build_environment(struct builder *b)
{
    struct slice state_dir = slice_of(b->context->state_dir);
    environment(b, SLICE("LC_ALL"), "=", SLICE("C"));
    environment(b, SLICE("PATH"), "=",
                SLICE("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    if (!slice_present(state_dir))
        return;
    if (!b->context->privileged) {
        environment(b, SLICE("XDG_CACHE_HOME"), "=", state_dir);
        return;
    }
    static const char *const names[] = {"HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME",
                                        "XDG_CONFIG_HOME"};
    static const char *const places[] = {"", "/.local/share", "/.cache", "/.config"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[1024];
        struct buffer value = buffer_over(path, sizeof(path));
        buffer_put(&value, state_dir);
        buffer_puts(&value, places[i]);
        environment(b, slice_of(names[i]), "=", buffer_slice(&value));
    }
}

// What QEMU does about commands and properties that it wants to get rid of.
static void build_compatibility(struct builder *b)
{
    struct slice behavior = xml_attr_at(b->domain, "qemu:deprecation", "behavior");
    if (!slice_present(behavior))
        behavior = slice_of(b->context->settings->deprecation_behavior);
    bool input = slice_is(behavior, "reject") || slice_is(behavior, "crash");
    if (!input && !slice_is(behavior, "omit"))
        return;
    json_arg_open(b, "-compat", "deprecated-output", "hide");
    if (input)
        json_put_string(&b->json, "deprecated-input", behavior);
    json_arg_close(b);
}

static void build_name(struct builder *b)
{
    struct slice emulator = xml_text_at(b->devices, "emulator");
    if (!slice_present(emulator))
        internal_error(b, "domain has no emulator");
    arg_slice(b, emulator);
    arg(b, "-name");
    arg_open(b);
    buffer_puts(&b->text, "guest=");
    put_escaped(b, xml_text_at(b->domain, "name"));
    if (b->context->settings->set_process_name) {
        buffer_puts(&b->text, ",process=qemu:");
        put_escaped(b, xml_text_at(b->domain, "name"));
    }
    buffer_puts(&b->text, ",debug-threads=on");
    arg_close(b);
    build_compatibility(b);
    arg(b, "-S"); // the guest runs when everything is set up: QMP "cont"
}

static void build_monitor(struct builder *b)
{
    arg(b, "-chardev");
    arg_open(b);
    buffer_puts(&b->text, "socket,id=charmonitor,");
    if (b->context->monitor_fd >= 0) {
        buffer_printf(&b->text, "fd=%d", b->context->monitor_fd);
    } else {
        buffer_puts(&b->text, "path=");
        put_escaped(b, slice_of(b->context->monitor_path));
    }
    buffer_puts(&b->text, ",server=on,wait=off");
    arg_close(b);
    if (b->context->monitor_fd < 0)
        path_add(b, slice_of(b->context->monitor_path), QEMU_PATH_SOCKET, false);
    arg_pair(b, "-mon", "chardev=charmonitor,id=monitor,mode=control");
}

// <qemu:commandline>: arguments and environment that are handed on unseen.
static void build_passthrough(struct builder *b)
{
    const struct xml_node *extra = xml_child(b->domain, "qemu:commandline");
    XML_EACH (argument, extra, "qemu:arg")
        arg_slice(b, xml_attr(argument, "value"));
    XML_EACH (variable, extra, "qemu:env")
        environment(b, xml_attr(variable, "name"), "=", xml_attr(variable, "value"));
}

static void build_sandbox(struct builder *b)
{
    if (b->context->settings->seccomp_sandbox && builder_has(b, "-sandbox"))
        arg_pair(b, "-sandbox",
                 "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

static void build_head(struct builder *b)
{
    build_environment(b);
    build_name(b);
    build_firmware_blocks(b);
    build_machine(b);
    build_cpu(b);
    build_loader(b);
    build_memory(b);
    build_smp(b);
    build_numa(b);
    arg(b, "-uuid");
    arg_slice(b, xml_text_at(b->domain, "uuid"));
    build_smbios(b);
    build_vmgenid(b);
    if (!xml_child(b->devices, "graphics"))
        arg_pair(b, "-display", "none");
    arg(b, "-no-user-config");
    arg(b, "-nodefaults");
    build_monitor(b);
    build_clock(b);
    build_boot(b);
}

// In libvirt's order.
static void (*const device_builders[])(struct builder *b) = {
    build_iommu,     build_controllers, build_memory_devices, build_hubs,
    build_ccid,      build_disks,       build_interfaces,     build_serials,
    build_parallels, build_channels,    build_consoles,       build_inputs,
#ifdef CONFIG_GRAPHICS
    build_audio,     build_graphics,    build_videos,         build_sounds,
#endif
    build_watchdogs, build_redirdevs,
};

static void build_devices(struct builder *b)
{
    for (size_t i = 0; i < sizeof(device_builders) / sizeof(device_builders[0]); i++)
        device_builders[i](b);
}

static void build_tail(struct builder *b)
{
    if (b->context->incoming)
        arg_pair(b, "-incoming", b->context->incoming);
    build_memballoon(b);
    build_rngs(b);
    build_vmcoreinfo(b);
    build_passthrough(b);
    build_sandbox(b);
    build_panics(b);
    build_vsock(b);
    if (b->context->settings->log_timestamp)
        arg_pair(b, "-msg", "timestamp=on");
}

static enum guest_arch arch_of(struct slice name)
{
    static const char *const names[] = {"x86_64", "i686", "aarch64", "armv7l"};
    for (unsigned i = 0; i < GUEST_OTHER; i++)
        if (slice_is(name, names[i]))
            return (enum guest_arch)i;
    return GUEST_OTHER;
}

static void find_machine(struct builder *b)
{
    const struct xml_node *type = xml_child(b->os, "type");
    struct slice machine = xml_attr(type, "machine");
    b->arch = arch_of(xml_attr(type, "arch"));
    b->kvm = xml_attr_is(b->domain, "type", "kvm");
    b->q35 = slice_starts(machine, "pc-q35") || slice_is(machine, "q35");
    b->i440fx = !b->q35 && (slice_is(machine, "pc") || slice_is(machine, "ubuntu") ||
                            slice_starts(machine, "pc-") || slice_starts(machine, "rhel"));
    b->arm_virt = slice_is(machine, "virt") || slice_starts(machine, "virt-");
    if (!slice_is(xml_text(type), "hvm"))
        unsupported(b, "unknown OS type '%.*s'", SLICE_ARG(xml_text(type)));
    if (!b->kvm && !xml_attr_is(b->domain, "type", "qemu"))
        unsupported(b, "the QEMU binary does not support %.*s",
                    SLICE_ARG(xml_attr(b->domain, "type")));
}

bool qemu_command_build(struct qemu_command *out, const struct xml_node *domain,
                        const struct qemu_command_context *context, struct error *err)
{
    out->arg_count = out->environment_count = out->path_count = 0;
    struct builder b = {
        .out = out,
        .text = buffer_over(out->text, sizeof(out->text)),
        .context = context,
        .capabilities = context->capabilities,
        .domain = domain,
        .os = xml_child(domain, "os"),
        .features = xml_child(domain, "features"),
        .devices = xml_child(domain, "devices"),
        .err = err,
    };
    error_clear(err);
    find_machine(&b);
    check_unsupported_devices(&b);
    if (builder_failed(&b))
        return false;
    build_head(&b);
    build_devices(&b);
    build_tail(&b);
    out->args[out->arg_count] = NULL;
    out->environment[out->environment_count] = NULL;
    return !builder_failed(&b);
}

static bool needs_quotes(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_=,./:@%+";
    return !*text || text[strspn(text, plain)] != '\0';
}

static void print_quoted(struct buffer *to, const char *text)
{
    if (!needs_quotes(text)) {
        buffer_puts(to, text);
        return;
    }
    buffer_putc(to, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buffer_puts(to, "'\\''");
        else
            buffer_putc(to, *text);
    }
    buffer_putc(to, '\'');
}

// An option's value stands on its option's line.
static bool is_value(const struct qemu_command *command, size_t index)
{
    return index > 1 && command->args[index][0] != '-' && command->args[index - 1][0] == '-';
}

void qemu_command_print(struct buffer *to, const struct qemu_command *command)
{
    for (size_t i = 0; i < command->environment_count; i++) {
        const char *text = command->environment[i];
        size_t name = strcspn(text, "=");
        buffer_put(to, (struct slice){text, name + 1});
        print_quoted(to, text + name + 1);
        buffer_puts(to, " \\\n");
    }
    for (size_t i = 0; i < command->arg_count; i++) {
        if (i > 0)
            buffer_puts(to, is_value(command, i) ? " " : " \\\n");
        print_quoted(to, command->args[i]);
    }
    buffer_putc(to, '\n');
}
