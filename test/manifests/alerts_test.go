// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// userRules returns the rules for users that the chart renders with these values, by the name
// of the alert or of the record.
func userRules(t *testing.T, values string) map[string]map[string]any {
	t.Helper()
	rules := map[string]map[string]any{}
	object, found := render(t, "--set=prometheus.enabled=true", "--set-json=prometheus.userAlerts="+values)["PrometheusRule joberror-user-alerts"]
	if !found {
		return rules
	}
	for _, group := range valueAt(t, object, "spec", "groups").([]any) {
		for _, rule := range valueAt(t, group, "rules").([]any) {
			rule := rule.(map[string]any)
			name, isAlert := rule["alert"].(string)
			if !isAlert {
				name = rule["record"].(string)
			}
			// The interval of the group is checked like a field of the rule.
			rule["interval"] = valueAt(t, group, "interval")
			rules[name] = rule
		}
	}
	return rules
}

func TestValuesReachTheUserAlerts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ values, rule, path, want string }{
		{`{"interval":"2m"}`, "CronJobMissed", "interval", "2m"},
		{`{"interval":"2m"}`, "JobErrorsSurge", "interval", "1m"},
		{`{"keepFiringFor":"1m"}`, "CronJobFailing", "keep_firing_for", "1m"},
		{`{"labels":{"cluster":"west"}}`, "JobErrorsOpen", "labels", "map[cluster:west]"},
		{`{"labels":{"cluster":"west"}}`, "JobErrorsSurge", "labels", "map[cluster:west severity:warning]"},
		{`{"runbookURL":"https://wiki/alerts"}`, "JobErrorsOpen", "annotations.runbook_url", "https://wiki/alerts#joberrorsopen"},
		{`{"jobErrorsOpen":{"threshold":5}}`, "joberror:open_errors", "expr", `(joberror_open_errors{class!="schedule"}) >= 5`},
		{`{"jobErrorsOpen":{"for":"1h"}}`, "JobErrorsOpen", "expr", "joberror:open_errors:since offset 1h)"},
		{`{"cronJobFailing":{"for":"1h"}}`, "CronJobFailing", "for", "1h"},
		{`{"cronJobFailing":{"threshold":3}}`, "CronJobFailing", "expr", "(joberror_cronjob_failing_runs) >= 3)"},
		{`{"cronJobMissed":{"threshold":2}}`, "CronJobMissed", "expr", `(joberror_open_errors{class="schedule"}) >= 2)`},
		{`{"jobErrorsSurge":{"threshold":50}}`, "JobErrorsSurge", "expr", "joberror:captured:increase1h >= 50 unless"},
		{`{"jobErrorsSurge":{"factor":2.5}}`, "JobErrorsSurge", "expr", "joberror:captured:increase1h <= 2.5 * sum_over_time"},
	} {
		t.Run(tc.values+tc.rule, func(t *testing.T) {
			t.Parallel()
			got := fmt.Sprint(valueAt(t, userRules(t, tc.values)[tc.rule], strings.Split(tc.path, ".")...))
			if tc.path == "expr" && !strings.Contains(got, tc.want) || tc.path != "expr" && got != tc.want {
				t.Errorf("%s of %s = %s, want %s", tc.path, tc.rule, got, tc.want)
			}
		})
	}
}

func TestChartLeavesOutUserAlerts(t *testing.T) {
	t.Parallel()
	all := []string{"CronJobFailing", "CronJobMissed", "JobErrorsOpen", "JobErrorsSurge"}
	for _, tc := range []struct {
		values string
		want   []string
	}{
		{`{}`, all},
		{`{"enabled":false}`, nil},
		{`null`, nil},
		{`{"jobErrorsOpen":{"enabled":false}}`, slices.Concat(all[:2], all[3:])},
		{`{"jobErrorsSurge":{"enabled":false}}`, all[:3]},
		{`{"cronJobFailing":{"enabled":false},"cronJobMissed":{"enabled":false}}`, all[2:]},
	} {
		rules := userRules(t, tc.values)
		maps.DeleteFunc(rules, func(_ string, rule map[string]any) bool { return rule["alert"] == nil })
		if got := slices.Sorted(maps.Keys(rules)); !slices.Equal(got, tc.want) {
			t.Errorf("the chart with %s has the alerts %v, want %v", tc.values, got, tc.want)
		}
	}
}
