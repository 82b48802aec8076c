//! truechimer daemon.
fn main() {}
