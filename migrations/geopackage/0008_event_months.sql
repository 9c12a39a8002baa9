-- Where PostGIS keeps events by the month, one file keeps them as they were: the names of
-- what is apart there are views here. Every way of asking for events has an index of its own.

create view event_identity as select number, id, source, digest, time_us from event_entry;

create view event_month_detached as select 0 as from_us, 0 as to_us where 0;

-- An event is asked for by the source's id, without its source.
create index event_entry_id on event_entry (id);
drop index event_entry_open;
create index event_entry_state on event_entry (state, time_us);
-- Few among many: what is open, and what waits for a place.
create index event_entry_open on event_entry (time_us) where is_open = 1;
create index event_entry_unplaced on event_entry (time_us) where x is null;
