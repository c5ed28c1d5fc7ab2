// Package providertest is what the tests of every provider need: rows as they map, and a fake API.
package providertest
