#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Builds the node's binaries into the directory given as the first argument, from
# the Go modules pinned next to this script: the kubelet and the container
# runtime. A binary found in KUBEBUILDER_ASSETS is linked instead of built.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"
. ./common.sh

# Debian packages that the build and the test images need. The pods of the
# samples run programs from the last two.
missing=()
for package in gcc pkg-config libseccomp-dev iproute2 busybox-static curl python3; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "missing Debian packages: ${missing[*]}" >&2
		exit 1
	fi
	echo "==> installing ${missing[*]}"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

time="the whole node takes 1 to 6 minutes"

# The kubelet comes from the control plane's module, so that both have the same
# version.
CGO_ENABLED=0 build kubelet k8s.io/kubernetes/cmd/kubelet "$time" -ldflags "-s -w $(kubernetes_flags)"

cd runtime
containerd=github.com/containerd/containerd/v2
for name in containerd containerd-shim-runc-v2 ctr; do
	CGO_ENABLED=0 build $name $containerd/cmd/$name "$time" -tags urfave_cli_no_docs \
		-ldflags "-s -w -X $containerd/version.Version=$(version $containerd)"
done
plugins=github.com/containernetworking/plugins/plugins
for name in main/bridge main/loopback ipam/host-local; do
	CGO_ENABLED=0 build "cni/${name#*/}" "$plugins/$name" "$time" -ldflags "-s -w"
done
# runc enters namespaces in C before the Go runtime starts. A static binary needs
# no libraries there.
runc=$(version github.com/opencontainers/runc)
CGO_ENABLED=1 build runc github.com/opencontainers/runc "$time" -tags "seccomp netgo osusergo urfave_cli_no_docs" \
	-ldflags "-s -w -X main.version=${runc#v} -extldflags -static"
