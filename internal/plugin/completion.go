// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/group"
)

const (
	// completionTimeout limits how long a shell waits for names.
	completionTimeout = 3 * time.Second
	// maxCompletions limits the errors that are read for names.
	maxCompletions = 500
)

type completeFunc = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// completeFlag completes a flag with fixed values.
func completeFlag(cmd *cobra.Command, flag string, values ...string) {
	completeFlagWith(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func completeFlagWith(cmd *cobra.Command, flag string, complete completeFunc) {
	// It fails only for a flag that the command does not have.
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

// completeGlobalFlags completes --namespace and --context.
func (o *options) completeGlobalFlags(root *cobra.Command) {
	completeFlagWith(root, "namespace", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return o.complete(cmd.Context(), func(ctx context.Context, c *api.Client, _ string) ([]string, error) {
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
			err := c.List(ctx, list, client.Limit(maxCompletions))
			var names []string
			for _, item := range list.Items {
				names = append(names, item.Name)
			}
			return names, err
		})
	})
	completeFlagWith(root, "context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		config, err := o.config.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return slices.Sorted(maps.Keys(config.Contexts)), cobra.ShellCompDirectiveNoFileComp
	})
}

// complete returns the values that find returns, sorted and without duplicates.
func (o *options) complete(ctx context.Context, find func(ctx context.Context, c *api.Client, namespace string) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	// A message would end up in the command line.
	quiet := *o
	quiet.ErrOut = io.Discard
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	c, namespace, err := quiet.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	values, err := find(ctx, c, namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	slices.Sort(values)
	return slices.Compact(values), cobra.ShellCompDirectiveNoFileComp
}

// completeErrors completes with what value returns for the errors.
func (o *options) completeErrors(value func(je *joberrorv1.JobError) []string, opts ...client.ListOption) completeFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return o.complete(cmd.Context(), func(ctx context.Context, c *api.Client, namespace string) ([]string, error) {
			var values []string
			count := 0
			for je, err := range c.Errors(ctx, append(opts[:len(opts):len(opts)], client.InNamespace(namespace))...) {
				if err != nil {
					return nil, err
				}
				for _, v := range value(je) {
					if v != "" && !slices.Contains(args, v) {
						values = append(values, v)
					}
				}
				if count++; count == maxCompletions {
					break
				}
			}
			return values, nil
		})
	}
}

// completeTargets completes with the names of Jobs and of errors with this state, or any if
// open is nil.
func (o *options) completeTargets(open *bool) completeFunc {
	var opts []client.ListOption
	if open != nil {
		resolved := "true"
		if *open {
			resolved = "false"
		}
		opts = append(opts, client.MatchingFields{"spec.resolved": resolved})
	}
	return o.completeErrors(func(je *joberrorv1.JobError) []string {
		return []string{"job/" + jobName(je), "joberror/" + je.Name}
	}, opts...)
}

func (o *options) completeJobs() completeFunc {
	return o.completeErrors(func(je *joberrorv1.JobError) []string { return []string{jobName(je)} })
}

func jobName(je *joberrorv1.JobError) string { return group.ItemOf(je).Job.Name }

// firstOnly completes the first argument only.
func firstOnly(complete completeFunc) completeFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, toComplete)
	}
}
