#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Builds the binaries of a small Kubernetes cluster from the Go modules pinned
# beside this script into the folder named by the first argument. A binary that
# KUBEBUILDER_ASSETS offers is linked instead of built.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"

kubernetes=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
kwok=$(go list -m -f '{{.Version}}' sigs.k8s.io/kwok)
minor=${kubernetes#*.}
minor=${minor%%.*}
# Clients refuse to parse the version of an unstamped API server.
version=k8s.io/component-base/version
stamp="-X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=$minor"
stamp="$stamp -X sigs.k8s.io/kwok/pkg/consts.Version=${kwok#v}"

# With -v the compiler names each package it has finished; they are counted
# rather than printed. Every other line, an error for example, passes through.
progress() {
	awk -v name="$1" '
		/^[^ ]+$/ { n++; if (n % 200 == 0) { print "    " name ": " n " packages compiled"; fflush() }; next }
		/^go: downloading/ { d++; if (d % 50 == 0) { print "    " name ": " d " modules downloaded"; fflush() }; next }
		{ print }'
}

# What a binary is made of; it is built again when that changes.
made_of=$(cat go.mod go.sum build.sh | git hash-object --stdin)

build() {
	local name=$1 package=$2 stamp_file=$out/.$1.stamp
	if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$name" ]; then
		echo "==> $name: taken from KUBEBUILDER_ASSETS"
		rm -f "$stamp_file"
		ln -sf "$KUBEBUILDER_ASSETS/$name" "$out/$name"
		return
	fi
	if [ -x "$out/$name" ] && [ "$(cat "$stamp_file" 2>/dev/null)" = "$made_of" ]; then
		return
	fi
	echo "==> $name: building $package (the whole control plane takes about 5 minutes, once)"
	rm -f "$out/$name"
	CGO_ENABLED=0 go build -v -trimpath -ldflags "-s -w $stamp" -o "$out/$name" "$package" 2>&1 | progress "$name"
	echo "$made_of" >"$stamp_file"
}

build etcd go.etcd.io/etcd/server/v3
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build kube-scheduler k8s.io/kubernetes/cmd/kube-scheduler
build kubectl k8s.io/kubernetes/cmd/kubectl
build kwok sigs.k8s.io/kwok/cmd/kwok
