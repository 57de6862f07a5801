// The processor that the emulator gave its guest, as a running guest's definition shows it.
#include "hv/qemu/guest/cpu_live.h"

#include "hv/qemu/capabilities/cpu_features.h"
#include "virt/domain/definition.h"
#include "virt/xml/domain_xml.h"

#include <string.h>

// The path is where QEMU keeps the first processor of a PC.
#define ASK_UNAVAILABLE                                                                            \
    "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/machine/unattached/device[0]\","          \
    "\"property\":\"unavailable-features\"}}"

static struct xml_node *feature_of(const struct xml_node *cpu, const char *name)
{
    XML_EACH (feature, cpu, "feature")
        if (xml_attr_is(feature, "name", name))
            return feature;
    return NULL;
}

static void set_policy(struct xml_doc *doc, struct xml_node *cpu, const char *name,
                       const char *policy)
{
    struct xml_node *feature = feature_of(cpu, name);
    if (!feature)
        feature = xml_add(doc, cpu, "feature"); // domain_xml_order() puts it in its place
    xml_sets(doc, feature, "policy", policy);
    xml_sets(doc, feature, "name", name);
}

// The features of the model, with those that the definition adds and takes away.
static void find_expected(const struct xml_node *cpu, const struct cpu_x86_model *model,
                          struct cpu_x86_set *expected)
{
    *expected = model->features;
    XML_EACH (feature, cpu, "feature") {
        int index = cpu_x86_feature_find(xml_attr(feature, "name"));
        struct slice policy = xml_attr(feature, "policy");
        if (index < 0 || slice_is(policy, "optional"))
            continue;
        if (slice_is(policy, "disable") || slice_is(policy, "forbid"))
            cpu_x86_set_remove(expected, (unsigned)index);
        else
            cpu_x86_set_add(expected, (unsigned)index);
    }
}

static void list_name(struct buffer *list, const char *name)
{
    buffer_printf(list, "%s%s", list->len ? "," : "", name);
}

static bool refuse(struct buffer *extra, struct buffer *missing, struct error *err)
{
    const char *what = "guest CPU doesn't match specification";
    if (extra->len && missing->len)
        return error_set(err, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED,
                         "%s: extra features: %s, missing features: %s", what, extra->at,
                         missing->at);
    return error_set(err, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED, "%s: %s features: %s", what,
                     extra->len ? "extra" : "missing", extra->len ? extra->at : missing->at);
}

bool cpu_live_apply(struct xml_doc *doc, struct xml_node *cpu, const struct cpu_x86_set *enabled,
                    const struct cpu_x86_set *disabled, struct error *err)
{
    int index = cpu_x86_model_find(xml_text_at(cpu, "model"));
    bool full = xml_attr_is(cpu, "check", "full");
    char texts[2][256];
    struct buffer extra = buffer_over(texts[0], 256), missing = buffer_over(texts[1], 256);
    struct cpu_x86_set expected;
    if (index < 0)
        return true;
    const struct cpu_x86_model *model = &cpu_x86_models[index];
    find_expected(cpu, model, &expected);
    for (unsigned i = 0; i < CPU_X86_FEATURES; i++) {
        const char *name = cpu_x86_features[i].name;
        bool wanted = cpu_x86_set_has(&expected, i), has = cpu_x86_set_has(enabled, i);
        bool lost = cpu_x86_set_has(disabled, i) || (wanted && !has);
        if (!wanted && has && full)
            list_name(&extra, name);
        else if (!wanted && has)
            set_policy(doc, cpu, name, "require");
        if (lost && full)
            list_name(&missing, name);
        else if (lost)
            set_policy(doc, cpu, name, "disable");
    }
    if (extra.len || missing.len)
        return refuse(&extra, &missing, err);
    for (unsigned i = 0; i < CPU_X86_FEATURES; i++)
        if (cpu_x86_set_has(&model->removed, i) && !feature_of(cpu, cpu_x86_features[i].name))
            set_policy(doc, cpu, cpu_x86_features[i].name, "disable");
    xml_sets(doc, cpu, "check", "full");
    return true;
}

// ---- the conversation

// The <cpu> of a named model in the live definition; NULL when there is none.
static struct xml_node *named_model(const struct guest *guest, struct error *err)
{
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, err);
    struct xml_node *cpu = xml_child(tree, "cpu");
    return xml_attr_is(cpu, "mode", "custom") && xml_child(cpu, "model") ? cpu : NULL;
}

static bool is_x86(const struct guest *guest, struct error *err)
{
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, err);
    struct slice arch = xml_attr(xml_find(tree, "os/type"), "arch");
    return slice_is(arch, "x86_64") || slice_is(arch, "i686");
}

// What <cpu> asks for, as query-cpu-model-expansion wants it.
static struct slice question(const struct guest *guest)
{
    static char text[16384];
    struct error ignored = {0};
    struct xml_node *cpu = named_model(guest, &ignored);
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_puts(&w, "execute", "query-cpu-model-expansion");
    json_open_object(&w, "arguments");
    json_puts(&w, "type", "full");
    json_open_object(&w, "model");
    json_put_string(&w, "name", xml_text_at(cpu, "model"));
    json_open_object(&w, "props");
    XML_EACH (feature, cpu, "feature") {
        struct slice policy = xml_attr(feature, "policy");
        char name[64];
        if (slice_copy(name, sizeof(name), qemu_cpu_feature_to(xml_attr(feature, "name"))) &&
            !slice_is(policy, "optional"))
            json_put_bool(&w, name, !slice_is(policy, "disable") && !slice_is(policy, "forbid"));
    }
    json_close_object(&w);
    json_close_object(&w);
    json_close_object(&w);
    json_close_object(&w);
    return buffer_slice(&out);
}

static void add_feature(struct cpu_x86_set *set, struct slice qemu_name)
{
    int index = cpu_x86_feature_find(qemu_cpu_feature_from(qemu_name));
    if (index >= 0)
        cpu_x86_set_add(set, (unsigned)index);
}

static void take_enabled(struct cpu_live *s)
{
    const struct json_value *props = json_find(s->call.result, "model/props");
    for (const struct json_value *prop = props ? props->child : NULL; prop; prop = prop->next)
        if (prop->kind == JSON_BOOL && prop->truth)
            add_feature(&s->enabled, prop->key);
}

static void take_disabled(struct cpu_live *s)
{
    const struct json_value *names = s->call.result;
    if (!names || names->kind != JSON_ARRAY)
        return;
    for (const struct json_value *name = names->child; name; name = name->next)
        add_feature(&s->disabled, json_string(name));
    for (unsigned i = 0; i < CPU_X86_WORDS; i++)
        s->enabled.words[i] &= ~s->disabled.words[i];
}

static bool same_features(const struct xml_node *one, const struct xml_node *other)
{
    const struct xml_node *b = xml_child(other, "feature");
    XML_EACH (a, one, "feature") {
        if (!b || !slice_equal(xml_attr(a, "name"), xml_attr(b, "name")) ||
            !slice_equal(xml_attr(a, "policy"), xml_attr(b, "policy")))
            return false;
        b = xml_next(b, "feature");
    }
    return !b;
}

static void save(struct cpu_live *s, struct guest *guest, bool known, struct error *err)
{
    struct xml_node *cpu = named_model(guest, err);
    struct xml_doc *doc = definition_doc();
    if (!cpu)
        return;
    xml_sets(doc, xml_child(cpu, "model"), "fallback", "forbid");
    // The status file remembers the processor that was asked for: a definition for another host
    // has it.
    struct xml_node *first = xml_copy(doc, definition_wrapper(), cpu);
    if (known && !cpu_live_apply(doc, cpu, &s->enabled, &s->disabled, err))
        return;
    domain_xml_order(doc);
    if (same_features(first, cpu))
        xml_remove(first);
    if (xml_ok(doc, err))
        definition_write_live(guest->domain, cpu->parent, err);
}

// An emulator that does not know these questions leaves the definition as it is.
enum co_status cpu_live_update(struct cpu_live *s, struct guest *guest, struct task *task,
                               struct error *err)
{
    CO_BEGIN(&s->co);
    if (!named_model(guest, err))
        CO_RETURN(&s->co);
    if (is_x86(guest, err)) {
        CO_CALL(&s->co, monitor_pass(&s->call, &guest->monitor, task, question(guest), err));
        take_enabled(s);
        memset(&s->call, 0, sizeof(s->call));
        CO_CALL(&s->co, monitor_pass(&s->call, &guest->monitor, task, SLICE(ASK_UNAVAILABLE), err));
        take_disabled(s);
    }
    save(s, guest, cpu_x86_set_count(&s->enabled) > 0, err);
    CO_END(&s->co);
}
