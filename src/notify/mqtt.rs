//! MQTT: each person's messages on a topic of their own, and their race as a device of Home Assistant. One connection
//! to the operator's broker is kept, and reopened whenever it breaks.
//!
//! Invariants:
//! - A person has topics only while `MQTT_PEOPLE` names them and they have set no phone of their own. Afterwards their
//!   retained messages are cleared, even if an earlier run of the gateway published them.
//! - Retained messages contain no position, no heart rate or other body data, and no e-mail address.
//! - A slow or unreachable broker delays only the messages that go to it.
//!
//! | file | what |
//! |---|---|
//! | `device` | topics, and what is published there |
//! | `connection` | opening a connection, and what its errors mean |
//! | `desk` | what is published over one connection |
//! | `link` | the task that keeps the connection |

mod connection;
mod desk;
mod device;
mod link;

pub(super) use device::{MessageParts, message};
pub(super) use link::BrokerLink;
