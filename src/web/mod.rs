//! The public face: the only user of warp.
