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

{{/* A text of a rule, (list TEXT .Values.prometheusRule), with the thresholds that are set and the labels to keep: what `assets --rules.file` writes. */}}
{{- define "cdr-exporter.rule" -}}
{{- $text := index . 0 }}
{{- $set := index . 1 }}
{{- range $key, $value := $set.thresholds }}
{{- $text = regexReplaceAll (printf "«%s=[^»]*»" $key) $text (printf "%.12g" (float64 $value)) }}
{{- $text = regexReplaceAll (printf "«%s%%=[^»]*»" $key) $text (printf "%.12g" (mulf 100 $value)) }}
{{- end }}
{{- $text = regexReplaceAll "«[^=»]*=([^»]*)»" $text "${1}" }}
{{- $keep := $set.keepLabels }}
{{- if $keep }}
{{- range $clause := regexFindAll "\\b(by|on) \\([a-z_, ]*\\)" $text -1 | uniq }}
{{- $labels := regexReplaceAll "^.*\\(|\\)$" $clause "" | splitList ", " }}
{{- $all := $labels }}
{{- range $label := reverse $keep }}
{{- if not (has $label $labels) }}
{{- $all = prepend $all $label }}
{{- end }}
{{- end }}
{{- $text = replace $clause (printf "%s (%s)" (substr 0 2 $clause) (join ", " $all)) $text }}
{{- end }}
{{- $text = replace "source=%q" (printf "%s=%%q, source=%%q" (join "=%q, " $keep)) $text }}
{{- $text = replace "` $labels.source" (printf "` $labels.%s $labels.source" (join " $labels." $keep)) $text }}
{{- end }}
{{- $text }}
{{- end }}

{{/* The alerts that aren't wanted. Helm reads YAML 1.1, in which off without quotes is false. */}}
{{- define "cdr-exporter.off" -}}
{{- concat (.Values.prometheusRule.off | default list) (index .Values.prometheusRule "false" | default list) | default list | toJson }}
{{- end }}

{{/* The file by which the status page judges as the rules do; empty if they are as shipped, or `config` names a file. */}}
{{- define "cdr-exporter.rulesFile" -}}
{{- $set := .Values.prometheusRule }}
{{- $off := include "cdr-exporter.off" . | fromJsonArray }}
{{- if and $set.enabled (or $set.thresholds $off) (not (.Values.config).rules_file) }}
{{- mergeOverwrite (empty $off | ternary dict (dict "off" $off)) $set.thresholds | toYaml }}
{{- end }}
{{- end }}

{{- define "cdr-exporter.scheme" -}}
{{- ternary "https" "http" .Values.web.tls }}
{{- end }}

{{/* Not empty if replicas share a ledger in a database. */}}
{{- define "cdr-exporter.shared" -}}
{{- .Values.storage.postgres.dsnSecret.name }}
{{- end }}

{{/* Not empty if an account is read with a managed identity of Azure. */}}
{{- define "cdr-exporter.managedIdentity" -}}
{{- range (.Values.config).sources }}
{{- if hasKey (.msgraph | default dict) "managed_identity" }}true{{ end }}
{{- end }}
{{- end }}

{{/* Fails for a secret in `config`, (list PATH VALUE SECRET), which anybody could read who may read ConfigMaps. SECRET: the value is one. */}}
{{- define "cdr-exporter.checkSecrets" -}}
{{- $path := index . 0 }}
{{- $value := index . 1 }}
{{- $secret := index . 2 }}
{{- if kindIs "map" $value }}
{{- range $key, $inner := $value }}
{{- $named := regexMatch "(^|_)(secret|certificate|password|jwt|token|key|dsn)$" $key }}
{{- if hasPrefix "config.labels[" $path }}
{{- $named = false }}{{/* `key` says there what a file is looked up by. */}}
{{- end }}
{{- $password := and (eq $key "proxy_url") (contains "@" (toString $inner)) }}
{{- include "cdr-exporter.checkSecrets" (list (printf "%s.%s" $path $key) $inner (or $named $password (hasSuffix ".otlp.headers" $path))) }}
{{- end }}
{{- else if kindIs "slice" $value }}
{{- range $i, $inner := $value }}
{{- include "cdr-exporter.checkSecrets" (list (printf "%s[%d]" $path $i) $inner false) }}
{{- end }}
{{- else if and $secret $value (not (regexMatch "^\\$\\{env:[A-Za-z_][A-Za-z0-9_]*\\}$" (toString $value))) }}
{{- fail (printf "%s: a secret must not be in a ConfigMap: name a file of `secrets` with %s_file, or a variable of `env` with ${env:NAME}" $path (splitList "." $path | last)) }}
{{- end }}
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
