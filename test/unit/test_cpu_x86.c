// Which model describes an x86 processor.
#include "virt/node/cpu_arm.h"
#include "virt/node/cpu_x86.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

// A processor as cpuid shows it.
struct leaf {
    uint32_t leaf, subleaf, registers[4];
};

static bool read_table(void *context, uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
    memset(registers, 0, 4 * sizeof(registers[0]));
    for (const struct leaf *at = context; at->leaf != UINT32_MAX; at++) {
        if (at->leaf == leaf && at->subleaf == subleaf)
            memcpy(registers, at->registers, sizeof(at->registers));
    }
    return true;
}

static bool no_msr(void *context, uint32_t index, uint64_t *value)
{
    (void)context;
    (void)index;
    (void)value;
    return false;
}

static struct cpu_x86 read_processor(const struct leaf *leaves)
{
    struct cpu_x86 cpu;
    const struct cpu_x86_source source = {read_table, no_msr, (void *)(uintptr_t)leaves};
    cpu_x86_read(&cpu, &source);
    return cpu;
}

static bool has(const struct cpu_x86_set *set, const char *name)
{
    int feature = cpu_x86_feature_find(slice_of(name));
    assert_true(feature >= 0);
    return cpu_x86_set_has(set, (unsigned)feature);
}

#define END                                                                                        \
    {                                                                                              \
        UINT32_MAX, 0,                                                                             \
        {                                                                                          \
            0, 0, 0, 0                                                                             \
        }                                                                                          \
    }
// "GenuineIntel", "AuthenticAMD" in ebx, ecx, edx
#define INTEL(max)                                                                                 \
    {                                                                                              \
        0, 0,                                                                                      \
        {                                                                                          \
            max, 0x756e6547, 0x6c65746e, 0x49656e69                                                \
        }                                                                                          \
    }
#define AMD(max)                                                                                   \
    {                                                                                              \
        0, 0,                                                                                      \
        {                                                                                          \
            max, 0x68747541, 0x444d4163, 0x69746e65                                                \
        }                                                                                          \
    }
#define EXTENDED(max)                                                                              \
    {                                                                                              \
        0x80000000, 0,                                                                             \
        {                                                                                          \
            max, 0, 0, 0                                                                           \
        }                                                                                          \
    }

static void a_processor_is_read_by_its_leaves(void **state)
{
    (void)state;
    const struct leaf leaves[] = {
        AMD(0x7),
        {1, 0, {0x00a10f11, 0, 1, 1 << 4}},
        {7, 0, {0, 1 << 3, 0, 0}},
        {7, 1, {1 << 4, 0, 0, 0}}, // leaf 7 announces no subleaf 1
        {0xd, 1, {0xf, 0, 0, 0}},  // beyond the last leaf
        EXTENDED(0x80000001),
        {0x80000001, 0, {0, 0, 1 << 2, 0}},
        {0x80000007, 0, {0, 0, 0, 1 << 8}}, // beyond the last extended leaf
        END,
    };
    struct cpu_x86 cpu = read_processor(leaves);
    assert_string_equal(cpu_x86_vendors[cpu.vendor].name, "AMD");
    assert_int_equal(cpu_x86_family(cpu.signature), 25);
    assert_int_equal(cpu_x86_model_number(cpu.signature), 17);
    assert_int_equal(cpu_x86_stepping(cpu.signature), 1);
    assert_true(has(&cpu.features, "tsc"));
    assert_true(has(&cpu.features, "pni"));
    assert_true(has(&cpu.features, "bmi1"));
    assert_true(has(&cpu.features, "svm"));
    assert_int_equal(cpu_x86_set_count(&cpu.features), 4);
}

static void transactional_memory_of_broken_processors_is_not_seen(void **state)
{
    (void)state;
    struct leaf leaves[] = {
        INTEL(0x7),
        {1, 0, {0x000306c3, 0, 0, 0}}, // Haswell: family 6, model 60
        {7, 0, {0, 1 << 4 | 1 << 11, 0, 0}},
        END,
    };
    struct cpu_x86 cpu = read_processor(leaves);
    assert_int_equal(cpu_x86_set_count(&cpu.features), 0);
    leaves[1].registers[0] = 0x000306f4; // model 63, stepping 4: mended
    cpu = read_processor(leaves);
    assert_true(has(&cpu.features, "hle"));
    assert_true(has(&cpu.features, "rtm"));
}

static uint32_t signature_of(const struct cpu_x86_model *model)
{
    if (model->signature_len == 0)
        return 0;
    const struct cpu_x86_signature *own = &cpu_x86_signatures[model->signatures];
    unsigned stepping = 0, family = own->family;
    while (!(own->steppings >> stepping & 1))
        stepping++;
    unsigned extended = family > 15 ? family - 15 : 0;
    return extended << 20 | (own->model & 0xf0U) << 12 | (family - extended) << 8 |
           (own->model & 0xfU) << 4 | stepping;
}

static struct cpu_x86 processor_of(const struct cpu_x86_model *model)
{
    return (struct cpu_x86){model->vendor, signature_of(model), model->features};
}

static void every_model_describes_a_processor_that_is_just_it(void **state)
{
    (void)state;
    for (int i = 0; i < CPU_X86_MODELS; i++) {
        const struct cpu_x86_model *model = &cpu_x86_models[i];
        struct cpu_x86 cpu = processor_of(model);
        struct cpu_x86_description got;
        if (!model->for_host || model->vendor < 0)
            continue;
        assert_true(cpu_x86_describe(&cpu, true, NULL, NULL, &got));
        if (got.model != model)
            print_message("%s as %s\n", model->name, got.model->name);
        assert_int_equal(cpu_x86_set_count(&got.without), 0);
        assert_int_equal(cpu_x86_set_count(&got.with), 0);
    }
}

static void a_description_is_exact(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        struct cpu_x86 cpu = processor_of(&cpu_x86_models[round % CPU_X86_MODELS]);
        for (int change = 0; change < round % 7; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            cpu.features.words[random % CPU_X86_WORDS] ^= UINT64_C(1) << (random >> 8) % 16;
        }
        for (int host = 0; host < 2; host++) {
            struct cpu_x86_description got;
            if (!cpu_x86_describe(&cpu, host, NULL, NULL, &got))
                continue;
            for (unsigned i = 0; i < CPU_X86_WORDS; i++) {
                uint64_t described =
                    (got.model->features.words[i] | got.with.words[i]) & ~got.without.words[i];
                assert_int_equal(described, cpu.features.words[i]);
                assert_int_equal(got.with.words[i] & got.without.words[i], 0);
                if (host)
                    assert_int_equal(got.without.words[i], 0);
            }
        }
    }
}

static void a_host_is_never_said_to_have_what_it_lacks(void **state)
{
    (void)state;
    struct cpu_x86_description got;
    int index = cpu_x86_model_find(SLICE("Haswell"));
    assert_true(index >= 0);
    struct cpu_x86 cpu = processor_of(&cpu_x86_models[index]);
    assert_true(cpu_x86_describe(&cpu, true, NULL, NULL, &got));
    assert_string_equal(got.model->name, "Haswell");
    cpu_x86_set_remove(&cpu.features, (unsigned)cpu_x86_feature_find(SLICE("rtm")));
    cpu_x86_set_remove(&cpu.features, (unsigned)cpu_x86_feature_find(SLICE("hle")));
    assert_true(cpu_x86_describe(&cpu, true, NULL, NULL, &got));
    assert_string_equal(got.model->name, "Haswell-noTSX");
    cpu_x86_set_remove(&cpu.features, (unsigned)cpu_x86_feature_find(SLICE("avx")));
    assert_true(cpu_x86_describe(&cpu, true, NULL, NULL, &got));
    assert_true(cpu_x86_set_count(&got.with) > 0);
    // A guest may be the closer model without one of its features.
    assert_true(cpu_x86_describe(&cpu, false, NULL, NULL, &got));
    assert_string_equal(got.model->name, "Haswell-noTSX");
    assert_true(has(&got.without, "avx"));
}

static bool not_haswell(const struct cpu_x86_model *model, struct cpu_x86_set *blocked,
                        void *context)
{
    (void)blocked;
    (*(int *)context)++;
    return strncmp(model->name, "Haswell", 7) != 0;
}

static void only_usable_models_are_chosen(void **state)
{
    (void)state;
    int asked = 0;
    struct cpu_x86_description got;
    struct cpu_x86 cpu = processor_of(&cpu_x86_models[cpu_x86_model_find(SLICE("Haswell"))]);
    assert_true(cpu_x86_describe(&cpu, false, not_haswell, &asked, &got));
    assert_int_not_equal(strncmp(got.model->name, "Haswell", 7), 0);
    assert_true(asked > 10);
}

static bool blocked_by_npt(const struct cpu_x86_model *model, struct cpu_x86_set *blocked,
                           void *context)
{
    (void)model;
    (void)context;
    cpu_x86_set_add(blocked, (unsigned)cpu_x86_feature_find(SLICE("npt")));
    return true;
}

static void what_blocks_a_model_is_named_as_missing(void **state)
{
    (void)state;
    struct cpu_x86_description got;
    struct cpu_x86 cpu = processor_of(&cpu_x86_models[cpu_x86_model_find(SLICE("Haswell"))]);
    assert_true(cpu_x86_describe(&cpu, false, blocked_by_npt, NULL, &got));
    assert_true(cpu_x86_set_has(&got.without, (unsigned)cpu_x86_feature_find(SLICE("npt"))));
}

static void models_of_another_vendor_do_not_describe_a_processor(void **state)
{
    (void)state;
    struct cpu_x86_description got;
    struct cpu_x86 cpu = processor_of(&cpu_x86_models[cpu_x86_model_find(SLICE("Haswell"))]);
    cpu.vendor = cpu_x86_vendor_find(SLICE("AMD"));
    assert_true(cpu_x86_describe(&cpu, true, NULL, NULL, &got));
    assert_true(got.model->vendor < 0 || got.model->vendor == cpu.vendor);
}

static void names_are_found_whole(void **state)
{
    (void)state;
    assert_int_equal(cpu_x86_feature_find(SLICE("fpu")), 0);
    assert_int_equal(cpu_x86_feature_find(SLICE("fp")), -1);
    assert_int_equal(cpu_x86_feature_find(SLICE_NONE), -1);
    assert_int_equal(cpu_x86_model_find(SLICE("EPYC-")), -1);
    assert_int_equal(cpu_x86_vendor_find(SLICE("VIA")), -1);
}

static void an_arm_processor_is_known_by_its_register(void **state)
{
    (void)state;
    struct cpu_arm cpu;
    assert_true(cpu_arm_describe(0x410fd083, 0x8ff, &cpu));
    assert_string_equal(cpu.model, "cortex-a72");
    assert_string_equal(cpu.vendor, "ARM");
    assert_string_equal(cpu_arm_features[1], "asimd");
    assert_false(cpu_arm_describe(0x410fd083, 0xff, &cpu)); // the kernel does not vouch for it
    assert_false(cpu_arm_describe(0x410fffff, 0x8ff, &cpu));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_is_read_by_its_leaves),
        cmocka_unit_test(transactional_memory_of_broken_processors_is_not_seen),
        cmocka_unit_test(every_model_describes_a_processor_that_is_just_it),
        cmocka_unit_test(a_description_is_exact),
        cmocka_unit_test(a_host_is_never_said_to_have_what_it_lacks),
        cmocka_unit_test(only_usable_models_are_chosen),
        cmocka_unit_test(what_blocks_a_model_is_named_as_missing),
        cmocka_unit_test(models_of_another_vendor_do_not_describe_a_processor),
        cmocka_unit_test(names_are_found_whole),
        cmocka_unit_test(an_arm_processor_is_known_by_its_register),
    };
    return cmocka_run_group_tests_name("cpu_x86", tests, NULL, NULL);
}
