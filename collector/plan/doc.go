// Package plan decides which span of time of a feed is due to be read, how a complete read moves
// the watermark, and which spans can't be read (counting.md 5 to 10 and 31). It is pure: it has no
// clock and does no I/O.
//
// A feed asks NextLevel which level's turn it is, NextRead for that level's read, and NextStep for
// the piece to read now. It reports a piece that was read to its end to Finish, and one that can't
// be read to StepOver. A failed piece changes nothing. The plan is stored (Encode, Decode) in the
// commit that moves the position, so a restart continues where the last commit left it. A stored
// plan that can't be decoded is replaced by an empty one: that costs a deep read and loses nothing.
package plan
