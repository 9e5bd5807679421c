//! The numbers that Garmin's FIT profile gives to messages and fields.

/// Seconds from the Unix epoch to FIT's: 31 December 1989.
pub(super) const EPOCH_S: u32 = 631_065_600;

/// The message numbers that this program looks for.
pub mod message {
    pub const SESSION: u16 = 18;
    pub const LAP: u16 = 19;
    pub const RECORD: u16 = 20;
    pub const EVENT: u16 = 21;
    pub const ACTIVITY: u16 = 34;
    pub const HRV: u16 = 78;
}

/// The field number of a message's time.
pub(super) const TIMESTAMP: u8 = 253;
