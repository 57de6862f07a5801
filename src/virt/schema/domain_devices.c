// The schema of <domain>: the devices but for disks.
#include "core/config.h"
#include "virt/schema/schema_source.h"

// clang-format off

#define INFO INCLUDE(domain_device_info_schema)
#define VIRTIO_DRIVER {.name = "driver", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, .attrs = domain_virtio_options}
#define VIRTIO_MODELS "virtio|virtio-transitional|virtio-non-transitional"
#define AUDIO {.name = "audio", .flags = SCHEMA_ONE, ATTRS(NUMBER("id", SCHEMA_REQUIRED | SCHEMA_NONZERO))}
#define SIZE(n) {.name = n, ATTRS(ANY("unit")), .text = VALUE_MEMORY, .flags = SCHEMA_ONE}
#define BYTES(n) {.name = n, ATTRS(ANY("unit")), .text = VALUE_BYTES, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO}

// --- character devices

#define CHAR_TYPES "null|vc|pty|dev|file|pipe|stdio|udp|tcp|unix|spicevmc|spiceport|nmdm|qemu-vdagent|dbus"

const struct element_rule domain_chardev_schema[] = {
    {.name = "source", ATTRS(ANY("master"), ANY("slave"), WORD("mode", "connect|bind"), ANY("host"), ANY("service"), ANY("path"), ANY("channel"),
        ON_OFF("append"), YES_NO("tls"), {"tlsFromConfig", VALUE_STRING, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}),
     CHILDREN(
        {.name = "seclabel", ATTRS(ANY("model"), YES_NO("relabel"), YES_NO("labelskip")), CHILDREN(TEXT("label")), .check = "domain_check_device_seclabel"},
        {.name = "reconnect", .flags = SCHEMA_ONE, ATTRS(YES_NO("enabled"), UINT("timeout")), .check = "domain_check_reconnect"},
        {.name = "clipboard", .flags = SCHEMA_ONE, ATTRS({"copypaste", VALUE_YES_NO, SCHEMA_REQUIRED, NULL, NULL})},
        {.name = "mouse", .flags = SCHEMA_ONE, ATTRS({"mode", VALUE_ENUM, SCHEMA_REQUIRED, "server|client", NULL})})},
    {.name = "protocol", ATTRS(WORD_OR("type", "raw|telnet|telnets|tls", "Unknown protocol '%s'"))},
    {.name = "log", ATTRS(ANY("file"), ON_OFF("append"))},
    {0}};

#define CHARDEV(n, ...) {.name = n, .check = "domain_check_chardev", \
    ATTRS(WORD_OR("type", CHAR_TYPES, "unknown type presented to host for character device: %s"), {"tty", VALUE_STRING, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}), \
    CHILDREN(INCLUDE(domain_chardev_schema), {.name = "target", .flags = SCHEMA_ONE, __VA_ARGS__}, INFO)}
#define PORT {"port", VALUE_UINT, 0, NULL, "Invalid port number: %s"}
#define UNKNOWN_TARGET "unknown target type '%s' specified for character device"

// --- controllers

static const struct element_rule controller_children[] = {
    {.name = "model", ATTRS(WORD("name", "-none|pci-bridge|i82801b11-bridge|ioh3420|x3130-upstream|xio3130-downstream|pxb|pxb-pcie|pcie-root-port|spapr-pci-host-bridge|pcie-pci-bridge"))},
    {.name = "target", .flags = SCHEMA_DROP_BARE, ATTRS(
        {"chassisNr", VALUE_NATURAL, SCHEMA_BASE_0, NULL, NULL}, {"chassis", VALUE_NATURAL, SCHEMA_BASE_0, NULL, NULL},
        {"port", VALUE_NATURAL, SCHEMA_BASE_0, "0x%x", NULL}, {"busNr", VALUE_NATURAL, SCHEMA_BASE_0, NULL, NULL},
        {"index", VALUE_NATURAL, SCHEMA_BASE_0, NULL, NULL}, ON_OFF("hotplug")),
     CHILDREN({.name = "node", .text = VALUE_NATURAL, .flags = SCHEMA_ONE, .message = "invalid NUMA node in target"})},
    {.name = "driver", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(COUNT("queues"), COUNT("cmd_per_lun"), COUNT("max_sectors"), ON_OFF("ioeventfd"), COUNT("iothread"), VIRTIO_OPTIONS)},
    INFO,
    SIZE("pcihole64"),
    {0}};

#ifdef CONFIG_GRAPHICS
// --- graphics

static const struct element_rule graphics_children[] = {
    {.name = "listen", ATTRS({"type", VALUE_ENUM, SCHEMA_REQUIRED, "none|address|network|socket", NULL}, NAMED("address"), NAMED("network"), NAMED("socket")),
     .check = "domain_check_listen"},
    {.name = "channel", ATTRS({"name", VALUE_ENUM, SCHEMA_REQUIRED, "main|display|inputs|cursor|playback|record|smartcard|usbredir", NULL},
                              {"mode", VALUE_ENUM, SCHEMA_REQUIRED, "any|secure|insecure", NULL})},
    {.name = "image", .flags = SCHEMA_ONE, ATTRS({"compression", VALUE_ENUM, SCHEMA_REQUIRED, "auto_glz|auto_lz|quic|glz|lz|off", NULL})},
    {.name = "jpeg", .flags = SCHEMA_ONE, ATTRS({"compression", VALUE_ENUM, SCHEMA_REQUIRED, "auto|never|always", NULL})},
    {.name = "zlib", .flags = SCHEMA_ONE, ATTRS({"compression", VALUE_ENUM, SCHEMA_REQUIRED, "auto|never|always", NULL})},
    {.name = "playback", .flags = SCHEMA_ONE, ATTRS({"compression", VALUE_ON_OFF, SCHEMA_REQUIRED, NULL, NULL})},
    {.name = "streaming", .flags = SCHEMA_ONE, ATTRS({"mode", VALUE_ENUM, SCHEMA_REQUIRED, "filter|all|off", NULL})},
    {.name = "mouse", .flags = SCHEMA_ONE, ATTRS({"mode", VALUE_ENUM, SCHEMA_REQUIRED, "server|client", NULL})},
    {.name = "clipboard", .flags = SCHEMA_ONE, ATTRS({"copypaste", VALUE_YES_NO, SCHEMA_REQUIRED, NULL, NULL})},
    {.name = "filetransfer", .flags = SCHEMA_ONE, ATTRS({"enable", VALUE_YES_NO, SCHEMA_REQUIRED, NULL, NULL})},
    {.name = "gl", .flags = SCHEMA_ONE, ATTRS(YES_NO("enable"), ANY("rendernode"))},
    AUDIO,
    {0}};

static const struct attr_rule graphics_attrs[] = {
    {"type", VALUE_ENUM, SCHEMA_REQUIRED, "sdl|vnc|rdp|desktop|spice|egl-headless|dbus", NULL}, ANY("socket"),
    ANY("port"), ANY("tlsPort"), ANY("autoport"), {"websocket", VALUE_INT, SCHEMA_DROP_ZERO, NULL, NULL}, YES_NO("replaceUser"), YES_NO("multiUser"),
    ANY("listen"), ANY("keymap"), WORD("sharePolicy", "-default|allow-exclusive|force-shared|ignore"), YES_NO("powerControl"), WORD("defaultMode", "-any|secure|insecure"),
    {"passwd", VALUE_STRING, SCHEMA_SECRET, NULL, NULL}, ANY("passwdValidTo"),
    WORD_OR("connected", "fail|disconnect|keep", "unknown connected value %s"),
    ANY("display"), ANY("xauth"), WORD("fullscreen", "yes|-no"), YES_NO("p2p"), ANY("address"), {0}};

// --- audio

#define AUDIO_IO(n) {.name = n, .flags = SCHEMA_ONE, ATTRS(YES_NO("mixingEngine"), YES_NO("fixedSettings"), COUNT("voices"), COUNT("bufferLength"), \
    ANY("name"), ANY("streamName"), COUNT("latency"), ANY("serverName"), ANY("clientName"), ANY("connectPorts"), YES_NO("exactName"), ANY("dev"), COUNT("bufferCount"), YES_NO("tryPoll")), \
    CHILDREN({.name = "settings", .flags = SCHEMA_ONE, ATTRS(COUNT("frequency"), COUNT("channels"), WORD("format", "u8|s8|u16|s16|u32|s32|f32"))})}
#endif

// --- memory devices

static const struct element_rule memory_children[] = {
    {.name = "uuid", .text = VALUE_UUID, .flags = SCHEMA_ONE},
    {.name = "source", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(
        TEXT("path"), SIZE("alignsize"), MARK("pmem"), {.name = "nodemask", .text = VALUE_SET, .flags = SCHEMA_ONE}, SIZE("pagesize"))},
    {.name = "target", .flags = SCHEMA_ONE, CHILDREN(
        SIZE("size"), {.name = "node", .text = VALUE_UINT, .flags = SCHEMA_ONE}, {.name = "label", .flags = SCHEMA_ONE, CHILDREN(SIZE("size"))},
        MARK("readonly"), SIZE("block"), SIZE("requested"),
        {.name = "current", ATTRS(ANY("unit")), .text = VALUE_MEMORY, .flags = SCHEMA_ONE | SCHEMA_LIVE | SCHEMA_HIDE})},
    INFO,
    {0}};

// --- devices that no guest can have yet

#ifdef CONFIG_DEVICES_KEPT
#define KEPT(...) __VA_ARGS__,

static const struct element_rule filesystem_children[] = {
    {.name = "driver", .flags = SCHEMA_ONE, ATTRS(WORD("type", "-default|path|handle|loop|nbd|ploop|virtiofs"), ANY("format"),
        WORD("wrpolicy", "-default|immediate"), {"queue", VALUE_ULONG, SCHEMA_DROP_ZERO, NULL, "cannot parse queue size '%s' for virtiofs"}, VIRTIO_OPTIONS),
     .check = "domain_check_filesystem_driver"},
    {.name = "binary", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(NAMED("path"), ON_OFF("xattr")), CHILDREN(
        {.name = "cache", .flags = SCHEMA_ONE, ATTRS(WORD("mode", "none|always"))}, {.name = "sandbox", .flags = SCHEMA_ONE, ATTRS(WORD("mode", "namespace|chroot"))},
        {.name = "lock", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ON_OFF("posix"), ON_OFF("flock"))},
        {.name = "thread_pool", .flags = SCHEMA_ONE, ATTRS({"size", VALUE_INT, 0, NULL, "cannot parse thread pool size '%s' for virtiofs"})})},
    {.name = "source", .flags = SCHEMA_ONE, ATTRS(ANY("dir"), ANY("socket"), ANY("dev"), ANY("file"), ANY("name"), ANY("usage"), ANY("units"), ANY("pool"), ANY("volume"))},
    {.name = "target", .flags = SCHEMA_ONE, ATTRS(ANY("dir"))},
    MARK("readonly"),
    INFO,
    BYTES("space_hard_limit"), BYTES("space_soft_limit"),
    {0}};

static const struct element_rule tpm_children[] = {
    {.name = "backend", .flags = SCHEMA_ONE, ATTRS(WORD_OR("type", "passthrough|emulator|external", "Unknown TPM backend type '%s'"),
        WORD_OR("version", "1.2|2.0", "Unsupported TPM version '%s'"), YES_NO("persistent_state")),
     CHILDREN({.name = "device", .flags = SCHEMA_ONE, ATTRS(ANY("path"))}, {.name = "encryption", .flags = SCHEMA_ONE, ATTRS(ANY("secret"))},
        {.name = "active_pcr_banks", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(MARK("sha1"), MARK("sha256"), MARK("sha384"), MARK("sha512"))},
        {.name = "source", .flags = SCHEMA_ONE, ATTRS(ANY("type"), ANY("mode"), ANY("path"))})},
    INFO,
    {0}};

static const struct element_rule hostdev_children[] = {
    {.name = "driver", .flags = SCHEMA_ONE, ATTRS(ANY("name"))},
    {.name = "source", .flags = SCHEMA_ONE, ATTRS(ANY("protocol"), ANY("name"), ANY("wwpn"), ANY("writeFiltering"), ANY("startupPolicy"), ANY("guestReset")),
     CHILDREN({.name = "host", ATTRS(ANY("name"), ANY("port"))}, {.name = "adapter", ATTRS(ANY("name"))}, {.name = "vendor", ATTRS({"id", VALUE_UINT, SCHEMA_BASE_0, "0x%.4x", NULL})}, {.name = "product", ATTRS({"id", VALUE_UINT, SCHEMA_BASE_0, "0x%.4x", NULL})},
        {.name = "auth", .flags = SCHEMA_ONE, ATTRS(ANY("username")), CHILDREN({.name = "secret", ATTRS(ANY("type"), ANY("uuid"), ANY("usage"))})},
        {.name = "initiator", .flags = SCHEMA_ONE, CHILDREN({.name = "iqn", ATTRS(ANY("name"))})},
        {.name = "address", ATTRS(ANY("type"), ANY("domain"), ANY("bus"), ANY("slot"), ANY("function"), ANY("target"), ANY("unit"), ANY("device"), ANY("uuid")), .check = "domain_check_source_address"})},
    {.name = "teaming", .flags = SCHEMA_ONE, ATTRS(WORD("type", "persistent|transient"), ANY("persistent"))},
    MARK("readonly"), MARK("shareable"),
    INFO,
    {0}};
#else
#define KEPT(...)
#endif

// --- <devices>

const struct element_rule domain_devices_schema[] = {
    {.name = "emulator", .text = VALUE_STRING, .flags = SCHEMA_ONE},
    INCLUDE(domain_disk_schema),
    {.name = "controller", .check = "domain_check_controller", .children = controller_children,
     ATTRS(WORD("type", "ide|fdc|scsi|sata|virtio-serial|ccid|usb|pci|xenbus|isa"), {"index", VALUE_NATURAL, 0, NULL, NULL}, ANY("model"),
           {"ports", VALUE_NATURAL, 0, NULL, NULL}, {"vectors", VALUE_NATURAL, 0, NULL, NULL}, {"maxGrantFrames", VALUE_NATURAL, 0, NULL, NULL},
           {"maxEventChannels", VALUE_NATURAL, 0, NULL, NULL})},
    KEPT({.name = "lease", CHILDREN(TEXT("lockspace"), TEXT("key"), {.name = "target", .flags = SCHEMA_ONE, ATTRS(ANY("path"), ULONG("offset"))})})
    KEPT({.name = "filesystem", .check = "domain_check_filesystem", .children = filesystem_children,
     ATTRS(WORD("type", "mount|block|file|template|ram|bind|volume"), WORD("accessmode", "passthrough|mapped|squash"), WORD("model", VIRTIO_MODELS),
           WORD("multidevs", "-default|remap|forbid|warn"), {"fmode", VALUE_UINT, SCHEMA_BASE_8 | SCHEMA_DROP_ZERO, "%04o", NULL},
           {"dmode", VALUE_UINT, SCHEMA_BASE_8 | SCHEMA_DROP_ZERO, "%04o", NULL})})
    INCLUDE(domain_interface_schema),
    KEPT({.name = "smartcard", .check = "domain_check_smartcard", ATTRS(WORD_OR("mode", "host|host-certificates|passthrough", "unknown smartcard device mode: %s"), ANY("type")),
     CHILDREN({.name = "certificate", .text = VALUE_STRING}, TEXT("database"), INCLUDE(domain_chardev_schema), INFO)})
    CHARDEV("serial", ATTRS(WORD_OR("type", "-none|isa-serial|usb-serial|pci-serial|spapr-vio-serial|system-serial|sclp-serial|isa-debug", UNKNOWN_TARGET), PORT),
        CHILDREN({.name = "model", .flags = SCHEMA_ONE, ATTRS(WORD_OR("name", "-none|isa-serial|usb-serial|pci-serial|spapr-vty|pl011|sclpconsole|sclplmconsole|16550a|isa-debugcon",
                                                                      "unknown target model '%s' specified for character device"))})),
    CHARDEV("parallel", ATTRS(ANY("type"), PORT)),
    CHARDEV("console", ATTRS(WORD_OR("type", "-none|serial|xen|uml|virtio|lxc|openvz|sclp|sclplm", UNKNOWN_TARGET), PORT)),
    CHARDEV("channel", ATTRS(WORD_OR("type", "-none|guestfwd|virtio|xen", UNKNOWN_TARGET), ANY("address"), ANY("port"), ANY("name"),
                             {"state", VALUE_ENUM, SCHEMA_LIVE | SCHEMA_HIDE, "connected|disconnected", NULL})),
    {.name = "input", .check = "domain_check_input",
     ATTRS(WORD_OR("type", "mouse|tablet|keyboard|passthrough|evdev", "unknown input device type '%s'"),
           WORD_OR("bus", "ps2|usb|xen|parallels|virtio|none", "unknown input bus type '%s'"), WORD_OR("model", VIRTIO_MODELS, "unknown input model '%s'")),
     CHILDREN(VIRTIO_DRIVER, {.name = "source", .flags = SCHEMA_ONE, ATTRS(ANY("evdev"), ANY("dev"), WORD("grab", "all"),
        WORD("grabToggle", "ctrl-ctrl|alt-alt|shift-shift|meta-meta|scrolllock|ctrl-scrolllock"), ON_OFF("repeat"))}, INFO)},
    KEPT({.name = "tpm", .children = tpm_children, .check = "domain_check_tpm", ATTRS(WORD_OR("model", "-default|tpm-tis|tpm-crb|tpm-spapr|spapr-tpm-proxy", "Unknown TPM frontend model '%s'"))})
#ifdef CONFIG_GRAPHICS
    {.name = "graphics", .children = graphics_children, .attrs = graphics_attrs, .check = "domain_check_graphics"},
    {.name = "sound", ATTRS({"model", VALUE_ENUM, SCHEMA_REQUIRED, "sb16|es1370|pcspk|ac97|ich6|ich9|usb|ich7", NULL}), .check = "domain_check_sound",
     CHILDREN({.name = "codec", ATTRS(WORD_OR("type", "duplex|micro|output", "unknown codec type '%s'"))}, AUDIO, INFO)},
    {.name = "audio", ATTRS(NUMBER("id", SCHEMA_REQUIRED | SCHEMA_NONZERO), {"type", VALUE_ENUM, SCHEMA_REQUIRED, "none|alsa|coreaudio|jack|oss|pulseaudio|sdl|spice|file|dbus", NULL},
        NUMBER("timerPeriod", SCHEMA_NONZERO), YES_NO("tryMMap"), YES_NO("exclusive"), {"dspPolicy", VALUE_INT, 0, NULL, NULL}, ANY("serverName"), WORD("driver", "esd|alsa|arts|pulseaudio"), ANY("path")),
     CHILDREN(AUDIO_IO("input"), AUDIO_IO("output"))},
    {.name = "video", .check = "domain_check_video", CHILDREN(
        {.name = "driver", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(VIRTIO_OPTIONS, WORD("vgaconf", "io|on|off"), WORD("name", "qemu|vhostuser"))},
        {.name = "model", .flags = SCHEMA_ONE, ATTRS(
            WORD_OR("type", "-default|vga|cirrus|vmvga|xen|vbox|qxl|parallels|virtio|gop|none|bochs|ramfb", "unknown video model '%s'"),
            {"ram", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "cannot parse video ram '%s'"}, {"vram", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "cannot parse video vram '%s'"},
            {"vram64", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "cannot parse video vram64 '%s'"}, {"vgamem", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "cannot parse video vgamem '%s'"},
            {"heads", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "cannot parse video heads '%s'"}, {"primary", VALUE_ENUM, SCHEMA_LENIENT, "yes|-no", NULL}),
         CHILDREN({.name = "acceleration", .flags = SCHEMA_ONE, ATTRS(YES_NO("accel3d"), YES_NO("accel2d"), ANY("rendernode")), .check = "domain_check_acceleration"},
                  {.name = "resolution", .flags = SCHEMA_ONE, ATTRS(NUMBER("x", SCHEMA_REQUIRED), NUMBER("y", SCHEMA_REQUIRED))})},
        INFO)},
#endif
    KEPT({.name = "hostdev", .children = hostdev_children, .check = "domain_check_hostdev",
     ATTRS(ANY("mode"), ANY("type"), YES_NO("managed"), WORD("sgio", "filtered|unfiltered"), YES_NO("rawio"), ANY("model"), ON_OFF("display"), ON_OFF("ramfb"))})
    {.name = "redirdev", .flags = SCHEMA_OPEN, .check = "domain_check_redirdev", ATTRS(ANY("bus"), WORD_OR("type", CHAR_TYPES, "unknown redirdev character device type '%s'")), CHILDREN(INCLUDE(domain_chardev_schema), INFO)},
    KEPT({.name = "redirfilter", .flags = SCHEMA_DROP_BARE, CHILDREN({.name = "usbdev", ATTRS(ANY("class"), ANY("vendor"), ANY("product"), ANY("version"), {"allow", VALUE_YES_NO, SCHEMA_REQUIRED, NULL, NULL}), .check = "domain_check_usbdev"})})
    {.name = "hub", .check = "domain_check_hub", ATTRS(WORD_OR("type", "usb", "unknown hub device type '%s'")), CHILDREN(INFO)},
    {.name = "watchdog", .check = "domain_check_watchdog", ATTRS(WORD_OR("model", "i6300esb|ib700|diag288", "unknown watchdog model '%s'"),
        WORD_OR("action", "reset|shutdown|poweroff|pause|dump|none|inject-nmi", "unknown watchdog action '%s'")), CHILDREN(INFO)},
    {.name = "memballoon", .check = "domain_check_memballoon", ATTRS({"model", VALUE_ENUM, SCHEMA_REQUIRED, "virtio|xen|none|virtio-transitional|virtio-non-transitional", NULL},
        ON_OFF("autodeflate"), ON_OFF("freePageReporting")),
     CHILDREN({.name = "stats", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS({"period", VALUE_INT, SCHEMA_BASE_0 | SCHEMA_DROP_ZERO, NULL, NULL})}, INFO, VIRTIO_DRIVER)},
    {.name = "rng", .check = "domain_check_rng", ATTRS(WORD_OR("model", VIRTIO_MODELS, "unknown RNG model '%s'")), CHILDREN(
        {.name = "rate", .flags = SCHEMA_ONE, ATTRS({"bytes", VALUE_UINT, 0, NULL, "invalid RNG rate bytes value"}, {"period", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "invalid RNG rate period value"})},
        {.name = "backend", ATTRS(WORD_OR("model", "random|egd|builtin", "unknown RNG backend model '%s'"), ANY("type")), CHILDREN(INCLUDE(domain_chardev_schema)), .flags = SCHEMA_KEEP_TEXT},
        VIRTIO_DRIVER, INFO)},
    KEPT({.name = "nvram", .flags = SCHEMA_ONE, CHILDREN(INFO)})
    {.name = "panic", ATTRS(WORD("model", "-default|isa|pseries|hyperv|s390")), CHILDREN(INFO)},
    KEPT({.name = "shmem", .check = "domain_check_shmem", ATTRS(ANY("name"), WORD("role", "master|peer")), CHILDREN(
        {.name = "model", .flags = SCHEMA_ONE, ATTRS(WORD("type", "ivshmem|ivshmem-plain|ivshmem-doorbell"))}, {.name = "size", .flags = SCHEMA_ONE, ATTRS(ANY("unit")), .text = VALUE_BYTES},
        {.name = "server", .flags = SCHEMA_ONE, ATTRS(ANY("path"))}, {.name = "msi", .flags = SCHEMA_ONE, ATTRS({"vectors", VALUE_UINT, SCHEMA_BASE_0 | SCHEMA_DROP_ZERO, NULL, NULL}, ON_OFF("ioeventfd"))}, INFO)})
    {.name = "memory", .children = memory_children, ATTRS({"model", VALUE_ENUM, SCHEMA_REQUIRED, "dimm|nvdimm|virtio-pmem|virtio-mem|sgx-epc", NULL}, WORD("access", "shared|private"), YES_NO("discard"))},
    {.name = "iommu", ATTRS({"model", VALUE_ENUM, SCHEMA_REQUIRED, "intel|smmuv3|virtio", NULL}), CHILDREN(
        {.name = "driver", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ON_OFF("intremap"), ON_OFF("caching_mode"), ON_OFF("eim"), ON_OFF("iotlb"), COUNT("aw_bits"))}, INFO)},
    {.name = "vsock", ATTRS(WORD("model", "-default|" VIRTIO_MODELS)), CHILDREN(
        {.name = "cid", .flags = SCHEMA_ONE, ATTRS(YES_NO("auto"), COUNT("address"))}, INFO, VIRTIO_DRIVER)},
    {0}};
// clang-format on
