// The command line of a guest's emulator, made from its live definition.
//
// The definition must be complete: defaults and addresses filled in (domain_xml_parse), aliases
// given (domain_xml_make_live), firmware and generated socket paths resolved
// (qemu_domain_xml_resolve), and the ports of its graphics chosen. Ids of devices, chardevs and
// block nodes are those that libvirt's QEMU driver gives, so that what users do over
// qemu-monitor-command keeps working.
#ifndef HV_QEMU_COMMAND_H
#define HV_QEMU_COMMAND_H

#include "core/config.h"
#include "core/error.h"
#include "hv/qemu/capabilities/capabilities.h"
#include "hv/qemu/settings.h"
#include "text/xml.h"

enum qemu_path_use {
    QEMU_PATH_READ,   // only read: a kernel, firmware code, the image of a backing chain
    QEMU_PATH_SHARED, // read and perhaps written by several guests: its owner is left alone
    QEMU_PATH_WRITE,  // read and written
    QEMU_PATH_CREATE, // written to, and made when missing: a log, the file of a serial port
    QEMU_PATH_SOCKET, // a socket that QEMU makes: its directory must let it
};

// A file that QEMU opens by name.
struct qemu_path {
    const char *path;
    enum qemu_path_use use;
    bool image; // of a disk: it is the caller's to change its owner (dynamic_ownership)
};

// The result. It is large: keep it static.
struct qemu_command {
    const char *args[CONFIG_QEMU_ARGUMENTS + 1]; // a NULL ends it; args[0] is the emulator's path
    const char *environment[CONFIG_QEMU_ENVIRONMENT + 1]; // "NAME=value"; a NULL ends it
    struct qemu_path paths[CONFIG_QEMU_PATHS];
    size_t arg_count, environment_count, path_count;
    char text[CONFIG_QEMU_COMMAND_TEXT]; // where all of them point into
};

// Descriptors of one interface that are handed to QEMU.
struct qemu_interface_fds {
    int tap;   // -1: none
    int vhost; // of /dev/vhost-net; -1: none
};

// What the definition does not say.
struct qemu_command_context {
    const struct qemu_capabilities *capabilities; // of the definition's emulator
    const struct qemu_settings *settings;
    bool privileged;          // qemu:///system
    const char *state_dir;    // the guest's own directory, its HOME: .../qemu/domain-ID-NAME
    int monitor_fd;           // a listening unix socket that QEMU inherits, or -1:
    const char *monitor_path; // then QEMU makes the socket here
    const struct qemu_interface_fds *interfaces; // one for each <interface>, in their order
    size_t interface_count;
    // Makes the listening socket of a character device at `path`, for QEMU to inherit, and returns
    // its descriptor, which stays the caller's; -1 with the error set. NULL: QEMU makes these
    // sockets itself.
    int (*listen)(void *data, const char *path, struct error *err);
    void *data;
    const char *incoming; // for -incoming ("defer", "fd:7"); NULL for none
    int64_t now;          // seconds since 1970, for clocks with an offset
};

// Builds the command line of the guest `domain`. Errors: VIR_ERR_CONFIG_UNSUPPORTED for what can
// not be expressed, in libvirt's words; VIR_ERR_INTERNAL_ERROR when a limit (CONFIG_QEMU_ARGUMENTS,
// CONFIG_QEMU_COMMAND_TEXT, CONFIG_QEMU_PATHS, CONFIG_QEMU_ENVIRONMENT) is hit.
bool qemu_command_build(struct qemu_command *out, const struct xml_node *domain,
                        const struct qemu_command_context *context, struct error *err);

// Writes the command line as libvirt logs it and shows it for domxml-to-native: environment and
// arguments joined by " \\\n", quoted for a shell.
void qemu_command_print(struct buffer *to, const struct qemu_command *command);

#endif
