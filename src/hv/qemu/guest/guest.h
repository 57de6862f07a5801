// Running guests: one row for each emulator that is ours to look after.
//
// A row lives from the start of the emulator (or its adoption) to the end of its clean-up. The
// domain's own row tells which guest it has (domain->guest). Who waits keeps the domain and asks
// guest_of() again afterwards: the guest may be gone, or be another one.
#ifndef HV_QEMU_GUEST_H
#define HV_QEMU_GUEST_H

#include "core/child.h"
#include "core/config.h"
#include "hv/qemu/monitor/agent.h"
#include "hv/qemu/monitor/monitor.h"
#include "text/xml.h"
#include "virt/domain/domain.h"
#include "virt/domain/domain_taint.h"

#define GUEST_ALIAS_SIZE 64
#define GUEST_PORTS      8 // of graphics, that the driver keeps for a guest

// <on_poweroff>, <on_reboot>, <on_crash>
enum guest_action {
    GUEST_DESTROY,
    GUEST_RESTART,
    GUEST_PRESERVE,
    GUEST_COREDUMP_DESTROY,
    GUEST_COREDUMP_RESTART,
};

// A wait for the end of an emulator; process_kill() is over it.
struct process_kill {
    struct co co;
    struct pause pause;
    unsigned polls;
    bool killed;
};

// A conversation after the start; process_refresh() and process_configure() are over it.
struct process_setup {
    struct co co, inner;
    struct monitor_call call;
    unsigned index;
};

// Work that an event begins and no client waits for. It is a task with a frame of its own.
struct guest_flow {
    struct task task;
    struct co co, part; // of the flow, and of a part of it
    bool running;
    bool has_job;
    struct domain *domain; // with a reference, while it runs
    int reason, detail;    // of the stop: VIR_DOMAIN_SHUTOFF_*, VIR_DOMAIN_EVENT_STOPPED_*
    uint8_t action;        // enum guest_action
    struct domain_job_wait job;
    struct pause pause;
    struct error error;
    struct process_kill kill;
    union {
        struct monitor_call call;
        struct monitor_open open;
        struct process_setup setup;
    };
};

struct guest {
    bool used;
    struct domain *domain; // with a reference
    int pid;               // of the emulator
    uint64_t start;        // port_process_start() of it
    struct child child;    // when it is a child of ours
    struct task *waiting;  // for its end

    struct monitor monitor;
    struct agent agent;
    bool agent_configured; // there is a channel for the agent
    bool agent_connected;  // the guest has it open, as QEMU says
    bool agent_error;      // the connection could not be made or failed
    char agent_alias[GUEST_ALIAS_SIZE];
    int32_t agent_timeout; // seconds, or AGENT_WAIT_BLOCK, AGENT_WAIT_DEFAULT

    uint32_t taints;                          // 1 << DOMAIN_TAINT_...
    bool starting;                            // not seen by clients' operations yet
    bool being_destroyed;                     // events and the end of the monitor are expected
    bool fake_reboot;                         // a SHUTDOWN is followed by a reset
    bool paused_shutdown;                     // stopped for the fake reboot: nobody is told
    int16_t paused_reason;                    // told by the next STOP event
    int16_t running_reason;                   // told by the next RESUME event
    uint8_t on_poweroff, on_reboot, on_crash; // enum guest_action
    char panic_type[32];                      // what the guest said when it panicked
    int64_t clock_adjustment;                 // of a variable clock, when the emulator was started

    bool balloon;         // there is a device for it
    uint64_t balloon_kib; // the current size
    uint32_t vcpu_count;
    int32_t vcpu_threads[CONFIG_QEMU_VCPUS];
    uint16_t ports[GUEST_PORTS]; // 0: none
    struct {
        bool active, memory_only, aborted;
        uint64_t since, total, done; // loop_now(), bytes
        char failure[128];           // what QEMU has said of its end
    } dump;                          // into a file, while it is under way
    struct guest_flow stop, flow;
};

// A new row for a domain, which it refers to. VIR_ERR_OPERATION_FAILED "too many running domains:
// limit is N, CONFIG_MAX_GUESTS".
struct guest *guest_add(struct domain *domain, struct error *err);
// Forgets a guest whose emulator is gone. Its flows may still run to their ends.
void guest_remove(struct guest *guest);
// The guest of a running domain, or NULL.
struct guest *guest_of(const struct domain *domain);
// Walks all guests: start with NULL.
struct guest *guest_next(const struct guest *previous);

// What every operation on a running guest starts with: the guest, or NULL with the error set.
struct guest *guest_need(const struct domain *domain, struct error *err);

// Reads from the live definition what is looked at often.
void guest_learn(struct guest *guest, const struct xml_node *tree);
// Writes the status file again with what the rows say now. `tree` is definition_doc()'s, or NULL:
// then the live definition is read.
void guest_save(struct guest *guest, struct xml_node *tree);
// Notes a taint, in the log and the status file too.
void guest_taint(struct guest *guest, enum domain_taint taint);
// The driver's elements of a status file, and reading them again.
void guest_write_status(const struct domain *domain, const struct xml_node *before,
                        struct buffer *out);
bool guest_read_status(struct guest *guest, const struct xml_node *status,
                       const struct xml_node *tree);

// The guest's own directories: lib/domain-ID-NAME, channel/target/domain-ID-NAME.
void guest_directory(const struct domain *domain, char to[PORT_PATH_MAX]);
void guest_channel_directory(const struct domain *domain, char to[PORT_PATH_MAX]);
void guest_file(const struct domain *domain, const char *name, char to[PORT_PATH_MAX]);

// Begins a flow, if it does not run yet; `run` is called as its task.
void guest_flow_begin(struct guest *guest, struct guest_flow *flow, void (*run)(struct task *task));
void guest_flow_end(struct guest_flow *flow);

// The guest that a part of it belongs to: GUEST_OF(monitor, monitor), GUEST_OF(flow, stop).
#define GUEST_OF(pointer, member)                                                                  \
    ((struct guest *)(void *)((char *)(pointer)-offsetof(struct guest, member)))
#define GUEST_FLOW_OF(task_pointer)                                                                \
    ((struct guest_flow *)(void *)((char *)(task_pointer)-offsetof(struct guest_flow, task)))

#endif
