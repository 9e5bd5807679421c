//! The integration tests: one binary over the real daemon, against the simulator.
