package callrecords

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// texts are the properties of streams, networks and devices that are shown as they are. Others that are texts aren't shown: they might name somebody.
// People give their devices their own names.
var texts = map[string]cdr.Privacy{
	"streamId": cdr.Plain, "audioCodec": cdr.Plain, "videoCodec": cdr.Plain,
	"connectionType": cdr.Plain, "networkTransportProtocol": cdr.Plain, "wifiBand": cdr.Plain, "wifiRadioType": cdr.Plain,
	"wifiMicrosoftDriver": cdr.Plain, "wifiMicrosoftDriverVersion": cdr.Plain, "wifiVendorDriver": cdr.Plain, "wifiVendorDriverVersion": cdr.Plain,
	"ipAddress": cdr.Address, "reflexiveIPAddress": cdr.Address, "relayIPAddress": cdr.Address, "subnet": cdr.Address,
	"macAddress": cdr.Address, "basicServiceSetIdentifier": cdr.Address, "dnsSuffix": cdr.Address,
	"captureDeviceName": cdr.User, "renderDeviceName": cdr.User, "captureDeviceDriver": cdr.Plain, "renderDeviceDriver": cdr.Plain,
}

// units are those of numbers, apart from shares.
var units = map[string]string{
	"packetUtilization": "packets", "averageAudioDegradation": "MOS", "averageVideoFrameLossPercentage": "%",
	"averageVideoFrameRate": "frames/s", "averageReceivedFrameRate": "frames/s",
	"averageBandwidthEstimate": "bit/s", "linkSpeed": "bit/s", "wifiSignalStrength": "%", "wifiBatteryCharge": "%",
	"sentSignalLevel": "dB", "sentNoiseLevel": "dB", "receivedSignalLevel": "dB", "receivedNoiseLevel": "dB",
	"micGlitchRate": "per 5 min", "speakerGlitchRate": "per 5 min",
}

// describe returns the properties of a stream, network or device in words, sorted by name. What is null, unknown or nested is left out.
func describe(raw json.RawMessage) []cdr.Attr {
	var object map[string]any
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	var all []cdr.Attr
	for _, name := range slices.Sorted(maps.Keys(object)) {
		text, privacy := "", cdr.Plain
		switch value := object[name].(type) {
		case bool:
			text = map[bool]string{true: "yes", false: "no"}[value]
		case float64:
			text = numberText(name, value)
		case string:
			text, privacy = stringText(name, value)
		}
		if text != "" {
			all = append(all, cdr.Text(cdr.CallType(name), text, privacy))
		}
	}
	return all
}

func stringText(name, value string) (string, cdr.Privacy) {
	if privacy, known := texts[name]; known && value != "unknown" && value != futureValue {
		return value, privacy
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return instantText(at), cdr.Plain
	}
	if span, err := parseISO(value); err == nil && span >= 0 {
		return durationText(span), cdr.Plain
	}
	return "", cdr.Plain
}

func numberText(name string, value float64) string {
	if strings.HasSuffix(name, "Ratio") || strings.HasSuffix(name, "LossRate") || strings.Contains(name, "RatioOf") {
		if value < 0 || value > 1 {
			return ""
		}
		return decimal(100*value) + " %"
	}
	unit := units[name]
	if size := math.Abs(value); unit == "bit/s" && size >= 1e6 {
		value, unit = value/1e6, "Mbit/s"
	} else if unit == "bit/s" && size >= 1e3 {
		value, unit = value/1e3, "kbit/s"
	}
	return strings.TrimSpace(decimal(value) + " " + unit)
}

// instantText is a time in words; empty if there is none.
func instantText(at time.Time) string {
	if isMissing(at) {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// durationText is a duration in words: in milliseconds below a second.
func durationText(d time.Duration) string {
	if d < time.Second {
		return decimal(float64(d)/float64(time.Millisecond)) + " ms"
	}
	return d.Round(time.Millisecond).String()
}

// decimal is a number with at most three places.
func decimal(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0"), ".")
}
