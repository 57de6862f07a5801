// A scripted QEMU: enough of the emulator to be probed, started, asked and told over QMP, and with
// every vice that one can have: it does not start, does not answer, answers late, with rubbish,
// with a megabyte, and dies when it likes.
#include "test/sim/qemu.h"

#include "test/sim/world.h"
#include "text/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OUT_SIZE 32768
#define IN_SIZE  16384

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
    const char *status;
    unsigned commands, good_commands; // answered; answered before the vice shows
    uint64_t greet_at, die_at, off_at;
    uint32_t flood, flooded; // bytes to be sent before the rest of the output, and sent of these
    bool slow, mute;         // mute: it never says what is in `out`
    bool lied;               // it has said that it did what it did not
    char out[OUT_SIZE], in[IN_SIZE];
    size_t out_len, in_len;
};

static struct emulator *emulator_of(struct sim_process *process)
{
    return sim_process_state(process);
}

// ---- what it says -------------------------------------------------------------------------------

static void say(struct emulator *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct emulator *e, const char *format, ...)
{
    struct buffer out = buffer_over(e->out + e->out_len, sizeof(e->out) - e->out_len);
    va_list args;
    va_start(args, format);
    buffer_vprintf(&out, format, args);
    va_end(args);
    if (!buffer_ok(&out))
        return; // nobody reads what it says
    e->out_len += out.len;
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
     "{\"name\":\"virtio-blk-pci\"},{\"name\":\"virtio-net-pci\"},{\"name\":\"usb-tablet\"}]",
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
    {"query-chardev",
     "[{\"frontend-open\":true,\"filename\":\"unix:monitor,server=on\",\"label\":\"charmonitor\"},"
     "{\"frontend-open\":true,\"filename\":\"pty:/dev/pts/7\",\"label\":\"charserial0\"}]",
     NULL},
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
        if (e->out_len)
            return false;
        e->flood = 1000 + (uint32_t)sim_random(2u << 20);
        e->flooded = 0;
        e->lied = true;
        say(e, "\"},\"id\":%.*s}\r\n", SLICE_ARG(id));
        e->vice = NONE;
        return true;
    case HALF:
        e->flood = 1000 + (uint32_t)sim_random(100000);
        e->flooded = 0;
        e->lied = e->mute = true;
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
    while (e->out_len < OUT_SIZE / 2 &&
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
    e->greeted = e->ready = e->mute = false;
    e->in_len = e->out_len = 0;
    e->flood = e->flooded = 0;
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

// False while not all of it has been taken.
static bool speak_flood(struct emulator *e)
{
    static const char start[] = "{\"return\":{\"what\":\"";
    char part[4096];
    while (e->flooded < e->flood) {
        uint32_t rest = e->flood - e->flooded;
        size_t len = rest < sizeof(part) ? rest : sizeof(part);
        memset(part, 'm', sizeof(part));
        if (e->flooded < sizeof(start) - 1)
            memcpy(part, start + e->flooded, sizeof(start) - 1 - e->flooded);
        ptrdiff_t put = sim_write(e->monitor, part, len);
        if (put <= 0)
            return false;
        e->flooded += (uint32_t)put;
    }
    e->flood = e->flooded = 0;
    return true;
}

static void speak(struct emulator *e)
{
    if (!speak_flood(e) || e->mute)
        return;
    size_t len = e->slow && e->out_len ? 1 + sim_random(e->out_len) : e->out_len;
    ptrdiff_t put = len ? sim_write(e->monitor, e->out, len) : 0;
    if (put <= 0)
        return;
    e->out_len -= (size_t)put;
    memmove(e->out, e->out + put, e->out_len);
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

static uint64_t next_step(const struct emulator *e)
{
    uint64_t now = sim_now(), at = now + 5 * SIM_NS_PER_S;
    if (e->monitor >= 0 && !e->greeted && e->vice != HANGS && e->greet_at < at)
        at = e->greet_at;
    if (e->die_at < at)
        at = e->die_at;
    if (e->monitor >= 0 && e->off_at < at)
        at = e->off_at;
    if (e->out_len && e->slow)
        at = now + SIM_NS_PER_MS;
    if (e->vice == RESTLESS && !world->cleared)
        at = now + sim_random(300 * SIM_NS_PER_MS);
    return at > now ? at - now : SIM_NS_PER_US;
}

static void step(struct sim_process *process)
{
    struct emulator *e = emulator_of(process);
    if (sim_now() >= e->die_at) {
        if (e->monitor >= 0)
            speak(e);
        sim_process_exit(process, e->vice == REFUSES ? 1 : 0);
        return;
    }
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
        if (e->monitor >= 0)
            speak(e);
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
    for (struct sim_process *other = sim_process_next(NULL); other;
         other = sim_process_next(other)) {
        struct emulator *theirs = emulator_of(other);
        if (other != self && !theirs->probe && !mine->probe &&
            strcmp(theirs->name, mine->name) == 0)
            sim_fail("an emulator is started for '%s' while %d runs for it", mine->name,
                     sim_process_pid(other));
    }
}

static void choose_vice(struct sim_process *process, struct emulator *e)
{
    e->slow = sim_chance(100);
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
    e->listener = e->monitor = -1;
    e->status = "prelaunch";
    e->die_at = e->off_at = SIM_NEVER;
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
    for (struct sim_process *process = sim_process_next(NULL); process;
         process = sim_process_next(process)) {
        const struct emulator *e = emulator_of(process);
        if (!e->probe && strcmp(e->name, name) == 0 && e->lied)
            return true;
    }
    return false;
}

unsigned qemu_running(const char *name)
{
    unsigned count = 0;
    for (struct sim_process *process = sim_process_next(NULL); process;
         process = sim_process_next(process)) {
        const struct emulator *e = emulator_of(process);
        count += !e->probe && (!name || strcmp(e->name, name) == 0);
    }
    return count;
}
