package main_test

import (
	"testing"
	"time"
)

// TestBuildings: media streams carry the building of their sender's subnet, by
// Microsoft's building file. Wired ends of the simulator are in one subnet, those by Wi-Fi in
// another one, and calls have no building.
func TestBuildings(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, morning(161, 90*time.Minute))
	b.write("buildings.csv",
		"192.0.2.0,Lab,26,Headquarters,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n192.0.2.64,Lab "+
			"Wi-Fi,26,Annex,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n")
	x := b.launch(b.polled(time.Second),
		settings{More: "labels: [{name: building, file: buildings.csv, key: subnet, value: BuildingName}]"}).ready()
	x.countsCalls(b)
	m := x.scrape()
	for network, building := range map[string]string{"wired": "Headquarters", "wifi": "Annex"} {
		all, there := m.sum("cdr_media_streams_total", "network="+network),
			m.sum("cdr_media_streams_total", "network="+network, "building="+building)
		if all == 0 || there != all {
			t.Errorf("%g of %g streams by %s are in %q", there, all, network, building)
		}
	}
	if n := m.sum("cdr_calls_total", "building=Headquarters") + m.sum("cdr_calls_total", "building=Annex"); n != 0 {
		t.Errorf("%g calls have a building", n)
	}
	if hits := m.sum("cdr_exporter_label_lookups_total", "label=building", "result=hit"); hits == 0 {
		t.Error("no lookup is a hit")
	}
	x.stop()
}
