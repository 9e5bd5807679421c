//! MQTT: a person's messages on a topic of theirs, and their race as a device of Home Assistant. One connection to the
//! operator's broker, which is made again whenever it breaks.
//!
//! Invariants:
//! - A person has topics only while `MQTT_PEOPLE` names them and they have set no phone of their own. Afterwards what the
//!   broker keeps of them is cleared, also by a gateway that did not publish it.
//! - What the broker keeps has no position, nothing of the body, and no e-mail.
//! - A broker that is slow or away delays nothing but what goes to it.
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
