// Emulator processes: starting them, ending them, and cleaning up behind them.
#ifndef HV_QEMU_PROCESS_H
#define HV_QEMU_PROCESS_H

#include "hv/qemu/guest/guest.h"
#include "virt/hypervisor.h"

// Ends the emulator and waits until it is gone: SIGTERM, and SIGKILL after ten seconds when `force`
// is true (libvirt: virProcessKillPainfully). Zero the struct before. Error:
// VIR_ERR_SYSTEM_ERROR "Failed to terminate process N with SIGTERM: ...".
enum co_status process_kill(struct process_kill *kill, struct guest *guest, struct task *task,
                            bool force, struct error *err);
bool process_gone(const struct guest *guest);

// Cleans up behind an emulator that is gone: files, owners, the log, the rows. `reason` is a
// VIR_DOMAIN_SHUTOFF_*. The guest is no more afterwards.
void process_stop(struct guest *guest, int reason);
// process_stop, tells of it (VIR_DOMAIN_EVENT_STOPPED_*) and removes a transient domain.
void process_end(struct guest *guest, int reason, int detail);
// In the background: makes sure that the emulator is gone, waits for the domain's job, ends it.
void process_begin_end(struct guest *guest, int reason, int detail);

// The monitor's owner is every guest's; events.c has the events.
extern const struct monitor_owner process_monitor_owner;

// --- the log of a guest: log/NAME.log
int process_log_open(const struct domain *domain); // for appending; a negative errno value
uint64_t process_log_size(const struct domain *domain);
// One line with the time in front.
void process_log_line(const struct domain *domain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void process_log_write(const struct domain *domain, struct slice text);
// What the emulator wrote behind `offset`: at most size-1 bytes from its end, whole lines.
struct slice process_log_tail(const struct domain *domain, uint64_t offset, char *to, size_t size);
void process_log_remove(const struct domain *domain);

// --- files for the guest's user
// Makes a directory of mode 0700 that belongs to the guest's user; one that is there is emptied.
bool process_make_directory(const char *path, struct error *err);
void process_remove_directory(const char *path); // with the files in it
// The guest's own directory, with one for its memory if that lies in files; and back.
bool process_make_guest_directory(const struct domain *domain, bool memory, struct error *err);
void process_remove_guest_directory(const struct domain *domain);
bool process_owns_path(const struct domain *domain, const char *path); // it lies in there
// Gives an image to the guest's user and notes in the guest's directory what to undo.
bool process_take_image(const struct domain *domain, const char *path, struct error *err);
void process_return_images(const struct domain *domain);

// --- operations
hypervisor_fn process_start_op, process_destroy_op;
void process_interrupt(struct domain *domain, uint32_t flags);

#endif
