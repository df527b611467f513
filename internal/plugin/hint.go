// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/pflag"
)

// secretFlag is not in hints, which may end in a log.
const secretFlag = "token"

// hint returns a command for a person to type, quoted for a shell. Its last words are the flags of
// this command that say which cluster it uses and as whom.
func (o *options) hint(words ...string) string {
	o.connectionFlags.VisitAll(func(f *pflag.Flag) {
		own := f.Name == "namespace" && slices.Contains(words, "-n")
		if !f.Changed || own || f.Name == secretFlag {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			words = append(words, "--"+f.Name+"="+value)
		}
	})
	return shellescape.QuoteCommand(words)
}
