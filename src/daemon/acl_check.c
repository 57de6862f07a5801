// acl-check: what the access rules say to somebody, without a client and without the daemon.
#include "auth/access.h"
#include "core/paths.h"
#include "core/uuid.h"
#include "daemon/commands.h"
#include "net/transport.h"

#include <stdio.h>
#include <string.h>

enum { ALLOWED, DENIED, FAILED }; // exit statuses

struct question {
    struct identity identity;
    char transport[16];
    bool read_only;
    uint8_t permission;
    struct access_object object;
    char text[IDENTITY_DNAME_MAX + 64];
    uint8_t uuid[16];
    uint32_t gids[64]; // that were named, besides those of the user
    size_t gid_count;
};

static bool complain(const char *what, const char *word)
{
    fprintf(stderr, "acl-check: %s '%s'\n", what, word);
    return false;
}

// ---- who

static int groups_of(const void *from, uint32_t *gids, size_t max)
{
    const struct question *q = from;
    size_t count = port_user_groups(q->identity.peer.uid, gids, max);
    if (count + q->gid_count > max)
        return -1;
    memcpy(gids + count, q->gids, q->gid_count * sizeof(*gids));
    return (int)(count + q->gid_count);
}

static void is_local(struct question *q)
{
    if (!q->identity.peer.has_credentials)
        q->identity.peer.uid = q->identity.peer.gid = UINT32_MAX;
    q->identity.peer.has_credentials = true;
    q->identity.peer.family = PORT_UNIX;
}

static bool set_user(struct question *q, const char *value)
{
    is_local(q);
    return port_user_lookup(value, &q->identity.peer.uid, &q->identity.peer.gid) == 0 ||
           complain("there is no user", value);
}

static bool set_group(struct question *q, const char *value)
{
    is_local(q);
    if (q->gid_count == sizeof(q->gids) / sizeof(q->gids[0]))
        return complain("too many groups at", value);
    return port_group_lookup(value, &q->gids[q->gid_count++]) == 0 ||
           complain("there is no group", value);
}

static bool set_sasl(struct question *q, const char *value)
{
    return slice_copy(q->identity.sasl_user, sizeof(q->identity.sasl_user), slice_of(value));
}

static bool set_dn(struct question *q, const char *value)
{
    strcpy(q->transport, "tls");
    return slice_copy(q->identity.x509_dname, sizeof(q->identity.x509_dname), slice_of(value));
}

static bool set_transport(struct question *q, const char *value)
{
    return slice_copy(q->transport, sizeof(q->transport), slice_of(value));
}

static bool set_mode(struct question *q, const char *value)
{
    q->read_only = strcmp(value, "read-only") == 0;
    return q->read_only || strcmp(value, "read-write") == 0 || complain("there is no mode", value);
}

static const struct {
    const char *name;
    bool (*set)(struct question *q, const char *value);
} parts[] = {
    {"user", set_user}, {"group", set_group},         {"sasl", set_sasl},
    {"dn", set_dn},     {"transport", set_transport}, {"mode", set_mode},
};

static bool set_part(struct question *q, char *word)
{
    char *value = strchr(word, '=');
    if (strcmp(word, "anybody") == 0)
        return true;
    if (!value)
        return complain("not KEY=VALUE:", word);
    *value++ = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strcmp(word, parts[i].name) == 0)
            return parts[i].set(q, value);
    return complain("there is no condition", word);
}

// Words as in a rule: user=, group=, sasl=, dn=, transport=, mode=. Blanks part them, but what
// follows dn= is a name to its end.
static bool read_identity(struct question *q, const char *text)
{
    char copy[IDENTITY_DNAME_MAX + 256], *rest = copy, *end;
    strcpy(q->transport, "unix");
    if (!slice_copy(copy, sizeof(copy), slice_of(text)))
        return complain("too long:", text);
    while (*(rest += strspn(rest, " "))) {
        end = strncmp(rest, "dn=", 3) == 0 ? rest + strlen(rest) : rest + strcspn(rest, " ");
        bool last = *end == '\0';
        *end = '\0';
        if (!set_part(q, rest))
            return false;
        rest = last ? end : end + 1;
    }
    return true;
}

// ---- what, and on which object

static bool read_permission(struct question *q, const char *text)
{
    q->permission = access_permission(slice_of(text));
    return q->permission || complain("there is no permission", text);
}

// A name, POOL/VOLUME for a volume, or uuid=UUID; KIND= may stand before a name.
static bool read_object(struct question *q, const char *text)
{
    q->object.kind = access_permission_kind(q->permission);
    const char *kind = access_kind_name(q->object.kind);
    if (!text || q->object.kind == ACCESS_CONNECT)
        return !text || complain("a permission on the connection has no object:", text);
    if (strncmp(text, "uuid=", 5) == 0) {
        q->object.uuid = q->uuid;
        return uuid_parse(slice_of(text + 5), q->uuid) || complain("not a uuid:", text + 5);
    }
    if (strncmp(text, kind, strlen(kind)) == 0 && text[strlen(kind)] == '=')
        text += strlen(kind) + 1;
    q->object.name = slice_of(text);
    if (q->object.kind == ACCESS_STORAGE_VOL || q->object.kind == ACCESS_NETWORK_PORT)
        return slice_split(&q->object.name, '/', &q->object.parent);
    return true;
}

// ---- the command

static int usage(FILE *to, int status)
{
    fprintf(to, "Usage: nanovirtd acl-check [--root DIR] [-f FILE] IDENTITY PERMISSION [OBJECT]\n"
                "Says what the access rules allow, and which line of them decides. Without an\n"
                "OBJECT it is about one that is not there.\n\n"
                "  acl-check 'user=alice' domain.start web-1\n"
                "  acl-check 'dn=CN=ops,O=Example' storage_vol.data_write default/disk.img\n\n"
                "Exit status: 0 allowed, 1 denied, 2 a mistake.\n");
    return status;
}

static int answer(struct question *q)
{
    struct access_who who;
    const struct access_subject subject = {.identity = &q->identity,
                                           .transport = q->transport,
                                           .read_only = q->read_only,
                                           .groups = groups_of,
                                           .groups_from = q};
    access_identify(&subject, &who);
    struct access_verdict verdict = access_ask(&who, q->permission, &q->object);
    if (verdict.line)
        printf("%s by %s:%u\n", verdict.allowed ? "allowed" : "denied", access_file(),
               verdict.line);
    else
        printf("denied: no rule of %s allows it\n", access_file());
    return verdict.allowed ? ALLOWED : DENIED;
}

static int load(const char *file)
{
    struct error err = {0};
    bool absent;
    if (!file || !access_load(file, &absent, &err)) {
        fprintf(stderr, "acl-check: %s\n", file ? err.message : "the path is too long");
        return FAILED;
    }
    if (absent)
        printf("allowed: there are no rules in %s\n", file);
    return absent ? ALLOWED : -1;
}

int acl_check_main(int argc, char **argv)
{
    static struct question q;
    const char *root = NULL, *file = NULL;
    struct error err = {0};
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--root") == 0)
            root = argv[i + 1];
        else if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--file") == 0)
            file = argv[i + 1];
        else
            return usage(stderr, FAILED);
    }
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, ALLOWED);
    if (argc - i < 2 || argc - i > 3)
        return usage(stderr, FAILED);
    if (!paths_choose(root, port_uid() != 0, &err))
        return complain("cannot find the rules:", err.message) ? ALLOWED : FAILED;
    if (!read_identity(&q, argv[i]) || !read_permission(&q, argv[i + 1]) ||
        !read_object(&q, argc - i == 3 ? argv[i + 2] : NULL))
        return FAILED;
    int status = load(file ? file : paths_join(paths()->config, "access.conf"));
    return status >= 0 ? status : answer(&q);
}
