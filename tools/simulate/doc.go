// Package simulate runs the whole exporter in one process, in an order that a seed decides, and
// breaks it: make simulate SEEDS=1000.
//
//	script (seed) ──▶ turns ──▶ the app: loops, ledger on real files, OTLP sender
//	                    │            ▲
//	                    │            └─ simulated accounts, without a network, in simulated time
//	                    └─ crash, restart, reload, fault, outage, pause
//
// Each request to a provider waits for its turn. While one has it, everything else waits, for its
// own turn or for the time, which testing/synctest moves when nothing can go on. So a seed always
// gives the same trace, and a failure prints the shortest script that still fails. At a crash the
// process is left behind, and a new one starts on a copy of its ledger as the disk had it in the
// middle of the last step: of the bytes that the step wrote, a part is missing (a torn write).
//
// At the end publication stops, and the counters and log records must equal the totals of the
// simulated accounts, which share no code with internal/core/counting.
//
// Timers that fire at the same instant, such as the ledger's maintenance, deliveries of log records,
// and the goroutines of database/sql don't take turns: they aren't in the trace. PostgreSQL, replicas
// and full disks need processes and a network; tools/chaos has them.
package simulate
