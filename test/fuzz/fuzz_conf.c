// The configuration files: libvirtd.conf and qemu.conf.
#include "fuzz.h"

#include "core/settings.h"
#include "hv/qemu/settings.h"

static void check_list(const struct conf_list *list)
{
    unsigned count = 0;
    for (const char *item = conf_list_next(list, NULL); item; item = conf_list_next(list, item))
        count++;
    FUZZ_CHECK(count == list->count);
}

void fuzz_one(struct slice input)
{
    static struct settings settings;
    static struct qemu_settings qemu;
    struct error err = {0};
    FUZZ_TOLD(settings_load(&settings, input, "libvirtd.conf", &err), &err);
    check_list(&settings.access_drivers);
    check_list(&settings.sasl_allowed_username_list);
    check_list(&settings.tls_allowed_dn_list);
    error_clear(&err);
    qemu_settings_default(&qemu, true);
    FUZZ_TOLD(qemu_settings_read(&qemu, input, "qemu.conf", &err), &err);
}
