// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
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
			var jet joberrorv1.JobErrorRetry
			created(t, script, test.je, &jet)
			want := joberrorv1.JobErrorRetrySpec{JobID: test.job, Reason: "requested in Argo CD for error x"}
			if !reflect.DeepEqual(jet.Spec, want) {
				t.Errorf("the spec of the retry is %+v, want %+v", jet.Spec, want)
			}
		})
	}
}

// created runs an action that creates an object, which the schema of its kind must accept.
func created(t *testing.T, script string, source, into client.Object) {
	t.Helper()
	impacted, ok := run(t, script, source).([]any)
	if !ok || len(impacted) != 1 {
		t.Fatalf("the action returned %v", impacted)
	}
	operation := impacted[0].(map[string]any)
	data, err := json.Marshal(operation["resource"])
	if err != nil {
		t.Fatal(err)
	}
	kind := reflect.TypeOf(into).Elem().Name()
	if problems := validation.ValidateCustomResource(nil, operation["resource"], schemaOf(t, kind)); len(problems) > 0 {
		t.Fatalf("the API server refuses %s: %v", data, problems.ToAggregate())
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
	gvk := into.GetObjectKind().GroupVersionKind()
	if operation["operation"] != "create" || gvk != joberrorv1.GroupVersion.WithKind(kind) || into.GetNamespace() != "batch" {
		t.Errorf("the action returned %s", data)
	}
	if !regexp.MustCompile(`^argocd-\d{10}$`).MatchString(into.GetName()) {
		t.Errorf("the name is %s, want argocd- and the time", into.GetName())
	}
}

// schemaOf returns the schema that the API server checks objects of a kind with.
func schemaOf(t *testing.T, kind string) validation.SchemaValidator {
	t.Helper()
	plural := map[string]string{"JobErrorResolution": "joberrorresolutions", "JobErrorRetry": "joberrorretries"}[kind]
	var schema apiextensions.JSONSchemaProps
	from := definitionOf(t, plural).Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(from, &schema, nil); err != nil {
		t.Fatal(err)
	}
	validator, _, err := validation.NewSchemaValidator(&schema)
	if err != nil {
		t.Fatal(err)
	}
	return validator
}

// disabled reports whether the only action of a kind is not offered for an object.
func disabled(t *testing.T, a actions, name string, obj client.Object) bool {
	t.Helper()
	offered, ok := run(t, a.Discovery, obj).(map[string]any)
	if !ok || len(offered) != 1 || len(a.Definitions) != 1 {
		t.Fatalf("actions = %v, want one", offered)
	}
	return offered[name].(map[string]any)["disabled"].(bool)
}

func TestTheActionUndoReversesAResolution(t *testing.T) {
	a := actionsOf(t, "JobErrorResolution")
	complete := func(change func(*joberrorv1.JobErrorResolution)) *joberrorv1.JobErrorResolution {
		jer := resolution(joberrorv1.ReasonAllDone, metav1.ConditionTrue, 0)
		jer.Spec = joberrorv1.JobErrorResolutionSpec{JobID: "nightly", Reason: "fixed", RequestedBy: "ann"}
		jer.Status.Matched, jer.Status.Updated, jer.Status.Errors = 2, 2, []string{"row-1", "row-2"}
		if change != nil {
			change(jer)
		}
		return jer
	}
	reopens := func(jer *joberrorv1.JobErrorResolution) { jer.Spec.Resolved = ptr.To(false) }
	for name, test := range map[string]struct {
		jer      *joberrorv1.JobErrorResolution
		resolved bool
	}{
		"resolved":               {complete(nil), false},
		"resolved, as requested": {complete(func(jer *joberrorv1.JobErrorResolution) { jer.Spec.Resolved = ptr.To(true) }), false},
		"reopened":               {complete(reopens), true},
	} {
		t.Run(name, func(t *testing.T) {
			if disabled(t, a, "undo", test.jer) {
				t.Error("undo is not offered")
			}
			var undo joberrorv1.JobErrorResolution
			created(t, a.definition(t, "undo"), test.jer, &undo)
			want := joberrorv1.JobErrorResolutionSpec{
				JobID: "nightly", Errors: []string{"row-1", "row-2"}, Resolved: &test.resolved, Reason: "resolution x undone in Argo CD",
			}
			if !reflect.DeepEqual(undo.Spec, want) {
				t.Errorf("the spec of the resolution is %+v, want %+v", undo.Spec, want)
			}
		})
	}
	for name, jer := range map[string]*joberrorv1.JobErrorResolution{
		"not seen":    complete(func(jer *joberrorv1.JobErrorResolution) { jer.Status = joberrorv1.JobErrorResolutionStatus{} }),
		"in progress": resolution(joberrorv1.ReasonInProgress, metav1.ConditionFalse, 0),
		"nothing changed": complete(func(jer *joberrorv1.JobErrorResolution) {
			jer.Status.Matched, jer.Status.Updated, jer.Status.Errors = 0, 0, nil
		}),
		"one was resolved before": complete(func(jer *joberrorv1.JobErrorResolution) { jer.Status.Updated, jer.Status.Unchanged = 1, 1 }),
		"one failed":              complete(func(jer *joberrorv1.JobErrorResolution) { jer.Status.Updated, jer.Status.Failed = 1, 1 }),
		"not all are listed":      complete(func(jer *joberrorv1.JobErrorResolution) { jer.Status.Truncated = true }),
	} {
		if !disabled(t, a, "undo", jer) {
			t.Errorf("%s: undo is offered", name)
		}
	}
}

func TestTheActionRetryAgainRepeatsTheRequest(t *testing.T) {
	a := actionsOf(t, "JobErrorRetry")
	minimal := joberrorv1.JobErrorRetrySpec{JobID: "nightly"}
	full := joberrorv1.JobErrorRetrySpec{
		JobID: "uid-of-the-job", Template: joberrorv1.RetryOriginal, Indexes: joberrorv1.RetryAll,
		Set: []joberrorv1.ContainerOverride{{
			Container: "main", Args: []string{"--date", ""}, Env: []corev1.EnvVar{{Name: "EMPTY"}, {Name: "A", Value: "1"}},
			Resources: &joberrorv1.RetryResources{Limits: corev1.ResourceList{"memory": resource.MustParse("2Gi")}},
		}, {Container: "sidecar", Resources: &joberrorv1.RetryResources{}}},
	}
	for name, spec := range map[string]joberrorv1.JobErrorRetrySpec{"minimal": minimal, "with all fields": full} {
		t.Run(name, func(t *testing.T) {
			failed := retry(joberrorv1.ReasonRetryFailed, metav1.ConditionFalse)
			failed.Spec = spec
			failed.Spec.Reason, failed.Spec.RequestedBy = "first try", "ann"
			var again joberrorv1.JobErrorRetry
			created(t, a.definition(t, "retry-again"), failed, &again)
			want := *spec.DeepCopy()
			want.Reason = "retry x repeated in Argo CD"
			for i := range want.Set {
				if r := want.Set[i].Resources; r != nil && len(r.Limits)+len(r.Requests) == 0 {
					want.Set[i].Resources = nil
				}
			}
			if got, want := decoded(t, again.Spec), decoded(t, want); !reflect.DeepEqual(got, want) {
				t.Errorf("the spec of the retry is %v, want %v", got, want)
			}
		})
	}
	for name, test := range map[string]struct {
		jet  *joberrorv1.JobErrorRetry
		want bool
	}{
		"not seen":    {&joberrorv1.JobErrorRetry{ObjectMeta: meta}, true},
		"running":     {retry(joberrorv1.ReasonRetryRunning, metav1.ConditionUnknown), true},
		"succeeded":   {retry(joberrorv1.ReasonRetrySucceeded, metav1.ConditionTrue), true},
		"failed":      {retry(joberrorv1.ReasonRetryFailed, metav1.ConditionFalse), false},
		"Job deleted": {retry(joberrorv1.ReasonRetryLost, metav1.ConditionFalse), false},
		"restored":    {retry(joberrorv1.ReasonRestored, metav1.ConditionFalse), false},
	} {
		if got := disabled(t, a, "retry-again", test.jet); got != test.want {
			t.Errorf("%s: retry-again is disabled: %t, want %t", name, got, test.want)
		}
	}
}
