#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Copies the console's libraries, as they are pinned in package-lock.json, to
# internal/console/static/vendor, with their licenses. With --check, it only compares.
# The console needs neither node nor npm: the copies are in the repository.
set -euo pipefail
cd "$(dirname "$0")"
vendor=../../internal/console/static/vendor
npm ci --ignore-scripts --silent
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# copy strips the reference to a source map, which is not served.
copy() { sed '/^\/\/# sourceMappingURL=/d' "node_modules/$1" > "$out/$2"; }
copy preact/dist/preact.mjs preact.mjs
copy preact/hooks/dist/hooks.mjs hooks.mjs
copy htm/dist/htm.mjs htm.mjs
copy uplot/dist/uPlot.esm.js uplot.mjs
copy uplot/dist/uPlot.min.css uplot.css
for library in preact htm uplot; do cp "node_modules/$library/LICENSE" "$out/$library-license.txt"; done

# Browsers do not find a module by the name of a package.
sed -i 's|from"preact"|from"./preact.mjs"|' "$out/hooks.mjs"
if grep -hE '(^|[;}])import[^;]*from *["'"'"'][^.]' "$out"/*.mjs; then
	echo "vendor.sh: a library imports a package" >&2
	exit 1
fi

if [ "${1:-}" = --check ]; then
	diff -r "$out" "$vendor" || { echo "internal/console/static/vendor is out of date: run make console" >&2; exit 1; }
else
	mkdir -p "$vendor"
	rm -f "$vendor"/*
	cp "$out"/* "$vendor"
fi
