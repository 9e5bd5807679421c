//! Builds everything, starts it, announces it, waits, drains.
