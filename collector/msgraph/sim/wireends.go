package sim

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// The types of ends and user agents.
const (
	participantType  = "#microsoft.graph.callRecords.participantEndpoint"
	serviceType      = "#microsoft.graph.callRecords.serviceEndpoint"
	clientAgentType  = "#microsoft.graph.callRecords.clientUserAgent"
	serviceAgentType = "#microsoft.graph.callRecords.serviceUserAgent"
)

// end writes one end of a session or segment.
func (w *recordWriter) end(name string, e *end, rated bool) {
	if e.gone {
		w.null(name)
		return
	}
	w.object(name, func() {
		if e.kind == serviceEnd {
			w.text("@odata.type", serviceType)
			w.agent(e)
			return
		}
		w.text("@odata.type", participantType)
		w.agent(e)
		w.identities(e)
		w.text("name", "machineName_2")
		w.null("cpuName")
		w.null("cpuCoresCount")
		w.feedback(e, rated)
	})
}

func (w *recordWriter) agent(e *end) {
	if e.bare {
		w.null("userAgent")
		return
	}
	w.object("userAgent", func() {
		if e.role != "" {
			w.text("@odata.type", serviceAgentType)
			w.null("headerValue")
			w.null("applicationVersion")
			w.text("role", e.role)
			return
		}
		w.text("@odata.type", clientAgentType)
		w.text("headerValue", "CallSignalingAgent (27/1.0.0;release/simulated)")
		w.text("applicationVersion", "1.0.0")
		w.text("platform", e.device.wire)
		family := e.device.family
		if family == "azureCommunicationServices" && !w.modern {
			family = "unknownFutureValue"
		}
		w.text("productFamily", family)
	})
}

// identities writes who sits at an end: under the old name, the new one or both. Only the
// old one knows telephones.
func (w *recordWriter) identities(e *end) {
	old, current := e.style != 1, e.style != 2
	if e.kind != userEnd {
		old, current = true, false
	}
	if old {
		w.identitySet("identity", e)
	} else {
		w.null("identity")
	}
	if !current {
		w.null("associatedIdentity")
		return
	}
	w.object("associatedIdentity", func() {
		w.text("id", e.user.ID)
		w.text("displayName", e.user.Name)
		w.text("tenantId", w.tenant)
		w.text("userPrincipalName", e.user.Principal)
	})
}

// identitySet writes who somebody is: one of its members is given, the others are null or
// missing.
func (w *recordWriter) identitySet(name string, e *end) {
	w.object(name, func() {
		switch e.kind {
		case phoneEnd:
			w.null("user")
			w.object("phone", func() {
				w.text("id", e.number)
				w.null("displayName")
				w.null("tenantId")
			})
		case guestEnd:
			w.null("user")
			w.person("guest", e)
		case acsEnd:
			w.person("azureCommunicationServicesUser", e)
		case serviceEnd:
			w.object("applicationInstance", func() { w.text("id", w.tenant); w.text("displayName", e.role) })
		default:
			w.person("user", e)
			w.null("phone")
		}
	})
}

func (w *recordWriter) person(name string, e *end) {
	w.object(name, func() {
		w.text("id", e.user.ID)
		w.text("displayName", e.user.Name)
		w.text("tenantId", w.tenant)
		w.orNull("userPrincipalName", e.user.Principal)
	})
}

// identity is the id of somebody who took part.
func (e *end) identity() string {
	if e.kind == phoneEnd {
		return e.number
	}
	return e.user.ID
}

// feedback writes what a user said: nothing, that nothing was said, or a rating.
func (w *recordWriter) feedback(e *end, rated bool) {
	switch {
	case e.rating != "" && rated:
		w.object("feedback", func() {
			w.text("rating", e.rating)
			w.null("text")
			w.object("tokens", func() { w.truth("NoSound", false); w.truth("Echo", e.rating == "bad") })
		})
	case e.style == 0:
		w.object("feedback", func() { w.text("rating", "notRated"); w.null("text") })
	case e.style == 1:
		w.null("feedback")
	}
}

// network writes how an end was connected.
func (w *recordWriter) network(name string, e *end) {
	if e.access.missing {
		w.unknown(name, e.style)
		return
	}
	wifi := e.access.wire == "wifi"
	w.object(name, func() {
		w.text("connectionType", e.access.wire)
		w.text("networkTransportProtocol", "udp")
		w.text("ipAddress", "192.0.2.10")
		w.text("subnet", "192.0.2.0")
		w.whole("port", 50_011)
		w.text("reflexiveIPAddress", "198.51.100.7")
		w.text("macAddress", "02-00-00-00-00-00")
		w.null("dnsSuffix")
		w.whole("linkSpeed", 1_000_000_000)
		if wifi {
			w.text("wifiBand", "frequency50GHz")
			w.text("wifiRadioType", "wifi80211ac")
			w.whole("wifiSignalStrength", 71)
		} else {
			w.text("wifiBand", "unknown")
			w.text("wifiRadioType", "unknown")
			w.null("wifiSignalStrength")
		}
		w.scaled("bandwidthLowEventRatio", cdr.KnownInt(0), 6, 0)
		w.list("traceRouteHops", 0, nil)
	})
}

// device writes what an end heard and spoke with.
func (w *recordWriter) device(name string, e *end) {
	if e.kind != userEnd || e.style%2 == 1 {
		w.null(name)
		return
	}
	w.object(name, func() {
		w.text("captureDeviceName", "Default input device")
		w.text("renderDeviceName", "Default output device")
		w.whole("receivedSignalLevel", -10)
		w.whole("receivedNoiseLevel", -68)
		w.scaled("cpuInsufficentEventRatio", cdr.KnownInt(12_500), 6, 0)
		w.scaled("micGlitchRate", cdr.KnownInt(23), 0, 0)
	})
}

// scale multiplies what is known.
func scale(n cdr.Int, by int64) cdr.Int {
	n.Value *= by
	return n
}

// most bounds what is known.
func most(n cdr.Int, bound int64) cdr.Int {
	n.Value = min(n.Value, bound)
	return n
}
