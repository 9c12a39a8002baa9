-- What happens to events, in the order in which it was written down, and how far whoever is
-- told of it has been told. Rows of the log are narrow: what happened stands where it always
-- did, in event_entry, event_step and event_ruling.

create table event_log (
  -- Ascends without gaps in the order of commits.
  seq integer primary key,
  event integer not null,
  -- 0: it was filed, 1: a step was taken, 2: something was decided on it.
  what integer not null,
  -- Which step or ruling of the event; 0 where it was filed.
  item integer not null,
  recorded_us integer not null
);

-- Who is told, by the name in the configuration.
create table event_webhook (
  name text primary key,
  -- Everything up to here was told, or waits in event_webhook_wait.
  cursor integer not null,
  -- Which process tells it, and how long nobody else may.
  holder text,
  held_until_us integer not null
) without rowid;

-- What was told and not taken, or waits behind such a thing of the same event.
create table event_webhook_wait (
  webhook text not null,
  seq integer not null,
  event integer not null,
  what integer not null,
  item integer not null,
  recorded_us integer not null,
  attempts integer not null,
  -- When it is told again; null where it was given up.
  next_us integer,
  -- What came of the last attempt, and when that was.
  error text not null,
  tried_us integer not null,
  primary key (webhook, seq)
) without rowid;
