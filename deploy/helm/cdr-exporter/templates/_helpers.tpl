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

{{/* Not empty if replicas share a ledger in a database. */}}
{{- define "cdr-exporter.shared" -}}
{{- .Values.storage.postgres.dsnSecret.name }}
{{- end }}

{{- define "cdr-exporter.checkStorage" -}}
{{- if include "cdr-exporter.shared" . }}
{{- if .Values.persistence.existingClaim }}
{{- fail "persistence.existingClaim and storage.postgres are both set: the ledger is on a volume or in a database" }}
{{- end }}
{{- if (.Values.config).storage }}
{{- fail "config.storage: storage.postgres sets it; take it out of config" }}
{{- end }}
{{- else }}
{{- if gt (int .Values.replicas) 1 }}
{{- fail "replicas: a ledger on a volume is read by one pod; for several name the Secret of a database in storage.postgres.dsnSecret.name (docs/replicas.md)" }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- fail "autoscaling.enabled: a ledger on a volume is read by one pod; name the Secret of a database in storage.postgres.dsnSecret.name (docs/replicas.md)" }}
{{- end }}
{{- if or .Values.storage.postgres.tlsConfig (dig "storage" "postgres" "" (.Values.config | default dict)) }}
{{- fail "storage.postgres.dsnSecret.name: name the Secret that holds the address of the database" }}
{{- end }}
{{- end }}
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
