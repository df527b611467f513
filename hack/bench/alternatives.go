// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// alternatives measures ways to resolve errors with kubectl alone, on a small number
// of errors.
func (b *bench) alternatives(ctx context.Context, r *results) error {
	logf("kubectl patch, in a loop and with xargs")
	const looped, parallel = 40, 240
	ns, _, err := b.namespace(ctx, "kubectl", "nightly")
	if err != nil {
		return err
	}
	if err := b.reportErrors(ctx, ns.Name, "nightly", looped+parallel); err != nil {
		return err
	}
	var names []string
	for i := range looped + parallel {
		names = append(names, jobError("", "nightly", i).Name)
	}
	patch := fmt.Sprintf(`%s patch joberrors.joberror.io -n %s --type=merge -p '{"spec":{"resolved":true}}' -o name`, b.KubectlPath(), ns.Name)
	for _, way := range []struct {
		name, script string
		names        []string
	}{
		{"`kubectl patch` in a loop", "while read name; do " + patch + ` "$name"; done`, names[:looped]},
		{"`xargs -P8 kubectl patch`", "xargs -P8 -I{} " + patch + " {}", names[looped:]},
	} {
		cmd := exec.CommandContext(ctx, "bash", "-c", way.script)
		cmd.Env = b.KubectlEnv()
		cmd.Stdin = strings.NewReader(strings.Join(way.names, "\n") + "\n")
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", way.name, err, out)
		}
		r.alternatives = append(r.alternatives, rate{name: way.name, n: len(way.names), took: time.Since(began)})
	}
	return nil
}

// rate holds how long a number of errors took.
type rate struct {
	name string
	n    int
	took time.Duration
}

func (r rate) perSecond() float64 { return float64(r.n) / r.took.Seconds() }

func (p timing) rate() rate { return rate{n: p.errors, took: p.took} }
