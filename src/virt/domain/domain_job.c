// Jobs: who changes a domain has it for himself; the others queue up behind him.
#include "virt/domain/domain.h"

#include "core/assert.h"

#include <stddef.h>

#define JOB_WAIT_NS (30 * NS_PER_SEC) // libvirt: VIR_JOB_WAIT_TIME

static struct domain_job *job_of(struct domain *domain, enum domain_job_kind kind)
{
    return kind == DOMAIN_JOB_AGENT ? &domain->agent_job : &domain->job;
}

static void enqueue(struct domain_job_wait *wait)
{
    struct domain_job_wait **end = &job_of(wait->domain, wait->kind)->first;
    while (*end)
        end = &(*end)->next;
    wait->next = NULL;
    wait->queued = true;
    *end = wait;
}

static void dequeue(struct domain_job_wait *wait)
{
    struct domain_job_wait **link = &job_of(wait->domain, wait->kind)->first;
    while (*link != wait)
        link = &(*link)->next;
    *link = wait->next;
    wait->queued = false;
}

bool domain_check_present(const struct domain *domain, struct error *err)
{
    char uuid[37];
    if (!domain->removed)
        return true;
    domain_uuid_format(domain->uuid, uuid);
    return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_NO_DOMAIN,
                     "no domain with matching uuid '%s' (%s)", uuid, domain->name);
}

// The first in the queue whose time is not over.
static bool is_next(const struct domain_job_wait *wait, const struct domain_job *job)
{
    return !job->holder && (!job->first || job->first == wait);
}

static enum co_status take(struct domain_job_wait *wait, struct domain_job *job, const char *holder)
{
    if (wait->queued)
        dequeue(wait);
    pause_stop(&wait->pause);
    job->holder = holder;
    job->owner = wait->task;
    job->kind = wait->kind;
    job->since = loop_now();
    return CO_DONE;
}

static enum co_status give_up(struct domain_job_wait *wait, struct domain_job *job)
{
    dequeue(wait);
    pause_stop(&wait->pause);
    if (!job->holder && job->first)
        task_wake(job->first->task);
    return CO_DONE;
}

enum co_status domain_job_begin(struct domain_job_wait *wait, struct domain *domain,
                                struct task *task, const char *holder, enum domain_job_kind kind,
                                struct error *err)
{
    struct domain_job *job = job_of(domain, kind);
    if (!wait->queued) {
        *wait = (struct domain_job_wait){.domain = domain, .task = task, .kind = kind};
        if (!domain_check_present(domain, err))
            return CO_DONE;
        if (is_next(wait, job))
            return take(wait, job, holder);
        enqueue(wait);
        pause_start(&wait->pause, task, JOB_WAIT_NS);
        return CO_WAITING;
    }
    if (!domain_check_present(domain, err))
        return give_up(wait, job);
    if (is_next(wait, job))
        return take(wait, job, holder);
    if (!wait->pause.over)
        return CO_WAITING;
    error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_TIMEOUT,
              "cannot acquire state change lock (held by %s=%s)",
              kind == DOMAIN_JOB_AGENT ? "agent" : "monitor", job->holder ? job->holder : "");
    return give_up(wait, job);
}

static void end(struct domain_job *job, const struct task *owner)
{
    if (!job->holder || job->owner != owner)
        return;
    job->holder = NULL;
    job->owner = NULL;
    if (job->first)
        task_wake(job->first->task);
}

void domain_job_end(struct domain *domain, const struct task *owner)
{
    end(&domain->job, owner);
    end(&domain->agent_job, owner);
}

void domain_job_wake(struct domain *domain)
{
    for (struct domain_job_wait *wait = domain->job.first; wait; wait = wait->next)
        task_wake(wait->task);
    for (struct domain_job_wait *wait = domain->agent_job.first; wait; wait = wait->next)
        task_wake(wait->task);
}
