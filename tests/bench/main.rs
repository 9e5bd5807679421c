//! `cargo bench`: the figures of the README.

fn main() {}
