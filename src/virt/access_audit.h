// The record of what was asked for and what the rules said.
#ifndef VIRT_ACCESS_AUDIT_H
#define VIRT_ACCESS_AUDIT_H

#include "auth/access.h"
#include "rpc/call.h"

// A denial is a warning of the log's module "access", what is allowed is an information. Of one
// client a bounded number of denials a second is told, and then how many there were besides.
void access_audit(const struct call *call, const struct xdr_rule *rule,
                  const struct access_object *object, struct access_verdict verdict);
void access_audit_forget(const struct client *client);

#endif
