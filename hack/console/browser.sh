#!/usr/bin/env bash
# Copyright The JobError Authors
# SPDX-License-Identifier: Apache-2.0

# Installs what the tests in test/console need: Chromium, and the library that drives it.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "browser.sh: install node 20 or later, and npm" >&2
	exit 1
fi
if [ -z "${CHROMIUM:-}" ] && [ ! -x /usr/bin/chromium ] && [ ! -x /usr/bin/google-chrome ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "browser.sh: install Chromium as /usr/bin/chromium, or set CHROMIUM to its path" >&2
		exit 1
	fi
	echo "==> installing chromium"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null
fi
cd test/console
npm ci --ignore-scripts --silent
