// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestItServesFromAnEmptyRoot(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	je := harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	if je.Spec.UserID == "" || je.Labels[joberrorv1.LabelJobName] != "job" {
		t.Errorf("the webhook filled nothing in: %+v", je)
	}
	harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrors(ns, "job")+"/e/resolve", "").Want(t, http.StatusCreated)
	cluster.When(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedAt != nil })
}

func TestItRunsAsNobodyAndWritesNothing(t *testing.T) {
	if !cluster.Contained {
		t.Log("the pods are not contained on this machine")
		return
	}
	pods := cluster.OperatorPods(t)
	if len(pods) != 2 {
		t.Fatalf("%d pods, want 2", len(pods))
	}
	for _, name := range pods {
		process := cluster.Pods.Process(name)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.PID()))
		if err != nil {
			t.Fatal(err)
		}
		user := os.Geteuid()
		if user == 0 {
			user = 65532
		}
		for _, want := range []string{fmt.Sprintf("\nUid:\t%d\t", user), "\nCapEff:\t0000000000000000\n"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("%s has no %q in\n%s", name, want, status)
			}
		}
		root := fmt.Sprintf("/proc/%d/root", process.PID())
		for path, want := range contents(t, root) {
			if want != "r-x" && path != "/certs" {
				t.Errorf("%s is %s for the operator", path, want)
			}
		}
	}
}

// contents are the folders of a root, and what their owner may do there.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root+"/", func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		found["/"+strings.TrimLeft(strings.TrimPrefix(path, root), "/")] = info.Mode().Perm().String()[1:4]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := found["/certs"]; !ok || len(found) > 10 {
		t.Fatalf("these are not the folders of a container: %v", found)
	}
	return found
}

func TestItIsStaticAndKnowsItsVersion(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), cluster.Binary(), "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), harness.ImageVersion) {
		t.Errorf("--version says %q, %v", out, err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	file, err := elf.Open(cluster.Binary())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil || len(libraries) > 0 || file.Section(".interp") != nil {
		t.Errorf("it needs libraries: %v %v", libraries, err)
	}
}

func TestItIsBuiltForOtherMachinesToo(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		path := filepath.Join(t.TempDir(), arch)
		if err := cluster.BuildFor(t.Context(), arch, path); err != nil {
			t.Fatal(err)
		}
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		settings := map[string]string{}
		for _, setting := range info.Settings {
			settings[setting.Key] = setting.Value
		}
		if settings["GOARCH"] != arch || settings["CGO_ENABLED"] != "0" {
			t.Errorf("built with %v, want %s", settings, arch)
		}
	}
}

// Who looks for a vulnerable module finds each that is linked.
func TestTheBillOfMaterialsNamesAllModules(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "sbom"), cluster.Binary(), harness.ImageVersion).Output()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		SPDXVersion string
		Packages    []struct{ Name, VersionInfo string }
	}
	if err := json.Unmarshal(out, &document); err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, p := range document.Packages {
		named[p.Name] = p.VersionInfo
	}
	info, err := buildinfo.ReadFile(cluster.Binary())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{info.Main.Path: harness.ImageVersion, "stdlib": strings.TrimPrefix(info.GoVersion, "go")}
	for _, dependency := range info.Deps {
		want[dependency.Path] = dependency.Version
	}
	for module, version := range want {
		if named[module] != version {
			t.Errorf("%s is %q, want %q", module, named[module], version)
		}
	}
	if document.SPDXVersion != "SPDX-2.3" || len(want) < 50 || len(named) != len(want) {
		t.Errorf("%s with %d packages, want %d", document.SPDXVersion, len(named), len(want))
	}
}
