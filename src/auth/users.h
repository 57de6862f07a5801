// Users: the file with the keys of those who may log in with a password.
//
//     # a comment
//     NAME:SCRAM-SHA-256$65536:SALT$STOREDKEY:SERVERKEY
//
// One line for each user and mechanism, in the form of RFC 5803. The name "*" is nobody's: from its
// line comes what is told to users that do not exist, so that nobody finds out who does. It is
// written by `nanovirtd passwd`, replaced as a whole, and read anew for each login.
#ifndef AUTH_USERS_H
#define AUTH_USERS_H

#include "auth/scram.h"
#include "core/config.h"
#include "core/error.h"

#define USERS_EVERYBODY_ELSE "*"

// Which file it is; its name must stay valid. At first it is passwd.scram among the configuration.
void users_set_file(const char *path);
// NULL when the path is too long.
const char *users_file(void);

struct user {
    struct slice name; // SLICE_NONE: the line is empty or a comment
    struct scram_keys keys;
};

// Takes the next line off the front of `rest`; false at the end. `wrong` is NULL, or why the line
// is not what it should be.
bool users_next(struct slice *rest, struct user *user, const char **wrong);

// Reads the whole file into memory that is used again by the next call, until users_forget().
// Errors: it is not there (VIR_ERR_AUTH_UNAVAILABLE), others than its owner may use it, it is
// longer than CONFIG_SASL_USERS_MAX, it can not be read.
bool users_read(struct slice *text, struct error *err);
void users_forget(void);
// Reads it, and says of the first line that is wrong which one and why.
bool users_check(struct error *err);

// The keys of a user, or else those that keep up appearances: the same each time, as a user's would
// be, and nobody's. *is_user tells which. False with the error set when the file can not be used.
bool users_find(enum scram_mechanism mechanism, const char *name, struct scram_keys *keys,
                bool *is_user, struct error *err);
// Whether anybody has keys for it.
bool users_have(enum scram_mechanism mechanism);

#endif
