//! The operator's own phone, for messages about the gateway itself.

use super::message::OperatorMessage;
use super::notifier::{MessageTarget, Notifier};
use super::queue;
use crate::config::ChannelConfig;
use crate::store::StoreError;

impl Notifier {
    /// Whether the operator has named a phone of their own.
    pub fn has_operator(&self) -> bool {
        !self.operator_targets().is_empty()
    }

    /// Sends a message to the operator's own phone, through the queue. A key that was used before is skipped. Without
    /// such a phone nothing is queued.
    pub async fn tell_operator(&self, message: OperatorMessage) -> Result<(), StoreError> {
        if !self.has_operator() {
            return Ok(());
        }
        let now = self.clock().now();
        let pushed = self
            .store()
            .atomic(move |tx| queue::push_to_operator(tx, &message, now));
        pushed.await?;
        self.wake();
        Ok(())
    }

    pub(super) fn operator_targets(&self) -> Vec<MessageTarget> {
        let target = |(channel, config): (_, ChannelConfig)| {
            let address = config.targets.of_operator()?.to_owned();
            Some(MessageTarget {
                channel,
                config,
                address,
            })
        };
        self.channels().into_iter().filter_map(target).collect()
    }
}
