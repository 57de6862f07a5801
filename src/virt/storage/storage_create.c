// Handlers: making and resizing volumes, which is qemu-img's work.
#include "virt/domain/definition.h"
#include "virt/handlers.h"
#include "virt/storage/storage_call.h"
#include "virt/xml/xml_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_SIZE    16
#define PATH_SIZE      (STORAGE_PATH_SIZE + VOLUME_NAME_SIZE)
#define VOLUME_MODE    0600 // libvirt's VIR_STORAGE_DEFAULT_VOL_PERM_MODE
#define COMPLAINT_SIZE 512
#define ARGUMENTS_MAX  16
#define TOOL_LIMIT_NS  (3600 * NS_PER_SEC) // some file systems can only be filled byte by byte

// ---- qemu-img as a child

struct tool {
    struct co co;
    struct child child;
    struct pause limit;
    int complaints; // what it writes to standard error
};

static const char *find_tool(void)
{
    static const char *const places[] = {"/usr/bin/qemu-img", "/usr/local/bin/qemu-img",
                                         "/bin/qemu-img"};
    struct port_stat stat;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (port_stat(places[i], &stat) == 0)
            return places[i];
    return NULL;
}

static bool tool_start(struct tool *tool, const char *const *argv, struct task *task,
                       struct error *err)
{
    int ends[2];
    int result = port_pipe(ends);
    if (result < 0)
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR, "cannot create pipe: %s",
                         strerror(-result));
    struct port_spawn spawn = {
        .argv = argv, .in = -1, .out = -1, .err = ends[1], .mask = 0077, .limit_core = UINT64_MAX};
    bool started = child_start(&tool->child, &spawn, task, err);
    port_close(ends[1]);
    tool->complaints = ends[0];
    if (!started)
        port_close(ends[0]);
    return started;
}

static void tool_finish(const struct tool *tool, const char *name, struct error *err)
{
    char text[COMPLAINT_SIZE];
    ptrdiff_t got = port_read(tool->complaints, text, sizeof(text));
    struct slice words = slice_trim((struct slice){text, got > 0 ? (size_t)got : 0});
    port_close(tool->complaints);
    if (tool->child.how.signalled || tool->child.how.status != 0)
        error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                  "Child process (%s) unexpected %s %d: %.*s", name,
                  tool->child.how.signalled ? "fatal signal" : "exit status",
                  tool->child.how.status, SLICE_ARG(words));
}

// `argv` is looked at in the first step only; it begins with NULL for the program.
static enum co_status tool_run(struct tool *tool, const char **argv, struct task *task,
                               struct error *err)
{
    CO_BEGIN(&tool->co);
    if (!(argv[0] = find_tool())) {
        error_set(err, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                  "creation of non-raw file images is not supported without qemu-img.");
        CO_RETURN(&tool->co);
    }
    if (!tool_start(tool, argv, task, err))
        CO_RETURN(&tool->co);
    pause_start(&tool->limit, task, TOOL_LIMIT_NS);
    CO_WAIT(&tool->co, tool->child.ended || tool->limit.over);
    if (!tool->child.ended)
        port_kill(tool->child.pid, PORT_KILL_KILL);
    CO_WAIT(&tool->co, tool->child.ended);
    pause_stop(&tool->limit);
    tool_finish(tool, "qemu-img", err);
    CO_END(&tool->co);
}

// ---- what the <volume> asks for

struct wanted {
    char name[VOLUME_NAME_SIZE], format[FORMAT_SIZE], compat[8];
    uint64_t capacity, allocation; // bytes
    bool lazy_refcounts;
    char backing[STORAGE_PATH_SIZE], backing_format[FORMAT_SIZE];
    uint32_t mode, uid, gid;
};

static bool refuse(struct error *err, int code, const char *text)
{
    return error_set(err, VIR_FROM_STORAGE, code, "%s", text);
}

static bool read_size(const struct xml_node *root, const char *name, uint64_t *bytes,
                      struct error *err)
{
    struct slice text = xml_text_at(root, name);
    if (!slice_present(text))
        return true;
    if (!slice_u64(text, 10, bytes))
        return refuse(err, VIR_ERR_XML_ERROR, "malformed capacity element");
    return schema_scale(bytes, xml_attr_at(root, name, "unit"), 1, INT64_MAX, err);
}

static bool read_format(char to[FORMAT_SIZE], struct slice type, struct error *err)
{
    static const char *const formats[] = {"raw", "qcow2", "qed", "vmdk", "vdi", "vpc"};
    if (!slice_present(type))
        type = SLICE("raw");
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (slice_is(type, formats[i]))
            return slice_copy(to, FORMAT_SIZE, type);
    return error_set(err, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED,
                     "unknown volume format type %.*s", SLICE_ARG(type));
}

static bool read_backing(const struct xml_node *root, struct wanted *want, struct error *err)
{
    const struct xml_node *backing = xml_child(root, "backingStore");
    struct slice path = xml_text_at(backing, "path");
    if (path.len == 0)
        return true;
    if (!slice_copy(want->backing, sizeof(want->backing), path))
        return refuse(err, VIR_ERR_XML_ERROR, "path of the backing store is too long");
    return read_format(want->backing_format, xml_attr_at(backing, "format", "type"), err);
}

static bool read_permissions(const struct xml_node *root, struct wanted *want, struct error *err)
{
    const struct xml_node *node = xml_find(root, "target/permissions");
    struct slice mode = xml_text_at(node, "mode"), owner = xml_text_at(node, "owner"),
                 group = xml_text_at(node, "group");
    want->mode = VOLUME_MODE;
    want->uid = want->gid = STORAGE_UNSET;
    if (slice_present(mode) && (!slice_u32(mode, 8, &want->mode) || want->mode > 07777))
        return refuse(err, VIR_ERR_XML_ERROR, "malformed octal mode");
    if (slice_present(owner) && !slice_is(owner, "-1") && !slice_u32(owner, 10, &want->uid))
        return refuse(err, VIR_ERR_XML_ERROR, "malformed owner element");
    if (slice_present(group) && !slice_is(group, "-1") && !slice_u32(group, 10, &want->gid))
        return refuse(err, VIR_ERR_XML_ERROR, "malformed group element");
    return true;
}

static bool read_name(struct xml_doc *doc, struct wanted *want, struct error *err)
{
    struct slice name = xml_string(doc, xml_child(doc->root, "name"));
    if (name.len == 0)
        return refuse(err, VIR_ERR_XML_ERROR, "missing volume name element");
    if (!volume_name_valid(name) || !slice_copy(want->name, sizeof(want->name), name))
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                         "volume name '%.*s' cannot contain '/'", SLICE_ARG(name));
    return true;
}

static bool read_volume(struct slice text, struct wanted *want, struct error *err)
{
    struct xml_doc *doc = definition_scratch();
    memset(want, 0, sizeof(*want));
    if (!xml_parse(doc, text, "storage_volume_definition", err))
        return false;
    const struct xml_node *root = doc->root;
    if (!xml_named(root, "volume"))
        return refuse(err, VIR_ERR_XML_ERROR, "unknown root element for storage vol");
    if (xml_find(root, "target/encryption"))
        return refuse(err, VIR_ERR_CONFIG_UNSUPPORTED, "encrypted volumes are not supported");
    if (!read_name(doc, want, err) || !read_backing(root, want, err))
        return false;
    if (!slice_present(xml_text_at(root, "capacity")) && !want->backing[0])
        return refuse(err, VIR_ERR_XML_ERROR, "missing capacity element");
    struct slice compat = xml_text_at(root, "target/compat");
    if (slice_present(compat) && !slice_is(compat, "0.10") && !slice_is(compat, "1.1"))
        return refuse(err, VIR_ERR_XML_ERROR, "forbidden characters in 'compat' attribute");
    slice_copy(want->compat, sizeof(want->compat), compat);
    want->lazy_refcounts = xml_find(root, "target/features/lazy_refcounts") != NULL;
    if (!read_size(root, "capacity", &want->capacity, err))
        return false;
    want->allocation = want->capacity;
    return read_size(root, "allocation", &want->allocation, err) &&
           read_format(want->format, xml_attr_at(root, "target/format", "type"), err) &&
           read_permissions(root, want, err) && xml_ok(doc, err);
}

// ---- virStorageVolCreateXML

struct create_state {
    union {
        struct storage_work work;
        struct tool tool;
    };
    char name[VOLUME_NAME_SIZE];
};

static const struct remote_storage_vol_create_xml_args *create_args(const struct call *call)
{
    return CALL_ARGS(call, struct remote_storage_vol_create_xml_args);
}

static struct storage_pool *create_pool(struct call *call)
{
    return storage_call_active(call, &create_args(call)->pool);
}

// While the volume is being made: the row is there, and the client may have left.
static struct storage_pool *create_row(struct call *call)
{
    return storage_by_uuid(create_args(call)->pool.uuid);
}

static const struct storage_pool *create_open(struct call *call, struct create_state *s)
{
    static struct wanted want;
    const struct storage_pool *pool = NULL;
    if (!call_flags(call, create_args(call)->flags,
                    VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA | VIR_STORAGE_VOL_CREATE_VALIDATE,
                    VIR_FROM_STORAGE, "storageVolCreateXML") ||
        !(pool = create_pool(call)) || !read_volume(create_args(call)->xml, &want, &call->error) ||
        !storage_check_volume(call, pool, slice_of(want.name)))
        return NULL;
    memcpy(s->name, want.name, sizeof(s->name));
    return pool;
}

static bool create_is_reserved(struct call *call, struct create_state *s)
{
    int result = storage_result(&s->work);
    memset(&s->work, 0, sizeof(s->work));
    if (error_is_set(&call->error))
        return false;
    if (result == EEXIST)
        error_set(&call->error, VIR_FROM_STORAGE, VIR_ERR_STORAGE_VOL_EXIST, "'%s'", s->name);
    else if (result != 0)
        storage_call_fail(call, result, "cannot create", s->name);
    return result == 0;
}

// libvirt: metadata alone for a sparse image, all of it otherwise.
static const char *preallocation(const struct wanted *want, uint32_t flags)
{
    if (strcmp(want->format, "raw") == 0)
        return want->capacity && want->allocation >= want->capacity ? "falloc" : NULL;
    if (!(flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA))
        return NULL;
    return want->capacity > want->allocation ? "metadata" : "falloc";
}

static void put_options(struct buffer *out, const struct wanted *want, uint32_t flags)
{
    const char *prealloc = preallocation(want, flags);
    bool qcow2 = strcmp(want->format, "qcow2") == 0;
    if (want->backing[0])
        buffer_printf(out, ",backing_fmt=%s", want->backing_format);
    if (prealloc)
        buffer_printf(out, ",preallocation=%s", prealloc);
    if (qcow2)
        buffer_printf(out, ",compat=%s", want->compat[0] ? want->compat : "1.1");
    if (qcow2 && want->lazy_refcounts)
        buffer_puts(out, ",lazy_refcounts");
}

static enum co_status create_image(struct call *call, struct create_state *s)
{
    static struct wanted want;
    static char path[PATH_SIZE], options[256], size[24];
    const char *argv[ARGUMENTS_MAX] = {NULL, "create", "-f", want.format};
    size_t count = 4;
    if (s->tool.co.line == 0) {
        const struct storage_pool *pool = create_pool(call);
        struct buffer out = buffer_over(options, sizeof(options));
        if (!pool || !read_volume(create_args(call)->xml, &want, &call->error))
            return CO_DONE;
        put_options(&out, &want, create_args(call)->flags);
        snprintf(path, sizeof(path), "%s/%s", pool->path, want.name);
        snprintf(size, sizeof(size), "%" PRIu64, want.capacity);
        if (want.backing[0]) {
            argv[count++] = "-b";
            argv[count++] = want.backing;
        }
        if (options[0]) {
            argv[count++] = "-o";
            argv[count++] = options + 1;
        }
        argv[count++] = path;
        if (want.capacity || !want.backing[0])
            argv[count++] = size;
    }
    return tool_run(&s->tool, argv, &call->task, &call->error);
}

// The image was made with nobody else allowed to read it, and is now given what was asked for.
static enum co_status create_own(struct call *call, struct create_state *s)
{
    static struct storage_pool row;
    static struct wanted want;
    if (s->work.co.line == 0) {
        if (!read_volume(create_args(call)->xml, &want, &call->error))
            return CO_DONE;
        row = *create_row(call);
        row.mode = want.mode;
        row.uid = want.uid;
        row.gid = want.gid;
    }
    return storage_run(&s->work, STORAGE_OWN, &row, slice_of(s->name), NULL, &call->task,
                       &call->error);
}

// What a tool that failed has left would be a volume; the client hears why it failed, not how this
// went.
static enum co_status create_take_back(struct call *call, struct create_state *s)
{
    struct error unheard = {0};
    return storage_run(&s->work, STORAGE_UNLINK, create_row(call), slice_of(s->name), NULL,
                       &call->task, &unheard);
}

static void create_finish(struct call *call, const struct create_state *s)
{
    const struct storage_pool *pool = NULL;
    if (error_is_set(&call->error) || !(pool = create_pool(call)))
        return;
    if (storage_result(&s->work) != 0)
        storage_call_fail(call, storage_result(&s->work), "cannot set mode or owner of", s->name);
    else
        storage_put_volume(call_reply(call), pool, slice_of(s->name));
}

// The pool does not go while a volume of it is being made (libvirt: its asyncjobs).
static bool create_begin_job(struct call *call, struct create_state *s)
{
    const struct storage_pool *pool = create_open(call, s);
    if (pool)
        create_row(call)->jobs++;
    return pool != NULL;
}

static void create_end_job(struct call *call)
{
    create_row(call)->jobs--;
}

static enum co_status create_xml(struct call *call)
{
    struct create_state *s = CALL_STATE(call, struct create_state);
    CO_BEGIN(&call->co);
    if (!create_begin_job(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, storage_run(&s->work, STORAGE_RESERVE, create_row(call), slice_of(s->name),
                                   NULL, &call->task, &call->error));
    if (create_is_reserved(call, s)) {
        CO_CALL(&call->co, create_image(call, s));
        memset(&s->work, 0, sizeof(s->work));
        if (!error_is_set(&call->error))
            CO_CALL(&call->co, create_own(call, s));
        else
            CO_CALL(&call->co, create_take_back(call, s));
    }
    create_end_job(call);
    create_finish(call, s);
    CO_END(&call->co);
}

const struct call_entry storage_create_handlers[] = {
    {REMOTE_PROC_STORAGE_VOL_CREATE_XML, create_xml},
    {0, NULL},
};
