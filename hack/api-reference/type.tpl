{{- define "type" }}
### {{ .Name }}

{{ trim .Doc }}
{{ if .References }}
Used in {{ range $i, $type := .SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $type }}{{ end }}.
{{ end }}
| field | type | description | rules |
|---|---|---|---|
{{- range .Members }}
{{- $rules := without .Validation "Required: {}" "Optional: {}" }}
{{- if .Default }}{{ $rules = prepend $rules (printf "default `%s`" .Default) }}{{ end }}
{{- if has "Required: {}" .Validation }}{{ $rules = prepend $rules "required" }}{{ end }}
| `{{ .Name }}` | {{ markdownRenderType .Type }} | {{ if eq .Name "metadata" }}The object's standard metadata.{{ else }}{{ template "cell" .Doc }}{{ end }} | {{ template "cell" join "<br>" $rules }} |
{{- end }}
{{ end -}}

{{- define "cell" }}{{ . | replace "|" "\\|" | replace "\n\n" "<br><br>" | replace "\n" " " }}{{ end -}}
