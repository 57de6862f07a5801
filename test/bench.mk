# Benchmarks and sizes. Nothing here asserts a time: the figures are for reading.
#
#   make bench             nanovirtd, libvirtd and a bare echo server side by side; bench.csv
#   make size              text, data and bss per module and of the whole

BENCH_PROGRAMS := $(O)/test/bench/echo $(O)/test/bench/load

$(O)/test/bench/%: test/bench/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=c11 -O2 -g -Wall -Wextra -Isrc -I. -I$(O)/gen -o $@ $< $(LIBRARY) $(LIBS)

.PHONY: bench size
bench: all $(BENCH_PROGRAMS)
	@sh scripts/packages.sh build test
	@$(PYTHON) test/bench/bench.py --build $(O)

size: all
	@sh test/bench/size.sh $(O)
