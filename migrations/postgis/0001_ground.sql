-- The ground of a city in PostGIS: the same tables as in the GeoPackage, with the
-- types that this database has. Times are instants.

create extension if not exists postgis;

-- What the store is: its identity (another one after a restore) and the like.
create table meta (
  key text primary key,
  value text not null
);

-- Several coverages lie over one city.
create table coverage (
  name text primary key,
  -- The default coverage is first, the others as they were made.
  position bigint not null unique,
  -- The revision that its derived layers and the owners of features show.
  derived_revision bigint not null default 0
);

-- The published states: one sequence of numbers over all coverages, never reused.
create table revision (
  number bigint primary key,
  coverage text not null references coverage (name),
  -- Names of the levels, topmost first, as a JSON array: a level may be added later.
  levels text not null,
  -- Null for the first of a coverage: it reaches back without limit.
  effective timestamptz,
  published_at timestamptz not null,
  author text not null,
  summary text not null,
  -- SHA-256 over the canonical records, so that what is read is what was published.
  digest text not null
);

-- Rows hold from one revision to the one that ends them (null: to this day). A change
-- closes a row and opens another, so history costs what changed.
create table area (
  coverage text not null,
  id bigint not null,
  code text not null,
  name text not null,
  level bigint not null,
  parent bigint,
  kind text not null,
  attributes text not null,
  from_revision bigint not null,
  to_revision bigint,
  primary key (coverage, id, from_revision)
);

create table face (
  coverage text not null,
  id bigint not null,
  -- The area that owns it; null for a gap.
  area bigint,
  from_revision bigint not null,
  to_revision bigint,
  primary key (coverage, id, from_revision)
);

create table border (
  coverage text not null,
  id bigint not null,
  "left" bigint not null,
  "right" bigint not null,
  -- x, y in 1e-7 degree as little-endian 32-bit integers: the lattice itself, exact.
  line bytea not null,
  from_revision bigint not null,
  to_revision bigint,
  primary key (coverage, id, from_revision)
);

-- The layers of features; each has a table of its own.
create table layer (
  name text primary key,
  table_name text not null unique,
  -- Features are numbered for tiles; a number is never given twice.
  next_number bigint not null
);

create table layer_field (
  layer text not null references layer (name),
  position bigint not null,
  name text not null,
  -- The name of its column, which may not collide with the layer's own.
  column_name text not null,
  kind text not null,
  primary key (layer, position)
);

-- What changed, in the order of the transactions: what a running service follows.
create table change (
  seq bigint primary key,
  at timestamptz not null,
  -- Either a revision ...
  revision bigint,
  -- ... or a layer, wholly or in one feature.
  layer text,
  feature text
);

