// Definitions: a domain's XML on disk, which is the database.
//
// The persistent definition is CONFIGDIR/NAME.xml, written durably (temporary file, fsync, rename,
// fsync of the directory) by a worker; autostart is a link CONFIGDIR/autostart/NAME.xml. The live
// one is STATEDIR/NAME.xml, a <domstatus> document around the live <domain>, written in place by
// rename: it need not survive a power cut. Where the two directories are is the hypervisor's to
// say.
#ifndef VIRT_DEFINITION_H
#define VIRT_DEFINITION_H

#include "core/child.h"
#include "core/co.h"
#include "text/xml.h"
#include "virt/domain/domain.h"

enum definition { DEFINITION_PERSISTENT, DEFINITION_LIVE };

// Two documents that everybody uses and nobody keeps across a wait: definition_tree() fills the
// first.
struct xml_doc *definition_scratch(void); // the second: for a document from a client

// Reads and parses the file: the <domain> element, valid until the next call of a function of this
// file, or a wait. It is the root of its document.
struct xml_node *definition_tree(const struct domain *domain, enum definition which,
                                 struct error *err);
// For a name that need not have a row.
struct xml_node *definition_tree_named(const struct hypervisor *hypervisor, enum definition which,
                                       const char *name, struct error *err);
// The definition that counts now: the live one of a running domain, else the persistent one.
struct xml_node *definition_current(const struct domain *domain, struct error *err);
struct xml_doc *definition_doc(void); // the document definition_tree() filled, for changing it
// The <domstatus> that the last definition_tree() took the live <domain> out of, with the driver's
// own elements; NULL when that was a persistent definition. It may be changed: what is written next
// is written with it.
struct xml_node *definition_wrapper(void);

// The tree as text, to be parsed anew; valid until the next function of this file writes.
bool definition_copy(const struct xml_node *tree, struct slice *text, struct error *err);

// Writes the status file from the <domain> element of a live tree, with the driver's own elements.
bool definition_write_live(const struct domain *domain, const struct xml_node *tree,
                           struct error *err);
void definition_remove_live(const struct domain *domain);

// As definition_save(), at once: for definitions that need not survive a power cut.
bool definition_save_volatile(const struct domain *domain, const struct xml_node *tree,
                              struct error *err);

// Durable changes, each a coroutine: zero the struct, then CO_CALL it with the same arguments until
// it is done. On failure `err` is set; definition_there() tells what is on disk then.
struct definition_change {
    struct co co;
    struct worker worker;
};

// Writes the <domain> element `tree` (looked at in the first call only) as the persistent
// definition.
enum co_status definition_save(struct definition_change *change, const struct domain *domain,
                               const struct xml_node *tree, struct task *task, struct error *err);
// Removes the persistent definition and its autostart link.
enum co_status definition_delete(struct definition_change *change, const struct domain *domain,
                                 struct task *task, struct error *err);
// Sets or removes the autostart link.
enum co_status definition_autostart(struct definition_change *change, const struct domain *domain,
                                    bool on, struct task *task, struct error *err);
// Gives the persistent definition (already changed inside by `tree`) and its autostart link a new
// name.
enum co_status definition_rename(struct definition_change *change, const struct domain *domain,
                                 struct slice new_name, const struct xml_node *tree,
                                 struct task *task, struct error *err);

// What is on the disk now. A change that fails half-way (the disk, or the death of its worker) can
// have done what it should, only not for sure: the row then follows the disk, and the caller is
// told the error.
bool definition_there(const struct hypervisor *hypervisor, const char *name);
// Whether the autostart link and the definition are one file.
bool definition_autostarts(const struct domain *domain);

// Start-up: adds a row for every definition of that hypervisor's directories. Rows with a live
// definition get the state, reason and id it tells; the driver then looks whether their guests
// still run. A file that can not be read as a definition is logged and left alone.
void definition_load_all(const struct hypervisor *hypervisor);

#endif
