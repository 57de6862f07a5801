// The file of access rules, and what it answers: what is not known never gets more than what is.
#include "fuzz.h"

#include "auth/access.h"
#include "rpc/xdr.h"

static int group_count; // negative: not known

static int groups_of(const void *from, uint32_t *gids, size_t max)
{
    (void)from;
    (void)max;
    if (group_count > 0)
        gids[0] = 50;
    return group_count;
}

static struct access_who somebody(int groups)
{
    static const struct identity identity = {
        .peer = {.family = PORT_UNIX, .has_credentials = true, .uid = 1001, .gid = 1001},
        .x509_dname = "CN=ann,O=Example",
        .sasl_user = "ann@EXAMPLE"};
    const struct access_subject subject = {
        .identity = &identity, .transport = "unix", .groups = groups_of};
    struct access_who who;
    group_count = groups;
    access_identify(&subject, &who);
    return who;
}

static bool may(struct access_who who, uint8_t permission, const struct access_object *object)
{
    return access_ask(&who, permission, object).allowed;
}

static void check_answers(void)
{
    static const uint8_t uuid[16] = {1, 2, 3};
    struct access_who unsure = somebody(-1), in = somebody(1), out = somebody(0);
    for (uint8_t i = 1; i < contract_permission_count; i++) {
        enum access_kind kind = access_permission_kind(i);
        FUZZ_CHECK(kind < ACCESS_KINDS);
        const struct access_object unknown = {.kind = kind};
        const struct access_object web = {
            .kind = kind, .name = SLICE("web-1"), .parent = SLICE("images"), .uuid = uuid};
        FUZZ_CHECK(!may(in, i, &unknown) || may(in, i, &web));
        FUZZ_CHECK(!may(in, i, &web) || access_might(&in, i));
        FUZZ_CHECK(!may(unsure, i, &web) || (may(in, i, &web) && may(out, i, &web)));
    }
}

void fuzz_one(struct slice input)
{
    struct error err = {0};
    uint32_t before = access_generation();
    bool good = access_parse(input, "access.conf", &err);
    FUZZ_TOLD(good, &err);
    FUZZ_CHECK((access_generation() != before) == good);
    if (good)
        check_answers();
}
