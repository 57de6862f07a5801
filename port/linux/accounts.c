// Linux: users and groups from /etc/passwd and /etc/group, which is what a firmware has. Name
// services beyond these files would need the C library's plug-ins, which a static program can not
// load.
#include "port/linux/linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256

struct account {
    char name[NAME_SIZE];
    uint32_t id, gid; // gid: of a passwd line only
};

static bool parse_id(const char *text, uint32_t *id)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    // The last number means "none" to the system calls.
    if (*text < '0' || *text > '9' || *end || errno || value >= UINT32_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}

// Reads the next line up to its number: NAME:PASSWORD:ID:GID:... in passwd,
// NAME:PASSWORD:ID:MEMBERS in group, where the members are left to be read. Lines that are not of
// this form are passed over.
static bool next_account(struct port_text *text, struct account *account, bool with_gid)
{
    char password[8], id[16], gid[16];
    int stop;
    while ((stop = port_text_field(text, ":", account->name, NAME_SIZE)) != EOF) {
        if (stop == ':')
            stop = port_text_field(text, ":", password, sizeof(password));
        if (stop == ':')
            stop = port_text_field(text, ":", id, sizeof(id));
        bool good = stop == ':' && account->name[0] && parse_id(id, &account->id);
        if (stop == ':' && with_gid) {
            stop = port_text_field(text, ":", gid, sizeof(gid));
            good = good && parse_id(gid, &account->gid);
            if (stop == ':')
                port_text_skip(text);
        }
        if (good)
            return true;
        if (stop == ':' && !with_gid)
            port_text_skip(text);
    }
    return false;
}

// Finds a line by name, or by number when name is NULL.
static int find_account(const char *table, const char *name, uint32_t id, bool with_gid,
                        struct account *account)
{
    struct port_text text;
    int result = port_text_open_etc(&text, table);
    if (result < 0)
        return result;
    result = -ENOENT;
    while (result == -ENOENT && next_account(&text, account, with_gid)) {
        if (name ? strcmp(account->name, name) == 0 : account->id == id)
            result = 0;
        else if (!with_gid)
            port_text_skip(&text);
    }
    port_text_close(&text);
    return result;
}

static int find_user(const char *name, uint32_t uid, struct account *account)
{
    return find_account("passwd", name, uid, true, account);
}

static int find_group(const char *name, uint32_t gid, struct account *account)
{
    return find_account("group", name, gid, false, account);
}

// As libvirt reads user and group settings: "+N" is always a number, "N" only when nobody has it as
// a name.
int port_user_lookup(const char *name, uint32_t *uid, uint32_t *gid)
{
    struct account account;
    if (name[0] != '+' && find_user(name, 0, &account) == 0) {
        *uid = account.id;
        *gid = account.gid;
        return 0;
    }
    if (!parse_id(name + (name[0] == '+'), uid))
        return -ENOENT;
    *gid = find_user(NULL, *uid, &account) == 0 ? account.gid : (uint32_t)-1;
    return 0;
}

int port_group_lookup(const char *name, uint32_t *gid)
{
    struct account account;
    if (name[0] != '+' && find_group(name, 0, &account) == 0) {
        *gid = account.id;
        return 0;
    }
    return parse_id(name + (name[0] == '+'), gid) ? 0 : -ENOENT;
}

static int copy_name(const struct account *account, char *to, size_t size)
{
    int len = snprintf(to, size, "%s", account->name);
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int port_user_name(uint32_t uid, char *to, size_t size)
{
    struct account account;
    int result = find_user(NULL, uid, &account);
    return result < 0 ? result : copy_name(&account, to, size);
}

int port_group_name(uint32_t gid, char *to, size_t size)
{
    struct account account;
    int result = find_group(NULL, gid, &account);
    return result < 0 ? result : copy_name(&account, to, size);
}

// Reads the members of the group whose line is being read, to the line's end.
static bool has_member(struct port_text *text, const char *name)
{
    char member[NAME_SIZE];
    bool found = false;
    int stop;
    do {
        stop = port_text_field(text, ",", member, sizeof(member));
        found = found || strcmp(member, name) == 0;
    } while (stop == ',');
    return found;
}

size_t port_user_groups(uint32_t uid, uint32_t *gids, size_t max)
{
    struct account user, group;
    struct port_text text;
    size_t count = 0;
    if (max == 0 || find_user(NULL, uid, &user) < 0)
        return 0;
    gids[count++] = user.gid;
    if (port_text_open_etc(&text, "group") < 0)
        return count;
    while (count < max && next_account(&text, &group, false)) {
        if (has_member(&text, user.name) && group.id != user.gid)
            gids[count++] = group.id;
    }
    port_text_close(&text);
    return count;
}
