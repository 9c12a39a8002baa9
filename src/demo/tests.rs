//! The demo city is a valid city, and always the same one.
