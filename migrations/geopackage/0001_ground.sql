-- The ground of a city in one GeoPackage (OGC 12-128r18, version 1.3).
-- First what makes the file a GeoPackage, then the truth, then what is derived from it.

create table gpkg_spatial_ref_sys (
  srs_name text not null,
  srs_id integer primary key,
  organization text not null,
  organization_coordsys_id integer not null,
  definition text not null,
  description text
);

insert into gpkg_spatial_ref_sys values
  ('Undefined Cartesian', -1, 'NONE', -1, 'undefined', null),
  ('Undefined geographic', 0, 'NONE', 0, 'undefined', null),
  ('WGS 84', 4326, 'EPSG', 4326,
   'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]',
   'longitude and latitude');

create table gpkg_contents (
  table_name text not null primary key,
  data_type text not null,
  identifier text unique,
  description text default '',
  last_change datetime not null default (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x double,
  min_y double,
  max_x double,
  max_y double,
  srs_id integer references gpkg_spatial_ref_sys (srs_id)
);

create table gpkg_geometry_columns (
  table_name text not null primary key references gpkg_contents (table_name),
  column_name text not null,
  geometry_type_name text not null,
  srs_id integer not null references gpkg_spatial_ref_sys (srs_id),
  z tinyint not null,
  m tinyint not null
);

create table gpkg_extensions (
  table_name text,
  column_name text,
  extension_name text not null,
  definition text not null,
  scope text not null,
  unique (table_name, column_name, extension_name)
);

-- What the store is: its identity (another one after a restore) and the like.
create table meta (
  key text primary key,
  value text not null
);

-- Several coverages lie over one city.
create table coverage (
  name text primary key,
  -- The default coverage is first, the others as they were made.
  position integer not null unique,
  -- The revision that its derived layers and the owners of features show.
  derived_revision integer not null default 0
);

-- The published states: one sequence of numbers over all coverages, never reused.
create table revision (
  number integer primary key,
  coverage text not null references coverage (name),
  -- Names of the levels, topmost first, as a JSON array: a level may be added later.
  levels text not null,
  -- RFC 3339. Null for the first of a coverage: it reaches back without limit.
  effective text,
  published_at text not null,
  author text not null,
  summary text not null,
  -- SHA-256 over the canonical records, so that what is read is what was published.
  digest text not null
);

-- Rows hold from one revision to the one that ends them (null: to this day). A change
-- closes a row and opens another, so history costs what changed.
create table area (
  coverage text not null,
  id integer not null,
  code text not null,
  name text not null,
  level integer not null,
  parent integer,
  kind text not null,
  attributes text not null,
  from_revision integer not null,
  to_revision integer,
  primary key (coverage, id, from_revision)
);

create table face (
  coverage text not null,
  id integer not null,
  -- The area that owns it; null for a gap.
  area integer,
  from_revision integer not null,
  to_revision integer,
  primary key (coverage, id, from_revision)
);

create table border (
  coverage text not null,
  id integer not null,
  "left" integer not null,
  "right" integer not null,
  -- x, y in 1e-7 degree as little-endian 32-bit integers: the lattice itself, exact.
  line blob not null,
  from_revision integer not null,
  to_revision integer,
  primary key (coverage, id, from_revision)
);

-- The layers of features; each has a table of its own.
create table layer (
  name text primary key,
  table_name text not null unique,
  -- Features are numbered for tiles; a number is never given twice.
  next_number integer not null
);

create table layer_field (
  layer text not null references layer (name),
  position integer not null,
  name text not null,
  -- The name of its column, which may not collide with the layer's own.
  column_name text not null,
  kind text not null,
  primary key (layer, position)
);

-- What changed, in the order of the transactions: what a running service follows.
create table change (
  seq integer primary key,
  at text not null,
  -- Either a revision ...
  revision integer,
  -- ... or a layer, wholly or in one feature.
  layer text,
  feature text
);

-- With one table registered as attributes, GIS programs list what is registered and
-- not the tables of the graph.
insert into gpkg_contents (table_name, data_type, identifier, description)
  values ('revision', 'attributes', 'revision', 'published states of the boundaries');
