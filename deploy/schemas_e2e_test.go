//go:build e2e

package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// apiSchemas writes a JSON schema for each kind of Kubernetes, the Prometheus Operator and KEDA
// that the chart has, from their own definitions, which `make real-parts` fetched, and returns
// where kubeconform finds them. Unknown fields are errors.
func apiSchemas(t *testing.T) string {
	t.Helper()
	source, folder := os.Getenv("CDR_SCHEMAS"), t.TempDir()
	kubernetes := readSchema(t, filepath.Join(source, "kubernetes.json"))
	// A quantity may be written as a number.
	kubernetes["definitions"].(map[string]any)["io.k8s.apimachinery.pkg.api.resource.Quantity"] = map[string]any{
		"type": []string{"string", "number"},
	}
	writeSchema(t, filepath.Join(folder, "kubernetes.json"), kubernetes)
	for kind, definition := range map[string]string{
		"configmap-v1":                  "core.v1.ConfigMap",
		"service-v1":                    "core.v1.Service",
		"serviceaccount-v1":             "core.v1.ServiceAccount",
		"statefulset-apps-v1":           "apps.v1.StatefulSet",
		"deployment-apps-v1":            "apps.v1.Deployment",
		"ingress-networking-v1":         "networking.v1.Ingress",
		"networkpolicy-networking-v1":   "networking.v1.NetworkPolicy",
		"poddisruptionbudget-policy-v1": "policy.v1.PodDisruptionBudget",
		"cronjob-batch-v1":              "batch.v1.CronJob",
	} {
		writeSchema(t, filepath.Join(folder, kind+".json"),
			map[string]any{"$ref": "kubernetes.json#/definitions/io.k8s.api." + definition})
	}
	for kind, version := range map[string]string{
		"servicemonitor": "monitoring-v1", "prometheusrule": "monitoring-v1",
		"scaledobject": "keda-v1alpha1",
	} {
		crd := readSchema(t, filepath.Join(source, kind+"s.yaml"))
		newest := crd["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
		schema := newest["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
		schema["properties"].(map[string]any)["metadata"] = map[string]any{
			"$ref": "kubernetes.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
		}
		writeSchema(t, filepath.Join(folder, kind+"-"+version+".json"), schema)
	}
	return filepath.Join(folder, "{{.ResourceKind}}{{.KindSuffix}}.json")
}

// readSchema reads definitions and closes their objects.
func readSchema(t *testing.T, file string) map[string]any {
	t.Helper()
	var document map[string]any
	unmarshal := yaml.Unmarshal
	if filepath.Ext(file) == ".json" {
		unmarshal = json.Unmarshal
	}
	require.NoError(t, unmarshal([]byte(golden.Read(t, file)), &document))
	closeObjects(document)
	return document
}

// closeObjects refuses fields that an object doesn't name, as an API server does with strict validation, and lets an
// int-or-string be both.
func closeObjects(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	case map[string]any:
		_, named := node["properties"].(map[string]any)
		_, open := node["additionalProperties"]
		if kind, ok := node["type"].(string); ok && kind == "object" && named && !open {
			node["additionalProperties"] = false
		}
		if node["format"] == "int-or-string" || node["x-kubernetes-int-or-string"] == true {
			maps.DeleteFunc(node, func(key string, _ any) bool { return key != "description" })
			node["type"] = []any{"integer", "string"}
		}
		for _, child := range node {
			closeObjects(child)
		}
	}
}

func writeSchema(t *testing.T, file string, schema map[string]any) {
	t.Helper()
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
}
