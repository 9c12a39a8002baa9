-- The history of one area, read from its own rows: by its code, and downwards from it to
-- the areas, faces and borders that were ever a part of its ground.

create index area_code on area (coverage, code);
create index area_parent on area (coverage, parent) where parent is not null;
create index face_area on face (coverage, area) where area is not null;
create index border_left on border (coverage, "left");
create index border_right on border (coverage, "right");
