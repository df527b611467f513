#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Copies third-party CRDs into the directory given as the first argument, so that
# an API server can validate the manifests in config/cert-manager and
# config/prometheus, and tests can create the objects that own Jobs.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)

# copy NAME MODULE DIRECTORY [FILE...] copies all YAML files of a module's directory, or these.
copy() {
	local name=$1 module=$2 source=$3 stamp_file=$out/.$1.stamp dir file
	shift 3
	if [ "$(cat "$stamp_file" 2>/dev/null)" = "$module $*" ]; then
		return
	fi
	echo "==> $name: copying CRDs from $module"
	dir=$(go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	rm -rf "${out:?}/$name"
	mkdir "$out/$name"
	if [ $# = 0 ]; then
		cp "$dir/$source"/*.yaml "$out/$name"
	fi
	for file in "$@"; do
		cp "$dir/$source/$file" "$out/$name"
	done
	# The copies are read-only, like the module cache.
	chmod -R u+w "$out/$name"
	echo "$module $*" >"$stamp_file"
}

copy cert-manager github.com/cert-manager/cert-manager@v1.21.2 deploy/crds
copy prometheus github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd
copy jobset sigs.k8s.io/jobset@v0.8.2 config/components/crd/bases jobset.x-k8s.io_jobsets.yaml
copy trainer github.com/kubeflow/trainer/v2@v2.0.0 manifests/base/crds trainer.kubeflow.org_trainjobs.yaml
copy argo-workflows github.com/argoproj/argo-workflows/v4@v4.0.5 manifests/base/crds/minimal \
	argoproj.io_workflows.yaml argoproj.io_cronworkflows.yaml
