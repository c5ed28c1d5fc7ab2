// Package subscriptions keeps a subscription at Graph to notifications of call records, and receives them.
//
// Notifications are a hint (counting.md 12): call records are also read from the list. A notification is answered when what it names is durable, and
// Graph is asked nothing for it. Its sender is known by a secret that the ledger keeps.
package subscriptions
