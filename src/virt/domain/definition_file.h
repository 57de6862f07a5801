// What the files definition*.c share: where definitions lie and how a file is replaced.
#ifndef VIRT_DEFINITION_FILE_H
#define VIRT_DEFINITION_FILE_H

#include "core/buffer.h"
#include "port/port.h"
#include "virt/domain/domain.h"

void definition_path(char to[PORT_PATH_MAX], const char *directory, const char *name);
void definition_autostart_directory(char to[PORT_PATH_MAX], const struct hypervisor *hypervisor);
// The comment that libvirt writes at the top of its files.
void definition_put_header(struct buffer *out, const struct domain *domain);
// False, with the error set, when the text did not fit.
bool definition_fits(const struct buffer *out, const struct domain *domain, struct error *err);
// Writes beside it, then renames; with `durable` the text is on disk before the rename. Returns 0
// or a negative errno; on failure the old file stands.
int definition_replace_file(const char *path, struct slice text, bool durable);
// A directory that was made since the power was on is lost with all that is in it, until the one
// that it lies in is synced. May block.
int definition_sync_parents(const char *directory);

#endif
