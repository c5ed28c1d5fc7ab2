// Package subscriptions maintains a subscription at Graph to notifications of call records, and
// receives them.
//
// Notifications are a hint (counting.md 12): call records are also read from the list. A
// notification is answered when its task is durable, without a request to Graph. A secret that the
// ledger keeps authenticates its sender.
package subscriptions
