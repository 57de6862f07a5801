// The schema of <domain>: attributes that depend on another value (the type of an address or of a
// source), and values that are not where the schema reaches.
#include "virt/schema/schema_source.h"

// clang-format off

#define HEX(n, format) {n, VALUE_UINT, SCHEMA_BASE_0, format, NULL}
#define PORT_NUMBER(n) {n, VALUE_UINT, SCHEMA_BASE_16 | SCHEMA_DROP_ZERO, "0x%x", NULL}

static const struct attr_rule pci[] = {ANY("type"), HEX("domain", "0x%04x"), HEX("bus", "0x%02x"),
    HEX("slot", "0x%02x"), HEX("function", "0x%x"), ON_OFF("multifunction"), {0}};
static const struct attr_rule drive[] = {ANY("type"), UINT("controller"), UINT("bus"), UINT("target"), UINT("unit"), {0}};
static const struct attr_rule serial[] = {ANY("type"), UINT("controller"), UINT("bus"), UINT("port"), {0}};
static const struct attr_rule ccid[] = {ANY("type"), UINT("controller"), UINT("slot"), {0}};
static const struct attr_rule usb[] = {ANY("type"), UINT("bus"), ANY("port"), {0}};
static const struct attr_rule ccw[] = {ANY("type"), HEX("cssid", "0x%x"), HEX("ssid", "0x%x"), HEX("devno", "0x%04x"), {0}};
static const struct attr_rule isa[] = {ANY("type"), PORT_NUMBER("iobase"), PORT_NUMBER("irq"), {0}};
static const struct attr_rule dimm[] = {ANY("type"), NUMBER("slot", SCHEMA_REQUIRED), ANY("base"), {0}};
static const struct attr_rule spapr[] = {ANY("type"), ANY("reg"), {0}};
static const struct attr_rule type[] = {ANY("type"), {0}};

static const struct attr_rule spice[] = {
    {"port", VALUE_INT, 0, NULL, NULL}, {"tlsPort", VALUE_INT, 0, NULL, NULL}, YES_NO("autoport"), {0}};
static const struct attr_rule spinlocks[] = {ANY("state"), NUMBER("retries", SCHEMA_REQUIRED | SCHEMA_BASE_0), {0}};
static const struct attr_rule socket[] = {ANY("address"), {"port", VALUE_INT, SCHEMA_REQUIRED, NULL, NULL}, {0}};
static const struct attr_rule uuid[] = {{"uuid", VALUE_UUID, SCHEMA_LENIENT, NULL, NULL}, {0}};

const struct attr_table domain_attr_tables[] = {
    {"PCI_ADDRESS", pci},
    {"DRIVE_ADDRESS", drive},
    {"SERIAL_ADDRESS", serial},
    {"CCID_ADDRESS", ccid},
    {"USB_ADDRESS", usb},
    {"CCW_ADDRESS", ccw},
    {"ISA_ADDRESS", isa},
    {"DIMM_ADDRESS", dimm},
    {"SPAPR_ADDRESS", spapr},
    {"BARE_ADDRESS", type},
    {"SPICE_PORTS", spice},
    {"SPINLOCKS", spinlocks},
    {"SOCKET", socket},
    {"UUID", uuid},
    {0}};
// clang-format on
