// A scripted qemu-img: it makes images, fails, dies over it, or never comes to an end.
#include "test/sim/qemu.h"
#include "test/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum manner_of_work { WORKS, FAILS, DIES, HANGS };

struct image {
    enum manner_of_work manner;
    char path[256];
    uint64_t begins_at, ends_at;
    bool begun;
};

static struct image *image_of(struct sim_process *process)
{
    return sim_process_state(process);
}

static bool write_image(const struct image *image, const char *content)
{
    return sim_disk_write(image->path, content, strlen(content), 0644) >= 0;
}

static void end(struct sim_process *process, struct image *image)
{
    if (image->manner == WORKS && write_image(image, IMAGE_WHOLE)) {
        sim_process_exit(process, 0);
    } else if (image->manner == DIES) {
        sim_process_die(process, 11);
    } else {
        sim_process_say(process, "qemu-img: the image can not be made\n");
        sim_process_exit(process, 1);
    }
}

static void step(struct sim_process *process)
{
    struct image *image = image_of(process);
    if (!image->begun && sim_now() >= image->begins_at) {
        image->begun = true;
        write_image(image, IMAGE_HALF);
    }
    if (sim_now() >= image->ends_at) {
        end(process, image);
        return;
    }
    uint64_t next = image->begun ? image->ends_at : image->begins_at;
    if (next != SIM_NEVER)
        sim_wake(sim_process_actor(process), next - sim_now());
}

static void start(struct sim_process *process, const struct port_spawn *spawn)
{
    struct image *image = image_of(process);
    for (const char *const *arg = spawn->argv + 1; *arg; arg++)
        if (**arg == '/')
            slice_copy(image->path, sizeof(image->path), slice_of(*arg));
    if (!world->cleared && sim_chance(world->vices))
        image->manner = sim_chance(50) ? HANGS : sim_chance(500) ? FAILS : DIES;
    image->begins_at = sim_now() + sim_random(20 * SIM_NS_PER_MS);
    image->ends_at = image->begins_at + sim_random((sim_chance(900) ? 50 : 20000) * SIM_NS_PER_MS);
    if (image->manner == HANGS)
        image->ends_at = SIM_NEVER;
    sim_trace("qemu-img makes %s, manner %d", image->path, (int)image->manner);
}

unsigned qemu_img_running(void)
{
    unsigned count = 0;
    for (struct sim_process *process = sim_process_next(NULL); process;
         process = sim_process_next(process))
        count += sim_process_runs(process, &qemu_img_program);
    return count;
}

const struct sim_program qemu_img_program = {
    .path = "/usr/bin/qemu-img",
    .state_size = sizeof(struct image),
    .start = start,
    .step = step,
};
