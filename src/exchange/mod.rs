//! Files in and out: knows formats, not what they are for.

pub mod write;
