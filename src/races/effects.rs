//! A gateway without phones and without Claude.

use futures_util::future::BoxFuture;

use crate::accounts::AccountId;
use crate::coach::look::{Coach, Look, NotLooked};
use crate::notify::message::{Message, NotSet, Outbox, Phone, Reach};
use crate::race::id::RaceId;
use crate::store::{StoreError, Tx};

/// Sends nothing and looks at nothing: a gateway on which neither is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Outbox for Nobody {
    fn push(&self, _: &mut Tx<'_>, _: &Message) -> Result<(), StoreError> {
        Ok(())
    }

    fn wake(&self) {}

    fn reach(&self, _: &AccountId) -> Reach {
        Reach::Nowhere
    }

    fn set_phone(&self, _: &AccountId, _: Phone) -> BoxFuture<'static, Result<Reach, NotSet>> {
        Box::pin(std::future::ready(Ok(Reach::Nowhere)))
    }

    fn forget(&self, _: &mut Tx<'_>, _: &AccountId) -> Result<(), StoreError> {
        Ok(())
    }

    fn forget_race(&self, _: &mut Tx<'_>, _: &AccountId, _: &RaceId) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Coach for Nobody {
    fn is_set_up(&self) -> bool {
        false
    }

    fn look(&self, _: Look) -> BoxFuture<'static, Result<Option<String>, NotLooked>> {
        Box::pin(std::future::ready(Err(NotLooked::NotSetUp)))
    }
}
