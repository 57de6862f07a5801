// Completing a domain: defaults and implied devices that do not depend on the hypervisor.
#include "virt/xml/domain_complete.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/domain_devices.h"
#include "virt/xml/xml_value.h"

#include <string.h>

// --- asking

struct slice domain_arch(const struct domain_xml *x)
{
    return xml_attr_at(x->root, "os/type", "arch");
}

struct slice domain_machine(const struct domain_xml *x)
{
    return xml_attr_at(x->root, "os/type", "machine");
}

bool domain_is_x86(const struct domain_xml *x)
{
    return slice_is(domain_arch(x), "x86_64") || slice_is(domain_arch(x), "i686");
}

bool domain_is_hvm(const struct domain_xml *x)
{
    return slice_is(value_text(xml_find(x->root, "os/type")), "hvm");
}

struct slice domain_address_type(const struct xml_node *device)
{
    return xml_attr_at(device, "address", "type");
}

// --- controllers

struct xml_node *domain_find_controller(const struct domain_xml *x, const char *type,
                                        unsigned index)
{
    XML_EACH (controller, x->devices, "controller")
        if (xml_attr_is(controller, "type", type) && slice_present(xml_attr(controller, "index")) &&
            domain_number(controller, "index", 0) == index)
            return controller;
    return NULL;
}

struct xml_node *domain_add_controller(struct domain_xml *x, const char *type, int index,
                                       const char *model)
{
    unsigned free = 0;
    while (index < 0 && domain_find_controller(x, type, free))
        free++;
    struct xml_node *last = NULL;
    XML_EACH (other, x->devices, "controller")
        last = other;
    struct xml_node *controller = last && last->next
                                      ? xml_add_before(x->doc, last->next, "controller")
                                      : xml_add(x->doc, x->devices, "controller");
    xml_sets(x->doc, controller, "type", type);
    xml_setf(x->doc, controller, "index", "%u", index < 0 ? free : (unsigned)index);
    if (model)
        xml_sets(x->doc, controller, "model", model);
    return controller;
}

struct xml_node *domain_need_controller(struct domain_xml *x, const char *type, unsigned index)
{
    struct xml_node *controller = domain_find_controller(x, type, index);
    return controller ? controller : domain_add_controller(x, type, (int)index, NULL);
}

// --- addresses

struct xml_node *domain_new_address(struct domain_xml *x, struct xml_node *device, const char *type)
{
    struct xml_node *address = xml_need(x->doc, device, "address");
    address->attrs = NULL;
    xml_sets(x->doc, address, "type", type);
    return address;
}

void domain_set_drive_address(struct domain_xml *x, struct xml_node *device, unsigned controller,
                              unsigned bus, unsigned unit)
{
    struct xml_node *address = domain_new_address(x, device, "drive");
    xml_setf(x->doc, address, "controller", "%u", controller);
    xml_setf(x->doc, address, "bus", "%u", bus);
    xml_setf(x->doc, address, "target", "%u", 0u);
    xml_setf(x->doc, address, "unit", "%u", unit);
}

// --- indices of controllers (virDomainAssignControllerIndexes)

static bool is_usb2(const struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    return slice_is(model, "ich9-ehci1") || slice_is(model, "ich9-uhci1") ||
           slice_is(model, "ich9-uhci2") || slice_is(model, "ich9-uhci3");
}

// Parts of a USB 2 controller that follow each other share an index.
static bool joins_usb2(const struct domain_xml *x, const struct xml_node *controller,
                       unsigned *index)
{
    const struct xml_node *before = controller->prev;
    while (before && !(xml_named(before, "controller") && xml_attr_is(before, "type", "usb")))
        before = before->prev;
    if (!is_usb2(controller) || !before || !is_usb2(before))
        return false;
    *index = domain_number(before, "index", 0);
    XML_EACH (other, x->devices, "controller")
        if (xml_attr_is(other, "type", "usb") && slice_present(xml_attr(other, "index")) &&
            domain_number(other, "index", 0) == *index &&
            slice_equal(xml_attr(other, "model"), xml_attr(controller, "model")))
            return false;
    return true;
}

static bool has_index(const struct xml_node *controller)
{
    return slice_present(xml_attr(controller, "index"));
}

// Each gets the lowest number that no controller of its type has.
static void number_type(struct domain_xml *x, struct slice type)
{
    static bool taken[CONFIG_XML_NODES + 1];
    unsigned free = 0;
    memset(taken, 0, sizeof(taken));
    XML_EACH (controller, x->devices, "controller") {
        unsigned index = domain_number(controller, "index", 0);
        if (slice_equal(xml_attr(controller, "type"), type) && has_index(controller) &&
            index <= CONFIG_XML_NODES)
            taken[index] = true;
    }
    XML_EACH (controller, x->devices, "controller") {
        unsigned index;
        if (has_index(controller) || !slice_equal(xml_attr(controller, "type"), type))
            continue;
        if (!joins_usb2(x, controller, &index)) {
            while (taken[free])
                free++;
            index = free;
            taken[index] = true;
        }
        xml_setf(x->doc, controller, "index", "%u", index);
    }
}

static void number_controllers(struct domain_xml *x)
{
    XML_EACH (controller, x->devices, "controller")
        if (!has_index(controller))
            number_type(x, xml_attr(controller, "type"));
}

// --- serial ports (virDomainChrIsaSerialDefPostParse)

#define ISA_SERIAL_PORTS 4

static bool is_isa_serial(const struct xml_node *serial)
{
    return xml_attr_is(xml_child(serial, "target"), "type", "isa-serial");
}

static bool number_isa_serials(struct domain_xml *x)
{
    bool used[ISA_SERIAL_PORTS] = {false};
    unsigned count = 0;
    XML_EACH (serial, x->devices, "serial") {
        if (!is_isa_serial(serial))
            continue;
        struct xml_node *target = xml_child(serial, "target");
        bool numbered = slice_present(xml_attr(target, "port"));
        unsigned port = domain_number(target, "port", 0);
        if (count++ >= ISA_SERIAL_PORTS || port >= ISA_SERIAL_PORTS)
            return REFUSE(x, INTERNAL_ERROR, "Maximum supported number of ISA serial ports is '%d'",
                          ISA_SERIAL_PORTS);
        if (numbered && used[port])
            return REFUSE(x, INTERNAL_ERROR, "target port '%u' already allocated", port);
        if (numbered)
            used[port] = true;
    }
    XML_EACH (serial, x->devices, "serial") {
        struct xml_node *target = xml_child(serial, "target");
        if (!is_isa_serial(serial) || slice_present(xml_attr(target, "port")))
            continue;
        unsigned port = 0;
        while (used[port])
            port++;
        used[port] = true;
        xml_setf(x->doc, target, "port", "%u", port);
    }
    return true;
}

// --- iteration

// Device types in the order in which libvirt visits them; consoles are special.
static const char *const device_order[] = {
    "disk",       "interface", "sound",   "hostdev", "video", "controller", "smartcard",
    "serial",     "parallel",  "channel", "console", "input", "filesystem", "watchdog",
    "memballoon", "rng",       "nvram",   "hub",     "shmem", "tpm",        "panic",
    "memory",     "redirdev",  "iommu",   "vsock"};

bool domain_is_serial_console(const struct domain_xml *x, const struct xml_node *console)
{
    if (!domain_is_hvm(x) || console != xml_child(x->devices, "console"))
        return false;
    struct slice type = xml_attr_at(console, "target", "type");
    return !slice_present(type) || slice_is(type, "serial");
}

bool domain_each_device(struct domain_xml *x, bool all_consoles, domain_device_fn *f, void *data)
{
    for (size_t i = 0; i < sizeof(device_order) / sizeof(device_order[0]); i++) {
        bool consoles = device_order[i][0] == 'c' && device_order[i][3] == 's';
        XML_EACH_SAFE (device, x->devices, device_order[i]) {
            if (consoles && !all_consoles && xml_child(x->devices, "serial") &&
                domain_is_serial_console(x, device))
                continue;
            if (!f(x, device, data))
                return false;
        }
    }
    return true;
}

static bool complete_device(struct domain_xml *x, struct xml_node *device, void *data)
{
    (void)data;
    if (!(x->rules->features & DOMAIN_XML_DISK_FD) && xml_named(device, "disk") &&
        slice_present(xml_attr_at(device, "source", "fdgroup")))
        return REFUSE(x, CONFIG_UNSUPPORTED, "driver does not support FD passing for disk '%.*s'",
                      SLICE_ARG(xml_attr_at(device, "target", "dev")));
    if (x->rules->complete_device && !x->rules->complete_device(x, device))
        return false;
    return domain_complete_device(x, device);
}

// --- memory

static uint64_t read_kib(const struct xml_node *node)
{
    uint64_t kib = 0;
    slice_u64(xml_text(node), 10, &kib);
    return kib;
}

static uint64_t numa_memory(const struct domain_xml *x)
{
    uint64_t sum = 0, kib;
    XML_EACH (cell, xml_find(x->root, "cpu/numa"), "cell")
        if (slice_u64(xml_attr(cell, "memory"), 10, &kib))
            sum += kib;
    return sum;
}

static bool set_kib(struct domain_xml *x, const char *name, uint64_t kib)
{
    struct xml_node *node = xml_need(x->doc, x->root, name);
    xml_sets(x->doc, node, "unit", "KiB");
    xml_set_textf(x->doc, node, "%llu", (unsigned long long)kib);
    return true;
}

static bool complete_memory(struct domain_xml *x)
{
    uint64_t total = read_kib(xml_child(x->root, "memory")), pluggable = 0, numa = 0;
    if (total == 0 || x->flags & DOMAIN_XML_PARSE_NEW)
        numa = numa_memory(x);
    XML_EACH (device, x->devices, "memory")
        pluggable += read_kib(xml_find(device, "target/size"));
    if (numa)
        total = numa + pluggable;
    else if (pluggable > total)
        return REFUSE(x, XML_ERROR, "Total size of memory devices exceeds the total memory size");
    if (total == pluggable)
        return REFUSE(x, XML_ERROR,
                      "Memory size must be specified via <memory> or in the <numa> configuration");
    set_kib(x, "memory", total);
    uint64_t current = read_kib(xml_child(x->root, "currentMemory"));
    set_kib(x, "currentMemory", current && current < total ? current : total);
    struct xml_node *most = xml_child(x->root, "maxMemory");
    unsigned slots = domain_number(most, "slots", 0);
    if (most && (!slots || !read_kib(most))) {
        if (slots || read_kib(most))
            return REFUSE(x, XML_ERROR,
                          "both maximum memory size and memory slot count must be specified");
        xml_remove(most);
    } else if (most && read_kib(most) < total) {
        return REFUSE(x, XML_ERROR,
                      "maximum memory size must be equal or greater than the actual memory size");
    }
    return true;
}

// Without guest NUMA a page size for node 0 is one for all.
static void complete_hugepages(struct domain_xml *x)
{
    if (xml_find(x->root, "cpu/numa/cell"))
        return;
    XML_EACH (page, xml_find(x->root, "memoryBacking/hugepages"), "page")
        if (xml_attr_is(page, "nodeset", "0"))
            xml_unset(page, "nodeset");
}

// --- os

static bool complete_os(struct domain_xml *x)
{
    struct xml_node *os = xml_child(x->root, "os"), *loader = xml_child(os, "loader");
    if (slice_is(value_text(xml_child(os, "type")), "exe") && !xml_child(os, "init"))
        return REFUSE(x, XML_ERROR, "init binary must be specified");
    if (value_text(loader).len && !slice_present(xml_attr(loader, "type")))
        xml_sets(x->doc, loader, "type", "rom");
    return true;
}

struct boot_orders {
    unsigned count;
};

static bool check_boot_order(struct domain_xml *x, struct xml_node *device, void *data)
{
    struct boot_orders *orders = data;
    unsigned order = domain_number(xml_child(device, "boot"), "order", 0);
    if (!order)
        return true;
    orders->count++;
    XML_EACH (other, x->devices, NULL)
        if (other != device && domain_number(xml_child(other, "boot"), "order", 0) == order)
            return REFUSE(x, CONFIG_UNSUPPORTED, "boot order '%u' used for more than one device",
                          order);
    return true;
}

static bool complete_boot(struct domain_xml *x)
{
    struct boot_orders orders = {0};
    struct xml_node *os = xml_child(x->root, "os");
    if (!domain_is_hvm(x))
        return true;
    if (!domain_each_device(x, false, check_boot_order, &orders))
        return false;
    if (xml_child(os, "boot") && orders.count)
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "per-device boot elements cannot be used together with os/boot elements");
    if (!xml_child(os, "boot") && !orders.count)
        xml_sets(x->doc, xml_add(x->doc, os, "boot"), "dev", "hd");
    return true;
}

// --- timers

static bool check_timer(struct domain_xml *x, const struct xml_node *timer)
{
    struct slice name = xml_attr(timer, "name"), policy = xml_attr(timer, "tickpolicy");
    bool paravirtual = slice_is(name, "kvmclock") || slice_is(name, "hypervclock");
    if (paravirtual && slice_present(policy))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "timer %.*s doesn't support setting of timer tickpolicy", SLICE_ARG(name));
    if (!slice_is(policy, "catchup") && xml_child(timer, "catchup"))
        return REFUSE(x, XML_ERROR,
                      "setting of timer catchup policies is only supported with "
                      "tickpolicy='catchup'");
    static const char *const tsc_only[] = {"frequency", "mode"};
    for (int i = 0; i < 2; i++)
        if (!slice_is(name, "tsc") && slice_present(xml_attr(timer, tsc_only[i])))
            return REFUSE(x, CONFIG_UNSUPPORTED, "timer %.*s doesn't support setting of timer %s",
                          SLICE_ARG(name), tsc_only[i]);
    if (!slice_is(name, "platform") && !slice_is(name, "rtc") &&
        slice_present(xml_attr(timer, "track")))
        return REFUSE(x, CONFIG_UNSUPPORTED, "timer %.*s doesn't support setting of timer track",
                      SLICE_ARG(name));
    return true;
}

// --- implied devices

// Is the source of both the same, so that the console can stand for the serial port?
static bool is_plain_serial(const struct xml_node *serial)
{
    struct slice type = xml_attr_at(serial, "target", "type");
    return !slice_present(type) ||
           schema_has_word("isa-serial|spapr-vio-serial|system-serial|sclp-serial", type);
}

static struct xml_node *add_console(struct domain_xml *x)
{
    struct xml_node *first = xml_child(x->devices, "console");
    struct xml_node *console =
        first ? xml_add_before(x->doc, first, "console") : xml_add(x->doc, x->devices, "console");
    xml_sets(x->doc, xml_add(x->doc, console, "target"), "type", "serial");
    return console;
}

void domain_mirror_console(struct domain_xml *x)
{
    struct xml_node *console = xml_child(x->devices, "console");
    struct xml_node *serial = xml_child(x->devices, "serial");
    if (!serial || !console || !domain_is_serial_console(x, console))
        return;
    while (console->child)
        xml_remove(console->child);
    xml_set(x->doc, console, "type", xml_attr(serial, "type"));
    XML_EACH (part, serial, NULL) {
        struct xml_node *copy = xml_copy(x->doc, console, part);
        if (!xml_named(part, "target"))
            continue;
        struct slice port = xml_attr(part, "port");
        while (copy->child)
            xml_remove(copy->child);
        copy->attrs = NULL;
        xml_sets(x->doc, copy, "type", "serial");
        xml_set(x->doc, copy, "port", slice_present(port) ? port : SLICE("0"));
    }
}

// The first <console> of a machine with serial ports is its first serial port
// (virDomainDefAddConsoleCompat); one is made of the other.
static bool complete_consoles(struct domain_xml *x)
{
    struct xml_node *console = xml_child(x->devices, "console");
    struct xml_node *serial = xml_child(x->devices, "serial");
    for (struct xml_node *other = xml_next(console, "console"); other;
         other = xml_next(other, "console"))
        if (xml_attr_is(xml_child(other, "target"), "type", "serial"))
            return REFUSE(x, CONFIG_UNSUPPORTED, "Only the first console can be a serial port");
    if (console && domain_is_serial_console(x, console)) {
        if (serial)
            return true;
        serial = xml_copy(x->doc, x->devices, console);
        serial->name = SLICE("serial");
        struct xml_node *target = xml_need(x->doc, serial, "target");
        target->attrs = NULL;
        xml_sets(x->doc, target, "port", "0");
        xml_sets(x->doc, xml_need(x->doc, console, "target"), "type", "serial");
    } else if (domain_is_hvm(x) && serial && is_plain_serial(serial)) {
        add_console(x);
    }
    return true;
}

static void need_disk_controllers(struct domain_xml *x, const char *bus, const char *type)
{
    int most = -1;
    XML_EACH (disk, x->devices, "disk") {
        struct xml_node *address = xml_child(disk, "address");
        if (xml_attr_is(xml_child(disk, "target"), "bus", bus) &&
            xml_attr_is(address, "type", "drive") &&
            (int)domain_number(address, "controller", 0) > most)
            most = (int)domain_number(address, "controller", 0);
    }
    for (int index = 0; index <= most; index++)
        domain_need_controller(x, type, (unsigned)index);
}

static void need_serial_controllers(struct domain_xml *x, const char *name)
{
    XML_EACH (device, x->devices, name) {
        struct xml_node *address = xml_child(device, "address");
        if (!xml_attr_is(xml_child(device, "target"), "type", "virtio"))
            continue;
        bool placed = xml_attr_is(address, "type", "virtio-serial");
        domain_need_controller(x, "virtio-serial",
                               placed ? domain_number(address, "controller", 0) : 0);
    }
}

// The highest slot that is taken of the first reader, -1 for none.
static int last_card_slot(const struct domain_xml *x)
{
    int slot = -1;
    XML_EACH (card, x->devices, "smartcard") {
        const struct xml_node *address = xml_child(card, "address");
        if (xml_attr_is(address, "type", "ccid") && !domain_number(address, "controller", 0) &&
            (int)domain_number(address, "slot", 0) > slot)
            slot = (int)domain_number(address, "slot", 0);
    }
    return slot;
}

static void need_card_readers(struct domain_xml *x)
{
    int slot = last_card_slot(x);
    XML_EACH (card, x->devices, "smartcard") {
        if (!xml_child(card, "address")) {
            struct xml_node *address = domain_new_address(x, card, "ccid");
            xml_sets(x->doc, address, "controller", "0");
            xml_setf(x->doc, address, "slot", "%d", ++slot);
        }
        domain_need_controller(x, "ccid",
                               domain_number(xml_child(card, "address"), "controller", 0));
    }
}

static bool add_implied_devices(struct domain_xml *x)
{
    if (!complete_consoles(x))
        return false;
    need_disk_controllers(x, "scsi", "scsi");
    need_disk_controllers(x, "fdc", "fdc");
    need_disk_controllers(x, "ide", "ide");
    need_disk_controllers(x, "sata", "sata");
    need_serial_controllers(x, "channel");
    need_serial_controllers(x, "console");
    need_card_readers(x);
    if (xml_child(x->devices, "graphics") && !xml_child(x->devices, "video"))
        xml_sets(x->doc, xml_add(x->doc, xml_add(x->doc, x->devices, "video"), "model"), "heads",
                 "1");
    return true;
}

// The first video device is the primary one; one of type 'none' has no properties.
static bool complete_first_video(struct domain_xml *x)
{
    struct xml_node *video = xml_child(x->devices, "video"), *model = xml_child(video, "model");
    if (!video)
        return true;
    if (xml_attr_is(model, "type", "none")) {
        model->attrs = NULL;
        xml_sets(x->doc, model, "type", "none");
        XML_EACH_SAFE (child, video, NULL)
            if (child != model && !xml_named(child, "alias"))
                xml_remove(child);
        return true;
    }
    xml_sets(x->doc, model, "primary", "yes");
    return complete_device(x, video, NULL);
}

// Devices that were implied have not been completed on their own yet.
static bool complete_implied(struct domain_xml *x)
{
    struct xml_node *serial = xml_child(x->devices, "serial");
    if (!complete_first_video(x) || (serial && !complete_device(x, serial, NULL)))
        return false;
    XML_EACH (controller, x->devices, "controller")
        if (xml_attr_is(controller, "type", "scsi") &&
            !slice_present(xml_attr(controller, "model")) && !complete_device(x, controller, NULL))
            return false;
    return true;
}

// --- duplicates

static bool reject_duplicates(struct domain_xml *x)
{
    XML_EACH (controller, x->devices, "controller")
        for (struct xml_node *other = controller->prev; other; other = other->prev)
            if (xml_named(other, "controller") && !xml_attr_is(controller, "type", "usb") &&
                slice_equal(xml_attr(other, "type"), xml_attr(controller, "type")) &&
                slice_equal(xml_attr(other, "index"), xml_attr(controller, "index")))
                return REFUSE(x, XML_ERROR, "Multiple '%.*s' controllers with index '%u'",
                              SLICE_ARG(xml_attr(controller, "type")),
                              domain_number(controller, "index", 0));
    XML_EACH (panic, x->devices, "panic")
        for (struct xml_node *other = panic->prev; other; other = other->prev)
            if (xml_named(other, "panic") &&
                slice_equal(xml_attr(other, "model"), xml_attr(panic, "model")))
                return REFUSE(x, XML_ERROR, "Multiple panic devices with model '%.*s'",
                              SLICE_ARG(slice_present(xml_attr(panic, "model"))
                                            ? xml_attr(panic, "model")
                                            : SLICE("default")));
    return true;
}

static bool complete_cpu(struct domain_xml *x)
{
    struct xml_node *cpu = xml_child(x->root, "cpu");
    if (!cpu)
        return true;
    if (!slice_present(xml_attr(cpu, "mode")) && slice_present(xml_attr(cpu, "check")))
        return REFUSE(x, CONFIG_UNSUPPORTED, "check attribute specified for CPU with no model");
    if (!cpu->attrs && !xml_child(cpu, NULL))
        xml_remove(cpu);
    return true;
}

static bool complete_common(struct domain_xml *x)
{
    if (!complete_memory(x) || !complete_os(x))
        return false;
    complete_hugepages(x);
    if (!reject_duplicates(x) || !complete_boot(x))
        return false;
    XML_EACH (timer, xml_child(x->root, "clock"), "timer")
        if (!check_timer(x, timer))
            return false;
    return add_implied_devices(x) && complete_implied(x) && complete_cpu(x);
}

bool domain_complete(struct domain_xml *x)
{
    if (x->rules->complete_os && !x->rules->complete_os(x))
        return false;
    number_controllers(x);
    if (x->rules->complete_domain && !x->rules->complete_domain(x))
        return false;
    if (!number_isa_serials(x) || !domain_each_device(x, true, complete_device, NULL) ||
        !complete_common(x))
        return false;
    if (x->rules->assign_addresses && !x->rules->assign_addresses(x))
        return false;
    domain_mirror_console(x);
    struct slice name = value_text(xml_child(x->root, "name"));
    if (slice_find(name, '/') >= 0)
        return REFUSE(x, XML_ERROR, "name %.*s cannot contain '/'", SLICE_ARG(name));
    return true;
}
