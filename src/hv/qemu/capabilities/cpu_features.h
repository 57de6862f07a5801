// Names of processor features: QEMU's and libvirt's.
#ifndef HV_QEMU_CPU_FEATURES_H
#define HV_QEMU_CPU_FEATURES_H

#include "core/buffer.h"
#include "text/json.h"

// libvirt's name of a feature that QEMU names so, and the other way round; mostly the same.
struct slice qemu_cpu_feature_from(struct slice qemu_name);
struct slice qemu_cpu_feature_to(struct slice libvirt_name);

// Writes vendor, family, model, stepping and the names of the features that are on, separated by
// blanks, from the properties of a model's full expansion.
void qemu_cpu_write_features(struct buffer *out, const struct json_value *props);

#endif
