//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"joberror.io/operator/hack/controlplane"
)

const (
	// Name is the node's name.
	Name = "node"
	// Address is the node's address.
	Address = "10.88.0.1"

	bridge = "pods0"
	// bridgeAddress is the bridge's MAC address. The prefix 02 marks it as locally administered.
	bridgeAddress = "02:00:0a:58:00:01"
	clusterIP     = controlplane.ClusterIP
	registry      = "127.0.0.1:5000"
)

//go:embed containerd.toml hosts.toml bridge.conflist kubelet.yaml
var templates embed.FS

// Node is a real node for a control plane.
type Node struct {
	// Images serves the images that the node can pull.
	Images *Images

	assets string
	dir    string
}

// New returns a node that uses the binaries in assets and keeps its data in dir.
// Call it only inside Main.
func New(assets, dir string) (*Node, error) {
	images, err := newImages(filepath.Join(dir, "images"))
	if err != nil {
		return nil, err
	}
	return &Node{Images: images, assets: assets, dir: dir}, nil
}

// Start starts the node for a control plane and waits until it is ready.
func (n *Node) Start(ctx context.Context, plane *controlplane.Plane) (processes []*controlplane.Process, err error) {
	if err := n.Images.serve(registry); err != nil {
		return nil, err
	}
	if err := n.configure(); err != nil {
		return nil, err
	}
	kubeconfig, _, err := plane.KubeconfigFor("kubelet.kubeconfig", "system:node:"+Name, "system:nodes")
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		args []string
	}{
		{"containerd", []string{"--config=" + n.path("containerd.toml")}},
		{"kubelet", []string{
			"--config=" + n.path("kubelet.yaml"), "--kubeconfig=" + kubeconfig, "--root-dir=" + n.path("kubelet"),
			"--cert-dir=" + n.path("kubelet-pki"), "--hostname-override=" + Name, "--node-ip=" + Address,
		}},
	} {
		program := filepath.Join(n.assets, part.name)
		if _, err := os.Stat(program); err != nil {
			return processes, fmt.Errorf("find %s: %w; run make node-assets", part.name, err)
		}
		process, err := controlplane.StartProcess(part.name, n.path("logs"), program, part.args,
			// containerd looks up its shim in PATH.
			"PATH="+n.assets+":"+os.Getenv("PATH"))
		if err != nil {
			return processes, err
		}
		processes = append(processes, process)
		if part.name == "containerd" {
			// The kubelet exits if nothing listens on the socket.
			if err := waitFor(ctx, process, func(context.Context) error { _, err := os.Stat(n.socket()); return err }); err != nil {
				return processes, err
			}
		}
	}
	client, err := kubernetes.NewForConfig(plane.Config())
	if err != nil {
		return processes, err
	}
	return processes, waitFor(ctx, processes[1], func(ctx context.Context) error { return checkReady(ctx, client) })
}

// waitFor waits until a check passes or the process ends.
func waitFor(ctx context.Context, process *controlplane.Process, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, process.Err()
	})
	return errors.Join(err, last)
}

// checkReady checks that the node is ready and that pods can be created.
func checkReady(ctx context.Context, client kubernetes.Interface) error {
	if _, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return err
	}
	node, err := client.CoreV1().Nodes().Get(ctx, Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return fmt.Errorf("the node is not ready: %s", c.Message)
		}
	}
	return nil
}

// configure writes the configuration files of all parts.
func (n *Node) configure() error {
	for name, path := range map[string]string{
		"containerd.toml": "containerd.toml",
		"hosts.toml":      "registries/_default/hosts.toml",
		"bridge.conflist": "cni/bridge.conflist",
		"kubelet.yaml":    "kubelet.yaml",
	} {
		if err := n.write(name, n.path(path)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return os.WriteFile(n.path("resolv.conf"), nil, 0o644)
}

func (n *Node) write(name, path string) error {
	parsed, err := template.New(name).Option("missingkey=error").ParseFS(templates, name)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, map[string]string{
		"Dir": n.dir, "Assets": n.assets, "Socket": n.socket(), "Cgroup": os.Getenv(cgroupVariable),
		"Bridge": bridge, "Address": Address, "Registry": registry, "Pause": pauseImage,
	}); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text.Bytes(), 0o644))
}

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }

func (n *Node) socket() string { return n.path("containerd.sock") }
