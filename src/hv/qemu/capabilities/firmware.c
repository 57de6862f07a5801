// Firmware descriptors: finding, reading and matching them.
#include "hv/qemu/capabilities/firmware.h"

#include "hv/qemu/monitor/monitor.h"
#include "port/port.h"

#include <string.h>

// Those that come later replace those before.
static const char *const directories[] = {"/usr/share/qemu/firmware", "/etc/qemu/firmware"};
#define DIRECTORY_COUNT (sizeof(directories) / sizeof(directories[0]))

static void add_name(struct qemu_firmware_walk *walk, const char *name)
{
    size_t at = 0;
    while (at < walk->count && strcmp(walk->names[at], name) < 0)
        at++;
    bool known = at < walk->count && strcmp(walk->names[at], name) == 0;
    if (known || walk->count == QEMU_FIRMWARE_FILES || strlen(name) >= QEMU_FIRMWARE_NAME)
        return;
    memmove(walk->names[at + 1], walk->names[at], (walk->count - at) * QEMU_FIRMWARE_NAME);
    slice_copy(walk->names[at], QEMU_FIRMWARE_NAME, slice_of(name));
    walk->count++;
}

static bool file_path(const struct qemu_firmware_walk *walk, const char *directory,
                      const char *name, char path[PORT_PATH_MAX])
{
    struct buffer out = buffer_over(path, PORT_PATH_MAX);
    buffer_printf(&out, "%s%s%s%s", walk->root, directory, *name ? "/" : "", name);
    return buffer_ok(&out);
}

void qemu_firmware_begin(struct qemu_firmware_walk *walk, const char *root)
{
    static struct port_dir dir;
    char path[PORT_PATH_MAX];
    walk->root = root;
    walk->count = walk->next = 0;
    for (size_t i = 0; i < DIRECTORY_COUNT; i++) {
        if (!file_path(walk, directories[i], "", path) || port_dir_open(&dir, path) < 0)
            continue;
        const char *name;
        while ((name = port_dir_next(&dir)))
            if (slice_ends(slice_of(name), ".json"))
                add_name(walk, name);
        port_dir_close(&dir);
    }
}

static bool contains(const struct json_value *array, const char *text)
{
    for (const struct json_value *item = array ? array->child : NULL; item; item = item->next)
        if (slice_is(json_string(item), text))
            return true;
    return false;
}

static bool read_description(const struct json_value *root, struct qemu_firmware_description *to)
{
    const struct json_value *mapping = json_get(root, "mapping");
    const struct json_value *features = json_get(root, "features");
    const struct json_value *interfaces = json_get(root, "interface-types");
    struct slice mode = json_get_string(mapping, "mode");
    *to = (struct qemu_firmware_description){
        .flash = slice_is(json_get_string(mapping, "device"), "flash"),
        .uefi = contains(interfaces, "uefi"),
        .bios = contains(interfaces, "bios"),
        .secure_boot = contains(features, "secure-boot"),
        .enrolled_keys = contains(features, "enrolled-keys"),
        .requires_smm = contains(features, "requires-smm"),
        .acpi_s3 = contains(features, "acpi-s3"),
        .acpi_s4 = contains(features, "acpi-s4"),
        .targets = json_get(root, "targets"),
        .split = !slice_present(mode) || slice_is(mode, "split"),
        .stateless = slice_is(mode, "stateless"),
    };
    to->loader = to->flash ? json_string(json_find(mapping, "executable/filename"))
                           : json_get_string(mapping, "filename");
    to->nvram_template = json_string(json_find(mapping, "nvram-template/filename"));
    return slice_present(to->loader);
}

// Reads the file of that name from the directory that has the last word; an empty one hides it.
static bool read_file(struct qemu_firmware_walk *walk, const char *name, struct slice *text)
{
    char path[PORT_PATH_MAX];
    for (size_t i = DIRECTORY_COUNT; i-- > 0;) {
        if (!file_path(walk, directories[i], name, path))
            continue;
        ptrdiff_t len = port_file_read(path, walk->text, sizeof(walk->text));
        if (len < 0)
            continue;
        *text = (struct slice){walk->text, (size_t)len};
        return len > 0;
    }
    return false;
}

bool qemu_firmware_next(struct qemu_firmware_walk *walk, struct qemu_firmware_description *to)
{
    struct slice text;
    while (walk->next < walk->count) {
        struct error ignored = {0};
        struct json_doc *doc = monitor_json();
        if (read_file(walk, walk->names[walk->next++], &text) && json_parse(doc, text, &ignored) &&
            read_description(doc->root, to))
            return true;
    }
    return false;
}

// Shell patterns with '*' and '?', which is all that descriptors use.
static bool matches(struct slice pattern, struct slice name)
{
    while (pattern.len && pattern.at[0] != '*') {
        if (!name.len || (pattern.at[0] != '?' && pattern.at[0] != name.at[0]))
            return false;
        pattern = slice_from(pattern, 1);
        name = slice_from(name, 1);
    }
    if (!pattern.len)
        return name.len == 0;
    pattern = slice_from(pattern, 1);
    for (size_t skip = 0; skip <= name.len; skip++)
        if (matches(pattern, slice_from(name, skip)))
            return true;
    return false;
}

bool qemu_firmware_fits(const struct qemu_firmware_description *firmware, struct slice arch,
                        struct slice machine)
{
    const struct json_value *target = firmware->targets ? firmware->targets->child : NULL;
    struct slice qemu_arch = slice_is(arch, "i686")     ? SLICE("i386")
                             : slice_is(arch, "armv7l") ? SLICE("arm")
                                                        : arch;
    for (; target; target = target->next) {
        if (!slice_equal(json_get_string(target, "architecture"), qemu_arch))
            continue;
        const struct json_value *machines = json_get(target, "machines");
        const struct json_value *item = machines ? machines->child : NULL;
        for (; item; item = item->next)
            if (matches(json_string(item), machine))
                return true;
    }
    return false;
}

static bool wish_granted(enum qemu_firmware_wish wish, bool has)
{
    return wish == QEMU_WISH_ANY || (wish == QEMU_WISH_YES) == has;
}

static bool satisfies(const struct qemu_firmware_description *firmware,
                      const struct qemu_firmware *wish)
{
    bool interface = slice_is(wish->type, "bios") ? firmware->bios : firmware->uefi;
    if (!interface || !qemu_firmware_fits(firmware, wish->arch, wish->machine))
        return false;
    if (slice_present(wish->loader) && !slice_equal(wish->loader, firmware->loader))
        return false;
    if (!wish_granted(wish->secure_boot, firmware->secure_boot) ||
        !wish_granted(wish->enrolled_keys, firmware->enrolled_keys))
        return false;
    if (wish->secure_loader == QEMU_WISH_YES && !firmware->requires_smm)
        return false;
    if (!firmware->flash)
        return true;
    return wish->stateless == QEMU_WISH_YES ? firmware->stateless : firmware->split;
}

bool qemu_firmware_resolve(struct qemu_firmware *wish, const char *root)
{
    static struct qemu_firmware_walk walk;
    static char loader[PORT_PATH_MAX], nvram[PORT_PATH_MAX];
    struct qemu_firmware_description firmware;
    qemu_firmware_begin(&walk, root);
    while (qemu_firmware_next(&walk, &firmware)) {
        if (!satisfies(&firmware, wish))
            continue;
        slice_copy(loader, sizeof(loader), firmware.loader);
        slice_copy(nvram, sizeof(nvram), firmware.nvram_template);
        wish->loader = slice_of(loader);
        wish->nvram_template =
            slice_present(firmware.nvram_template) ? slice_of(nvram) : SLICE_NONE;
        wish->pflash = firmware.flash;
        wish->loader_secure = firmware.requires_smm;
        return true;
    }
    return false;
}
