# nanovirt: the build.
#
#   make             build/nanovirtd, with .config if there is one, else configs/default.config
#   make run         a daemon on a private socket with a demo guest; prints the virsh line to type
#   make stop        ends that daemon and its guests
#   make test        every test
#   make coverage    how much of src/ the tests, fuzzers and simulated runs have run, by file
#   make install     the daemon, its other names, the manual pages and what starts it, to DESTDIR and
#                    prefix; INIT=systemd (the default), sysvinit, procd or none
#   make menuconfig, olddefconfig, savedefconfig
#
# O=DIR builds elsewhere; SANITIZE=1 adds the address and undefined-behaviour sanitizers; CHECKS=1 is
# the build of the tests (configs/checks.config); CROSS_COMPILE=aarch64-linux-gnu- cross-compiles.

CROSS_COMPILE ?=
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
HOSTCC ?= cc
AR := $(CROSS_COMPILE)ar
O ?= build
KCONFIG := $(if $(wildcard .config),.config,configs/default.config)
VERSION := 0.1.0

# One line a step; V=1 shows the commands.
V ?=
comma := ,
quiet = $(if $(V),,@echo "  $(1)	$(patsubst $(O)/%,%,$@)";)

# $(call accepts,FLAGS): FLAGS when the compiler and its linker know them.
accepts = $(shell echo 'int main(void){return 0;}' | $(CC) -Werror -x c - -o /dev/null $(1) 2> /dev/null && echo '$(1)')

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
OPTIMIZE ?= $(or $(call accepts,-Oz),-Os) -g
NV_CFLAGS := -std=c11 $(OPTIMIZE) $(WARNINGS) -ffunction-sections -fdata-sections \
             -DNANOVIRT_VERSION='"$(VERSION)"' -Isrc -I. -I$(O)/gen
NV_LDFLAGS := -Wl,--gc-sections
ifndef SANITIZE
# Nothing here unwinds, and the tables of pointers need one bit of relocation each where the linker can.
NV_CFLAGS += -fno-asynchronous-unwind-tables
# In functions of this size, gcc pays more for keeping a value in a register than it saves, for computing
# both branches than for jumping, and for merging ends of branches before it knows their registers than after.
NV_CFLAGS += $(call accepts,-fno-caller-saves -fno-move-loop-invariants -fno-tree-loop-im -fira-region=all)
NV_CFLAGS += $(call accepts,-fno-if-conversion -fno-tree-tail-merge)
NV_LDFLAGS += $(if $(STATIC),,$(call accepts,-Wl$(comma)--fatal-warnings$(comma)-z$(comma)pack-relative-relocs))
# Code and constants share pages: less padding in the file, and what linkers do on most other machines.
NV_LDFLAGS += $(call accepts,-Wl$(comma)-z$(comma)noseparate-code)
# The table of the C library's functions is filled at start, and then read-only with the other pointers.
NV_LDFLAGS += $(call accepts,-Wl$(comma)-z$(comma)now)
endif
ifdef SANITIZE
NV_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
NV_LDFLAGS += -fsanitize=address,undefined
endif
# The daemon is optimised as a whole. Tests are not: it would be done again for each. What may be
# uninitialized is asked of each file: across files gcc sees more, and takes more for possible.
ifeq ($(SANITIZE)$(CHECKS),)
WHOLE := $(call accepts,-flto=auto -ffat-lto-objects -flto-partition=one)
APART := $(if $(WHOLE),-fno-lto)
endif
ifdef STATIC
NV_LDFLAGS += -static
endif
# Another mbedTLS than the system's: the directory that holds its include and lib.
ifdef MBEDTLS
MBEDTLS_LIB := $(abspath $(dir $(firstword $(wildcard $(MBEDTLS)/lib/libmbedtls.* $(MBEDTLS)/lib/*/libmbedtls.*))))
NV_CFLAGS += -isystem $(abspath $(MBEDTLS))/include
NV_LDFLAGS += -L$(MBEDTLS_LIB) -Wl,--disable-new-dtags,-rpath,$(MBEDTLS_LIB)
endif
MBEDTLS_LIBS ?= -lmbedtls -lmbedx509 -lmbedcrypto
MBEDCRYPTO_LIBS ?= -lmbedcrypto

# Features: what belongs to each. A feature is a Kconfig symbol; with CONFIG_NAME off, FILES_NAME are
# left out. Tables that would name them ask #ifdef CONFIG_NAME, and nothing else does.
FILES_SSH_HELPER := src/daemon/ssh_helper.c
FILES_SASL := src/auth/sasl*.c src/auth/scram*.c src/auth/users*.c src/daemon/passwd.c
FILES_HYPERVISOR_QEMU := src/hv/qemu/*.c src/hv/qemu/*/*.c
FILES_HYPERVISOR_TEST := src/hv/test/*.c
FILES_STORAGE := $(filter-out %_probe.c,$(wildcard src/virt/storage/*.c))
FILES_GRAPHICS := src/virt/domain/domain_graphics.c src/virt/xml/domain_check_graphics.c \
    src/hv/qemu/command/command_graphics.c src/hv/qemu/guest/guest_graphics.c
FILES_DEVICES_KEPT := src/virt/xml/domain_check_kept.c src/hv/qemu/definition/defaults_kept.c
FILES_DOMAIN_VALIDATION := src/virt/xml/domain_validate*.c src/hv/qemu/definition/validate*.c
FILES_DOMAIN_CAPABILITIES := src/hv/qemu/capabilities/domcaps.c
FILES_CPU_MODELS := src/virt/node/cpu_*.c src/virt/node/node_cpu_*.c \
    src/hv/qemu/capabilities/host_model.c src/hv/qemu/guest/cpu_live.c
FILES_DOMAIN_STATISTICS := src/virt/domain/domain_stats.c src/virt/domain/domain_device_stats.c \
    src/virt/domain/domain_job_info.c src/virt/domain/domain_dump.c \
    src/hv/qemu/guest/guest_stats.c src/hv/qemu/guest/guest_dump.c
FILES_DOMAIN_TUNING := src/virt/domain/domain_pin.c src/virt/domain/domain_vcpu.c \
    src/virt/domain/domain_memory.c src/virt/domain/domain_maps.c src/virt/domain/domain_tune.c \
    src/hv/qemu/guest/guest_vcpus.c
FILES_DOMAIN_INPUT := src/virt/domain/domain_input.c src/hv/qemu/guest/guest_key*.c \
    src/hv/qemu/guest/guest_screenshot.c
FILES_QEMU_COMMANDS := src/virt/domain/domain_command.c src/virt/domain/domain_event_monitor.c \
    src/hv/qemu/guest/guest_monitor.c
FILES_DOMAIN_METADATA := src/virt/domain/domain_metadata.c src/virt/domain/domain_rename.c
FILES_GUEST_AGENT := src/virt/domain/domain_agent.c src/virt/domain/domain_guest.c \
    src/virt/domain/domain_ssh_keys.c src/hv/qemu/guest/guest_sleep.c \
    src/hv/qemu/monitor/agent.c src/hv/qemu/guest/guest_agent*.c src/hv/qemu/guest/guest_addresses.c \
    src/hv/qemu/guest/guest_filesystems.c src/hv/qemu/guest/guest_inside.c
FILES_NODE := src/virt/node/node_handlers.c src/virt/node/node_memory.c src/virt/node/node_view.c \
    src/virt/node/node_capabilities.c src/hv/qemu/capabilities/capabilities_document.c
FILES_SYSINFO := src/virt/node/node_sysinfo.c src/virt/node/smbios*.c
FILES_SECCOMP := port/linux/seccomp.c
FILES_ADMIN := src/admin/*.c
FILES_TLS := src/net/tls/*.c
FILES_ACCESS := src/auth/access*.c src/virt/access*.c src/daemon/acl_check.c
FILES_ACTIVATION := src/daemon/activation.c port/linux/service.c
FILES_MDNS := src/mdns/*.c port/linux/multicast.c

-include $(KCONFIG)
FEATURES := $(patsubst FILES_%,%,$(filter FILES_%,$(.VARIABLES)))
LEFT_OUT := $(foreach f,$(FEATURES),$(if $(filter y,$(CONFIG_$f)),,$(wildcard $(FILES_$f))))
LIBS := $(if $(filter y,$(CONFIG_TLS)),$(MBEDTLS_LIBS),$(if $(filter y,$(CONFIG_SASL)),$(MBEDCRYPTO_LIBS)))

PROTOCOLS := $(sort $(wildcard proto/*.x))
GENERATED := $(PROTOCOLS:%.x=$(O)/gen/%.h) $(O)/gen/virt/schema_tables.h
CONTRACT := $(O)/gen/proto/contract
SCHEMAS := $(sort $(wildcard src/virt/schema/*.c))
PACKED := $(O)/gen/virt/schema_tables
SOURCES := $(filter-out $(LEFT_OUT) $(SCHEMAS),$(sort $(wildcard src/*/*.c src/*/*/*.c src/*/*/*/*.c port/common/*.c port/linux/*.c)))
OBJECTS := $(SOURCES:%.c=$(O)/%.o) $(if $(PROTOCOLS),$(CONTRACT).o) $(PACKED).o
MAIN := $(O)/src/daemon/main.o
LIBRARY := $(O)/libnanovirt.a

.PHONY: all
all: $(O)/nanovirtd

# What everything is made with: what was made with something else is made again.
CONFIGS := $(KCONFIG) $(if $(CHECKS),configs/checks.config)
MADE_WITH := $(CONFIGS) $(CC) $(NV_CFLAGS) $(WHOLE) $(CFLAGS) $(NV_LDFLAGS) $(LDFLAGS) $(LIBS)
ifneq ($(strip $(file < $(O)/made_with)),$(strip $(MADE_WITH)))
.PHONY: $(O)/made_with
endif
$(O)/made_with:
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(MADE_WITH))' > $@

$(O)/nanovirtd: $(MAIN) $(LIBRARY)
	$(call quiet,LD)$(CC) $(NV_CFLAGS) $(CFLAGS) -o $@ $(MAIN) $(LIBRARY) $(NV_LDFLAGS) $(if $(WHOLE),$(WHOLE) -Wno-maybe-uninitialized) $(LDFLAGS) $(LIBS)

$(LIBRARY): $(filter-out $(MAIN),$(OBJECTS))
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

$(O)/%.o: %.c $(GENERATED) $(O)/gen/config_generated.h
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(NV_CFLAGS) $(WHOLE) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/gen/%.o: $(O)/gen/%.c $(GENERATED) $(O)/gen/config_generated.h
	$(call quiet,CC)$(CC) $(NV_CFLAGS) $(WHOLE) $(CFLAGS) -MMD -MP -c -o $@ $<

# What a configuration does not name: limits are the default configuration's, features are off.
$(O)/gen/config_generated.h: $(O)/made_with $(CONFIGS) configs/default.config scripts/config_header.sh
	@mkdir -p $(@D)
	@{ grep '=[0-9]' configs/default.config; cat $(CONFIGS); } | sh scripts/config_header.sh > $@

$(O)/host/xdrgen: $(wildcard proto/*.c proto/*.h)
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) -std=c11 -O1 -g $(WARNINGS) -o $@ $(filter %.c,$^)

# The words of the sources: without CONFIG_CONTRACT_WHOLE, the contract has only what is among them.
WORDS := $(if $(CONFIG_CONTRACT_WHOLE),,$(O)/gen/words)
$(O)/gen/words: $(O)/made_with $(SOURCES)
	@mkdir -p $(@D)
	@cat $(SOURCES) | tr -cs 'A-Za-z0-9_' '\n' | sort -u > $@

$(PROTOCOLS:%.x=$(O)/gen/%.h) $(CONTRACT).c &: $(PROTOCOLS) $(O)/host/xdrgen $(O)/made_with $(WORDS)
	@mkdir -p $(O)/gen/proto
	$(call quiet,XDRGEN)$(O)/host/xdrgen $(WORDS:%=-w %) $(O)/gen/proto $(PROTOCOLS)

$(O)/host/schemagen: $(SCHEMAS) $(wildcard src/virt/schema/*.h) $(O)/gen/config_generated.h
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) -std=c11 -O1 -g $(WARNINGS) -Isrc -I$(O)/gen -o $@ $(SCHEMAS)

$(PACKED).h $(PACKED).c &: $(O)/host/schemagen
	@mkdir -p $(@D)
	$(call quiet,SCHEMA)$(O)/host/schemagen $(@D)

UNIT_SOURCES := $(wildcard test/unit/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(O)/%)

$(O)/test/unit/%: test/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(NV_CFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(LIBRARY) $(NV_LDFLAGS) $(APART) $(LDFLAGS) -lcmocka $(LIBS)

.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do $$t || exit 1; done

# The contract against independent descriptions of the protocol.
$(O)/test/contract/%: test/contract/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(NV_CFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(LIBRARY) $(NV_LDFLAGS) $(APART) $(LDFLAGS) $(LIBS)

CONTRACT_TESTS := $(patsubst %.c,$(O)/%,$(wildcard test/contract/*.c))
.PHONY: contract-test
contract-test: $(CONTRACT_TESTS)
	/usr/bin/python3 -B test/contract/contract.py $(O)/host/xdrgen $(O)/test/contract $(PROTOCOLS)

include test/sim.mk
include test/test.mk
include test/bench.mk
include test/fuzz.mk
include test/coverage.mk

# Where things are installed; DESTDIR goes in front. STRIP= leaves the symbols in.
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
sysconfdir ?= /etc
STRIP ?= $(CROSS_COMPILE)strip
# Who starts the daemon: systemd, sysvinit, procd, or none of them.
INIT ?= systemd
initdir_systemd ?= $(prefix)/lib/systemd/system
initdir_sysvinit ?= $(sysconfdir)/init.d
initdir_procd ?= $(sysconfdir)/init.d
# What is there besides the daemon, and the names that it has in $(bindir).
MANUALS = src/daemon/nanovirtd.8 $(if $(CONFIG_SASL),src/daemon/nanovirtd-passwd.8) \
          $(if $(CONFIG_SSH_HELPER),src/daemon/virt-ssh-helper.8) $(if $(CONFIG_TLS),scripts/nanovirt-pki.8) \
          $(if $(CONFIG_ACCESS),src/auth/nanovirt-access.conf.5)
LINKS = $(if $(CONFIG_SSH_HELPER),virt-ssh-helper)
SCRIPTS = $(if $(CONFIG_TLS),scripts/nanovirt-pki)

.PHONY: install
install: all
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8
	install -m 755 $(O)/nanovirtd $(DESTDIR)$(sbindir)/nanovirtd
	$(if $(STRIP),$(STRIP) $(DESTDIR)$(sbindir)/nanovirtd)
	$(foreach l,$(LINKS),ln -sf $(sbindir)/nanovirtd $(DESTDIR)$(bindir)/$l &&) true
	$(if $(SCRIPTS),install -m 755 $(SCRIPTS) $(DESTDIR)$(bindir))
	install -m 644 $(filter %.8,$(MANUALS)) $(DESTDIR)$(mandir)/man8
	$(if $(filter %.5,$(MANUALS)),install -m 644 $(filter %.5,$(MANUALS)) $(DESTDIR)$(mandir)/man5)
	$(foreach f,$(wildcard init/$(INIT)/*),install -D -m $(if $(filter systemd,$(INIT)),644,755) $f \
	    $(DESTDIR)$(initdir_$(INIT))/$(notdir $f) && \
	    sed -i 's|/usr/sbin/|$(sbindir)/|' $(DESTDIR)$(initdir_$(INIT))/$(notdir $f) &&) true

# One file with everything in it: musl, and mbedTLS built from the sources in MBEDTLS_SOURCE.
STATIC_O ?= $(O)-static
STATIC_CC ?= musl-gcc -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)
.PHONY: static
static:
	@test -n "$(MBEDTLS_SOURCE)" || { echo 'make static MBEDTLS_SOURCE=mbedtls-2.28.3' >&2; exit 1; }
	+@CC='$(STATIC_CC)' AR='$(AR)' sh scripts/mbedtls-static.sh $(MBEDTLS_SOURCE) $(STATIC_O)/mbedtls
	@$(MAKE) STATIC=1 O=$(STATIC_O) CC='$(STATIC_CC)' MBEDTLS=$(STATIC_O)/mbedtls all

.PHONY: run stop
run:
	@sh scripts/packages.sh build run
	@$(MAKE) all
	@sh test/guest/build.sh $(if $(filter aarch64,$(shell uname -m)),aarch64,x86_64) build/guest/$(if $(filter aarch64,$(shell uname -m)),aarch64,x86_64)
	@sh scripts/run.sh start
stop:
	@sh scripts/run.sh stop

.PHONY: menuconfig olddefconfig savedefconfig
menuconfig:
	kconfig-mconf Kconfig
olddefconfig:
	kconfig-conf --olddefconfig Kconfig
savedefconfig:
	kconfig-conf --savedefconfig=defconfig Kconfig

.PHONY: clean
clean:
	rm -rf $(O)

-include $(shell find $(O) -name unpacked -prune -o -type f -name '*.d' -print 2>/dev/null)
