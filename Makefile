# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The front door. Everything is built by meson and ninja in build/.
#
#   make run      install what is missing, build, boot the default guest, show it
#   make check    install what tests need, build, run every test: ends with "N passed, N failed"
#   make build    only build: the program is build/glassbox
#   make deps     only install what building and running need
#   make bench    print the figures of this machine
#   make fuzz     fuzz for FUZZ_SECONDS (60) a target
#   make install  install to PREFIX (/usr/local)

BUILD ?= build
PREFIX ?= /usr/local
RUN_ARGS ?=

# apt, meson and ninja come one after the other, also with make -j; ninja uses all processors by itself.
.NOTPARALLEL:

run: deps build
	@$(BUILD)/glassbox run $(RUN_ARGS)

deps:
	@tools/deps.sh build run

$(BUILD)/build.ninja:
	@tools/deps.sh build
	meson setup $(BUILD) --prefix=$(PREFIX)

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

check:
	@tools/deps.sh build run guests check
	@tools/check.sh

bench: build
	@$(BUILD)/glassbox bench

fuzz:
	@tools/deps.sh build check
	@tools/fuzz.sh

install: $(BUILD)/build.ninja
	meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	ninja -C $(BUILD)
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*

.PHONY: run deps build check bench fuzz install clean
