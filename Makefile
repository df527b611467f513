# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Go decides when to rebuild binaries, so no target lists its sources.
BIN := bin
ASSETS := $(BIN)/assets
TOOLS := $(BIN)/tools
CHART := charts/joberror-operator
# The versions of Kubernetes that hack/assets pins in addition to that of its go.mod: the
# oldest and the newest supported one.
VERSIONS := $(patsubst hack/assets/kubernetes-%,%,$(wildcard hack/assets/kubernetes-*))
GENERATED_API := ./api/v1 ./api/resolve/v1
META := k8s.io/apimachinery/pkg/apis/meta/v1 k8s.io/apimachinery/pkg/runtime k8s.io/apimachinery/pkg/version
comma := ,
# The race detector needs a C compiler on most systems. The check runs only when
# a target uses RACE.
RACE = $(if $(shell command -v "$$(go env CC)"),-race,$(info no C compiler: tests run without the race detector))
empty :=
space := $(empty) $(empty)

VERSION ?= $(shell git describe --tags --always --dirty)
STAMP = -X github.com/prometheus/common/version.Version=$(VERSION)
# The image in the manifests. The project has no registry: push the image to
# yours and set IMG, as in make build-installer IMG=…
IMG ?= joberror-operator:latest

CHECKSUMS := find api internal config dist docs $(CHART)/files -type f -not -path 'dist/plugin/*' \( -name 'zz_generated.*' -o -path 'config/crd/bases/*' -o -path config/rbac/role.yaml -o -path 'dist/*' -o -path '$(CHART)/*' -o -path docs/api-reference.md \) | sort | xargs git hash-object

##@ Use

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# SAMPLES=5000 adds so many errors of the last 30 days, in several namespaces.
SAMPLES ?= 0
# ARCHIVE=1 archives expired errors in .dev/archive.
ARCHIVE ?= 0
.PHONY: run
run: assets build ## Run a control plane with the operator, the plugin and samples (SAMPLES=5000 for many, ARCHIVE=1 for an archive); Ctrl-C stops everything.
	@exec $(BIN)/dev -assets $(ASSETS) -operator $(BIN)/operator -samples "$(SAMPLES)" -archive="$(ARCHIVE)"

# The packages whose tests start a control plane run two at a time, because they often wait. The
# soak runs alone. SOAK=-soak.duration=5m makes it longer.
TESTS_WITHOUT = /test/(alerts/rules|harness|integrations|soak/growth|soak/ledger)$$
WITHOUT_PLANE = $$(go list ./... | grep -v /test/) $$(go list ./test/... | grep -E '$(TESTS_WITHOUT)')
WITH_PLANE = $$(go list ./test/... | grep -vE '$(TESTS_WITHOUT)|/test/soak$$')

.PHONY: unit
unit: ## Run the tests that need no control plane.
	@go test $(WITHOUT_PLANE) | grep -v 'no test files'

.PHONY: test
test: assets monitoring-assets s3-assets $(TOOLS)/.built ## Run all tests on a real control plane, with the race detector.
	go test $(RACE) $(WITHOUT_PLANE)
	go test $(RACE) -p 2 -timeout 40m $(WITH_PLANE)
	go test $(RACE) -timeout 40m ./test/soak -args $(SOAK)
	@echo "Tests on a real node did not run: they need root on Linux. Run make test-node."
	@echo "Tests of the console in a browser did not run: they need node and Chromium. Run make test-browser."
	@echo "The SQL queries of the archive's docs did not run: they need node. Run make test-sql."

.PHONY: test-version
test-version: assets $(TOOLS)/.built ## Run the tests that depend on the version of Kubernetes on another one, such as KUBERNETES=1.33.
	@hack/assets/kubernetes.sh $(ASSETS) "$(KUBERNETES)"
	KUBERNETES=$(KUBERNETES) go test -timeout 40m ./test/e2e ./test/retry ./test/capture ./test/install ./test/manifests ./test/plugincheck

.PHONY: test-versions
test-versions: ## Run them on the oldest and the newest supported Kubernetes.
	@for version in $(VERSIONS); do $(MAKE) --no-print-directory test-version KUBERNETES=$$version || exit; done

.PHONY: test-node
test-node: assets node-assets ## Run the tests that need a real node (root on Linux).
	go test $(RACE) -tags node -p 1 -parallel 4 -count=1 -timeout 30m ./hack/node ./test/node

# SCREENSHOTS=docs/images replaces the screenshots of docs/console.md.
.PHONY: test-browser
test-browser: assets ## Run the tests of the console in Chromium (needs node; installs Debian's chromium as root).
	@hack/console/browser.sh
	hack/console/vendor.sh --check
	node --test internal/console/jstest/
	SCREENSHOTS=$(abspath $(SCREENSHOTS)) go test -tags browser -count=1 -timeout 30m ./test/console

# Not npm ci: the lock file lacks chDB's libraries for other systems than Linux on amd64.
.PHONY: test-sql
test-sql: ## Run the queries of docs/archive.md in DuckDB and ClickHouse (needs node; downloads 600 MB from npm).
	cd test/archivesql && npm install --no-save --ignore-scripts --silent
	go test -tags sql -count=1 ./test/archivesql

.PHONY: node
node: assets node-assets ## Run a control plane with a real node (root on Linux); Ctrl-C stops everything.
	go build -o $(BIN)/node ./hack/node/up
	@exec $(BIN)/node -assets $(ASSETS)

# A count, not a duration: in Go 1.26 a run that ends by the clock fails now and
# then without a failing input (golang/go#75804).
FUZZTIME ?= 5000x
.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME, starting from its stored corpus.
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: crash
crash: assets ## Kill the operator and the control plane 50 times at random moments of a bulk resolve of 2,000 errors, and during 200 retries.
	go test -count=1 -v -timeout 120m ./test/crash -args -crash.kills=50 -crash.errors=2000 -crash.retries=200 $(CRASH)

.PHONY: soak
soak: assets ## Put a mixed load on the operator for an hour while parts are killed; check each error, and that the operator does not grow.
	go test -count=1 -v -timeout 120m ./test/soak -args -soak.duration=1h $(SOAK)

.PHONY: bench
bench: assets build ## Compare the operator with bare API writes; write docs/benchmarks.md, or only the PART of it.
	go build -o $(BIN)/bench ./hack/bench
	@$(BIN)/bench -assets $(ASSETS) -operator $(BIN)/operator -only "$(PART)" -report docs/benchmarks.md

##@ Build

.PHONY: build
build: ## Build the operator, the plugin and the program behind make run.
	@echo "==> building the operator and the plugin"
	go build -ldflags "$(STAMP)" -o $(BIN)/operator .
	go build -ldflags "$(STAMP)" -o $(BIN)/kubectl-joberrors ./cmd/kubectl-joberrors
	go build -o $(BIN)/dev ./hack/dev

.PHONY: assets
assets: ## Build the control plane's binaries and fetch the CRDs for tests, once; use binaries from KUBEBUILDER_ASSETS if set.
	@hack/assets/build.sh $(ASSETS)
	@hack/assets/crds.sh $(BIN)/crds

.PHONY: monitoring-assets
monitoring-assets: ## Build Prometheus and Alertmanager once; use binaries from KUBEBUILDER_ASSETS if set.
	@hack/assets/monitoring.sh $(ASSETS)

.PHONY: s3-assets
s3-assets: ## Build the S3 server of the archive's tests once; use the binary from KUBEBUILDER_ASSETS if set.
	@hack/assets/s3.sh $(ASSETS)

.PHONY: node-assets
node-assets: ## Build the node's binaries once and install the Debian packages they need; use binaries from KUBEBUILDER_ASSETS if set.
	@hack/assets/node.sh $(ASSETS)

.PHONY: generate
generate: $(TOOLS)/.built ## Generate deepcopy functions and OpenAPI schemas.
	$(TOOLS)/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(TOOLS)/openapi-gen --go-header-file hack/boilerplate.go.txt --report-filename /dev/null \
		--output-dir internal/apiserver/openapi --output-pkg joberror.io/operator/internal/apiserver/openapi \
		--output-file zz_generated.openapi.go --output-model-name-file zz_generated.model_name.go \
		--readonly-pkg $(subst $(space),$(comma),$(META)) $(GENERATED_API) $(META)

.PHONY: docs
docs: $(TOOLS)/.built ## Generate docs/api-reference.md from the Go types.
	$(TOOLS)/crd-ref-docs --log-level ERROR --source-path api --config hack/api-reference/config.yaml \
		--templates-dir hack/api-reference --renderer markdown --output-path docs/api-reference.md

.PHONY: manifests
manifests: $(TOOLS)/.built ## Generate CRDs and RBAC roles.
	$(TOOLS)/controller-gen crd paths=./api/v1 output:crd:dir=config/crd/bases
	$(TOOLS)/controller-gen rbac:roleName=joberror-operator paths=./controllers/... paths=./internal/apiserver paths=./internal/certs paths=./internal/metrics \
		output:rbac:dir=config/rbac

.PHONY: console
console: ## Copy the console's pinned libraries from npm to internal/console/static/vendor.
	hack/console/vendor.sh

.PHONY: build-installer
build-installer: manifests ## Write dist/install.yaml and install-before-1.36.yaml with the image IMG, the dashboard, and the chart's manifests.
	@mkdir -p dist $(CHART)/files
	$(TOOLS)/kustomize build config/default > $(CHART)/files/install.yaml
	cp config/cert-manager/certificates.yaml $(CHART)/files
	cp config/capture-logs/role.yaml $(CHART)/files/capture-logs.yaml
	cp config/retry-indexes/role.yaml $(CHART)/files/retry-indexes.yaml
	cd config/prometheus && { cat servicemonitor.yaml; echo ---; cat role.yaml; echo ---; cat alerts.yaml; } > $(CURDIR)/$(CHART)/files/prometheus.yaml
	cp config/prometheus/user-alerts.yaml $(CHART)/files
	$(TOOLS)/dashboard > config/dashboard/joberror.json
	cp config/dashboard/joberror.json $(CHART)/files
	sed 's|image: joberror-operator:latest|image: $(IMG)|' $(CHART)/files/install.yaml > dist/install.yaml
	$(TOOLS)/kustomize build config/before-1.36 | sed 's|image: joberror-operator:latest|image: $(IMG)|' > dist/install-before-1.36.yaml

# The file to install: dist/install-before-1.36.yaml on Kubernetes before 1.36.
INSTALL ?= dist/install.yaml

.PHONY: deploy
deploy: build-installer ## Install the operator with the image IMG in the cluster of the current kubectl context.
	kubectl apply -f $(INSTALL)
	kubectl rollout status -n joberror-system deployment/joberror-operator

# An APIService without a backend blocks the deletion of every namespace, so it
# is deleted first.
.PHONY: undeploy
undeploy: ## Remove the operator and all JobErrors from that cluster.
	kubectl delete --ignore-not-found apiservice v1.resolve.joberror.io
	kubectl delete --ignore-not-found -f $(INSTALL)

# Where the archives of the plugin will be downloaded from, and the homepage. With the URL,
# make plugin also writes dist/plugin/joberrors.yaml for krew; VERSION must then be one like
# v1.2.3.
PLUGIN_URL ?=
PLUGIN_HOMEPAGE ?=
.PHONY: plugin
plugin: $(TOOLS)/.built ## Write the archives of the kubectl plugin to dist/plugin, for linux, darwin and windows.
	go run ./hack/plugin -version "$(VERSION)" -out dist/plugin -url "$(PLUGIN_URL)" -homepage "$(PLUGIN_HOMEPAGE)"
	@[ -z "$(PLUGIN_URL)" ] || $(TOOLS)/validate-krew-manifest -skip-install -manifest dist/plugin/joberrors.yaml

.PHONY: sbom
sbom: build $(TOOLS)/.built ## Write the operator's bill of materials to bin/operator.spdx.json.
	$(TOOLS)/sbom $(BIN)/operator $(VERSION) > $(BIN)/operator.spdx.json

$(TOOLS)/.built: hack/tools/go.mod hack/tools/go.sum $(wildcard hack/tools/*/*.go) hack/krew/go.mod hack/krew/go.sum
	@echo "==> building the generators and linters"
	@mkdir -p $(TOOLS)
	cd hack/tools && go build -o $(CURDIR)/$(TOOLS)/ tool
	cd hack/krew && go build -o $(CURDIR)/$(TOOLS)/ tool
	@touch $@

$(TOOLS)/.built-lint: hack/lint/go.mod hack/lint/go.sum $(wildcard hack/lint/golangci-lint/*.go) hack/lint/actionlint/go.mod hack/lint/actionlint/go.sum
	@echo "==> building golangci-lint and actionlint (1 to 5 minutes, once)"
	@mkdir -p $(TOOLS)
	cd hack/lint && go build -o $(CURDIR)/$(TOOLS)/ tool
	cd hack/lint/actionlint && go build -o $(CURDIR)/$(TOOLS)/ tool
	@touch $@

##@ Check

.PHONY: lint
lint: $(TOOLS)/.built $(TOOLS)/.built-lint ## Run golangci-lint and actionlint; check the Dockerfile, alerts, chart and license headers.
	$(TOOLS)/golangci-lint fmt --diff
	GOOS=linux $(TOOLS)/golangci-lint run --build-tags node,browser,sql
	$(TOOLS)/actionlint
	$(TOOLS)/dockerfile Dockerfile
	$(TOOLS)/alerts config/prometheus/alerts.yaml config/prometheus/user-alerts.yaml >/dev/null
	$(TOOLS)/helm lint --quiet --strict --namespace joberror-system $(CHART)
	$(TOOLS)/addlicense -check -ignore '$(BIN)/**' -ignore '.dev/**' -ignore 'config/**' -ignore 'dist/**' -ignore 'charts/**' -ignore '**/zz_generated*' -ignore '**/node_modules/**' -ignore 'internal/console/static/vendor/**' .

.PHONY: vuln
vuln: $(TOOLS)/.built ## Look for known vulnerabilities, if the database can be reached.
	@out=$$($(TOOLS)/govulncheck ./... 2>&1) && status=0 || status=$$?; \
	if [ $$status -eq 1 ] && [[ $$out == *"fetching vulnerabilities"* ]]; then \
		echo "govulncheck: skipped: the vulnerability database can't be reached: $${out##*fetching vulnerabilities: }"; \
	else echo "$$out"; exit $$status; fi

.PHONY: verify
verify: lint vuln ## Lint, regenerate everything, and fail if a generated file changes.
	@before=$$($(CHECKSUMS)); $(MAKE) --no-print-directory generate build-installer docs; \
	[ "$$before" = "$$($(CHECKSUMS))" ] || { echo "generated files were out of date and have been regenerated: commit them"; exit 1; }
	@if command -v npm >/dev/null; then hack/console/vendor.sh --check; else echo "the console's libraries are not compared: npm is not installed"; fi
	go mod tidy -diff
	cd hack/tools && go mod tidy -diff && go vet ./...
	cd hack/krew && go mod tidy -diff
	cd hack/assets/s3 && go mod tidy -diff
	cd hack/lint && go mod tidy -diff && go vet ./...
	cd hack/lint/actionlint && go mod tidy -diff
	for module in hack/assets hack/assets/kubernetes-*; do (cd $$module && go mod tidy -diff) || exit; done
	for module in runtime prometheus alertmanager; do (cd hack/assets/$$module && go mod tidy -diff) || exit; done

.PHONY: clean
clean: ## Delete build output and the data of make run.
	rm -rf $(BIN) .dev
