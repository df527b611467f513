// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package checks finds out whether an installation of the operator works, and why not.
//
// Gather reads everything from the cluster. Each rule then decides about a part of what was
// read, without further I/O.
package checks

import (
	"time"
)

// Status is the outcome of a check.
type Status string

// Values of Status.
const (
	// OK means that the check found nothing wrong.
	OK Status = "ok"
	// Warning means that something needs attention, but works.
	Warning Status = "warning"
	// Failed means that something does not work.
	Failed Status = "failed"
	// Unknown means that the check could not look, for example because the user may not.
	Unknown Status = "unknown"
)

// Result is the outcome of one rule.
type Result struct {
	// Check is the name of the rule.
	Check  string `json:"check"`
	Status Status `json:"status"`
	// Message says in one line what was found and, if it is wrong, what to do.
	Message string `json:"message"`
}

// Report is the outcome of all rules.
type Report struct {
	// Namespace is the namespace of the rights and of the trial.
	Namespace string `json:"namespace"`
	// OperatorNamespace is the namespace of the operator.
	OperatorNamespace string   `json:"operatorNamespace"`
	Results           []Result `json:"results"`
	Rights            []Right  `json:"rights"`
}

// Count returns how many results have this status.
func (r *Report) Count(status Status) int {
	n := 0
	for _, result := range r.Results {
		if result.Status == status {
			n++
		}
	}
	return n
}

// rule decides about a part of the facts.
type rule struct {
	name   string
	decide func(*Facts, time.Time) (Status, string)
}

// rules holds all rules in the order of the output: what is installed, whether it answers, and
// what the user may do.
var rules = []rule{
	{"kubernetes", kubernetesVersion},
	{"crds", crds},
	{"operator", operator},
	{"leader", leader},
	{"apiservice", apiService},
	{"aggregated-api", aggregatedAPI},
	{"webhook-config", webhookConfig},
	{"webhook", webhook},
	{"ca-bundle", caBundles},
	{"certificate", certificate},
	{"policies", policies},
	{"version", operatorVersion},
	{"rights", rights},
}

// Decide applies all rules. The time is that of the cluster.
func Decide(f *Facts, now time.Time) *Report {
	report := &Report{Namespace: f.Namespace, OperatorNamespace: f.OperatorNamespace, Rights: f.Rights}
	for _, r := range rules {
		status, message := r.decide(f, now)
		report.Results = append(report.Results, Result{Check: r.name, Status: status, Message: oneLine(message)})
	}
	return report
}
