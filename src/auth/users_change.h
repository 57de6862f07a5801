// Users: changing the file. For programs, not for the daemon: it waits for the disk.
#ifndef AUTH_USERS_CHANGE_H
#define AUTH_USERS_CHANGE_H

#include "auth/users.h"

// Gives the user these keys, in place of those of the same mechanism; the file is made when it is
// not there. Its successor is complete and on disk before it takes its place; comments and lines
// that are not understood are kept. Errors: as users_read(), somebody else is changing the file
// (VIR_ERR_OPERATION_FAILED), it becomes too long.
bool users_set(const char *name, const struct scram_keys *keys, struct error *err);
// Takes all keys of the user away. VIR_ERR_AUTH_FAILED when there are none.
bool users_delete(const char *name, struct error *err);

#endif
