// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package overrides

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"":                           "null",
		"main.env.DEBUG=1":           `[{"container":"main","env":[{"name":"DEBUG","value":"1"}]}]`,
		"main.env.A=1|main.env.A=2":  `[{"container":"main","env":[{"name":"A","value":"2"}]}]`,
		"main.env.a.b=x=y":           `[{"container":"main","env":[{"name":"a.b","value":"x=y"}]}]`,
		"main.args=--all|main.args=": `[{"container":"main","args":["--all",""]}]`,
		"main.limits.memory=2Gi|main.requests.cpu=500m|side.limits.nvidia.com/gpu=1": `[{"container":"main","resources":{"requests":{"cpu":"500m"},"limits":{"memory":"2Gi"}}},` +
			`{"container":"side","resources":{"limits":{"nvidia.com/gpu":"1"}}}]`,
	} {
		var given []string
		if values != "" {
			given = strings.Split(values, "|")
		}
		got, err := Parse(given)
		if err != nil {
			t.Errorf("Parse(%s): %v", values, err)
			continue
		}
		if data, err := json.Marshal(got); err != nil || string(data) != want {
			t.Errorf("Parse(%s) = %s, %v; want %s", values, data, err, want)
		}
	}
	for _, value := range []string{"", "main", "main.env.A", "main=1", ".env.A=1", "main.env=1", "main.env.=1", "main.args.x=1", "main.image=x", "main.image.x=y", "main.limits.memory=lots"} {
		if got, err := Parse([]string{value}); err == nil || !strings.HasPrefix(err.Error(), "--set: ") || !strings.Contains(err.Error(), "must be") {
			t.Errorf("Parse(%s) = %v, %v; want an error with the flag and the rule", value, got, err)
		}
	}
}
