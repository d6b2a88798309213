# What a newcomer needs: `make demo` and `make test`. Everything else: `make help`.
# Each target fetches what it needs: pinned tools from the package registries into target/tools, system packages by
# apt-get when root on Debian (otherwise it says what is missing).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# cargo-nextest, cargo-deny and buf of the pinned versions come first.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)
# A developer's own DATABASE_URL must not leak into a build: .sqlx has what the macros need.
export SQLX_OFFLINE ?= true
CARGO ?= cargo
WEB := services/console/web

.PHONY: help demo run test torture chaos check fuzz bench pictures build alcove-verify bindings released-proto sqlx fmt tools system web control-room manifests images clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## one call from the 999 call to the verified exhibit, told step by step
	@deploy/dev/system-packages --browser-optional
	@$(MAKE) --no-print-directory tools web build
	@target/debug/dev demo

run: ## the same stack stays up, seeded, for your own two browser tabs
	@deploy/dev/system-packages --browser-optional
	@$(MAKE) --no-print-directory tools web build
	@target/debug/dev run

# nextest builds the binaries, too: with what the tests need of the crates below them, so `build` before it would build those twice.
test: system tools web control-room ## every test: Rust, doc tests, web pages, journeys in a real browser
	$(CARGO) nextest run --workspace --no-fail-fast
	$(CARGO) test --workspace --doc --quiet
	@$(MAKE) --no-print-directory alcove-verify # a minute and a half: what is handed out is another build than what was tested
	$(CARGO) nextest run --workspace --run-ignored only -E 'test(/^standalone::/)'
	cd $(WEB) && npm test
	node --test services/video-session/web/ tests/browser/
	deploy/dev/fuzz 3

torture: system tools ## kill -9 of the evidence store, 500 times over, while it takes segments and seals
	ALCOVE_TORTURE_LOOPS=500 $(CARGO) nextest run --workspace --no-capture -E 'test(/^torture::/)'

CHAOS_SECONDS ?= 900
CHAOS_CALLS ?= 20
chaos: system tools web build ## 20 calls while services, Postgres, NATS, networks, disks and clocks fail for CHAOS_SECONDS (900); again by CHAOS_SEED=
	target/debug/chaos --seconds $(CHAOS_SECONDS) --calls $(CHAOS_CALLS) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))

check: system tools web control-room ## fmt, clippy, generated code and .sqlx up to date, dashboards, licences and advisories, proto lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	$(CARGO) build --quiet --workspace --example generate # with `-p` what it needs would be built again for it alone
	target/debug/examples/generate --check
	deploy/dev/sqlx --check
	deploy/dev/promtool
	deploy/dev/collector
	deploy/k8s/validate >/dev/null # what it renders and finds is printed by `make manifests`
	cd proto && buf lint && buf breaking --against released.binpb
	cd $(WEB) && npm run check
	$(CARGO) fetch --quiet --locked # cargo-deny reads every platform's crates; a build fetches only its own
	$(CARGO) deny --offline check licenses bans sources
	@deploy/dev/advisories

FUZZ_SECONDS ?= 60
fuzz: system ## every parser, and printing, fuzzed for FUZZ_SECONDS (60) each; `make test` does the parsers for 3
	deploy/dev/fuzz $(FUZZ_SECONDS) all

bench: system tools web ## the figures of docs/performance.md, release build, into target/bench/results.json
	@deploy/dev/system-packages --bench
	$(CARGO) build --workspace --bins --release --quiet
	target/release/bench

manifests: tools ## what a cluster is given: every overlay rendered into target/manifests, and validated strictly
	@deploy/k8s/validate

images: system tools web ## an image of each service, each started once, and their bill of materials, into target/images: half an hour, and needs buildah
	@deploy/images/build

PICTURES = target/pictures
pictures: system tools web ## every screen of the caller's page and of the officers', for docs/page and docs/console: look at them
	mkdir -p $(PICTURES) docs/console
	cd $(WEB) && CONSOLE_PICTURES=$(CURDIR)/docs/console npx vitest run browser/screens.test.ts browser/sergeant.test.ts browser/callbacks.test.ts browser/lent.test.ts browser/rota.test.ts browser/later.test.ts browser/work.test.ts browser/work-help.test.ts browser/work-package.test.ts browser/work-statement.test.ts browser/work-schedule.test.ts browser/work-later.test.ts browser/due.test.ts
	PAGE_PICTURES=$(CURDIR)/$(PICTURES) $(CARGO) nextest run --workspace -E 'package(video-session) & test(/^page::/)'
	for picture in $(PICTURES)/*-en-390x844-100.png; do cp $$picture docs/page/$$(basename $$picture -en-390x844-100.png).png; done
	for screen in link waiting reconnecting taken unheard another-tab ways-in-app only-writes sound-only recipe parcel quiz; do cp $(PICTURES)/$$screen.png docs/page/; done
	for screen in live chat more; do cp $(PICTURES)/$$screen-en-844x390-100.png docs/page/$$screen-on-its-side.png; done

build: ## every binary, debug
	$(CARGO) build --workspace --bins

# A folder of its own: other flags would have everything else built again. `--target` keeps them from the build's own macros.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
alcove-verify: ## the verifier alone, one static file to hand to anybody: target/alcove-verify
	RUSTFLAGS='-C target-feature=+crt-static -C strip=symbols' $(CARGO) build --release --quiet \
		--package exhibit --bin alcove-verify --target $(HOST) --target-dir target/static
	cp target/static/$(HOST)/release/alcove-verify target/alcove-verify

bindings: tools $(WEB)/node_modules/.package-lock.json ## crates/api/src/gen and the console's TypeScript from proto/
	$(CARGO) build --quiet --workspace --example generate
	target/debug/examples/generate
	cd $(WEB) && npm run gen

released-proto: tools ## proto/released.binpb, what `make check` compares proto/ with: when a contract is given out, never to quiet the check
	cd proto && buf build --exclude-source-info -o released.binpb

sqlx: tools ## .sqlx from the migrations
	deploy/dev/sqlx

fmt: ## formats all Rust
	$(CARGO) fmt --all

tools: ## Postgres, NATS, buf, cargo-deny, nextest, kubectl and the foreign peers, pinned, into target/tools
	@deploy/dev/fetch-tools

system: ## the system's packages: browser, ffmpeg, OpenSSL
	@deploy/dev/system-packages

# npm leaves .package-lock.json when it has finished: a cut-off install is done again.
$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund --silent
tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund --silent

# Node has no types of its own: the control room of tests/foreign is compiled.
CONTROL_ROOM := tests/foreign/control-room
$(CONTROL_ROOM)/node_modules/.package-lock.json: $(CONTROL_ROOM)/package-lock.json
	cd $(CONTROL_ROOM) && npm ci --no-audit --no-fund --silent
control-room: tools $(CONTROL_ROOM)/node_modules/.package-lock.json ## the TypeScript control room that the tests run
	@cd $(CONTROL_ROOM) && npm run --silent build

web: $(WEB)/node_modules/.package-lock.json tests/browser/node_modules/.package-lock.json ## the console's page
	@cd $(WEB) && npm run build --silent

clean: ## all that was built or fetched
	rm -rf target $(WEB)/node_modules $(WEB)/dist tests/browser/node_modules $(addprefix $(CONTROL_ROOM)/, node_modules gen dist)
