//! Integration tests of the whole platform, one binary.
