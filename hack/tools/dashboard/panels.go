// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

const (
	panelHeight = 8
	statHeight  = 4
	// gridWidth is the width of the dashboard in Grafana's units.
	gridWidth = 24
)

// number returns a panel with one number, the latest value of a query.
func number(title, description, unit, expr string) *stat.PanelBuilder {
	return stat.NewPanelBuilder().Title(title).Description(description).Datasource(dataSource()).
		Height(statHeight).Span(gridWidth / 4).
		Unit(unit).NoValue("0").
		GraphMode(common.BigValueGraphModeNone).
		WithTarget(now("A", expr))
}

// chart returns a panel with lines over time. It takes a third of the dashboard's width.
func chart(title, description, unit string) *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().Title(title).Description(description).Datasource(dataSource()).
		Height(panelHeight).Span(gridWidth / 3).
		Unit(unit).Min(0).
		FillOpacity(10).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
}

// bars draws a chart as bars on top of each other.
func bars(panel *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return panel.DrawStyle(common.GraphDrawStyleBars).FillOpacity(80).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// ranking returns a panel with a bar for each series of a query, labeled with the legend.
func ranking(title, description, unit, legend, expr string) *bargauge.PanelBuilder {
	return bargauge.NewPanelBuilder().Title(title).Description(description).Datasource(dataSource()).
		Height(panelHeight).Span(gridWidth / 3).
		Unit(unit).Min(0).Decimals(0).
		Orientation(common.VizOrientationHorizontal).
		DisplayMode(common.BarGaugeDisplayModeGradient).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdContinuousBlPu)).
		WithTarget(now("A", expr).LegendFormat(legend))
}

// list returns a table of the series of one or two queries. Columns maps labels and "Value #A"
// to the headings. The rows are sorted by the first query.
func list(title, description, sortBy string, columns map[string]string, queries ...*prometheus.DataqueryBuilder) *table.PanelBuilder {
	headings := maps.Clone(columns)
	panel := table.NewPanelBuilder().Title(title).Description(description).Datasource(dataSource()).
		Height(panelHeight).Span(gridWidth / 2).
		SortBy([]cog.Builder[common.TableSortByFieldState]{common.NewTableSortByFieldStateBuilder().DisplayName(sortBy).Desc(true)}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]any{"Time": true}, "renameByName": headings,
		}})
	for _, query := range queries {
		panel.WithTarget(query.Format(prometheus.PromQueryFormatTable))
	}
	return panel
}

// now returns an instant query.
func now(refID, expr string) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().RefId(refID).Expr(expr).Instant().Datasource(dataSource())
}

// over returns a query over time, labeled with the legend.
func over(refID, legend, expr string) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().RefId(refID).Expr(expr).LegendFormat(legend).Range().Datasource(dataSource())
}

// thresholds returns colors by value: green below the first step, then the color of each step.
func thresholds(colors map[float64]string) *dashboard.ThresholdsConfigBuilder {
	steps := []dashboard.Threshold{{Color: "green"}}
	for _, value := range slices.Sorted(maps.Keys(colors)) {
		steps = append(steps, dashboard.Threshold{Value: cog.ToPtr(value), Color: colors[value]})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}
