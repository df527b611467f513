#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Builds another version of Kubernetes for the tests: kubernetes.sh ASSETS VERSION
# builds the binaries that kubernetes-VERSION/go.mod pins into ASSETS-VERSION, and
# links etcd and kwok from ASSETS.
set -euo pipefail

assets=$(cd "$1" && pwd)
version=$2
cd "$(dirname "$0")"
if [ ! -d "kubernetes-$version" ]; then
	echo "no module pins Kubernetes \"$version\"; there are:" kubernetes-*/ >&2
	exit 1
fi
out=$assets-$version
mkdir -p "$out"
for name in etcd kwok; do
	ln -sf "../${assets##*/}/$name" "$out/$name"
done

cd "kubernetes-$version"
. ../common.sh
# These binaries are not the ones of KUBEBUILDER_ASSETS.
unset KUBEBUILDER_ASSETS
export CGO_ENABLED=0
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
	build $name k8s.io/kubernetes/cmd/$name "about 16 minutes on 2 cores" -ldflags "-s -w $(kubernetes_flags)"
done
