# bgpward: BGP sessions in transport-mode ESP. `make help` lists the targets.

PREFIX     ?= /usr
SYSCONFDIR ?= /etc
BUILD      ?= build
PLANE      ?= auto
ifeq ($(origin CC),default)
CC         := gcc
endif
CLANG      ?= clang
V          ?= 0
Q           = $(if $(filter 0,$(V)),@)
say         = $(if $(filter 0,$(V)),@printf '  %-8s%s\n' $(1) $(2))

LIBS    := libcrypto libevent_core libbpf libmnl libconfuse jansson
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	   -Wformat=2 -Wimplicit-fallthrough $(if $(CI),-Werror)
HARDEN  := -fstack-protector-strong -fstack-clash-protection \
	   -fno-strict-aliasing -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=3)
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=gnu17 $(CFLAGS) $(WARN) $(HARDEN) $(SANITIZE) -D_GNU_SOURCE \
	   -I. -I$(BUILD) -MMD -MP $(shell pkg-config --cflags $(LIBS))
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
	   $(SANITIZE) $(LDFLAGS)
LDLIBS   = $(shell pkg-config --libs $(LIBS))

# The two programs' own files; everything else in sidecar/ is in sidecar.a.
MAINS   := sidecar/bgpwardd.c sidecar/bgpward.c
objects  = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c $(MAINS),$(wildcard $(1)/*.c)))
ROOMS   := ike policy bpf sidecar
ARCHIVES := $(ROOMS:%=$(BUILD)/%.a)
PROGRAMS := $(BUILD)/bgpwardd $(BUILD)/bgpward

# Tests by the folder that they may see: tests/unit/ike_x.c links ike.a only.
UNIT    ?= *
unit_of  = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/$(1)_$(UNIT).c))
UNITS    = $(foreach r,$(ROOMS),$(call unit_of,$(r)))
SIMS     = $(patsubst %.c,$(BUILD)/%,$(filter-out %_lib.c,$(wildcard tests/sim/*.c)))
BPFTESTS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bpf/*.c))
# seeds.c is no target: it writes their corpora.
FUZZERS  = $(patsubst %.c,$(BUILD)/%,$(filter-out %/seeds.c,$(wildcard tests/fuzz/*.c)))
FUZZ_SECONDS ?= 60
SCRIPTS  = $(wildcard tests/unit/*.t tests/lint/*.t tests/fuzz/*.t)
SCENARIOS = $(wildcard tests/e2e/*.t)
# With strongSwan, in the kernel plane only; then, in the end, README's table of
# them is checked.
INTEROP  = $(wildcard tests/interop/swan_*.t)
TABLE    = tests/interop/table.t
# the same files under another name, by which tests/e2e/lib.sh knows the plane
USER_SCENARIOS = $(SCENARIOS:tests/e2e/%=$(BUILD)/user-plane/%)
PROVE    = CMOCKA_MESSAGE_OUTPUT=TAP BUILD=$(abspath $(BUILD)) prove --exec tests/run

all: $(PROGRAMS)

help:
	@echo 'all      build bgpwardd and bgpward into $(BUILD)/ (the default)'
	@echo 'demo     install what is needed, then show a protected BGP session'
	@echo '         (PLANE=kernel: not by the user plane, but in a virtual machine)'
	@echo 'test     install what is needed, then run every test'
	@echo 'unit     unit tests, simulation and classifier tests (no network)'
	@echo 'sim      simulated pairs over bad networks, SEEDS=n of each kind (100000)'
	@echo 'e2e      scenarios with real BIRD and strongSwan (needs root)'
	@echo 'interop  strongSwan in both roles; writes the table in README.md'
	@echo 'lint     include directions, clang-tidy, cppcheck, shellcheck'
	@echo 'asan     unit tests under AddressSanitizer and UBSan'
	@echo 'fuzz     every fuzz target, FUZZ_SECONDS=n each (60)'
	@echo 'bench    install what is needed, then measure (8 minutes); results in'
	@echo '         tests/bench/out/*.json; BENCH="--only handshake" for a part'
	@echo 'bench-table  what was measured into the README, plots beside the results'
	@echo 'deps     install what building and testing need (Debian 12)'
	@echo 'install  into $$DESTDIR$(PREFIX)'
	@echo 'clean    remove $(BUILD)/ and tests/out/'
	@echo 'V=1 shows commands; UNIT=glob picks unit tests'

deps:
	$(Q)deploy/deps

# ---------------------------------------------------------------- building

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# clang's own headers first, then the target's for asm/types.h
$(BUILD)/bpf/classifier.bpf.o: bpf/classifier.bpf.c bpf/classifier.h
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -O2 -g -Wall -Wextra -Werror -I. \
		-idirafter /usr/include/$(shell uname -m)-linux-gnu -c -o $@ $<

$(BUILD)/bpf/classifier.skel.h: $(BUILD)/bpf/classifier.bpf.o
	$(call say,SKEL,$@)
	$(Q)bpftool gen skeleton $< name classifier_bpf > $@.tmp && mv $@.tmp $@

$(BUILD)/bpf/guard.o: $(BUILD)/bpf/classifier.skel.h

define archive
$(BUILD)/$(1).a: $(call objects,$(1))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call archive,$(r))))

$(PROGRAMS): $(BUILD)/%: $(BUILD)/sidecar/%.o $(BUILD)/sidecar.a $(BUILD)/policy.a $(BUILD)/ike.a $(BUILD)/bpf.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# ----------------------------------------------------------------- testing

define test_program
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
endef
$(call unit_of,ike): %: %.o $(BUILD)/ike.a
	$(test_program)
$(call unit_of,policy): %: %.o $(BUILD)/policy.a
	$(test_program)
$(call unit_of,bpf) $(BPFTESTS): %: %.o $(BUILD)/bpf.a
	$(test_program)
# tests/sim/heap.h sees what is freed
$(SIMS): LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=free
$(SIMS): %: %.o $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*_lib.c)) $(BUILD)/ike.a
	$(test_program)
$(call unit_of,sidecar): %: %.o $(BUILD)/sidecar.a $(BUILD)/policy.a $(BUILD)/ike.a $(BUILD)/bpf.a
	$(test_program)

$(FUZZERS) $(BUILD)/tests/fuzz/seeds: %: %.o $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*_lib.c)) $(BUILD)/sidecar.a $(BUILD)/policy.a $(BUILD)/ike.a $(BUILD)/bpf.a
	$(test_program)

# bench.t measures a heap that is the sanitizers' own under them.
unit: $(UNITS) $(SIMS) $(BPFTESTS) $(PROGRAMS)
	$(PROVE) $(UNITS) $(SIMS) $(BPFTESTS) \
		$(filter-out $(if $(SANITIZE),%/bench.t),$(wildcard tests/unit/*.t))

# A seed that fails names itself: SEED=n $(BUILD)/tests/sim/ike_... runs it alone.
SEEDED   = $(addprefix $(BUILD)/tests/sim/ike_,steady upheaval)

sim: $(SEEDED)
	SEEDS=$(or $(SEEDS),100000) $(PROVE) -j2 $(SEEDED)

user-plane:
	$(Q)mkdir -p $(BUILD) && ln -sfn $(abspath tests/e2e) $(BUILD)/user-plane

e2e: $(PROGRAMS) $(UNITS) $(BPFTESTS) user-plane
	tests/lab/run $(SCENARIOS) $(INTEROP)
	$(PROVE) $(SCENARIOS) $(INTEROP) $(USER_SCENARIOS) $(TABLE)

interop: $(PROGRAMS)
	tests/lab/run $(INTEROP)
	-$(PROVE) $(INTEROP)
	tests/interop/table --write README.md
	$(PROVE) $(TABLE)

asan:
	$(MAKE) BUILD=build/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' CFLAGS='-O1 -g' unit

# clang, with coverage for libFuzzer in everything, into $(BUILD)/fuzz.
fuzzers:
	$(MAKE) BUILD=$(BUILD)/fuzz CC=$(CLANG) CI= WARN= CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' fuzz-programs

fuzz-programs: LDFLAGS += -fsanitize=fuzzer
fuzz-programs: $(FUZZERS)

fuzz: fuzzers
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(PROVE) -v tests/fuzz/fuzz.t

# The seed corpora, made anew.
seeds: $(BUILD)/tests/fuzz/seeds
	$< tests/fuzz/corpus

lint:
	$(PROVE) $(wildcard tests/lint/*.t)

test: deps
	$(MAKE) -j$(shell nproc) test-all

# One prove for all, so that its last line counts all.
test-all: $(UNITS) $(SIMS) $(BPFTESTS) $(PROGRAMS) fuzzers user-plane
	tests/lab/run $(SCENARIOS) $(INTEROP)
	$(PROVE) -j2 $(UNITS) $(SIMS) $(BPFTESTS) $(SCRIPTS) $(SCENARIOS) $(INTEROP) $(USER_SCENARIOS) $(TABLE)

demo: deps
	$(MAKE) -j$(shell nproc) all
	PLANE=$(PLANE) tests/e2e/demo

BENCHES := $(patsubst %.c,$(BUILD)/%,$(filter-out %_lib.c,\
	$(wildcard tests/bench/*.c)))

$(BUILD)/tests/bench/handshake: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/handshake_*_lib.c))
$(BENCHES): %: %.o $(BUILD)/sidecar.a $(BUILD)/policy.a $(BUILD)/ike.a $(BUILD)/bpf.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

bench:
	$(Q)deploy/deps --bench
	$(MAKE) -j$(shell nproc) all $(BENCHES)
	BUILD=$(abspath $(BUILD)) tests/bench/measure.py $(BENCH)

# What the last run measured, into the README; plots into tests/bench/out.
bench-table:
	tests/bench/table.py README.md

# -------------------------------------------------------------- installing

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(SYSCONFDIR)/bgpward \
		$(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/sbin
	install -m 0644 deploy/bgpwardd.service $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 0644 $(wildcard deploy/*.5) $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 0644 $(wildcard deploy/*.8) $(DESTDIR)$(PREFIX)/share/man/man8

clean:
	rm -rf build tests/out

.PHONY: all help deps unit sim e2e user-plane interop asan fuzz fuzzers fuzz-programs seeds lint test test-all demo bench bench-table install clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
