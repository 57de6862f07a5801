// The names of domain states and their reasons, as status files and messages write them.
#ifndef VIRT_DOMAIN_NAMES_H
#define VIRT_DOMAIN_NAMES_H

#include "core/slice.h"

// "unknown" for a number that has no name.
const char *domain_state_name(int state);
const char *domain_reason_name(int state, int reason);
// The numbers again; false when the name is not known.
bool domain_state_parse(struct slice name, int *state);
bool domain_reason_parse(int state, struct slice name, int *reason);

#endif
