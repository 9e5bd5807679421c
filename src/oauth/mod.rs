//! The authorization server without HTTP.

mod authorize;
mod error;

pub use authorize::{
    AuthorizeRefusal, AuthorizeStep, ClientOnPage, CodeForm, CodePage, CredentialsForm, DenyForm, SignInPage,
};
pub use error::OAuthError;
