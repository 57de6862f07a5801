// A hypervisor driver: what stands behind the domains of one kind of connection.
//
// The handlers of virt/ know drivers only by this table. An operation that can take time is a
// coroutine over a `struct hypervisor_op`; a NULL entry makes the handler answer
// VIR_ERR_NO_SUPPORT. The caller holds the domain's job, has checked that the domain is active (or
// not) as the API demands, and keeps the op in place until CO_DONE. Drivers change the row
// (domain_set_state, id, guest), write the live definition and emit the events
// (virt/domain/domain_event.h).
#ifndef VIRT_HYPERVISOR_H
#define VIRT_HYPERVISOR_H

#include "core/buffer.h"
#include "core/co.h"
#include "core/error.h"
#include "core/loop.h"
#include "text/xml.h"
#include "virt/domain/domain.h"
#include "virt/node/node.h"

#define HYPERVISOR_STATE_SIZE 2048

// What is known of one disk, or of an image below the one of the entry before.
struct hypervisor_block {
    char target[64]; // of the disk: "vda"
    bool backing;    // an image below
    bool medium;     // there is one, and numbers of it
    uint64_t rd_reqs, rd_bytes, rd_ns, wr_reqs, wr_bytes, wr_ns, fl_reqs, fl_ns;
    uint64_t capacity, allocation, physical; // bytes, as statistics tell them
    uint64_t info_allocation, info_physical; // as virDomainGetBlockInfo does
    int64_t errors;                          // -1: not counted
    int32_t error;                           // VIR_DOMAIN_DISK_ERROR_*: what stopped the guest
};

struct hypervisor_memory_stats {
    struct {
        int32_t tag; // VIR_DOMAIN_MEMORY_STAT_*
        uint64_t value;
    } stats[16];
    uint32_t count;
};

// How far a long job is.
struct hypervisor_job {
    uint64_t elapsed_ms, total, done; // bytes of memory
};

#define HYPERVISOR_IOTHREADS 16 // of one guest, that are told of

// What else statistics tell of a running guest.
struct hypervisor_running_stats {
    bool polling_known; // of vcpus that have nothing to do
    uint64_t poll_success_ns, poll_fail_ns;
    struct hypervisor_iothread {
        uint32_t id;
        bool polls; // what follows is known
        uint32_t poll_grow, poll_shrink;
        uint64_t poll_max_ns;
    } iothreads[HYPERVISOR_IOTHREADS];
    uint32_t iothread_count;
    bool dirty_rate_known;
    int32_t dirty_rate_status; // VIR_DOMAIN_DIRTYRATE_*
    int32_t dirty_rate_period; // seconds
    int64_t dirty_rate_start, dirty_rate_mib;
    char dirty_rate_mode[16]; // "page-sampling"
};

#define HYPERVISOR_FILESYSTEM_DISKS 8

// A file system that a guest has mounted.
struct hypervisor_filesystem {
    char mountpoint[256], name[64], type[64];
    char targets[HYPERVISOR_FILESYSTEM_DISKS][64]; // of its disks, "vda"
    uint32_t target_count;
};

// A processor as the guest sees it.
struct hypervisor_guest_vcpu {
    uint32_t id;
    bool online, offlinable;
};

// An address of a guest's network interface. Those of one interface follow each other; an interface
// without one has an entry with an empty address.
struct hypervisor_address {
    bool first; // of its interface
    char interface[64], hwaddr[64], address[64];
    bool ipv6;
    uint32_t prefix;
};

// A named value (virTypedParameter) on its way out of a driver.
struct hypervisor_param {
    const char *name;
    enum {
        HYPERVISOR_I32,
        HYPERVISOR_U32,
        HYPERVISOR_U64,
        HYPERVISOR_BOOL,
        HYPERVISOR_STRING
    } type;
    uint64_t number;
    struct slice text;
};

struct hypervisor_op {
    struct co co;
    struct task *task; // whom to wake
    struct domain *domain;
    struct error *err;
    uint32_t flags; // the API call's own flags (VIR_DOMAIN_START_PAUSED ...)
    // start: the live definition comes from definition_scratch() (virDomainCreateXML), not from the
    // persistent one.
    bool document;
    union {
        struct {
            uint32_t codeset, holdtime; // holdtime in ms
            uint32_t codes[16];         // VIR_DOMAIN_SEND_KEY_MAX_KEYS
            uint32_t code_count;
        } send_key;
        struct {
            struct slice command; // in; must stay in place
            int32_t timeout;      // agent: VIR_DOMAIN_QEMU_AGENT_COMMAND_*
            struct slice result;  // out; valid until the next wait
        } command;
        struct {
            uint32_t screen;
            char mime[32]; // out
            int fd;        // out: the image, open for reading, the caller's
        } screenshot;
        struct {
            const char *device; // alias or NULL for the first; in
            int fd;             // out: connected, non-blocking, the caller's
        } channel;
        struct {
            uint32_t index; // of the <graphics>
            int fd;         // a socket for the display's protocol, the caller's; -1: make a pair
            int peer;       // out: the other end of the pair, the caller's
        } graphics;
        struct {
            char name[256]; // out
        } hostname;
        struct {
            int64_t seconds; // in and out
            uint32_t nseconds;
        } time;
        struct {
            uint64_t kib;
        } memory;
        struct {
            uint32_t count;
        } vcpus;
        struct hypervisor_memory_stats memory_stats;
        struct {
            uint32_t groups; // VIR_DOMAIN_STATS_* that are wanted
            struct hypervisor_running_stats told;
        } running_stats;
        struct {
            uint32_t types; // VIR_DOMAIN_GUEST_INFO_*; 0: whatever the guest can tell
            void (*put)(void *to, const struct hypervisor_param *param); // takes what it tells
            void *to;
        } guest_info;
        struct {
            const struct hypervisor_guest_vcpu *at; // out; valid until the next wait
            uint32_t count;
        } guest_vcpus;
        struct {
            struct slice cpus; // "0-3,^2"; stays in place
            bool online;
        } set_guest_vcpus;
        struct {
            uint32_t source;                     // VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_*
            const struct hypervisor_address *at; // out; valid until the next wait
            uint32_t count;
        } addresses;
        struct {
            struct slice user, password; // stay in place
        } password;
        struct {
            // In: the n-th mount point, until there are no more; NULL: all are meant.
            bool (*mountpoint)(const void *from, uint32_t n, struct slice *to);
            const void *from;
            uint64_t minimum;    // of fs_trim, bytes
            int32_t filesystems; // out: how many were frozen or thawed
        } freeze;
        struct {
            const struct hypervisor_filesystem *at; // out; valid until the next wait
            uint32_t count;
        } filesystems;
        struct {
            // In: of a domain that does not run, the one disk (absent: all); stays in place.
            struct slice path;
            bool chains; // in: of all their images, too, each disk's from the top
            const struct hypervisor_block *blocks; // out; valid until the next wait
            uint32_t count;
        } blocks;
        struct {
            struct slice path; // stays in place
            uint32_t format;   // VIR_DOMAIN_CORE_DUMP_FORMAT_*
        } dump;
        struct {
            uint32_t event, action; // VIR_DOMAIN_LIFECYCLE_*, VIR_DOMAIN_LIFECYCLE_ACTION_*
        } lifecycle;
        struct {
            uint32_t target; // VIR_NODE_SUSPEND_TARGET_*
        } sleep;
        struct {
            struct slice user; // stays in place
            // In: the n-th key, until there are no more.
            bool (*key)(const void *from, uint32_t n, struct slice *to);
            const void *from;
            // Of reading them: takes one.
            void (*put)(void *to, struct slice key);
            void *to;
        } ssh_keys;
        struct {
            const char *name; // of an operation below that takes a name
            uint64_t value;
        } named;
    };
    _Alignas(16) unsigned char state[HYPERVISOR_STATE_SIZE]; // the driver's; zeroed before
};

// The driver's state, typed; one that does not fit does not compile.
#define HYPERVISOR_STATE(op, type)                                                                 \
    ((type *)(void *)((op)->state +                                                                \
                      0 * sizeof(char[sizeof(type) <= HYPERVISOR_STATE_SIZE ? 1 : -1])))

// What virDomainGetVcpus tells of a vcpu that is online.
struct hypervisor_vcpu {
    int32_t state;                      // VIR_VCPU_*
    int32_t cpu;                        // the processor that it is on
    uint64_t cpu_ns, wait_ns, delay_ns; // the latter: ready to run, and not run
    struct port_cpuset affinity;
};

#define HYPERVISOR_EMULATOR (-1) // instead of a vcpu's number: the emulator's own threads

struct hypervisor_cpu_stats {
    uint64_t cpu_ns, user_ns, system_ns; // of all processors together
    uint64_t vcpu_ns;                    // of one processor: what of cpu_ns were vcpus
};

typedef enum co_status hypervisor_fn(struct hypervisor_op *op);

// The flags that a driver's functions allow; others are refused in libvirt's words, with the name
// of libvirt's function (prefix + name: "qemuDomainCreateWithFlags").
struct hypervisor_flags {
    uint32_t create_xml, create, define, undefine, destroy, shutdown, reboot, xml_desc;
    uint32_t set_vcpus, get_vcpus, pin_vcpu, pin_info, hostname, set_time;
};

struct hypervisor {
    const char *type;      // virConnectGetType: "QEMU", "Test"
    const char *prefix;    // of libvirt's function names: "qemu", "test"
    const char *os_type;   // of every domain (virDomainGetOSType); NULL: the definition's
    bool takes_files;      // virDomainCreateWithFiles is there
    const char *no_vcpus;  // what virDomainGetVcpus says of a domain that does not run
    bool checks_max_vcpus; // virDomainSetVcpusFlags looks at max_vcpus first, with its own words
    bool edits_one;        // pins and the period of memory statistics: of one definition at a time
    bool pins_vcpus_that_are_there; // virDomainPinVcpu names no range, and takes empty sets
    bool lists_security_labels;     // virDomainGetSecurityLabelList is there
    bool no_block_sums;             // virDomainBlockStats is all there is of disks, one at a time
    bool has_jobs;                  // that can be asked about and aborted (virDomainGetJobInfo)
    bool shows_tuning;              // virDomainGetSchedulerParameters and its like
    bool has_storage;               // storage pools and volumes (virt/storage/storage.h)
    bool terse_lookups;             // a lookup that fails says "Domain not found" and not which
    struct hypervisor_flags allowed;
    int error_domain;       // VIR_FROM_QEMU, VIR_FROM_TEST
    const char *config_dir; // where definitions lie; set at start-up
    const char *state_dir;  // where live definitions lie
    uint64_t version;       // where there is no version_query
    bool keeps_daemon;      // its running domains keep a daemon with --timeout alive

    // Called once at start-up, before anybody connects and with core/paths.h settled: makes the
    // directories, loads the definitions, begins to adopt and start domains. May be NULL.
    bool (*initialize)(struct error *err);

    // --- connections
    // Whether a URI (as the client sent it, "" or NULL for none) is this driver's; with `err` set,
    // it is and can not be opened.
    bool (*accepts)(struct slice uri, struct error *err);
    void (*opened)(void); // a connection more, a connection less
    void (*closed)(void);
    const char *(*uri)(void); // virConnectGetURI

    // --- documents
    // Completes and checks a parsed definition in place: virt/xml/domain_xml.h's rules with this
    // driver's defaults. `flags`: VIR_DOMAIN_DEFINE_*.
    bool (*parse)(struct xml_doc *doc, struct slice text, uint32_t flags, struct error *err);
    // Whether definitions can be completed and the documents below written now; if not, the task is
    // woken when they can. Opening a connection waits for it. NULL: always.
    bool (*ready)(struct task *task);
    void (*capabilities)(struct buffer *out, struct error *err);
    bool (*domain_capabilities)(struct buffer *out, struct slice emulator, struct slice arch,
                                struct slice machine, struct slice virttype, struct error *err);
    // The driver's own elements of a status document, between <domstatus> and <domain>. `before` is
    // the <domstatus> that the definition was read with; NULL for a new one.
    void (*write_status)(const struct domain *domain, const struct xml_node *before,
                         struct buffer *out);
    // The definition in definition_doc() as it is shown with these VIR_DOMAIN_XML_ flags, for a
    // driver that shows a copy parsed anew then; the copy is in definition_scratch(). NULL: the
    // definition itself is shown.
    bool (*copy)(const struct domain *domain, uint32_t flags, struct error *err);
    int32_t (*max_vcpus)(struct slice type, struct error *err);
    const struct node_view *node; // the host, as this driver shows it (virt/node/node.h)

    // --- life cycle. `start` gets a row whose definition_tree() is the persistent definition, or,
    // with op->document, the completed document in definition_scratch(), which is there until the
    // op's first wait. When a guest ends, however it does, the driver sets the row's state and id
    // (-1), removes the live definition, emits the event, and removes (domain_remove) the row of a
    // domain that is not persistent.
    //
    // The may_... look whether a domain's state allows the operation, where the driver's rules are
    // not libvirt's QEMU driver's, which hold when they are NULL.
    bool (*may_start)(const struct domain *domain, struct error *err);
    bool (*may_shutdown)(const struct domain *domain, struct error *err);
    bool (*may_suspend)(const struct domain *domain, struct error *err);
    bool (*may_resume)(const struct domain *domain, struct error *err);
    bool (*may_undefine)(const struct domain *domain, struct error *err);
    // `interrupt` is called by virDomainDestroyFlags before it queues for the job: it ends the
    // guest's process (unless VIR_DOMAIN_DESTROY_GRACEFUL forbids to kill it), so that whoever
    // waits for a guest that hangs, job in hand, comes to an end. The row stays
    // active until `destroy`, which follows with the job. NULL when nothing can hang.
    void (*interrupt)(struct domain *domain, uint32_t flags);
    hypervisor_fn *start, *destroy, *shutdown, *reboot, *reset, *suspend, *resume;
    // --- what else can be done with a running domain
    hypervisor_fn *set_memory_stats_period; // `named.value` is the period in seconds
    hypervisor_fn *set_memory, *set_vcpus, *memory_stats, *send_key, *inject_nmi, *screenshot;
    hypervisor_fn *monitor_command, *agent_command, *hostname, *get_time, *set_time;
    hypervisor_fn *open_console, *open_channel, *open_graphics;
    hypervisor_fn *filesystems; // as the guest's agent tells them
    hypervisor_fn *blocks, *running_stats;
    // By way of the guest's agent, as most of the above is.
    hypervisor_fn *guest_info, *guest_vcpus, *set_guest_vcpus, *addresses;
    hypervisor_fn *set_password, *fs_freeze, *fs_thaw, *fs_trim;
    hypervisor_fn *ssh_keys, *set_ssh_keys;
    hypervisor_fn *core_dump;
    // The long job of a domain that is under way; false when there is none.
    bool (*job)(const struct domain *domain, struct hypervisor_job *to);
    bool (*abort_job)(const struct domain *domain, struct error *err);
    hypervisor_fn *sleep, *wake_up; // virDomainPMSuspendForDuration, virDomainPMWakeup
    // What a running guest does when it ends; called before the live definition says so.
    hypervisor_fn *set_lifecycle;
    // Whether a definition's actions go together; NULL: all do.
    bool (*may_end_so)(const struct xml_node *tree, struct error *err);
    // How long operations by way of the agent wait for it from now on: seconds, or
    // virDomainAgentResponseTimeoutValues.
    bool (*set_agent_timeout)(struct domain *domain, int32_t timeout, struct error *err);
    bool takes_signals;           // virDomainSendProcessSignal is there, and does nothing
    hypervisor_fn *version_query; // fills `named.value`
    // Current balloon size in KiB and CPU time in ns, without waiting; false, with both left alone,
    // when there are none (a domain that does not run).
    bool (*info)(const struct domain *domain, uint64_t *memory_kib, uint64_t *cpu_ns);

    // Counters of an interface (by the name of its device on the host), as the guest counts.
    bool (*interface_stats)(const struct domain *domain, const char *device,
                            struct port_link_stats *to, struct error *err);
    // Of a running domain: a bit 1 << DOMAIN_TAINT_... for each (virt/domain/domain_taint.h).
    uint32_t (*taints)(const struct domain *domain);
    // Where the firmware's variables of a domain lie whose definition does not say so (<os
    // firmware='efi'>); false when it has none.
    bool (*nvram_path)(const struct domain *domain, char *path, size_t size);
    uint32_t stats; // VIR_DOMAIN_STATS_* that virConnectGetAllDomainStats has

    // --- processors of a running domain, without waiting
    bool (*vcpu)(const struct domain *domain, unsigned vcpu, struct hypervisor_vcpu *to,
                 struct error *err);
    // Binds a vcpu's thread, or the emulator.
    bool (*pin)(const struct domain *domain, int vcpu, const struct port_cpuset *cpus,
                struct error *err);
    // Of all processors together (cpu -1), or of one of `cpu_stats_cpus` (0: not known).
    bool (*cpu_stats)(const struct domain *domain, int cpu, struct hypervisor_cpu_stats *to,
                      struct error *err);
    unsigned cpu_stats_cpus;

    // The processors that guests may run on.
    bool (*node_cpus)(struct port_cpuset *cpus, struct error *err);
    // The n-th security label of a running domain, the first being that of node->security_model
    // (virDomainGetSecurityLabel); false when there are no more.
    bool (*security_label)(const struct domain *domain, unsigned nth, char *label, size_t size,
                           bool *enforcing);
};

// The drivers of this build, ended by NULL.
extern const struct hypervisor *const hypervisors[];

#endif
