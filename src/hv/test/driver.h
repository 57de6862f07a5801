// The test driver: what its files share.
#ifndef HV_TEST_DRIVER_H
#define HV_TEST_DRIVER_H

#include "virt/hypervisor.h"

extern const struct hypervisor test_hypervisor;

#define TEST_CPUS 16 // of its host

// life.c
enum co_status test_start(struct hypervisor_op *op);
enum co_status test_destroy(struct hypervisor_op *op);
enum co_status test_shutdown(struct hypervisor_op *op);
enum co_status test_reboot(struct hypervisor_op *op);
enum co_status test_reset(struct hypervisor_op *op);
enum co_status test_set_lifecycle(struct hypervisor_op *op);
enum co_status test_suspend(struct hypervisor_op *op);
enum co_status test_resume(struct hypervisor_op *op);
bool test_may_start(const struct domain *domain, struct error *err);
bool test_may_shutdown(const struct domain *domain, struct error *err);
bool test_may_suspend(const struct domain *domain, struct error *err);
bool test_may_resume(const struct domain *domain, struct error *err);
bool test_may_undefine(const struct domain *domain, struct error *err);

// guest.c
bool test_info(const struct domain *domain, uint64_t *memory_kib, uint64_t *cpu_ns);
enum co_status test_set_memory(struct hypervisor_op *op);
enum co_status test_set_vcpus(struct hypervisor_op *op);
enum co_status test_set_memory_stats_period(struct hypervisor_op *op);
enum co_status test_memory_stats(struct hypervisor_op *op);
bool test_interface_stats(const struct domain *domain, const char *device,
                          struct port_link_stats *to, struct error *err);
enum co_status test_blocks(struct hypervisor_op *op);
enum co_status test_send_key(struct hypervisor_op *op);
enum co_status test_inject_nmi(struct hypervisor_op *op);
enum co_status test_screenshot(struct hypervisor_op *op);
enum co_status test_hostname(struct hypervisor_op *op);
enum co_status test_filesystems(struct hypervisor_op *op);
enum co_status test_get_time(struct hypervisor_op *op);
enum co_status test_set_time(struct hypervisor_op *op);
enum co_status test_fs_freeze(struct hypervisor_op *op);
enum co_status test_fs_thaw(struct hypervisor_op *op);
enum co_status test_fs_trim(struct hypervisor_op *op);
enum co_status test_set_password(struct hypervisor_op *op);
void test_forget_insides(void);

// processors.c
bool test_cpus(struct port_cpuset *cpus, struct error *err);
bool test_vcpu(const struct domain *domain, unsigned vcpu, struct hypervisor_vcpu *to,
               struct error *err);
bool test_pin(const struct domain *domain, int vcpu, const struct port_cpuset *cpus,
              struct error *err);
bool test_cpu_stats(const struct domain *domain, int cpu, struct hypervisor_cpu_stats *to,
                    struct error *err);
bool test_security_label(const struct domain *domain, unsigned nth, char *label, size_t size,
                         bool *enforcing);

// host.c
void test_capabilities(struct buffer *out, struct error *err);
int32_t test_max_vcpus(struct slice type, struct error *err);
extern const struct node_view test_node;

#endif
