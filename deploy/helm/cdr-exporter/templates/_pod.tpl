{{/* The pods of the StatefulSet or the Deployment. */}}
{{- define "cdr-exporter.pod" -}}
{{- include "cdr-exporter.checkStorage" . -}}
metadata:
  labels:
    {{- include "cdr-exporter.labels" . | nindent 4 }}
    {{- if .Values.workloadIdentity.clientId }}
    azure.workload.identity/use: "true"
    {{- end }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: cdr-exporter
    {{- if and .Values.restartOnChange (not .Values.existingConfigMap) }}
    checksum/config: {{ without (list .Values.config .Values.storage (include "cdr-exporter.rulesFile" .)) "" | toJson | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "cdr-exporter.serviceAccountName" . }}
  # Nothing here asks the Kubernetes API. A workload identity's token is a volume that its webhook adds.
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: cdr-exporter
      {{- with .Values.image }}
      image: "{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}"
      imagePullPolicy: {{ .pullPolicy }}
      {{- end }}
      args:
        - run
        - --config.file=/etc/cdr-exporter/config.yaml
        - --web.listen-address=:9887
        {{- with .Values.web.configFile }}
        - --web.config.file=/etc/cdr-exporter/{{ . }}
        {{- end }}
        {{- if .Values.webhook.enabled }}
        - --webhook.listen-address=:9888
        {{- with .Values.webhook.configFile }}
        - --webhook.config.file=/etc/cdr-exporter/{{ . }}
        {{- end }}
        {{- end }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: metrics
          containerPort: 9887
        {{- if .Values.webhook.enabled }}
        - name: webhook
          containerPort: 9888
        {{- end }}
      # Up to five minutes to open a ledger that was left by a crash.
      startupProbe:
        {{- include "cdr-exporter.probe" (list . "/-/healthy") | nindent 8 }}
        periodSeconds: 5
        failureThreshold: 60
      livenessProbe:
        {{- include "cdr-exporter.probe" (list . "/-/healthy") | nindent 8 }}
        periodSeconds: 20
        timeoutSeconds: 5
      readinessProbe:
        {{- include "cdr-exporter.probe" (list . "/-/ready") | nindent 8 }}
        timeoutSeconds: 5
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/cdr-exporter
          readOnly: true
        {{- if not (include "cdr-exporter.shared" .) }}
        - name: data
          mountPath: /data
        {{- end }}
        - name: tmp
          mountPath: /tmp
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    # One folder, so that config.yaml names secrets by file name. Changed secrets appear in it within about a minute.
    - name: config
      projected:
        defaultMode: 0440
        sources:
          - configMap:
              name: {{ .Values.existingConfigMap | default (include "cdr-exporter.fullname" .) }}
          {{- range .Values.secrets }}
          - secret:
              name: {{ . }}
          {{- end }}
          {{- if include "cdr-exporter.shared" . }}
          - secret:
              name: {{ .Values.storage.postgres.dsnSecret.name }}
              items: [{key: {{ .Values.storage.postgres.dsnSecret.key }}, path: postgres-dsn}]
          {{- end }}
    # For `backfill` in the container.
    - name: tmp
      emptyDir: {}
    {{- with .Values.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.affinity }}
  affinity:
    {{- toYaml .Values.affinity | nindent 4 }}
  {{- else if include "cdr-exporter.shared" . }}
  # A node that fails takes one replica with it, if there are others.
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "cdr-exporter.selectorLabels" . | nindent 16 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if include "cdr-exporter.shared" . }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "cdr-exporter.selectorLabels" . | nindent 10 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
