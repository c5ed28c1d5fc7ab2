// Package config reads the YAML file that a user writes. It owns the types of the top level, their
// defaults and their validation. It decodes the blocks of providers strictly into types that the
// providers define.
//
// It finds all problems of a file in one pass, each with the file, the line, the path of the key
// and the remedy: unknown and repeated keys, values of the wrong type or out of range, variables
// that aren't set, secrets set twice. A file with a problem yields no configuration. No problem,
// log or printed configuration contains a secret.
//
// Fields carry the tag `yaml:"key"`; a field without it isn't a key. An embedded struct adds its
// keys to the outer struct's. yaml.v3 decodes scalars. In addition there are [time.Duration] (5m,
// 24h, 2d, 1h30m, 1.5h), [Secret] (the key x also accepts x_file), map[string]Secret, and [File]
// (must be readable). A pointer to a struct is nil while the key is absent, and has the defaults if
// it is bare (`pstn:`) or empty (`pstn: {}`). A scalar may be ${env:NAME} or ${env:NAME:-default};
// $${ at its beginning is a literal ${.
//
// Defaults come from SetDefaults ([Defaulter]), which is called before decoding, rules from
// Validate ([Validator]), which is called after it. A key with a problem gets no second one.
// [Options.Providers] has the types of providers' blocks; their tests decode one with [Unmarshal].
// Tests of the documentation compare it with the keys that package configtest lists. A test writes
// docs/config.schema.json, which describes a file for editors, from the types and from their
// validators' rules ([RulesOf]). [Settings] are the settings that `init` asks for (the tag `ask`).
package config
