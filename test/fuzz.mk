# The fuzzers: libFuzzer targets over the parts of the daemon that read what others wrote. Included
# by the Makefile.
#
#   make fuzz [SECONDS=60] [TARGET=xml] runs each target (or one) for that long; what it learns is
#                                       kept in build-fuzz/corpus, what it finds in
#                                       build-fuzz/found
#   make fuzz-short                     a few seconds a target, the same in every run: a test
#   make fuzz-keep [TARGET=xml]         puts what build-fuzz/corpus adds into test/fuzz/corpus
#   make fuzz-cost [TARGET=xml]         the inputs that take the most CPU time in a release build

FUZZ_CC ?= clang
FUZZ_BUILD ?= $(O)-fuzz
COST_BUILD ?= $(O)-fuzz-cost
TARGET ?=
FUZZ = $(PYTHON) test/fuzz/fuzz.py --build $(FUZZ_BUILD)

FUZZ_TARGETS := $(patsubst test/fuzz/fuzz_%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
FUZZ_SHARED := $(filter-out test/fuzz/fuzz_% test/fuzz/replay.c,$(wildcard test/fuzz/*.c))
FUZZ_WRAPPED := clock_ns cpu_ns time_us random hostname worker child_reap spawn
FUZZ_LDFLAGS := $(FUZZ_WRAPPED:%=-Wl,--wrap=port_%)

# Objects that no target needs stay out, and so do the driver's and the port's parts that shared
# files replace.
$(O)/test/fuzz/libshared.a: $(FUZZ_SHARED:%.c=$(O)/%.o)
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

$(O)/test/fuzz/%: $(O)/test/fuzz/fuzz_%.o $(O)/test/fuzz/libshared.a $(LIBRARY)
	$(call quiet,LD)$(CC) $(NV_CFLAGS) $(CFLAGS) -o $@ $(filter-out %.a,$^) $(FUZZ_ENTRY) -Wl,--start-group \
		$(filter %.a,$^) -Wl,--end-group $(NV_LDFLAGS) $(FUZZ_LDFLAGS) $(LDFLAGS) $(LIBS)

# Without libFuzzer: for kept inputs.
$(O)/test/fuzz/%-replay: $(O)/test/fuzz/fuzz_%.o $(O)/test/fuzz/replay.o \
		$(O)/test/fuzz/libshared.a $(LIBRARY)
	$(call quiet,LD)$(CC) $(NV_CFLAGS) $(CFLAGS) -o $@ $(filter-out %.a,$^) -Wl,--start-group \
		$(filter %.a,$^) -Wl,--end-group $(NV_LDFLAGS) $(FUZZ_LDFLAGS) $(LDFLAGS) $(LIBS)

.SECONDARY: $(FUZZ_TARGETS:%=$(O)/test/fuzz/fuzz_%.o) $(O)/test/fuzz/replay.o

.PHONY: fuzz-targets fuzz-replays packages-fuzz fuzz-build fuzz fuzz-short fuzz-keep fuzz-cost
fuzz-targets: $(FUZZ_TARGETS:%=$(O)/test/fuzz/%)
fuzz-replays: $(FUZZ_TARGETS:%=$(O)/test/fuzz/%-replay)

packages-fuzz:
	@sh scripts/packages.sh build fuzz

fuzz-build: packages-fuzz
	@$(MAKE) CC=$(FUZZ_CC) O=$(FUZZ_BUILD) CHECKS=1 SANITIZE=1 OPTIMIZE='-O1 -g' \
		CFLAGS=-fsanitize=fuzzer-no-link LDFLAGS=-fsanitize=fuzzer fuzz-targets

fuzz: fuzz-build
	@$(FUZZ) --seconds $(or $(SECONDS),60) run $(TARGET)

fuzz-short: fuzz-build
	@$(FUZZ) short $(TARGET)

fuzz-keep: fuzz-build
	@$(FUZZ) keep $(TARGET)

fuzz-cost:
	@$(MAKE) O=$(COST_BUILD) fuzz-replays
	@$(FUZZ) --build $(COST_BUILD) --more $(FUZZ_BUILD) cost $(TARGET)
