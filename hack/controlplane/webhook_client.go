// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// webhookFlags returns the flags that make the API server show webhooks a client
// certificate, as docs/operations.md describes.
func (p *Plane) webhookFlags() ([]string, error) {
	kubeconfig, admission := p.path("webhooks.kubeconfig"), p.path("admission.yaml")
	clients := clientcmdapi.NewConfig()
	clients.AuthInfos["*"] = &clientcmdapi.AuthInfo{ClientCertificate: p.path("pki", "proxy.crt"), ClientKey: p.path("pki", "proxy.key")}
	if err := clientcmd.WriteToFile(*clients, kubeconfig); err != nil {
		return nil, err
	}
	config := strings.ReplaceAll(admissionConfiguration, "KUBECONFIG", kubeconfig)
	return []string{"--admission-control-config-file=" + admission}, os.WriteFile(admission, []byte(config), 0o600)
}

// WebhookClientCA returns the path of the CA that signed that certificate.
func (p *Plane) WebhookClientCA() string { return p.path("pki", "proxy-ca.crt") }
