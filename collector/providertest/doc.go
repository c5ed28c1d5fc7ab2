// Package providertest is what the tests of every provider need: rows as they map, a fake API, and
// tables of advice and configurations.
package providertest
