// Domains: the table of all domains of all hypervisors.
//
// A domain in memory is a small row; its definitions are files (virt/domain/definition.h). Rows
// stay in place while somebody refers to them: whoever waits keeps a reference (domain_ref) and
// looks at `removed` afterwards.
#ifndef VIRT_DOMAIN_H
#define VIRT_DOMAIN_H

#include "core/config.h"
#include "core/co.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/slice.h"
#include "core/uuid.h"
#include "virt/domain/domain_constants.h"

#define DOMAIN_NAME_SIZE 252 // with the NUL: NAME.xml must be a file name

struct hypervisor;

// Jobs exclude each other, but for those that only talk to the guest's agent: an agent that does
// not answer holds up other agent jobs and nothing else.
enum domain_job_kind { DOMAIN_JOB_QUERY, DOMAIN_JOB_MODIFY, DOMAIN_JOB_DESTROY, DOMAIN_JOB_AGENT };

struct domain_job {
    const char *holder; // who has it ("remoteDispatchDomainCreateWithFlags"), NULL: free
    struct task *owner;
    enum domain_job_kind kind;
    uint64_t since;                // loop_now() when it was taken
    struct domain_job_wait *first; // the queue
};

struct domain {
    bool used;
    bool persistent; // has a definition that outlives its run
    bool autostart;
    bool removed;   // gone from the table; the row waits for its last reference
    uint8_t due;    // enum domain_due
    bool hidden;    // being created: not found and not listed yet
    uint8_t state;  // enum domain_state, VIR_DOMAIN_*
    int16_t reason; // of that state
    int32_t id;     // -1 when it does not run
    uint8_t uuid[16];
    char name[DOMAIN_NAME_SIZE];
    const struct hypervisor *hypervisor;
    int32_t guest; // the driver's own number for its running guest, -1: none
    uint32_t references;
    struct domain_job job, agent_job;
    uint64_t dies_with; // the serial of the client whose end is this guest's too; 0: nobody
    uint32_t next_by_uuid, next_by_name; // chains of the table's indices
    uint32_t previous_row, next_row;     // in order of creation
};

// Adds a row, hidden, with one reference for the caller. Errors: VIR_ERR_OPERATION_FAILED "too many
// domains: limit is N, CONFIG_MAX_DOMAINS".
struct domain *domain_add(const struct hypervisor *hypervisor, const uint8_t uuid[16],
                          struct slice name, struct error *err);
void domain_show(struct domain *domain);                        // ends `hidden`
void domain_remove(struct domain *domain);                      // out of the table, at once
void domain_remove_all(const struct hypervisor *hypervisor);    // hidden ones too
bool domain_set_name(struct domain *domain, struct slice name); // false when it is too long
void domain_ref(struct domain *domain);
void domain_unref(struct domain *domain);

// Lookups pass over hidden and removed rows; NULL when there is none.
struct domain *domain_by_uuid(const struct hypervisor *hypervisor, const uint8_t uuid[16]);
struct domain *domain_by_name(const struct hypervisor *hypervisor, struct slice name);
struct domain *domain_by_id(const struct hypervisor *hypervisor, int32_t id);
// As domain_by_uuid and domain_by_name, hidden rows included: for who wants to add one.
struct domain *domain_taken_uuid(const struct hypervisor *hypervisor, const uint8_t uuid[16]);
struct domain *domain_taken_name(const struct hypervisor *hypervisor, struct slice name);
// Walks the table in order of creation: start with NULL.
struct domain *domain_next(const struct hypervisor *hypervisor, const struct domain *previous);

bool domain_active(const struct domain *domain);
// Changes state and reason; the driver's status file is the driver's to write.
void domain_set_state(struct domain *domain, int state, int reason);
int32_t domain_new_id(const struct hypervisor *hypervisor); // from 1, never used before in this run
void domain_keep_ids(const struct hypervisor *hypervisor);  // those in use now are not given anew
void domain_forget_ids(const struct hypervisor *hypervisor); // start again from 1

// Jobs: what changes a domain excludes other changes, as libvirt's domain jobs do. To be used as
//     CO_CALL(&s->co, domain_job_begin(&s->job, domain, task, "remoteDispatchDomainReboot",
//                                      DOMAIN_JOB_MODIFY, err));
// with a reference to the domain. It waits up to 30 s (VIR_ERR_OPERATION_TIMEOUT "cannot acquire
// state change lock (held by monitor=...)"); a domain that is removed meanwhile is
// VIR_ERR_NO_DOMAIN. With err set there is no job to end. The wait struct is zeroed before and
// stays in place while it waits.
struct domain_job_wait {
    struct pause pause;
    struct domain_job_wait *next;
    struct domain *domain;
    struct task *task;
    enum domain_job_kind kind;
    bool queued;
};
enum co_status domain_job_begin(struct domain_job_wait *wait, struct domain *domain,
                                struct task *task, const char *holder, enum domain_job_kind kind,
                                struct error *err);
// VIR_ERR_NO_DOMAIN when it was removed. A job does not prevent that: whoever has waited for
// anything looks before he goes on.
bool domain_check_present(const struct domain *domain, struct error *err);
// Ends the jobs that `owner` holds; no effect when it holds none.
void domain_job_end(struct domain *domain, const struct task *owner);
void domain_job_wake(struct domain *domain); // the table's own: has those who wait look again

// The names that the handlers use for core/uuid.h's.
#define domain_uuid_format uuid_format
#define domain_uuid_parse  uuid_parse

#endif
