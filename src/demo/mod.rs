//! A seeded city that takes the same way in as a file.

mod random;

pub use random::Random;
