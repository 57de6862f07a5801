// The parts of the command line's builder, private to command_*.c.
#ifndef HV_QEMU_COMMAND_PARTS_H
#define HV_QEMU_COMMAND_PARTS_H

#include "hv/qemu/command/command.h"
#include "text/json.h"

enum guest_arch { GUEST_X86_64, GUEST_I686, GUEST_AARCH64, GUEST_ARMV7L, GUEST_OTHER };

// One command line while it is built. The first error stops nothing: everything written afterwards
// is thrown away.
struct builder {
    struct qemu_command *out;
    struct buffer text; // over out->text
    const struct qemu_command_context *context;
    const struct qemu_capabilities *capabilities;
    const struct xml_node *domain, *os, *features, *devices;
    struct error *err;
    struct json_writer json; // of the JSON argument that is open
    bool open;               // an argument is being written
    enum guest_arch arch;
    bool kvm, q35, i440fx, arm_virt;
};

// --- command.c: writing arguments
bool builder_failed(const struct builder *b);
// Sets VIR_ERR_CONFIG_UNSUPPORTED.
void unsupported(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void internal_error(struct builder *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool builder_has(const struct builder *b, const char *fact);

void arg(struct builder *b, const char *text);
void arg_slice(struct builder *b, struct slice text);
void argf(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arg_pair(struct builder *b, const char *option, const char *value);
// An argument that is written piece by piece into b->text.
void arg_open(struct builder *b);
void arg_close(struct builder *b);
// With commas doubled, as QEMU's option parser wants them inside a value.
void put_escaped(struct builder *b, struct slice value);
// ",name=value", when the value is present.
void put_option(struct builder *b, const char *name, struct slice value);
void environment(struct builder *b, struct slice name, const char *separator, struct slice value);
void path_add(struct builder *b, struct slice path, enum qemu_path_use use, bool image);

// A JSON argument: option and {"first":"value" — then json_put... on &b->json, then json_arg_close.
void json_arg_open(struct builder *b, const char *option, const char *first, const char *value);
void json_arg_close(struct builder *b);
void device_open(struct builder *b, const char *driver); // -device {"driver":...
void object_open(struct builder *b, const char *type, const char *id);

// --- command_address.c: properties that many devices share
struct slice device_alias(const struct xml_node *device);
void put_alias(struct builder *b, const struct xml_node *device); // "id"
void put_address(struct builder *b, const struct xml_node *device);
// "bootindex" as <boot order='N'/> or, with <os><boot dev='...'/>, the device's place says.
void put_boot_index(struct builder *b, const struct xml_node *device);
unsigned boot_index(const struct builder *b, const struct xml_node *device);
// Opens -device virtio-NAME-pci (or -device on a virtio-mmio bus, -(non-)transitional by the
// model), with the <driver> attributes that all virtio devices share.
void virtio_open(struct builder *b, const char *name, const struct xml_node *device,
                 struct slice model);
// The controller of that type and index; NULL when there is none.
const struct xml_node *controller_find(const struct builder *b, const char *type,
                                       struct slice index);
// Attributes to properties: "on"/"off" and "yes"/"no" become true and false; absent ones are left
// out.
void put_switch(struct builder *b, const char *property, struct slice value);
void put_number(struct builder *b, const char *property, struct slice value);
void put_text(struct builder *b, const char *property, struct slice value);
// Reads a number; 0 when it is absent. Base 0.
uint64_t number_of(struct slice value);
bool is_on(struct slice value); // "on" or "yes"
// The number of bytes of an element with a number and a unit attribute (default: KiB).
uint64_t memory_bytes(const struct xml_node *element);

// --- one file each
void build_machine(struct builder *b);
void build_cpu(struct builder *b);
void build_memory(struct builder *b);
void build_numa(struct builder *b);
void build_smp(struct builder *b);
void build_firmware_blocks(struct builder *b);
void build_loader(struct builder *b);
void build_smbios(struct builder *b);
void build_boot(struct builder *b);
void build_clock(struct builder *b);
void build_controllers(struct builder *b);
void build_ccid(struct builder *b);
void build_disks(struct builder *b);
void build_interfaces(struct builder *b);
void build_serials(struct builder *b);
void build_parallels(struct builder *b);
void build_channels(struct builder *b);
void build_redirdevs(struct builder *b);
void build_consoles(struct builder *b);
// -chardev "char"ALIAS for the source in `device` (which may be the device itself).
void build_chardev(struct builder *b, const struct xml_node *device, struct slice alias);
void build_inputs(struct builder *b);
void build_audio(struct builder *b);
void build_graphics(struct builder *b);
void build_videos(struct builder *b);
void build_sounds(struct builder *b);
void build_hubs(struct builder *b);
void build_iommu(struct builder *b);
void build_watchdogs(struct builder *b);
void build_memballoon(struct builder *b);
void build_rngs(struct builder *b);
void build_vmcoreinfo(struct builder *b);
void build_vmgenid(struct builder *b);
void build_panics(struct builder *b);
void build_vsock(struct builder *b);
void build_memory_devices(struct builder *b);
void check_unsupported_devices(struct builder *b);

#endif
