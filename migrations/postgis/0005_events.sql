-- Events: what was reported, where it lies, who owns it. Times are microseconds since 1970,
-- so that they are ordered and found as numbers. What is open and has a place is also a
-- feature of the layer `event`, under the same number.

create table event_entry (
  -- In the order of arrival; never given twice.
  number bigint primary key,
  -- The id that its source gave it, unique there: what is sent twice is kept once.
  source text not null,
  id text not null,
  -- Of the content as it was sent: the same, or in conflict with it.
  digest text not null,
  time_us bigint not null,
  type text not null,
  state text not null,
  -- 1 until nobody has anything to do with it any more.
  is_open bigint not null,
  -- In 1e-7 degree; null for one that could not be placed.
  x bigint,
  y bigint,
  -- The square of some 300 m that it lies in, column and row in one number.
  cell bigint,
  accuracy_m double precision,
  -- point, building, area or none.
  placed_by text not null,
  -- The building that it lies in and the party units concerned, as they were when it came.
  building text,
  party_units text,
  -- Who has it in hand.
  worker text,
  -- What else was sent, as a JSON object.
  content text not null,
  received_us bigint not null,
  -- How many rows of event_step and of event_ruling it has.
  steps bigint not null,
  rulings bigint not null,
  unique (source, id)
);

create index event_entry_time on event_entry (time_us, number);
create index event_entry_type on event_entry (type, time_us, number);
create index event_entry_open on event_entry (state, time_us, number) where is_open = 1;
create index event_entry_cell on event_entry (cell) where cell is not null;

-- Who owns an event in one coverage: the chain of areas, topmost first, by their ids.
create table event_owner (
  event bigint not null,
  -- The coverage's position, which never changes.
  coverage bigint not null,
  -- The revision in force at the event's time, and the chain then: empty outside.
  revision bigint not null,
  filed text not null,
  -- The chain as the ground is now, or as it was settled; null where it is the same.
  present text,
  -- 1 where somebody decided on the owner and not the ground.
  settled bigint not null,
  -- What was said of the place, as JSON: grids that it might be as well, or the nearest.
  told text,
  primary key (event, coverage)
);

-- The events of an area and of all below it, in the order of their times.
create table event_area (
  coverage bigint not null,
  area bigint not null,
  time_us bigint not null,
  event bigint not null,
  -- 1: by the owner it was filed under, 2: by its present one, 3: by both.
  basis bigint not null,
  primary key (coverage, area, time_us, event)
);

-- What was done; rows are added and never changed.
create table event_step (
  event bigint not null,
  seq bigint not null,
  time_us bigint not null,
  from_state text not null,
  to_state text not null,
  actor text not null,
  note text not null,
  -- Who got it in hand with this step, if anybody did.
  worker text,
  recorded_us bigint not null,
  primary key (event, seq)
);

-- What was decided on place and owner after it came; rows are added and never changed.
create table event_ruling (
  event bigint not null,
  seq bigint not null,
  recorded_us bigint not null,
  -- place (a pin was moved), owner (a dispute was settled) or redraw (the ground changed hands).
  kind text not null,
  coverage text,
  -- The owner before and after, and the place before.
  from_code text,
  to_code text,
  x bigint,
  y bigint,
  reason text not null,
  actor text not null,
  primary key (event, seq)
);
