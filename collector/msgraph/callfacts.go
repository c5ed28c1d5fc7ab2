package msgraph

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// fact is a property that is shown when a call is looked up, and how.
type fact struct {
	property string
	words    words
	privacy  cdr.Privacy
}

// words say in words what a JSON value is; empty: it isn't what it should be.
type words func(raw json.RawMessage) string

// streamFacts are the properties of microsoft.graph.callRecords.mediaStream.
var streamFacts = []fact{
	{"streamId", textOf, cdr.Plain},
	{"startDateTime", instantOf, cdr.Plain},
	{"endDateTime", instantOf, cdr.Plain},
	{"audioCodec", textOf, cdr.Plain},
	{"videoCodec", textOf, cdr.Plain},
	{"wasMediaBypassed", truthOf, cdr.Plain},
	{"packetUtilization", count("packets"), cdr.Plain},
	{"averageJitter", spanOf, cdr.Plain},
	{"maxJitter", spanOf, cdr.Plain},
	{"averageRoundTripTime", spanOf, cdr.Plain},
	{"maxRoundTripTime", spanOf, cdr.Plain},
	{"averagePacketLossRate", shareOf, cdr.Plain},
	{"maxPacketLossRate", shareOf, cdr.Plain},
	{"postForwardErrorCorrectionPacketLossRate", shareOf, cdr.Plain},
	{"averageRatioOfConcealedSamples", shareOf, cdr.Plain},
	{"maxRatioOfConcealedSamples", shareOf, cdr.Plain},
	{"averageAudioNetworkJitter", spanOf, cdr.Plain},
	{"maxAudioNetworkJitter", spanOf, cdr.Plain},
	{"averageAudioDegradation", numberIn("MOS"), cdr.Plain},
	{"isAudioForwardErrorCorrectionUsed", truthOf, cdr.Plain},
	{"averageVideoFrameLossPercentage", numberIn("%"), cdr.Plain},
	{"averageVideoFrameRate", numberIn("frames/s"), cdr.Plain},
	{"averageReceivedFrameRate", numberIn("frames/s"), cdr.Plain},
	{"averageVideoPacketLossRate", shareOf, cdr.Plain},
	{"lowFrameRateRatio", shareOf, cdr.Plain},
	{"lowVideoProcessingCapabilityRatio", shareOf, cdr.Plain},
	{"averageFreezeDuration", spanOf, cdr.Plain},
	{"rmsFreezeDuration", spanOf, cdr.Plain},
	{"averageBandwidthEstimate", bitsOf, cdr.Plain},
}

// networkFacts are the properties of microsoft.graph.callRecords.networkInfo.
var networkFacts = []fact{
	{"connectionType", textOf, cdr.Plain},
	{"networkTransportProtocol", textOf, cdr.Plain},
	{"ipAddress", textOf, cdr.Address},
	{"port", count(""), cdr.Plain},
	{"reflexiveIPAddress", textOf, cdr.Address},
	{"relayIPAddress", textOf, cdr.Address},
	{"relayPort", count(""), cdr.Plain},
	{"subnet", textOf, cdr.Address},
	{"macAddress", textOf, cdr.Address},
	{"dnsSuffix", textOf, cdr.Address},
	{"linkSpeed", bitsOf, cdr.Plain},
	{"basicServiceSetIdentifier", textOf, cdr.Address},
	{"wifiBand", textOf, cdr.Plain},
	{"wifiRadioType", textOf, cdr.Plain},
	{"wifiChannel", count(""), cdr.Plain},
	{"wifiSignalStrength", numberIn("%"), cdr.Plain},
	{"wifiBatteryCharge", numberIn("%"), cdr.Plain},
	{"wifiMicrosoftDriver", textOf, cdr.Plain},
	{"wifiMicrosoftDriverVersion", textOf, cdr.Plain},
	{"wifiVendorDriver", textOf, cdr.Plain},
	{"wifiVendorDriverVersion", textOf, cdr.Plain},
	{"bandwidthLowEventRatio", shareOf, cdr.Plain},
	{"delayEventRatio", shareOf, cdr.Plain},
	{"receivedQualityEventRatio", shareOf, cdr.Plain},
	{"sentQualityEventRatio", shareOf, cdr.Plain},
}

// deviceFacts are the properties of microsoft.graph.callRecords.deviceInfo. People give
// their devices their own names.
var deviceFacts = []fact{
	{"captureDeviceName", textOf, cdr.User},
	{"captureDeviceDriver", textOf, cdr.Plain},
	{"renderDeviceName", textOf, cdr.User},
	{"renderDeviceDriver", textOf, cdr.Plain},
	{"sentSignalLevel", numberIn("dB"), cdr.Plain},
	{"sentNoiseLevel", numberIn("dB"), cdr.Plain},
	{"receivedSignalLevel", numberIn("dB"), cdr.Plain},
	{"receivedNoiseLevel", numberIn("dB"), cdr.Plain},
	{"initialSignalLevelRootMeanSquare", numberIn(""), cdr.Plain},
	{"howlingEventCount", count(""), cdr.Plain},
	{"micGlitchRate", numberIn("per 5 min"), cdr.Plain},
	{"speakerGlitchRate", numberIn("per 5 min"), cdr.Plain},
	{"captureNotFunctioningEventRatio", shareOf, cdr.Plain},
	{"renderNotFunctioningEventRatio", shareOf, cdr.Plain},
	{"cpuInsufficentEventRatio", shareOf, cdr.Plain},
	{"deviceClippingEventRatio", shareOf, cdr.Plain},
	{"deviceGlitchEventRatio", shareOf, cdr.Plain},
	{"lowSpeechLevelEventRatio", shareOf, cdr.Plain},
	{"lowSpeechToNoiseEventRatio", shareOf, cdr.Plain},
	{"renderMuteEventRatio", shareOf, cdr.Plain},
	{"renderZeroVolumeEventRatio", shareOf, cdr.Plain},
}

// factsOf are an object's properties in words. What is null, missing or unknown is left
// out.
func factsOf(raw json.RawMessage, facts []fact) []cdr.Attr {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil // null, or no object: it only isn't shown
	}
	var all []cdr.Attr
	for _, f := range facts {
		value, ok := object[f.property]
		if !ok || string(value) == "null" {
			continue
		}
		if text := f.words(value); text != "" {
			all = append(all, cdr.Text(cdr.CallType(f.property), text, f.privacy))
		}
	}
	return all
}

// textOf is a text, or a word of an enumeration. One that says nothing is left out. Ids
// come as numbers too.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		var n json.Number
		if json.Unmarshal(raw, &n) != nil {
			return ""
		}
		return n.String()
	}
	if text == "unknown" || text == futureValue {
		return ""
	}
	return text
}

func instantOf(raw json.RawMessage) string {
	var at time.Time
	if json.Unmarshal(raw, &at) != nil {
		return ""
	}
	return instant(at)
}

// instant is a time in words; empty if there is none.
func instant(at time.Time) string {
	if missing(at) {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func truthOf(raw json.RawMessage) string {
	switch string(raw) {
	case "true":
		return "yes"
	case "false":
		return "no"
	}
	return ""
}

func spanOf(raw json.RawMessage) string {
	var text isoSpan
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	span, err := text.span()
	if err != nil || !span.Known {
		return ""
	}
	return duration(span.Value)
}

// duration is a span of time in words: in milliseconds below a second.
func duration(d time.Duration) string {
	if d < time.Second {
		return decimal(float64(d)/float64(time.Millisecond), 3) + " ms"
	}
	return d.Round(time.Millisecond).String()
}

func shareOf(raw json.RawMessage) string {
	var s single
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	if share := s.share(1); share.Known {
		return decimal(100*share.Value, 3) + " %"
	}
	return ""
}

// numberIn is a number with a unit.
func numberIn(unit string) words {
	return func(raw json.RawMessage) string {
		var s single
		if json.Unmarshal(raw, &s) != nil || math.IsNaN(float64(s)) {
			return ""
		}
		return strings.TrimSpace(decimal(float64(s), 3) + " " + unit)
	}
}

// count is a whole number of something.
func count(of string) words {
	return func(raw json.RawMessage) string {
		var n int64
		if json.Unmarshal(raw, &n) != nil {
			return ""
		}
		return strings.TrimSpace(strconv.FormatInt(n, 10) + " " + of)
	}
}

// bitsOf is a number of bits a second.
func bitsOf(raw json.RawMessage) string {
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 {
		return ""
	}
	switch {
	case n >= 1_000_000:
		return decimal(float64(n)/1e6, 3) + " Mbit/s"
	case n >= 1_000:
		return decimal(float64(n)/1e3, 3) + " kbit/s"
	}
	return strconv.FormatInt(n, 10) + " bit/s"
}

// decimal is a number with at most so many places.
func decimal(f float64, places int) string {
	text := strconv.FormatFloat(f, 'f', places, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
