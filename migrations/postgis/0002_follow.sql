-- What began or ended between two revisions, found without reading the whole history:
-- a service that holds one of them makes the other from it.

create index area_from on area (coverage, from_revision);
create index area_to on area (coverage, to_revision) where to_revision is not null;
create index face_from on face (coverage, from_revision);
create index face_to on face (coverage, to_revision) where to_revision is not null;
create index border_from on border (coverage, from_revision);
create index border_to on border (coverage, to_revision) where to_revision is not null;
