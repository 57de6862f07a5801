// Objects of calls: finding what a call's arguments name.
#ifndef VIRT_ACCESS_OBJECTS_H
#define VIRT_ACCESS_OBJECTS_H

#include "auth/access.h"
#include "rpc/call.h"
#include "virt/domain/domain.h"
#include "virt/storage/storage.h"

struct access_object access_domain(const struct domain *domain);
struct access_object access_pool(const struct storage_pool *pool);

enum access_found {
    ACCESS_FOUND,
    ACCESS_MISSING, // the arguments name one that is not there: the handler will say so
    ACCESS_UNKNOWN, // the arguments do not name it
};

// Fills in the object of the kind object->kind that the call is about. What is known of it is its
// row's, never what the client says besides the key.
enum access_found access_find_object(const struct call *call, struct access_object *object);

#endif
