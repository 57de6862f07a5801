// SASL (RFC 4422) as the protocol carries it: init, start and step, and the verdict.
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "core/conf.h"

// Before the first client. `allowed` holds patterns (slice_matches()) of the users that may log in,
// everybody's when it is not set; it must stay valid. What is wrong with the file of users is
// logged.
void sasl_configure(const struct conf_list *allowed);

#endif
