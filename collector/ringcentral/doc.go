// Package ringcentral completes the records of RingCentral's call log (RingEX). The definition
// (collector/declared/builtin/ringcentral.yaml) says how pages are read, and which value is the id,
// the start, the duration and the parties; Function gives the rest.
//
// Invariants:
//
//   - A row is set aside if a field has another type than RingCentral documents; the rest of the page
//     is still read. New strings and members are accepted. The mapping ignores members that it
//     doesn't need.
//   - The direction is RingCentral's own, even if a softphone inverts it. Only a call between two
//     extensions is internal. Nothing is guessed.
//
// A row of the log is a record. In the scope of an account, an internal call or a RingOut can be
// two rows and then counts twice. In the scope of an extension, rows of one session make one call
// (cdr.Record.CallKey). The legs of a row make its call (legs.go, internal/core/calls). A leg that is
// marked as the master describes the whole call, so it gives the outcome only if no other leg does.
// A row's money is the whole call's, so the legs' money isn't added.
package ringcentral
