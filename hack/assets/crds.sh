#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Copies third-party CRDs into the directory given as the first argument, so that
# an API server can validate the manifests in config/cert-manager and
# config/prometheus.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)

copy() {
	local name=$1 module=$2 source=$3 stamp_file=$out/.$1.stamp dir
	if [ "$(cat "$stamp_file" 2>/dev/null)" = "$module" ]; then
		return
	fi
	echo "==> $name: copying CRDs from $module"
	dir=$(go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	rm -rf "${out:?}/$name"
	mkdir "$out/$name"
	cp "$dir/$source"/*.yaml "$out/$name"
	# The copies are read-only, like the module cache.
	chmod -R u+w "$out/$name"
	echo "$module" >"$stamp_file"
}

copy cert-manager github.com/cert-manager/cert-manager@v1.21.2 deploy/crds
copy prometheus github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd
