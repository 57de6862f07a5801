// Definitions: reading, parsing and writing the files without waiting, and reading them at
// start-up.
#include "virt/domain/definition.h"

#include "core/assert.h"
#include "virt/domain/definition_file.h"
#include "virt/domain/domain_names.h"
#include "virt/hypervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct xml_doc tree_doc, scratch_doc;
static struct xml_node *wrapper;
static char file_text[CONFIG_DEFINITION_MAX];

struct xml_doc *definition_scratch(void)
{
    return &scratch_doc;
}

struct xml_doc *definition_doc(void)
{
    return &tree_doc;
}

// ---- paths

void definition_path(char to[PORT_PATH_MAX], const char *directory, const char *name)
{
    int len = snprintf(to, PORT_PATH_MAX, "%s/%s.xml", directory, name);
    assert(len > 0 && len < PORT_PATH_MAX);
    (void)len;
}

void definition_autostart_directory(char to[PORT_PATH_MAX], const struct hypervisor *hypervisor)
{
    int len = snprintf(to, PORT_PATH_MAX, "%s/autostart", hypervisor->config_dir);
    assert(len > 0 && len < PORT_PATH_MAX);
    (void)len;
}

static const char *directory_of(const struct hypervisor *hypervisor, enum definition which)
{
    return which == DEFINITION_LIVE ? hypervisor->state_dir : hypervisor->config_dir;
}

struct xml_node *definition_wrapper(void)
{
    return wrapper;
}

// ---- reading

static bool read_file(const char *path, struct slice *text, struct error *err)
{
    ptrdiff_t len = port_file_read(path, file_text, sizeof(file_text));
    if (len == -EFBIG)
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "%s is too long: limit is %d, CONFIG_DEFINITION_MAX", path,
                         CONFIG_DEFINITION_MAX);
    if (len < 0)
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_SYSTEM_ERROR, "Failed to open file '%s': %s",
                         path, strerror((int)-len));
    *text = (struct slice){file_text, (size_t)len};
    return true;
}

// Takes the <domain> out of a <domstatus>, so that it is the document's root.
static struct xml_node *unwrap(struct xml_doc *doc, struct error *err)
{
    struct xml_node *domain = doc->root;
    wrapper = NULL;
    if (xml_named(domain, "domstatus")) {
        wrapper = domain;
        domain = xml_child(domain, "domain");
    }
    if (!xml_named(domain, "domain")) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "no domain element in the definition");
        return NULL;
    }
    if (domain != doc->root)
        xml_remove(domain);
    doc->root = domain;
    return domain;
}

struct xml_node *definition_tree_named(const struct hypervisor *hypervisor, enum definition which,
                                       const char *name, struct error *err)
{
    struct slice text;
    char path[PORT_PATH_MAX];
    definition_path(path, directory_of(hypervisor, which), name);
    if (!read_file(path, &text, err) || !xml_parse(&tree_doc, text, "domain_definition", err))
        return NULL;
    return unwrap(&tree_doc, err);
}

struct xml_node *definition_tree(const struct domain *domain, enum definition which,
                                 struct error *err)
{
    return definition_tree_named(domain->hypervisor, which, domain->name, err);
}

struct xml_node *definition_current(const struct domain *domain, struct error *err)
{
    return definition_tree(domain, domain_active(domain) ? DEFINITION_LIVE : DEFINITION_PERSISTENT,
                           err);
}

// ---- writing

// What a shell or an XML comment would trip over (libvirt: virXMLPickShellSafeComment).
static bool safe_in_comment(const char *name)
{
    return !strpbrk(name, "\r\t\n !\"#$&'()*;<>?[\\]^`{|}~") && !strstr(name, "--");
}

void definition_put_header(struct buffer *out, const struct domain *domain)
{
    char uuid[37];
    domain_uuid_format(domain->uuid, uuid);
    buffer_printf(out,
                  "<!--\n"
                  "WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\n"
                  "OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:\n"
                  "  virsh edit %s\n"
                  "or other application using the libvirt API.\n"
                  "-->\n\n",
                  safe_in_comment(domain->name) ? domain->name : uuid);
}

bool definition_fits(const struct buffer *out, const struct domain *domain, struct error *err)
{
    if (buffer_ok(out))
        return true;
    return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                     "definition of domain '%s' is too long: limit is %d, CONFIG_DEFINITION_MAX",
                     domain->name, CONFIG_DEFINITION_MAX);
}

int definition_replace_file(const char *path, struct slice text, bool durable)
{
    char temporary[PORT_PATH_MAX + 8];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = port_open(temporary,
                       PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE | PORT_OPEN_NOFOLLOW,
                       0600);
    if (fd < 0)
        return fd;
    int status = port_write_all(fd, text.at, text.len);
    if (status == 0 && durable)
        status = port_sync(fd);
    port_close(fd);
    if (status == 0)
        status = port_rename(temporary, path);
    if (status < 0)
        port_unlink(temporary);
    return status;
}

static char written_text[CONFIG_DEFINITION_MAX];

static bool write_text(const struct domain *domain, const char *directory, const struct buffer *out,
                       struct error *err)
{
    char path[PORT_PATH_MAX];
    if (!definition_fits(out, domain, err))
        return false;
    definition_path(path, directory, domain->name);
    int status = definition_replace_file(path, buffer_slice(out), false);
    return status == 0 || error_set(err, VIR_FROM_DOMAIN, VIR_ERR_SYSTEM_ERROR,
                                    "cannot write file '%s': %s", path, strerror(-status));
}

bool definition_copy(const struct xml_node *tree, struct slice *text, struct error *err)
{
    struct buffer out = buffer_over(written_text, sizeof(written_text));
    xml_write(&out, tree, 0);
    *text = buffer_slice(&out);
    return buffer_ok(&out) || error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                                        "the definition is too long: limit is %d, "
                                        "CONFIG_DEFINITION_MAX",
                                        CONFIG_DEFINITION_MAX);
}

bool definition_save_volatile(const struct domain *domain, const struct xml_node *tree,
                              struct error *err)
{
    struct buffer out = buffer_over(written_text, sizeof(written_text));
    definition_put_header(&out, domain);
    xml_write(&out, tree, 0);
    return write_text(domain, domain->hypervisor->config_dir, &out, err);
}

bool definition_write_live(const struct domain *domain, const struct xml_node *tree,
                           struct error *err)
{
    struct buffer out = buffer_over(written_text, sizeof(written_text));
    definition_put_header(&out, domain);
    buffer_printf(&out, "<domstatus state='%s' reason='%s'>\n", domain_state_name(domain->state),
                  domain_reason_name(domain->state, domain->reason));
    if (domain->hypervisor->write_status)
        domain->hypervisor->write_status(domain, tree == tree_doc.root ? wrapper : NULL, &out);
    xml_write(&out, tree, 2);
    buffer_puts(&out, "</domstatus>\n");
    return write_text(domain, domain->hypervisor->state_dir, &out, err);
}

void definition_remove_live(const struct domain *domain)
{
    char path[PORT_PATH_MAX];
    definition_path(path, domain->hypervisor->state_dir, domain->name);
    port_unlink(path);
}
