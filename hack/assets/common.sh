# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Functions shared by the scripts that build binaries. Callers set out, the
# folder for the binaries.

# version prints the pinned version of a module in the current folder.
version() { go list -m -f '{{.Version}}' "$1"; }

# kubernetes_flags prints the linker flags that stamp a binary of Kubernetes.
# Clients refuse to parse the version of an unstamped API server.
kubernetes_flags() {
	local kubernetes package=k8s.io/component-base/version
	kubernetes=$(version k8s.io/kubernetes)
	local minor=${kubernetes#*.}
	echo "-X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
}

# With -v the compiler names each package it has finished; they are counted
# rather than printed. Every other line, an error for example, passes through.
progress() {
	awk -v name="$1" '
		/^[^ ]+$/ { n++; if (n % 200 == 0) { print "    " name ": " n " packages compiled"; fflush() }; next }
		/^go: downloading/ { d++; if (d % 50 == 0) { print "    " name ": " d " modules downloaded"; fflush() }; next }
		{ print }'
}

# build NAME PACKAGE TIME FLAGS... builds a binary from the module in the current
# folder, unless KUBEBUILDER_ASSETS offers it or it is up to date. TIME says how
# long the whole build takes.
build() {
	local name=$1 package=$2 time=$3 stamp_file=$out/$(dirname "$1")/.${1##*/}.stamp made_of
	shift 3
	mkdir -p "$(dirname "$out/$name")"
	if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$name" ]; then
		echo "==> $name: taken from KUBEBUILDER_ASSETS"
		rm -f "$stamp_file"
		ln -sf "$KUBEBUILDER_ASSETS/$name" "$out/$name"
		return
	fi
	made_of=$({ cat go.mod go.sum; echo "$package" "$@" "${CGO_ENABLED:-}"; } | git hash-object --stdin)
	if [ -x "$out/$name" ] && [ "$(cat "$stamp_file" 2>/dev/null)" = "$made_of" ]; then
		return
	fi
	echo "==> $name: building $package ($time, once)"
	rm -f "$out/$name"
	go build -v -trimpath "$@" -o "$out/$name" "$package" 2>&1 | progress "$name"
	echo "$made_of" >"$stamp_file"
}
