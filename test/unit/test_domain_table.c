// The table of domains: rows, lookups, order, references, ids, jobs.
#include "core/loop.h"
#include "virt/domain/domain.h"
#include "virt/domain/domain_list.h"
#include "virt/hypervisor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct hypervisor one = {.type = "ONE"}, other = {.type = "OTHER"};

static struct domain *add(const struct hypervisor *hypervisor, uint8_t number, const char *name)
{
    struct error err = {0};
    uint8_t uuid[16] = {number};
    struct domain *domain = domain_add(hypervisor, uuid, slice_of(name), &err);
    assert_non_null(domain);
    domain_show(domain);
    domain_unref(domain);
    return domain;
}

static int empty_table(void **state)
{
    struct domain *domain;
    (void)state;
    while ((domain = domain_next(&one, NULL)) || (domain = domain_next(&other, NULL)))
        domain_remove(domain);
    domain_forget_ids(&one);
    return 0;
}

static void a_domain_is_found_by_uuid_and_name(void **state)
{
    (void)state;
    const uint8_t uuid[16] = {7}, unknown[16] = {8};
    struct domain *domain = add(&one, 7, "seven");
    assert_ptr_equal(domain_by_uuid(&one, uuid), domain);
    assert_ptr_equal(domain_by_name(&one, SLICE("seven")), domain);
    assert_null(domain_by_uuid(&one, unknown));
    assert_null(domain_by_name(&one, SLICE("seve")));
    assert_null(domain_by_name(&one, SLICE("sevens")));
}

static void hypervisors_do_not_see_each_others_domains(void **state)
{
    (void)state;
    const uint8_t uuid[16] = {7};
    struct domain *mine = add(&one, 7, "same"), *theirs = add(&other, 7, "same");
    assert_ptr_equal(domain_by_uuid(&one, uuid), mine);
    assert_ptr_equal(domain_by_name(&other, SLICE("same")), theirs);
    assert_ptr_equal(domain_next(&one, NULL), mine);
    assert_null(domain_next(&one, mine));
}

static void a_hidden_row_is_taken_but_not_found(void **state)
{
    (void)state;
    struct error err = {0};
    const uint8_t uuid[16] = {1};
    struct domain *domain = domain_add(&one, uuid, SLICE("hidden"), &err);
    assert_null(domain_by_uuid(&one, uuid));
    assert_null(domain_by_name(&one, SLICE("hidden")));
    assert_null(domain_next(&one, NULL));
    assert_ptr_equal(domain_taken_uuid(&one, uuid), domain);
    assert_ptr_equal(domain_taken_name(&one, SLICE("hidden")), domain);
    domain_remove(domain);
    domain_unref(domain);
    assert_null(domain_taken_name(&one, SLICE("hidden")));
}

static void the_walk_is_in_order_of_creation(void **state)
{
    (void)state;
    struct domain *a = add(&one, 1, "c"), *b = add(&one, 2, "a");
    domain_remove(a);
    struct domain *c = add(&one, 3, "b"); // gets the row of the first
    assert_ptr_equal(domain_next(&one, NULL), b);
    assert_ptr_equal(domain_next(&one, b), c);
    assert_null(domain_next(&one, c));
}

static void a_removed_row_waits_for_its_last_reference(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "gone"), *last = add(&one, 2, "last");
    domain_ref(domain);
    domain_remove(domain);
    assert_true(domain->removed);
    assert_null(domain_by_name(&one, SLICE("gone")));
    assert_ptr_equal(domain_next(&one, domain), last); // a walk goes on from it
    struct domain *next = add(&one, 3, "gone");
    assert_ptr_not_equal(next, domain);
    domain_unref(domain);
    assert_false(domain->used);
}

static void a_renamed_domain_is_found_by_its_new_name_only(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "old");
    assert_true(domain_set_name(domain, SLICE("new")));
    assert_null(domain_by_name(&one, SLICE("old")));
    assert_ptr_equal(domain_by_name(&one, SLICE("new")), domain);
    char long_name[DOMAIN_NAME_SIZE + 1];
    memset(long_name, 'x', sizeof(long_name));
    assert_false(domain_set_name(domain, (struct slice){long_name, sizeof(long_name)}));
    assert_ptr_equal(domain_by_name(&one, SLICE("new")), domain);
}

static void a_full_table_names_its_limit(void **state)
{
    (void)state;
    struct error err = {0};
    char name[16];
    uint8_t uuid[16] = {0};
    for (unsigned i = 0; i < CONFIG_MAX_DOMAINS; i++) {
        snprintf(name, sizeof(name), "d%u", i);
        memcpy(uuid, &i, sizeof(i));
        struct domain *domain = domain_add(&one, uuid, slice_of(name), &err);
        assert_non_null(domain);
        domain_show(domain);
        domain_unref(domain);
    }
    uuid[15] = 1;
    assert_null(domain_add(&one, uuid, SLICE("one too many"), &err));
    assert_int_equal(err.code, VIR_ERR_OPERATION_FAILED);
    assert_non_null(strstr(err.message, "CONFIG_MAX_DOMAINS"));
    assert_non_null(domain_by_name(&one, SLICE("d0")));
}

static void ids_start_at_one_and_are_never_used_twice(void **state)
{
    (void)state;
    assert_int_equal(domain_new_id(&one), 1);
    struct domain *domain = add(&one, 1, "adopted");
    domain->id = 7;
    domain_keep_ids(&one);
    assert_int_equal(domain_new_id(&one), 8);
    domain->id = -1;
    assert_int_equal(domain_new_id(&one), 9);
}

static void only_a_running_domain_has_an_id(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "idle");
    assert_null(domain_by_id(&one, -1));
    domain->id = 3;
    assert_ptr_equal(domain_by_id(&one, 3), domain);
    assert_null(domain_by_id(&other, 3));
}

static void a_uuid_is_read_as_libvirt_reads_it(void **state)
{
    (void)state;
    uint8_t uuid[16];
    char text[37];
    assert_true(domain_uuid_parse(SLICE(" 6695eb01f6a48304-79aa-97f2502e193F\n"), uuid));
    domain_uuid_format(uuid, text);
    assert_string_equal(text, "6695eb01-f6a4-8304-79aa-97f2502e193f");
    assert_false(domain_uuid_parse(SLICE("6695eb01-f6a4-8304-79aa-97f2502e193"), uuid));
    assert_false(domain_uuid_parse(SLICE("6695eb01-f6a4-8304-79aa-97f2502e193f0"), uuid));
    assert_false(domain_uuid_parse(SLICE("6695eb01-f6a4-8304-79aa-97f2502e193g"), uuid));
    assert_false(domain_uuid_parse(SLICE(""), uuid));
}

// ---- filters

static void every_group_of_filters_lets_pass_what_it_names(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "filtered");
    domain->persistent = true;
    assert_true(domain_matches(domain, 0));
    assert_true(domain_matches(
        domain, VIR_CONNECT_LIST_DOMAINS_INACTIVE | VIR_CONNECT_LIST_DOMAINS_PERSISTENT |
                    VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART |
                    VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE | VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT |
                    VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT));
    assert_false(domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE));
    assert_false(domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_TRANSIENT));
    assert_false(domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_AUTOSTART));
    assert_false(domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT));
    domain->id = 1;
    domain_set_state(domain, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    assert_true(domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_OTHER));
    assert_false(
        domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED));
    assert_true(domain_matches(domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE |
                                           VIR_CONNECT_LIST_DOMAINS_INACTIVE));
}

// ---- jobs

struct worker_task {
    struct task task; // first
    struct domain_job_wait wait;
    struct error err;
    int runs;
};

static void count_run(struct task *task)
{
    ((struct worker_task *)(void *)task)->runs++;
}

static enum co_status begin(struct worker_task *w, struct domain *domain, enum domain_job_kind kind)
{
    w->task.run = count_run;
    return domain_job_begin(&w->wait, domain, &w->task, "somebody", kind, &w->err);
}

static void jobs_are_given_in_the_order_of_asking(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "busy");
    struct worker_task a = {0}, b = {0}, c = {0};
    assert_int_equal(begin(&a, domain, DOMAIN_JOB_MODIFY), CO_DONE);
    assert_int_equal(begin(&b, domain, DOMAIN_JOB_QUERY), CO_WAITING);
    assert_int_equal(begin(&c, domain, DOMAIN_JOB_MODIFY), CO_WAITING);
    domain_job_end(domain, &b.task); // not its job
    assert_ptr_equal(domain->job.owner, &a.task);
    domain_job_end(domain, &a.task);
    loop_turn(0);
    assert_int_equal(b.runs, 1);
    assert_int_equal(begin(&c, domain, DOMAIN_JOB_MODIFY), CO_WAITING); // not its turn
    assert_int_equal(begin(&b, domain, DOMAIN_JOB_QUERY), CO_DONE);
    domain_job_end(domain, &b.task);
    assert_int_equal(begin(&c, domain, DOMAIN_JOB_MODIFY), CO_DONE);
    domain_job_end(domain, &c.task);
    assert_null(domain->job.holder);
    loop_turn(0); // the tasks lie on this stack: none may be left in the queue
}

static void an_agent_that_hangs_holds_up_agent_jobs_only(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "hanging");
    struct worker_task agent = {0}, monitor = {0}, second = {0};
    assert_int_equal(begin(&agent, domain, DOMAIN_JOB_AGENT), CO_DONE);
    assert_int_equal(begin(&monitor, domain, DOMAIN_JOB_MODIFY), CO_DONE);
    assert_int_equal(begin(&second, domain, DOMAIN_JOB_AGENT), CO_WAITING);
    domain_job_end(domain, &agent.task);
    assert_int_equal(begin(&second, domain, DOMAIN_JOB_AGENT), CO_DONE);
    domain_job_end(domain, &second.task);
    domain_job_end(domain, &monitor.task);
    loop_turn(0); // likewise
}

static void who_waits_for_a_domain_that_goes_is_told(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "going");
    struct worker_task a = {0}, b = {0};
    domain_ref(domain);
    assert_int_equal(begin(&a, domain, DOMAIN_JOB_MODIFY), CO_DONE);
    assert_int_equal(begin(&b, domain, DOMAIN_JOB_MODIFY), CO_WAITING);
    domain_remove(domain);
    loop_turn(0);
    assert_int_equal(b.runs, 1);
    assert_int_equal(begin(&b, domain, DOMAIN_JOB_MODIFY), CO_DONE);
    assert_int_equal(b.err.code, VIR_ERR_NO_DOMAIN);
    assert_string_equal(b.err.message, "Domain not found: no domain with matching uuid "
                                       "'01000000-0000-0000-0000-000000000000' (going)");
    domain_job_end(domain, &a.task);
    domain_unref(domain);
    loop_turn(0); // likewise
}

static void who_waits_too_long_hears_who_has_the_job(void **state)
{
    (void)state;
    struct domain *domain = add(&one, 1, "stuck");
    struct worker_task a = {0}, b = {0};
    begin(&a, domain, DOMAIN_JOB_MODIFY);
    assert_int_equal(begin(&b, domain, DOMAIN_JOB_MODIFY), CO_WAITING);
    b.wait.pause.over = true; // 30 seconds later
    assert_int_equal(begin(&b, domain, DOMAIN_JOB_MODIFY), CO_DONE);
    assert_int_equal(b.err.code, VIR_ERR_OPERATION_TIMEOUT);
    assert_non_null(
        strstr(b.err.message, "cannot acquire state change lock (held by monitor=somebody)"));
    assert_ptr_equal(domain->job.owner, &a.task);
    domain_job_end(domain, &a.task);
    assert_null(domain->job.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_domain_is_found_by_uuid_and_name, empty_table),
        cmocka_unit_test_teardown(hypervisors_do_not_see_each_others_domains, empty_table),
        cmocka_unit_test_teardown(a_hidden_row_is_taken_but_not_found, empty_table),
        cmocka_unit_test_teardown(the_walk_is_in_order_of_creation, empty_table),
        cmocka_unit_test_teardown(a_removed_row_waits_for_its_last_reference, empty_table),
        cmocka_unit_test_teardown(a_renamed_domain_is_found_by_its_new_name_only, empty_table),
        cmocka_unit_test_teardown(a_full_table_names_its_limit, empty_table),
        cmocka_unit_test_teardown(ids_start_at_one_and_are_never_used_twice, empty_table),
        cmocka_unit_test_teardown(only_a_running_domain_has_an_id, empty_table),
        cmocka_unit_test_teardown(a_uuid_is_read_as_libvirt_reads_it, empty_table),
        cmocka_unit_test_teardown(every_group_of_filters_lets_pass_what_it_names, empty_table),
        cmocka_unit_test_teardown(jobs_are_given_in_the_order_of_asking, empty_table),
        cmocka_unit_test_teardown(an_agent_that_hangs_holds_up_agent_jobs_only, empty_table),
        cmocka_unit_test_teardown(who_waits_for_a_domain_that_goes_is_told, empty_table),
        cmocka_unit_test_teardown(who_waits_too_long_hears_who_has_the_job, empty_table),
    };
    return cmocka_run_group_tests_name("domain table", tests, NULL, NULL);
}
