// Package graph has what all readers of Microsoft Graph share: pages of rows, JSON documents, and
// Graph's error codes.
//
// It follows a next link exactly as Graph gave it, and only on the configured host. No error
// contains a part of an answer.
package graph
