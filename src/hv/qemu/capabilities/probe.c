// Probing an emulator: the questions, and what is kept of the answers.
#include "hv/qemu/capabilities/probe.h"

#include "core/log.h"
#include "hv/qemu/capabilities/cpu_features.h"
#include "hv/qemu/capabilities/probe_qmp.h"
#include "virt/node/cpu_x86.h"

#include <string.h>

// The strings of all answers; they outlive the JSON document they come from.
static struct {
    char text[CONFIG_QEMU_CACHE_TEXT];
    struct buffer strings;
    struct qemu_capabilities capabilities;
} answers;

static struct slice keep(struct slice s)
{
    if (!slice_present(s))
        return SLICE_NONE;
    struct slice kept = {answers.strings.at + answers.strings.len, s.len};
    buffer_put(&answers.strings, s);
    return buffer_ok(&answers.strings) ? kept : SLICE_NONE;
}

static struct slice libvirt_arch(struct slice target)
{
    if (slice_is(target, "i386"))
        return SLICE("i686");
    if (slice_is(target, "arm"))
        return SLICE("armv7l");
    return keep(target);
}

// "cortex-a15-arm-cpu" is the type of the model "cortex-a15".
static struct slice model_of_type(struct slice type)
{
    if (!slice_ends(type, "-cpu"))
        return SLICE_NONE;
    type.len -= 4;
    while (type.len && type.at[type.len - 1] != '-')
        type.len--;
    if (type.len)
        type.len--;
    return type;
}

static void ask_version(struct probe_qmp *qmp, struct qemu_capabilities *c)
{
    const struct json_value *reply = probe_qmp_command(qmp, "query-version", SLICE_NONE);
    uint64_t major = 0, minor = 0, micro = 0;
    json_get_u64(json_get(reply, "qemu"), "major", &major);
    json_get_u64(json_get(reply, "qemu"), "minor", &minor);
    json_get_u64(json_get(reply, "qemu"), "micro", &micro);
    c->version = (uint32_t)(major * 1000000 + minor * 1000 + micro);
    c->package = keep(json_get_string(reply, "package"));
    c->arch =
        libvirt_arch(json_get_string(probe_qmp_command(qmp, "query-target", SLICE_NONE), "arch"));
}

static void learn_all(struct probe_qmp *qmp, struct qemu_capabilities *c, const char *command,
                      struct slice arguments, const char *key, const char *prefix)
{
    const struct json_value *reply = probe_qmp_command(qmp, command, arguments);
    for (const struct json_value *item = reply ? reply->child : NULL; item; item = item->next) {
        char name[128];
        struct buffer text = buffer_over(name, sizeof(name));
        buffer_printf(&text, "%s%.*s", prefix, SLICE_ARG(json_get_string(item, key)));
        qemu_capabilities_learn(c, buffer_slice(&text));
    }
}

static void ask_facts(struct probe_qmp *qmp, struct qemu_capabilities *c)
{
    learn_all(qmp, c, "query-commands", SLICE_NONE, "name", "");
    learn_all(qmp, c, "query-command-line-options", SLICE_NONE, "option", "-");
    learn_all(qmp, c, "qom-list-types", SLICE("{\"abstract\":false}"), "name", "");
    if (qemu_capabilities_have(c, "chardev-spicevmc"))
        qemu_capabilities_learn(c, SLICE("-spice"));
    if (probe_qmp_mentions(qmp, "query-qmp-schema", "\"egl-headless\""))
        qemu_capabilities_learn(c, SLICE("display-egl-headless"));
}

// QEMU has no default machine for ARM; libvirt took this one.
static void choose_default_machine(struct qemu_capabilities *c)
{
    if (qemu_capabilities_machine(c, SLICE_NONE))
        return;
    for (size_t i = 0; i < c->machine_count; i++)
        if (slice_is(c->machines[i].name, "integratorcp"))
            c->machines[i].is_default = true;
}

static void ask_machines(struct probe_qmp *qmp, struct qemu_capabilities *c)
{
    const struct json_value *reply = probe_qmp_command(qmp, "query-machines", SLICE_NONE);
    for (const struct json_value *item = reply ? reply->child : NULL; item; item = item->next) {
        uint64_t cpus = 0;
        struct slice name = json_get_string(item, "name");
        if (c->machine_count == CONFIG_QEMU_MACHINES || slice_is(name, "none"))
            continue;
        json_get_u64(item, "cpu-max", &cpus);
        c->machines[c->machine_count++] = (struct qemu_machine){
            .name = keep(name),
            .alias = keep(json_get_string(item, "alias")),
            .ram_id = keep(json_get_string(item, "default-ram-id")),
            .default_cpu = keep(model_of_type(json_get_string(item, "default-cpu-type"))),
            .max_cpus = (uint32_t)cpus,
            .is_default = json_get_bool(item, "is-default", false),
            .hotplug_cpus = json_get_bool(item, "hotpluggable-cpus", false),
            .deprecated = json_get_bool(item, "deprecated", false),
            .numa_memory = json_get_bool(item, "numa-mem-supported", true),
        };
    }
    choose_default_machine(c);
}

static struct qemu_cpu_model *model_named(struct qemu_capabilities *c, struct slice name)
{
    for (size_t i = 0; i < c->model_count; i++)
        if (slice_equal(c->models[i].name, name))
            return &c->models[i];
    if (c->model_count == CONFIG_QEMU_CPU_MODELS)
        return NULL;
    struct qemu_cpu_model *model = &c->models[c->model_count++];
    *model = (struct qemu_cpu_model){.name = keep(name)};
    return model;
}

// Only features of models that libvirt describes are of use to anybody.
static struct slice keep_blockers(struct slice model, const struct json_value *blockers)
{
    struct buffer *strings = &answers.strings;
    size_t start = strings->len;
    if (cpu_x86_model_find(model) < 0 || !blockers)
        return SLICE_NONE;
    for (const struct json_value *item = blockers->child; item; item = item->next) {
        struct slice name = qemu_cpu_feature_from(json_string(item));
        if (cpu_x86_feature_find(name) < 0)
            continue;
        if (strings->len > start)
            buffer_putc(strings, ',');
        buffer_put(strings, name);
    }
    return (struct slice){strings->at + start, strings->len - start};
}

static void ask_models(struct probe_qmp *qmp, struct qemu_capabilities *c,
                       enum qemu_accelerator accelerator)
{
    const struct json_value *reply = probe_qmp_command(qmp, "query-cpu-definitions", SLICE_NONE);
    for (const struct json_value *item = reply ? reply->child : NULL; item; item = item->next) {
        const struct json_value *blockers = json_get(item, "unavailable-features");
        struct qemu_cpu_model *model = model_named(c, json_get_string(item, "name"));
        if (!model)
            continue;
        model->usable[accelerator] = !blockers         ? QEMU_USABLE_UNKNOWN
                                     : blockers->count ? QEMU_USABLE_NO
                                                       : QEMU_USABLE_YES;
        model->deprecated = json_get_bool(item, "deprecated", false);
        model->blockers[accelerator] = keep_blockers(model->name, blockers);
    }
}

// The features of the model that has all that the host (KVM) or QEMU (TCG) can do. The static model
// it is made of is asked first, so that the second answer has every feature spelt out.
static void ask_expansion(struct probe_qmp *qmp, struct qemu_capabilities *c,
                          enum qemu_accelerator accelerator)
{
    static char question[65536];
    struct buffer text = buffer_over(question, sizeof(question));
    // Without "migratable", KVM's answer has what a guest may have that is never to be moved.
    buffer_puts(&text, accelerator == QEMU_KVM
                           ? "{\"type\":\"static\",\"model\":{\"name\":\"host\","
                             "\"props\":{\"migratable\":false}}}"
                           : "{\"type\":\"static\",\"model\":{\"name\":\"max\"}}");
    const struct json_value *model =
        json_get(probe_qmp_command(qmp, "query-cpu-model-expansion", buffer_slice(&text)), "model");
    if (!model)
        return;
    text = buffer_over(question, sizeof(question));
    struct json_writer w = json_writer_to(&text);
    json_open_object(&w, NULL);
    json_puts(&w, "type", "full");
    json_put_value(&w, "model", model);
    json_close_object(&w);
    if (!buffer_ok(&text))
        return;
    const struct json_value *props = json_find(
        probe_qmp_command(qmp, "query-cpu-model-expansion", buffer_slice(&text)), "model/props");
    struct buffer *strings = &answers.strings;
    size_t start = strings->len;
    qemu_cpu_write_features(strings, props);
    c->cpu[accelerator] = (struct slice){strings->at + start, strings->len - start};
}

static void ask_hyperv(struct probe_qmp *qmp, struct qemu_capabilities *c)
{
    struct slice question = SLICE(
        "{\"type\":\"full\",\"model\":{\"name\":\"host\",\"props\":{\"hv-passthrough\":true}}}");
    const struct json_value *props =
        json_find(probe_qmp_command(qmp, "query-cpu-model-expansion", question), "model/props");
    for (const struct json_value *prop = props ? props->child : NULL; prop; prop = prop->next)
        if (prop->kind == JSON_BOOL && prop->truth)
            qemu_capabilities_learn(c, prop->key);
}

static void ask_gic(struct probe_qmp *qmp, struct qemu_capabilities *c)
{
    const struct json_value *reply = probe_qmp_command(qmp, "query-gic-capabilities", SLICE_NONE);
    for (const struct json_value *item = reply ? reply->child : NULL; item; item = item->next) {
        uint64_t version = 0;
        json_get_u64(item, "version", &version);
        if (version > 31)
            continue;
        if (json_get_bool(item, "emulated", false))
            c->gic[QEMU_TCG] |= 1u << version;
        if (json_get_bool(item, "kernel", false))
            c->gic[QEMU_KVM] |= 1u << version;
    }
}

static void ask_migratable(struct probe_qmp *qmp, struct qemu_capabilities *c)
{
    if (!slice_is(c->arch, "x86_64") && !slice_is(c->arch, "i686"))
        return;
    char question[128];
    struct buffer text = buffer_over(question, sizeof(question));
    buffer_printf(&text, "{\"typename\":\"max-%s-cpu\"}",
                  slice_is(c->arch, "i686") ? "i386" : "x86_64");
    const struct json_value *reply =
        probe_qmp_command(qmp, "device-list-properties", buffer_slice(&text));
    for (const struct json_value *item = reply ? reply->child : NULL; item; item = item->next)
        if (slice_is(json_get_string(item, "name"), "migratable"))
            c->cpu_migratable = true;
}

static void ask_accelerator(struct probe_qmp *qmp, struct qemu_capabilities *c,
                            enum qemu_accelerator accelerator)
{
    ask_models(qmp, c, accelerator);
    if (slice_is(c->arch, "x86_64") || slice_is(c->arch, "i686"))
        ask_expansion(qmp, c, accelerator);
    if (accelerator == QEMU_KVM)
        ask_hyperv(qmp, c);
}

// Everything, of an emulator that takes KVM if it can; the second time without it.
static bool ask_all(const struct qemu_probe *probe, struct qemu_capabilities *c, struct buffer *why)
{
    struct probe_qmp qmp;
    bool ok = probe_qmp_start(&qmp, probe, "kvm:tcg");
    if (ok) {
        ask_version(&qmp, c);
        ask_facts(&qmp, c);
        ask_machines(&qmp, c);
        ask_gic(&qmp, c);
        ask_migratable(&qmp, c);
        c->kvm = json_get_bool(probe_qmp_command(&qmp, "query-kvm", SLICE_NONE), "enabled", false);
        ask_accelerator(&qmp, c, c->kvm ? QEMU_KVM : QEMU_TCG);
        ok = c->version != 0 && c->machine_count != 0;
    }
    if (!ok && qmp.cause)
        buffer_printf(why, "%s: ", qmp.cause);
    probe_qmp_end(&qmp, why);
    if (!ok || !c->kvm)
        return ok;
    ok = probe_qmp_start(&qmp, probe, "tcg");
    if (ok)
        ask_accelerator(&qmp, c, QEMU_TCG);
    probe_qmp_end(&qmp, why);
    return true;
}

static bool write_file(const char *path, struct slice text)
{
    char temporary[PORT_PATH_MAX];
    struct buffer name = buffer_over(temporary, sizeof(temporary));
    buffer_printf(&name, "%s.%d.new", path, port_pid());
    char *slash = strrchr(temporary, '/');
    if (!buffer_ok(&name) || !slash)
        return false;
    *slash = '\0';
    int made = port_make_directories(temporary, 0755);
    *slash = '/';
    int fd = made < 0 ? made
                      : port_open(temporary,
                                  PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0644);
    if (fd < 0)
        return false;
    bool ok = port_write(fd, text.at, text.len) == (ptrdiff_t)text.len;
    port_close(fd);
    return ok && port_rename(temporary, path) == 0;
}

static int report(int out, const char *what, struct slice why)
{
    port_write(out, what, strlen(what));
    port_write(out, why.at, why.len);
    return 1;
}

int qemu_probe_run(void *argument, int out)
{
    const struct qemu_probe *probe = argument;
    struct qemu_capabilities *c = &answers.capabilities;
    static char text[CONFIG_QEMU_CACHE_TEXT + 1];
    char cause[256];
    struct buffer why = buffer_over(cause, sizeof(cause));
    struct port_stat stat;
    answers.strings = buffer_over(answers.text, sizeof(answers.text));
    memset(c, 0, sizeof(*c));
    if (port_stat(probe->emulator, &stat) < 0)
        return report(out, "No such file or directory", SLICE(""));
    c->emulator = slice_of(probe->emulator);
    c->size = stat.size;
    c->mtime_ns = stat.mtime_ns;
    c->host_key = qemu_cache_host_key();
    if (!ask_all(probe, c, &why))
        return report(out, "", buffer_slice(&why));
    struct buffer file = buffer_over(text, sizeof(text));
    qemu_capabilities_write(&file, c);
    if (!buffer_ok(&file) || !buffer_ok(&answers.strings))
        return report(out, "answers too long: see CONFIG_QEMU_CACHE_TEXT", SLICE(""));
    if (!write_file(probe->cache_file, buffer_slice(&file)))
        return report(out, "can not write ", slice_of(probe->cache_file));
    return 0;
}

// ---- waiting for a probe, in the daemon

// One probe at a time: several tasks may wait for the same emulator.
static bool probing;

static bool next_stale(struct qemu_probe_wait *wait, const char *emulator)
{
    for (; qemu_emulators[wait->index].arch; wait->index++) {
        const struct qemu_emulator *candidate = &qemu_emulators[wait->index];
        if (qemu_emulator_installed(candidate) && !qemu_cache_get(candidate->path)) {
            wait->probe.emulator = candidate->path;
            return true;
        }
    }
    if (wait->single || !emulator || qemu_cache_get(emulator))
        return false;
    wait->single = true;
    slice_copy(wait->path, sizeof(wait->path), slice_of(emulator));
    wait->probe.emulator = wait->path;
    return true;
}

static bool start(struct qemu_probe_wait *wait, struct task *task, struct error *err)
{
    wait->probe.cache_file = wait->cache_file;
    wait->probe.identity = qemu_cache_identity(&wait->probe.uid, &wait->probe.gid);
    wait->output = buffer_over(wait->message, sizeof(wait->message));
    wait->worker = (struct worker){0};
    return qemu_cache_file(wait->probe.emulator, wait->cache_file) &&
           worker_start(&wait->worker, qemu_probe_run, &wait->probe, &wait->output, task, err);
}

enum co_status qemu_probe_emulators(struct qemu_probe_wait *wait, struct task *task,
                                    const char *emulator, struct error *err)
{
    CO_BEGIN(&wait->co);
    while (next_stale(wait, emulator)) {
        if (probing) {
            pause_start(&wait->pause, task, 20000000); // somebody else's: look again later
            CO_WAIT(&wait->co, wait->pause.over);
            continue;
        }
        probing = true;
        struct error ignored = {0};
        if (!start(wait, task, &ignored)) {
            probing = false;
            break;
        }
        CO_WAIT(&wait->co, worker_done(&wait->worker));
        probing = false;
        if (wait->worker.result != 0)
            log_warning("qemu.probe", "cannot probe %s: %s", wait->probe.emulator, wait->message);
        if (wait->worker.result != 0 && wait->single)
            error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                      "Failed to probe QEMU binary with QMP: %s", wait->message);
        if (wait->worker.result != 0 && wait->single)
            break;
        wait->index += !wait->single;
    }
    CO_END(&wait->co);
}
