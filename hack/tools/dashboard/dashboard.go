// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// alertsPage is the page about the alerts. The chart replaces it with the address of the
// administrator's copy.
const alertsPage = "docs/alerts.md"

// row is a titled group of panels.
type row struct {
	title  string
	panels []cog.Builder[dashboard.Panel]
}

// newDashboard returns the dashboard with its variables, links and rows.
func newDashboard() *dashboard.DashboardBuilder {
	d := dashboard.NewDashboardBuilder("Job errors").
		Uid("joberror").
		Description("Errors of Kubernetes Jobs that the JobError operator recorded, and the health of the operator.").
		Tags([]string{"joberror", "kubernetes", "jobs"}).
		Time("now-24h", "now").
		Refresh("1m").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(link("Alerts and what to do about them", "")).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Type("prometheus").
			Label("Data source").Description("The Prometheus that scrapes the operator.")).
		WithVariable(labelVariable("namespace", "Namespace", "The namespaces of the Jobs.", "label_values(joberror_open_errors, namespace)")).
		WithVariable(labelVariable("class", "Class", "The classes of the errors, such as application or infrastructure.",
			`label_values(joberror_open_errors{namespace=~"$namespace"}, class)`))
	for _, r := range []row{openRow(), failuresRow(), resolvedRow(), captureRow(), healthRow()} {
		d.WithRow(dashboard.NewRowBuilder(r.title))
		for _, panel := range r.panels {
			d.WithPanel(panel)
		}
	}
	return d
}

// labelVariable returns a variable with the values of a label. It starts with all of them.
// Errors without the label are part of all.
func labelVariable(name, label, description, query string) *dashboard.QueryVariableBuilder {
	all := func(text string) dashboard.StringOrArrayOfString {
		return dashboard.StringOrArrayOfString{ArrayOfString: []string{text}}
	}
	return dashboard.NewQueryVariableBuilder(name).Label(label).Description(description).
		Query(dashboard.StringOrMap{String: &query}).
		Datasource(dataSource()).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*").
		Current(dashboard.VariableOption{Selected: cog.ToPtr(true), Text: all("All"), Value: all("$__all")})
}

// link returns a link to the page about the alerts, or to the section about one of them.
func link(title, section string) *dashboard.DashboardLinkBuilder {
	url := alertsPage
	if section != "" {
		url += "#" + section
	}
	return dashboard.NewDashboardLinkBuilder(title).Type(dashboard.DashboardLinkTypeLink).Icon("doc").Url(url).TargetBlank(true)
}

// dataSource returns a reference to the data source that the user chooses.
func dataSource() common.DataSourceRef {
	return common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}
}
