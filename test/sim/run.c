// The run: the lives of a daemon under one seed, and the course of each: an audit, the clients'
// script, an audit, everybody leaves, everything is given back, the end.
#include "test/sim/run.h"

#include "daemon/daemon.h"
#include "test/sim/console.h"
#include "test/sim/daemon_state.h"
#include "test/sim/qemu.h"
#include "test/sim/world.h"

#include <string.h>

#define SCRIPT_LIMIT_NS (5000 * SIM_NS_PER_S) // qemu-img may hang for an hour
#define REST_LIMIT_NS   (300 * SIM_NS_PER_S)
#define BOOT_LIMIT_NS   (200 * SIM_NS_PER_S)

struct world *world;

void run_create(void)
{
    world = sim_create(sizeof(*world));
}

// ---- the weather --------------------------------------------------------------------------------

// Each kind of fault is there in some of the runs, rarely or often.
static unsigned fault(unsigned in_runs, unsigned at_most)
{
    return sim_chance(in_runs) ? 1 + (unsigned)sim_random(at_most) : 0;
}

static unsigned room(unsigned most)
{
    static const unsigned rooms[] = {1, 7, 64, 500, 4096, 65536};
    unsigned chosen = rooms[sim_random(6)];
    return chosen < most ? chosen : most;
}

static void choose_weather(void)
{
    struct sim_weather *weather = sim_weather();
    weather->short_io = fault(400, 500);
    weather->again = fault(300, 200);
    weather->interrupted = fault(200, 100);
    weather->accept_fails = fault(150, 200);
    weather->disk_error = fault(150, 20);
    weather->disk_full = fault(150, 50);
    weather->link_fails = fault(150, 200);
    weather->fork_fails = fault(150, 100);
    weather->worker_dies = fault(150, 30);
    weather->disk_wait_us = (unsigned)sim_random(sim_chance(300) ? 300000 : 300);
    weather->pipe_room = sim_chance(300) ? room(65536) : 65536;
    world->vices = fault(600, 500);
    weather->socket_room = sim_chance(300) ? 64 + room(65536) : 65536;
}

// The weather clears up while it is looked at what there is.
static void clear_up(bool clear)
{
    static const struct sim_weather fine = {
        .disk_wait_us = 100, .pipe_room = 65536, .socket_room = 65536, .descriptor_max = 512};
    if (clear && !world->cleared) {
        world->stormy = *sim_weather();
        *sim_weather() = fine;
    } else if (!clear && world->cleared) {
        *sim_weather() = world->stormy;
    }
    world->cleared = clear;
}

// ---- the phases of a life -----------------------------------------------------------------------

static void enter(enum phase phase)
{
    sim_trace("phase %d", (int)phase);
    world->phase = phase;
    world->phase_began = sim_now();
}

static uint64_t age(void)
{
    return sim_now() - world->phase_began;
}

static struct client *auditor(void)
{
    return &world->clients[0];
}

static void await_boot(void)
{
    if (!world->booted && sim_ready()) {
        world->booted = true;
        if (world->descriptors == 0) { // the machine's first start, without guests
            world->descriptors = sim_descriptors();
            world->watches = daemon_watches();
            world->timers = daemon_timers();
        }
        client_start(auditor(), 0, 1000, POLITE, world->auditing);
    } else if (auditor()->opened) {
        audit_begin(world->auditing, true);
        enter(FIRST_AUDIT);
    } else if (age() > BOOT_LIMIT_NS) {
        sim_fail("nobody can connect");
    }
}

static void crash_soon(unsigned bits)
{
    uint64_t call = 1 + sim_random(1u << (6 + sim_random(bits - 5)));
    sim_crash_after(world->crash_call ? world->crash_call : call, world->crash);
    world->crash = SIM_ENDED;
}

// Clients that all want much that is quickly answered: nobody is to come short.
static void start_crowd(void)
{
    for (int i = 1; i < CLIENTS; i++)
        client_start(&world->clients[i], 60, 1, POLITE, world->auditing);
}

static void start_clients(void)
{
    static const enum manner manners[] = {POLITE, POLITE, POLITE, SLOW, SILENT, RUDE, NOISY, LAZY};
    unsigned calls = 1 + (unsigned)sim_random(60);
    for (int i = 1; i < CLIENTS; i++) {
        if (sim_chance(300))
            continue;
        enum manner manner = manners[sim_random(sizeof(manners) / sizeof(manners[0]))];
        enum driver driver = sim_chance(800) ? world->auditing : (enum driver)sim_random(DRIVERS);
        client_start(&world->clients[i], 1 + (unsigned)sim_random(calls),
                     1 + (unsigned)sim_random(4), manner, driver);
    }
}

static void start_script(void)
{
    clear_up(false);
    world->crowd = world->crash_call == 0 && sim_chance(40);
    for (int i = 1; i <= 2 && world->crash_call; i++)
        client_start(&world->clients[i], 12, 1, POLITE, world->auditing);
    if (world->crowd)
        start_crowd();
    else if (world->crash_call == 0)
        start_clients();
    if (world->crash != SIM_ENDED)
        crash_soon(12);
    enter(SCRIPT);
}

static bool all_done(void)
{
    for (int i = 1; i < CLIENTS; i++)
        if (!world->clients[i].done || client_connected(&world->clients[i]))
            return false;
    return true;
}

static void send_away(void)
{
    for (int i = 1; i < CLIENTS; i++)
        if (!world->clients[i].done)
            client_leave(&world->clients[i]);
}

// What the daemon still does for clients that have left; the auditor is one that has not.
static const char *busy_with(void)
{
    if (sim_workers())
        return "workers are there";
    if (daemon_clients() != 1)
        return "clients are connected";
    return daemon_holds(CONFIG_MAX_GUESTS);
}

// What is in progress for clients that have left comes to its end.
static void await_settlement(void)
{
    if (!all_done()) {
        if (age() > SCRIPT_LIMIT_NS)
            sim_fail("clients do not come to their end");
        return;
    }
    clear_up(true);
    const char *busy = busy_with();
    if (busy)
        world->quiet_since = sim_now();
    if (busy && age() > SCRIPT_LIMIT_NS)
        sim_fail("all clients have left, and still %s", busy);
    if (sim_now() - world->quiet_since < 70 * SIM_NS_PER_S)
        return;
    audit_begin(world->auditing, false);
    enter(LAST_AUDIT);
}

// A volume that could not be made is not there, nor is a part of it, unless the daemon was kept
// from taking that away.
static void check_images(void)
{
    const struct sim_weather *stormy = &world->stormy;
    if (world->lives > 1 || stormy->disk_error || stormy->worker_dies || daemon_refused_workers())
        return;
    for (int i = 0; i < NAMES * VOLUMES; i++) {
        char path[64], content[64];
        volume_path(i / VOLUMES, i % VOLUMES, path);
        ptrdiff_t len = sim_disk_read(path, content, sizeof(content));
        if (len > 0 && slice_is((struct slice){content, (size_t)len}, IMAGE_HALF))
            sim_fail("%s is half of an image", path);
    }
}

// Each running guest has its monitor, and its agent at most.
static bool suits(unsigned held, unsigned alone)
{
    unsigned guests = qemu_running(NULL);
    return held >= alone + guests && held <= alone + 2 * guests;
}

static const char *not_at_rest(void)
{
    const char *held = daemon_holds(qemu_running(NULL));
    if (held)
        return held;
    if (daemon_clients())
        return "clients are connected";
    if (sim_workers())
        return "workers are there";
    if (sim_processes() != qemu_running(NULL) + qemu_img_running())
        return "processes that have ended were not taken note of";
    if (!suits(sim_descriptors(), world->descriptors))
        return "descriptors are open that nobody needs";
    if (sim_taps() > qemu_running(NULL))
        return "taps are there that no guest has";
    if (!suits(daemon_watches(), world->watches))
        return "descriptors are watched that nobody needs";
    if (daemon_timers() != world->timers)
        return "timers run that nobody needs";
    return NULL;
}

static void await_rest(void)
{
    const char *why = not_at_rest();
    if (!why) {
        sim_trace("everything is at rest");
        sim_signal(PORT_SIGNAL_TERMINATE);
        enter(STOP);
    } else if (age() > REST_LIMIT_NS) {
        sim_list_descriptors();
        sim_fail("at rest %s", why);
    }
}

static void direct(struct sim_actor *actor)
{
    switch (world->phase) {
    case BOOT:
        await_boot();
        break;
    case FIRST_AUDIT:
        if (audit_done())
            start_script();
        else if (age() > ANSWER_LIMIT_NS)
            sim_fail("the first audit does not come to its end");
        break;
    case SCRIPT:
        if (all_done() || age() > SCRIPT_LIMIT_NS) {
            send_away();
            world->quiet_since = sim_now();
            enter(SETTLE);
        }
        break;
    case SETTLE:
        await_settlement();
        break;
    case LAST_AUDIT:
        if (audit_done() && !world->keep_guests) {
            world->keep_guests = true;
            audit_destroy(); // and looks again
        } else if (audit_done()) {
            check_images();
            client_leave(auditor());
            enter(REST);
        } else if (age() > ANSWER_LIMIT_NS) {
            sim_fail("the last audit does not come to its end");
        }
        break;
    case REST:
        await_rest();
        break;
    case STOP:
        if (age() > 30 * SIM_NS_PER_S)
            sim_fail("the daemon was told to end, and does not");
        break;
    }
    bool waiting = world->phase == SETTLE || world->phase == REST || age() > 20 * SIM_NS_PER_S;
    sim_wake(actor, waiting ? SIM_NS_PER_S : 20 * SIM_NS_PER_MS);
}

// ---- lives --------------------------------------------------------------------------------------

static void start_life(void)
{
    model_restart(world->last_end == SIM_POWER_CUT);
    clear_up(true);
    bool qemu = daemon_has_qemu() && (world->crash_call || sim_chance(500));
    world->auditing = qemu ? DRIVER_QEMU : DRIVER_TEST;
    for (int i = 0; i < CLIENTS; i++)
        client_drop(&world->clients[i]);
    world->booted = false;
    world->lives++;
    world->keep_guests = sim_chance(500);
    enter(BOOT);
    sim_wake(&world->director, 0);
}

// Runs in the daemon's process.
static int daemon_body(void)
{
    struct options options = {.listen = world->network};
    int status = daemon_run(&options);
    if (world->phase != STOP)
        sim_fail("the daemon ends by itself, with status %d", status);
    if (status != 0)
        sim_fail("the daemon ends with status %d", status);
    return 0;
}

static bool live_once(void)
{
    int status;
    start_life();
    enum sim_end how = world->last_end = sim_live(daemon_body, &status);
    return how == SIM_ENDED || how == SIM_POWER_CUT || how == SIM_KILLED;
}

static bool live(bool last)
{
    world->crash = SIM_ENDED;
    if (!last) {
        world->crash = sim_chance(700) ? SIM_POWER_CUT : SIM_KILLED;
        if (sim_chance(300)) // at any time; else in the script, where there is most to break off
            crash_soon(17);
    }
    return live_once();
}

static void new_world(void)
{
    memset(world, 0, offsetof(struct world, input));
    world->director.step = direct;
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->index = i;
        client->handle = client->passenger = client->arrived = -1;
        displays_forget(client);
        client->done = true;
        client->input = world->input[i];
        client->output = world->output[i];
    }
}

// Of the screens of the test driver's domains.
static void put_picture(void)
{
    static char picture[5000];
    console_fill(picture, sizeof(picture), 0, CONSOLE_FIRST_SAID, CONSOLE_LAST_SAID);
    sim_disk_write("/usr/share/libvirt/test-screenshot.png", picture, sizeof(picture), 0644);
}

static void new_run(uint64_t seed)
{
    sim_reset(seed);
    new_world();
    sim_program_add(&qemu_program_x86_64);
    sim_program_add(&qemu_img_program);
    sim_disk_make_directory("/etc/libvirt");
    sim_disk_make_directory("/etc/libvirt/storage");
    sim_disk_make_directory("/usr/share/libvirt");
    put_picture();
    pools_put();
}

static void choose_network(void)
{
    static const char conf[] = "listen_tls = 0\nlisten_tcp = 1\nauth_tcp = \"none\"\n";
    world->network = sim_chance(300);
    if (world->network)
        sim_disk_write("/etc/libvirt/libvirtd.conf", conf, sizeof(conf) - 1, 0600);
}

bool run_seed(uint64_t seed)
{
    new_run(seed);
    choose_network();
    choose_weather();
    unsigned lives = sim_chance(400) ? 1 : 2 + (unsigned)sim_random(3);
    for (unsigned life = 1; life <= lives; life++)
        if (!live(life == lives))
            return false;
    return true;
}

bool run_crash(uint64_t seed, uint64_t call, enum sim_end how, bool *over)
{
    new_run(seed);
    clear_up(true);
    world->stormy = *sim_weather();
    world->crash = how;
    world->crash_call = call;
    bool good = live_once();
    *over = good && world->last_end == SIM_ENDED;
    return good && (*over || live_once());
}
