// Definitions: reading the directories at start-up.
#include "virt/domain/definition.h"

#include "core/log.h"
#include "virt/domain/definition_file.h"
#include "virt/domain/domain_names.h"
#include "virt/hypervisor.h"

#include <string.h>

// A row for what the file's <domain> says, or the row that it has already.
static struct domain *row_for(const struct hypervisor *hypervisor, const char *name,
                              const struct xml_node *tree, struct error *err)
{
    uint8_t uuid[16];
    struct slice said = xml_text_at(tree, "name");
    if (!slice_is(said, name)) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "Domain config filename '%s.xml' does not match domain name '%.*s'", name,
                  SLICE_ARG(said));
        return NULL;
    }
    if (!domain_uuid_parse(xml_text_at(tree, "uuid"), uuid)) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "malformed uuid element");
        return NULL;
    }
    struct domain *same_name = domain_taken_name(hypervisor, said);
    struct domain *same_uuid = domain_taken_uuid(hypervisor, uuid);
    if (same_name != same_uuid) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "unexpected domain %s already exists", name);
        return NULL;
    }
    return same_name ? same_name : domain_add(hypervisor, uuid, said, err);
}

static void show_row(struct domain *domain)
{
    if (!domain->hidden)
        return;
    domain_show(domain);
    domain_unref(domain);
}

bool definition_there(const struct hypervisor *hypervisor, const char *name)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    definition_path(path, hypervisor->config_dir, name);
    return port_lstat(path, &stat) == 0;
}

// libvirt: virFileLinkPointsTo.
bool definition_autostarts(const struct domain *domain)
{
    char directory[PORT_PATH_MAX], path[PORT_PATH_MAX];
    struct port_stat file, link, target;
    definition_autostart_directory(directory, domain->hypervisor);
    definition_path(path, directory, domain->name);
    if (port_lstat(path, &link) < 0 || link.kind != PORT_LINK || port_stat(path, &target) < 0)
        return false;
    definition_path(path, domain->hypervisor->config_dir, domain->name);
    return port_stat(path, &file) == 0 && file.device == target.device &&
           file.inode == target.inode;
}

static bool load_persistent(const struct hypervisor *hypervisor, const char *name,
                            struct error *err)
{
    struct xml_node *tree = definition_tree_named(hypervisor, DEFINITION_PERSISTENT, name, err);
    struct domain *domain = tree ? row_for(hypervisor, name, tree, err) : NULL;
    if (!domain)
        return false;
    domain->persistent = true;
    domain->autostart = definition_autostarts(domain);
    show_row(domain);
    return true;
}

static bool load_live(const struct hypervisor *hypervisor, const char *name, struct error *err)
{
    int state, reason = 0;
    int64_t id;
    struct xml_node *tree = definition_tree_named(hypervisor, DEFINITION_LIVE, name, err);
    const struct xml_node *status = definition_wrapper();
    if (!tree)
        return false;
    if (!domain_state_parse(xml_attr(status, "state"), &state))
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "invalid domain state '%.*s'", SLICE_ARG(xml_attr(status, "state")));
    domain_reason_parse(state, xml_attr(status, "reason"), &reason);
    if (!slice_i64(xml_attr(tree, "id"), 10, &id) || id < 0 || id > INT32_MAX)
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "no domain id in its status");
    struct domain *domain = row_for(hypervisor, name, tree, err);
    if (!domain)
        return false;
    domain->id = (int32_t)id;
    domain_set_state(domain, state, reason);
    show_row(domain);
    return true;
}

static void load_directory(const struct hypervisor *hypervisor, const char *directory,
                           bool (*load)(const struct hypervisor *, const char *, struct error *))
{
    struct port_dir dir;
    int status = port_dir_open(&dir, directory);
    if (status < 0)
        return; // nothing was ever defined
    for (const char *entry = port_dir_next(&dir); entry; entry = port_dir_next(&dir)) {
        struct error err = {0};
        char name[DOMAIN_NAME_SIZE];
        struct slice base = slice_of(entry);
        if (!slice_ends(base, ".xml"))
            continue;
        base.len -= 4;
        if (!slice_copy(name, sizeof(name), base) || !load(hypervisor, name, &err))
            log_error("domain", "Failed to load config for domain '%.*s': %s", SLICE_ARG(base),
                      err.message);
    }
    port_dir_close(&dir);
}

void definition_load_all(const struct hypervisor *hypervisor)
{
    load_directory(hypervisor, hypervisor->config_dir, load_persistent);
    load_directory(hypervisor, hypervisor->state_dir, load_live);
}
