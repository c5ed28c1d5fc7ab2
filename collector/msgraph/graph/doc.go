// Package graph has what every reader of Microsoft Graph needs: pages of rows, JSON documents, and Graph's error codes.
//
// A next link is followed exactly as Graph gave it, and only on the configured host. No error holds a piece of an answer.
package graph
