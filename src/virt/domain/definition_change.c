// Definitions: durable changes, made by workers because the disk may take its time.
//
// A worker gets a copy of this process's memory, so what it is to do is handed over in one static
// order that the next change overwrites. Its result is the errno of the step that failed. The
// order of its steps is such that a power cut between any two leaves the old or the new state, or
// both names of a domain that is being renamed, never none.
#include "virt/domain/definition.h"

#include "core/assert.h"
#include "virt/domain/definition_file.h"
#include "virt/hypervisor.h"

#include <errno.h>
#include <string.h>

static struct {
    char directory[PORT_PATH_MAX];
    char autostart_directory[PORT_PATH_MAX];
    char file[PORT_PATH_MAX], link[PORT_PATH_MAX];
    char new_file[PORT_PATH_MAX], new_link[PORT_PATH_MAX];
    bool autostart, sync_parents;
    struct slice text;
} order;

// The directory whose entry, and those of the directories above it, are known to last.
static char lasting[PORT_PATH_MAX];

static char text[CONFIG_DEFINITION_MAX];

// ---- in the worker

static int result_of(int status)
{
    return status < 0 ? (-status > 254 ? EIO : -status) : 0;
}

static int remove_if_there(const char *path)
{
    int status = port_unlink(path);
    return status == -ENOENT ? 0 : status;
}

static int sync_if_there(const char *directory)
{
    int status = port_sync_directory(directory);
    return status == -ENOENT ? 0 : status;
}

int definition_sync_parents(const char *directory)
{
    char path[PORT_PATH_MAX];
    int status = 0;
    bool fits = slice_copy(path, sizeof(path), slice_of(directory));
    for (char *slash = strrchr(path, '/'); fits && slash && status == 0;
         slash = strrchr(path, '/')) {
        slash[slash == path] = '\0';
        status = port_sync_directory(path);
        if (slash == path)
            break;
    }
    return status;
}

static int save(const char *path)
{
    int status = port_make_directories(order.directory, 0700);
    if (status == 0 && order.sync_parents)
        status = definition_sync_parents(order.directory);
    if (status == 0)
        status = definition_replace_file(path, order.text, true);
    if (status == 0)
        status = port_sync_directory(order.directory);
    return status;
}

static int link_autostart(const char *target, const char *link)
{
    int status = port_make_directories(order.autostart_directory, 0700);
    if (status == 0 && order.sync_parents)
        status = definition_sync_parents(order.autostart_directory);
    if (status == 0)
        status = remove_if_there(link);
    if (status == 0)
        status = port_symlink(target, link);
    if (status == 0)
        status = port_sync_directory(order.autostart_directory);
    return status;
}

static int unlink_autostart(void)
{
    int status = remove_if_there(order.link);
    if (status == 0)
        status = sync_if_there(order.autostart_directory);
    return status;
}

static int save_work(void *argument, int out)
{
    (void)argument, (void)out;
    return result_of(save(order.file));
}

static int delete_work(void *argument, int out)
{
    (void)argument, (void)out;
    int status = unlink_autostart();
    if (status == 0)
        status = remove_if_there(order.file);
    if (status == 0)
        status = sync_if_there(order.directory);
    return result_of(status);
}

static int autostart_work(void *argument, int out)
{
    (void)argument, (void)out;
    return result_of(order.autostart ? link_autostart(order.file, order.link) : unlink_autostart());
}

static int rename_work(void *argument, int out)
{
    (void)argument, (void)out;
    int status = save(order.new_file);
    if (status == 0 && order.autostart) {
        status = link_autostart(order.new_file, order.new_link);
        if (status == 0)
            status = unlink_autostart();
    }
    if (status == 0)
        status = port_unlink(order.file);
    if (status < 0) {
        port_unlink(order.new_link);
        port_unlink(order.new_file);
        return result_of(status);
    }
    return result_of(port_sync_directory(order.directory));
}

// ---- in the daemon

static void prepare_order(const struct domain *domain)
{
    const struct hypervisor *hypervisor = domain->hypervisor;
    memset(&order, 0, sizeof(order));
    bool fits =
        slice_copy(order.directory, sizeof(order.directory), slice_of(hypervisor->config_dir));
    assert(fits);
    (void)fits;
    definition_autostart_directory(order.autostart_directory, hypervisor);
    definition_path(order.file, order.directory, domain->name);
    definition_path(order.link, order.autostart_directory, domain->name);
    order.autostart = domain->autostart;
    order.sync_parents = strcmp(lasting, order.directory) != 0;
}

static bool prepare_text(const struct domain *domain, const struct xml_node *tree,
                         struct error *err)
{
    struct buffer out = buffer_over(text, sizeof(text));
    definition_put_header(&out, domain);
    xml_write(&out, tree, 0);
    order.text = buffer_slice(&out);
    return definition_fits(&out, domain, err);
}

static enum co_status run(struct definition_change *change, int (*work)(void *, int),
                          struct task *task, struct error *err)
{
    CO_BEGIN(&change->co);
    if (!worker_start(&change->worker, work, NULL, NULL, task, err))
        CO_RETURN(&change->co);
    CO_WAIT(&change->co, worker_done(&change->worker));
    CO_END(&change->co);
}

static bool is_new(const struct definition_change *change)
{
    return change->co.line == 0;
}

static void check_result(const struct definition_change *change, struct error *err,
                         const char *what, const char *name)
{
    if (error_is_set(err) || change->worker.result == 0)
        return;
    bool died = change->worker.child.how.signalled;
    error_set(err, VIR_FROM_DOMAIN, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, name,
              died ? "the process that does it was killed" : strerror(change->worker.result));
}

static void note_lasting(const struct domain *domain, const struct error *err)
{
    if (!error_is_set(err))
        slice_copy(lasting, sizeof(lasting), slice_of(domain->hypervisor->config_dir));
}

enum co_status definition_save(struct definition_change *change, const struct domain *domain,
                               const struct xml_node *tree, struct task *task, struct error *err)
{
    if (is_new(change)) {
        prepare_order(domain);
        if (!prepare_text(domain, tree, err))
            return CO_DONE;
    }
    if (run(change, save_work, task, err) == CO_WAITING)
        return CO_WAITING;
    check_result(change, err, "cannot write the definition of domain", domain->name);
    note_lasting(domain, err);
    return CO_DONE;
}

enum co_status definition_delete(struct definition_change *change, const struct domain *domain,
                                 struct task *task, struct error *err)
{
    if (is_new(change))
        prepare_order(domain);
    if (run(change, delete_work, task, err) == CO_WAITING)
        return CO_WAITING;
    check_result(change, err, "cannot remove config for", domain->name);
    return CO_DONE;
}

enum co_status definition_autostart(struct definition_change *change, const struct domain *domain,
                                    bool on, struct task *task, struct error *err)
{
    if (is_new(change)) {
        prepare_order(domain);
        order.autostart = on;
    }
    if (run(change, autostart_work, task, err) == CO_WAITING)
        return CO_WAITING;
    check_result(change, err, on ? "Failed to create symlink for" : "Failed to delete symlink of",
                 domain->name);
    if (on)
        note_lasting(domain, err);
    return CO_DONE;
}

enum co_status definition_rename(struct definition_change *change, const struct domain *domain,
                                 struct slice new_name, const struct xml_node *tree,
                                 struct task *task, struct error *err)
{
    if (is_new(change)) {
        char name[DOMAIN_NAME_SIZE];
        bool fits = slice_copy(name, sizeof(name), new_name);
        assert(fits);
        (void)fits;
        prepare_order(domain);
        definition_path(order.new_file, order.directory, name);
        definition_path(order.new_link, order.autostart_directory, name);
        if (!prepare_text(domain, tree, err))
            return CO_DONE;
    }
    if (run(change, rename_work, task, err) == CO_WAITING)
        return CO_WAITING;
    check_result(change, err, "cannot rename the definition of domain", domain->name);
    return CO_DONE;
}
