// Procedures of the contract: finding them, and the rules that the contract attaches to them.
#include "rpc/xdr.h"

#include <string.h>

const struct xdr_procedure *xdr_procedure_find(const struct xdr_program *program, int32_t number)
{
    if (number < 1 || (uint32_t)number > program->last || !program->procedures[number - 1].name)
        return NULL;
    return &program->procedures[number - 1];
}

static char *unpack(char *to, unsigned char byte)
{
    if (byte >= 128)
        return unpack(unpack(to, contract_pairs[byte - 128][0]), contract_pairs[byte - 128][1]);
    *to = (char)byte;
    return to + 1;
}

const char *xdr_procedure_name(const struct xdr_procedure *procedure)
{
    static char name[128]; // xdrgen makes none that is longer
    char *end = name;
    for (const unsigned char *at = contract_procedure_names + procedure->name; *at; at++)
        end = unpack(end, *at);
    *end = '\0';
    return name;
}

static const struct xdr_type *type_at(uint16_t index)
{
    return index ? &contract_types[index - 1] : NULL;
}

const struct xdr_type *xdr_procedure_args(const struct xdr_procedure *procedure)
{
    return type_at(procedure->args);
}

const struct xdr_type *xdr_procedure_result(const struct xdr_procedure *procedure)
{
    return type_at(procedure->result);
}

static bool rule_applies(const struct xdr_rule *rule, const void *args)
{
    uint32_t value = 0;
    if (rule->test != XDR_TEST_ALWAYS)
        memcpy(&value, (const uint8_t *)args + rule->offset, sizeof(value));
    switch ((enum xdr_rule_test)rule->test) {
    case XDR_TEST_ALWAYS:
        return true;
    case XDR_TEST_HAS:
        return (value & rule->value) == rule->value;
    case XDR_TEST_ANY:
        return (value & rule->value) != 0;
    case XDR_TEST_LACKS:
        return (value & rule->value) == 0;
    case XDR_TEST_IS:
        return value == rule->value;
    }
    return true;
}

const struct xdr_rule *xdr_procedure_rule(const struct xdr_procedure *procedure,
                                          enum xdr_rule_kind kind, const void *args,
                                          const struct xdr_rule *previous)
{
    const struct xdr_rule *rule = previous ? previous + 1 : &contract_rules[procedure->rules];
    const struct xdr_rule *end = &contract_rules[procedure->rules + procedure->rule_count];
    for (; rule < end; rule++)
        if (rule->kind == kind && rule_applies(rule, args))
            return rule;
    return NULL;
}

const char *xdr_rule_object(const struct xdr_rule *rule)
{
    return contract_names + contract_permissions[rule->permission].object;
}

const char *xdr_rule_permission(const struct xdr_rule *rule)
{
    return contract_names + contract_permissions[rule->permission].permission;
}

// libvirt's refusals come from the part of libvirt that the function belongs to.
static int error_domain_of(const char *name)
{
    static const struct {
        const char *prefix;
        int domain;
    } parts[] = {
        {"virDomainSnapshot", VIR_FROM_DOMAIN_SNAPSHOT},
        {"virDomainCheckpoint", VIR_FROM_DOMAIN_CHECKPOINT},
        {"virNetwork", VIR_FROM_NETWORK},
        {"virStorage", VIR_FROM_STORAGE},
        {"virInterface", VIR_FROM_INTERFACE},
        {"virNodeDevice", VIR_FROM_NODEDEV},
        {"virNWFilter", VIR_FROM_NWFILTER},
        {"virSecret", VIR_FROM_SECRET},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (slice_starts(slice_of(name), parts[i].prefix))
            return parts[i].domain;
    return VIR_FROM_DOMAIN;
}

bool xdr_procedure_allow_readonly(const struct xdr_procedure *procedure, const void *args,
                                  struct error *err)
{
    const char *name = xdr_procedure_name(procedure);
    int domain = error_domain_of(name);
    if (xdr_procedure_rule(procedure, XDR_RULE_SECURE, args, NULL))
        return error_set(err, domain, VIR_ERR_OPERATION_DENIED, "%s with secure flag", name);
    if (!(procedure->marks & XDR_MARK_READONLY) ||
        xdr_procedure_rule(procedure, XDR_RULE_READWRITE, args, NULL))
        return error_set(err, domain, VIR_ERR_OPERATION_DENIED, "read only access prevents %s",
                         name);
    return true;
}
