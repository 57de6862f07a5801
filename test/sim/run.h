// The runs: one seed each.
#ifndef TEST_SIM_RUN_H
#define TEST_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

void run_create(void); // once, before the first
bool run_seed(uint64_t seed);

#endif
