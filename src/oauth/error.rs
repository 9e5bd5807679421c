//! The errors of the endpoints.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::store::StoreError;

/// An OAuth error: the variant is the `error` string, its text the `error_description`.
///
/// The description is for the client's developer or user. It never repeats a submitted value.
/// Source: RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2, `OpenID` Connect Core §3.1.2.6.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Caller: a parameter is missing, repeated or malformed.
    #[error("invalid_request: {0}")]
    InvalidRequest(Cow<'static, str>),
    /// Caller: the client is unknown and should register again.
    #[error("invalid_client: {0}")]
    InvalidClient(Cow<'static, str>),
    /// Caller: the code or refresh token is unknown, spent, expired, revoked or another client's.
    #[error("invalid_grant: {0}")]
    InvalidGrant(Cow<'static, str>),
    /// Caller: only `authorization_code` and `refresh_token` are supported.
    #[error("unsupported_grant_type: {0}")]
    UnsupportedGrantType(Cow<'static, str>),
    /// Caller: only `code` is supported.
    #[error("unsupported_response_type: {0}")]
    UnsupportedResponseType(Cow<'static, str>),
    /// Caller: the token was requested for another server.
    #[error("invalid_target: {0}")]
    InvalidTarget(Cow<'static, str>),
    /// Caller or operator: this gateway does not redirect to that URI.
    #[error("invalid_redirect_uri: {0}")]
    InvalidRedirectUri(Cow<'static, str>),
    /// Caller: the registration cannot be read.
    #[error("invalid_client_metadata: {0}")]
    InvalidClientMetadata(Cow<'static, str>),
    /// Person signing in: declined to connect.
    #[error("access_denied: {0}")]
    AccessDenied(Cow<'static, str>),
    /// Caller: requested a sign-in without a page, which is not supported.
    #[error("login_required: {0}")]
    LoginRequired(Cow<'static, str>),
    /// Caller: request objects are not supported.
    #[error("request_not_supported: {0}")]
    RequestNotSupported(Cow<'static, str>),
    /// Caller: request objects are not fetched.
    #[error("request_uri_not_supported: {0}")]
    RequestUriNotSupported(Cow<'static, str>),
    /// A bug in this program.
    #[error("server_error: {0}")]
    ServerError(Cow<'static, str>),
    /// Operator: the store cannot be read or written now. Nothing was issued or revoked.
    #[error("temporarily_unavailable")]
    TemporarilyUnavailable(#[from] StoreError),
}

impl OAuthError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient(_) => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnsupportedGrantType(_) => "unsupported_grant_type",
            Self::UnsupportedResponseType(_) => "unsupported_response_type",
            Self::InvalidTarget(_) => "invalid_target",
            Self::InvalidRedirectUri(_) => "invalid_redirect_uri",
            Self::InvalidClientMetadata(_) => "invalid_client_metadata",
            Self::AccessDenied(_) => "access_denied",
            Self::LoginRequired(_) => "login_required",
            Self::RequestNotSupported(_) => "request_not_supported",
            Self::RequestUriNotSupported(_) => "request_uri_not_supported",
            Self::ServerError(_) => "server_error",
            Self::TemporarilyUnavailable(_) => "temporarily_unavailable",
        }
    }

    /// The HTTP status at `/token`, `/register` and `/revoke`. Claude asks the person to sign in again on exactly 400
    /// `invalid_grant`, and registers again on 401 `invalid_client`.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidClient(_) => 401,
            Self::ServerError(_) => 500,
            Self::TemporarilyUnavailable(_) => 503,
            _ => 400,
        }
    }

    /// The `error_description`: ASCII without quotes or backslashes, as RFC 6749 §5.2 requires.
    pub fn description(&self) -> &str {
        match self {
            Self::InvalidRequest(text)
            | Self::InvalidClient(text)
            | Self::InvalidGrant(text)
            | Self::UnsupportedGrantType(text)
            | Self::UnsupportedResponseType(text)
            | Self::InvalidTarget(text)
            | Self::InvalidRedirectUri(text)
            | Self::InvalidClientMetadata(text)
            | Self::AccessDenied(text)
            | Self::LoginRequired(text)
            | Self::RequestNotSupported(text)
            | Self::RequestUriNotSupported(text)
            | Self::ServerError(text) => text,
            Self::TemporarilyUnavailable(_) => "the gateway cannot reach its store; try again soon",
        }
    }

    /// The response body at `/token`, `/register` and `/revoke`.
    pub fn body(&self) -> Value {
        json!({ "error": self.code(), "error_description": self.description() })
    }
}
