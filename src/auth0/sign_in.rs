//! Asking the token endpoint, by a secret or by a private key. Central type: [`Desk`].

use std::sync::Arc;

use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::model::{EntityId, Secret};

use super::assertion::{ASSERTION_TYPE, Signer};
use super::classify::CallKind;
use super::courier::Courier;
use super::error::ApiError;
use super::transport::{Call, Payload};

/// Seconds by which the tenant's clock may differ before an assertion that goes by ours may be out of its time.
const CLOCKS_APART: f64 = 30.0;

/// The token endpoint's answer (RFC 6749, section 5.1). Has no `Debug`, so that the token cannot be shown by accident.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) access_token: String,
    /// In seconds. Some servers write it as a text.
    #[serde(default)]
    pub(super) expires_in: Value,
    #[serde(default)]
    pub(super) scope: Value,
}

/// Serde's message could quote the token, so it is not passed on.
pub(super) fn answer(body: &[u8]) -> Result<Answer, String> {
    serde_json::from_slice(body).map_err(|_| "no access token in it".to_owned())
}

/// Where tokens are asked for.
pub(super) struct Desk {
    pub(super) courier: Arc<Courier>,
    pub(super) agent: HeaderValue,
    pub(super) audience: String,
}

impl Desk {
    /// The answer, and when it was asked for.
    pub(super) async fn by_secret(
        self,
        client_id: EntityId,
        secret: Secret,
    ) -> Result<(Answer, Instant), ApiError> {
        let body = serde_json::json!({
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret.expose(),
            "audience": self.audience,
        });
        let call = self.call(Payload::Same(body.to_string().into()));
        self.ask(&call).await.map_err(|error| without(error, &secret))
    }

    /// The first assertion goes by our clock. Where it was refused, and the refusal tells that the tenant's is far from it,
    /// that may be why: one more goes by the tenant's.
    pub(super) async fn by_key(
        self,
        client_id: EntityId,
        signer: Signer,
    ) -> Result<(Answer, Instant), ApiError> {
        let clock_ahead = || self.courier.transport().clock_ahead();
        let known = clock_ahead().is_some();
        let call = self.call(self.signed(client_id, signer));
        let result = match self.ask(&call).await {
            Err(ApiError::TokenRefused { status: 400..=403, .. })
                if !known && clock_ahead().is_some_and(|ahead| ahead.abs() > CLOCKS_APART) =>
            {
                self.ask(&call).await
            }
            result => result,
        };
        result.map_err(of_a_key)
    }

    /// A tenant takes an assertion once: what is tried again carries another, and goes by the clock of the answer before.
    fn signed(&self, client_id: EntityId, signer: Signer) -> Payload {
        let (courier, audience) = (Arc::clone(&self.courier), self.audience.clone());
        Payload::Fresh(Box::new(move || {
            let body = serde_json::json!({
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signer.assertion(courier.transport().time_there()),
                "audience": audience,
            });
            body.to_string().into()
        }))
    }

    fn call(&self, body: Payload) -> Call {
        Call {
            kind: CallKind::Token,
            method: reqwest::Method::POST,
            url: self.courier.transport().url(["oauth", "token"]),
            body: Some(body),
            agent: self.agent.clone(),
            correlation: None,
            max_retries: None,
        }
    }

    async fn ask(&self, call: &Call) -> Result<(Answer, Instant), ApiError> {
        let asked = Instant::now();
        let answer = self.courier.deliver(call, None, &answer, None).await.result?;
        Ok((answer, asked))
    }
}

/// A server that quotes the secret back must not bring it into a message.
fn without(error: ApiError, secret: &Secret) -> ApiError {
    if secret.expose().is_empty() {
        return error;
    }
    scrubbed(error, |text| text.replace(secret.expose(), "…"))
}

/// Nor an assertion: it was not taken, and yet is nobody's business.
fn of_a_key(error: ApiError) -> ApiError {
    match scrubbed(error, without_tokens) {
        ApiError::TokenRefused { status, error_code, message, .. } => {
            ApiError::TokenRefused { status, error_code, message, by_key: true }
        }
        other => other,
    }
}

fn scrubbed(error: ApiError, scrub: impl Fn(&str) -> String) -> ApiError {
    match error {
        ApiError::TokenRefused { status, error_code, message, by_key } => ApiError::TokenRefused {
            status,
            error_code: error_code.map(|code| scrub(&code)),
            message: scrub(&message),
            by_key,
        },
        ApiError::Server { status, message, attempts } => {
            ApiError::Server { status, message: scrub(&message), attempts }
        }
        other => other,
    }
}

/// A text without JSON Web Tokens: their headers begin with `{"`, which base64 makes `eyJ` of.
fn without_tokens(text: &str) -> String {
    let hidden =
        |word: &str| word.find("eyJ").map_or_else(|| word.to_owned(), |at| format!("{}…", &word[..at]));
    text.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
}
