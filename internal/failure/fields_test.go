// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/yaml"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// specSchema returns the schema of spec in the CRD of JobErrors.
func specSchema(t *testing.T) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	data, err := os.ReadFile("../../config/crd/bases/joberror.io_joberrors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &crd); err != nil {
		t.Fatal(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties
}

func TestFieldsMatchTheSchema(t *testing.T) {
	t.Parallel()
	schema := specSchema(t)
	// These fields are not text that a record brings along.
	delete(schema, "_jobId")
	delete(schema, "createdAt")
	delete(schema, "resolved")
	for _, f := range Fields() {
		property, found := schema[f.Name]
		if !found || property.MaxLength == nil || *property.MaxLength != int64(f.MaxLength) {
			t.Errorf("%s: MaxLength = %d, want that of the schema, %v", f.Name, f.MaxLength, property.MaxLength)
		}
		delete(schema, f.Name)
	}
	if len(schema) > 0 {
		t.Errorf("the table lacks the schema's fields %v", sets.List(sets.KeySet(schema)))
	}
}

// A row of the table that names the wrong Go field would exchange two fields.
func TestFieldsAreTheNamedOnes(t *testing.T) {
	t.Parallel()
	jsonName := func(structure any, pointer *string) string {
		value := reflect.ValueOf(structure).Elem()
		for i := range value.NumField() {
			if value.Field(i).Addr().Interface() == any(pointer) {
				name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
				return name
			}
		}
		return ""
	}
	record, spec := &resolvev1.Record{}, &joberrorv1.JobErrorSpec{}
	for _, f := range Fields() {
		if got := []string{jsonName(record, f.ofRecord(record)), jsonName(spec, f.ofSpec(spec))}; !slices.Equal(got, []string{f.Name, f.Name}) {
			t.Errorf("%s: the fields are %v", f.Name, got)
		}
	}
}

var fullRecord = resolvev1.Record{
	ID: "row-1", UserID: "u", JobID: "j", RetryID: "r", CreatedAt: "2026-11-05T09:00:00Z", Resolved: true,
	Code: "c", Extract: "e", Generate: "g", Extracted: "ed", Generated: "gd", Message: "m", Source: "s",
}

func TestContentWithoutTime(t *testing.T) {
	t.Parallel()
	want := resolvev1.Record{Code: "c", Extract: "e", Generate: "g", Extracted: "ed", Generated: "gd", Message: "m", Source: "s"}
	if got := ContentWithoutTime(&fullRecord); got != want {
		t.Errorf("ContentWithoutTime = %+v, want %+v", got, want)
	}
	if !HasContent(&want) || HasContent(&resolvev1.Record{ID: "row-1", UserID: "u", JobID: "j", RetryID: "r", CreatedAt: "x", Resolved: true}) {
		t.Error("HasContent does not look at exactly the content")
	}
}

// The names of existing JobErrors derive from these keys: they must never change.
func TestRecordKey(t *testing.T) {
	t.Parallel()
	withoutID := fullRecord
	withoutID.ID = ""
	another := withoutID
	another.UserID, another.CreatedAt, another.Resolved = "x", "y", false
	for name, tc := range map[string]struct {
		record resolvev1.Record
		want   string
	}{
		"by its id":                              {fullRecord, "record/row-1"},
		"by its content":                         {withoutID, "record//f32aib117g"},
		"from anyone, at any time, in any state": {another, "record//f32aib117g"},
	} {
		if got := RecordKey(&tc.record); got != tc.want {
			t.Errorf("%s: RecordKey = %q, want %q", name, got, tc.want)
		}
	}
}

func TestSetText(t *testing.T) {
	t.Parallel()
	var spec joberrorv1.JobErrorSpec
	overlay(&spec, &fullRecord)
	var got resolvev1.Record
	SetText(&got, spec)
	want := ContentWithoutTime(&fullRecord)
	want.UserID = "u"
	if got != want {
		t.Errorf("SetText = %+v, want %+v", got, want)
	}
}
