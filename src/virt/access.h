// Access: whether the peer of a call may do what it asks for, by the contract's permissions and the
// administrator's rules (auth/access.h). Without rules everything is allowed that the socket's mode
// allows, as libvirt has it without an access driver.
//
// Most calls name their object in their first argument. access_gate() finds it in its table and
// answers before the handler runs. The object of the others (lookups, and calls that come with a
// document) is known to the handler alone: it asks access_check_object() as soon as it knows it.
// A call that ends without having asked is answered with VIR_ERR_ACCESS_DENIED, whatever it did.
//
// Who may not see an object shall not learn that it is there: a lookup by what can be guessed (a
// name, an id, a path) is denied alike whether there is such an object or not, unless the rules
// allow it for any object of that name. What is asked for by uuid and is not there is not found.
#ifndef VIRT_ACCESS_H
#define VIRT_ACCESS_H

#include "auth/access.h"
#include "rpc/call.h"

struct domain;
struct storage_pool;

#ifdef CONFIG_ACCESS

void access_init(void); // once, before there are clients
// Whether the call may go on to its handler (which is NULL where there is none); else its error is
// set and the denial is on record.
bool access_gate(struct call *call);
// For handlers, about the object that they have found, or that was asked for and is not there.
bool access_check_object(struct call *call, const struct access_object *object);
bool access_check_domain(struct call *call, const struct domain *domain);
bool access_check_pool(struct call *call, const struct storage_pool *pool);
// Whether a list that the call asks for shows the object.
bool access_shows(const struct call *call, const struct access_object *object);
bool access_shows_domain(const struct call *call, const struct domain *domain);
bool access_shows_pool(const struct call *call, const struct storage_pool *pool);
// Whether the client may be told of an event of that domain.
bool access_hears_of(const struct client *client, const struct domain *domain);
// Whether the client may go on with what a call of that procedure has opened on the domain, by the
// rules as they are now.
bool access_may_keep(const struct client *client, int32_t procedure, const struct domain *domain);

#else // everything is allowed

#define access_gate NULL
static inline void access_init(void)
{
}
static inline bool access_check_object(struct call *call, const struct access_object *object)
{
    (void)call;
    (void)object;
    return true;
}
static inline bool access_check_domain(struct call *call, const struct domain *domain)
{
    (void)call;
    (void)domain;
    return true;
}
static inline bool access_check_pool(struct call *call, const struct storage_pool *pool)
{
    (void)call;
    (void)pool;
    return true;
}
static inline bool access_shows(const struct call *call, const struct access_object *object)
{
    (void)call;
    (void)object;
    return true;
}
static inline bool access_shows_domain(const struct call *call, const struct domain *domain)
{
    (void)call;
    (void)domain;
    return true;
}
static inline bool access_shows_pool(const struct call *call, const struct storage_pool *pool)
{
    (void)call;
    (void)pool;
    return true;
}
static inline bool access_hears_of(const struct client *client, const struct domain *domain)
{
    (void)client;
    (void)domain;
    return true;
}
static inline bool access_may_keep(const struct client *client, int32_t procedure,
                                   const struct domain *domain)
{
    (void)client;
    (void)procedure;
    (void)domain;
    return true;
}

#endif
#endif
