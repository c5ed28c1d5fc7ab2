{{- define "cdr-exporter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "cdr-exporter.selectorLabels" -}}
app.kubernetes.io/name: cdr-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cdr-exporter.labels" -}}
{{ include "cdr-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cdr-exporter.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "cdr-exporter.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "cdr-exporter.scheme" -}}
{{- ternary "https" "http" .Values.web.tls }}
{{- end }}

{{/* A probe of a path: (list $ "/-/healthy"). With basic auth the paths answer 401, so only the port is asked. */}}
{{- define "cdr-exporter.probe" -}}
{{- $root := index . 0 }}
{{- if $root.Values.web.basicAuth -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: {{ index . 1 }}
  port: metrics
  scheme: {{ include "cdr-exporter.scheme" $root | upper }}
{{- end }}
{{- end }}
