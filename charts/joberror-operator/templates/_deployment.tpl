{{- /* Applies the values to the Deployment; everything else stays unchanged. */}}
{{- define "joberror-operator.deployment" }}
{{- $values := (index . 0).Values }}
{{- $deployment := index . 1 }}
{{- $template := $deployment.spec.template }}
{{- $pod := $template.spec }}
{{- $operator := first $pod.containers }}
{{- with $values.replicas }}{{ $_ := set $deployment.spec "replicas" . }}{{ end }}
{{- $_ := set $operator "image" (printf "%s:%s" $values.image.repository ($values.image.tag | default (index . 0).Chart.AppVersion)) }}
{{- with $values.image.pullPolicy }}{{ $_ := set $operator "imagePullPolicy" . }}{{ end }}
{{- with $values.image.pullSecrets }}{{ $_ := set $pod "imagePullSecrets" . }}{{ end }}
{{- if $values.certManager.enabled }}{{ $_ := set $operator "args" (append $operator.args "--manage-certificates=false") }}{{ end }}
{{- if $values.captureLogs.enabled }}{{ $_ := set $operator "args" (append $operator.args "--capture-log-lines=20") }}{{ end }}
{{- with $values.archive }}
{{- if .url }}
{{- $_ := set $operator "args" (append $operator.args (printf "--archive-url=%s" .url)) }}
{{- with .resolvedAfter }}{{ $_ := set $operator "args" (append $operator.args (printf "--archive-resolved-after=%s" .)) }}{{ end }}
{{- with .secretName }}{{ $_ := set $operator "envFrom" (list (dict "secretRef" (dict "name" .))) }}{{ end }}
{{- with .caSecret }}
{{- $_ := set $operator "env" (list (dict "name" "AWS_CA_BUNDLE" "value" "/archive-ca/ca.crt")) }}
{{- $_ := set $operator "volumeMounts" (append $operator.volumeMounts (dict "name" "archive-ca" "mountPath" "/archive-ca" "readOnly" true)) }}
{{- $_ := set $pod "volumes" (append $pod.volumes (dict "name" "archive-ca" "secret" (dict "secretName" .))) }}
{{- end }}
{{- end }}
{{- end }}
{{- $_ := set $operator "args" (concat $operator.args ($values.args | default list)) }}
{{- with $values.resources }}{{ $_ := set $operator "resources" . }}{{ end }}
{{- $_ := unset $pod "priorityClassName" }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $values $field }}{{ $_ := set $pod $field . }}{{ end }}
{{- end }}
{{- $_ := set $template.metadata "annotations" (merge $template.metadata.annotations ($values.podAnnotations | default dict)) }}
{{- $_ := set $template.metadata "labels" (merge $template.metadata.labels ($values.podLabels | default dict)) }}
{{- end }}
