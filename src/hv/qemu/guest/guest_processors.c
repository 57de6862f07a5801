// What the host's kernel knows of a guest's threads: their time, where they run and may run; and as
// whom the emulator runs.
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/guest_ops.h"

#include <stdio.h>
#include <string.h>

bool guest_host_cpus(struct port_cpuset *cpus, struct error *err)
{
    int status = port_cpus_online(cpus);
    return status >= 0 || error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                                    "cannot read the online processors: %s", strerror(-status));
}

// A vcpu's thread; 0, with the error set, when it is not known.
static int thread_of(const struct domain *domain, unsigned vcpu, struct guest **guest,
                     struct error *err)
{
    *guest = guest_need(domain, err);
    if (!*guest)
        return 0;
    int thread = vcpu < (*guest)->vcpu_count ? (*guest)->vcpu_threads[vcpu] : 0;
    if (thread <= 0)
        error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "cpu affinity is not supported");
    return thread > 0 ? thread : 0;
}

bool guest_vcpu(const struct domain *domain, unsigned vcpu, struct hypervisor_vcpu *to,
                struct error *err)
{
    struct guest *guest;
    struct port_usage usage;
    int thread = thread_of(domain, vcpu, &guest, err);
    if (!thread)
        return false;
    int status = port_thread_usage(guest->pid, thread, &usage);
    if (status < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "cannot get vCPU placement & pCPU time: %s", strerror(-status));
    *to = (struct hypervisor_vcpu){.state = VIR_VCPU_RUNNING,
                                   .cpu = usage.last_cpu,
                                   .cpu_ns = usage.user_ns + usage.system_ns,
                                   .wait_ns = usage.wait_ns,
                                   .delay_ns = usage.delay_ns};
    status = port_affinity_get(thread, to->affinity.bits, sizeof(to->affinity.bits));
    return status >= 0 ||
           error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                     "cannot get CPU affinity of process %d: %s", thread, strerror(-status));
}

// A vcpu that is offline has no thread to bind; its pin is in the definition, for when it has one.
static bool is_offline(const struct domain *domain, int vcpu)
{
    const struct guest *guest = guest_of(domain);
    return guest && guest->vcpu_threads[0] > 0 && vcpu > 0 &&
           ((uint32_t)vcpu >= guest->vcpu_count || guest->vcpu_threads[vcpu] <= 0);
}

bool guest_pin(const struct domain *domain, int vcpu, const struct port_cpuset *cpus,
               struct error *err)
{
    struct guest *guest;
    int thread;
    if (is_offline(domain, vcpu))
        return true;
    if (vcpu == HYPERVISOR_EMULATOR) {
        guest = guest_need(domain, err);
        thread = guest ? guest->pid : 0;
    } else {
        thread = thread_of(domain, (unsigned)vcpu, &guest, err);
    }
    if (!thread)
        return false;
    int status = port_affinity_set(thread, cpus->bits, sizeof(cpus->bits));
    return status >= 0 ||
           error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                     "cannot set CPU affinity on process %d: %s", thread, strerror(-status));
}

bool guest_cpu_stats(const struct domain *domain, int cpu, struct hypervisor_cpu_stats *to,
                     struct error *err)
{
    struct port_usage usage;
    struct guest *guest = guest_need(domain, err);
    (void)cpu;
    if (!guest)
        return false;
    int status = port_process_usage(guest->pid, &usage);
    if (status < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "cannot read the CPU time of process %d: %s", guest->pid,
                         strerror(-status));
    *to = (struct hypervisor_cpu_stats){.cpu_ns = usage.user_ns + usage.system_ns,
                                        .user_ns = usage.user_ns,
                                        .system_ns = usage.system_ns};
    return true;
}

// The models are those of the capabilities: "none", and "dac" for guests with a user of their own.
bool guest_security_label(const struct domain *domain, unsigned nth, char *label, size_t size,
                          bool *enforcing)
{
    (void)domain;
    label[0] = '\0';
    *enforcing = false; // libvirt does not say it of these two
    if (nth > 0)
        snprintf(label, size, "+%u:+%u", qemu_driver.uid, qemu_driver.gid);
    return nth == 0 || (nth == 1 && qemu_driver.privileged);
}
