// The processor that the emulator gave its guest, as a running guest's definition shows it.
#ifndef HV_QEMU_CPU_LIVE_H
#define HV_QEMU_CPU_LIVE_H

#include "core/config.h"
#include "hv/qemu/guest/guest.h"
#include "text/xml.h"
#include "virt/node/cpu_x86.h"

// Makes <cpu> say what the guest has: features that the emulator added to or left out of a named
// model get their policy, and a definition that asked for exactly its own (check='full') is refused
// when they differ. `enabled` are the features that the guest's processor has, `disabled` those
// that it could not get. Errors: VIR_ERR_OPERATION_FAILED "guest CPU doesn't match specification:
// ...".
bool cpu_live_apply(struct xml_doc *doc, struct xml_node *cpu, const struct cpu_x86_set *enabled,
                    const struct cpu_x86_set *disabled, struct error *err);

// Asks the emulator and changes the live definition. Zero the struct before.
struct cpu_live {
    struct co co;
    struct monitor_call call;
    struct cpu_x86_set enabled, disabled;
};

#ifdef CONFIG_CPU_MODELS

enum co_status cpu_live_update(struct cpu_live *s, struct guest *guest, struct task *task,
                               struct error *err);

#else // the definition stays as it is

static inline enum co_status cpu_live_update(struct cpu_live *s, struct guest *guest,
                                             struct task *task, struct error *err)
{
    (void)s, (void)guest, (void)task, (void)err;
    return CO_DONE;
}

#endif

#endif
