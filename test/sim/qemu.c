// A scripted QEMU: enough of the emulator to be probed, started, asked and told over QMP, and with
// every vice that one can have: it does not start, does not answer, answers late, with rubbish,
// with a megabyte, and dies when it likes.
#include "test/sim/qemu.h"

#include "test/sim/agent.h"
#include "test/sim/console.h"
#include "test/sim/speech.h"
#include "test/sim/world.h"
#include "text/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_SIZE 16384

enum vice {
    NONE,
    REFUSES,      // ends at once, with a word of why
    HANGS,        // never says a word
    DIES,         // at some time
    DIES_AT_WORK, // instead of an answer
    DEAF,         // answers so many commands and no more
    DENIES,       // every command is an error
    EMPTY,        // every answer is an empty object
    RUBBISH,      // an answer that is no JSON
    FLOOD,        // an answer that is a megabyte
    HALF,         // the first part of an answer, and then not a word
    STUBBORN,     // takes no SIGTERM
    RESTLESS,     // tells of events all the time
    VICES
};

struct emulator {
    bool probe, greeted, ready;
    enum vice vice;
    char name[64]; // of the guest
    int listener, monitor;
    int passed; // a handle by "getfd"; -1
    struct console console;
    const char *status;
    unsigned commands, good_commands; // answered; answered before the vice shows
    uint64_t greet_at, die_at, off_at;
    bool lied; // it has said that it did what it did not
    struct speech speech;
    struct agent agent;
    char in[IN_SIZE];
    size_t in_len;
};

static struct emulator *emulator_of(struct sim_process *process)
{
    return sim_process_state(process);
}

static struct sim_process *next_emulator(const struct sim_process *previous)
{
    struct sim_process *process = sim_process_next(previous);
    while (process && !sim_process_runs(process, &qemu_program_x86_64))
        process = sim_process_next(process);
    return process;
}

// ---- what it says -------------------------------------------------------------------------------

static void say(struct emulator *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct emulator *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    speech_vput(&e->speech, format, args);
    va_end(args);
}

static void say_event(struct emulator *e, const char *event, const char *data)
{
    say(e, "{\"timestamp\":{\"seconds\":%lld,\"microseconds\":0},\"event\":\"%s\"%s%s}\r\n",
        (long long)(sim_now() / SIM_NS_PER_S), event, data ? ",\"data\":" : "", data ? data : "");
}

static void greet(struct emulator *e)
{
    e->greeted = true;
    say(e, "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":2,\"minor\":2,\"major\":7},\"package\":"
           "\"sim\"},\"capabilities\":[\"oob\"]}}\r\n");
}

// ---- commands -----------------------------------------------------------------------------------

struct command {
    const char *name, *answer; // the answer's "return"
    void (*act)(struct emulator *e);
};

static void stop(struct emulator *e)
{
    if (strcmp(e->status, "running") != 0)
        return;
    e->status = "paused";
    say_event(e, "STOP", NULL);
}

static void cont(struct emulator *e)
{
    if (strcmp(e->status, "paused") != 0 && strcmp(e->status, "prelaunch") != 0)
        return;
    e->status = "running";
    say_event(e, "RESUME", NULL);
}

// The guest takes its time, and some guests do not listen.
static void power_down(struct emulator *e)
{
    say_event(e, "POWERDOWN", NULL);
    if (strcmp(e->status, "running") == 0 && sim_chance(800))
        e->off_at = sim_now() + sim_random(10 * SIM_NS_PER_S);
}

static void reset(struct emulator *e)
{
    say_event(e, "RESET", "{\"guest\":false,\"reason\":\"host-qmp-system-reset\"}");
    if (strcmp(e->status, "shutdown") == 0)
        e->status = "paused";
}

static void quit(struct emulator *e)
{
    say_event(e, "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-qmp-quit\"}");
    e->die_at = sim_now();
}

static const struct command commands[] = {
    {"qmp_capabilities", "{}", NULL},
    {"query-version", "{\"qemu\":{\"micro\":2,\"minor\":2,\"major\":7},\"package\":\"sim\"}", NULL},
    {"query-target", "{\"arch\":\"x86_64\"}", NULL},
    {"query-commands", "[{\"name\":\"query-commands\"},{\"name\":\"set-action\"}]", NULL},
    {"query-command-line-options",
     "[{\"option\":\"sandbox\",\"parameters\":[]},{\"option\":\"msg\",\"parameters\":[]}]", NULL},
    {"qom-list-types",
     "[{\"name\":\"virtio-balloon-pci\"},{\"name\":\"isa-serial\"},{\"name\":\"piix3-usb-uhci\"},"
     "{\"name\":\"virtio-blk-pci\"},{\"name\":\"virtio-net-pci\"},{\"name\":\"usb-tablet\"},"
     "{\"name\":\"virtio-serial-pci\"},{\"name\":\"virtserialport\"},{\"name\":\"VGA\"},"
     "{\"name\":\"rtl8139\"}]",
     NULL},
    {"query-qmp-schema", "[]", NULL},
    {"query-machines",
     "[{\"name\":\"pc-i440fx-7.2\",\"alias\":\"pc\",\"is-default\":true,\"cpu-max\":255,"
     "\"hotpluggable-cpus\":true,\"numa-mem-supported\":true,\"deprecated\":false,"
     "\"default-ram-id\":\"pc.ram\",\"default-cpu-type\":\"qemu64-x86_64-cpu\"},"
     "{\"name\":\"none\",\"cpu-max\":1,\"hotpluggable-cpus\":false}]",
     NULL},
    {"query-gic-capabilities", "[]", NULL},
    {"query-kvm", "{\"enabled\":false,\"present\":true}", NULL},
    {"query-cpu-definitions",
     "[{\"name\":\"qemu64\",\"typename\":\"qemu64-x86_64-cpu\",\"unavailable-features\":[],"
     "\"migration-safe\":true,\"static\":false,\"deprecated\":false}]",
     NULL},
    {"query-cpu-model-expansion",
     "{\"model\":{\"name\":\"base\",\"props\":{\"fpu\":true,\"sse2\":true}}}", NULL},
    {"device-list-properties", "[{\"name\":\"migratable\",\"type\":\"bool\"}]", NULL},
    {"query-cpus-fast",
     "[{\"thread-id\":4242,\"cpu-index\":0,\"target\":\"x86_64\",\"qom-path\":\"/machine/c\"}]",
     NULL},
    {"query-balloon", "{\"actual\":67108864}", NULL},
    {"balloon", "{}", NULL},
    {"qom-set", "{}", NULL},
    {"set-action", "{}", NULL},
    {"set_link", "{}", NULL},
    {"inject-nmi", "{}", NULL},
    {"send-key", "{}", NULL},
    {"rtc-reset-reinjection", "{}", NULL},
    {"stop", "{}", stop},
    {"cont", "{}", cont},
    {"system_powerdown", "{}", power_down},
    {"system_reset", "{}", reset},
    {"quit", "{}", quit},
    {"human-monitor-command", "\"\"", NULL},
    {"query-hotpluggable-cpus", "[]", NULL},
};

static const struct command *find_command(struct slice name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (slice_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static void refuse(struct emulator *e, struct slice id, const char *class)
{
    say(e, "{\"id\":%.*s,\"error\":{\"class\":\"%s\",\"desc\":\"it will not\"}}\r\n", SLICE_ARG(id),
        class);
}

static void say_chardevs(struct emulator *e, struct slice id)
{
    say(e,
        "{\"return\":[{\"frontend-open\":true,\"filename\":\"unix:monitor,server=on\","
        "\"label\":\"charmonitor\"},{\"frontend-open\":true,\"filename\":\"pty:/dev/pts/%u\","
        "\"label\":\"charserial0\"},{\"frontend-open\":%s,\"filename\":\"unix:agent\","
        "\"label\":\"charchannel0\"}],\"id\":%.*s}\r\n",
        e->console.number, e->agent.there ? "true" : "false", SLICE_ARG(id));
}

// "getfd": for the command behind it.
static void take_passed(struct sim_process *process, struct emulator *e, struct slice id)
{
    if (e->passed >= 0)
        sim_process_close(process, e->passed);
    e->passed = sim_take_handle(e->monitor, sim_process_actor(process));
    if (e->passed < 0) {
        refuse(e, id, "GenericError");
        return;
    }
    sim_process_take(process, e->passed);
    say(e, "{\"return\":{},\"id\":%.*s}\r\n", SLICE_ARG(id));
}

// A client of the display is greeted, and that is all there is to see.
static void use_passed(struct sim_process *process, struct emulator *e, bool greets,
                       struct slice id)
{
    char greeting[96];
    if (e->passed < 0 || (greets && sim_chance(50))) {
        refuse(e, id, "GenericError");
        return;
    }
    int len = snprintf(greeting, sizeof(greeting), "RFB for %s\n", e->name);
    if (greets)
        sim_write(e->passed, greeting, (size_t)len);
    sim_process_close(process, e->passed);
    e->passed = -1;
    say(e, "{\"return\":{},\"id\":%.*s}\r\n", SLICE_ARG(id));
}

// Its bytes follow each other as those of a console do.
static void take_picture(struct emulator *e, const struct json_value *root, struct slice id)
{
    static char picture[60000], path[256];
    size_t len = 1 + sim_random(sizeof(picture));
    console_fill(picture, len, 0, CONSOLE_FIRST_SAID, CONSOLE_LAST_SAID);
    if (slice_copy(path, sizeof(path), json_get_string(json_get(root, "arguments"), "filename")) &&
        sim_disk_write(path, picture, len, 0600) == 0)
        say(e, "{\"return\":{},\"id\":%.*s}\r\n", SLICE_ARG(id));
    else
        refuse(e, id, "GenericError");
}

static bool behaves(const struct emulator *e)
{
    return world->cleared || e->vice == NONE || e->commands <= e->good_commands;
}

// True when the vice has answered.
static bool misbehave(struct sim_process *process, struct emulator *e, struct slice id)
{
    switch (e->vice) {
    case DIES_AT_WORK:
        sim_process_die(process, 11);
        return true;
    case DEAF:
        return true;
    case DENIES:
        refuse(e, id, "GenericError");
        return true;
    case EMPTY:
        e->lied = true;
        say(e, "{\"return\":{},\"id\":%.*s}\r\n", SLICE_ARG(id));
        return true;
    case RUBBISH:
        say(e, sim_chance(500) ? "{\"return\":{,\"id\":%.*s}\r\n" : "\x01\xff {{{[[ %.*s\r\n",
            SLICE_ARG(id));
        e->vice = NONE;
        return true;
    case FLOOD:
        if (e->speech.len)
            return false;
        speech_flood(&e->speech, 1000 + (uint32_t)sim_random(2u << 20));
        e->lied = true;
        say(e, "\"},\"id\":%.*s}\r\n", SLICE_ARG(id));
        e->vice = NONE;
        return true;
    case HALF:
        speech_flood(&e->speech, 1000 + (uint32_t)sim_random(100000));
        e->lied = e->speech.mute = true;
        return true;
    default:
        return false;
    }
}

// False when it has died of it.
static bool take_command(struct sim_process *process, struct emulator *e, struct slice line)
{
    static struct json_doc doc;
    struct error err = {0};
    if (!json_parse(&doc, line, &err))
        sim_fail("the emulator is sent what is no JSON: %.*s", SLICE_ARG(line));
    struct slice name = json_get_string(doc.root, "execute");
    const struct json_value *id_value = json_get(doc.root, "id");
    struct slice id = id_value ? id_value->raw : SLICE("null");
    if (!e->ready && !slice_is(name, "qmp_capabilities")) {
        refuse(e, id, "CommandNotFound");
        return true;
    }
    e->commands++;
    sim_trace("emulator %d is told %.*s", sim_process_pid(process), SLICE_ARG(name));
    if (!behaves(e) && misbehave(process, e, id))
        return e->vice != DIES_AT_WORK;
    const struct command *command = find_command(name);
    if (slice_is(name, "query-status")) {
        say(e,
            "{\"return\":{\"running\":%s,\"status\":\"%s\",\"singlestep\":false},\"id\":%.*s}\r\n",
            strcmp(e->status, "running") == 0 ? "true" : "false", e->status, SLICE_ARG(id));
        return true;
    }
    if (slice_is(name, "query-chardev")) {
        say_chardevs(e, id);
        return true;
    }
    if (slice_is(name, "getfd")) {
        take_passed(process, e, id);
        return true;
    }
    if (slice_is(name, "closefd") || slice_is(name, "add_client")) {
        use_passed(process, e, slice_is(name, "add_client"), id);
        return true;
    }
    if (slice_is(name, "screendump")) {
        take_picture(e, doc.root, id);
        return true;
    }
    if (!command) {
        refuse(e, id, "CommandNotFound");
        return true;
    }
    e->ready = true;
    if (command->act)
        command->act(e);
    say(e, "{\"return\":%s,\"id\":%.*s}\r\n", command->answer, SLICE_ARG(id));
    return true;
}

static bool take_lines(struct sim_process *process, struct emulator *e)
{
    size_t done = 0;
    char *end;
    while (speech_has_room(&e->speech) &&
           (end = memchr(e->in + done, '\n', e->in_len - done)) != NULL) {
        struct slice line = {e->in + done, (size_t)(end - (e->in + done))};
        done += line.len + 1;
        if (slice_trim(line).len && !take_command(process, e, line))
            return false;
    }
    e->in_len -= done;
    memmove(e->in, e->in + done, e->in_len);
    return true;
}

// ---- the conversation ---------------------------------------------------------------------------

static void hang_up(struct sim_process *process, struct emulator *e)
{
    if (e->probe) {
        sim_process_exit(process, 0);
        return;
    }
    sim_process_close(process, e->monitor);
    e->monitor = -1;
    e->greeted = e->ready = false;
    e->in_len = 0;
    speech_clear(&e->speech);
}

// False when the process has ended.
static bool listen_to(struct sim_process *process, struct emulator *e)
{
    while (e->in_len < IN_SIZE) {
        ptrdiff_t got = sim_read(e->monitor, e->in + e->in_len, IN_SIZE - e->in_len);
        if (got == -EAGAIN)
            break;
        if (got <= 0) {
            hang_up(process, e);
            return !e->probe;
        }
        e->in_len += (size_t)got;
    }
    return take_lines(process, e);
}

static void guest_powers_off(struct emulator *e)
{
    e->off_at = SIM_NEVER;
    e->status = "shutdown";
    say_event(e, "SHUTDOWN", "{\"guest\":true,\"reason\":\"guest-shutdown\"}");
    say_event(e, "STOP", NULL);
}

static void be_restless(struct emulator *e)
{
    static const char *const events[][2] = {
        {"RTC_CHANGE", "{\"offset\":3}"},
        {"BALLOON_CHANGE", "{\"actual\":33554432}"},
        {"RESET", "{\"guest\":true,\"reason\":\"guest-reset\"}"},
        {"VNC_CONNECTED", "{}"},
        {"BLOCK_IO_ERROR", "{\"device\":\"x\",\"operation\":\"write\",\"action\":\"report\"}"},
        {"DEVICE_DELETED", "{\"path\":\"/x\"}"},
        {"NO_SUCH_EVENT", NULL},
        {"WATCHDOG", "{\"action\":\"none\"}"},
    };
    size_t i = sim_random(sizeof(events) / sizeof(events[0]) + 1);
    if (i < sizeof(events) / sizeof(events[0]))
        say_event(e, events[i][0], events[i][1]);
    else if (strcmp(e->status, "running") == 0)
        e->off_at = sim_now();
}

static void step_agent(struct sim_process *process, struct emulator *e)
{
    if (agent_changes(&e->agent))
        say_event(e, "VSERPORT_CHANGE",
                  e->agent.there ? "{\"open\":true,\"id\":\"channel0\"}"
                                 : "{\"open\":false,\"id\":\"channel0\"}");
    agent_step(&e->agent, process);
    if (e->agent.powers_off && e->off_at == SIM_NEVER)
        e->off_at = sim_now() + sim_random(5 * SIM_NS_PER_S);
    e->agent.powers_off = false;
}

static uint64_t next_step(const struct emulator *e)
{
    uint64_t now = sim_now(), at = now + 5 * SIM_NS_PER_S;
    if (e->monitor >= 0 && !e->greeted && e->vice != HANGS && e->greet_at < at)
        at = e->greet_at;
    if (e->die_at < at)
        at = e->die_at;
    if (e->monitor >= 0 && e->off_at < at)
        at = e->off_at;
    if (e->speech.len && e->speech.slow)
        at = now + SIM_NS_PER_MS;
    if (e->ready && agent_next(&e->agent) < at)
        at = agent_next(&e->agent);
    if (e->vice == RESTLESS && !world->cleared)
        at = now + sim_random(300 * SIM_NS_PER_MS);
    return at > now ? at - now : SIM_NS_PER_US;
}

static void step(struct sim_process *process)
{
    struct emulator *e = emulator_of(process);
    if (sim_now() >= e->die_at) {
        if (e->monitor >= 0)
            speech_send(&e->speech, e->monitor);
        sim_process_exit(process, e->vice == REFUSES ? 1 : 0);
        return;
    }
    console_step(&e->console);
    if (e->monitor < 0 && e->listener >= 0) {
        int accepted = sim_accept(e->listener, sim_process_actor(process));
        if (accepted >= 0) {
            e->monitor = accepted;
            sim_process_take(process, accepted);
        }
    }
    if (e->monitor >= 0) {
        if (!e->greeted && e->vice != HANGS && sim_now() >= e->greet_at)
            greet(e);
        if (sim_now() >= e->off_at)
            guest_powers_off(e);
        if (e->vice == RESTLESS && e->ready && !world->cleared && sim_chance(100))
            be_restless(e);
        if (!listen_to(process, e))
            return;
        if (e->ready)
            step_agent(process, e);
        if (e->monitor >= 0)
            speech_send(&e->speech, e->monitor);
    }
    sim_wake(sim_process_actor(process), next_step(e));
}

// ---- birth and death ----------------------------------------------------------------------------

static int number_behind(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    return at ? atoi(at + strlen(what)) : -1;
}

static void read_arguments(struct sim_process *process, struct emulator *e,
                           const struct port_spawn *spawn)
{
    for (const char *const *arg = spawn->argv; *arg; arg++) {
        if (strcmp(*arg, "stdio") == 0) {
            e->probe = true;
            e->monitor = sim_process_handle(process, 0);
        } else if (strstr(*arg, "id=charmonitor")) {
            e->listener = sim_process_handle(process, number_behind(*arg, "fd="));
        } else if (strstr(*arg, "id=charchannel0")) {
            agent_begin(&e->agent, process,
                        sim_process_handle(process, number_behind(*arg, "fd=")));
        } else if (strncmp(*arg, "pty,", 4) == 0) {
            console_open(&e->console, process);
        } else if (strncmp(*arg, "guest=", 6) == 0) {
            struct slice rest = slice_of(*arg + 6), name;
            slice_split(&rest, ',', &name);
            slice_copy(e->name, sizeof(e->name), name);
        }
    }
    if (e->monitor < 0 && e->listener < 0)
        sim_fail("an emulator is started without a monitor");
    sim_own(e->probe ? e->monitor : e->listener, sim_process_actor(process));
}

// Two emulators of one guest would destroy its disks.
static void check_alone(struct sim_process *self)
{
    struct emulator *mine = emulator_of(self);
    for (struct sim_process *other = next_emulator(NULL); other; other = next_emulator(other)) {
        struct emulator *theirs = emulator_of(other);
        if (other != self && !theirs->probe && !mine->probe &&
            strcmp(theirs->name, mine->name) == 0)
            sim_fail("an emulator is started for '%s' while %d runs for it", mine->name,
                     sim_process_pid(other));
    }
}

static void choose_vice(struct sim_process *process, struct emulator *e)
{
    e->speech.slow = sim_chance(100);
    e->greet_at = sim_now() + sim_random(200 * SIM_NS_PER_MS);
    if (world->cleared || !sim_chance(world->vices))
        return;
    e->vice = 1 + (enum vice)sim_random(VICES - 1);
    e->good_commands = (unsigned)sim_random(e->probe ? 16 : 20);
    if (e->vice == DIES)
        e->die_at = sim_now() + sim_random(sim_chance(500) ? SIM_NS_PER_S : 60 * SIM_NS_PER_S);
    if (e->vice == REFUSES) {
        e->die_at = sim_now() + sim_random(SIM_NS_PER_S);
        sim_process_say(process, "qemu-system-x86_64: there is no such device\n");
    }
    sim_trace("emulator %d has vice %d from command %u on", sim_process_pid(process), (int)e->vice,
              e->good_commands);
}

static void start(struct sim_process *process, const struct port_spawn *spawn)
{
    struct emulator *e = emulator_of(process);
    e->passed = e->listener = e->monitor = e->console.pty = -1;
    e->status = "prelaunch";
    e->die_at = e->off_at = e->agent.changes_at = SIM_NEVER;
    e->agent.listener = e->agent.peer = -1;
    read_arguments(process, e, spawn);
    check_alone(process);
    choose_vice(process, e);
}

static void receive_signal(struct sim_process *process, enum port_kill signal)
{
    struct emulator *e = emulator_of(process);
    if (e->vice == STUBBORN || signal == PORT_KILL_HUP)
        return;
    e->die_at = sim_now() + sim_random(100 * SIM_NS_PER_MS);
    say_event(e, "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-signal\"}");
    sim_wake(sim_process_actor(process), 0);
}

const struct sim_program qemu_program_x86_64 = {
    .path = QEMU_PATH,
    .state_size = sizeof(struct emulator),
    .start = start,
    .step = step,
    .signal = receive_signal,
};

bool qemu_lies(const char *name)
{
    for (struct sim_process *process = next_emulator(NULL); process;
         process = next_emulator(process)) {
        const struct emulator *e = emulator_of(process);
        if (!e->probe && strcmp(e->name, name) == 0 && e->lied)
            return true;
    }
    return false;
}

unsigned qemu_running(const char *name)
{
    unsigned count = 0;
    for (struct sim_process *process = next_emulator(NULL); process;
         process = next_emulator(process)) {
        const struct emulator *e = emulator_of(process);
        count += !e->probe && (!name || strcmp(e->name, name) == 0);
    }
    return count;
}
