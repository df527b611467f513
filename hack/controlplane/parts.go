// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"os"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var (
	//go:embed kubelet.yaml
	kubeletStages []byte
	//go:embed audit.yaml
	auditPolicy []byte
	//go:embed admission.yaml
	admissionConfiguration string
)

func (p *Plane) startEtcd(ctx context.Context) error {
	peers, url := "http://"+p.etcdPeer, "http://"+p.etcd
	process, err := p.launch("etcd",
		"--data-dir="+p.path("etcd"),
		"--listen-client-urls="+url, "--advertise-client-urls="+url,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers,
		// No data has to survive a power failure.
		"--unsafe-no-fsync",
	)
	if err != nil {
		return err
	}
	return process.waitFor(ctx, checkHealth(url+"/health"))
}

func (p *Plane) startAPIServer(ctx context.Context) error {
	host, port, err := net.SplitHostPort(p.api)
	if err != nil {
		return err
	}
	pki := func(name string) string { return p.path("pki", name) }
	audit, err := p.auditFlags()
	if err != nil {
		return err
	}
	webhooks, err := p.webhookFlags()
	if err != nil {
		return err
	}
	process, err := p.launch("kube-apiserver", append(slices.Concat(audit, webhooks, p.nodeFlags()),
		"--etcd-servers=http://"+p.etcd,
		"--bind-address="+host, "--advertise-address="+host, "--secure-port="+port,
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"),
		"--client-ca-file="+pki("ca.crt"),
		"--authorization-mode=Node,RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file="+pki("service-accounts.key"),
		"--service-account-key-file="+pki("service-accounts.key"),
		// The aggregation layer needs these flags to authenticate callers to the
		// operator.
		"--requestheader-client-ca-file="+pki("proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+pki("proxy.crt"), "--proxy-client-key-file="+pki("proxy.key"),
		"--endpoint-reconciler-type=none",
		"--allow-privileged=true",
	)...)
	if err != nil {
		return err
	}
	if p.config == nil {
		if p.Kubeconfig, p.config, err = p.KubeconfigFor("kubeconfig", "admin", "system:masters"); err != nil {
			return err
		}
	}
	client, err := kubernetes.NewForConfig(p.config)
	if err != nil {
		return err
	}
	return process.waitFor(ctx, func(ctx context.Context) error {
		return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// nodeFlags returns the API server's flags for a real node. With them it reaches
// the kubelet, and reaches pods at their own addresses, because nothing here routes
// a Service.
func (p *Plane) nodeFlags() []string {
	if p.options.Node == nil {
		return nil
	}
	return []string{
		"--enable-aggregator-routing=true",
		"--enable-admission-plugins=NodeRestriction",
		"--kubelet-client-certificate=" + p.path("pki", "apiserver-kubelet.crt"),
		"--kubelet-client-key=" + p.path("pki", "apiserver-kubelet.key"),
		"--kubelet-preferred-address-types=InternalIP",
	}
}

// auditFlags returns the flags that enable the audit log, if Options.Audit is set.
func (p *Plane) auditFlags() ([]string, error) {
	if !p.options.Audit {
		return nil, nil
	}
	policy := p.path("audit-policy.yaml")
	return []string{"--audit-policy-file=" + policy, "--audit-log-path=" + p.AuditLog()}, os.WriteFile(policy, auditPolicy, 0o600)
}

// AuditLog returns the path of the API server's audit log.
func (p *Plane) AuditLog() string { return p.path("audit.log") }

func (p *Plane) startControllerManager(context.Context) error {
	kubeconfig, _, err := p.KubeconfigFor("controller-manager.kubeconfig", "system:kube-controller-manager")
	if err != nil {
		return err
	}
	args := []string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--service-account-private-key-file=" + p.path("pki", "service-accounts.key"),
		"--root-ca-file=" + p.path("pki", "ca.crt"),
		"--use-service-account-credentials=true",
		"--secure-port=0", "--leader-elect=false",
	}
	if p.options.FastControllers {
		args = append(args, "--kube-api-qps=500", "--kube-api-burst=500", "--concurrent-job-syncs=20")
	}
	_, err = p.launch("kube-controller-manager", args...)
	return err
}

func (p *Plane) startScheduler(context.Context) error {
	kubeconfig, _, err := p.KubeconfigFor("scheduler.kubeconfig", "system:kube-scheduler")
	if err != nil {
		return err
	}
	_, err = p.launch("kube-scheduler",
		"--kubeconfig="+kubeconfig, "--authentication-kubeconfig="+kubeconfig, "--authorization-kubeconfig="+kubeconfig,
		"--secure-port=0", "--leader-elect=false",
	)
	return err
}

// startNode starts a real node if Options.Node is set, and kwok otherwise.
func (p *Plane) startNode(ctx context.Context) error {
	if p.options.Node == nil {
		return p.startKwok(ctx)
	}
	processes, err := p.options.Node(ctx, p)
	p.processes = append(p.processes, processes...)
	return err
}

// startKwok starts kwok, adds a node for it to simulate, and waits until the node
// is ready.
func (p *Plane) startKwok(ctx context.Context) error {
	stages := p.path("kubelet.yaml")
	if err := os.WriteFile(stages, kubeletStages, 0o600); err != nil {
		return err
	}
	process, err := p.launch("kwok", "--kubeconfig="+p.Kubeconfig, "--config="+stages, "--manage-all-nodes=true",
		"--node-lease-duration-seconds=40")
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(p.config)
	if err != nil {
		return err
	}
	nodes := client.CoreV1().Nodes()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "dev-node", Labels: map[string]string{corev1.LabelHostname: "dev-node"}}}
	if _, err := nodes.Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return err
	}
	return process.waitFor(ctx, func(ctx context.Context) error {
		node, err := nodes.Get(ctx, "dev-node", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("the node is not ready")
	})
}
