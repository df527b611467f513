// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/conditions"
)

var meta = metav1.ObjectMeta{Name: "x", Namespace: "batch", UID: "uid-of-x", Generation: 2}

// jobError returns an error that the operator has seen.
func jobError(resolved bool, change func(*joberrorv1.JobError)) *joberrorv1.JobError {
	je := &joberrorv1.JobError{ObjectMeta: *meta.DeepCopy(), Spec: joberrorv1.JobErrorSpec{JobID: "nightly", Code: "Exit3", Message: "no such table", Resolved: resolved}}
	je.Status.ObservedGeneration = je.Generation
	je.Status.Job = &joberrorv1.JobReference{Name: "nightly", UID: "uid-of-the-job"}
	condition := metav1.Condition{Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonOpen}
	if resolved {
		je.Status.ResolvedBy = "ann"
		condition = metav1.Condition{Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonSetByUser}
	}
	conditions.Set(&je.Status.Conditions, je.Generation, time.Now(), joberrorv1.ConditionResolved, condition)
	if change != nil {
		change(je)
	}
	return je
}

// resolution returns a resolution with these conditions.
func resolution(reason string, complete metav1.ConditionStatus, failed int32, failures ...string) *joberrorv1.JobErrorResolution {
	jer := &joberrorv1.JobErrorResolution{ObjectMeta: *meta.DeepCopy()}
	jer.Status.ObservedGeneration, jer.Status.Failed = jer.Generation, failed
	for _, reason := range failures {
		jer.Status.Failures = append(jer.Status.Failures, joberrorv1.ResolutionFailure{Name: "row-1", Reason: reason})
	}
	now := time.Now()
	conditions.Set(&jer.Status.Conditions, jer.Generation, now, joberrorv1.ConditionComplete, metav1.Condition{Status: complete, Reason: reason, Message: "counts"})
	if complete == metav1.ConditionFalse {
		conditions.Set(&jer.Status.Conditions, jer.Generation, now, joberrorv1.ConditionReconciling, metav1.Condition{Status: metav1.ConditionTrue, Reason: reason})
	}
	return jer
}

// retry returns a retry that ended, or that runs if succeeded is Unknown.
func retry(reason string, succeeded metav1.ConditionStatus) *joberrorv1.JobErrorRetry {
	jet := &joberrorv1.JobErrorRetry{ObjectMeta: *meta.DeepCopy()}
	jet.Status.ObservedGeneration = jet.Generation
	complete, now := metav1.ConditionTrue, time.Now()
	if succeeded == metav1.ConditionUnknown {
		complete = metav1.ConditionFalse
		conditions.Set(&jet.Status.Conditions, jet.Generation, now, joberrorv1.ConditionReconciling, metav1.Condition{Status: metav1.ConditionTrue, Reason: reason})
	}
	conditions.Set(&jet.Status.Conditions, jet.Generation, now, joberrorv1.ConditionComplete, metav1.Condition{Status: complete, Reason: reason, Message: "why"})
	conditions.Set(&jet.Status.Conditions, jet.Generation, now, joberrorv1.ConditionSucceeded, metav1.Condition{Status: succeeded, Reason: reason, Message: "why"})
	return jet
}

func TestHealth(t *testing.T) {
	unseen := func(generation int64) func(*joberrorv1.JobError) {
		return func(je *joberrorv1.JobError) { je.Status.ObservedGeneration = generation }
	}
	for name, test := range map[string]struct {
		obj             client.Object
		status, message string
	}{
		"error that the operator has not seen": {jobError(false, unseen(-1)), "Progressing", "not seen"},
		"error that changed":                   {jobError(true, unseen(1)), "Progressing", "not seen"},
		"open error":                           {jobError(false, nil), "Suspended", "open: Exit3: no such table"},
		"open error with a summary":            {jobError(false, func(je *joberrorv1.JobError) { je.Status.Summary = "short" }), "Suspended", "open: Exit3: short"},
		"open error without content":           {jobError(false, func(je *joberrorv1.JobError) { je.Spec.Code, je.Spec.Message = "", "" }), "Suspended", "open"},
		"open error in Git, by annotation": {jobError(false, func(je *joberrorv1.JobError) {
			je.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "app:joberror.io/JobError:batch/x"}
		}), "Healthy", "open: Exit3"},
		"open error in Git, by label": {jobError(false, func(je *joberrorv1.JobError) {
			je.Labels = map[string]string{"app.kubernetes.io/instance": "app"}
		}), "Healthy", "open: Exit3"},
		"resolved error":               {jobError(true, nil), "Healthy", "resolved by ann"},
		"error resolved by an unknown": {jobError(true, func(je *joberrorv1.JobError) { je.Status.ResolvedBy = "" }), "Healthy", "resolved"},

		"resolution that the operator has not seen": {&joberrorv1.JobErrorResolution{ObjectMeta: meta}, "Progressing", "not seen"},
		"resolution in progress":                    {resolution(joberrorv1.ReasonInProgress, metav1.ConditionFalse, 0), "Progressing", "counts"},
		"resolution in progress with failures":      {resolution(joberrorv1.ReasonInProgress, metav1.ConditionFalse, 1, joberrorv1.FailureRejected), "Progressing", "counts"},
		"complete resolution":                       {resolution(joberrorv1.ReasonAllDone, metav1.ConditionTrue, 0), "Healthy", "counts"},
		"restored resolution":                       {resolution(joberrorv1.ReasonRestored, metav1.ConditionTrue, 0), "Healthy", "counts"},
		"resolution of expired errors":              {resolution(joberrorv1.ReasonSomeFailed, metav1.ConditionTrue, 1, joberrorv1.FailureNotFound), "Healthy", "counts"},
		"resolution that was refused": {
			resolution(joberrorv1.ReasonSomeFailed, metav1.ConditionTrue, 2, joberrorv1.FailureNotFound, joberrorv1.FailureRejected), "Degraded", "counts; row-1: Rejected",
		},
		"resolution with unlisted failures": {resolution(joberrorv1.ReasonSomeFailed, metav1.ConditionTrue, 11, joberrorv1.FailureNotFound), "Degraded", "counts"},

		"retry that the operator has not seen": {&joberrorv1.JobErrorRetry{ObjectMeta: meta}, "Progressing", "not seen"},
		"retry that runs":                      {retry(joberrorv1.ReasonRetryRunning, metav1.ConditionUnknown), "Progressing", "why"},
		"retry that succeeded":                 {retry(joberrorv1.ReasonRetrySucceeded, metav1.ConditionTrue), "Healthy", "why"},
		"retry that failed":                    {retry(joberrorv1.ReasonRetryFailed, metav1.ConditionFalse), "Degraded", "why"},
		"retry whose Job was deleted":          {retry(joberrorv1.ReasonRetryLost, metav1.ConditionFalse), "Degraded", "why"},
		"restored retry":                       {retry(joberrorv1.ReasonRestored, metav1.ConditionFalse), "Healthy", "why"},
	} {
		t.Run(name, func(t *testing.T) {
			kind := reflect.TypeOf(test.obj).Elem().Name()
			status, message := health(t, kind, test.obj)
			if status != test.status || !strings.Contains(message, test.message) {
				t.Errorf("health = %s (%s), want %s with %q", status, message, test.status, test.message)
			}
			checkKstatus(t, test.obj, status)
		})
	}
}

// checkKstatus checks that Argo CD waits for an object exactly as long as kstatus does: while the
// operator has not seen its generation, or the condition Reconciling is True.
func checkKstatus(t *testing.T, obj client.Object, health string) {
	t.Helper()
	data, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Status struct {
			ObservedGeneration int64              `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	inProgress := object.Status.ObservedGeneration != obj.GetGeneration()
	for _, c := range object.Status.Conditions {
		inProgress = inProgress || c.Type == joberrorv1.ConditionReconciling && c.Status == metav1.ConditionTrue
	}
	if inProgress != (health == "Progressing") {
		t.Errorf("health = %s, but kstatus says in progress = %t", health, inProgress)
	}
}

func TestActionsOfJobErrors(t *testing.T) {
	a := actionsOf(t, "JobError")
	for _, resolved := range []bool{false, true} {
		je := jobError(resolved, nil)
		want := map[string]any{
			"resolve": map[string]any{"disabled": resolved}, "reopen": map[string]any{"disabled": !resolved}, "retry": map[string]any{"disabled": false},
		}
		offered := run(t, a.Discovery, je)
		if !reflect.DeepEqual(offered, want) {
			t.Errorf("resolved %t: actions = %v, want %v", resolved, offered, want)
		}
		var defined []string
		for _, d := range a.Definitions {
			defined = append(defined, d.Name)
		}
		if slices.Sort(defined); !slices.Equal(defined, slices.Sorted(maps.Keys(want))) {
			t.Errorf("defined are %v", defined)
		}
	}
	for name, resolved := range map[string]bool{"resolve": true, "reopen": false} {
		before := jobError(!resolved, nil)
		want := decoded(t, before).(map[string]any)
		want["spec"].(map[string]any)["resolved"] = resolved
		if got := run(t, a.definition(t, name), before); !reflect.DeepEqual(withoutEmpty(got), withoutEmpty(want)) {
			t.Errorf("%s returned %v, want %v", name, got, want)
		}
	}
}

// withoutEmpty drops empty objects and lists, which Lua does not tell apart.
func withoutEmpty(value any) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, element := range v {
			if element = withoutEmpty(element); element != nil {
				kept[key] = element
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	}
	return value
}

func TestTheActionRetryCreatesARetry(t *testing.T) {
	script := actionsOf(t, "JobError").definition(t, "retry")
	for name, test := range map[string]struct {
		je  *joberrorv1.JobError
		job string
	}{
		"by UID":                       {jobError(false, nil), "uid-of-the-job"},
		"by name, if it is not linked": {jobError(false, func(je *joberrorv1.JobError) { je.Status.Job = nil }), "nightly"},
	} {
		t.Run(name, func(t *testing.T) {
			impacted, ok := run(t, script, test.je).([]any)
			if !ok || len(impacted) != 1 {
				t.Fatalf("the action returned %v", impacted)
			}
			operation := impacted[0].(map[string]any)
			data, err := json.Marshal(operation["resource"])
			if err != nil {
				t.Fatal(err)
			}
			var jet joberrorv1.JobErrorRetry
			decoder := json.NewDecoder(strings.NewReader(string(data)))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&jet); err != nil {
				t.Fatal(err)
			}
			if operation["operation"] != "create" || jet.APIVersion != joberrorv1.GroupVersion.String() || jet.Kind != "JobErrorRetry" || jet.Namespace != "batch" {
				t.Errorf("the action returned %s", data)
			}
			if jet.Spec.JobID != test.job || jet.Spec.Reason != "requested in Argo CD for error x" || !regexp.MustCompile(`^argocd-\d{10}$`).MatchString(jet.Name) {
				t.Errorf("the retry is %s", data)
			}
		})
	}
}
