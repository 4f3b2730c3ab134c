# make image PROFILE=profiles/quickstart.yaml   a card image in out/
# make run PROFILE=profiles/quickstart.yaml     boots it, emulated, and shows what it publishes
# make test                                     proves all of it
# Each does the set-up it needs; what is done already is not done again.

PROFILE ?= profiles/quickstart.yaml
IMAGE = out/$(basename $(notdir $(PROFILE))).img
CARGO ?= cargo
IMGBUILD = target/release/imgbuild

# the builder finds its agents beside itself
unexport CARGO_TARGET_DIR
unexport CARGO_BUILD_TARGET_DIR

.PHONY: image run test lint bench soak agents builder setup certificates clean

image: builder agents certificates
	@mkdir -p out
	$(IMGBUILD) build $(PROFILE) --output $(IMAGE)

run: builder agents certificates
	$(IMGBUILD) run $(PROFILE)

test: agents
	$(CARGO) test --workspace --locked

lint: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings

bench: builder agents certificates
	$(CARGO) build --release --locked --package imgbuild --example unpack
	$(CARGO) run --quiet --release --package xtask -- bench
	$(CARGO) bench --quiet --locked --package imgbuild-agent --bench figures

# the long campaigns, of which `make test` runs a short form: 200 kills in the middle of a download, of a build and of
# flashing each, 10,000 damaged images, ten minutes of tokens renewed, an hour of damaged profiles
soak: setup
	IMGBUILD_KILLS=200 $(CARGO) test --locked --package imgbuild --test builder -- cache::a_cache_is_sound killed
	IMGBUILD_DAMAGED=10000 IMGBUILD_DAMAGED_SEED=$$(date +%s) \
		$(CARGO) test --locked --package imgbuild --test builder -- --nocapture damaged::damaged_images
	IMGBUILD_RENEWAL=600 $(CARGO) test --locked --package imgbuild-agent --test agent -- --nocapture renewed
	$(CARGO) run --quiet --locked --package xtask -- fuzz --seconds 3600

builder: setup
	$(CARGO) build --release --locked --package imgbuild

agents: setup
	$(CARGO) run --quiet --locked --package xtask -- agents

setup:
	@sh xtask/setup/install.sh

# throw-away keys for the quickstart profile, made once; never in the repository
certificates: setup
	@[ "$(abspath $(PROFILE))" != "$(abspath profiles/quickstart.yaml)" ] || sh profiles/quickstart-keys.sh

clean:
	rm -rf out target
