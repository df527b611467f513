// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args string
		want string
	}{
		{args: ""},
		{args: "--archive-url=file:///archive --archive-resolved-after=7d --archive-interval=1s --archive-backlog=0"},
		{args: "--archive-url=ftp://archive", want: "--archive-url: must begin with"},
		{args: "--archive-resolved-after=7d", want: "--archive-resolved-after: needs an archive"},
		{args: "--archive-resolved-after=soon", want: `--archive-resolved-after: "soon" must be 0 or a positive number`},
		{args: "--archive-interval=10ms", want: "--archive-interval: 10ms must be between 1s and 30m"},
		{args: "--archive-interval=31m", want: "--archive-interval: 31m0s must be between 1s and 30m"},
		{args: "--archive-backlog=-1", want: "--archive-backlog: -1 must be 0"},
	} {
		o := NewOptions()
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		o.AddFlags(flags)
		if err := flags.Parse(strings.Fields(tc.args)); err != nil {
			t.Fatal(err)
		}
		err := errors.Join(o.Validate()...)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.args, err)
		case tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v, want only %q", tc.args, err, tc.want)
		}
		if strings.Contains(tc.args, "after=7d") && o.ResolvedAfter != 7*24*time.Hour {
			t.Errorf("%s: parsed %s", tc.args, o.ResolvedAfter)
		}
	}
}
