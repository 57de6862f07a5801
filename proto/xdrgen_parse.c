// xdrgen's reader: the language of the .x files.
//
// It is RFC 4506's for types and RFC 5531's for programs, as far as the protocol uses them, with
// C++ comments, with rpcgen's char, and with these annotations.
//
//     const NAME = CONFIG_SYMBOL;     a limit that the build's configuration sets
//     @value NAME = 2;                a number that annotations may name; it does not reach C
//
// In front of a procedure:
//
//     @api(virDomainCreate)           the API function that clients reach it by
//     @event                          a message from the daemon, not a call
//     @readonly                       read-only connections may call it
//     @readwrite(TEST), @secure(TEST) ... but not with such arguments
//     @preauth                        may be called before authentication
//     @priority(high)                 never waits for a hypervisor
//     @stream(read), @stream(write)   opens a stream; the direction is the client's
//     @sparse(TEST)                   ... with holes, given such arguments
//     @acl(OBJECT.PERMISSION)         the caller needs the permission on the object
//     @acl(OBJECT.PERMISSION if TEST) ... given such arguments
//     @acl(none)                      no permission is needed; each call says one or the other
//     @filter(OBJECT.PERMISSION)      lists only objects on which the caller has the permission
//
// TEST looks at an unsigned int of the arguments: `flags has A|B` (all of them), `flags any A|B`,
// `flags lacks A|B` (none of them), `source is A`.
#include "xdrgen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model model;

static struct {
    const char *at;
    int file;
    int line;
    const char *token; // the current one, "" at the end
    int token_line;
} lexer;

// ---- Tokens ----

// One copy of each distinct word, so that words live as long as the model.
static const char *intern(const char *start, size_t len)
{
    static char memory[1 << 20];
    static size_t used;
    for (size_t at = 0; at < used; at += strlen(memory + at) + 1)
        if (strlen(memory + at) == len && memcmp(memory + at, start, len) == 0)
            return memory + at;
    if (used + len + 1 > sizeof(memory))
        fail_at(lexer.file, lexer.line, "too many words");
    char *word = memory + used;
    memcpy(word, start, len);
    used += len + 1;
    return word;
}

static void skip_blanks(void)
{
    for (;;) {
        if (*lexer.at == '\n')
            lexer.line++;
        if (isspace((unsigned char)*lexer.at)) {
            lexer.at++;
        } else if (strncmp(lexer.at, "//", 2) == 0) {
            lexer.at += strcspn(lexer.at, "\n");
        } else {
            return;
        }
    }
}

static void advance(void)
{
    skip_blanks();
    const char *start = lexer.at;
    if (isalnum((unsigned char)*start) || *start == '_') {
        while (isalnum((unsigned char)*lexer.at) || *lexer.at == '_')
            lexer.at++;
    } else if (*start) {
        lexer.at++;
    }
    lexer.token_line = lexer.line;
    lexer.token = intern(start, (size_t)(lexer.at - start));
}

_Noreturn static void fail_here(const char *wanted)
{
    fail_at(lexer.file, lexer.token_line, "%s expected, not \"%s\"", wanted, lexer.token);
}

static bool see(const char *token)
{
    return strcmp(lexer.token, token) == 0;
}

static bool accept(const char *token)
{
    if (!see(token))
        return false;
    advance();
    return true;
}

static void expect(const char *token)
{
    if (!accept(token))
        fail_here(token);
}

static const char *word(const char *what)
{
    if (!isalnum((unsigned char)lexer.token[0]) && lexer.token[0] != '_')
        fail_here(what);
    const char *token = lexer.token;
    advance();
    return token;
}

#define CLAIM(array, count)                                                                        \
    (claim_room(count, sizeof(array) / sizeof(array)[0]), &(array)[(count)++])

static void claim_room(int count, size_t room)
{
    if ((size_t)count >= room)
        fail_at(lexer.file, lexer.line, "too many definitions for xdrgen");
}

// ---- Types ----

static void parse_type(struct declaration *d)
{
    static const struct {
        const char *name;
        enum kind plain, without_sign;
    } types[] = {
        {"int", KIND_INT, KIND_UINT},        {"hyper", KIND_HYPER, KIND_UHYPER},
        {"char", KIND_CHAR, KIND_UCHAR},     {"short", KIND_NAMED, KIND_USHORT},
        {"double", KIND_DOUBLE, KIND_NAMED}, {"string", KIND_STRING, KIND_NAMED},
        {"opaque", KIND_OPAQUE, KIND_NAMED},
    };
    bool without_sign = accept("unsigned");
    d->line = lexer.token_line;
    d->type = word("a type");
    d->kind = KIND_NAMED;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, d->type) == 0)
            d->kind = without_sign ? types[i].without_sign : types[i].plain;
    if (d->kind == KIND_NAMED && (without_sign || strcmp(d->type, "short") == 0))
        fail_at(lexer.file, d->line, "this form of %s is not in use", d->type);
}

// RFC 4506 section 6.2, declaration.
static void parse_declaration(struct declaration *d)
{
    *d = (struct declaration){.definition = -1};
    parse_type(d);
    if (accept("*"))
        d->shape = SHAPE_OPTIONAL;
    d->name = word("a name");
    bool bytes = d->kind == KIND_STRING || d->kind == KIND_OPAQUE;
    const char *bound = NULL;
    if (accept("<")) {
        bound = word("a limit");
        expect(">");
        if (!bytes)
            d->shape = SHAPE_LIST;
    } else if (accept("[")) {
        bound = word("a length");
        expect("]");
        if (d->kind == KIND_OPAQUE)
            d->kind = KIND_BYTES;
        else
            d->shape = SHAPE_ARRAY;
    }
    if (bytes)
        d->bound = bound;
    else
        d->extent = bound;
    if (bytes && !bound)
        fail_at(lexer.file, d->line, "%s has no limit", d->name);
    expect(";");
}

static struct definition *define(enum definition_kind kind, const char *name)
{
    if (find_definition(name) >= 0)
        fail_at(lexer.file, lexer.token_line, "%s is defined twice", name);
    struct definition *definition = CLAIM(model.definitions, model.definition_count);
    *definition = (struct definition){
        .kind = kind,
        .name = name,
        .first = model.declaration_count,
        .file = lexer.file,
        .line = lexer.token_line,
        .type = -1,
    };
    return definition;
}

static void parse_const(void)
{
    struct definition *definition = define(DEFINE_CONST, word("a name"));
    expect("=");
    definition->value = word("a number");
    expect(";");
}

static void parse_enum(void)
{
    struct definition *definition = define(DEFINE_ENUM, word("a name"));
    definition->first = model.enumerator_count;
    expect("{");
    do {
        struct enumerator *enumerator = CLAIM(model.enumerators, model.enumerator_count);
        enumerator->name = word("a name");
        expect("=");
        enumerator->value = word("a number");
        definition->count++;
    } while (accept(","));
    expect("}");
    expect(";");
}

static void parse_struct(void)
{
    struct definition *definition = define(DEFINE_STRUCT, word("a name"));
    expect("{");
    while (!accept("}")) {
        parse_declaration(CLAIM(model.declarations, model.declaration_count));
        definition->count++;
    }
    expect(";");
}

static void parse_union(void)
{
    struct definition *definition = define(DEFINE_UNION, word("a name"));
    expect("switch");
    expect("(");
    struct declaration *discriminant = CLAIM(model.declarations, model.declaration_count);
    *discriminant = (struct declaration){.definition = -1};
    parse_type(discriminant);
    if (discriminant->kind != KIND_INT)
        fail_at(lexer.file, lexer.token_line, "only int discriminants are in use");
    discriminant->name = word("a name");
    expect(")");
    expect("{");
    definition->count = 1;
    while (accept("case")) {
        const char *arm_case = word("a value");
        expect(":");
        struct declaration *arm = CLAIM(model.declarations, model.declaration_count);
        parse_declaration(arm);
        if (arm->shape != SHAPE_ONE)
            fail_at(lexer.file, arm->line, "only plain arms are in use");
        arm->arm_case = arm_case;
        definition->count++;
    }
    expect("}");
    expect(";");
}

static void parse_typedef(void)
{
    struct declaration *declaration = CLAIM(model.declarations, model.declaration_count);
    parse_declaration(declaration);
    struct definition *definition = define(DEFINE_TYPEDEF, declaration->name);
    definition->first = (int)(declaration - model.declarations);
    definition->count = 1;
}

// ---- Programs ----

static uint32_t parse_values(void)
{
    uint32_t sum = 0;
    do {
        const char *name = word("a value");
        uint32_t value = 0;
        bool known = constant_value(name, &value);
        for (int i = 0; i < model.value_count; i++)
            if (strcmp(model.values[i].name, name) == 0)
                known = constant_value(model.values[i].value, &value);
        if (!known)
            fail_at(lexer.file, lexer.token_line, "unknown value %s", name);
        sum |= value;
    } while (accept("|"));
    return sum;
}

static void parse_test(struct rule *rule)
{
    static const char *const tests[] = {"", "has", "any", "lacks", "is"};
    rule->argument = word("an argument");
    for (size_t i = TEST_HAS; i <= TEST_IS; i++)
        if (see(tests[i]))
            rule->test = (enum rule_test)i;
    if (rule->test == TEST_ALWAYS)
        fail_here("has, any, lacks or is");
    advance();
    rule->value = parse_values();
}

static void parse_rule(struct procedure *procedure, enum rule_kind kind)
{
    if (procedure->rule_count == RULES_PER_PROCEDURE)
        fail_at(lexer.file, lexer.token_line, "too many rules");
    struct rule *rule = &procedure->rules[procedure->rule_count++];
    *rule = (struct rule){.kind = kind};
    if (kind == RULE_ACCESS || kind == RULE_FILTER) {
        rule->object = word("an object");
        expect(".");
        rule->permission = word("a permission");
        if (accept("if"))
            parse_test(rule);
    } else {
        parse_test(rule);
    }
}

static void parse_argument(struct procedure *procedure, const char *name)
{
    static const char *const rules[] = {"acl", "filter", "readwrite", "secure", "sparse"};
    expect("(");
    if (strcmp(name, "api") == 0) {
        procedure->api = word("a function");
    } else if (strcmp(name, "priority") == 0) {
        expect("high");
        procedure->marks |= MARK_PRIORITY;
    } else if (strcmp(name, "stream") == 0) {
        procedure->marks |= see("read") ? MARK_STREAM_READ : MARK_STREAM_WRITE;
        if (!accept("read"))
            expect("write");
    } else if (strcmp(name, "acl") == 0 && accept("none")) {
        procedure->open_to_all = true;
    } else {
        size_t kind = 0;
        while (kind < sizeof(rules) / sizeof(rules[0]) && strcmp(rules[kind], name) != 0)
            kind++;
        if (kind == sizeof(rules) / sizeof(rules[0]))
            fail_at(lexer.file, lexer.token_line, "unknown annotation @%s", name);
        parse_rule(procedure, (enum rule_kind)kind);
    }
    expect(")");
}

static void parse_annotation(struct procedure *procedure)
{
    const char *name = word("an annotation");
    if (strcmp(name, "event") == 0)
        procedure->marks |= MARK_EVENT;
    else if (strcmp(name, "readonly") == 0)
        procedure->marks |= MARK_READONLY;
    else if (strcmp(name, "preauth") == 0)
        procedure->marks |= MARK_PREAUTH;
    else
        parse_argument(procedure, name);
}

static void check_procedure(const struct procedure *procedure)
{
    bool access = procedure->open_to_all;
    for (int i = 0; i < procedure->rule_count; i++)
        access |= procedure->rules[i].kind == RULE_ACCESS;
    bool event = procedure->marks & MARK_EVENT;
    if (access == event)
        fail_at(lexer.file, procedure->line, "%s: a call needs @acl, an event has none",
                procedure->name);
    if (event && strcmp(procedure->result, "void") != 0)
        fail_at(lexer.file, procedure->line, "%s: an event has no result", procedure->name);
}

// RFC 5531 section 12.2, procedure-def.
static void parse_procedure(struct program *program)
{
    struct procedure *procedure = CLAIM(model.procedures, model.procedure_count);
    *procedure = (struct procedure){0};
    while (accept("@"))
        parse_annotation(procedure);
    procedure->line = lexer.token_line;
    procedure->result = word("a result");
    procedure->name = word("a name");
    expect("(");
    procedure->args = word("arguments");
    expect(")");
    expect("=");
    uint32_t number = 0;
    if (!constant_value(word("a number"), &number) || number == 0 || number > UINT16_MAX)
        fail_at(lexer.file, procedure->line, "%s has no proper number", procedure->name);
    procedure->number = (int)number;
    if (program->count > 0 && procedure[-1].number >= procedure->number)
        fail_at(lexer.file, procedure->line, "%s is out of order", procedure->name);
    expect(";");
    check_procedure(procedure);
    program->count++;
}

static void parse_program(void)
{
    struct program *program = CLAIM(model.programs, model.program_count);
    *program = (struct program){.first = model.procedure_count, .file = lexer.file};
    program->name = word("a name");
    expect("{");
    expect("version");
    program->version_name = word("a name");
    expect("{");
    while (!accept("}"))
        parse_procedure(program);
    expect("=");
    program->version = word("a number");
    expect(";");
    expect("}");
    expect("=");
    program->number = word("a number");
    expect(";");
}

static void parse_value(void)
{
    expect("value");
    struct enumerator *value = CLAIM(model.values, model.value_count);
    value->name = word("a name");
    expect("=");
    value->value = word("a number");
    expect(";");
}

static void load_file(int file)
{
    static char text[1 << 19];
    FILE *stream = fopen(model.files[file].path, "r");
    if (!stream)
        fail_at(file, 0, "cannot be opened");
    size_t len = fread(text, 1, sizeof(text), stream);
    if (ferror(stream) || len == sizeof(text))
        fail_at(file, 0, "cannot be read, or is too long");
    fclose(stream);
    text[len] = '\0';
    lexer.at = text;
    lexer.file = file;
    lexer.line = 1;
    advance();
}

void parse_file(int file)
{
    static const struct {
        const char *keyword;
        void (*parse)(void);
    } definitions[] = {
        {"const", parse_const}, {"enum", parse_enum},       {"struct", parse_struct},
        {"union", parse_union}, {"typedef", parse_typedef}, {"program", parse_program},
        {"@", parse_value},
    };
    load_file(file);
    while (lexer.token[0]) {
        size_t i = 0;
        while (i < sizeof(definitions) / sizeof(definitions[0]) && !see(definitions[i].keyword))
            i++;
        if (i == sizeof(definitions) / sizeof(definitions[0]))
            fail_here("a definition");
        advance();
        definitions[i].parse();
    }
}

// ---- Names ----

int find_definition(const char *name)
{
    for (int i = 0; i < model.definition_count; i++)
        if (strcmp(model.definitions[i].name, name) == 0)
            return i;
    return -1;
}

bool constant_value(const char *text, uint32_t *value)
{
    if (!isdigit((unsigned char)text[0])) {
        int definition = find_definition(text);
        return definition >= 0 && model.definitions[definition].kind == DEFINE_CONST &&
               constant_value(model.definitions[definition].value, value);
    }
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 0);
    *value = (uint32_t)number;
    return *end == '\0' && number <= UINT32_MAX;
}

static void resolve_typedef(struct declaration *d, const struct definition *definition)
{
    const struct declaration *meant = &model.declarations[definition->first];
    if (meant->shape != SHAPE_ONE && d->shape != SHAPE_ONE)
        fail_at(definition->file, d->line,
                "%s: lists of lists or of optional values are not in use", d->name);
    if (meant->shape != SHAPE_ONE) {
        d->shape = meant->shape;
        d->extent = meant->extent;
    }
    d->kind = meant->kind;
    d->bound = meant->bound;
    d->definition = meant->definition;
    d->type = meant->type;
}

void resolve_names(void)
{
    // A typedef may mean another one of a later file: as many rounds as there are names in a chain.
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < model.declaration_count; i++) {
            struct declaration *d = &model.declarations[i];
            if (d->kind != KIND_NAMED)
                continue;
            d->definition = find_definition(d->type);
            if (d->definition < 0)
                continue;
            const struct definition *definition = &model.definitions[d->definition];
            if (definition->kind == DEFINE_ENUM)
                d->kind = KIND_INT;
            else if (definition->kind == DEFINE_STRUCT)
                d->kind = KIND_STRUCT;
            else if (definition->kind == DEFINE_UNION)
                d->kind = KIND_UNION;
            else if (definition->kind == DEFINE_TYPEDEF)
                resolve_typedef(d, definition);
        }
    }
    for (int i = 0; i < model.definition_count; i++) {
        const struct definition *definition = &model.definitions[i];
        if (definition->kind == DEFINE_CONST || definition->kind == DEFINE_ENUM)
            continue;
        for (int j = definition->first; j < definition->first + definition->count; j++)
            if (model.declarations[j].kind == KIND_NAMED)
                fail_at(definition->file, model.declarations[j].line, "unknown type %s",
                        model.declarations[j].type);
    }
}
