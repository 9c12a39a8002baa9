-- Redrawing: drafts of changes to the boundaries, and what became of areas.

create table plan (
  -- Short, for people to say: p1, p2 ...; never given again.
  id text primary key,
  coverage text not null references coverage (name),
  name text not null,
  author text not null,
  -- The code of the area below which the plan may change things; null: everywhere.
  scope text,
  -- The published revision that its edits are made on.
  base bigint not null,
  -- From when its author means it to be in force.
  effective timestamptz,
  -- draft, submitted, approved, published or refused.
  state text not null,
  -- Counts every change of the plan: what If-Match is held against.
  version bigint not null,
  -- So many of its edits are in force; those after them were undone and may be redone.
  edits_done bigint not null,
  -- The revision that it was published as.
  published bigint,
  -- Codes of areas that the plan's edits must leave alone, as a JSON array.
  locked text not null,
  created_at timestamptz not null,
  changed_at timestamptz not null
);

-- An edit is kept as it was asked for, in JSON, so that it can be made again on another
-- revision.
create table plan_edit (
  plan text not null references plan (id),
  seq bigint not null,
  author text not null,
  at timestamptz not null,
  body text not null,
  primary key (plan, seq)
);

-- What was said and decided, in order; never changed.
create table plan_note (
  plan text not null references plan (id),
  seq bigint not null,
  author text not null,
  at timestamptz not null,
  -- comment, submitted, approved, refused, withdrawn, published or rebased.
  kind text not null,
  text text not null,
  -- The place that a comment is tied to, in 1e-7 degree.
  x bigint,
  y bigint,
  primary key (plan, seq)
);

-- What ground of which area became whose with a revision. An area that keeps some of its
-- ground has a row of its own to itself.
create table lineage (
  revision bigint not null references revision (number),
  coverage text not null,
  from_code text not null,
  to_code text not null,
  -- split, merge, transfer, correction or recode.
  kind text not null,
  area_m2 double precision not null,
  -- Parts of the first area's ground, buildings and households, from 0 to 1.
  area_share double precision not null,
  building_share double precision not null,
  household_share double precision not null,
  primary key (revision, coverage, from_code, to_code)
);

create index lineage_from on lineage (coverage, from_code);
create index lineage_to on lineage (coverage, to_code);
