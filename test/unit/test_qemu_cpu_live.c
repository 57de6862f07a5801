// The processor of a running guest's definition: what the emulator added and left out.
#include "hv/qemu/guest/cpu_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct xml_doc doc;
static struct error err;
static struct cpu_x86_set enabled, disabled;

static unsigned feature(const char *name)
{
    int index = cpu_x86_feature_find(slice_of(name));
    assert_true(index >= 0);
    return (unsigned)index;
}

// The guest has what the model says.
static struct xml_node *cpu_of(const char *text)
{
    error_clear(&err);
    assert_true(xml_parse(&doc, slice_of(text), "cpu", &err));
    int index = cpu_x86_model_find(xml_text_at(doc.root, "model"));
    assert_true(index >= 0);
    enabled = cpu_x86_models[index].features;
    disabled = (struct cpu_x86_set){0};
    return doc.root;
}

static const char *policy_of(const struct xml_node *cpu, const char *name)
{
    static char policy[16];
    XML_EACH (element, cpu, "feature")
        if (xml_attr_is(element, "name", name))
            return slice_copy(policy, sizeof(policy), xml_attr(element, "policy")) ? policy : "";
    return "none";
}

static void features_that_the_emulator_added_are_required(void **state)
{
    (void)state;
    struct xml_node *cpu = cpu_of("<cpu mode='custom' check='none'><model>qemu64</model></cpu>");
    cpu_x86_set_add(&enabled, feature("hypervisor"));
    assert_true(cpu_live_apply(&doc, cpu, &enabled, &disabled, &err));
    assert_string_equal(policy_of(cpu, "hypervisor"), "require");
    assert_true(xml_attr_is(cpu, "check", "full"));
}

static void features_that_the_emulator_left_out_are_disabled(void **state)
{
    (void)state;
    struct xml_node *cpu = cpu_of("<cpu mode='custom' check='partial'><model>qemu64</model>"
                                  "<feature policy='require' name='x2apic'/></cpu>");
    cpu_x86_set_add(&disabled, feature("x2apic"));
    cpu_x86_set_remove(&enabled, feature("sse2"));
    assert_true(cpu_live_apply(&doc, cpu, &enabled, &disabled, &err));
    assert_string_equal(policy_of(cpu, "x2apic"), "disable");
    assert_string_equal(policy_of(cpu, "sse2"), "disable");
}

static void a_processor_as_it_was_asked_for_gets_no_features(void **state)
{
    (void)state;
    struct xml_node *cpu = cpu_of("<cpu mode='custom'><model>pentium3</model></cpu>");
    assert_true(cpu_live_apply(&doc, cpu, &enabled, &disabled, &err));
    assert_int_equal(xml_count(cpu, "feature"), 0);
}

static void a_full_check_refuses_what_differs_and_names_it(void **state)
{
    (void)state;
    struct xml_node *cpu = cpu_of("<cpu mode='custom' check='full'><model>qemu64</model></cpu>");
    cpu_x86_set_add(&enabled, feature("hypervisor"));
    assert_false(cpu_live_apply(&doc, cpu, &enabled, &disabled, &err));
    assert_int_equal(err.code, VIR_ERR_OPERATION_FAILED);
    assert_non_null(strstr(err.message, "guest CPU doesn't match specification: extra features: "
                                        "hypervisor"));
    error_clear(&err);
    cpu_x86_set_remove(&enabled, feature("hypervisor"));
    cpu_x86_set_remove(&enabled, feature("sse2"));
    assert_false(cpu_live_apply(&doc, cpu, &enabled, &disabled, &err));
    assert_non_null(strstr(err.message, "missing features: sse2"));
}

static void a_model_that_libvirt_does_not_describe_stays_as_it_is(void **state)
{
    (void)state;
    error_clear(&err);
    assert_true(
        xml_parse(&doc, SLICE("<cpu check='none'><model>cortex-a57</model></cpu>"), "cpu", &err));
    assert_true(cpu_live_apply(&doc, doc.root, &enabled, &disabled, &err));
    assert_true(xml_attr_is(doc.root, "check", "none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_that_the_emulator_added_are_required),
        cmocka_unit_test(features_that_the_emulator_left_out_are_disabled),
        cmocka_unit_test(a_processor_as_it_was_asked_for_gets_no_features),
        cmocka_unit_test(a_full_check_refuses_what_differs_and_names_it),
        cmocka_unit_test(a_model_that_libvirt_does_not_describe_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
