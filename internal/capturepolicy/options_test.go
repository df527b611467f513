// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capturepolicy

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestTheDefaultsAreValid(t *testing.T) {
	t.Parallel()
	o := NewOptions()
	if errs := o.Validate(); len(errs) > 0 {
		t.Errorf("Validate = %v, want no errors", errs)
	}
}

func TestFlagsSetTheOptions(t *testing.T) {
	t.Parallel()
	o := newOptions(t, "--capture=false", "--auto-resolve=false", "--capture-limit=7", "--capture-grace=30s", "--capture-log-lines=20")
	if o.Enabled || o.AutoResolve || o.Limit != 7 || o.Grace != 30*time.Second || o.LogLines != 20 {
		t.Errorf("options = %+v", o)
	}
}

func TestValidateNamesEachInvalidFlag(t *testing.T) {
	t.Parallel()
	o := NewOptions()
	flags := pflag.NewFlagSet(t.Name(), pflag.ContinueOnError)
	o.AddFlags(flags)
	args := []string{"--capture-selector=a=b=c", "--capture-namespaces=ok,A,b/c", "--capture-limit=0", "--capture-log-lines=-1", "--capture-grace=25h"}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, err := range o.Validate() {
		flag, _, _ := strings.Cut(err.Error(), ":")
		named = append(named, flag)
	}
	const want = "--capture-selector --capture-namespaces --capture-namespaces --capture-limit --capture-log-lines --capture-grace"
	if got := strings.Join(named, " "); got != want {
		t.Errorf("named %s, want %s", got, want)
	}
}
