// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"crypto/x509/pkix"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// KubeconfigFor writes a kubeconfig for a user in these groups into the control
// plane's directory. The user authenticates with a client certificate, so any name
// works, including a service account's.
func (p *Plane) KubeconfigFor(file, user string, groups ...string) (string, *rest.Config, error) {
	certPEM, keyPEM, err := p.clients.Sign(pkix.Name{CommonName: user, Organization: groups})
	if err != nil {
		return "", nil, err
	}
	return p.writeKubeconfig(file, clientcmdapi.AuthInfo{ClientCertificateData: certPEM, ClientKeyData: keyPEM})
}

func (p *Plane) writeKubeconfig(file string, auth clientcmdapi.AuthInfo) (string, *rest.Config, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["dev"] = &clientcmdapi.Cluster{Server: "https://" + p.api, CertificateAuthority: p.path("pki", "ca.crt")}
	config.AuthInfos["dev"] = &auth
	config.Contexts["dev"] = &clientcmdapi.Context{Cluster: "dev", AuthInfo: "dev"}
	config.CurrentContext = "dev"
	path := p.path(file)
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", nil, err
	}
	restConfig, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return "", nil, err
	}
	restConfig.QPS = -1
	return path, restConfig, nil
}
