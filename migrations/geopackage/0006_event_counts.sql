-- Events counted where they happened: one row for all of a kind in an area and an hour, so
-- that a portrait of a year doesn't read the year's events. Kept in step with event_area and
-- event_entry in the same transactions; what counts nothing is taken out.

create table event_count (
  coverage integer not null,
  area integer not null,
  -- Hours since 1970, by which the zone of a city finds its days.
  hour integer not null,
  type text not null,
  state text not null,
  source text not null,
  -- By the owner that they were filed under, and by the present one.
  filed integer not null,
  present integer not null,
  primary key (coverage, area, hour, type, state, source)
) without rowid;

insert into event_count (coverage, area, hour, type, state, source, filed, present)
select a.coverage, a.area, (e.time_us - ((e.time_us % 3600000000) + 3600000000) % 3600000000) / 3600000000,
       e.type, e.state, e.source, sum(a.basis % 2), sum(a.basis / 2)
from event_area a join event_entry e on e.number = a.event
group by 1, 2, 3, 4, 5, 6;
