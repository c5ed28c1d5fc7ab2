-- What an operator would make for one table of calls: new rows once, and a query that reads only an index.
CREATE TABLE calls (
  id text PRIMARY KEY,
  start timestamptz NOT NULL,
  call_type text NOT NULL,
  successful boolean NOT NULL,
  sip_code int NOT NULL,
  sub_code int NOT NULL,
  trunk text NOT NULL,
  duration int NOT NULL
);
CREATE INDEX calls_start ON calls (start) INCLUDE (call_type, successful, sip_code, sub_code, trunk, duration);
CREATE UNLOGGED TABLE staging (LIKE calls);
