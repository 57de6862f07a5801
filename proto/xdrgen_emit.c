// xdrgen's writer: the C headers, and the descriptor tables that rpc/xdr.c interprets.
#include "xdrgen.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *out;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
}

static void open_output(const char *directory, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
}

static void close_output(void)
{
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        perror("xdrgen");
        exit(1);
    }
}

static bool is_composite(const struct definition *definition)
{
    return definition->kind == DEFINE_STRUCT || definition->kind == DEFINE_UNION;
}

// ---- What is left out ----

static const char *words;

static bool is_wanted(const char *name)
{
    size_t len = strlen(name);
    for (const char *at = words; at; at = strstr(at + 1, name))
        if (strncmp(at, name, len) == 0 && at[-1] == '\n' && at[len] == '\n')
            return true;
    return !words;
}

// ---- The name pool ----

static struct {
    char text[60000];
    size_t len;
} names;

// The offset of the name in the pool; 0 is the empty name.
static unsigned name_offset(const char *name)
{
    if (names.len == 0)
        names.len = 1;
    for (size_t at = 0; at < names.len; at += strlen(names.text + at) + 1)
        if (strcmp(names.text + at, name) == 0)
            return (unsigned)at;
    size_t size = strlen(name) + 1;
    if (names.len + size > sizeof(names.text))
        fail_at(0, 0, "the names do not fit into 16 bits");
    memcpy(names.text + names.len, name, size);
    names.len += size;
    return (unsigned)(names.len - size);
}

// ---- Limits ----

static struct {
    const char *bound[256]; // as written: a constant or a number
    int count;
} limits;

static int limit_index(const char *bound)
{
    for (int i = 0; i < limits.count; i++)
        if (strcmp(limits.bound[i], bound) == 0)
            return i;
    limits.bound[limits.count] = bound;
    return limits.count++;
}

// What a user can turn: the CONFIG_ symbol behind a constant, where there is one.
static const char *limit_name(const char *bound)
{
    int definition = find_definition(bound);
    if (definition < 0 || model.definitions[definition].kind != DEFINE_CONST)
        return bound;
    const char *value = model.definitions[definition].value;
    return isdigit((unsigned char)value[0]) ? bound : limit_name(value);
}

// ---- Types: those with the same members share a number ----

static struct {
    int definition[2048]; // one that stands for the type
    int first[2048];      // in contract_fields
    int count;
    int field_count;
} types;

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int type_of(int definition);

static bool same_declaration(const struct declaration *a, const struct declaration *b)
{
    return a->kind == b->kind && a->shape == b->shape && same_text(a->name, b->name) &&
           same_text(a->bound, b->bound) && same_text(a->extent, b->extent) &&
           same_text(a->arm_case, b->arm_case) &&
           (a->kind != KIND_STRUCT && a->kind != KIND_UNION
                ? true
                : type_of(a->definition) == type_of(b->definition));
}

static bool same_start(const struct definition *a, const struct definition *b, int count)
{
    for (int i = 0; i < count; i++)
        if (!same_declaration(&model.declarations[a->first + i], &model.declarations[b->first + i]))
            return false;
    return true;
}

// The type's number. Gives one to the types of the members first, so a type that holds itself would
// not end; the depth catches it.
static int type_of(int index)
{
    static int depth;
    struct definition *definition = &model.definitions[index];
    if (definition->type >= 0)
        return definition->type;
    if (++depth > 16)
        fail_at(definition->file, definition->line, "%s holds itself", definition->name);
    for (int i = definition->first; i < definition->first + definition->count; i++)
        if (model.declarations[i].definition >= 0 &&
            is_composite(&model.definitions[model.declarations[i].definition]))
            type_of(model.declarations[i].definition);
    depth--;
    for (int i = 0; i < types.count; i++) {
        const struct definition *other = &model.definitions[types.definition[i]];
        if (other->kind == definition->kind && other->count == definition->count &&
            same_start(definition, other, other->count))
            return definition->type = i;
    }
    types.definition[types.count] = index;
    return definition->type = types.count++;
}

static int by_member_count(const void *a, const void *b)
{
    const int *left = a;
    const int *right = b;
    int difference = model.definitions[types.definition[*right]].count -
                     model.definitions[types.definition[*left]].count;
    return difference ? difference : *left - *right;
}

// Lays out contract_fields. Many arguments are the beginning of others ({dom} of {dom, flags}): the
// longest go first and the shorter ones are found in them.
static void lay_out_fields(int *order)
{
    for (int i = 0; i < types.count; i++)
        order[i] = i;
    qsort(order, (size_t)types.count, sizeof(order[0]), by_member_count);
    for (int i = 0; i < types.count; i++) {
        const struct definition *definition = &model.definitions[types.definition[order[i]]];
        int *first = &types.first[order[i]];
        *first = -1;
        for (int j = 0; j < i && *first < 0; j++) {
            if (order[j] < 0)
                continue;
            const struct definition *longer = &model.definitions[types.definition[order[j]]];
            if (longer->kind == definition->kind && definition->kind == DEFINE_STRUCT &&
                same_start(definition, longer, definition->count))
                *first = types.first[order[j]];
        }
        if (*first < 0) {
            *first = types.field_count;
            types.field_count += definition->count;
        } else {
            order[i] = -1; // nothing to write out
        }
    }
}

// ---- Headers ----

static void put_member(const struct declaration *d, const char *indent)
{
    static const char *const scalars[] = {
        "int32_t", "uint32_t", "int64_t",      "uint64_t",     "double",  "int8_t",
        "uint8_t", "uint16_t", "struct slice", "struct slice", "uint8_t",
    };
    if (d->shape == SHAPE_LIST) {
        put("%sstruct xdr_list %s;\n", indent, d->name);
        return;
    }
    if (d->shape == SHAPE_OPTIONAL && d->kind != KIND_STRING)
        put("%sbool %s_present;\n", indent, d->name);
    if (d->kind == KIND_STRUCT || d->kind == KIND_UNION)
        put("%sstruct %s %s", indent, model.definitions[d->definition].name, d->name);
    else
        put("%s%s %s", indent, scalars[d->kind], d->name);
    if (d->kind == KIND_BYTES)
        put("[%s]", d->bound);
    if (d->shape == SHAPE_ARRAY)
        put("[%s]", d->extent);
    put(";\n");
}

static void put_composite(const struct definition *definition)
{
    const struct declaration *member = &model.declarations[definition->first];
    put("\nstruct %s {\n", definition->name);
    if (definition->kind == DEFINE_UNION)
        put_member(member, "    ");
    if (definition->kind == DEFINE_UNION)
        put("    union {\n");
    for (int i = definition->kind == DEFINE_UNION; i < definition->count; i++)
        put_member(member + i, definition->kind == DEFINE_UNION ? "        " : "    ");
    if (definition->kind == DEFINE_UNION)
        put("    };\n");
    put("};\n");
}

static void put_enum(const struct definition *definition)
{
    put("\nenum %s {\n", definition->name);
    for (int i = definition->first; i < definition->first + definition->count; i++)
        put("    %s = %s,\n", model.enumerators[i].name, model.enumerators[i].value);
    put("};\n");
}

static void put_definitions(int file)
{
    for (int i = 0; i < model.definition_count; i++) {
        const struct definition *definition = &model.definitions[i];
        if (definition->file != file)
            continue;
        if (definition->kind == DEFINE_CONST)
            put("#define %s %s\n", definition->name, definition->value);
        else if (definition->kind == DEFINE_ENUM)
            put_enum(definition);
        else if (is_composite(definition))
            put_composite(definition);
    }
    put("\nenum {\n    XDR_TYPES_OF_%s = 0,\n", model.files[file].base);
    for (int i = 0; i < model.definition_count; i++)
        if (model.definitions[i].file == file && model.definitions[i].type >= 0)
            put("    XDR_TYPE_%s = %d,\n", model.definitions[i].name, model.definitions[i].type);
    put("};\n");
}

// Headers of the other files whose structs this file's structs hold.
static void put_includes(int file)
{
    bool used[16] = {false};
    for (int i = 0; i < model.definition_count; i++) {
        const struct definition *definition = &model.definitions[i];
        if (definition->file != file || !is_composite(definition))
            continue;
        for (int j = definition->first; j < definition->first + definition->count; j++)
            if (model.declarations[j].definition >= 0)
                used[model.definitions[model.declarations[j].definition].file] = true;
    }
    for (int i = 0; i < model.file_count; i++)
        if (used[i] && i != file)
            put("#include \"proto/%s.h\"\n", model.files[i].base);
}

static void put_program_declarations(const struct program *program)
{
    const char *base = model.files[program->file].base;
    put("\n#define %s %su\n#define %s %su\n", program->name, program->number, program->version_name,
        program->version);
    put("\nenum %s_procedure {\n", base);
    for (int i = program->first; i < program->first + program->count; i++)
        put("    %s = %d,\n", model.procedures[i].name, model.procedures[i].number);
    put("};\n\nextern const struct xdr_program %s_program;\n", base);
}

static void put_header(const char *directory, int file)
{
    char name[128];
    snprintf(name, sizeof(name), "%s.h", model.files[file].base);
    open_output(directory, name);
    put("// Made by xdrgen from %s.\n", model.files[file].path);
    put("#ifndef PROTO_%s_H\n#define PROTO_%s_H\n\n", model.files[file].base,
        model.files[file].base);
    put("#include \"rpc/xdr.h\"\n");
    put_includes(file);
    put("\n");
    put_definitions(file);
    for (int i = 0; i < model.program_count; i++)
        if (model.programs[i].file == file)
            put_program_declarations(&model.programs[i]);
    put("\n#endif\n");
    close_output();
}

// ---- Tables ----

static void put_field(const struct definition *owner, const struct declaration *d)
{
    static const char *const kinds[] = {
        "INT",    "UINT",   "HYPER",  "UHYPER", "DOUBLE", "CHAR",  "UCHAR",
        "USHORT", "STRING", "OPAQUE", "BYTES",  "STRUCT", "UNION",
    };
    static const char *const shapes[] = {"ONE", "OPTIONAL", "ARRAY", "LIST"};
    put("    {%u, offsetof(struct %s, %s), XDR_%s, XDR_%s, ", name_offset(d->name), owner->name,
        d->name, kinds[d->kind], shapes[d->shape]);
    if (d->kind == KIND_STRING || d->kind == KIND_OPAQUE)
        put("%d, ", limit_index(d->bound));
    else if (d->kind == KIND_BYTES)
        put("%s, ", d->bound);
    else if (d->kind == KIND_STRUCT || d->kind == KIND_UNION)
        put("%d, ", type_of(d->definition));
    else
        put("0, ");
    if (d->arm_case)
        put("%s},\n", d->arm_case);
    else if (d->shape == SHAPE_LIST)
        put("%d},\n", limit_index(d->extent));
    else if (d->shape == SHAPE_ARRAY)
        put("%s},\n", d->extent);
    else if (d->shape == SHAPE_OPTIONAL && d->kind != KIND_STRING)
        put("offsetof(struct %s, %s_present)},\n", owner->name, d->name);
    else
        put("0},\n");
}

static void put_types(void)
{
    static int order[2048];
    lay_out_fields(order);
    put("const struct xdr_field contract_fields[] = {\n");
    for (int i = 0; i < types.count; i++) {
        if (order[i] < 0)
            continue;
        const struct definition *definition = &model.definitions[types.definition[order[i]]];
        put("    // %d: %s\n", types.first[order[i]], definition->name);
        for (int j = 0; j < definition->count; j++)
            put_field(definition, &model.declarations[definition->first + j]);
    }
    put("};\n\nconst struct xdr_type contract_types[] = {\n");
    for (int i = 0; i < types.count; i++) {
        const struct definition *definition = &model.definitions[types.definition[i]];
        put("    {%d, %d, sizeof(struct %s), %s},\n", types.first[i], definition->count,
            definition->name, definition->kind == DEFINE_UNION ? "true" : "false");
    }
    put("};\n\nconst struct xdr_limit contract_limits[] = {\n");
    for (int i = 0; i < limits.count; i++)
        put("    {%s, %u},\n", limits.bound[i], name_offset(limit_name(limits.bound[i])));
    put("};\n\n");
}

// The types' indices + 1, 0 for void.
static int procedure_type(const struct program *program, const struct procedure *procedure,
                          const char *name)
{
    if (strcmp(name, "void") == 0)
        return 0;
    int definition = find_definition(name);
    if (definition < 0 || model.definitions[definition].kind != DEFINE_STRUCT)
        fail_at(program->file, procedure->line, "%s is not a struct", name);
    return type_of(definition) + 1;
}

// The permissions that rules ask for; 0 stands for none. Their indices are 8 bits wide.
#define PERMISSIONS_MAX 128

static struct {
    const char *object, *permission;
} permissions[PERMISSIONS_MAX];
static int permission_count = 1;

static int permission_index(const struct program *program, const struct procedure *procedure,
                            const struct rule *rule)
{
    if (!rule->object)
        return 0;
    for (int i = 1; i < permission_count; i++)
        if (strcmp(permissions[i].object, rule->object) == 0 &&
            strcmp(permissions[i].permission, rule->permission) == 0)
            return i;
    if (permission_count == PERMISSIONS_MAX)
        fail_at(program->file, procedure->line, "more than %d permissions", PERMISSIONS_MAX - 1);
    permissions[permission_count].object = rule->object;
    permissions[permission_count].permission = rule->permission;
    return permission_count++;
}

static void put_permissions(void)
{
    put("const struct xdr_permission contract_permissions[] = {\n    {0, 0},\n");
    for (int i = 1; i < permission_count; i++)
        put("    {%u, %u}, // %d: %s.%s\n", name_offset(permissions[i].object),
            name_offset(permissions[i].permission), i, permissions[i].object,
            permissions[i].permission);
    put("};\n\nconst uint8_t contract_permission_count = %d;\n\n", permission_count);
}

static void put_rule(const struct program *program, const struct procedure *procedure,
                     const struct rule *rule)
{
    static const char *const kinds[] = {"ACCESS", "FILTER", "READWRITE", "SECURE", "SPARSE"};
    static const char *const tests[] = {"ALWAYS", "HAS", "ANY", "LACKS", "IS"};
    put("    {%d, XDR_RULE_%s, XDR_TEST_%s, ", permission_index(program, procedure, rule),
        kinds[rule->kind], tests[rule->test]);
    if (rule->argument) {
        procedure_type(program, procedure, procedure->args);
        put("offsetof(struct %s, %s)", procedure->args, rule->argument);
    } else {
        put("0");
    }
    put(", %uu},\n", rule->value);
}

static bool same_rule(const struct procedure *a, const struct procedure *b, int i)
{
    const struct rule *x = &a->rules[i];
    const struct rule *y = &b->rules[i];
    // The offset of an argument is only known to be the same in the same struct.
    return x->kind == y->kind && x->test == y->test && same_text(x->object, y->object) &&
           same_text(x->permission, y->permission) && same_text(x->argument, y->argument) &&
           x->value == y->value && (!x->argument || same_text(a->args, b->args));
}

// Where each procedure's rules are in contract_rules; those that were written before are shared.
static int rules_first[1024];

static void put_rules(void)
{
    int count = 0;
    put("const struct xdr_rule contract_rules[] = {\n    {0},\n");
    count++;
    for (int p = 0; p < model.program_count; p++) {
        const struct program *program = &model.programs[p];
        for (int i = program->first; i < program->first + program->count; i++) {
            const struct procedure *procedure = &model.procedures[i];
            for (int j = 0; j < i && procedure->rule_count && !rules_first[i]; j++) {
                if (!rules_first[j])
                    continue;
                int same = 0;
                while (same < procedure->rule_count && same < model.procedures[j].rule_count &&
                       same_rule(procedure, &model.procedures[j], same))
                    same++;
                if (same == procedure->rule_count)
                    rules_first[i] = rules_first[j];
            }
            if (rules_first[i] || !procedure->rule_count || !is_wanted(procedure->name))
                continue;
            rules_first[i] = count;
            for (int j = 0; j < procedure->rule_count; j++, count++)
                put_rule(program, procedure, &procedure->rules[j]);
        }
    }
    put("};\n\n");
}

// "auth_list" of REMOTE_PROC_AUTH_LIST.
static const char *procedure_name(const struct procedure *procedure)
{
    static char name[128];
    if (procedure->api)
        return procedure->api;
    const char *start = strstr(procedure->name, "_PROC_");
    snprintf(name, sizeof(name), "%s", start ? start + strlen("_PROC_") : procedure->name);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return name;
}

static void put_program(const struct program *program)
{
    const char *base = model.files[program->file].base;
    int last = 0;
    put("static const struct xdr_procedure %s_procedures[] = {\n", base);
    for (int i = program->first; i < program->first + program->count; i++) {
        const struct procedure *procedure = &model.procedures[i];
        if (!is_wanted(procedure->name))
            continue;
        put("    [%s - 1] = {%u, %d, %d, %d, %d, 0x%x},\n", procedure->name,
            packed_name_offset(packed_name_add(procedure_name(procedure))),
            procedure_type(program, procedure, procedure->args),
            procedure_type(program, procedure, procedure->result), rules_first[i],
            procedure->rule_count, procedure->marks);
        last = procedure->number;
    }
    put("%s};\n\nconst struct xdr_program %s_program = {\n", last ? "" : "    {0},\n", base);
    put("    .name = \"%s\",\n    .procedures = %s_procedures,\n    .number = %s,\n", base, base,
        program->name);
    put("    .version = %s,\n    .last = %d,\n};\n\n", program->version_name, last);
}

static void put_names(void)
{
    put("// Longer than the strings that C11 promises; gcc and clang know no such bound.\n");
    put("#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n");
    put("const char contract_names[] =\n");
    for (size_t at = 0; at < names.len; at += strlen(names.text + at) + 1)
        put("    \"%s\\0\" // %zu\n", names.text + at, at);
    put("    ;\n");
}

// Numbers the types and names that the tables are to have.
static void choose(void)
{
    for (int i = 0; i < model.definition_count; i++)
        if (is_composite(&model.definitions[i]) && is_wanted(model.definitions[i].name))
            type_of(i);
    for (int p = 0; p < model.program_count; p++) {
        const struct program *program = &model.programs[p];
        for (int i = program->first; i < program->first + program->count; i++) {
            if (!is_wanted(model.procedures[i].name))
                continue;
            procedure_type(program, &model.procedures[i], model.procedures[i].args);
            procedure_type(program, &model.procedures[i], model.procedures[i].result);
            packed_name_add(procedure_name(&model.procedures[i]));
        }
    }
    packed_names_pack();
}

void emit(const char *directory, const char *wanted)
{
    words = wanted;
    choose();
    for (int i = 0; i < model.file_count; i++)
        put_header(directory, i);
    open_output(directory, "contract.c");
    put("// Made by xdrgen: the descriptor tables of the protocol, for rpc/xdr.c.\n");
    for (int i = 0; i < model.file_count; i++)
        put("#include \"proto/%s.h\"\n", model.files[i].base);
    put("\n");
    put_types();
    put_rules();
    put_permissions();
    for (int i = 0; i < model.program_count; i++)
        put_program(&model.programs[i]);
    put_names();
    packed_names_write(out);
    close_output();
}
