// The model: which definitions may be there, and what the events have told of the guests.
//
// A definition that may be there is one that some call made, or may have made, and that no later
// call has certainly replaced: later means sent after the first was answered. Of a call that was
// not answered, or with an error, nobody knows whether it did what it should; but what it did is
// whole. An audit, which nothing overlaps, finds out, and what it finds is all that may be there
// from then on, until the power goes: what no answer has promised may be lost then, although it was
// seen, and what was there before it is there again.
#include "test/sim/world.h"

#include "virt/domain/domain_constants.h"

#include <string.h>

static const char tag[] = "version ";

static struct model *model(void)
{
    return &world->model;
}

uint32_t model_new_version(void)
{
    return ++model()->versions;
}

// ---- what a definition carries ------------------------------------------------------------------

void model_mark(uint32_t version, struct buffer *to)
{
    uint32_t length = version * 7919 % 1500;
    buffer_printf(to, "%s%u: ", tag, version);
    for (uint32_t i = 0; i < length; i++)
        buffer_putc(to, (char)('a' + (version + i * i) % 26));
    buffer_puts(to, " :end");
}

uint32_t model_version(struct slice xml)
{
    char text[2048];
    uint32_t version = 0;
    const char *end = xml.at + xml.len;
    for (const char *at = xml.at; at && at + sizeof(tag) < end; at++) {
        if (memcmp(at, tag, sizeof(tag) - 1) != 0)
            continue;
        for (const char *digit = at + sizeof(tag) - 1; digit < end && *digit != ':'; digit++)
            version = version * 10 + (uint32_t)(*digit - '0');
        struct buffer expected = buffer_over(text, sizeof(text));
        model_mark(version, &expected);
        if ((size_t)(end - at) < expected.len || memcmp(at, text, expected.len) != 0)
            return 0;
        return slice_contains(xml, "</domain>") ? version : 0;
    }
    return 0;
}

// ---- operations ---------------------------------------------------------------------------------

static bool same(const struct operation *a, enum driver driver, int name)
{
    return a->used && a->driver == driver && a->name == name;
}

static struct operation *new_operation(enum driver driver, int name, uint32_t version)
{
    for (int i = 0; i < OPERATIONS; i++) {
        struct operation *operation = &model()->operations[i];
        if (operation->used)
            continue;
        *operation = (struct operation){.used = true,
                                        .driver = driver,
                                        .name = name,
                                        .version = version,
                                        .sent = ++model()->order,
                                        .replied = SIM_NEVER};
        return operation;
    }
    return NULL;
}

int model_begin(enum driver driver, int name, uint32_t version)
{
    if (name == NAMES - 1)
        return -1;
    struct operation *operation = new_operation(driver, name, version);
    if (!operation)
        sim_fail("the model has no room left: OPERATIONS");
    return (int)(operation - model()->operations);
}

static bool supersedes(const struct operation *later, const struct operation *earlier)
{
    return later->outcome == DONE && later->sent > earlier->replied;
}

// Drops what certainly is no more.
static void prune(enum driver driver, int name)
{
    struct operation *operations = model()->operations;
    for (int i = 0; i < OPERATIONS; i++) {
        if (!same(&operations[i], driver, name))
            continue;
        for (int j = 0; j < OPERATIONS; j++)
            if (same(&operations[j], driver, name) && supersedes(&operations[j], &operations[i]))
                operations[i].used = false;
    }
}

void model_end(int number, enum outcome outcome)
{
    if (number < 0)
        return;
    struct operation *operation = &model()->operations[number];
    operation->outcome = outcome;
    if (outcome != LOST)
        operation->replied = ++model()->order;
    if (outcome == DONE)
        prune(operation->driver, operation->name);
}

static void forget(enum driver driver, int name)
{
    for (int i = 0; i < OPERATIONS; i++)
        if (same(&model()->operations[i], driver, name))
            model()->operations[i].used = false;
}

static bool is_promised(enum driver driver, int name, uint32_t version)
{
    for (int i = 0; i < OPERATIONS; i++) {
        const struct operation *operation = &model()->operations[i];
        if (same(operation, driver, name) && operation->version == version &&
            operation->outcome == DONE)
            return true;
    }
    return false;
}

static void note_absent(enum driver driver, int name)
{
    struct operation *absent = new_operation(driver, name, 0);
    if (absent)
        absent->outcome = FAILED;
}

static bool may_be(enum driver driver, int name, uint32_t version)
{
    bool something_is_known = false;
    for (int i = 0; i < OPERATIONS; i++) {
        const struct operation *operation = &model()->operations[i];
        if (!same(operation, driver, name) || operation->buried)
            continue;
        if (operation->version == version)
            return true;
        something_is_known = something_is_known || operation->outcome == DONE;
    }
    return version == 0 && !something_is_known; // nothing was ever there
}

// All others are over: what they would have had is not there, and may come back with the power.
static void settle(enum driver driver, int name, uint32_t version)
{
    bool lasts = model()->power_was_cut && world->audit.first; // what the disk had, it has
    if (lasts || is_promised(driver, name, version)) {
        forget(driver, name);
        new_operation(driver, name, version)->outcome = DONE;
    } else if (version != 0 && may_be(driver, name, 0)) {
        note_absent(driver, name);
    }
    for (int i = 0; i < OPERATIONS; i++) {
        struct operation *operation = &model()->operations[i];
        if (!same(operation, driver, name))
            continue;
        operation->buried = operation->version != version;
        operation->replied = ++model()->order;
    }
}

void model_restart(bool power_was_cut)
{
    memset(model()->views, 0, sizeof(model()->views));
    for (int name = 0; name < NAMES; name++) // what the test driver has goes with the daemon
        forget(DRIVER_TEST, name);
    for (int i = 0; i < OPERATIONS; i++)
        model()->operations[i].buried = model()->operations[i].buried && !power_was_cut;
    model()->power_was_cut = power_was_cut;
}

void model_found(enum driver driver, int name, uint32_t version)
{
    if (name == NAMES - 1)
        return;
    if (!may_be(driver, name, version)) {
        for (int i = 0; i < OPERATIONS; i++) {
            const struct operation *operation = &model()->operations[i];
            if (same(operation, driver, name))
                sim_trace("may be: version %u, sent %llu, replied %lld, outcome %d",
                          operation->version, (unsigned long long)operation->sent,
                          (long long)operation->replied, (int)operation->outcome);
        }
        static const char *const what[] = {"test domain", "qemu domain", "pool"};
        sim_fail("%s %d has version %u, which can not be (0: it is absent)", what[driver], name,
                 version);
    }
    settle(driver, name, version);
}

int model_domain(enum driver driver, bool running)
{
    int name = (int)sim_random(NAMES);
    for (int i = 0; i < NAMES; i++) {
        int at = (name + i) % NAMES;
        const struct guest_view *view = &model()->views[driver][at];
        if (view->there && (!running || view->state == VIR_DOMAIN_RUNNING))
            return at;
    }
    return name;
}

// ---- what events tell ---------------------------------------------------------------------------

void model_event(enum driver driver, int name, int event, int detail)
{
    (void)detail;
    struct guest_view *view = &model()->views[driver][name];
    sim_trace("event %d of %d (%d)", event, name, detail);
    view->changed = true;
    switch (event) {
    case VIR_DOMAIN_EVENT_DEFINED:
        if (!view->there)
            view->state = VIR_DOMAIN_SHUTOFF;
        view->there = view->persistent = true;
        break;
    case VIR_DOMAIN_EVENT_UNDEFINED:
        view->persistent = false;
        view->there = view->there && view->state != VIR_DOMAIN_SHUTOFF;
        break;
    case VIR_DOMAIN_EVENT_STARTED:
        view->there = true;
        view->state = VIR_DOMAIN_RUNNING;
        break;
    case VIR_DOMAIN_EVENT_SUSPENDED:
        view->state = VIR_DOMAIN_PAUSED;
        break;
    case VIR_DOMAIN_EVENT_RESUMED:
        view->state = VIR_DOMAIN_RUNNING;
        break;
    case VIR_DOMAIN_EVENT_STOPPED:
        view->state = VIR_DOMAIN_SHUTOFF;
        view->there = view->persistent;
        break;
    case VIR_DOMAIN_EVENT_SHUTDOWN:
        view->state = VIR_DOMAIN_SHUTDOWN;
        break;
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
        view->state = VIR_DOMAIN_PMSUSPENDED;
        break;
    case VIR_DOMAIN_EVENT_CRASHED:
        view->state = VIR_DOMAIN_CRASHED;
        break;
    default:
        sim_fail("a lifecycle event of kind %d", event);
    }
}
