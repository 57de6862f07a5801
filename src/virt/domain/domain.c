// Domains: the table's rows, its indices by uuid and name, and its order.
#include "virt/domain/domain.h"

#include "core/assert.h"
#include "virt/hypervisor.h"

#include <string.h>

// Rows refer to each other by place: 0 is nobody, n is rows[n - 1].
#define BUCKETS CONFIG_MAX_DOMAINS

static struct domain rows[CONFIG_MAX_DOMAINS];
static uint32_t by_uuid[BUCKETS], by_name[BUCKETS];
static uint32_t first_row, last_row;

static uint32_t place_of(const struct domain *domain)
{
    return (uint32_t)(domain - rows) + 1;
}

static struct domain *row_at(uint32_t place)
{
    assert(place <= CONFIG_MAX_DOMAINS);
    return place ? &rows[place - 1] : NULL;
}

// FNV-1a (Fowler, Noll, Vo), folded to a bucket.
static uint32_t bucket_of(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 16777619u;
    return hash % BUCKETS;
}

static uint32_t *uuid_chain(const uint8_t uuid[16])
{
    return &by_uuid[bucket_of(uuid, 16)];
}

static uint32_t *name_chain(struct slice name)
{
    return &by_name[bucket_of(name.at, name.len)];
}

static void index_uuid(struct domain *domain)
{
    uint32_t *chain = uuid_chain(domain->uuid);
    domain->next_by_uuid = *chain;
    *chain = place_of(domain);
}

static void index_name(struct domain *domain)
{
    uint32_t *chain = name_chain(slice_of(domain->name));
    domain->next_by_name = *chain;
    *chain = place_of(domain);
}

static void unindex_uuid(struct domain *domain)
{
    uint32_t *link = uuid_chain(domain->uuid);
    while (*link != place_of(domain))
        link = &row_at(*link)->next_by_uuid;
    *link = domain->next_by_uuid;
}

static void unindex_name(struct domain *domain)
{
    uint32_t *link = name_chain(slice_of(domain->name));
    while (*link != place_of(domain))
        link = &row_at(*link)->next_by_name;
    *link = domain->next_by_name;
}

static void append_to_order(struct domain *domain)
{
    domain->previous_row = last_row;
    domain->next_row = 0;
    if (last_row)
        row_at(last_row)->next_row = place_of(domain);
    else
        first_row = place_of(domain);
    last_row = place_of(domain);
}

static void remove_from_order(struct domain *domain)
{
    if (domain->previous_row)
        row_at(domain->previous_row)->next_row = domain->next_row;
    else
        first_row = domain->next_row;
    if (domain->next_row)
        row_at(domain->next_row)->previous_row = domain->previous_row;
    else
        last_row = domain->previous_row;
}

static struct domain *free_row(void)
{
    for (size_t i = 0; i < CONFIG_MAX_DOMAINS; i++)
        if (!rows[i].used)
            return &rows[i];
    return NULL;
}

struct domain *domain_add(const struct hypervisor *hypervisor, const uint8_t uuid[16],
                          struct slice name, struct error *err)
{
    if (name.len >= DOMAIN_NAME_SIZE) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "name of domain is longer than %d bytes",
                  DOMAIN_NAME_SIZE - 1);
        return NULL;
    }
    struct domain *domain = free_row();
    if (!domain) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                  "too many domains: limit is %d, CONFIG_MAX_DOMAINS", CONFIG_MAX_DOMAINS);
        return NULL;
    }
    *domain = (struct domain){.used = true,
                              .hidden = true,
                              .id = -1,
                              .guest = -1,
                              .state = VIR_DOMAIN_SHUTOFF,
                              .hypervisor = hypervisor,
                              .references = 1};
    memcpy(domain->uuid, uuid, 16);
    bool fits = slice_copy(domain->name, sizeof(domain->name), name);
    assert(fits);
    (void)fits;
    index_uuid(domain);
    index_name(domain);
    append_to_order(domain);
    return domain;
}

void domain_show(struct domain *domain)
{
    assert(domain->used && !domain->removed);
    domain->hidden = false;
}

static void release_row(struct domain *domain)
{
    remove_from_order(domain);
    domain->used = false;
}

void domain_remove(struct domain *domain)
{
    assert(domain->used);
    if (domain->removed)
        return;
    unindex_uuid(domain);
    unindex_name(domain);
    domain->removed = true;
    domain_job_wake(domain);
    if (domain->references == 0)
        release_row(domain);
}

void domain_remove_all(const struct hypervisor *hypervisor)
{
    struct domain *next, *domain = row_at(first_row);
    for (; domain; domain = next) {
        next = row_at(domain->next_row);
        if (domain->hypervisor == hypervisor)
            domain_remove(domain);
    }
}

bool domain_set_name(struct domain *domain, struct slice name)
{
    char copy[DOMAIN_NAME_SIZE];
    if (!slice_copy(copy, sizeof(copy), name))
        return false;
    assert(!domain->removed);
    unindex_name(domain);
    memcpy(domain->name, copy, sizeof(copy));
    index_name(domain);
    return true;
}

void domain_ref(struct domain *domain)
{
    assert(domain->used);
    domain->references++;
}

void domain_unref(struct domain *domain)
{
    assert(domain->used && domain->references > 0);
    assert(domain->references > 1 || domain->removed || !domain->hidden);
    domain->references--;
    if (domain->references == 0 && domain->removed)
        release_row(domain);
}

struct domain *domain_taken_uuid(const struct hypervisor *hypervisor, const uint8_t uuid[16])
{
    struct domain *domain = row_at(*uuid_chain(uuid));
    while (domain && (domain->hypervisor != hypervisor || memcmp(domain->uuid, uuid, 16) != 0))
        domain = row_at(domain->next_by_uuid);
    return domain;
}

struct domain *domain_taken_name(const struct hypervisor *hypervisor, struct slice name)
{
    struct domain *domain = row_at(*name_chain(name));
    while (domain && (domain->hypervisor != hypervisor || !slice_is(name, domain->name)))
        domain = row_at(domain->next_by_name);
    return domain;
}

static struct domain *if_shown(struct domain *domain)
{
    return domain && !domain->hidden ? domain : NULL;
}

struct domain *domain_by_uuid(const struct hypervisor *hypervisor, const uint8_t uuid[16])
{
    return if_shown(domain_taken_uuid(hypervisor, uuid));
}

struct domain *domain_by_name(const struct hypervisor *hypervisor, struct slice name)
{
    return if_shown(domain_taken_name(hypervisor, name));
}

struct domain *domain_next(const struct hypervisor *hypervisor, const struct domain *previous)
{
    assert(!previous || previous->used);
    struct domain *domain = row_at(previous ? previous->next_row : first_row);
    while (domain && (domain->hypervisor != hypervisor || domain->hidden || domain->removed))
        domain = row_at(domain->next_row);
    return domain;
}

struct domain *domain_by_id(const struct hypervisor *hypervisor, int32_t id)
{
    struct domain *domain = domain_next(hypervisor, NULL);
    while (domain && (domain->id != id || !domain_active(domain)))
        domain = domain_next(hypervisor, domain);
    return domain;
}

bool domain_active(const struct domain *domain)
{
    return domain->id != -1;
}

void domain_set_state(struct domain *domain, int state, int reason)
{
    domain->state = (uint8_t)state;
    domain->reason = (int16_t)reason;
}

// The highest id given out so far, by hypervisor.
static struct {
    const struct hypervisor *hypervisor;
    int32_t last;
} ids[4];

static int32_t *last_id(const struct hypervisor *hypervisor)
{
    size_t i = 0;
    while (ids[i].hypervisor && ids[i].hypervisor != hypervisor) {
        i++;
        assert(i < sizeof(ids) / sizeof(ids[0]));
    }
    ids[i].hypervisor = hypervisor;
    return &ids[i].last;
}

// Guests that a former daemon started keep their ids.
void domain_keep_ids(const struct hypervisor *hypervisor)
{
    int32_t *last = last_id(hypervisor);
    for (uint32_t place = first_row; place; place = row_at(place)->next_row) {
        const struct domain *domain = row_at(place);
        if (domain->hypervisor == hypervisor && domain->id > *last)
            *last = domain->id;
    }
}

int32_t domain_new_id(const struct hypervisor *hypervisor)
{
    return ++*last_id(hypervisor);
}

void domain_forget_ids(const struct hypervisor *hypervisor)
{
    *last_id(hypervisor) = 0;
}
