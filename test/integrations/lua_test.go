// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package integrations tests config/integrations: the Lua for Argo CD, and the files for k9s.
package integrations

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// actions is the value of a key resource.customizations.actions.* in Argo CD's ConfigMap.
type actions struct {
	MergeBuiltin bool   `json:"mergeBuiltinActions"`
	Discovery    string `json:"discovery.lua"`
	Definitions  []struct {
		Name string `json:"name"`
		Lua  string `json:"action.lua"`
	} `json:"definitions"`
}

// read returns the content of a file below config/integrations.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "config", "integrations", path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// setting returns a value of the ConfigMap.
func setting(t *testing.T, key string) string {
	t.Helper()
	var cm corev1.ConfigMap
	if err := yaml.UnmarshalStrict(read(t, "argocd/argocd-cm.yaml"), &cm); err != nil {
		t.Fatal(err)
	}
	value, ok := cm.Data["resource.customizations."+key]
	if !ok {
		t.Fatalf("argocd-cm has no key resource.customizations.%s", key)
	}
	return value
}

// actionsOf returns the actions of a kind.
func actionsOf(t *testing.T, kind string) actions {
	t.Helper()
	var a actions
	if err := yaml.UnmarshalStrict([]byte(setting(t, "actions.joberror.io_"+kind)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// definition returns the script of an action.
func (a actions) definition(t *testing.T, name string) string {
	t.Helper()
	for _, d := range a.Definitions {
		if d.Name == name {
			return d.Lua
		}
	}
	t.Fatalf("there is no action %s", name)
	return ""
}

// run runs a script for an object with the libraries that Argo CD offers: no strings, no math,
// and of os only the time. It returns the result as JSON would be decoded.
func run(t *testing.T, script string, obj any) any {
	t.Helper()
	vm := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer vm.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := vm.CallByParam(lua.P{Fn: vm.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	vm.PreloadModule(lua.OsLibName, func(vm *lua.LState) int {
		vm.Push(vm.SetFuncs(vm.NewTable(), map[string]lua.LGFunction{"time": func(vm *lua.LState) int {
			vm.Push(lua.LNumber(time.Now().Unix()))
			return 1
		}}))
		return 1
	})
	vm.SetGlobal("obj", toLua(vm, decoded(t, obj)))
	if err := vm.DoString(script); err != nil {
		t.Fatalf("%v in\n%s", err, script)
	}
	return fromLua(t, vm.Get(-1))
}

// decoded returns an object as JSON decodes it.
func decoded(t *testing.T, obj any) any {
	t.Helper()
	data, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func toLua(vm *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := vm.NewTable()
		for key, element := range v {
			table.RawSetString(key, toLua(vm, element))
		}
		return table
	case []any:
		table := vm.NewTable()
		for _, element := range v {
			table.Append(toLua(vm, element))
		}
		return table
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	}
	return lua.LNil
}

func fromLua(t *testing.T, value lua.LValue) any {
	t.Helper()
	switch v := value.(type) {
	case *lua.LTable:
		if n := v.Len(); n > 0 {
			list := make([]any, 0, n)
			for i := 1; i <= n; i++ {
				list = append(list, fromLua(t, v.RawGetInt(i)))
			}
			return list
		}
		object := map[string]any{}
		v.ForEach(func(key, element lua.LValue) { object[key.String()] = fromLua(t, element) })
		if len(object) == 0 {
			// Lua does not tell an empty object from an empty list, and Argo CD writes a list.
			return []any{}
		}
		return object
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return float64(v)
	case lua.LBool:
		return bool(v)
	case *lua.LNilType:
		return nil
	}
	t.Fatalf("the script returned a %s", value.Type())
	return nil
}

// health returns the health of an object and its message.
func health(t *testing.T, kind string, obj any) (status, message string) {
	t.Helper()
	result, ok := run(t, setting(t, "health.joberror.io_"+kind), obj).(map[string]any)
	if !ok {
		t.Fatalf("the health of a %s is not an object", kind)
	}
	if keys := slices.Sorted(maps.Keys(result)); !slices.Equal(keys, []string{"message", "status"}) {
		t.Fatalf("the health of a %s has the fields %v", kind, keys)
	}
	return fmt.Sprint(result["status"]), fmt.Sprint(result["message"])
}
