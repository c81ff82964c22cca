# Build, run and test the gateway. `make run` and `make test` are all a fresh Debian or Ubuntu with Swift needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build install deb test-deb test-image test test-generators test-requests soak test-debian13 fuzz fuzz-readers sanitize check docs openapi format image clean

# Arguments of the demo: make run ARGS="--listen 127.0.0.1:9000"
ARGS ?=
# What builds the image: docker, or podman.
DOCKER ?= docker
IMAGE ?= zmq-gateway
# What --version tells of the build; unknown where there is no git.
export ZMQ_GATEWAY_COMMIT ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
# Where make install puts things, and DESTDIR before it.
PREFIX ?= /usr/local

sources := Package.swift Sources Tests Examples Fuzzing/Package.swift Fuzzing/Sources

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Install what is missing, build, and serve the demo on 127.0.0.1:8080
	@exec .build/release/zmq-gateway demo $(ARGS)

build: ## Install what is missing and build .build/release/zmq-gateway
	@Scripts/bootstrap build
	swift build -c release --product zmq-gateway

install: ## Install what make build has built, with manual, completions and a systemd unit, below PREFIX=/usr/local
	DESTDIR="$(DESTDIR)" Packaging/install .build/release/zmq-gateway $(PREFIX)

deb: ## Build the Debian package into .build-deb
	@Scripts/bootstrap deb
# By its stamp debhelper takes what is built for built, whatever has changed since.
	rm -f debian/debhelper-build-stamp
	debian/rules binary

test-deb: deb ## As root: install the Debian package into an empty root, use it, and remove it
	Packaging/test .build-deb/zmq-gateway_*.deb

test-image: deb ## As root: make the root of the image of the program of the Debian package, without Docker, and run the program in it
	Docker/test "$$(swift build -c release --scratch-path .build-deb --show-bin-path)/zmq-gateway"

test: export ZMQ_GATEWAY_PYTHON := $(CURDIR)/.venv/bin/python
test: ## Install what is missing, with a Python environment in .venv, and run all tests
	@Scripts/bootstrap test
	swift test

test-generators: build ## Make clients of the demo in Python, TypeScript and Go with openapi-generator, which needs Java, and call with the first
	@Scripts/bootstrap generators
	.venv/bin/python Tests/Interop/generators.py .build/release/zmq-gateway

test-requests: build ## Send the demo requests that schemathesis makes up from its document; ARGS="--max-examples 10"
	@Scripts/bootstrap requests
	.venv/bin/python Tests/Interop/made_up_requests.py .build/release/zmq-gateway $(ARGS)

soak: export ZMQ_GATEWAY_SOAK := 10
soak: ## Run the stress tests ten times as long: a million messages, 10,000 sockets, 60,000 hostile connections, 200 stops under load
	swift test --no-parallel --filter StressTests

fuzz: build ## Send mutated requests to the release, and print those it serves and h11 refuses, but for known ones; ARGS="--seed 2"
	@Scripts/bootstrap test
	.venv/bin/python Tests/Interop/fuzz.py .build/release/zmq-gateway $(ARGS)

fuzz-readers: ## Give the readers of MessagePack, pickles, requests, replies, configurations, headers and tokens mutated bytes for SECONDS=600 each, under AddressSanitizer
	Fuzzing/run $(or $(SECONDS),600)

sanitize: export ZMQ_GATEWAY_PYTHON := $(CURDIR)/.venv/bin/python
# A program under ThreadSanitizer sleeps for a second at its end. Frames of absurd lengths are refused, not fatal.
sanitize: export ASAN_OPTIONS := allocator_may_return_null=1
sanitize: export TSAN_OPTIONS := atexit_sleep_ms=0 allocator_may_return_null=1 suppressions=$(CURDIR)/Tests/Interop/tsan.supp
sanitize: ## Attack servers built with AddressSanitizer and ThreadSanitizer, and test the core under both; these may report nothing
	@Scripts/bootstrap test
	@for sanitizer in address thread; do \
	  swift build -c release --product zmq-gateway --sanitize=$$sanitizer --scratch-path .build-sanitize/$$sanitizer; \
	  .venv/bin/python Tests/Interop/sanitize.py .build-sanitize/$$sanitizer/release/zmq-gateway $(ARGS); \
	done
	@for sanitizer in address thread; do \
	  swift test --disable-xctest --no-parallel --sanitize=$$sanitizer --scratch-path .build-sanitize/$$sanitizer-tests --filter '^(Reactor|ZeroMQ)Tests\.'; \
	done

test-debian13: ## As root: make a Debian 13 root in .build-debian13, and run all tests in it
	@Scripts/debian13 make test

check: ## Check the format and build everything, warnings being errors
	@Scripts/bootstrap build
	swift format lint --strict --parallel --recursive $(sources)
	swift build --build-tests

docs: ## Build the documentation of the libraries into .build/documentation, warnings and what has no comment being errors
	@Scripts/docs

openapi: export ZMQ_GATEWAY_RENEW := 1
openapi: ## Write into openapi/gateway.yaml what the demo serves, after a change to its services or to what calls have in common
	swift test --disable-xctest --filter '^GatewayTests\.DemonstrationDocumentTests/inStep'

format: ## Format the sources in place
	swift format --in-place --parallel --recursive $(sources)

# Podman's own format has no place for the health check.
image: export BUILDAH_FORMAT := docker
image: ## Build the container image
	$(DOCKER) build -f Docker/Dockerfile --build-arg COMMIT=$(ZMQ_GATEWAY_COMMIT) -t $(IMAGE) .

clean: ## Remove what was built, .venv included
	rm -rf .build .build-deb .build-debian13 .build-sanitize Fuzzing/.build .venv
