// Names of processor features: QEMU's and libvirt's.
#include "hv/qemu/capabilities/cpu_features.h"

static const struct {
    const char *libvirt, *qemu;
} names[] = {
    {"cmp_legacy", "cmp-legacy"},       {"ds_cpl", "ds-cpl"},
    {"fxsr_opt", "fxsr-opt"},           {"kvm_pv_eoi", "kvm-pv-eoi"},
    {"kvm_pv_unhalt", "kvm-pv-unhalt"}, {"lahf_lm", "lahf-lm"},
    {"nodeid_msr", "nodeid-msr"},       {"pclmuldq", "pclmulqdq"},
    {"perfctr_core", "perfctr-core"},   {"perfctr_nb", "perfctr-nb"},
    {"tsc_adjust", "tsc-adjust"},
};

struct slice qemu_cpu_feature_from(struct slice qemu_name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(qemu_name, names[i].qemu))
            return slice_of(names[i].libvirt);
    return qemu_name;
}

struct slice qemu_cpu_feature_to(struct slice libvirt_name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(libvirt_name, names[i].libvirt))
            return slice_of(names[i].qemu);
    return libvirt_name;
}

void qemu_cpu_write_features(struct buffer *out, const struct json_value *props)
{
    static const char *const numbers[] = {"family", "model", "stepping"};
    struct slice vendor = json_get_string(props, "vendor");
    buffer_put(out, slice_present(vendor) ? vendor : SLICE("-"));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t number = 0;
        json_get_u64(props, numbers[i], &number);
        buffer_printf(out, " %u", (unsigned)number);
    }
    for (const struct json_value *prop = props ? props->child : NULL; prop; prop = prop->next) {
        if (prop->kind != JSON_BOOL || !prop->truth || slice_find(prop->key, ' ') >= 0)
            continue;
        buffer_putc(out, ' ');
        buffer_put(out, qemu_cpu_feature_from(prop->key));
    }
}
