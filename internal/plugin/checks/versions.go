// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"cmp"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/version"
)

// The minor versions of Kubernetes 1 that the operator supports, as docs/operations.md says.
const (
	oldestKubernetes = 33
	newestKubernetes = 37
)

// kubernetesVersion decides whether the operator supports this version of Kubernetes.
func kubernetesVersion(f *Facts, _ time.Time) (Status, string) {
	if f.Kubernetes.Err != nil {
		return unread("the API server's version", f.Kubernetes.Err, "is this a Kubernetes API server?")
	}
	v, err := version.ParseGeneric(f.Kubernetes.Value)
	if err != nil {
		return Unknown, fmt.Sprintf("the API server's version %q: %v", f.Kubernetes.Value, err)
	}
	supported := fmt.Sprintf("the operator is tested on 1.%d to 1.%d", oldestKubernetes, newestKubernetes)
	switch {
	case v.Major() != 1 || v.Minor() < oldestKubernetes:
		return Failed, fmt.Sprintf("Kubernetes %s is too old: %s", f.Kubernetes.Value, supported)
	case v.Minor() > newestKubernetes:
		return Warning, fmt.Sprintf("Kubernetes %s is newer than what this plugin knows: %s", f.Kubernetes.Value, supported)
	}
	return OK, "Kubernetes " + f.Kubernetes.Value
}

// unstated is the version of a build that states no version.
const unstated = "unknown"

// operatorVersion decides whether the operator and this plugin fit together: they may be one
// minor version apart. The running operator itself states its version.
func operatorVersion(f *Facts, _ time.Time) (Status, string) {
	if f.AggregatedVersion.Err != nil {
		status, message := unread("the operator's version, in the OpenAPI document of the aggregated API", f.AggregatedVersion.Err, "does the aggregated API answer?")
		if status == Failed {
			status = Unknown
		}
		return status, message
	}
	operator, plugin := f.AggregatedVersion.Value, f.PluginVersion
	both := fmt.Sprintf("operator %s, plugin %s", cmp.Or(operator, unstated), cmp.Or(plugin, unstated))
	if operator == "" || operator == unstated || plugin == "" || plugin == unstated {
		return Unknown, both + ": a build without a version can't be compared"
	}
	if operator == plugin {
		return OK, both
	}
	o, operatorErr := version.ParseSemantic(operator)
	p, pluginErr := version.ParseSemantic(plugin)
	if operatorErr != nil || pluginErr != nil {
		return Unknown, both + ": only released versions can be compared"
	}
	if apart := int(o.Minor()) - int(p.Minor()); o.Major() != p.Major() || apart > 1 || apart < -1 {
		return Warning, both + ": they may be one minor version apart; upgrade the older one"
	}
	return OK, both
}
