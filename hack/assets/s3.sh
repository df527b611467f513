#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Builds the S3 server of the tests into the directory given as the first argument,
# from the Go module pinned in s3. A binary found in KUBEBUILDER_ASSETS is linked
# instead of built.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/s3"
. ../common.sh
export CGO_ENABLED=0

build versitygw github.com/versity/versitygw/cmd/versitygw "1 to 3 minutes on 2 cores" -ldflags "-s -w"
