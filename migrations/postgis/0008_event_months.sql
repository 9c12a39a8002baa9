-- Events by the month of their time: event_entry and event_area are partitioned, so that a
-- page of a month reads that month, a new month's indexes are small, and an old one can be
-- taken away as a whole. A partition's key is part of every unique index; so what must hold
-- over all months, that a number and a source's id are given once, is kept in a narrow table
-- of its own. Owners, steps and rulings are found by number alone and stay whole.

create table event_identity (
  -- In the order of arrival; never given twice.
  number bigint primary key,
  -- By the source's id first: an event is asked for by it, without its source.
  id text not null,
  source text not null,
  -- Of the content as it was sent: the same, or in conflict with it.
  digest text not null,
  -- In which month the rest of it lies.
  time_us bigint not null
);

-- Months that were detached: their events are no longer found, what was counted stays.
create table event_month_detached (
  from_us bigint primary key,
  to_us bigint not null
);

alter table event_entry rename to event_entry_before;
alter table event_area rename to event_area_before;

create table event_entry (
  number bigint not null,
  source text not null,
  id text not null,
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
  rulings bigint not null
) partition by range (time_us);

-- The events of an area and of all below it, in the order of their times.
create table event_area (
  coverage bigint not null,
  area bigint not null,
  time_us bigint not null,
  event bigint not null,
  -- 1: by the owner it was filed under, 2: by its present one, 3: by both.
  basis bigint not null
) partition by range (time_us);

-- Makes the partitions of the month that a time lies in, if there are none. They are attached
-- when they are there, which no reader waits for; writers stand in line, so nobody makes the
-- same ones meanwhile.
create function event_month_make(of_us bigint) returns void language plpgsql as $$
declare
  month timestamp := date_trunc('month', timestamp 'epoch' + of_us * interval '1 microsecond');
  from_us bigint := extract(epoch from month) * 1000000;
  to_us bigint := extract(epoch from month + interval '1 month') * 1000000;
  whole text;
  part text;
begin
  foreach whole in array array['event_entry', 'event_area'] loop
    part := whole || to_char(month, '_YYYY_MM');
    if to_regclass(part) is null then
      execute format('create table %I (like %I including all)', part, whole);
      execute format('alter table %I attach partition %I for values from (%s) to (%s)', whole, part, from_us, to_us);
    end if;
  end loop;
end $$;

-- Takes the partitions of a month away, into the schema event_archive. Who sends one of its
-- events again is still told that it was filed.
create function event_month_detach(of_month date) returns void language plpgsql as $$
declare
  month timestamp := date_trunc('month', of_month);
  whole text;
  part text := 'event_entry' || to_char(month, '_YYYY_MM');
  waits boolean;
begin
  -- Writers stand in line by the same lock.
  perform pg_advisory_xact_lock(1735551332);
  if to_regclass(part) is null then
    raise exception 'there are no events of % to detach', to_char(month, 'YYYY-MM');
  end if;
  execute format('select exists (select from %I where is_open = 1)', part) into waits;
  if waits then
    raise exception 'there are open events of %', to_char(month, 'YYYY-MM');
  end if;
  execute format(
    'select exists (select from event_webhook_wait w join %1$I e on e.number = w.event)'
    ' or exists (select from event_log l join %1$I e on e.number = l.event'
    ' where l.seq > (select min(cursor) from event_webhook))', part) into waits;
  if waits then
    raise exception 'webhooks have yet to tell of events of %', to_char(month, 'YYYY-MM');
  end if;
  create schema if not exists event_archive;
  foreach whole in array array['event_entry', 'event_area'] loop
    part := whole || to_char(month, '_YYYY_MM');
    execute format('alter table %I detach partition %I', whole, part);
    execute format('alter table %I set schema event_archive', part);
  end loop;
  insert into event_month_detached (from_us, to_us)
  values (extract(epoch from month) * 1000000, extract(epoch from month + interval '1 month') * 1000000)
  on conflict do nothing;
end $$;

select event_month_make(min(time_us)) from event_entry_before
group by date_trunc('month', timestamp 'epoch' + time_us * interval '1 microsecond');

insert into event_identity (number, id, source, digest, time_us)
select number, id, source, digest, time_us from event_entry_before;

insert into event_entry
select number, source, id, time_us, type, state, is_open, x, y, cell, accuracy_m, placed_by, building, party_units,
       worker, content, received_us, steps, rulings
from event_entry_before;

insert into event_area select coverage, area, time_us, event, basis from event_area_before;

drop table event_entry_before;
drop table event_area_before;

-- After the rows: an index is made faster than it is kept.
alter table event_identity add unique (id, source);
alter table event_entry add primary key (number, time_us);
create index event_entry_time on event_entry (time_us, number);
create index event_entry_type on event_entry (type, time_us, number);
create index event_entry_state on event_entry (state, time_us, number);
-- Few among many: what is open, and what waits for a place.
create index event_entry_open on event_entry (time_us, number) where is_open = 1;
create index event_entry_unplaced on event_entry (time_us, number) where x is null;
create index event_entry_cell on event_entry (cell) where cell is not null;
alter table event_area add primary key (coverage, area, time_us, event);

analyze event_identity, event_entry, event_area;
