# The tests: every target that checks something. Included by the Makefile.
#
#   make test              packages, build, then every test; the last line is "N passed, N failed"
#   make guests            build/guest: the guests that the tests boot
#   make client-libvirtd   the client suites against Debian's libvirtd 9, whose behaviour they state
#   make compare-record    write test/compare/recorded.txt anew, from a running libvirtd 9
#   make test-mbedtls3     what needs mbedTLS, with that of Debian 13 (3.6)
#   make check-features    a build without each feature in turn links
#   make check-alloc       no object of ours references an allocator
#   make check-sanitize    unit and client tests on a build with the sanitizers
#   make check-valgrind    the same under valgrind

PYTHON ?= /usr/bin/python3
GUESTS ?= build/guest
TEST_PARTS ?= unit alloc format contract qemu compare client profile mbedtls3 sim fuzz
RUN_ALL = $(PYTHON) test/run-all.py --build $(O) --guests $(GUESTS)

.PHONY: packages-test guests test client-libvirtd compare-record check-alloc check-sanitize check-valgrind
packages-test:
	@sh scripts/packages.sh build run test fuzz

guests: packages-test
	@sh test/guest/build.sh x86_64 $(GUESTS)/x86_64
	@sh test/guest/build.sh aarch64 $(GUESTS)/aarch64

test: packages-test guests
	@$(MAKE) CHECKS=1 O=$(O)-test tested
	@$(MAKE) CHECKS=1 O=$(O)-smallest KCONFIG=configs/smallest.config all
	@$(MAKE) mbedtls3 || echo "mbedTLS 3 can not be had here, and is not tested" >&2
	@$(MAKE) sim-build fuzz-build
	@$(PYTHON) test/run-all.py --build $(O)-test --guests $(GUESTS) --sim $(SIM_O) --fuzz $(FUZZ_BUILD) \
	    --smallest $(O)-smallest --mbedtls3 $(O)-mbedtls3 $(TEST_PARTS)

# What `make test` needs built, in a build of its own with CHECKS=1.
.PHONY: tested
tested: all $(UNIT_TESTS) $(CONTRACT_TESTS)

# A build with the mbedTLS of Debian 13, which is fetched but not installed.
.PHONY: mbedtls3 test-mbedtls3
mbedtls3: packages-test
	@sh test/mbedtls3.sh $(O)/mbedtls3
	@$(MAKE) CHECKS=1 O=$(O)-mbedtls3 MBEDTLS=$(O)/mbedtls3/usr tested

test-mbedtls3: mbedtls3
	@$(RUN_ALL) --mbedtls3 $(O)-mbedtls3 mbedtls3

client-libvirtd: packages-test guests
	@$(RUN_ALL) --peer libvirtd client

compare-record: packages-test
	@$(PYTHON) test/compare/compare.py --record

# One build directory: what a feature does not change is not compiled again with ccache. What depends on
# a feature goes with it.
.PHONY: check-features
check-features:
	@for feature in $$(sed -n 's/^CONFIG_\([A-Z_]*\)=y$$/\1/p' configs/default.config); do \
	    gone=$$(awk -v name=$$feature '$$1 == "config" { symbol = $$2 } \
	        $$1 == "depends" && index($$0 " ", " " name " ") { printf "|%s", symbol }' Kconfig) && \
	    rm -rf $(O)-without && mkdir -p $(O)-without && echo "without $$feature" && \
	    grep -Ev "^CONFIG_($$feature$$gone)=" configs/default.config > $(O)-without/config && \
	    $(MAKE) -s V=1 O=$(O)-without KCONFIG=$(O)-without/config all || exit 1; done

check-alloc: $(LIBRARY)
	@sh test/check-alloc.sh $(LIBRARY) $(MAIN)

check-sanitize: packages-test guests
	@$(MAKE) SANITIZE=1 CHECKS=1 O=$(O)-sanitize tested
	@$(PYTHON) test/run-all.py --build $(O)-sanitize --guests $(GUESTS) unit client

check-valgrind: packages-test guests
	@$(MAKE) CHECKS=1 OPTIMIZE='-O1 -g' O=$(O)-valgrind tested
	@$(PYTHON) test/run-all.py --build $(O)-valgrind --guests $(GUESTS) --valgrind unit client
