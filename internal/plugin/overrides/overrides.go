// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package overrides parses the changes that a retry makes to containers.
package overrides

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Rule explains the values of --set.
const Rule = "must be CONTAINER.env.NAME=VALUE, CONTAINER.args=ARGUMENT, CONTAINER.requests.RESOURCE=QUANTITY or CONTAINER.limits.RESOURCE=QUANTITY"

// Parse returns the changes in the values of --set, in the order of the containers' first
// values. Each args adds one argument.
func Parse(values []string) ([]joberrorv1.ContainerOverride, error) {
	var overrides []joberrorv1.ContainerOverride
	for _, value := range values {
		path, text, ok := strings.Cut(value, "=")
		container, rest, hasField := strings.Cut(path, ".")
		field, name, hasName := strings.Cut(rest, ".")
		if !ok || !hasField || container == "" || hasName != (field != "args") || hasName && name == "" {
			return nil, fmt.Errorf("--set: %q %s", value, Rule)
		}
		i := slices.IndexFunc(overrides, func(o joberrorv1.ContainerOverride) bool { return o.Container == container })
		if i < 0 {
			i = len(overrides)
			overrides = append(overrides, joberrorv1.ContainerOverride{Container: container})
		}
		if err := set(&overrides[i], field, name, text); err != nil {
			return nil, fmt.Errorf("--set: %q: %w", value, err)
		}
	}
	return overrides, nil
}

func set(o *joberrorv1.ContainerOverride, field, name, value string) error {
	switch field {
	case "args":
		o.Args = append(o.Args, value)
		return nil
	case "env":
		o.Env = append(slices.DeleteFunc(o.Env, func(e corev1.EnvVar) bool { return e.Name == name }), corev1.EnvVar{Name: name, Value: value})
		return nil
	case "requests", "limits":
	default:
		return fmt.Errorf("%s", Rule)
	}
	quantity, err := resource.ParseQuantity(value)
	if err != nil {
		return fmt.Errorf("must be a quantity, such as 500m or 2Gi: %w", err)
	}
	if o.Resources == nil {
		o.Resources = &joberrorv1.RetryResources{}
	}
	list := &o.Resources.Requests
	if field == "limits" {
		list = &o.Resources.Limits
	}
	if *list == nil {
		*list = corev1.ResourceList{}
	}
	(*list)[corev1.ResourceName(name)] = quantity
	return nil
}
