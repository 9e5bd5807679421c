//! Screens and messages.
