// The schema of <domain>: network interfaces.
#include "virt/schema/schema_source.h"

// clang-format off

static const struct element_rule addresses[] = {
    {.name = "ip", ATTRS(ANY("address"), ANY("family"), COUNT("prefix"), ANY("peer")), .check = "domain_check_ip"},
    {.name = "route", ATTRS(ANY("family"), ANY("address"), ANY("netmask"), UINT("prefix"), ANY("gateway"), UINT("metric"))},
    {0}};

#define RATE(n) {.name = n, .flags = SCHEMA_ONE, ATTRS(ULONG("average"), ULONG("peak"), ULONG("floor"), ULONG("burst"))}
#define COALESCE(n) {.name = n, .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN({.name = "frames", .flags = SCHEMA_ONE, ATTRS(COUNT("max"))})}

static const struct element_rule interface_children[] = {
    {.name = "mac", .flags = SCHEMA_ONE, ATTRS(ANY("address"), WORD("type", "generated|static"), YES_NO("check"))},
    {.name = "source", .flags = SCHEMA_ONE, ATTRS(
        ANY("network"), ANY("portgroup"), {"portid", VALUE_STRING, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}, ANY("bridge"), ANY("macTableManager"),
        ANY("type"), ANY("path"), ANY("address"), ANY("port"), ANY("name"), ANY("dev"), ANY("mode"), ANY("switchid"), ANY("portgroupid"), ANY("connectionid")),
     CHILDREN({.name = "reconnect", .flags = SCHEMA_ONE, ATTRS(YES_NO("enabled"), UINT("timeout")), .check = "domain_check_reconnect"},
              {.name = "local", .flags = SCHEMA_ONE, ATTRS(ANY("address"), ANY("port"))},
              {.name = "address", ATTRS(ANY("type"), ANY("domain"), ANY("bus"), ANY("slot"), ANY("function"), ANY("device")), .check = "domain_check_source_address"},
              INCLUDE(addresses))},
    {.name = "vlan", .flags = SCHEMA_ONE, ATTRS(WORD("trunk", "yes|-no")), CHILDREN({.name = "tag", ATTRS(UINT("id"), WORD("nativeMode", "-default|tagged|untagged"))})},
    {.name = "virtualport", .flags = SCHEMA_ONE, ATTRS(ANY("type")), CHILDREN({.name = "parameters", .flags = SCHEMA_ONE, ATTRS(
        ANY("managerid"), ANY("typeid"), ANY("typeidversion"), ANY("instanceid"), ANY("interfaceid"), ANY("profileid"))}), .check = "domain_check_virtualport"},
    {.name = "bandwidth", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(RATE("inbound"), RATE("outbound")), .check = "domain_check_bandwidth"},
    {.name = "port", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(YES_NO("isolated"))},
    INCLUDE(addresses),
    {.name = "portForward", ATTRS(ANY("proto"), ANY("address"), ANY("dev")), CHILDREN({.name = "range", ATTRS(UINT("start"), UINT("end"), UINT("to"), YES_NO("exclude"))})},
    {.name = "script", .flags = SCHEMA_ONE, ATTRS(NAMED("path"))},
    {.name = "downscript", .flags = SCHEMA_ONE, ATTRS(NAMED("path"))},
    {.name = "backenddomain", .flags = SCHEMA_ONE, ATTRS(ANY("name"))},
    {.name = "target", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ANY("dev"), YES_NO("managed")), .check = "domain_check_interface_target"},
    {.name = "guest", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(NAMED("dev"), NAMED("actual"))},
    {.name = "model", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(NAMED("type"))},
    {.name = "driver", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(
        WORD("name", "qemu|vhost|vfio|kvm|xen"), WORD("txmode", "iothread|timer"), ON_OFF("ioeventfd"), ON_OFF("event_idx"), COUNT("queues"), COUNT("rx_queue_size"),
        COUNT("tx_queue_size"), ON_OFF("rss"), ON_OFF("rss_hash_report"), VIRTIO_OPTIONS),
     CHILDREN(
        {.name = "host", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ON_OFF("csum"), ON_OFF("gso"), ON_OFF("tso4"), ON_OFF("tso6"), ON_OFF("ecn"), ON_OFF("ufo"), ON_OFF("mrg_rxbuf"))},
        {.name = "guest", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ON_OFF("csum"), ON_OFF("tso4"), ON_OFF("tso6"), ON_OFF("ecn"), ON_OFF("ufo"))})},
    {.name = "backend", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(WORD("type", "-default"), ANY("tap"), ANY("vhost"), ANY("logFile"))},
    {.name = "filterref", .flags = SCHEMA_ONE, ATTRS(ANY("filter")), CHILDREN({.name = "parameter", ATTRS(ANY("name"), ANY("value"))})},
    {.name = "tune", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN({.name = "sndbuf", .text = VALUE_ULONG, .flags = SCHEMA_ONE, .message = "sndbuf must be a positive integer"})},
    {.name = "teaming", .flags = SCHEMA_ONE, ATTRS({"type", VALUE_ENUM, SCHEMA_REQUIRED, "persistent|transient", NULL}, ANY("persistent"))},
    {.name = "link", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(WORD_OR("state", "up|down", "unknown interface link state '%s'"))},
    {.name = "mtu", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS({"size", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "malformed mtu size"})},
    {.name = "coalesce", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(COALESCE("rx"))},
    INCLUDE(domain_device_info_schema),
    {0}};

const struct element_rule domain_interface_schema[] = {
    {.name = "interface", .children = interface_children, .check = "domain_check_interface", ATTRS(
        WORD("type", "user|ethernet|vhostuser|server|client|mcast|network|bridge|internal|direct|hostdev|udp|vdpa|null|vds"),
        WORD("managed", "yes|-no"), YES_NO("trustGuestRxFilters"))},
    {0}};
// clang-format on
