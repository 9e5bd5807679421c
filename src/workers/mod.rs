//! One worker process per account.
