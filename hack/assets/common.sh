# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Functions shared by the scripts that build binaries. Callers set out, the
# directory for the binaries.

# version prints the version of a module that the current directory's go.mod pins.
version() { go list -m -f '{{.Version}}' "$1"; }

# kubernetes_flags prints the linker flags that stamp a Kubernetes binary with
# its version. Clients cannot parse the version of an unstamped API server.
kubernetes_flags() {
	local kubernetes package=k8s.io/component-base/version
	kubernetes=$(version k8s.io/kubernetes)
	local minor=${kubernetes#*.}
	echo "-X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
}

# progress counts the packages and modules that go build -v lists, and prints the
# count now and then. It passes every other line through, such as an error.
progress() {
	awk -v name="$1" '
		/^[^ ]+$/ { n++; if (n % 200 == 0) { print "    " name ": " n " packages compiled"; fflush() }; next }
		/^go: downloading/ { d++; if (d % 50 == 0) { print "    " name ": " d " modules downloaded"; fflush() }; next }
		{ print }'
}

# build NAME PACKAGE TIME FLAGS... builds a binary from the module in the current
# directory, unless KUBEBUILDER_ASSETS has the binary or it is up to date. TIME
# states how long the whole build takes.
build() {
	local name=$1 package=$2 time=$3 stamp_file=$out/$(dirname "$1")/.${1##*/}.stamp inputs
	shift 3
	mkdir -p "$(dirname "$out/$name")"
	if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$name" ]; then
		echo "==> $name: using the binary from KUBEBUILDER_ASSETS"
		rm -f "$stamp_file"
		ln -sf "$KUBEBUILDER_ASSETS/$name" "$out/$name"
		return
	fi
	inputs=$({ cat go.mod go.sum; echo "$package" "$@" "${CGO_ENABLED:-}"; } | git hash-object --stdin)
	if [ -x "$out/$name" ] && [ "$(cat "$stamp_file" 2>/dev/null)" = "$inputs" ]; then
		return
	fi
	echo "==> $name: building $package (first build only; $time)"
	rm -f "$out/$name"
	go build -v -trimpath "$@" -o "$out/$name" "$package" 2>&1 | progress "$name"
	echo "$inputs" >"$stamp_file"
}
