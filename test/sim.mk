# The whole daemon on the simulated operating system (port/sim), under seeds of chance.
#
#   make sim                 1000 runs, SEEDS of them (SEEDS=5000), or as many as SECONDS allow
#   make sim SEED=n          that run again
#   make sim SEED=n V=1      with its trace
#   make sim SIMFLAGS=-c     end the daemon at each port call of a script instead: about a thousand
#                            runs a seed, 15 s of them, so SEEDS is 3 unless it is given
#   make sim SIMFLAGS=-l     see that a machine that lies is noticed, and a daemon with a bug
#
# The build is one of its own, with CONFIG_DEBUG_CHECKS and small limits (test/sim/limits.config), so
# that the limits are met.

SEEDS ?=
SIM_O ?= $(O)-sim

SIM_SOURCES := $(sort $(wildcard port/sim/*.c test/sim/*.c))
SIM_OBJECTS := $(SIM_SOURCES:%.c=$(O)/%.o)
LIBRARY_SIM := $(O)/libnanovirt-sim.a
# What test/sim/bugs.c plants its bugs around, and what daemon_state.c looks at.
SIM_WRAPPED := client_add domain_event_lifecycle worker_start
SIM_LDFLAGS := $(SIM_WRAPPED:%=-Wl,--wrap=%)

$(LIBRARY_SIM): $(filter-out $(MAIN) $(O)/port/linux/%,$(OBJECTS))
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

$(O)/sim: $(SIM_OBJECTS) $(LIBRARY_SIM)
	$(call quiet,LD)$(CC) $(NV_CFLAGS) $(CFLAGS) -o $@ $(SIM_OBJECTS) $(LIBRARY_SIM) $(NV_LDFLAGS) \
		$(SIM_LDFLAGS) $(LDFLAGS) $(LIBS)

$(SIM_O)/sim.config: configs/default.config test/sim/limits.config
	@mkdir -p $(@D)
	@sed '/^#/d; s/=.*//; s/.*/\/^&=\/d/' test/sim/limits.config | sed -f - configs/default.config \
	    | cat - test/sim/limits.config > $@

.PHONY: sim sim-build
sim-build: $(SIM_O)/sim.config
	@$(MAKE) CHECKS=1 KCONFIG=$(SIM_O)/sim.config O=$(SIM_O) $(SIM_O)/sim

sim: sim-build
	@$(SIM_O)/sim $(if $(SEED),-s $(SEED) -n 1,-f test/sim/seeds.txt $(SEEDS:%=-n %)) \
	    $(if $(SECONDS),-t $(SECONDS)) $(if $(V),-v) $(SIMFLAGS)
