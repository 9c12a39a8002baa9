//! Writers: features out to a file, in the format that its ending names.
//!
//! Invariant: a file appears under its name only when it is whole. It is written beside
//! its place and renamed at the end; a writer that is dropped before leaves nothing.
//! Coordinates are WGS-84, lon then lat, as the exact decimals of the lattice.
