-- What happens to events, in the order in which it was written down, and how far whoever is
-- told of it has been told. Rows of the log are narrow: what happened stands where it always
-- did, in event_entry, event_step and event_ruling.

create table event_log (
  -- Ascends without gaps in the order of commits.
  seq bigint primary key,
  event bigint not null,
  -- 0: it was filed, 1: a step was taken, 2: something was decided on it.
  what bigint not null,
  -- Which step or ruling of the event; 0 where it was filed.
  item bigint not null,
  recorded_us bigint not null
);

-- Who is told, by the name in the configuration.
create table event_webhook (
  name text primary key,
  -- Everything up to here was told, or waits in event_webhook_wait.
  cursor bigint not null,
  -- Which process tells it, and how long nobody else may.
  holder text,
  held_until_us bigint not null
);

-- What was told and not taken, or waits behind such a thing of the same event.
create table event_webhook_wait (
  webhook text not null,
  seq bigint not null,
  event bigint not null,
  what bigint not null,
  item bigint not null,
  recorded_us bigint not null,
  attempts bigint not null,
  -- When it is told again; null where it was given up.
  next_us bigint,
  -- What came of the last attempt, and when that was.
  error text not null,
  tried_us bigint not null,
  primary key (webhook, seq)
);
