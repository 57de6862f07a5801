// What the guest boots: firmware in flash or ROM, a kernel, the boot menu, SMBIOS tables.
#include "hv/qemu/command/command_parts.h"

static void build_flash(struct builder *b, unsigned unit, struct slice path, struct slice format,
                        bool read_only)
{
    json_arg_open(b, "-blockdev", "driver", "file");
    json_put_string(&b->json, "filename", path);
    json_putf(&b->json, "node-name", "libvirt-pflash%u-storage", unit);
    json_put_bool(&b->json, "auto-read-only", true);
    json_puts(&b->json, "discard", "unmap");
    json_arg_close(b);
    json_arg_open(b, "-blockdev", NULL, NULL);
    json_putf(&b->json, "node-name", "libvirt-pflash%u-format", unit);
    json_put_bool(&b->json, "read-only", read_only);
    json_put_string(&b->json, "driver", slice_present(format) ? format : SLICE("raw"));
    json_putf(&b->json, "file", "libvirt-pflash%u-storage", unit);
    json_arg_close(b);
    path_add(b, path, read_only ? QEMU_PATH_READ : QEMU_PATH_WRITE, !read_only);
}

void build_firmware_blocks(struct builder *b)
{
    const struct xml_node *loader = xml_child(b->os, "loader"), *nvram = xml_child(b->os, "nvram");
    if (!xml_attr_is(loader, "type", "pflash"))
        return;
    build_flash(b, 0, xml_text(loader), xml_attr(loader, "format"),
                is_on(xml_attr(loader, "readonly")));
    if (!nvram)
        return;
    if (slice_present(xml_attr(nvram, "type")) && !xml_attr_is(nvram, "type", "file"))
        unsupported(b, "nvram of type '%.*s' is not supported", SLICE_ARG(xml_attr(nvram, "type")));
    struct slice path = xml_attr_at(nvram, "source", "file");
    if (!slice_present(path))
        path = xml_text(nvram);
    if (!slice_present(path))
        internal_error(b, "nvram has no path");
    build_flash(b, 1, path, xml_attr(nvram, "format"), false);
}

void build_loader(struct builder *b)
{
    const struct xml_node *loader = xml_child(b->os, "loader");
    if (!slice_present(xml_text(loader))) {
        if (slice_present(xml_attr(b->os, "firmware")))
            unsupported(b, "Unable to find any firmware to satisfy '%.*s'",
                        SLICE_ARG(xml_attr(b->os, "firmware")));
        return;
    }
    if (xml_attr_is(loader, "type", "pflash")) {
        if (is_on(xml_attr(loader, "secure")))
            arg_pair(b, "-global", "driver=cfi.pflash01,property=secure,value=on");
        return;
    }
    arg(b, "-bios");
    arg_slice(b, xml_text(loader));
    path_add(b, xml_text(loader), QEMU_PATH_READ, false);
}

// One SMBIOS structure: the entries that libvirt knows, in its order.
static void build_smbios_type(struct builder *b, unsigned type, const struct xml_node *block,
                              const char *const *names)
{
    if (!block)
        return;
    arg(b, "-smbios");
    arg_open(b);
    buffer_printf(&b->text, "type=%u", type);
    for (; *names; names++)
        XML_EACH (entry, block, "entry")
            if (xml_attr_is(entry, "name", *names))
                put_option(b, *names, xml_text(entry));
    arg_close(b);
}

static void build_oem_strings(struct builder *b, const struct xml_node *block)
{
    if (!block)
        return;
    arg(b, "-smbios");
    arg_open(b);
    buffer_puts(&b->text, "type=11");
    XML_EACH (entry, block, "entry")
        put_option(b, "value", xml_text(entry));
    arg_close(b);
}

static void build_smbios_tables(struct builder *b, const struct xml_node *info)
{
    static const char *const bios[] = {"vendor", "version", "date", "release", NULL};
    static const char *const system[] = {"manufacturer", "product", "version", "serial",
                                         "uuid",         "sku",     "family",  NULL};
    static const char *const board[] = {"manufacturer", "product",  "version", "serial",
                                        "asset",        "location", NULL};
    static const char *const chassis[] = {"manufacturer", "version", "serial",
                                          "asset",        "sku",     NULL};
    build_smbios_type(b, 0, xml_child(info, "bios"), bios);
    build_smbios_type(b, 1, xml_child(info, "system"), system);
    XML_EACH (element, info, "baseBoard")
        build_smbios_type(b, 2, element, board);
    build_smbios_type(b, 3, xml_child(info, "chassis"), chassis);
    build_oem_strings(b, xml_child(info, "oemStrings"));
}

static void build_firmware_config(struct builder *b, const struct xml_node *info)
{
    XML_EACH (entry, info, "entry") {
        struct slice file = xml_attr(entry, "file");
        arg(b, "-fw_cfg");
        arg_open(b);
        buffer_puts(&b->text, "name=");
        put_escaped(b, xml_attr(entry, "name"));
        if (slice_present(file))
            put_option(b, "file", file);
        else
            put_option(b, "string", xml_text(entry));
        arg_close(b);
        if (slice_present(file))
            path_add(b, file, QEMU_PATH_READ, false);
    }
}

void build_smbios(struct builder *b)
{
    struct slice mode = xml_attr_at(b->os, "smbios", "mode");
    bool found = false;
    XML_EACH (info, b->domain, "sysinfo") {
        if (xml_attr_is(info, "type", "fwcfg"))
            build_firmware_config(b, info);
        else if (slice_is(mode, "sysinfo"))
            build_smbios_tables(b, info);
        found = found || xml_attr_is(info, "type", "smbios");
    }
    if (slice_is(mode, "sysinfo") && !found)
        unsupported(b, "Domain '%.*s' sysinfo are not available",
                    SLICE_ARG(xml_text_at(b->domain, "name")));
    if (slice_is(mode, "host"))
        unsupported(b, "Host SMBIOS information is not available");
}

static void build_power(struct builder *b)
{
    static const char *const names[] = {"suspend-to-mem", "suspend-to-disk"};
    arg(b, "-no-shutdown"); // QEMU stays to be asked; what a shutdown does is set over QMP
    for (unsigned i = 0; i < 2; i++) {
        const struct xml_node *state = xml_child(xml_child(b->domain, "pm"), names[i]);
        if (!slice_present(xml_attr(state, "enabled")))
            continue;
        arg(b, "-global");
        argf(b, "%s.disable_s%u=%d", b->q35 ? "ICH9-LPC" : "PIIX4_PM", i + 3,
             !is_on(xml_attr(state, "enabled")));
    }
}

static void build_kernel(struct builder *b)
{
    static const struct {
        const char *element, *option;
        bool file;
    } parts[] = {{"kernel", "-kernel", true},
                 {"initrd", "-initrd", true},
                 {"cmdline", "-append", false},
                 {"dtb", "-dtb", true}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct slice value = xml_text_at(b->os, parts[i].element);
        if (!slice_present(value))
            continue;
        arg(b, parts[i].option);
        arg_slice(b, value);
        if (parts[i].file)
            path_add(b, value, QEMU_PATH_READ, false);
    }
    struct slice table = xml_text_at(b->os, "acpi/table");
    if (!slice_present(table))
        return;
    arg(b, "-acpitable");
    arg_open(b);
    buffer_puts(&b->text, "sig=SLIC,file=");
    put_escaped(b, table);
    arg_close(b);
    path_add(b, table, QEMU_PATH_READ, false);
}

void build_boot(struct builder *b)
{
    const struct xml_node *menu = xml_child(b->os, "bootmenu"), *bios = xml_child(b->os, "bios");
    struct slice reboot = xml_attr(bios, "rebootTimeout");
    struct slice splash = xml_attr(menu, "timeout");
    build_power(b);
    arg(b, "-boot");
    arg_open(b);
    if (menu)
        buffer_printf(&b->text, "menu=%s,", is_on(xml_attr(menu, "enable")) ? "on" : "off");
    if (slice_present(reboot))
        buffer_printf(&b->text, "reboot-timeout=%.*s,", SLICE_ARG(reboot));
    if (slice_present(splash))
        buffer_printf(&b->text, "splash-time=%.*s,", SLICE_ARG(splash));
    buffer_puts(&b->text, "strict=on");
    arg_close(b);
    build_kernel(b);
}
