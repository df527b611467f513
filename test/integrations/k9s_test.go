// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"
)

// views is the content of views.yaml.
type views struct {
	Views map[string]struct {
		SortColumn string   `json:"sortColumn"`
		Columns    []string `json:"columns"`
	} `json:"views"`
}

// plugins is the content of plugins.yaml.
type plugins struct {
	Plugins map[string]struct {
		ShortCut    string   `json:"shortCut"`
		Description string   `json:"description"`
		Confirm     bool     `json:"confirm"`
		Dangerous   bool     `json:"dangerous"`
		Scopes      []string `json:"scopes"`
		Command     string   `json:"command"`
		Background  bool     `json:"background"`
		Args        []string `json:"args"`
	} `json:"plugins"`
}

// definitionOf returns the CustomResourceDefinition of a resource.
func definitionOf(t *testing.T, resource string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "joberror.io_"+resource+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &crd); err != nil {
		t.Fatal(err)
	}
	return &crd
}

// tableColumns returns the columns that the API server sends for a resource, as k9s names them.
func tableColumns(t *testing.T, resource string) []string {
	t.Helper()
	columns := []string{"NAME", "NAMESPACE"}
	for _, c := range definitionOf(t, resource).Spec.Versions[0].AdditionalPrinterColumns {
		columns = append(columns, strings.ToUpper(c.Name))
	}
	return columns
}

// column is the syntax of a column: a name, and perhaps a path and attributes.
var column = regexp.MustCompile(`^([\w-]+)(?::(\..+?))?(?:\|([NTWSLRH]{1,3}))?$`)

func TestK9sViews(t *testing.T) {
	var v views
	if err := yaml.UnmarshalStrict(read(t, "k9s/views.yaml"), &v); err != nil {
		t.Fatal(err)
	}
	for _, resource := range []string{"joberrors", "joberrorresolutions", "joberrorretries"} {
		view, ok := v.Views["joberror.io/v1/"+resource]
		if !ok {
			t.Errorf("there is no view of %s", resource)
			continue
		}
		table := tableColumns(t, resource)
		var names []string
		for _, c := range view.Columns {
			m := column.FindStringSubmatch(c)
			if m == nil {
				t.Errorf("%s: %q is not a column", resource, c)
				continue
			}
			names = append(names, m[1])
			if m[2] == "" && !slices.Contains(table, m[1]) {
				t.Errorf("%s: the API server sends no column %s", resource, m[1])
			}
			if err := jsonpath.New(m[1]).Parse("{" + m[2] + "}"); m[2] != "" && err != nil {
				t.Errorf("%s: %q: %v", resource, c, err)
			}
		}
		if name, _, _ := strings.Cut(view.SortColumn, ":"); !slices.Contains(names, name) {
			t.Errorf("%s: there is no column %s to sort by", resource, name)
		}
	}
}

func TestK9sPlugins(t *testing.T) {
	var v views
	var p plugins
	if err := yaml.UnmarshalStrict(read(t, "k9s/views.yaml"), &v); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(read(t, "k9s/plugins.yaml"), &p); err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	for name, plugin := range p.Plugins {
		// k9s sorts tables and jumps to the owner with these.
		if plugin.Description == "" || plugin.Command == "" || slices.Contains([]string{"Shift-N", "Shift-A", "Shift-J", "Shift-P"}, plugin.ShortCut) {
			t.Errorf("%s is %+v", name, plugin)
		}
		args := strings.Join(plugin.Args, " ")
		for _, scope := range plugin.Scopes {
			if other := taken[scope+plugin.ShortCut]; other != "" {
				t.Errorf("%s and %s both have %s in %s", name, other, plugin.ShortCut, scope)
			}
			taken[scope+plugin.ShortCut] = name
			if columns := v.Views["joberror.io/v1/"+scope].Columns; strings.Contains(args, "$COL-JOB") && !slices.Contains(columns, "JOB") {
				t.Errorf("%s reads the column JOB, which the view of %s lacks", name, scope)
			}
			// Another Job may have the name by now.
			if scope == "joberrors" && strings.Contains(args, "joberrors retry") && !strings.Contains(args, "joberror/$NAME") {
				t.Errorf("%s does not name the error", name)
			}
		}
		// A command that changes something asks first, and k9s hides it if it is read-only.
		changes := !strings.Contains(args, "joberrors show")
		if plugin.Confirm != changes || plugin.Dangerous != changes {
			t.Errorf("%s: confirm = %t, dangerous = %t", name, plugin.Confirm, plugin.Dangerous)
		}
		for _, want := range []string{"--context", "--namespace", "$CONTEXT", "$NAMESPACE"} {
			if !strings.Contains(args, want) {
				t.Errorf("%s does not pass %s", name, want)
			}
		}
	}
}
