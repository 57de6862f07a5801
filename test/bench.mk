# Benchmarks and sizes. Nothing here asserts a time: the figures are for reading.
#
#   make bench             nanovirtd, libvirtd and the floor side by side; writes bench.csv
#   make bench BENCH=calls one group only, or several: BENCH='calls start'
#   make size              text, data and bss per module and of the whole, for each profile; and the
#                          stripped files beside their budgets. The static one is that of
#                          `make static`, when that has been made.

BENCH ?=
# Without MBEDTLS_SOURCE the static file whose memory is measured does without mbedTLS.
BENCH_CONFIG := $(O)/static.config
BENCH_PROGRAMS := $(addprefix $(O)/test/bench/,echo load first_call fanout handshakes)
BENCH_CLIENT := test/bench/rpc.c test/bench/tls.c

$(O)/test/bench/%: test/bench/%.c $(BENCH_CLIENT) $(BENCH_CLIENT:.c=.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=c11 -O2 -g -Wall -Wextra -Isrc -I. -I$(O)/gen -o $@ $< $(BENCH_CLIENT) $(LIBRARY) $(LIBS)

.PHONY: bench bench-programs size
bench-programs: all $(BENCH_PROGRAMS)

bench:
	@sh scripts/packages.sh build test bench
	@$(MAKE) bench-programs
	@sed '/CONFIG_TLS=/d; /CONFIG_SASL=/d' configs/default.config > $(BENCH_CONFIG)
	@$(MAKE) $(if $(MBEDTLS_SOURCE),static,STATIC=1 O=$(STATIC_O) CC='$(STATIC_CC)' KCONFIG=$(BENCH_CONFIG) all)
	@$(PYTHON) -B test/bench/bench.py --build $(O) $(BENCH)

size: all
	@$(MAKE) --no-print-directory O=$(O)-size/smallest KCONFIG=configs/smallest.config all
	@sh test/bench/size.sh default:409600=$(O) smallest:131072=$(O)-size/smallest static:921600=$(if $(wildcard $(STATIC_O)/mbedtls),$(STATIC_O))
