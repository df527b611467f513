# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Names built from sources are rebuilt by Go itself, which knows best when.
BIN := bin
ASSETS := $(BIN)/assets
TOOLS := $(BIN)/tools
CHART := charts/joberror-operator
GENERATED_API := ./api/v1 ./api/resolve/v1
META := k8s.io/apimachinery/pkg/apis/meta/v1 k8s.io/apimachinery/pkg/runtime k8s.io/apimachinery/pkg/version
comma := ,
# The race detector needs a C compiler on most systems. Asked for by the tests
# only, not at each call of make.
RACE = $(if $(shell command -v "$$(go env CC)"),-race,$(info no C compiler: tests run without the race detector))
empty :=
space := $(empty) $(empty)

VERSION ?= $(shell git describe --tags --always --dirty)
# The image that the manifests name. No registry belongs to the project: push it
# to yours and say so, as in make build-installer IMG=…
IMG ?= joberror-operator:latest

CHECKSUMS := find api internal config dist $(CHART)/files -type f \( -name 'zz_generated.*' -o -path 'config/crd/bases/*' -o -path config/rbac/role.yaml -o -path 'dist/*' -o -path '$(CHART)/*' \) | sort | xargs git hash-object

##@ Use

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: assets build ## Run a control plane with the operator and samples; Ctrl-C stops it all.
	@exec $(BIN)/dev -assets $(ASSETS) -operator $(BIN)/operator

.PHONY: test
test: assets $(TOOLS)/.built ## Run all tests, with the race detector, on a real control plane.
	go test $(RACE) -timeout 40m ./...
	@echo "The tests on a real node were left out: they need root and Linux. Run make test-node."

.PHONY: test-node
test-node: assets node-assets ## Run the tests that need a real node, as root on Linux.
	go test $(RACE) -tags node -p 1 -parallel 4 -count=1 -timeout 30m ./hack/node ./test/node

.PHONY: node
node: assets node-assets ## Run a control plane with a real node, as root on Linux; Ctrl-C stops it all.
	go build -o $(BIN)/node ./hack/node/up
	@exec $(BIN)/node -assets $(ASSETS)

FUZZTIME ?= 5s
.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME, from its kept corpus.
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: crash
crash: assets ## Kill the operator 50 times at random moments of a bulk resolve of 2,000 errors, and what it runs on.
	go test -count=1 -v -timeout 120m ./test/crash -args -crash.kills=50 -crash.errors=2000 $(CRASH)

.PHONY: bench
bench: assets build ## Measure the operator against bare API writes; writes docs/benchmarks.md.
	go build -o $(BIN)/bench ./hack/bench
	@$(BIN)/bench -assets $(ASSETS) -operator $(BIN)/operator -report docs/benchmarks.md

##@ Build

.PHONY: build
build: ## Build the operator and what runs it here.
	@echo "==> building the operator"
	go build -ldflags "-X github.com/prometheus/common/version.Version=$(VERSION)" -o $(BIN)/operator .
	go build -o $(BIN)/dev ./hack/dev

.PHONY: assets
assets: ## Build the control plane's binaries, and fetch the definitions that tests need, once; KUBEBUILDER_ASSETS is used where set.
	@hack/assets/build.sh $(ASSETS)
	@hack/assets/crds.sh $(BIN)/crds

.PHONY: node-assets
node-assets: ## Build a node's binaries, once, and install the Debian packages that this needs; KUBEBUILDER_ASSETS is used where set.
	@hack/assets/node.sh $(ASSETS)

.PHONY: generate
generate: $(TOOLS)/.built ## Generate deepcopy functions and OpenAPI schemas.
	$(TOOLS)/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(TOOLS)/openapi-gen --go-header-file hack/boilerplate.go.txt --report-filename /dev/null \
		--output-dir internal/apiserver/openapi --output-pkg joberror.io/operator/internal/apiserver/openapi \
		--output-file zz_generated.openapi.go --output-model-name-file zz_generated.model_name.go \
		--readonly-pkg $(subst $(space),$(comma),$(META)) $(GENERATED_API) $(META)

.PHONY: manifests
manifests: $(TOOLS)/.built ## Generate CRDs and RBAC.
	$(TOOLS)/controller-gen crd paths=./api/v1 output:crd:dir=config/crd/bases
	$(TOOLS)/controller-gen rbac:roleName=joberror-operator paths=./controllers paths=./internal/apiserver paths=./internal/certs \
		output:rbac:dir=config/rbac

.PHONY: build-installer
build-installer: manifests ## Write all manifests, with the image IMG, to dist/install.yaml, and those of the chart.
	@mkdir -p dist $(CHART)/files
	$(TOOLS)/kustomize build config/default > $(CHART)/files/install.yaml
	cp config/cert-manager/certificates.yaml $(CHART)/files
	cp config/capture-logs/role.yaml $(CHART)/files/capture-logs.yaml
	cd config/prometheus && { cat servicemonitor.yaml; echo ---; cat role.yaml; echo ---; cat alerts.yaml; } > $(CURDIR)/$(CHART)/files/prometheus.yaml
	sed 's|image: joberror-operator:latest|image: $(IMG)|' $(CHART)/files/install.yaml > dist/install.yaml

.PHONY: deploy
deploy: build-installer ## Install it, with the image IMG, in the cluster that kubectl talks to.
	kubectl apply -f dist/install.yaml
	kubectl rollout status -n joberror-system deployment/joberror-operator

# While an APIService leads to nobody, no namespace can be deleted: it goes first.
.PHONY: undeploy
undeploy: ## Remove it from that cluster, with all JobErrors.
	kubectl delete --ignore-not-found apiservice v1.resolve.joberror.io
	kubectl delete --ignore-not-found -f dist/install.yaml

.PHONY: sbom
sbom: build $(TOOLS)/.built ## Write what the operator is made of to bin/operator.spdx.json.
	$(TOOLS)/sbom $(BIN)/operator $(VERSION) > $(BIN)/operator.spdx.json

$(TOOLS)/.built: hack/tools/go.mod hack/tools/go.sum $(wildcard hack/tools/*/*.go)
	@echo "==> building the generators and linters"
	@mkdir -p $(TOOLS)
	cd hack/tools && go build -o $(CURDIR)/$(TOOLS)/ tool
	@touch $@

##@ Check

.PHONY: lint
lint: $(TOOLS)/.built ## Check format, vet, staticcheck, Dockerfile, alerts, chart and licence headers.
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	go vet ./...
	GOOS=linux go vet -tags node ./hack/node/... ./test/node
	$(TOOLS)/staticcheck ./...
	GOOS=linux $(TOOLS)/staticcheck -tags node ./hack/node/... ./test/node
	$(TOOLS)/dockerfile Dockerfile
	$(TOOLS)/alerts config/prometheus/alerts.yaml >/dev/null
	$(TOOLS)/helm lint --quiet --strict --namespace joberror-system $(CHART)
	$(TOOLS)/addlicense -check -ignore '$(BIN)/**' -ignore '.dev/**' -ignore 'config/**' -ignore 'dist/**' -ignore 'charts/**' -ignore '**/zz_generated*' .

.PHONY: vuln
vuln: $(TOOLS)/.built ## Look for known vulnerabilities, where their database can be reached.
	@out=$$($(TOOLS)/govulncheck ./... 2>&1) && status=0 || status=$$?; \
	if [ $$status -eq 1 ] && [[ $$out == *"fetching vulnerabilities"* ]]; then \
		echo "govulncheck: skipped, since its database can't be reached: $${out##*fetching vulnerabilities: }"; \
	else echo "$$out"; exit $$status; fi

.PHONY: verify
verify: lint vuln ## Regenerate everything and fail on a difference; lint.
	@before=$$($(CHECKSUMS)); $(MAKE) --no-print-directory generate build-installer; \
	[ "$$before" = "$$($(CHECKSUMS))" ] || { echo "generated files were out of date; they are not any more: commit them"; exit 1; }
	go mod tidy -diff
	cd hack/tools && go mod tidy -diff && go vet ./...
	cd hack/assets && go mod tidy -diff
	cd hack/assets/runtime && go mod tidy -diff

.PHONY: clean
clean: ## Delete what was built and what make run left.
	rm -rf $(BIN) .dev
