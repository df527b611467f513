#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Builds Prometheus, Alertmanager and their command line tools into the directory given as
# the first argument, from the Go modules pinned in prometheus and alertmanager. They have
# no web pages, and Prometheus discovers targets in Kubernetes and in files only. A binary
# found in KUBEBUILDER_ASSETS is linked instead of built.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/prometheus"
. ../common.sh
export CGO_ENABLED=0

time="Prometheus and Alertmanager take 2 to 5 minutes on 2 cores"
stamp=github.com/prometheus/common/version.Version

prometheus=github.com/prometheus/prometheus
for name in prometheus promtool; do
	build $name $prometheus/cmd/$name "$time" -tags remove_all_sd,enable_kubernetes_sd \
		-ldflags "-s -w -X $stamp=$(version $prometheus)"
done

cd ../alertmanager
alertmanager=github.com/prometheus/alertmanager

# copy_module copies Alertmanager's module and adds the web page that its code embeds, which
# the module lacks. It prints the path of a go.mod that uses the copy.
copy_module() {
	local copy=$out/.alertmanager/$1 modfile=$out/.alertmanager/go.mod dir
	if [ ! -e "$copy/ui/app/dist/index.html" ]; then
		dir=$(go mod download -json $alertmanager | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
		rm -rf "$out/.alertmanager"
		mkdir "$out/.alertmanager"
		cp -r "$dir" "$copy"
		chmod -R u+w "$copy"
		mkdir "$copy/ui/app/dist"
		echo "This Alertmanager was built without its web pages." >"$copy/ui/app/dist/index.html"
	fi
	cp go.mod go.sum "$out/.alertmanager"
	go mod edit -replace "$alertmanager=$copy" "$modfile"
	echo "$modfile"
}

modfile=$(copy_module "$(version $alertmanager)")
for name in alertmanager amtool; do
	build $name $alertmanager/cmd/$name "$time" -modfile="$modfile" -ldflags "-s -w -X $stamp=$(version $alertmanager)"
done
