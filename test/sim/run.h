// The runs: one seed each.
#ifndef TEST_SIM_RUN_H
#define TEST_SIM_RUN_H

#include "port/sim/sim.h"

#include <stdbool.h>
#include <stdint.h>

void run_create(void); // once, before the first
bool run_seed(uint64_t seed);
// Two polite clients in fair weather; their daemon ends so at that port call of their script, and
// the next one must find what there should be. *over: there were not as many calls.
bool run_crash(uint64_t seed, uint64_t call, enum sim_end how, bool *over);

#endif
