// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import "testing"

func TestOpenCommand(t *testing.T) {
	t.Parallel()
	const link = "http://127.0.0.1:1/?secret=a&b"
	for system, program := range map[string]string{"linux": "xdg-open", "darwin": "open", "windows": "rundll32"} {
		command := openCommand(system, link)
		if command.Args[0] != program || command.Args[len(command.Args)-1] != link {
			t.Errorf("%s: %v, want %s with the link", system, command.Args, program)
		}
	}
}
