// Package config reads the YAML file that a user writes. It owns the types of the
// top level, their defaults and their validation, and it decodes the blocks of
// providers strictly into types that the providers define.
//
// All problems of a file are found in one pass, each with the file, the line, the path
// of the key and what would be right: unknown and repeated keys, values of the wrong
// type or out of range, variables that are not set, secrets given twice. A file with a
// problem yields no configuration. The content of a secret appears in no problem, no
// log and no printed configuration.
//
// Fields carry the tag `yaml:"key"`; a field without it is not a key. An embedded struct adds its keys to those of the outer one.
// yaml.v3 decodes scalars; on top of that come [time.Duration] (5m, 24h, 2d, 1h30m, 1.5h), [Secret] (the key x also accepts x_file) and
// map[string]Secret, and [File] (must be readable). A pointer to a struct is nil while the key is absent, and has the defaults when it
// is bare (`pstn:`) or empty (`pstn: {}`). A scalar may be ${env:NAME} or ${env:NAME:-default}; $${ at its beginning is a literal ${.
//
// Defaults come from SetDefaults ([Defaulter]), rules from Validate ([Validator]), called before and after decoding. A key that
// already has a problem gets no second one. [Options.Providers] has the types of providers' blocks, whose tests decode one
// with [Unmarshal]. Tests of the documentation compare it with the keys that package configtest lists. A test writes docs/config.schema.json, which describes a file for
// editors, from the types and from what their validators declare ([RulesOf]); [Settings] are what `init` asks for (the tag `ask`).
package config
