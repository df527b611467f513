{{- /*
Applies the values to the alerts for users. The threshold of an alert is the number after its ">=",
and the factor is the number after "<=". JobErrorsOpen has its threshold in a recording rule, and an
offset instead of the field "for".
*/}}
{{- define "joberror-operator.userAlerts" }}
{{- $values := .Values.prometheus.userAlerts }}
{{- $object := .Files.Get "files/user-alerts.yaml" | fromYaml }}
{{- $_ := set $object.metadata "labels" (merge $object.metadata.labels (.Values.prometheus.labels | default dict)) }}
{{- range $group := $object.spec.groups }}
{{- if eq $group.name "joberror-workloads" }}
{{- with $values.interval }}{{ $_ := set $group "interval" . }}{{ end }}
{{- end }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- if $rule.alert }}
{{- $alert := index $values (untitle $rule.alert) | default (dict "enabled" true) }}
{{- with $alert.threshold }}{{ $_ := set $rule "expr" (regexReplaceAll ">= [0-9]+" $rule.expr (printf ">= %v" .)) }}{{ end }}
{{- with $alert.factor }}{{ $_ := set $rule "expr" (regexReplaceAll "<= [0-9]+ " $rule.expr (printf "<= %v " .)) }}{{ end }}
{{- with $alert.for }}
{{- if hasKey $rule "for" }}{{ $_ := set $rule "for" . }}{{ else }}{{ $_ := set $rule "expr" (regexReplaceAll "offset [0-9a-z]+" $rule.expr (printf "offset %s" .)) }}{{ end }}
{{- end }}
{{- with $values.keepFiringFor }}{{ $_ := set $rule "keep_firing_for" . }}{{ end }}
{{- with $values.labels }}{{ $_ := set $rule "labels" (merge (default dict $rule.labels) .) }}{{ end }}
{{- with $values.runbookURL }}{{ $_ := set $rule.annotations "runbook_url" (printf "%s#%s" . (lower $rule.alert)) }}{{ end }}
{{- if $alert.enabled }}{{ $rules = append $rules $rule }}{{ end }}
{{- else }}
{{- if eq $rule.record "joberror:open_errors" }}
{{- with (default dict $values.jobErrorsOpen).threshold }}{{ $_ := set $rule "expr" (regexReplaceAll ">= [0-9]+" $rule.expr (printf ">= %v" .)) }}{{ end }}
{{- end }}
{{- $rules = append $rules $rule }}
{{- end }}
{{- end }}
{{- $_ := set $group "rules" $rules }}
{{- end }}
{{- toYaml $object }}
{{- end }}
