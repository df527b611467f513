#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Runs each fuzz test for the first argument, a count of executions such as 5000x
# or a duration such as 10s. Each run starts from the corpus under testdata.
set -euo pipefail
cd "$(dirname "$0")/.."

grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z]*' internal controllers api | sort | while IFS=: read -r file name; do
	name=${name#func }
	echo "==> $(dirname "$file") $name"
	go test "./$(dirname "$file")" -run='^$' -fuzz="^$name\$" -fuzztime="$1" -fuzzminimizetime=1s | awk '/^fuzz: elapsed/ { last = $0; next } { print } END { print last }'
done
