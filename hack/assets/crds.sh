#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Copies the custom resource definitions of others, whose objects
# config/cert-manager and config/prometheus hold, into the folder named by the
# first argument, so that an API server can judge those manifests.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)

copy() {
	local name=$1 module=$2 folder=$3 stamp_file=$out/.$1.stamp dir
	if [ "$(cat "$stamp_file" 2>/dev/null)" = "$module" ]; then
		return
	fi
	echo "==> $name: its custom resource definitions, from $module"
	dir=$(go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	rm -rf "${out:?}/$name"
	mkdir "$out/$name"
	cp "$dir/$folder"/*.yaml "$out/$name"
	# The module cache is read-only.
	chmod -R u+w "$out/$name"
	echo "$module" >"$stamp_file"
}

copy cert-manager github.com/cert-manager/cert-manager@v1.21.2 deploy/crds
copy prometheus github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd
