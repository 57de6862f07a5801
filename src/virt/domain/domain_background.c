// What is done with domains although no client waits for it.
#include "virt/domain/domain_background.h"

#include "core/log.h"
#include "rpc/client.h"
#include "virt/hypervisor.h"

#include <string.h>

// Walks the rows that are due, one at a time.
struct walker {
    struct task task; // first
    struct co co;
    enum domain_due due;
    struct domain *domain;
    struct domain_job_wait job;
    struct hypervisor_op op;
    struct error err;
};

static struct walker starter, ender;

static struct domain *next_due(enum domain_due due)
{
    for (size_t i = 0; hypervisors[i]; i++)
        for (struct domain *domain = domain_next(hypervisors[i], NULL); domain;
             domain = domain_next(hypervisors[i], domain))
            if (domain->due == due)
                return domain;
    return NULL;
}

static void prepare(struct walker *w)
{
    domain_ref(w->domain);
    w->domain->due = DOMAIN_DUE_NOTHING;
    memset(&w->job, 0, sizeof(w->job));
    w->err = (struct error){0};
    w->op = (struct hypervisor_op){.task = &w->task, .err = &w->err, .domain = w->domain};
}

static hypervisor_fn *operation(const struct walker *w)
{
    const struct hypervisor *hypervisor = w->domain->hypervisor;
    return w->due == DOMAIN_DUE_START ? hypervisor->start : hypervisor->destroy;
}

// Whether there is still something to do, now that the job is ours.
static bool is_wanted(const struct walker *w)
{
    return !error_is_set(&w->err) && domain_active(w->domain) == (w->due == DOMAIN_DUE_DESTROY);
}

static void finish(struct walker *w)
{
    if (error_is_set(&w->err))
        log_error("domain", "%s %s: %s", w->domain->name,
                  w->due == DOMAIN_DUE_START ? "is not started automatically" : "is not destroyed",
                  w->err.message);
    domain_job_end(w->domain, &w->task);
    domain_unref(w->domain);
}

static enum co_status walk(struct walker *w)
{
    CO_BEGIN(&w->co);
    while ((w->domain = next_due(w->due))) {
        prepare(w);
        if (w->due == DOMAIN_DUE_DESTROY && w->domain->hypervisor->interrupt)
            w->domain->hypervisor->interrupt(w->domain, 0);
        CO_CALL(&w->co, domain_job_begin(&w->job, w->domain, &w->task, "daemon", DOMAIN_JOB_MODIFY,
                                         &w->err));
        if (is_wanted(w))
            CO_CALL(&w->co, operation(w)(&w->op));
        finish(w);
    }
    CO_END(&w->co);
}

static void run(struct task *task)
{
    walk((struct walker *)task);
}

static void begin(struct walker *w, enum domain_due due)
{
    w->due = due;
    w->task.run = run;
    task_wake(&w->task);
}

void domain_autostart_all(const struct hypervisor *hypervisor)
{
    for (struct domain *domain = domain_next(hypervisor, NULL); domain;
         domain = domain_next(hypervisor, domain))
        if (domain->autostart && !domain_active(domain))
            domain->due = DOMAIN_DUE_START;
    begin(&starter, DOMAIN_DUE_START);
}

// ---- guests that end with their client

static void end_guests_of(struct client *client)
{
    for (size_t i = 0; hypervisors[i]; i++) {
        for (struct domain *domain = domain_next(hypervisors[i], NULL); domain;
             domain = domain_next(hypervisors[i], domain)) {
            if (domain->dies_with != client->serial)
                continue;
            domain->dies_with = 0;
            if (domain_active(domain))
                domain->due = DOMAIN_DUE_DESTROY;
        }
    }
    begin(&ender, DOMAIN_DUE_DESTROY);
}

void domain_autodestroy_set(struct domain *domain, const struct client *client, uint32_t flags)
{
    static struct client_hook hook;
    domain->dies_with = 0;
    if (!(flags & VIR_DOMAIN_START_AUTODESTROY))
        return;
    if (!hook.gone) {
        hook.gone = end_guests_of;
        client_on_gone(&hook);
    }
    if (client) {
        domain->dies_with = client->serial;
    } else { // it has left already
        domain->due = DOMAIN_DUE_DESTROY;
        begin(&ender, DOMAIN_DUE_DESTROY);
    }
}
