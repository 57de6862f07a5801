// The schema of <domain>: everything but the devices.
#include "virt/schema/schema_source.h"

// clang-format off

#define MEMORY_MODES "strict|preferred|interleave|restrictive"

static const struct attr_rule state_attr[] = {ON_OFF("state"), {0}};
static const struct attr_rule required_state[] = {
    {"state", VALUE_ON_OFF, SCHEMA_REQUIRED, NULL, NULL}, {0}};
static const struct attr_rule unit_attr[] = {ANY("unit"), {0}};

#define STATE(n)   {.name = n, .attrs = required_state, .flags = SCHEMA_ONE}
#define MEMORY(n)  {.name = n, .attrs = unit_attr, .text = VALUE_MEMORY, .flags = SCHEMA_ONE}
#define LONG(n, text_message) \
    {.name = n, .text = VALUE_ULONG, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO, .message = text_message}
#define SIGNED(n, text_message) \
    {.name = n, .text = VALUE_LONG, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO, .message = text_message}

// --- memory and processors

static const struct element_rule blkiotune[] = {
    {.name = "weight", .text = VALUE_UINT, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO | SCHEMA_LENIENT},
    {.name = "device", CHILDREN(
        TEXT("path"),
        {.name = "weight", .text = VALUE_UINT, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO},
        {.name = "read_iops_sec", .text = VALUE_UINT, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO},
        {.name = "write_iops_sec", .text = VALUE_UINT, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO},
        {.name = "read_bytes_sec", .text = VALUE_ULONG, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO},
        {.name = "write_bytes_sec", .text = VALUE_ULONG, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO}),
     .check = "domain_check_blkio_device"},
    {0}};

static const struct element_rule memory_backing[] = {
    {.name = "hugepages", .flags = SCHEMA_ONE, CHILDREN(
        {.name = "page", ATTRS(ANY("size"), ANY("unit"), {"nodeset", VALUE_SET, 0, NULL, NULL}),
         .check = "domain_check_hugepage"})},
    MARK("nosharepages"),
    MARK("locked"),
    {.name = "source", .flags = SCHEMA_ONE,
     ATTRS(WORD_OR("type", "file|anonymous|memfd", "unknown memoryBacking/source/type '%s'"))},
    {.name = "access", .flags = SCHEMA_ONE,
     ATTRS(WORD_OR("mode", "shared|private", "unknown memoryBacking/access/mode '%s'"))},
    {.name = "allocation", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE,
     ATTRS(WORD_OR("mode", "immediate|ondemand", "unknown memoryBacking/allocation/mode '%s'"),
           {"threads", VALUE_UINT, SCHEMA_DROP_ZERO, NULL, "Failed to parse memory allocation threads"})},
    MARK("discard"),
    {0}};

#define SCHEDULERS "batch|idle|fifo|rr"
#define SCHED(n, ids) {.name = n, ATTRS({ids, VALUE_SET, 0, NULL, NULL}, \
    {"scheduler", VALUE_ENUM, SCHEMA_REQUIRED, SCHEDULERS, NULL}, \
    {"priority", VALUE_INT, 0, NULL, NULL}), .check = "domain_check_scheduler"}
#define PIN(n, id) {.name = n, ATTRS({id, VALUE_UINT, SCHEMA_REQUIRED, NULL, NULL}, \
    {"cpuset", VALUE_SET, 0, NULL, NULL}), .check = "domain_check_pin"}


static const struct element_rule cputune[] = {
    {.name = "shares", .text = VALUE_ULONG, .flags = SCHEMA_ONE, .message = "can't parse cputune shares value"},
    LONG("period", "can't parse cputune period value"),
    SIGNED("quota", "can't parse cputune quota value"),
    LONG("global_period", "can't parse cputune global period value"),
    SIGNED("global_quota", "can't parse cputune global quota value"),
    LONG("emulator_period", "can't parse cputune emulator period value"),
    SIGNED("emulator_quota", "can't parse cputune emulator quota value"),
    LONG("iothread_period", "can't parse cputune iothread period value"),
    SIGNED("iothread_quota", "can't parse cputune iothread quota value"),
    PIN("vcpupin", "vcpu"),
    {.name = "emulatorpin", ATTRS({"cpuset", VALUE_SET, 0, NULL, NULL}), .check = "domain_check_pin"},
    PIN("iothreadpin", "iothread"),
    {.name = "emulatorsched",
     ATTRS({"scheduler", VALUE_ENUM, SCHEMA_REQUIRED, SCHEDULERS, NULL}, {"priority", VALUE_INT, 0, NULL, NULL}),
     .check = "domain_check_scheduler"},
    SCHED("vcpusched", "vcpus"),
    SCHED("iothreadsched", "iothreads"),
    {.name = "cachetune", ATTRS({"vcpus", VALUE_SET, 0, NULL, NULL}, {"id", VALUE_STRING, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}),
     CHILDREN({.name = "cache", ATTRS(UINT("id"), UINT("level"), WORD("type", "both|code|data"), ANY("size"), ANY("unit"))},
              {.name = "monitor", ATTRS(UINT("level"), {"vcpus", VALUE_SET, 0, NULL, NULL})})},
    {.name = "memorytune", ATTRS({"vcpus", VALUE_SET, 0, NULL, NULL}, {"id", VALUE_STRING, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}),
     CHILDREN({.name = "node", ATTRS(UINT("id"), UINT("bandwidth"))},
              {.name = "monitor", ATTRS({"vcpus", VALUE_SET, 0, NULL, NULL})})},
    {0}};

static const struct element_rule numatune[] = {
    {.name = "memory", .flags = SCHEMA_ONE,
     ATTRS(WORD_OR("mode", MEMORY_MODES, "Unsupported NUMA memory tuning mode '%s'"),
           {"nodeset", VALUE_SET, 0, NULL, NULL},
           WORD_OR("placement", "static|auto", "Unsupported NUMA memory placement mode '%s'")),
     .check = "domain_check_numatune_memory"},
    {.name = "memnode",
     ATTRS({"cellid", VALUE_UINT, SCHEMA_REQUIRED, NULL, NULL}, WORD("mode", MEMORY_MODES),
           {"nodeset", VALUE_SET, 0, NULL, NULL}),
     .check = "domain_check_memnode"},
    {0}};

#define THREAD_POOL {"thread_pool_min", VALUE_NATURAL, 0, NULL, NULL}, \
                    {"thread_pool_max", VALUE_NATURAL, 0, NULL, NULL}

// --- sysinfo and os

#define ENTRIES(n) {.name = n, .flags = SCHEMA_DROP_BARE, CHILDREN({.name = "entry", ATTRS(ANY("name")), .text = VALUE_STRING}), \
                    .check = "domain_check_sysinfo_entries"}

static const struct element_rule sysinfo[] = {
    ENTRIES("bios"), ENTRIES("system"), ENTRIES("baseBoard"), ENTRIES("chassis"),
    {.name = "oemStrings", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN({.name = "entry", .text = VALUE_STRING})},
    {.name = "entry", ATTRS(ANY("name"), ANY("file")), .text = VALUE_STRING, .check = "domain_check_fwcfg_entry"},
    {0}};

static const struct element_rule os[] = {
    {.name = "type", ATTRS(NAMED("arch"), NAMED("machine")), .text = VALUE_STRING, .flags = SCHEMA_ONE},
    {.name = "firmware", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(
        {.name = "feature", ATTRS({"enabled", VALUE_YES_NO, SCHEMA_REQUIRED, NULL, NULL},
                                  {"name", VALUE_ENUM, SCHEMA_REQUIRED, "enrolled-keys|secure-boot", NULL})}),
     .check = "domain_check_firmware_features"},
    TEXT("init"),
    {.name = "initarg", .text = VALUE_STRING},
    {.name = "initenv", ATTRS(ANY("name")), .text = VALUE_STRING},
    TEXT("initdir"), TEXT("inituser"), TEXT("initgroup"),
    {.name = "loader", .flags = SCHEMA_ONE, .text = VALUE_STRING,
     ATTRS(YES_NO("readonly"), YES_NO("secure"), WORD("type", "rom|pflash"), YES_NO("stateless"))},
    {.name = "nvram", .flags = SCHEMA_ONE | SCHEMA_KEEP_TEXT,
     ATTRS(NAMED("template"), WORD("type", "file|block|dir|network|volume|nvme|vhostuser")),
     CHILDREN(INCLUDE(domain_source_schema)), .check = "domain_check_nvram"},
    TEXT("kernel"), TEXT("initrd"), TEXT("cmdline"), TEXT("dtb"), TEXT("root"),
    {.name = "acpi", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN({.name = "table", ATTRS(ANY("type")), .text = VALUE_STRING}),
     .check = "domain_check_acpi_table"},
    {.name = "boot", ATTRS({"dev", VALUE_ENUM, SCHEMA_REQUIRED, "fd|cdrom|hd|network", NULL})},
    {.name = "bootmenu", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(YES_NO("enable"), UINT("timeout")), .check = "domain_check_bootmenu"},
    {.name = "bios", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE,
     ATTRS(YES_NO("useserial"), {"rebootTimeout", VALUE_INT, 0, NULL, NULL})},
    {.name = "smbios", .flags = SCHEMA_ONE, ATTRS(WORD_OR("mode", "none|emulate|host|sysinfo", "unknown smbios mode '%s'"))},
    {0}};

// --- features

static const struct element_rule hyperv[] = {
    STATE("relaxed"), STATE("vapic"),
    {.name = "spinlocks", .flags = SCHEMA_ONE, ATTRS({"state", VALUE_ON_OFF, SCHEMA_REQUIRED, NULL, NULL}, ANY("retries")),
     .check = "domain_check_spinlocks"},
    STATE("vpindex"), STATE("runtime"), STATE("synic"),
    {.name = "stimer", .flags = SCHEMA_ONE, .attrs = required_state, CHILDREN(STATE("direct")), .check = "domain_check_stimer"},
    STATE("reset"),
    {.name = "vendor_id", .flags = SCHEMA_ONE, ATTRS({"state", VALUE_ON_OFF, SCHEMA_REQUIRED, NULL, NULL}, ANY("value")),
     .check = "domain_check_vendor_id"},
    STATE("frequencies"), STATE("reenlightenment"), STATE("tlbflush"), STATE("ipi"), STATE("evmcs"), STATE("avic"),
    {0}};

static const struct element_rule kvm[] = {
    STATE("hidden"), STATE("hint-dedicated"), STATE("poll-control"), STATE("pv-ipi"),
    {.name = "dirty-ring", .flags = SCHEMA_ONE,
     ATTRS({"state", VALUE_ON_OFF, SCHEMA_REQUIRED, NULL, NULL}, {"size", VALUE_UINT, SCHEMA_BASE_0, NULL, NULL}),
     .check = "domain_check_dirty_ring"},
    {0}};

#define SWITCH(n) {.name = n, .attrs = state_attr, .flags = SCHEMA_ONE, .check = "domain_check_switch"}
#define OPTION(n, attr, list) {.name = n, .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(WORD(attr, list))}

static const struct element_rule features[] = {
    MARK("acpi"),
    {.name = "apic", .flags = SCHEMA_ONE, ATTRS(ON_OFF("eoi"))},
    MARK("pae"), SWITCH("hap"), MARK("viridian"), MARK("privnet"),
    {.name = "hyperv", .flags = SCHEMA_ONE | SCHEMA_OPEN, ATTRS(WORD("mode", "custom|passthrough")), .children = hyperv, .check = "domain_check_hyperv"},
    {.name = "kvm", .flags = SCHEMA_ONE, .children = kvm, .check = "domain_check_kvm"},
    SWITCH("pvspinlock"),
    {.name = "capabilities", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(WORD("policy", "-default|allow|deny"))},
    SWITCH("pmu"), SWITCH("vmport"),
    {.name = "gic", .flags = SCHEMA_ONE, ATTRS(WORD("version", "host|2|3"))},
    {.name = "smm", .flags = SCHEMA_ONE, .attrs = state_attr,
     CHILDREN({.name = "tseg", .attrs = unit_attr, .text = VALUE_STRING, .flags = SCHEMA_ONE}), .check = "domain_check_smm"},
    OPTION("ioapic", "driver", "qemu|kvm"),
    {.name = "hpt", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(WORD("resizing", "enabled|disabled|required")), CHILDREN(MEMORY("maxpagesize"))},
    SWITCH("vmcoreinfo"), STATE("htm"), STATE("nested-hv"),
    {.name = "msrs", .flags = SCHEMA_ONE, ATTRS({"unknown", VALUE_ENUM, SCHEMA_REQUIRED, "ignore|fault", NULL})},
    STATE("ccf-assist"),
    {.name = "xen", .flags = SCHEMA_ONE, CHILDREN(STATE("e820_host"),
        {.name = "passthrough", .flags = SCHEMA_ONE, ATTRS({"state", VALUE_ON_OFF, SCHEMA_REQUIRED, NULL, NULL}, WORD("mode", "sync_pt|share_pt"))})},
    OPTION("cfpc", "value", "broken|workaround|fixed"),
    OPTION("sbbc", "value", "broken|workaround|fixed"),
    OPTION("ibs", "value", "broken|workaround|fixed-ibs|fixed-ccd|fixed-na"),
    {.name = "tcg", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(MEMORY("tb-cache"))},
    {0}};

// --- CPU

static const struct element_rule cpu[] = {
    {.name = "model", .text = VALUE_STRING, .flags = SCHEMA_ONE, ATTRS(
        {"fallback", VALUE_ENUM, SCHEMA_UNSUPPORTED, "allow|forbid", "Invalid fallback attribute"}, NAMED("vendor_id"))},
    TEXT("vendor"),
    {.name = "topology", .flags = SCHEMA_ONE, ATTRS(
        NUMBER("sockets", SCHEMA_REQUIRED | SCHEMA_NONZERO), NUMBER("dies", SCHEMA_NONZERO),
        NUMBER("cores", SCHEMA_REQUIRED | SCHEMA_NONZERO), NUMBER("threads", SCHEMA_REQUIRED | SCHEMA_NONZERO)),
     .check = "domain_check_topology"},
    {.name = "cache", ATTRS({"level", VALUE_INT, 0, NULL, NULL},
                            {"mode", VALUE_ENUM, SCHEMA_REQUIRED, "emulate|passthrough|disable", NULL}),
     .check = "domain_check_cpu_cache"},
    {.name = "maxphysaddr", .flags = SCHEMA_ONE, ATTRS(
        {"mode", VALUE_ENUM, SCHEMA_REQUIRED, "emulate|passthrough", NULL}, {"bits", VALUE_NATURAL, 0, NULL, NULL})},
    {.name = "feature", ATTRS(
        {"policy", VALUE_ENUM, SCHEMA_UNSUPPORTED, "force|require|optional|disable|forbid", "Invalid CPU feature policy"},
        ANY("name")), .check = "domain_check_cpu_feature"},
    {.name = "numa", .flags = SCHEMA_ONE, CHILDREN(
        {.name = "cell", ATTRS({"id", VALUE_UINT, 0, NULL, NULL}, {"cpus", VALUE_SET, 0, NULL, NULL},
            ANY("memory"), ANY("unit"), WORD("memAccess", "shared|private"), YES_NO("discard")),
         CHILDREN(
            {.name = "distances", .flags = SCHEMA_ONE, CHILDREN({.name = "sibling", ATTRS(UINT("id"), UINT("value"))})},
            {.name = "cache", ATTRS(UINT("level"), WORD("associativity", "none|direct|full"), WORD("policy", "none|writeback|writethrough")),
             CHILDREN({.name = "size", ATTRS(ANY("value"), ANY("unit"))}, {.name = "line", ATTRS(ANY("value"), ANY("unit"))})}),
         .check = "domain_check_numa_cell"},
        {.name = "interconnects", .flags = SCHEMA_ONE, CHILDREN(
            {.name = "latency", ATTRS(UINT("initiator"), UINT("target"), COUNT("cache"), WORD("type", "access|read|write"), ANY("value"))},
            {.name = "bandwidth", ATTRS(UINT("initiator"), UINT("target"), COUNT("cache"), WORD("type", "access|read|write"), ANY("value"), ANY("unit"))})})},
    {0}};

// --- clock

static const struct element_rule clock_children[] = {
    {.name = "timer", ATTRS(
        {"name", VALUE_ENUM, SCHEMA_REQUIRED, "platform|pit|rtc|hpet|tsc|kvmclock|hypervclock|armvtimer", NULL},
        YES_NO("present"), WORD("tickpolicy", "delay|catchup|merge|discard"), WORD("track", "boot|guest|wall|realtime"),
        ULONG("frequency"), WORD("mode", "auto|native|emulate|paravirt|smpsafe")),
     CHILDREN({.name = "catchup", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ULONG("threshold"), ULONG("slew"), ULONG("limit"))})},
    {0}};

#define ACTION(n, list) {.name = n, .text = VALUE_ENUM, .flags = SCHEMA_ONE | SCHEMA_UNSUPPORTED, .arg = list, .message = "unknown " n " action: %s"}
#define ACTIONS "destroy|restart|rename-restart|preserve|coredump-destroy|coredump-restart"

// --- the domain

static const struct element_rule domain_children[] = {
    {.name = "name", .text = VALUE_STRING, .flags = SCHEMA_ONE},
    {.name = "uuid", .text = VALUE_STRING, .flags = SCHEMA_ONE},
    {.name = "genid", .text = VALUE_STRING},
    TEXT("title"), TEXT("description"),
    {.name = "metadata", .flags = SCHEMA_ONE | SCHEMA_VERBATIM},
    {.name = "maxMemory", .text = VALUE_MEMORY, .flags = SCHEMA_ONE,
     ATTRS({"slots", VALUE_UINT, 0, NULL, "Failed to parse memory slot count"}, ANY("unit"))},
    {.name = "memory", .text = VALUE_MEMORY, .flags = SCHEMA_ONE, ATTRS(ON_OFF("dumpCore"), ANY("unit"))},
    MEMORY("currentMemory"),
    {.name = "blkiotune", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, .children = blkiotune},
    {.name = "memtune", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE,
     CHILDREN(MEMORY("hard_limit"), MEMORY("soft_limit"), MEMORY("min_guarantee"), MEMORY("swap_hard_limit")),
     .check = "domain_check_memtune"},
    {.name = "memoryBacking", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, .children = memory_backing},
    {.name = "vcpu", .flags = SCHEMA_ONE, .text = VALUE_STRING, ATTRS(
        WORD("placement", "static|auto"), {"cpuset", VALUE_SET, 0, NULL, NULL}, UINT("current"))},
    {.name = "vcpus", .flags = SCHEMA_ONE, CHILDREN({.name = "vcpu", ATTRS(
        NUMBER("id", SCHEMA_REQUIRED), {"enabled", VALUE_YES_NO, SCHEMA_REQUIRED, NULL, NULL}, YES_NO("hotpluggable"), COUNT("order"))})},
    {.name = "iothreads", .text = VALUE_UINT, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO, .message = "invalid iothreads count '%s'"},
    {.name = "iothreadids", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE,
     CHILDREN({.name = "iothread", ATTRS(NUMBER("id", SCHEMA_REQUIRED | SCHEMA_NONZERO), THREAD_POOL)})},
    {.name = "defaultiothread", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(THREAD_POOL)},
    {.name = "cputune", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, .children = cputune, .check = "domain_check_cputune"},
    {.name = "numatune", .flags = SCHEMA_DROP_BARE, .children = numatune},
    {.name = "resource", .flags = SCHEMA_DROP_BARE, CHILDREN(TEXT("partition"), {.name = "fibrechannel", .flags = SCHEMA_ONE, ATTRS(ANY("appid"))})},
    {.name = "sysinfo", .flags = SCHEMA_DROP_BARE, ATTRS({"type", VALUE_ENUM, SCHEMA_REQUIRED, "smbios|fwcfg", NULL}), .children = sysinfo},
    TEXT("bootloader"), TEXT("bootloader_args"),
    {.name = "os", .flags = SCHEMA_ONE, ATTRS({"firmware", VALUE_ENUM, 0, "bios|efi", "unknown firmware value %s"}), .children = os},
    {.name = "idmap", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(
        {.name = "uid", ATTRS(UINT("start"), UINT("target"), UINT("count"))}, {.name = "gid", ATTRS(UINT("start"), UINT("target"), UINT("count"))})},
    {.name = "features", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, .children = features, .check = "domain_check_features"},
    {.name = "cpu", .flags = SCHEMA_ONE, ATTRS(
        WORD_OR("mode", "custom|host-model|host-passthrough|maximum", "Invalid mode attribute '%s'"),
        WORD("match", "exact|minimum|strict"), WORD("check", "-default|none|partial|full"), ON_OFF("migratable")),
     .children = cpu, .check = "domain_check_cpu"},
    {.name = "clock", .flags = SCHEMA_ONE, ATTRS(
        WORD_OR("offset", "utc|localtime|variable|timezone|absolute", "unknown clock offset '%s'"),
        ANY("adjustment"), ANY("basis"), ANY("adjustment0"), ANY("timezone"), ANY("start")),
     .children = clock_children, .check = "domain_check_clock"},
    ACTION("on_poweroff", ACTIONS), ACTION("on_reboot", ACTIONS), ACTION("on_crash", ACTIONS),
    ACTION("on_lockfailure", "-default|poweroff|restart|pause|ignore"),
    {.name = "pm", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN(
        {.name = "suspend-to-mem", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(YES_NO("enabled"))},
        {.name = "suspend-to-disk", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(YES_NO("enabled"))})},
    {.name = "perf", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN({.name = "event", ATTRS(ANY("name"), YES_NO("enabled"))})},
    {.name = "devices", .flags = SCHEMA_ONE | SCHEMA_OPEN, .children = domain_devices_schema},
    {.name = "seclabel", ATTRS(WORD("type", "none|dynamic|static"), ANY("model"), YES_NO("relabel")),
     CHILDREN(TEXT("label"), TEXT("imagelabel"), TEXT("baselabel")), .check = "domain_check_seclabel"},
    {.name = "keywrap", .flags = SCHEMA_ONE, CHILDREN({.name = "cipher", ATTRS(WORD("name", "aes|dea"), ON_OFF("state"))})},
    {.name = "launchSecurity", .flags = SCHEMA_ONE, ATTRS(WORD("type", "sev|s390-pv"), YES_NO("kernelHashes")), CHILDREN(
        TEXT("cbitpos"), TEXT("reducedPhysBits"), TEXT("policy"), TEXT("dhCert"), TEXT("session"))},
    {.name = "qemu:commandline", CHILDREN(
        {.name = "qemu:arg", ATTRS(ANY("value"))}, {.name = "qemu:env", ATTRS(ANY("name"), ANY("value"))})},
    {.name = "qemu:capabilities", CHILDREN({.name = "qemu:add", ATTRS(ANY("capability"))}, {.name = "qemu:del", ATTRS(ANY("capability"))})},
    {.name = "qemu:override", .flags = SCHEMA_VERBATIM},
    {.name = "qemu:deprecation", ATTRS(WORD("behavior", "none|omit|reject|crash"))},
    {0}};

const struct element_rule domain_schema[] = {
    {.name = "domain", ATTRS(ANY("type"), {"id", VALUE_NATURAL, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}),
     .children = domain_children},
    {0}};
// clang-format on
