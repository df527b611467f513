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

func TestServesFromAnEmptyRoot(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	je := harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	if je.Spec.UserID == "" || je.Labels[joberrorv1.LabelJobName] != "job" {
		t.Errorf("got %+v, want it filled in by the webhook", je)
	}
	harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/e/resolve", "").Want(t, http.StatusCreated)
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedAt != nil })
}

func TestRunsUnprivilegedWithoutWriteAccess(t *testing.T) {
	if !cluster.Isolated {
		t.Log("this machine can't contain the pods, so nothing is tested")
		return
	}
	pods := cluster.OperatorPods(t)
	if len(pods) != 2 {
		t.Fatalf("found %d operator pods, want 2", len(pods))
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
				t.Errorf("status of %s lacks %q:\n%s", name, want, status)
			}
		}
		root := fmt.Sprintf("/proc/%d/root", process.PID())
		for path, mode := range ownerModes(t, root) {
			if mode != "r-x" && path != "/certs" {
				t.Errorf("mode of %s = %s for the operator, want r-x", path, mode)
			}
		}
	}
}

// ownerModes returns the permissions that the owner has on each folder of a root.
func ownerModes(t *testing.T, root string) map[string]string {
	t.Helper()
	modes := map[string]string{}
	err := filepath.WalkDir(root+"/", func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		modes["/"+strings.TrimLeft(strings.TrimPrefix(path, root), "/")] = info.Mode().Perm().String()[1:4]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := modes["/certs"]; !ok || len(modes) > 10 {
		t.Fatalf("folders = %v, want those of the image with /certs", modes)
	}
	return modes
}

func TestIsStaticAndKnowsItsVersion(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), cluster.Binary(), "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), harness.ImageVersion) {
		t.Errorf("--version printed %q, want %s: %v", out, harness.ImageVersion, err)
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
		t.Errorf("the binary needs libraries %v, want a static one: %v", libraries, err)
	}
}

func TestBuildsForEachArchitecture(t *testing.T) {
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
			t.Errorf("build settings = %v, want GOARCH %s without cgo", settings, arch)
		}
	}
}

// A vulnerability scanner must find every linked module.
func TestBillOfMaterialsListsAllModules(t *testing.T) {
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
	listed := map[string]string{}
	for _, p := range document.Packages {
		listed[p.Name] = p.VersionInfo
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
		if listed[module] != version {
			t.Errorf("version of %s = %q, want %q", module, listed[module], version)
		}
	}
	if document.SPDXVersion != "SPDX-2.3" || len(want) < 50 || len(listed) != len(want) {
		t.Errorf("got %s with %d packages, want SPDX-2.3 with %d, at least 50", document.SPDXVersion, len(listed), len(want))
	}
}
