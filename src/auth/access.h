// Access rules: who may do what on which objects, as a file of rules says.
//
// A rule is a verdict ("allow", "deny"), conditions on who asks, the permissions that it is about,
// and the objects that it is about. The first rule that fits decides; when none does, the answer is
// no. The format of the file is in auth/access.conf.5.
//
// Where something is not known that a rule asks for (the name of an object that is not there, the
// groups of a process), a rule that denies fits and a rule that allows does not.
#ifndef AUTH_ACCESS_H
#define AUTH_ACCESS_H

#include "auth/identity.h"
#include "core/config.h"
#include "core/error.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

// The kinds of objects that permissions are about; their names are libvirt's.
enum access_kind {
    ACCESS_CONNECT,
    ACCESS_DOMAIN,
    ACCESS_INTERFACE,
    ACCESS_NETWORK,
    ACCESS_NETWORK_PORT,
    ACCESS_NODE_DEVICE,
    ACCESS_NWFILTER,
    ACCESS_NWFILTER_BINDING,
    ACCESS_SECRET,
    ACCESS_STORAGE_POOL,
    ACCESS_STORAGE_VOL,
    ACCESS_KINDS,
};

struct access_object {
    enum access_kind kind;
    struct slice name;   // absent: not known. A secret's is its usage, a port's its uuid
    struct slice parent; // a volume's pool, a port's network; else absent
    const uint8_t *uuid; // 16 bytes; NULL: not known, or has none
};

// Who asks.
struct access_subject {
    const struct identity *identity;
    const char *transport; // struct transport's name
    bool read_only;
    // Fills in the groups that `from` is in, besides identity->peer.gid, and returns how many there
    // are; negative when it can not be told. Only asked when a rule needs it.
    int (*groups)(const void *from, uint32_t *gids, size_t max);
    const void *groups_from;
};

#ifdef CONFIG_ACCESS

// Reads the rules. At a failure the rules that were in force still are; errors tell file and line:
// VIR_ERR_CONF_SYNTAX; VIR_ERR_SYSTEM_ERROR when it can not be read; VIR_ERR_CONFIG_UNSUPPORTED
// when somebody else than its owner could write it. `*absent` tells that there is no such file;
// that is not an error.
bool access_load(const char *file, bool *absent, struct error *err);
// The same for a text that is in memory already (at most CONFIG_ACCESS_TEXT bytes).
bool access_parse(struct slice text, const char *file, struct error *err);
bool access_in_force(void);       // rules have been loaded
uint32_t access_generation(void); // changes with the rules, 0: none yet
const char *access_file(void);    // where the rules in force came from

// Which rules the subject fits, a bit each, so that a question is answered without looking at the
// subject again. Valid for one generation.
struct access_who {
    uint8_t fits[(CONFIG_ACCESS_RULES + 7) / 8];
};
void access_identify(const struct access_subject *subject, struct access_who *who);

struct access_verdict {
    bool allowed;
    uint32_t line; // of the rule that decided; 0: none did
};

// Whether who fits `who` has the permission (an index of the contract's) on the object, whose kind
// is the permission's.
struct access_verdict access_ask(const struct access_who *who, uint8_t permission,
                                 const struct access_object *object);

// Whether there is an object of that permission's kind for which the answer could be yes: what a
// client sends need not be looked at when there is none.
bool access_might(const struct access_who *who, uint8_t permission);

enum access_kind access_permission_kind(uint8_t permission);
// The permission of that name ("domain.start"), 0 when there is none.
uint8_t access_permission(struct slice name);
const char *access_kind_name(enum access_kind kind);
// The kind of that name, ACCESS_KINDS when there is none.
enum access_kind access_kind_of(struct slice name);

#endif
#endif
