// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"os/exec"
	"runtime"
)

// OpenBrowser opens a link in the user's browser, and does not wait for it. The link is an argument
// of a process, which other users of the machine may see. A file that redirects to it would not work
// everywhere: some browsers run in a sandbox that may not read the cache directory, and browsers call
// what follows a redirect from a file cross-site, which the guards refuse.
func OpenBrowser(link string) error {
	command := openCommand(runtime.GOOS, link)
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the browser: %w", err)
	}
	go command.Wait() //nolint:errcheck // the link is printed as well
	return nil
}

// openCommand returns the command that opens a link on an operating system.
func openCommand(system, link string) *exec.Cmd {
	switch system {
	case "darwin":
		return exec.Command("open", link)
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", link)
	}
	return exec.Command("xdg-open", link)
}
