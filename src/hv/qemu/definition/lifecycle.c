// Which actions QEMU guests can take together when they end (<on_poweroff>, <on_reboot>,
// <on_crash>).
#include "hv/qemu/definition/lifecycle.h"

#include "virt/xml/xml_value.h"

static bool refuse(struct error *err, const char *why)
{
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", why);
}

bool qemu_validate_lifecycle(const struct xml_node *tree, struct error *err)
{
    struct slice off = value_text(xml_child(tree, "on_poweroff")),
                 again = value_text(xml_child(tree, "on_reboot")),
                 crash = value_text(xml_child(tree, "on_crash"));
    if (slice_is(off, "rename-restart") || slice_is(again, "rename-restart") ||
        slice_is(crash, "rename-restart"))
        return refuse(err, "qemu driver doesn't support the 'rename-restart' action for "
                           "'on_reboot'/'on_poweroff'/'on_crash'");
    if (slice_is(off, "preserve") || slice_is(again, "preserve"))
        return refuse(err, "qemu driver doesn't support the 'preserve' action for "
                           "'on_reboot'/'on_poweroff'");
    if (slice_is(off, "restart") && slice_is(again, "destroy"))
        return refuse(err, "qemu driver doesn't support 'onReboot' set to 'destroy and "
                           "'onPoweroff' set to 'reboot'");
    return true;
}
