// The command line: keyboards, mice and tablets.
#include "hv/qemu/command/command_parts.h"

// ---- input

static void build_evdev(struct builder *b, const struct xml_node *input)
{
    const struct xml_node *source = xml_child(input, "source");
    json_arg_open(b, "-object", "qom-type", "input-linux");
    put_alias(b, input);
    put_text(b, "evdev", xml_attr(source, "dev"));
    put_switch(b, "repeat", xml_attr(source, "repeat"));
    if (xml_attr_is(source, "grab", "all"))
        json_put_bool(&b->json, "grab_all", true);
    put_text(b, "grab-toggle", xml_attr(source, "grabToggle"));
    json_arg_close(b);
    path_add(b, xml_attr(source, "dev"), QEMU_PATH_SHARED, false);
}

static void build_input(struct builder *b, const struct xml_node *input)
{
    static const struct {
        const char *type, *usb, *virtio;
    } drivers[] = {
        {"mouse", "usb-mouse", "virtio-mouse"},
        {"tablet", "usb-tablet", "virtio-tablet"},
        {"keyboard", "usb-kbd", "virtio-keyboard"},
        {"passthrough", NULL, "virtio-input-host"},
    };
    struct slice type = xml_attr(input, "type"), bus = xml_attr(input, "bus");
    size_t i = 0, count = sizeof(drivers) / sizeof(drivers[0]);
    while (i < count && !slice_is(type, drivers[i].type))
        i++;
    if (i < count && slice_is(bus, "usb") && drivers[i].usb) {
        device_open(b, drivers[i].usb);
    } else if (i < count && slice_is(bus, "virtio")) {
        virtio_open(b, drivers[i].virtio, input, xml_attr(input, "model"));
    } else {
        unsupported(b, "input device bus '%.*s' is not supported for type '%.*s'", SLICE_ARG(bus),
                    SLICE_ARG(type));
        return;
    }
    put_alias(b, input);
    if (slice_is(type, "passthrough")) {
        put_text(b, "evdev", xml_attr_at(input, "source", "evdev"));
        put_address(b, input);
        json_arg_close(b);
        path_add(b, xml_attr_at(input, "source", "evdev"), QEMU_PATH_SHARED, false);
        return;
    }
    put_address(b, input);
    json_arg_close(b);
}

void build_inputs(struct builder *b)
{
    XML_EACH (input, b->devices, "input") {
        if (xml_attr_is(input, "bus", "ps2"))
            continue; // the machine's own
        if (xml_attr_is(input, "type", "evdev"))
            build_evdev(b, input);
        else
            build_input(b, input);
    }
}
