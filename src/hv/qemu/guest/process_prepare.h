// What a guest needs on this host before its emulator can start. Changes to the live definition are
// made in the tree of definition_doc().
#ifndef HV_QEMU_PROCESS_PREPARE_H
#define HV_QEMU_PROCESS_PREPARE_H

#include "hv/qemu/command/command.h"
#include "hv/qemu/guest/guest.h"
#include "text/xml.h"

#define INTERFACES_MAX 32 // of one guest
#define SOCKETS_MAX    32 // of its character devices

// Free ports for its graphics. VIR_ERR_INTERNAL_ERROR "Unable to find an
// unused port in range ..." when there is none.
bool process_prepare_graphics(struct guest *guest, struct xml_doc *doc, struct error *err);

// Taps and vhost descriptors of its interfaces, in their order.
struct process_interfaces {
    struct qemu_interface_fds fds[INTERFACES_MAX];
    size_t count;
};
bool process_open_interfaces(struct process_interfaces *interfaces, struct xml_doc *doc,
                             struct error *err);
void process_close_interfaces(struct process_interfaces *interfaces);

// Listening sockets of its character devices, which the emulator inherits.
struct process_sockets {
    int fds[SOCKETS_MAX];
    size_t count;
};
// For struct qemu_command_context; `sockets` is a struct process_sockets.
int process_listen(void *sockets, const char *path, struct error *err);
void process_close_sockets(struct process_sockets *sockets);

// A firmware's variable store that has to be made first: from a template to a path.
struct process_nvram {
    char template[PORT_PATH_MAX / 4], path[PORT_PATH_MAX / 4];
};
// Whether there is one to be made; with `reset`, one that is there is made anew.
// VIR_ERR_OPERATION_FAILED "unable to find any master var store for loader: ...".
bool process_needs_nvram(const struct xml_node *tree, bool reset, struct process_nvram *nvram,
                         struct error *err);
int process_make_nvram(void *nvram, int out); // a worker's work; the result is an errno value

// Looks at the files that the emulator will open, and gives them to its user.
bool process_prepare_files(const struct domain *domain, const struct qemu_command *command,
                           struct error *err);

#endif
