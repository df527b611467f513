{{- define "gvDetails" -}}
## {{ .GroupVersionString }}

{{ trim .Doc }}
{{ range .SortedTypes }}
{{- template "type" . }}
{{- end }}
{{- end -}}
