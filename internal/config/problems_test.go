package config_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// valid is the end of a file whose problems are above it.
const valid = "sources:\n- {name: a, other: {api_key: k}}\n"

// source is a valid source of acme, apart from what follows in its block.
const source = "sources:\n- name: a\n  acme:\n    tenant_id: t\n    client_secret: s\n    calls:\n"

func TestProblems(t *testing.T) {
	tests := []struct {
		name string
		yaml string
		want string // one problem per line, without "c.yaml:"
	}{
		// The file as a whole.
		{"empty file", "", "1: is empty; see config.example.yaml for what belongs here"},
		{"only a comment", "# nothing\n", "1: is empty; see config.example.yaml for what belongs here"},
		{"only a document mark", "---\n", "1: is empty; see config.example.yaml for what belongs here"},
		{"list at the top", "\n- a\n", "2: must be a mapping of keys to values; see config.example.yaml"},
		{"text at the top", "hello", "1: must be a mapping of keys to values; see config.example.yaml"},
		{
			"two documents", valid + "---\n" + valid,
			"3: cannot be parsed: a second YAML document begins here; a configuration is a single one",
		},
		{"document end mark is allowed", valid + "...\n", ""},
		{"only defaults", "{}", "1: sources: is missing; add at least one source to read"},
		{"sources bare", "sources:\n", "1: sources: must be a list, is empty; write [] for none"},
		{"sources empty", "storage:\n\nsources: []\n", "3: sources: is missing; add at least one source to read"},

		// YAML.
		{
			"tab as indentation", "storage:\n  path: a\n\tpath: b\n",
			"3: cannot be parsed: the line is indented with a tab; YAML requires spaces",
		},
		{
			"tab as the first indentation", "storage:\n\tpath: a\n",
			"2: cannot be parsed: the line is indented with a tab; YAML requires spaces",
		},
		{
			"tab behind spaces", "sources:\n  - name: a\n  \tacme: {}\n",
			"3: cannot be parsed: the line is indented with a tab; YAML requires spaces",
		},
		{"tab within a line", "storage: {path: \ta}\n" + valid, ""},
		{"bad indentation", "storage:\n    path: a\n  more: b\n", "3: cannot be parsed: did not find expected key"},
		{
			"text in quotes that does not end", valid + "storage:\n  path: \"a\n",
			"4: cannot be parsed: found unexpected end of stream",
		},
		{
			"list that does not end", "a: 1\nb: [1, 2\nc: 3\nd: 4\n",
			"2: cannot be parsed: did not find expected ',' or ']'",
		},
		{
			"colon within a value", "a: 1\n\nb: c: d\n",
			"3: cannot be parsed: mapping values are not allowed in this context",
		},
		{
			"unknown alias, perhaps a secret", "a: 1\nb: *hunter2\n",
			"2: cannot be parsed: the anchor isn't defined; put a text that begins with * in quotes",
		},
		{"not UTF-8", "a: 1\nb: \xff\n", "2: cannot be parsed: invalid leading UTF-8 octet"},
		{"control character", "a: 1\nb: 2\nc: \x01\n", "3: cannot be parsed: control characters are not allowed"},
		{"too many merges", bomb(9) + valid, "1: storage: document contains excessive aliasing"},

		{
			"merge of itself", "storage: &s\n  path: a\n  <<: *s\n" + valid,
			"1: storage: anchor 's' value contains itself",
		},

		// Keys.
		{"unknown key", "unheard_of: 1\n" + valid, "1: unheard_of: unknown key; the keys here are audit, " +
			"definitions, labels, metrics, otlp, privacy, rules_file, sources, storage"},
		{
			"misspelt key", "metrics:\n  zerofor: 1m\n" + valid,
			"2: metrics.zerofor: unknown key; the keys here are media_bypass_window, native_histograms, " +
				"series_limit, zero_for",
		},
		{"key that is no word", "\"a b\\nc\": 1\n" + valid, "1: [\"a b\\nc\"]: unknown key; the keys here are " +
			"audit, definitions, labels, metrics, otlp, privacy, rules_file, sources, storage"},
		{
			"time of day", "audit: {daily: 3:30}\n" + valid,
			"1: audit.daily: must be a time of day in UTC, such as \"03:30\", is \"3:30\"",
		},
		{"key that is a list", "? [a]\n: 1\n" + valid, "1: has a key that isn't plain text"},
		{
			"repeated key", "storage: {path: a}\nmetrics: {}\nstorage: {path: b}\n" + valid,
			"3: storage: is repeated; it is already on line 1; keep one",
		},
		{
			"repeated key inside", "storage:\n  path: a\n  path: b\n" + valid,
			"3: storage.path: is repeated; it is already on line 2; keep one",
		},
		{
			"merge of a text", "storage:\n  <<: text\n" + valid,
			"1: storage: map merge requires map or sequence of maps as the value",
		},
		{
			"problem in what an alias names", "storage: &s {pth: a}\nmetrics: *s\n" + valid,
			"1: storage.pth: unknown key; the keys here are path, postgres\n1: metrics.pth: unknown key; the " +
				"keys here are media_bypass_window, native_histograms, series_limit, zero_for",
		},

		// Types.
		{
			"mapping instead of text", "storage: {path: {a: b}}\n" + valid,
			"1: storage.path: must be a text, is a mapping",
		},
		{
			"text instead of mapping", "storage: data/\n" + valid,
			"1: storage: must be a mapping of keys to values, is a single value",
		},
		{
			"bare scalar", "metrics:\n  zero_for:\n" + valid,
			"2: metrics.zero_for: is empty; set it to a duration such as 30s, 5m, 24h or 2d, or remove the key",
		},
		{
			"no duration", "metrics:\n  zero_for: soon\n" + valid,
			"2: metrics.zero_for: must be a duration such as 30s, 5m, 24h or 2d, is \"soon\"",
		},
		{
			"duration without a unit", "metrics: {zero_for: 5}\n" + valid,
			"1: metrics.zero_for: must be a duration such as 30s, 5m, 24h or 2d, is \"5\"",
		},
		{
			"no truth value", "metrics: {native_histograms: yes}\n" + valid,
			"1: metrics.native_histograms: must be true or false without quotes, is \"yes\"",
		},
		{
			"truth value in quotes", "metrics: {native_histograms: \"true\"}\n" + valid,
			"1: metrics.native_histograms: must be true or false without quotes, is \"true\"",
		},
		{
			"no whole number", "metrics: {series_limit: 1.5}\n" + valid,
			"1: metrics.series_limit: must be a whole number without quotes, is \"1.5\"",
		},
		{
			"number in quotes", "metrics: {series_limit: '5'}\n" + valid,
			"1: metrics.series_limit: must be a whole number without quotes, is \"5\"",
		},
		{
			"number beyond its type", source + "    small: 300\n",
			"7: sources[0].acme.small: must be a whole number without quotes, is \"300\"",
		},
		{
			"number of the environment beyond its type", source + "    small: ${env:LARGE}\n",
			"7: sources[0].acme.small: must be a whole number without quotes, is \"${env:LARGE}\"",
		},
		{
			"text instead of list", source + "    types: placed\n",
			"7: sources[0].acme.types: must be a list, is a single value; write [] for none",
		},
		{
			"empty element", source + "    types:\n    - placed\n    -\n",
			"9: sources[0].acme.types[1]: is empty; set it to a text, or remove the key",
		},
		{
			"list instead of map", source + "    limits: [a]\n",
			"7: sources[0].acme.limits: must be a mapping of keys to values, is a list",
		},
		{
			"tag", "storage:\n  path: !hunter2\n" + valid,
			"2: storage.path: has an unknown YAML tag (!); put the text in quotes if it begins with !",
		},
		{
			"feed that is true", source[:len(source)-len("calls:\n")] + "calls: true\n",
			"6: sources[0].acme.calls: must be a mapping of keys to values, is true or false; write `calls:`, " +
				"without a value, for the defaults, or remove it",
		},
		{
			"feed that is no mapping", "sources:\n- name: a\n  acme: {tenant_id: t, client_secret: s, calls: 5m}\n",
			"3: sources[0].acme.calls: must be a mapping of keys to values, is a single value",
		},

		// The environment.
		{
			"variable that is not set", "storage: {path: \"${env:NOWHERE}\"}\n" + valid,
			"1: storage.path: environment variable NOWHERE is not set; set it, or write ${env:NOWHERE:-default}",
		},
		{
			"variable that is empty", "metrics: {zero_for: \"${env:EMPTY}\"}\n" + valid,
			"1: metrics.zero_for: must be a duration such as 30s, 5m, 24h or 2d, is \"${env:EMPTY}\"",
		},
		{
			"value of a variable is not shown", "metrics: {zero_for: \"${env:SECRET}\"}\n" + valid,
			"1: metrics.zero_for: must be a duration such as 30s, 5m, 24h or 2d, is \"${env:SECRET}\"",
		},
		{
			"variable inside a text", "storage: {path: \"/a/${env:SET}\"}\n" + valid,
			"1: storage.path: has a ${ that isn't a substitution; write ${env:NAME} or ${env:NAME:-default} " +
				"as the whole value, or $${ for a literal ${",
		},
		{
			"two variables", "storage: {path: \"${env:SET:-x}/${env:SET}\"}\n" + valid,
			"1: storage.path: has a ${ that isn't a substitution; write ${env:NAME} or ${env:NAME:-default} " +
				"as the whole value, or $${ for a literal ${",
		},
		{
			"variable with a bad name", "storage: {path: \"${env:1}\"}\n" + valid,
			"1: storage.path: has a ${ that isn't a substitution; write ${env:NAME} or ${env:NAME:-default} " +
				"as the whole value, or $${ for a literal ${",
		},
		{
			"other substitution", "storage: {path: \"${HOME}\"}\n" + valid,
			"1: storage.path: has a ${ that isn't a substitution; write ${env:NAME} or ${env:NAME:-default} " +
				"as the whole value, or $${ for a literal ${",
		},

		// Secrets.
		{
			"secret twice", "privacy:\n  hash_key: hunter2\n  hash_key_file: k.txt\n" + valid,
			"3: privacy.hash_key_file: is set twice, as text and as a file; keep one of them",
		},
		{
			"secret twice, the file first", "privacy:\n  hash_key_file: k.txt\n  hash_key: hunter2\n" + valid,
			"3: privacy.hash_key: is set twice, as text and as a file; keep one of them",
		},
		{
			"empty secret", "privacy: {hash_key: \"\"}\n" + valid,
			"1: privacy.hash_key: is empty; set it to a secret as text, or remove the key",
		},
		{
			"bare secret", "privacy:\n  hash_key:\n" + valid,
			"2: privacy.hash_key: is empty; set it to a secret as text, or remove the key",
		},
		{
			"bare secret file", "privacy:\n  hash_key_file:\n" + valid,
			"2: privacy.hash_key_file: is empty; set it to the name of a file, or remove the key",
		},
		{
			"secret that is a mapping", "privacy: {hash_key: {hunter2: 1}}\n" + valid,
			"1: privacy.hash_key: must be a secret as text, is a mapping",
		},
		{
			"secret missing", "sources: [{name: a, other: {}}]\n",
			"1: sources[0].other.api_key: is missing; give the key of the API in api_key or api_key_file",
		},
		{
			"secret from a variable that is not set", "sources: [{name: a, other: {api_key: \"${env:NOWHERE}\"}}]\n",
			"1: sources[0].other.api_key: environment variable NOWHERE is not set; set it, or write " +
				"${env:NOWHERE:-default}",
		},
		{"secret file from a variable that is not set", "sources: [{name: a, other: {api_key_file: " +
			"\"${env:NOWHERE}\"}}]\n", "1: sources[0].other.api_key_file: environment variable NOWHERE is not " +
			"set; set it, or write ${env:NOWHERE:-default}"},

		// Storage, metrics, privacy.
		{
			"no storage path", "storage: {path: \"\"}\n" + valid,
			"1: storage.path: is missing; give a folder for the ledger",
		},
		{
			"two ledgers", "storage:\n  path: a\n  postgres: {dsn: hunter2}\n" + valid,
			"3: storage.postgres: the ledger is already set by path; keep one of them",
		},
		{
			"postgres without a dsn", "storage:\n  postgres:\n" + valid,
			"2: storage.postgres.dsn: is missing; give the address of the database, such as " +
				"postgres://cdr:password@db.example:5432/cdr, in dsn or dsn_file",
		},
		{
			"postgres with two dsns", "storage:\n  postgres:\n    dsn: hunter2\n    dsn_file: dsn.txt\n" + valid,
			"4: storage.postgres.dsn_file: is set twice, as text and as a file; keep one of them",
		},
		{"postgres", "storage:\n  postgres: {dsn_file: dsn.txt, address: \"https://cdr-0.example/cdr\"}\n" + valid, ""},
		{
			"address that is none", "storage:\n  postgres: {dsn: hunter2, address: \"javascript:alert()\"}\n" + valid,
			"2: storage.postgres.address: must be the URL of this replica's status page, such as http://10.0.0.7:9887",
		},
		{
			"metrics out of range", "metrics:\n  zero_for: -1s\n  series_limit: 0\n  media_bypass_window: 0s\n" + valid,
			"2: metrics.zero_for: must be at least 0s, is -1s\n3: metrics.series_limit: must be at least 1, " +
				"is 0\n4: metrics.media_bypass_window: must be longer than 0s, is 0s",
		},
		{
			"privacy", "privacy:\n  numbers: hide\n  users: \"\"\n  addresses: DROP\n" + valid,
			"2: privacy.numbers: must be mask, hash, drop or keep, is \"hide\"\n3: privacy.users: must be " +
				"mask, hash, drop or keep, is \"\"\n4: privacy.addresses: must be subnet, hash, drop or keep, " +
				"is \"DROP\"",
		},

		// OTLP.
		{
			"otlp out of range", "otlp:\n  interval: 10ms\n  outbox_limit: 0\n  shutdown_timeout: -1s\n" + valid,
			"2: otlp.interval: must be at least 1s, is 10ms\n3: otlp.outbox_limit: must be at least 1, is " +
				"0\n4: otlp.shutdown_timeout: must be at least 0s, is -1s",
		},
		{
			"otlp choices", "otlp:\n  protocol: http/json\n  log_timestamp: end\n  outbox_full: drop\n" + valid,
			"2: otlp.protocol: must be http/protobuf or grpc, is \"http/json\"\n3: otlp.log_timestamp: must " +
				"be start or observed, is \"end\"\n4: otlp.outbox_full: must be pause or skip_logs, is \"drop\"",
		},
		{
			"otlp endpoint without a scheme", "otlp: {endpoint: \"collector:4318\"}\n" + valid,
			"1: otlp.endpoint: must be a URL with scheme and host, such as http://127.0.0.1:4318, without " +
				"user, query and fragment",
		},
		{
			"otlp endpoint with a password", "otlp: {endpoint: \"https://u:hunter2@c.example\"}\n" + valid,
			"1: otlp.endpoint: must be a URL with scheme and host, such as http://127.0.0.1:4318, without " +
				"user, query and fragment",
		},
		{"otlp headers in the clear", "otlp:\n  endpoint: http://c.example:4318\n  headers_file: " +
			"{authorization: token.txt}\n" + valid, "2: otlp.endpoint: must be https, because headers with " +
			"secrets travel on it; plain http with headers is for loopback hosts (127.0.0.1, ::1, localhost), " +
			"or set otlp.insecure_headers: true if the network between is trusted"},
		{
			"otlp header twice",
			"otlp:\n  headers: {authorization: hunter2}\n  headers_file: {authorization: token.txt}\n" + valid,
			"3: otlp.headers_file.authorization: is set twice, as text and as a file; keep one of them",
		},
		{
			"otlp header with a bad name", "otlp: {headers: {\"a b\": hunter2}}\n" + valid,
			"1: otlp.headers[\"a b\"]: must be the name of an HTTP header, such as Authorization",
		},
		{
			"otlp header of two lines", "otlp: {headers: {a: \"hunter2\\nhunter3\"}}\n" + valid,
			"1: otlp.headers.a: must be one line without control characters",
		},
		{
			"otlp headers that are a list", "otlp: {headers: [a]}\n" + valid,
			"1: otlp.headers: must be a mapping of keys to values, is a list",
		},
		{
			"otlp attribute without a name", "otlp: {resource_attributes: {\"\": a}}\n" + valid,
			"1: otlp.resource_attributes: must not hold an empty name",
		},

		// Sources.
		{"source without anything", "sources:\n-\n", "2: sources[0].name: is missing; give a name of letters, " +
			"digits, _ and -\n2: sources[0]: has no provider; add one of the blocks acme or other"},
		{
			"source with a bad name", "sources:\n- {name: a.b, renamed_from: é, other: {api_key: k}}\n",
			"2: sources[0].name: must consist of letters, digits, _ and -, is \"a.b\"\n2: " +
				"sources[0].renamed_from: must consist of letters, digits, _ and -, is \"é\"",
		},
		{
			"two sources of one name", "sources:\n- {name: a, other: {api_key: k}}\n- {name: a, other: {api_key: k}}\n",
			"3: sources[1].name: \"a\" is already used as sources[0].name; every source needs its own name",
		},
		{
			"renamed from itself", "sources: [{name: a, renamed_from: a, other: {api_key: k}}]\n",
			"1: sources[0].renamed_from: \"a\" is already used as sources[0].name; every source needs its own name",
		},
		{
			"renamed from a source that exists", "sources:\n- {name: a, other: {api_key: k}}\n- {name: b, " +
				"renamed_from: a, other: {api_key: k}}\n",
			"3: sources[1].renamed_from: \"a\" is already used as sources[0].name; every source needs its own name",
		},
		{"two renamed from one", "sources:\n- {name: a, renamed_from: x, other: {api_key: k}}\n- {name: b, " +
			"renamed_from: x, other: {api_key: k}}\n", "3: sources[1].renamed_from: \"x\" is already used as " +
			"sources[0].renamed_from; every source needs its own name"},
		{
			"two providers", "sources:\n- name: a\n  other: {api_key: k}\n  acme: {tenant_id: t}\n",
			"4: sources[0].acme: this source already has the provider other; configure acme in a separate source",
		},
		{
			"unknown provider", "sources:\n- name: a\n  acmee: {}\n",
			"2: sources[0]: has no provider; add one of the blocks acme or other\n3: sources[0].acmee: " +
				"unknown key; the keys here are acme, emergency_numbers, history, name, other, proxy_url, " +
				"renamed_from, requests_per_minute, tls_config",
		},
		{
			"common keys out of range", "sources:\n- name: a\n  history: -1s\n  requests_per_minute: 0\n  " +
				"emergency_numbers: [\"112\", police, \"JP:119\", \"jp:119\"]\n  other: {api_key: k}\n",
			"3: sources[0].history: must be at least 0s, is -1s\n4: sources[0].requests_per_minute: must be " +
				"at least 1, is 0\n5: sources[0].emergency_numbers[1]: must be a number as it is dialled, " +
				"such as \"112\" (2 to 15 digits, with + in front if needed), or \"DE:110\" if it counts from " +
				"that country's numbers only\n5: sources[0].emergency_numbers[3]: must be a number as it is " +
				"dialled, such as \"112\" (2 to 15 digits, with + in front if needed), or \"DE:110\" if it " +
				"counts from that country's numbers only",
		},
		{
			"proxy with a password",
			"sources:\n- name: a\n  proxy_url: \"ftp://u:hunter2@proxy\"\n  other: {api_key: k}\n",
			"3: sources[0].proxy_url: must be the URL of a proxy, such as http://proxy.example:3128 (http, " +
				"https, socks5 or socks5h)",
		},

		// A provider's block.
		{"bare provider", "sources:\n- name: a\n  acme:\n", "3: sources[0].acme.tenant_id: is missing; give " +
			"the id of the directory\n3: sources[0].acme: a credential is missing; give exactly one of " +
			"client_secret, managed_identity; a secret in a file has the key NAME_file\n3: sources[0].acme: a " +
			"feed is missing; give at least one of calls, active_calls"},
		{
			"two credentials", source + "    managed_identity: {}\n",
			"7: sources[0].acme.managed_identity: a credential is already set by client_secret; keep one of them",
		},
		{
			"plain http base URL", source + "    base_url: http://api.example\n",
			"7: sources[0].acme.base_url: must be https, because credentials travel on it; plain http is for " +
				"loopback hosts only (127.0.0.1, ::1, localhost), not \"api.example\"",
		},
		{
			"feed out of range", "sources:\n- name: a\n  acme:\n    tenant_id: t\n    client_secret: s\n    " +
				"calls:\n      interval: 500ms\n      lookback: 0s\n      late_after: -1s\n      view: full\n",
			"7: sources[0].acme.calls.interval: must be at least 1s, is 500ms\n8: " +
				"sources[0].acme.calls.lookback: must be at least the interval (1s), is 0s\n9: " +
				"sources[0].acme.calls.late_after: must be at least 0s, is -1s\n10: " +
				"sources[0].acme.calls.view: must be simple or detailed, is \"full\"",
		},
		{
			"lookback below the interval", "sources:\n- name: a\n  acme:\n    tenant_id: t\n    client_secret: " +
				"s\n    calls: {interval: 1h, lookback: 30m}\n",
			"6: sources[0].acme.calls.lookback: must be at least the interval (1h), is 30m",
		},

		// TLS.
		{
			"tls twice", "sources:\n- name: a\n  other: {api_key: k}\n  tls_config:\n    ca: x\n    ca_file: x\n " +
				"   cert: x\n    cert_file: x\n    key: x\n    key_file: x\n",
			"6: sources[0].tls_config.ca_file: the authority is already set by ca; keep one of them\n8: " +
				"sources[0].tls_config.cert_file: the client's certificate is already set by cert; keep one " +
				"of them\n10: sources[0].tls_config.key_file: is set twice, as text and as a file; keep one of them",
		},
		{
			"certificate without key", "otlp:\n  tls_config: {cert_file: x}\n" + valid,
			"2: otlp.tls_config: a client certificate needs its key; set both (cert or cert_file, key or " +
				"key_file), or neither",
		},
		{
			"key without certificate", "otlp:\n  tls_config: {key_file: x}\n" + valid,
			"2: otlp.tls_config: a client certificate needs its key; set both (cert or cert_file, key or " +
				"key_file), or neither",
		},
		{
			"tls version that is none", "otlp:\n  tls_config: {min_version: \"1.2\"}\n" + valid,
			"2: otlp.tls_config.min_version: must be TLS10, TLS11, TLS12 or TLS13, is \"1.2\"",
		},
		{"tls versions the wrong way round", "otlp:\n  tls_config:\n    min_version: TLS13\n    max_version: TLS12\n" +
			valid, "4: otlp.tls_config.max_version: must be at least min_version (TLS13), is TLS12"},
		{
			"tls key of Prometheus that is not here", "otlp:\n  tls_config: {ca_ref: x}\n" + valid,
			"2: otlp.tls_config.ca_ref: unknown key; the keys here are ca, ca_file, cert, cert_file, " +
				"insecure_skip_verify, key, key_file, max_version, min_version, server_name",
		},

		// Together.
		{
			"everything at once, by line", "metrics:\n  zero_for: x\nprivacy:\n  numbers: y\notlp:\n  prtocol: z\n",
			"1: sources: is missing; add at least one source to read\n2: metrics.zero_for: must be a duration " +
				"such as 30s, 5m, 24h or 2d, is \"x\"\n4: privacy.numbers: must be mask, hash, drop or keep, " +
				"is \"y\"\n6: otlp.prtocol: unknown key; the keys here are endpoint, headers, headers_file, " +
				"insecure_headers, interval, log_timestamp, logs, metrics, outbox_full, outbox_limit, " +
				"protocol, resource_attributes, shutdown_timeout, tls_config, traces, traces_history",
		},
		{
			"a long text is cut", "metrics: {zero_for: " + strings.Repeat("x", 100) + "}\n" + valid,
			"1: metrics.zero_for: must be a duration such as 30s, 5m, 24h or 2d, is \"" + strings.Repeat("x", 60) +
				"…\"",
		},
	}
	schema := compileSchema(t, config.Schema(options().Providers))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkSchema(t, schema, tt.yaml, tt.want)
			c, err := config.Parse("c.yaml", []byte(tt.yaml), options())
			if tt.want == "" {
				if err != nil {
					t.Fatalf("unexpected problems:\n%v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("no problem was found")
			}
			if c != nil {
				t.Error("a configuration with problems was returned")
			}
			if !errors.As(err, new(config.Problems)) {
				t.Errorf("the error is a %T, not Problems", err)
			}
			want := "c.yaml:" + strings.ReplaceAll(tt.want, "\n", "\nc.yaml:")
			if err.Error() != want {
				t.Errorf("problems:\n%v\nwant:\n%s", err, want)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Error("a secret is in the problems")
			}
		})
	}
}

// bomb is a mapping whose merges multiply with each level.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("storage:\n  <<:\n  - &a0 {path: data}\n")
	for i := range levels {
		alias := fmt.Sprintf("*a%d", i)
		fmt.Fprintf(&b, "  - &a%d {<<: [%s]}\n", i+1, strings.Join(slices.Repeat([]string{alias}, 10), ", "))
	}
	return b.String()
}

// TestLineInALongFile: the line of what can't be parsed is found anywhere in a long file, also
// below a list over many lines.
func TestLineInALongFile(t *testing.T) {
	lines := []string{"storage: {path: data}", "sources: ["}
	for i := range 50 {
		lines = append(lines, fmt.Sprintf("  {name: s%d, other: {api_key: k}},", i))
	}
	lines = append(lines, "]")
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("key%d: v", i))
	}
	for _, broken := range []string{"text: 'without an end", "\ta: b", "a: ]"} {
		for _, at := range []int{1, 60, 64, 65, 128, 400, len(lines)} {
			text := strings.Join(slices.Insert(slices.Clone(lines), at-1, broken), "\n") + "\n"
			_, err := config.Parse("c.yaml", []byte(text), config.Options{})
			if want := fmt.Sprintf("c.yaml:%d: cannot be parsed", at); err == nil ||
				!strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q on line %d: got %v", broken, at, err)
			}
		}
	}
}
