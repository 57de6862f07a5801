// A scripted guest agent. It is the guest's, so it has no reason to be honest; and it comes and
// goes as the guest's system does.
#include "test/sim/agent.h"

#include "test/sim/world.h"
#include "text/json.h"

#include <errno.h>
#include <string.h>

#define VICE_SHARE 400 // of 1000 answers of a guest with a vice

static const struct {
    const char *command, *answer;
} answers[] = {
    {"guest-ping", "{}"},
    {"guest-get-time", "1700000000123456789"},
    {"guest-set-time", "{}"},
    {"guest-get-host-name", "{\"host-name\":\"sim-guest\"}"},
    {"guest-get-timezone", "{\"zone\":\"CET\",\"offset\":3600}"},
    {"guest-get-osinfo", "{\"id\":\"sim\",\"kernel-release\":\"1\",\"machine\":\"x86_64\"}"},
    {"guest-get-users", "[{\"user\":\"root\",\"login-time\":1700000000.5}]"},
    {"guest-get-vcpus", "[{\"logical-id\":0,\"online\":true,\"can-offline\":false}]"},
    {"guest-get-disks", "[]"},
    {"guest-get-fsinfo", "[{\"name\":\"vda1\",\"mountpoint\":\"/\",\"type\":\"ext4\",\"disk\":[],"
                         "\"used-bytes\":1000,\"total-bytes\":2000}]"},
    {"guest-network-get-interfaces",
     "[{\"name\":\"eth0\",\"hardware-address\":\"52:54:00:00:00:01\",\"ip-addresses\":"
     "[{\"ip-address\":\"192.0.2.7\",\"ip-address-type\":\"ipv4\",\"prefix\":24}]}]"},
    {"guest-fsfreeze-freeze", "1"},
    {"guest-fsfreeze-thaw", "1"},
    {"guest-fstrim", "{\"paths\":[]}"},
    {"guest-set-user-password", "{}"},
};

static const char *answer_to(struct slice command)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (slice_is(command, answers[i].command))
            return answers[i].answer;
    return NULL;
}

static void hang_up(struct agent *agent, struct sim_process *emulator)
{
    sim_process_close(emulator, agent->peer);
    agent->peer = -1;
    agent->in_len = 0;
    agent->speaks_at = 0;
    speech_clear(&agent->speech);
}

// ---- commands

// True when the vice has answered.
static bool misbehave(struct agent *agent, struct sim_process *emulator)
{
    static const char *const lies[] = {"[]", "{}", "-1", "\"\"", "null", "[{}]", "{\"x\":[1]}"};
    static const char *const rubbish[] = {"{\"return\":", "\xff\xff", "[[[[", "\x01", "return"};
    switch (agent->vice) {
    case AGENT_DEAF:
        return true;
    case AGENT_LATE:
        agent->speaks_at = sim_now() + sim_random(100 * SIM_NS_PER_S);
        return false;
    case AGENT_LIAR:
        speech_put(&agent->speech, "{\"return\":%s}\n", lies[sim_random(7)]);
        return true;
    case AGENT_RUBBISH:
        speech_put(&agent->speech, "%s\n", rubbish[sim_random(5)]);
        return true;
    case AGENT_FLOOD:
        if (agent->speech.len == 0)
            speech_flood(&agent->speech, 1000 + (uint32_t)sim_random(1u << 20));
        speech_put(&agent->speech, "\"}}\n");
        return true;
    case AGENT_HALF:
        speech_flood(&agent->speech, 1000 + (uint32_t)sim_random(100000));
        agent->speech.mute = true;
        return true;
    case AGENT_HANGS_UP:
        hang_up(agent, emulator);
        return true;
    default:
        return false;
    }
}

static void synchronize(struct agent *agent, const struct json_value *root)
{
    uint64_t id = 0;
    json_get_u64(json_get(root, "arguments"), "id", &id);
    speech_put(&agent->speech, "{\"return\":%llu}\n", (unsigned long long)id);
}

static void take_line(struct agent *agent, struct sim_process *emulator, struct slice line)
{
    static struct json_doc doc;
    struct error err = {0};
    bool bad = agent->vice != AGENT_NONE && !world->cleared && sim_chance(VICE_SHARE);
    // A channel that a client has open carries anything.
    if (!json_parse(&doc, line, &err) || doc.root->kind != JSON_OBJECT)
        return;
    struct slice command = json_get_string(doc.root, "execute");
    const char *answer = answer_to(command);
    sim_trace("the agent of %d is told %.*s", sim_process_pid(emulator), SLICE_ARG(command));
    if (agent->vice == AGENT_ABSENT && bad)
        return;
    if (slice_is(command, "guest-sync"))
        synchronize(agent, doc.root);
    else if (bad && misbehave(agent, emulator))
        return;
    else if (slice_is(command, "guest-shutdown"))
        agent->powers_off = true;
    else if (answer)
        speech_put(&agent->speech, "{\"return\":%s}\n", answer);
    else
        speech_put(&agent->speech,
                   "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"unknown\"}}\n");
}

static void take_lines(struct agent *agent, struct sim_process *emulator)
{
    size_t done = 0;
    char *end;
    while (agent->peer >= 0 && speech_has_room(&agent->speech) &&
           (end = memchr(agent->in + done, '\n', agent->in_len - done)) != NULL) {
        struct slice line = {agent->in + done, (size_t)(end - (agent->in + done))};
        done += line.len + 1;
        take_line(agent, emulator, line);
    }
    if (agent->peer < 0)
        return;
    agent->in_len -= done;
    memmove(agent->in, agent->in + done, agent->in_len);
    if (agent->in_len == sizeof(agent->in))
        agent->in_len = 0; // that is no command
}

// ---- the conversation

static void listen_to(struct agent *agent, struct sim_process *emulator)
{
    ptrdiff_t got;
    while (agent->peer >= 0 && speech_has_room(&agent->speech) &&
           (got = sim_read(agent->peer, agent->in + agent->in_len,
                           sizeof(agent->in) - agent->in_len)) != -EAGAIN) {
        if (got <= 0) {
            hang_up(agent, emulator);
            return;
        }
        agent->in_len += (size_t)got;
        take_lines(agent, emulator);
    }
}

static void accept_peer(struct agent *agent, struct sim_process *emulator)
{
    agent->peer = sim_accept(agent->listener, sim_process_actor(emulator));
    if (agent->peer >= 0)
        sim_process_take(emulator, agent->peer);
}

void agent_step(struct agent *agent, struct sim_process *emulator)
{
    if (agent->listener < 0)
        return;
    if (agent->peer < 0)
        accept_peer(agent, emulator);
    if (agent->peer < 0 || !agent->there)
        return;
    listen_to(agent, emulator);
    if (agent->peer < 0)
        return;
    if (agent->vice == AGENT_TALKS && !world->cleared && sim_chance(200))
        speech_put(&agent->speech, "{\"return\":{}}\n");
    if (sim_now() >= agent->speaks_at)
        speech_send(&agent->speech, agent->peer);
}

bool agent_changes(struct agent *agent)
{
    if (sim_now() < agent->changes_at)
        return false;
    agent->there = !agent->there;
    agent->changes_at = sim_chance(300) ? sim_now() + sim_random(60 * SIM_NS_PER_S) : SIM_NEVER;
    agent->in_len = 0;
    speech_clear(&agent->speech);
    return true;
}

uint64_t agent_next(const struct agent *agent)
{
    if (agent->speech.len && agent->speaks_at > sim_now() && agent->speaks_at < agent->changes_at)
        return agent->speaks_at;
    return agent->changes_at;
}

void agent_begin(struct agent *agent, struct sim_process *emulator, int listener)
{
    agent->listener = listener;
    agent->changes_at = sim_now() + sim_random((sim_chance(800) ? 20 : 3000) * SIM_NS_PER_MS);
    agent->speech.slow = sim_chance(100);
    if (!world->cleared && sim_chance(world->vices))
        agent->vice = 1 + (enum agent_vice)sim_random(AGENT_VICES - 1);
    sim_own(listener, sim_process_actor(emulator));
}
