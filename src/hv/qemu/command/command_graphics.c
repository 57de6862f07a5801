// What a person sees, hears and types on: VNC and SPICE, video, sound, input.
#include "hv/qemu/command/command_parts.h"

static unsigned audio_id(const struct builder *b, const struct xml_node *device)
{
    struct slice wanted = xml_attr_at(device, "audio", "id");
    if (!slice_present(wanted))
        wanted = xml_attr(xml_child(b->devices, "audio"), "id");
    return (unsigned)number_of(wanted);
}

static void put_audio(struct builder *b, const struct xml_node *device)
{
    unsigned id = audio_id(b, device);
    if (id)
        json_putf(&b->json, "audiodev", "audio%u", id);
}

static void check_choice(struct builder *b, const char *what, struct slice value)
{
    unsupported(b, "%s '%.*s' is not supported", what, SLICE_ARG(value));
}

// ---- VNC and SPICE

static void put_vnc_address(struct builder *b, const struct xml_node *graphics,
                            const struct xml_node *listen)
{
    struct slice address = xml_attr(listen, "address");
    uint64_t port = number_of(xml_attr(graphics, "port"));
    struct slice websocket = xml_attr(graphics, "websocket");
    if (!slice_present(address))
        address = xml_attr(graphics, "listen");
    if (!slice_present(address))
        address = slice_of(b->context->settings->vnc_listen);
    if (port < 5900 || port > 65535) {
        unsupported(b, "vnc port must be in range [5900,65535]");
        return;
    }
    buffer_printf(&b->text, slice_find(address, ':') >= 0 ? "[%.*s]:%u" : "%.*s:%u",
                  SLICE_ARG(address), (unsigned)port - 5900);
    if (slice_present(websocket))
        put_option(b, "websocket", websocket);
}

static void put_vnc_listener(struct builder *b, const struct xml_node *graphics)
{
    const struct xml_node *listen = xml_child(graphics, "listen");
    struct slice socket = xml_attr(listen, "socket");
    if (!slice_present(socket))
        socket = xml_attr(graphics, "socket");
    if (xml_attr_is(listen, "type", "none")) {
        buffer_puts(&b->text, "none");
    } else if (slice_present(socket)) {
        buffer_puts(&b->text, "vnc=unix:");
        put_escaped(b, socket);
    } else {
        put_vnc_address(b, graphics, listen);
    }
}

static void build_keymap(struct builder *b, const struct xml_node *graphics)
{
    struct slice keymap = xml_attr(graphics, "keymap");
    if (!slice_present(keymap))
        return;
    arg(b, "-k");
    arg_slice(b, keymap);
}

static void build_vnc(struct builder *b, const struct xml_node *graphics)
{
    struct slice power = xml_attr(graphics, "powerControl");
    bool password =
        slice_present(xml_attr(graphics, "passwd")) || b->context->settings->vnc_password[0];
    unsigned audio = audio_id(b, graphics);
    arg(b, "-vnc");
    arg_open(b);
    put_vnc_listener(b, graphics);
    put_option(b, "share", xml_attr(graphics, "sharePolicy"));
    if (password)
        buffer_puts(&b->text, ",password=on"); // set over QMP, where nobody sees it
    if (slice_present(power))
        buffer_printf(&b->text, ",power-control=%s", is_on(power) ? "on" : "off");
    if (audio)
        buffer_printf(&b->text, ",audiodev=audio%u", audio);
    arg_close(b);
    build_keymap(b, graphics);
    struct slice socket = xml_attr_at(graphics, "listen", "socket");
    if (slice_present(socket))
        path_add(b, socket, QEMU_PATH_SOCKET, false);
}

static void put_spice_listener(struct builder *b, const struct xml_node *graphics)
{
    const struct xml_node *listen = xml_child(graphics, "listen");
    struct slice socket = xml_attr(listen, "socket"), address = xml_attr(listen, "address");
    uint64_t port = number_of(xml_attr(graphics, "port"));
    if (xml_attr_is(listen, "type", "socket")) {
        if (!slice_present(socket))
            internal_error(b, "spice graphics have no socket");
        buffer_puts(&b->text, "unix,addr=");
        put_escaped(b, socket);
    } else if (xml_attr_is(listen, "type", "none")) {
        buffer_puts(&b->text, "port=0");
    } else {
        buffer_printf(&b->text, "port=%u", (unsigned)port);
        put_option(b, "addr",
                   slice_present(address) ? address : slice_of(b->context->settings->spice_listen));
    }
}

static void put_spice_options(struct builder *b, const struct xml_node *graphics)
{
    static const struct {
        const char *element, *attribute, *option;
    } options[] = {
        {"image", "compression", "image-compression"},
        {"jpeg", "compression", "jpeg-wan-compression"},
        {"zlib", "compression", "zlib-glz-wan-compression"},
        {"playback", "compression", "playback-compression"},
        {"streaming", "mode", "streaming-video"},
    };
    struct slice mouse = xml_attr_at(graphics, "mouse", "mode");
    if (slice_present(mouse))
        buffer_printf(&b->text, ",agent-mouse=%s", slice_is(mouse, "client") ? "on" : "off");
    if (!slice_present(xml_attr(graphics, "passwd")) && !b->context->settings->spice_password[0])
        buffer_puts(&b->text, ",disable-ticketing=on");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        put_option(b, options[i].option,
                   xml_attr_at(graphics, options[i].element, options[i].attribute));
    if (slice_is(xml_attr_at(graphics, "clipboard", "copypaste"), "no"))
        buffer_puts(&b->text, ",disable-copy-paste=on");
    if (slice_is(xml_attr_at(graphics, "filetransfer", "enable"), "no"))
        buffer_puts(&b->text, ",disable-agent-file-xfer=on");
    if (is_on(xml_attr_at(graphics, "gl", "enable"))) {
        buffer_puts(&b->text, ",gl=on");
        put_option(b, "rendernode", xml_attr_at(graphics, "gl", "rendernode"));
    }
    buffer_puts(&b->text, ",seamless-migration=on");
}

static void build_spice(struct builder *b, const struct xml_node *graphics)
{
    if (!builder_has(b, "-spice"))
        unsupported(b, "spice graphics are not supported with this QEMU");
    if (xml_child(graphics, "channel") || xml_attr_is(graphics, "defaultMode", "secure"))
        unsupported(b, "TLS of spice graphics is not supported");
    arg(b, "-spice");
    arg_open(b);
    put_spice_listener(b, graphics);
    put_spice_options(b, graphics);
    arg_close(b);
    build_keymap(b, graphics);
    struct slice socket = xml_attr_at(graphics, "listen", "socket");
    if (slice_present(socket))
        path_add(b, socket, QEMU_PATH_SOCKET, false);
}

static void build_egl(struct builder *b, const struct xml_node *graphics)
{
    arg(b, "-display");
    arg_open(b);
    buffer_puts(&b->text, "egl-headless");
    put_option(b, "rendernode", xml_attr_at(graphics, "gl", "rendernode"));
    arg_close(b);
}

void build_graphics(struct builder *b)
{
    XML_EACH (graphics, b->devices, "graphics") {
        struct slice type = xml_attr(graphics, "type");
        if (slice_is(type, "vnc"))
            build_vnc(b, graphics);
        else if (slice_is(type, "spice"))
            build_spice(b, graphics);
        else if (slice_is(type, "egl-headless"))
            build_egl(b, graphics);
        else
            unsupported(b, "unsupported graphics type '%.*s'", SLICE_ARG(type));
    }
}

// ---- video

static bool has_vga_mode(const struct builder *b)
{
    return b->arch == GUEST_X86_64 || b->arch == GUEST_I686;
}

// A card that is the first and can show the firmware's text mode has another driver than the
// others.
static const char *video_driver(struct slice type, bool primary)
{
    static const struct {
        const char *type, *primary, *secondary;
    } drivers[] = {
        {"vga", "VGA", NULL},
        {"cirrus", "cirrus-vga", NULL},
        {"vmvga", "vmware-svga", NULL},
        {"qxl", "qxl-vga", "qxl"},
        {"bochs", "bochs-display", "bochs-display"},
        {"ramfb", "ramfb", "ramfb"},
    };
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (slice_is(type, drivers[i].type))
            return primary ? drivers[i].primary : drivers[i].secondary;
    return NULL;
}

static void open_virtio_video(struct builder *b, const struct xml_node *video,
                              const struct xml_node *model, bool primary)
{
    bool gl = is_on(xml_attr_at(model, "acceleration", "accel3d"));
    if (xml_attr_is(video, "backend", "vhost-user") ||
        xml_attr_is(xml_child(video, "driver"), "name", "vhostuser"))
        unsupported(b, "vhost-user video devices are not supported");
    if (primary && has_vga_mode(b) && builder_has(b, "virtio-vga"))
        device_open(b, gl && builder_has(b, "virtio-vga-gl") ? "virtio-vga-gl" : "virtio-vga");
    else
        virtio_open(b, gl && builder_has(b, "virtio-gpu-gl-pci") ? "virtio-gpu-gl" : "virtio-gpu",
                    video, SLICE_NONE);
}

static void put_video_memory(struct builder *b, const struct xml_node *model, struct slice type)
{
    uint64_t memory = number_of(xml_attr(model, "vram")); // KiB, as all of these
    if (slice_is(type, "qxl")) {
        if (slice_present(xml_attr(model, "ram")))
            json_put_u64(&b->json, "ram_size", number_of(xml_attr(model, "ram")) * 1024);
        if (memory)
            json_put_u64(&b->json, "vram_size", memory * 1024);
        json_put_u64(&b->json, "vram64_size_mb", number_of(xml_attr(model, "vram64")) / 1024);
        if (slice_present(xml_attr(model, "vgamem")))
            json_put_u64(&b->json, "vgamem_mb", number_of(xml_attr(model, "vgamem")) / 1024);
    } else if ((slice_is(type, "vga") || slice_is(type, "vmvga")) && memory) {
        json_put_u64(&b->json, "vgamem_mb", memory / 1024);
    } else if (slice_is(type, "bochs") && memory) {
        json_put_u64(&b->json, "vgamem", memory * 1024);
    }
}

static void build_video(struct builder *b, const struct xml_node *video, bool first)
{
    const struct xml_node *model = xml_child(video, "model");
    struct slice type = xml_attr(model, "type"), primary = xml_attr(model, "primary");
    bool leads = slice_present(primary) ? is_on(primary) : first;
    if (slice_is(type, "none"))
        return;
    if (slice_is(type, "virtio")) {
        open_virtio_video(b, video, model, leads);
    } else {
        const char *driver = video_driver(type, leads);
        if (!driver || !builder_has(b, driver)) {
            check_choice(b, "video type", type);
            return;
        }
        device_open(b, driver);
    }
    put_alias(b, video);
    if (slice_is(type, "qxl") || slice_is(type, "virtio"))
        put_number(b, "max_outputs", xml_attr(model, "heads"));
    put_video_memory(b, model, type);
    put_number(b, "xres", xml_attr_at(model, "resolution", "x"));
    put_number(b, "yres", xml_attr_at(model, "resolution", "y"));
    put_address(b, video);
    json_arg_close(b);
}

void build_videos(struct builder *b)
{
    bool first = true;
    XML_EACH (video, b->devices, "video") {
        build_video(b, video, first);
        first = false;
    }
}

// ---- sound

void build_audio(struct builder *b)
{
    static const char *const types[][2] = {
        {"none", "none"},     {"alsa", "alsa"}, {"oss", "oss"},
        {"pulseaudio", "pa"}, {"jack", "jack"}, {"spice", "spice"},
        {"file", "wav"},      {"dbus", "dbus"}, {"sdl", "sdl"},
    };
    XML_EACH (audio, b->devices, "audio") {
        struct slice type = xml_attr(audio, "type");
        const char *driver = NULL;
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
            if (slice_is(type, types[i][0]))
                driver = types[i][1];
        if (!driver || xml_child(audio, "input") || xml_child(audio, "output")) {
            check_choice(b, "audio backend", type);
            continue;
        }
        json_arg_open(b, "-audiodev", NULL, NULL);
        json_putf(&b->json, "id", "audio%u", (unsigned)number_of(xml_attr(audio, "id")));
        json_puts(&b->json, "driver", driver);
        put_number(b, "timer-period", xml_attr(audio, "timerPeriod"));
        put_text(b, "server", xml_attr(audio, "serverName"));
        put_text(b, "path", xml_attr(audio, "path"));
        json_arg_close(b);
    }
}

static void build_codec(struct builder *b, const struct xml_node *sound, const char *type,
                        unsigned address)
{
    static const char *const drivers[][2] = {
        {"duplex", "hda-duplex"}, {"micro", "hda-micro"}, {"output", "hda-output"}};
    struct slice alias = device_alias(sound);
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (!slice_is(slice_of(type), drivers[i][0]))
            continue;
        device_open(b, drivers[i][1]);
        json_putf(&b->json, "id", "%.*s-codec%u", SLICE_ARG(alias), address);
        json_putf(&b->json, "bus", "%.*s.0", SLICE_ARG(alias));
        json_put_u64(&b->json, "cad", address);
        put_audio(b, sound);
        json_arg_close(b);
        return;
    }
    check_choice(b, "sound codec", slice_of(type));
}

static void build_codecs(struct builder *b, const struct xml_node *sound)
{
    unsigned address = 0;
    XML_EACH (codec, sound, "codec") {
        char type[16];
        slice_copy(type, sizeof(type), xml_attr(codec, "type"));
        build_codec(b, sound, type, address++);
    }
    if (address == 0)
        build_codec(b, sound, "duplex", 0);
}

void build_sounds(struct builder *b)
{
    static const struct {
        const char *model, *driver;
        bool codecs;
    } models[] = {
        {"ich6", "intel-hda", true}, {"ich9", "ich9-intel-hda", true}, {"ac97", "AC97", false},
        {"es1370", "ES1370", false}, {"sb16", "sb16", false},          {"usb", "usb-audio", false},
    };
    XML_EACH (sound, b->devices, "sound") {
        struct slice model = xml_attr(sound, "model");
        size_t i = 0, count = sizeof(models) / sizeof(models[0]);
        while (i < count && !slice_is(model, models[i].model))
            i++;
        if (i == count) {
            check_choice(b, "sound card model", model);
            continue;
        }
        device_open(b, models[i].driver);
        put_alias(b, sound);
        if (!models[i].codecs)
            put_audio(b, sound);
        put_address(b, sound);
        json_arg_close(b);
        if (models[i].codecs)
            build_codecs(b, sound);
    }
}
