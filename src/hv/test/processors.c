// The test driver's processors: bound only in the live definition, busy only in appearance.
#include "hv/test/driver.h"

#include "virt/domain/cpuset.h"
#include "virt/domain/definition.h"

#include <stdio.h>

#define TOTAL_CPU_NS UINT64_C(48772617035) // of every guest
#define STATS_CPUS   2                     // so many cores has a socket of the host
#define NOT_VCPU_NS  UINT64_C(1234567890)

bool test_cpus(struct port_cpuset *cpus, struct error *err)
{
    (void)err;
    cpuset_fill(cpus, TEST_CPUS);
    return true;
}

static struct slice vcpupin_of(const struct xml_node *tree, unsigned vcpu)
{
    XML_EACH (pin, xml_child(tree, "cputune"), "vcpupin") {
        uint32_t number;
        if (slice_u32(xml_attr(pin, "vcpu"), 10, &number) && number == vcpu)
            return xml_attr(pin, "cpuset");
    }
    return xml_attr_at(tree, "vcpu", "cpuset");
}

// A vcpu is always on the last processor that it may use, and its time goes on with the clock.
bool test_vcpu(const struct domain *domain, unsigned vcpu, struct hypervisor_vcpu *to,
               struct error *err)
{
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, err);
    if (!tree)
        return false;
    *to = (struct hypervisor_vcpu){.state = VIR_VCPU_RUNNING,
                                   .cpu_ns = (uint64_t)port_time_us() / 10};
    if (!cpuset_parse(vcpupin_of(tree, vcpu), &to->affinity))
        test_cpus(&to->affinity, err);
    to->cpu = (int32_t)port_cpuset_end(&to->affinity) - 1;
    return true;
}

bool test_pin(const struct domain *domain, int vcpu, const struct port_cpuset *cpus,
              struct error *err)
{
    (void)domain, (void)vcpu, (void)cpus, (void)err;
    return true;
}

bool test_cpu_stats(const struct domain *domain, int cpu, struct hypervisor_cpu_stats *to,
                    struct error *err)
{
    (void)domain, (void)err;
    if (cpu < 0) {
        *to = (struct hypervisor_cpu_stats){.cpu_ns = TOTAL_CPU_NS,
                                            .user_ns = UINT64_C(5540000000),
                                            .system_ns = UINT64_C(6460000000)};
        return true;
    }
    uint64_t each = TOTAL_CPU_NS / STATS_CPUS + (uint64_t)cpu;
    *to = (struct hypervisor_cpu_stats){.cpu_ns = each, .vcpu_ns = each - NOT_VCPU_NS};
    return true;
}

bool test_security_label(const struct domain *domain, unsigned nth, char *label, size_t size,
                         bool *enforcing)
{
    (void)domain;
    snprintf(label, size, "libvirt-test");
    *enforcing = true;
    return nth == 0;
}
