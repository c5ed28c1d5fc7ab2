package otlp

import "google.golang.org/protobuf/encoding/protowire"

// uid is a record's log.record.uid: 32 hexadecimal digits.
type uid = [32]byte

// uids are the values of log.record.uid in a part, empty for a record that has
// none or can't be read. Only what was refused is ever read this way.
func uids(p part) []string {
	var all []string
	eachField(p.data, scopeLogsRecords, func(record []byte) {
		found := ""
		eachField(record, recordAttributes, func(attribute []byte) {
			if name, value := textAttribute(attribute); name == "log.record.uid" {
				found = value
			}
		})
		all = append(all, found)
	})
	return all
}

// textAttribute is the key and the string value of a KeyValue.
func textAttribute(keyValue []byte) (name, value string) {
	eachField(keyValue, keyValueKey, func(b []byte) { name = string(b) })
	eachField(keyValue, keyValueValue, func(anyValue []byte) {
		eachField(anyValue, anyString, func(b []byte) { value = string(b) })
	})
	return name, value
}

// eachField yields the bytes of every field with that number, as far as the
// message can be read.
func eachField(message []byte, number protowire.Number, yield func([]byte)) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		if field == number && kind == protowire.BytesType {
			if value, n := protowire.ConsumeBytes(message); n >= 0 {
				yield(value)
			}
		}
		if n = protowire.ConsumeFieldValue(field, kind, message); n < 0 {
			return
		}
		message = message[n:]
	}
}
