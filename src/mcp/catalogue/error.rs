//! Why a catalogue cannot be built.

/// The *operator* can act: the worker command is wrong, or this build is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("the list of {0} is malformed")]
    NotAList(&'static str),
    #[error("the catalogue overlay can't be read: {0}")]
    Overlay(String),
}
