# SPDX-License-Identifier: MIT
# make            the executables, in build/bin/
# make check      all tests: built by gcc, under ASan+UBSan, built by clang; then the linters
# make soak       the same with the long counts, and the fuzzers for FUZZ_SECONDS each
# make bench      figures                          make fuzz       libFuzzer binaries, in build/fuzz/
# make lint       rooms, scripts, man pages        make format     lay the code out anew
# make install    DESTDIR= PREFIX= BINDIR= ...     make uninstall  the same folders
# make dist       the release tarball, with SIGN=KEY a package of it too
# make html       the manual pages, in build/html  make deb-check  the Debian packages
# make clean

VERSION := 0.1.0
comma := ,
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
COMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
USERUNITDIR ?= $(PREFIX)/lib/systemd/user
SCHEMADIR ?= $(DATADIR)/tds/schemas
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
EXAMPLEDIR ?= $(DATADIR)/doc/tds/examples
# The tools find these two from where they are themselves, so that all may be moved together, and no path is built in.
override LIBEXECDIR = $(patsubst %/,%,$(dir $(BINDIR)))/libexec/tds
override HOSTDIR = $(patsubst %/,%,$(dir $(BINDIR)))/share/tds/host
INSTALL ?= install
OBJCOPY ?= objcopy
PKG_CONFIG ?= pkg-config

# Each variant (plain, asan, clang, ...) has its own objects; the plain one leaves its tools in build/bin.
VARIANT ?= plain
B := build/$(VARIANT)
BIN := $(if $(filter plain,$(VARIANT)),build/bin,$(B)/bin)

WARNINGS := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
	-Wwrite-strings -Wimplicit-fallthrough $(if $(WERROR),-Werror)
SANITIZE :=
ifeq ($(VARIANT),asan)
SANITIZE := -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer
endif
ifeq ($(VARIANT),clang)
CC := clang
endif
ifeq ($(VARIANT),fuzz)
CC := clang
SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

# Of each the compiler is asked, and it is done without where that does not know it; a sanitizer has its own. Debian's start
# files do not say that they are fit for a shadow stack, though they are, so the linker is told. (They are not for IBT.)
takes = $(shell echo 'int a;' | $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
ZERO := -ftrivial-auto-var-init=zero
HARDENING := -fPIE
ifeq ($(SANITIZE),)
CET := $(call takes,-fcf-protection=full)
FORTIFY := $(shell echo __USE_FORTIFY_LEVEL | $(CC) -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -include features.h -E -P - 2>/dev/null | tail -n 1)
HARDENING += -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(or $(FORTIFY),2) $(CET) \
	$(call takes,-mbranch-protection=standard) $(call takes,-fstack-clash-protection) \
	$(or $(call takes,$(ZERO)),$(call takes,$(ZERO) -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang))
endif
LIBS := libssl libcrypto libarchive jansson libevent_core libseccomp
TDS_CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTDS_VERSION='"$(VERSION)"' -Iinclude -Ilibcommon -Ilibexec $(shell $(PKG_CONFIG) --cflags $(LIBS))
TDS_CFLAGS := -std=gnu11 -O2 -g -pthread -ffile-prefix-map=$(CURDIR)=. $(WARNINGS) $(HARDENING) $(SANITIZE)
TDS_LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack$(if $(CET),$(comma)-z$(comma)shstk) -Wl,--as-needed $(SANITIZE)
LDLIBS += $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)")
quote = '$(subst ','\'',$(1))'
COMPILE = $(CC) $(CPPFLAGS) $(TDS_CPPFLAGS) $(TDS_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
LINK = $(CC) $(TDS_CFLAGS) $(CFLAGS) $(TDS_LDFLAGS) $(LDFLAGS) -o $@ $(filter-out FORCE,$^)

# A tool is bin/NAME.c, or a folder bin/NAME/ of several files.
TOOLS := $(sort $(patsubst bin/%.c,%,$(wildcard bin/*.c)) $(patsubst bin/%/main.c,%,$(wildcard bin/*/main.c)))
tool_objects = $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard bin/$(1).c bin/$(1)/*.c)))
LIB_OBJECTS := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard libcommon/*/*.c)))
DAEMON_OBJECTS := $(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c,$(sort $(wildcard libexec/daemon/*.c libexec/daemon/*/*.c))))

# What tools start but people do not: C programs, and the Python host as it is. Found from the folder of the tools.
LIBEXEC := $(BIN:%/bin=%)/libexec/tds
HOSTED := $(BIN:%/bin=%)/share/tds/host
# tds-link is made where libnats is, which it alone is linked with; without it a system is in no convention.
NATS := $(shell $(PKG_CONFIG) --exists libnats 2>/dev/null && echo libnats)
LINK_OBJECTS := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard libexec/link/*.c)))
PROGRAMS := tds-daemon $(if $(NATS),tds-link) $(patsubst libexec/%.c,%,$(wildcard libexec/*.c))
objects_of_tds-daemon = $(B)/obj/libexec/daemon/main.o $(B)/daemon.a
objects_of_tds-link = $(LINK_OBJECTS)
program_objects = $(or $(objects_of_$(1)),$(B)/obj/libexec/$(1).o)

# For programs of others, in C.
LIBTDS := $(BIN:%/bin=%)/lib/libtds.a

all: man/tds-director.1 $(TOOLS:%=$(BIN)/%) $(PROGRAMS:%=$(LIBEXEC)/%) $(HOSTED) $(LIBTDS)
	$(if $(NATS),,@echo 'tds-link is left out, without which there is no convention: pkg-config knows no libnats')

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE)

# Other flags, and everything is made anew.
FLAGS := $(filter-out -Werror,$(CC) $(CPPFLAGS) $(TDS_CPPFLAGS) $(TDS_CFLAGS) $(CFLAGS) $(TDS_LDFLAGS) $(LDFLAGS))
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(FLAGS)) | cmp -s - $@ || printf '%s\n' $(call quote,$(FLAGS)) >$@

# These hold files, and the compiler does not tell.
$(B)/obj/bin/tds-gensrc/script.o: libexec/tds-pysource.py
$(B)/obj/bin/tds-admin/boottemplates.o: $(wildcard boot/*)

$(B)/libcommon.a: $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# One object, with what it needs of the library below the tools; nothing can be seen of it but what its header declares.
API := $(shell sed -n 's/^[^/ ].*\<\(tds_[a-z_]*\)(.*).*;.*/\1/p' include/tds/client.h)
$(LIBTDS): $(B)/obj/libtds/client.o $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(B)/libtds.o $^
	$(Q)$(OBJCOPY) $(API:%=--keep-global-symbol=%) $(B)/libtds.o
	$(Q)rm -f $@ && $(AR) rcsD $@ $(B)/libtds.o

# Where things are, for pkg-config.
PROTOCOL := $(shell sed -n 's/^.define TDS_PROTOCOL \([0-9]*\).*/\1/p' libcommon/base/release.h)
PC := $(foreach v,PREFIX LIBDIR INCLUDEDIR SCHEMADIR VERSION PROTOCOL,-e 's|@$(v)@|$($(v))|')
TDS_PC = $(LIBDIR)/pkgconfig/tds.pc

# The rooms of the daemon, for it and for their unit tests.
$(B)/daemon.a: $(DAEMON_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

.SECONDEXPANSION:
$(TOOLS:%=$(BIN)/%): $$(call tool_objects,$$(@F)) $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(LDLIBS)

$(LINK_OBJECTS): TDS_CPPFLAGS += $(shell $(PKG_CONFIG) --cflags $(NATS) 2>/dev/null)
$(LIBEXEC)/tds-link: LDLIBS += $(shell $(PKG_CONFIG) --libs $(NATS) 2>/dev/null)
$(PROGRAMS:%=$(LIBEXEC)/%): $$(call program_objects,$$(@F)) $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(LDLIBS)

# The Python host and its compiled form, which is read whenever it is there: the hash in it is never compared, so that
# the same sources give the same bytes, whatever their times. Nothing is written at run time.
HOST := $(sort $(shell cd libexec/host && find * -name '*.py'))
PYTHON ?= python3
PYTAG = $(eval PYTAG := $(shell $(PYTHON) -c 'import sys; print(sys.implementation.cache_tag)' 2>/dev/null))$(PYTAG)
HOST_COMPILED = $(if $(PYTAG),$(foreach f,$(HOST),$(patsubst ./%,%,$(dir $(f)))__pycache__/$(basename $(notdir $(f))).$(PYTAG).pyc))
$(HOSTED): $(HOST:%=libexec/host/%)
	$(call say,PY,$@)
	$(Q)rm -rf $@.new && for f in $(HOST); do $(INSTALL) -D -m 0644 libexec/host/$$f $@.new/$$f || exit; done
	$(Q)$(if $(PYTAG),$(PYTHON) -m compileall -q -s $@.new/ --invalidation-mode unchecked-hash $@.new)
	$(Q)rm -rf $@ && mv $@.new $@

# Its table of deliberate differences is the one that the replay of recorded sessions goes by.
man/tds-director.1: man/tds-director.1.in tests/sessions/differences.json tests/sessions/page
	$(call say,PAGE,$@)
	$(Q)tests/sessions/page <$< >$@.new && mv $@.new $@

# tests/unit/t_NAME.c and tests/fuzz/fuzz_NAME.c (with a main that replays files) are programs of their own. Those of the
# Director have a world in memory, tests/unit/fake_*.c.
FAKES := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/unit/fake_*.c))
$(B)/fakes.a: $(FAKES)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/t_*.c))
$(UNIT): $(B)/tests/%: $(B)/obj/tests/unit/%.o $(B)/fakes.a $(B)/daemon.a $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(LDLIBS) -lcmocka

REPLAY := $(patsubst tests/fuzz/fuzz_%.c,$(B)/tests/replay_%,$(wildcard tests/fuzz/fuzz_*.c))
$(REPLAY): $(B)/tests/replay_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay.o $(B)/fakes.a $(B)/daemon.a $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(LDLIBS) -lcmocka

# The same tools as another version, elsewhere, for tests/cases/t_versions.py: one object tells them apart.
OTHER := $(B)/other
OTHER_VERSION := 99.0.0
$(OTHER)/release.o: libcommon/base/release.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(TDS_CPPFLAGS) -UTDS_VERSION -DTDS_VERSION='"$(OTHER_VERSION)"' $(TDS_CFLAGS) $(CFLAGS) -c -o $@ $<

OTHER_TOOLS := tds-admin tds-load
$(OTHER_TOOLS:%=$(OTHER)/bin/%): $$(OTHER)/release.o $$(call tool_objects,$$(@F)) $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(LDLIBS)

$(OTHER)/libexec/tds/tds-link: LDLIBS += $(shell $(PKG_CONFIG) --libs $(NATS) 2>/dev/null)
$(PROGRAMS:%=$(OTHER)/libexec/tds/%): $$(OTHER)/release.o $$(call program_objects,$$(@F)) $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(LDLIBS)

other: $(OTHER_TOOLS:%=$(OTHER)/bin/%) $(PROGRAMS:%=$(OTHER)/libexec/tds/%) $(HOSTED)
	@mkdir -p $(OTHER)/share/tds
	$(Q)ln -sfn $(abspath $(HOSTED)) $(OTHER)/share/tds/host

# Preloaded by tests/cases/t_faults.py; never sanitized, since it comes before the sanitizer, whose malloc is its own.
FAULTS := $(B)/tests/faults.so
$(FAULTS): tests/faults/faults.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -D_GNU_SOURCE $(if $(SANITIZE),,-DTDS_FAULT_MALLOC) -std=gnu11 -O2 -g $(WARNINGS) -fPIC \
		-shared -o $@ $< -ldl

# The fuzzers, with a main that is libFuzzer's; their objects are those of a variant of its own.
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz:
	$(again) VARIANT=fuzz fuzzers
fuzzers: $(FUZZ)
$(FUZZ): $(B)/%: $(B)/obj/tests/fuzz/%.o $(B)/fakes.a $(B)/daemon.a $(B)/libcommon.a
	$(call say,FUZZ,$@)
	$(Q)$(LINK) -fsanitize=fuzzer $(LDLIBS) -lcmocka

# What needs neither bats nor clang, nor a running daemon: for who builds a package.
unit: all $(UNIT) $(REPLAY)

tests: all $(UNIT) $(REPLAY) $(FAULTS) other

# Both cores, unless the user said how many.
JOBS ?= $(shell nproc)
again = $(Q)+$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS)) WERROR=1
variants:
	$(again) VARIANT=plain tests
	$(again) VARIANT=asan tests
	$(again) VARIANT=clang tests

check: variants
	$(Q)tests/run -j $(JOBS) system plain asan lint

FUZZ_SECONDS ?= 600
soak: variants fuzz
	$(Q)TDS_SCALE=20 FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run -j $(JOBS) system plain asan lint fuzz release

# The Debian packages: built, and installed, used, upgraded and removed in a chroot. As root; soak does it too.
deb-check:
	$(Q)tests/run -k deb.bats release

lint: all
	$(Q)tests/run -j $(JOBS) lint

FORMATTED = $(wildcard include/tds/*.h libtds/*.c examples/*.c bin/*.c bin/*/*.[ch] libcommon/*/*.[ch] libexec/*.c libexec/link/*.[ch] libexec/daemon/*.[ch] libexec/daemon/*/*.[ch] tests/*/*.[ch] bench/*.c)
format:
	$(Q)clang-format -i $(FORMATTED)

# An empty program for each tool, and one that checks a signature, linked with the libraries of the tool.
needed = -Wl,--no-as-needed $$(readelf -d $(1) | sed -n 's/.*(NEEDED).*\[\(.*\)\]/-l:\1/p')
$(TOOLS:%=$(B)/bench/empty-%): $(B)/bench/empty-%: bench/empty.c $(BIN)/%
	@mkdir -p $(@D)
	$(Q)$(CC) $(TDS_CFLAGS) $(TDS_LDFLAGS) -o $@ $< $(call needed,$(BIN)/$*)
$(B)/bench/onesig: bench/onesig.c $(BIN)/tds-verify
	@mkdir -p $(@D)
	$(Q)$(CC) $(TDS_CPPFLAGS) $(TDS_CFLAGS) $(TDS_LDFLAGS) -o $@ $< $(call needed,$(BIN)/tds-verify)

$(B)/bench/natslink: bench/natslink.c $(LIBEXEC)/tds-link $(B)/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(TDS_CPPFLAGS) $(TDS_CFLAGS) $(TDS_LDFLAGS) -o $@ $< $(B)/libcommon.a $(LDLIBS) $(shell $(PKG_CONFIG) --libs $(NATS) 2>/dev/null)

bench: all $(TOOLS:%=$(B)/bench/empty-%) $(B)/bench/onesig $(if $(NATS),$(B)/bench/natslink)
	$(Q)bench/run $(BIN) $(B)/bench

# What goes where; install and uninstall read the same list. Each line: mode, file, place.
PAGES := $(wildcard man/*.[1-9])
placed = $(foreach t,$(TOOLS),0755:$(BIN)/$(t):$(BINDIR)/$(t)) \
	$(foreach p,$(PAGES),0644:$(p):$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p))) \
	$(foreach c,$(wildcard completions/bash/*),0644:$(c):$(COMPDIR)/$(notdir $(c))) \
	$(foreach c,$(wildcard completions/zsh/*),0644:$(c):$(ZSHCOMPDIR)/$(notdir $(c))) \
	$(foreach c,$(wildcard completions/fish/*),0644:$(c):$(FISHCOMPDIR)/$(notdir $(c))) \
	0644:include/tds/client.h:$(INCLUDEDIR)/tds/client.h 0644:$(LIBTDS):$(LIBDIR)/libtds.a \
	0644:examples/ask.c:$(EXAMPLEDIR)/ask.c \
	$(foreach e,$(wildcard examples/operating/*),0644:$(e):$(EXAMPLEDIR)/operating/$(notdir $(e))) \
	$(foreach s,$(wildcard schemas/*.json),0644:$(s):$(SCHEMADIR)/$(notdir $(s))) \
	$(foreach p,$(PROGRAMS),0755:$(LIBEXEC)/$(p):$(LIBEXECDIR)/$(p)) \
	$(foreach f,$(HOST) $(HOST_COMPILED),0644:$(HOSTED)/$(f):$(HOSTDIR)/$(f))
# Units for any director directory, %f, of one template: of root, of the user tds, of a user's own systemd.
UNITS := root:$(UNITDIR)/tds@.service own:$(UNITDIR)/tds-own@.service user:$(USERUNITDIR)/tds@.service
unit_of = sed -e '/^\# Written by/d' -e '/^{/{/^{[^}]*$(1)/!d;s/^{[^}]*} //}' \
	-e 's|@admin@|$(BINDIR)/tds-admin|;s|@load@|$(BINDIR)/tds-load|;s|@dir@|%f|;s|@setdir@|THESPIAN_DIRECTOR_DIR=%f|' \
	-e 's|@user@|tds|;s|@writable@|-%f -/var/lib/tds|;s|@home@|yes|;s|@tmp@|yes|' boot/systemd.service
stage_unit = $(call unit_of,$(1)) | $(INSTALL) -D -m 0644 /dev/stdin $(call quote,$(DESTDIR)$(2))

install: all
	$(Q)$(MAKE) --no-print-directory stage

# What is built already, put in its places.
stage:
	$(Q)set -e; for p in $(placed); do IFS=:; set -- $$p; $(INSTALL) -D -m "$$1" "$$2" "$(DESTDIR)$$3"; done
	$(Q)sed $(PC) libtds/tds.pc.in | $(INSTALL) -D -m 0644 /dev/stdin $(call quote,$(DESTDIR)$(TDS_PC))
	$(Q)$(foreach u,$(UNITS),$(call stage_unit,$(firstword $(subst :, ,$(u))),$(lastword $(subst :, ,$(u)))) &&) :

uninstall:
	$(Q)for p in $(placed) :$(TDS_PC) $(UNITS); do rm -f "$(DESTDIR)$${p##*:}"; done

# The manual pages for a browser, with links to each other; to those of others, where Debian has them.
HTMLDIR ?= build/html
html: $(PAGES:man/%=$(HTMLDIR)/%.html) $(HTMLDIR)/tds.css $(HTMLDIR)/index.html
$(HTMLDIR)/%.html: man/%
	@mkdir -p $(@D)
	$(Q)cd man && mandoc -T html -O 'style=tds.css,toc,man=%N.%S.html;https://manpages.debian.org/%N.%S' $* >$(abspath $@)
$(HTMLDIR)/tds.css: man/tds.css
	$(Q)$(INSTALL) -D -m 0644 $< $@
$(HTMLDIR)/index.html: man/index.awk $(PAGES)
	@mkdir -p $(@D)
	$(Q)awk -f man/index.awk $(sort $(PAGES)) >$@

# The same commit gives the same bytes.
TARBALL ?= build/tds-$(VERSION).tar.gz
RELEASE = $(dir $(TARBALL))tds-$(VERSION).tls
dist:
	@mkdir -p $(dir $(TARBALL))
	$(Q)git archive --prefix=tds-$(VERSION)/ HEAD | gzip -9n >$(TARBALL).new
	$(Q)touch -d @$$(git log -1 --format=%ct HEAD) $(TARBALL).new && mv $(TARBALL).new $(TARBALL)
	@echo $(TARBALL)
ifneq ($(SIGN),)
	$(Q)$(BIN)/tds-gensrc -q -C $(dir $(TARBALL)) -o $(RELEASE) --no-check tds $(SIGN) $(dir $(TARBALL)) version:$(VERSION) \
		$(notdir $(TARBALL))
	@echo $(RELEASE)
endif

dist: $(if $(SIGN),$(BIN)/tds-gensrc)

clean:
	rm -rf build

FORCE:
.PHONY: all unit deb-check tests other fuzz fuzzers variants check soak lint format bench install stage uninstall html dist clean FORCE
.DELETE_ON_ERROR:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
