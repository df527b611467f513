#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Builds the control plane's binaries into the directory given as the first
# argument, from the Go modules pinned next to this script. A binary found in
# KUBEBUILDER_ASSETS is linked instead of built.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"
. ./common.sh
export CGO_ENABLED=0

flags="-s -w $(kubernetes_flags)"
kwok=$(version sigs.k8s.io/kwok)
time="the whole control plane takes 5 to 18 minutes on 2 cores"

build etcd go.etcd.io/etcd/server/v3 "$time" -ldflags "-s -w"
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
	build $name k8s.io/kubernetes/cmd/$name "$time" -ldflags "$flags"
done
build kwok sigs.k8s.io/kwok/cmd/kwok "$time" -ldflags "-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=${kwok#v}"
