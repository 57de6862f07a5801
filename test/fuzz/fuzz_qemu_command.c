// The emulator's command line: whatever a definition says, it is built or refused with a reason,
// each JSON argument is JSON, and what goes to the shell is text.
#include "fuzz.h"

#include "hv/qemu/command/command.h"
#include "hv/qemu/capabilities/host_model.h"
#include "port/port.h"
#include "text/json.h"

#define PRINT_MAX (1 << 20)

static struct xml_doc doc;
static struct json_doc json;
static struct qemu_command command;
static struct qemu_capabilities capabilities;
static struct qemu_settings settings;

void fuzz_start(void)
{
    static char text[CONFIG_QEMU_CACHE_TEXT + 1];
    ptrdiff_t len = port_file_read("test/data/qemu/x86_64.caps", text, sizeof(text));
    FUZZ_CHECK(len > 0);
    FUZZ_CHECK(qemu_capabilities_parse(&capabilities, (struct slice){text, (size_t)len}));
    qemu_settings_default(&settings, true);
}

static void check_command(void)
{
    static char printed[PRINT_MAX];
    struct buffer out = buffer_over(printed, sizeof(printed));
    struct error err = {0};
    FUZZ_CHECK(command.arg_count > 0 && command.args[command.arg_count] == NULL);
    for (size_t i = 0; i < command.arg_count; i++) {
        // What the definition hands on unseen comes last and may look like anything.
        bool own = i > 0 && (strcmp(command.args[i - 1], "-device") == 0 ||
                             strcmp(command.args[i - 1], "-blockdev") == 0);
        struct slice argument = slice_of(command.args[i]);
        if (own && slice_starts(argument, "{\"driver\":") && slice_ends(argument, "}") &&
            !json_parse(&json, argument, &err))
            FUZZ_FAIL("%s: %s", command.args[i], err.message);
    }
    for (size_t i = 0; i < command.path_count; i++)
        FUZZ_CHECK(command.paths[i].path != NULL);
    qemu_command_print(&out, &command);
    FUZZ_CHECK(buffer_ok(&out));
}

void fuzz_one(struct slice input)
{
    static const struct qemu_interface_fds fds[] = {{30, -1}, {31, 32}};
    struct qemu_command_context context = {
        .capabilities = &capabilities,
        .settings = &settings,
        .privileged = true,
        .state_dir = "/var/lib/libvirt/qemu/domain-1-guest",
        .monitor_fd = 29,
        .interfaces = fds,
        .interface_count = 2,
        .now = 1000000000,
    };
    struct error err = {0};
    if (!xml_parse(&doc, input, "domain_definition", &err))
        return;
    qemu_cpu_update(&doc, doc.root, &capabilities);
    bool good = qemu_command_build(&command, doc.root, &context, &err);
    FUZZ_TOLD(good, &err);
    if (good)
        check_command();
}
