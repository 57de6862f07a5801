# Coverage of src/ by tests and fuzzers together. Included by the Makefile.
#
#   make coverage                          unit, client and comparison tests, the kept inputs of the
#                                          fuzzers and SEEDS simulated runs; a line for each file, then
#                                          the functions that never ran. It fails when test/coverage.txt
#                                          does not tell of the files of which little ran, and no others
#   make coverage COVERAGE_PARTS=unit      fewer parts of the tests
#   make coverage-report                   of what ran before
#
# The counters lie in a mapped file for each program, whose path is compiled in: so what workers,
# killed daemons and those with an environment of their own ran counts, too.

COVERAGE_O ?= $(O)-coverage
COVERAGE_PARTS ?= unit client compare
COVERAGE_PROFILE = $(abspath $(COVERAGE_O))/profile/%m%c.profraw
COVERAGE_FLAGS = CC=clang CHECKS=1 OPTIMIZE='-O1 -g' LDFLAGS=-fprofile-instr-generate \
    CFLAGS='-fprofile-instr-generate=$(COVERAGE_PROFILE) -fcoverage-mapping \
        -mllvm -runtime-counter-relocation -Wno-unused-command-line-argument'
COVERAGE = $(PYTHON) -B test/coverage.py --build $(COVERAGE_O)

.PHONY: coverage coverage-build coverage-report
coverage-build: packages-test packages-fuzz guests
	@$(MAKE) $(COVERAGE_FLAGS) O=$(COVERAGE_O) tested fuzz-replays
	@$(MAKE) $(COVERAGE_FLAGS) SIM_O=$(COVERAGE_O)-sim sim-build

coverage: coverage-build
	@$(COVERAGE) --guests $(GUESTS) --seeds $(or $(SEEDS),1000) run $(COVERAGE_PARTS)
	@$(COVERAGE) report

coverage-report:
	@$(COVERAGE) report
