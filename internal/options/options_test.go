// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package options

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"joberror.io/operator/internal/retention"
)

// parse returns the options for a command line.
func parse(t *testing.T, args ...string) *Options {
	t.Helper()
	o := New()
	flags := pflag.NewFlagSet(t.Name(), pflag.ContinueOnError)
	o.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTheDefaultsAreValidAndKeepRecordsFor30Days(t *testing.T) {
	t.Parallel()
	o := parse(t)
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	const want = 30 * 24 * time.Hour
	if o.Retention != want || o.Policy() != (retention.Policy{Default: want, Min: 24 * time.Hour}) {
		t.Errorf("retention = %s, policy = %+v, want %s, at least a day for each Job, and no Cascade", o.Retention, o.Policy(), want)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"12h": 12 * time.Hour,
		"7d":  7 * 24 * time.Hour,
		"4w":  28 * 24 * time.Hour,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			o := parse(t, "--retention="+value, "--min-retention="+value)
			if err := o.Validate(); err != nil || o.Policy().Default != want || o.Policy().Min != want {
				t.Errorf("policy = %+v, %v, want %s", o.Policy(), err, want)
			}
		})
	}
}

func TestMinRetentionIsAtMostTheRetention(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		retention, minimum string
		valid              bool
	}{
		{"1d", "1d", true}, {"12h", "0", true}, {"12h", "1d", false}, {"30d", "31d", false},
	} {
		err := parse(t, "--retention="+tc.retention, "--min-retention="+tc.minimum).Validate()
		if (err == nil) != tc.valid || err != nil && !strings.HasPrefix(err.Error(), "--min-retention: ") {
			t.Errorf("Validate with the retention %s and the minimum %s = %v", tc.retention, tc.minimum, err)
		}
	}
}

func TestCascadeIsAllowedByAFlag(t *testing.T) {
	t.Parallel()
	if !parse(t, "--allow-cascade").Policy().AllowCascade {
		t.Error("--allow-cascade does not allow Cascade")
	}
}

func TestTheLimitsOfAFlagAreValid(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{
		"--min-retention=0", "--min-retention=12h", "--min-retention=30d",
		"--webhook-port=1", "--webhook-port=65535",
		"--apiserver-port=1", "--apiserver-port=65535",
		"--apiserver-wait=1ms", "--apiserver-wait=55s",
		"--concurrency=1", "--concurrency=1000", "--metrics-workloads=0", "--metrics-workloads=100000",
		"--pprof-bind-address=127.0.0.1:6060", "--pprof-bind-address=[::1]:6060", "--pprof-bind-address=localhost:6060",
		"--max-errors-per-cronjob=0", "--max-errors-per-cronjob=1", "--max-errors-per-job=0", "--max-errors-per-namespace=0", "--max-errors-per-namespace=1000000",
		"--capture-limit=1", "--capture-log-lines=0", "--capture-log-lines=1000", "--capture-limit=10000", "--capture-grace=0", "--capture-grace=24h",
		"--capture-namespaces=a,b", "--capture-selector=team in (a,b),!test", "--capture=false", "--auto-resolve=false",
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			if err := parse(t, arg).Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnInvalidFlagIsNamed(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{
		"--retention=", "--retention=0s", "--retention=-1h", "--retention=abc", "--retention=1.5d", "--retention=30",
		"--min-retention=", "--min-retention=-1h", "--min-retention=abc", "--min-retention=30", "--min-retention=31d",
		"--webhook-port=0", "--webhook-port=-1", "--webhook-port=65536",
		"--apiserver-port=0", "--apiserver-port=65536",
		"--apiserver-wait=0s", "--apiserver-wait=-1s", "--apiserver-wait=56s",
		"--concurrency=0", "--concurrency=-1", "--concurrency=1001", "--metrics-workloads=-1", "--metrics-workloads=100001",
		"--namespace=",
		"--pprof-bind-address=:6060", "--pprof-bind-address=0.0.0.0:6060", "--pprof-bind-address=10.0.0.1:6060", "--pprof-bind-address=6060",
		"--max-errors-per-cronjob=-1", "--max-errors-per-job=-1", "--max-errors-per-namespace=-1",
		"--capture-limit=0", "--capture-log-lines=-1", "--capture-log-lines=1001", "--capture-limit=10001", "--capture-grace=-1s", "--capture-grace=25h",
		"--capture-namespaces=A", "--capture-namespaces=a/b", "--capture-selector=a=b=c",
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			err := parse(t, arg).Validate()
			if err == nil {
				t.Fatal("Validate = nil, want an error")
			}
			flag, _, _ := strings.Cut(arg, "=")
			if !strings.HasPrefix(err.Error(), flag+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("Validate = %v, want an error about %s only", err, flag)
			}
		})
	}
}

func TestAllInvalidFlagsAreNamed(t *testing.T) {
	t.Parallel()
	err := parse(t, "--retention=abc", "--webhook-port=0", "--concurrency=0", "--namespace=", "--apiserver-port=0", "--apiserver-wait=0s").Validate()
	if err == nil {
		t.Fatal("Validate = nil, want an error")
	}
	var named []string
	for line := range strings.Lines(err.Error()) {
		flag, _, _ := strings.Cut(line, ":")
		named = append(named, flag)
	}
	const want = "--retention --webhook-port --concurrency --namespace --apiserver-port --apiserver-wait"
	if got := strings.Join(named, " "); got != want {
		t.Errorf("named %s, want %s", got, want)
	}
}

func TestInsecureMetricsAreOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for address, valid := range map[string]bool{"0": true, "127.0.0.1:8080": true, ":8080": false, "10.0.0.1:8080": false} {
		err := parse(t, "--metrics-insecure", "--metrics-bind-address="+address).Validate()
		if (err == nil) != valid || err != nil && !strings.HasPrefix(err.Error(), "--metrics-bind-address: ") {
			t.Errorf("%s: Validate = %v", address, err)
		}
		if err := parse(t, "--metrics-bind-address="+address).Validate(); err != nil {
			t.Errorf("%s with TLS: Validate = %v", address, err)
		}
	}
}
