// Access rules: those in force, and what they answer.
#include "auth/access_rules.h"
#include "port/port.h"

#include <errno.h>
#include <string.h>

// The rules in force, and the place for those that are being read.
static struct access_rules sets[2];
static struct access_rules *rules = &sets[0];
static uint32_t generation;
static char rules_file[PORT_PATH_MAX];

static const char *const kind_names[ACCESS_KINDS] = {
    [ACCESS_CONNECT] = "connect",
    [ACCESS_DOMAIN] = "domain",
    [ACCESS_INTERFACE] = "interface",
    [ACCESS_NETWORK] = "network",
    [ACCESS_NETWORK_PORT] = "network_port",
    [ACCESS_NODE_DEVICE] = "node_device",
    [ACCESS_NWFILTER] = "nwfilter",
    [ACCESS_NWFILTER_BINDING] = "nwfilter_binding",
    [ACCESS_SECRET] = "secret",
    [ACCESS_STORAGE_POOL] = "storage_pool",
    [ACCESS_STORAGE_VOL] = "storage_vol",
};

// ---- names

const char *access_kind_name(enum access_kind kind)
{
    return kind_names[kind];
}

enum access_kind access_kind_of(struct slice name)
{
    int kind = 0;
    while (kind < ACCESS_KINDS && !slice_is(name, kind_names[kind]))
        kind++;
    return (enum access_kind)kind;
}

// ACCESS_KINDS for a kind of object that is not known here: nothing is allowed on it then but by
// rules for any object.
enum access_kind access_permission_kind(uint8_t permission)
{
    static uint8_t kinds[XDR_PERMISSIONS_MAX]; // + 1
    if (!kinds[permission])
        kinds[permission] =
            (uint8_t)(1 + access_kind_of(
                              slice_of(contract_names + contract_permissions[permission].object)));
    return (enum access_kind)(kinds[permission] - 1);
}

uint8_t access_permission(struct slice name)
{
    struct slice object;
    if (!slice_split(&name, '.', &object))
        return 0;
    for (uint8_t i = 1; i < contract_permission_count; i++)
        if (slice_is(object, contract_names + contract_permissions[i].object) &&
            slice_is(name, contract_names + contract_permissions[i].permission))
            return i;
    return 0;
}

// ---- loading

bool access_in_force(void)
{
    return generation != 0;
}

uint32_t access_generation(void)
{
    return generation;
}

const char *access_file(void)
{
    return rules_file;
}

bool access_parse(struct slice text, const char *file, struct error *err)
{
    struct access_rules *spare = rules == &sets[0] ? &sets[1] : &sets[0];
    if (!access_rules_read(spare, text, file, err))
        return false;
    if (!slice_copy(rules_file, sizeof(rules_file), slice_of(file)))
        return error_set(err, VIR_FROM_ACCESS, VIR_ERR_INTERNAL_ERROR,
                         "the path of the access rules is too long");
    rules = spare;
    generation++;
    return true;
}

static bool cannot_read(const char *file, int result, struct error *err)
{
    return error_set(err, VIR_FROM_ACCESS, VIR_ERR_SYSTEM_ERROR,
                     "cannot read the access rules in '%s': %s", file, strerror(-result));
}

// Who can write the file can do everything.
static bool check_owner(const char *file, const struct port_stat *stat, struct error *err)
{
    if (stat->kind == PORT_FILE && (stat->uid == 0 || stat->uid == port_uid()) &&
        !(stat->mode & 022))
        return true;
    return error_set(err, VIR_FROM_ACCESS, VIR_ERR_CONFIG_UNSUPPORTED,
                     "the access rules in '%s' must be a file that only its owner, root or the "
                     "daemon's user, can write",
                     file);
}

static bool read_open_file(int fd, const char *file, struct error *err)
{
    static char text[CONFIG_ACCESS_TEXT];
    struct port_stat stat;
    int result = port_fstat(fd, &stat);
    if (result < 0)
        return cannot_read(file, result, err);
    if (!check_owner(file, &stat, err))
        return false;
    if (stat.size >= sizeof(text))
        return error_set(err, VIR_FROM_ACCESS, VIR_ERR_CONFIG_UNSUPPORTED,
                         "the access rules in '%s' are longer than %d bytes, CONFIG_ACCESS_TEXT",
                         file, CONFIG_ACCESS_TEXT - 1);
    ptrdiff_t len = port_pread(fd, text, sizeof(text), 0);
    if (len < 0)
        return cannot_read(file, (int)len, err);
    if ((uint64_t)len != stat.size)
        return cannot_read(file, -EIO, err);
    return access_parse((struct slice){text, (size_t)len}, file, err);
}

bool access_load(const char *file, bool *absent, struct error *err)
{
    struct port_stat link;
    int fd = port_open(file, PORT_OPEN_READ, 0);
    *absent = fd == -ENOENT && port_lstat(file, &link) == -ENOENT;
    if (fd < 0)
        return *absent || cannot_read(file, fd, err);
    bool good = read_open_file(fd, file, err);
    port_close(fd);
    return good;
}

// ---- who

enum fit { FITS_NOT, FITS_UNKNOWN, FITS }; // in this order: the better of two, the worse of two

static enum fit known(bool fits)
{
    return fits ? FITS : FITS_NOT;
}

static const char *text_at(uint32_t at)
{
    return rules->text + at;
}

static enum fit fits_group(const struct access_subject *subject, uint32_t gid)
{
    static uint32_t gids[CONFIG_ACCESS_GROUPS];
    int count =
        subject->groups ? subject->groups(subject->groups_from, gids, CONFIG_ACCESS_GROUPS) : -1;
    for (int i = 0; i < count; i++)
        if (gids[i] == gid)
            return FITS;
    return count < 0 ? FITS_UNKNOWN : FITS_NOT;
}

// A peer on this host whose credentials are not known can be anybody.
static enum fit fits_credentials(const struct access_subject *subject,
                                 const struct access_term *term)
{
    const struct port_peer *peer = &subject->identity->peer;
    if (!peer->has_credentials)
        return peer->family == PORT_UNIX && strcmp(subject->transport, "unix") == 0 ? FITS_UNKNOWN
                                                                                    : FITS_NOT;
    if (term->kind == WHO_USER)
        return known(peer->uid == term->value);
    return peer->gid == term->value ? FITS : fits_group(subject, term->value);
}

static enum fit fits_text(const char *text, const struct access_term *term)
{
    return known(text[0] && slice_matches(slice_of(text), text_at(term->value)));
}

static enum fit fits_condition(const struct access_subject *subject, const struct access_term *term)
{
    switch ((enum access_who_kind)term->kind) {
    case WHO_USER:
    case WHO_GROUP:
        return fits_credentials(subject, term);
    case WHO_SASL:
        return fits_text(subject->identity->sasl_user, term);
    case WHO_DN:
        return fits_text(subject->identity->x509_dname, term);
    case WHO_TRANSPORT:
        return known(strcmp(subject->transport, text_at(term->value)) == 0);
    case WHO_READ_ONLY:
        return known(subject->read_only == (term->value != 0));
    case WHO_KINDS:
        break;
    }
    return FITS_UNKNOWN;
}

static enum fit fits_who(const struct access_subject *subject, const struct access_rule *rule)
{
    const struct access_term *terms = &rules->terms[rule->who];
    enum fit best[WHO_KINDS];
    bool present[WHO_KINDS] = {false};
    enum fit worst = FITS;
    memset(best, 0, sizeof(best));
    for (uint32_t i = 0; i < rule->who_count; i++) {
        enum fit fit = fits_condition(subject, &terms[i]);
        uint8_t kind = terms[i].kind;
        present[kind] = true;
        best[kind] = fit > best[kind] ? fit : best[kind];
    }
    for (int kind = 0; kind < WHO_KINDS; kind++)
        if (present[kind] && best[kind] < worst)
            worst = best[kind];
    return worst;
}

// What is not known counts against the one who asks.
static bool decided(enum fit fit, const struct access_rule *rule)
{
    return fit == FITS || (fit == FITS_UNKNOWN && !rule->allow);
}

void access_identify(const struct access_subject *subject, struct access_who *who)
{
    memset(who, 0, sizeof(*who));
    for (uint32_t i = 0; i < rules->rule_count; i++)
        if (decided(fits_who(subject, &rules->rules[i]), &rules->rules[i]))
            who->fits[i / 8] |= (uint8_t)(1u << i % 8);
}

// ---- which

static enum fit fits_name(struct slice name, uint32_t pattern)
{
    const char *text = text_at(pattern);
    if (text[0] == '*' && !text[1])
        return FITS;
    return slice_present(name) ? known(slice_matches(name, text)) : FITS_UNKNOWN;
}

// A pool's name is about its volumes, too, and a network's about its ports.
static bool is_parent(const struct access_term *term, const struct access_object *object)
{
    return (term->object == ACCESS_STORAGE_POOL && object->kind == ACCESS_STORAGE_VOL) ||
           (term->object == ACCESS_NETWORK && object->kind == ACCESS_NETWORK_PORT);
}

static bool has_uuid(enum access_kind kind)
{
    return kind == ACCESS_DOMAIN || kind == ACCESS_NETWORK || kind == ACCESS_NETWORK_PORT ||
           kind == ACCESS_NWFILTER || kind == ACCESS_SECRET || kind == ACCESS_STORAGE_POOL;
}

static enum fit fits_uuid(const struct access_term *term, const struct access_object *object)
{
    if (object->uuid)
        return known(memcmp(object->uuid, text_at(term->value), 16) == 0);
    return has_uuid(object->kind) ? FITS_UNKNOWN : FITS_NOT;
}

static enum fit fits_object(const struct access_term *term, const struct access_object *object)
{
    if (term->kind == WHICH_UUID)
        return fits_uuid(term, object);
    if (is_parent(term, object))
        return fits_name(object->parent, term->value);
    if (term->object != object->kind)
        return FITS_NOT;
    enum fit name = fits_name(object->name, term->value);
    enum fit parent = term->parent ? fits_name(object->parent, term->parent) : FITS;
    return name < parent ? name : parent;
}

static enum fit fits_which(const struct access_rule *rule, const struct access_object *object)
{
    enum fit best = rule->which_count ? FITS_NOT : FITS;
    for (uint32_t i = 0; i < rule->which_count; i++) {
        enum fit fit = fits_object(&rules->terms[rule->which + i], object);
        best = fit > best ? fit : best;
    }
    return best;
}

static bool has_bit(const uint8_t *bits, uint32_t n)
{
    return bits[n / 8] >> n % 8 & 1;
}

bool access_might(const struct access_who *who, uint8_t permission)
{
    for (uint32_t i = 0; i < rules->rule_count; i++) {
        const struct access_rule *rule = &rules->rules[i];
        if (has_bit(who->fits, i) && has_bit(rule->permissions, permission) &&
            (rule->allow || !rule->which_count))
            return rule->allow;
    }
    return false;
}

struct access_verdict access_ask(const struct access_who *who, uint8_t permission,
                                 const struct access_object *object)
{
    for (uint32_t i = 0; i < rules->rule_count; i++) {
        const struct access_rule *rule = &rules->rules[i];
        if (has_bit(who->fits, i) && has_bit(rule->permissions, permission) &&
            decided(fits_which(rule, object), rule))
            return (struct access_verdict){rule->allow, rule->line};
    }
    return (struct access_verdict){false, 0};
}
