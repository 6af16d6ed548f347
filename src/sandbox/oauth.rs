//! The token endpoint: reads a request in any of its forms and decides. Central function: [`decide`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::assertion::{self, Assertions};
use super::reply::Reply;

/// The parameters of a client-credentials request.
#[derive(Default, Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion_type: Option<String>,
    client_assertion: Option<String>,
    pub(super) audience: Option<String>,
}

/// What the tenant knows of a client that asks for a token.
pub(super) struct Registered<'t> {
    /// Its secret; none while it authenticates by other means.
    pub(super) secret: Option<String>,
    /// What judges its assertions, where it signs in by a private key.
    pub(super) key: Option<&'t Assertions>,
    /// Whether its `grant_types` hold `client_credentials`.
    pub(super) grants: bool,
    /// Whether it was authorized for the Management API.
    pub(super) authorized: bool,
}

/// Reads JSON or a form, and HTTP Basic in place of id and secret.
///
/// # Errors
/// With the answer to send where the body cannot be read.
pub(super) fn read(
    content_type: Option<&str>,
    authorization: Option<&str>,
    body: &[u8],
) -> Result<TokenRequest, Reply> {
    let unreadable = || Reply::oauth(400, "invalid_request", "The request body could not be read");
    let mut request = if content_type.is_some_and(|kind| kind.starts_with("application/json")) {
        serde_json::from_slice(body).map_err(|_| unreadable())?
    } else {
        read_form(std::str::from_utf8(body).map_err(|_| unreadable())?)
    };
    if request.client_id.is_none() {
        request.client_id = request.client_assertion.as_deref().and_then(assertion::subject);
    }
    if let Some((id, secret)) = authorization.and_then(basic) {
        request.client_id = Some(id);
        request.client_secret = Some(secret);
    }
    Ok(request)
}

fn read_form(text: &str) -> TokenRequest {
    let mut request = TokenRequest::default();
    for (key, value) in form_pairs(text) {
        match key.as_str() {
            "grant_type" => request.grant_type = Some(value),
            "client_id" => request.client_id = Some(value),
            "client_secret" => request.client_secret = Some(value),
            "client_assertion_type" => request.client_assertion_type = Some(value),
            "client_assertion" => request.client_assertion = Some(value),
            "audience" => request.audience = Some(value),
            _ => {}
        }
    }
    request
}

/// The pairs of a form or a query, decoded.
pub(super) fn form_pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined.
fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some((decode(id), decode(secret)))
}

/// The client and the audience to issue a token for, at `now` in seconds of the tenant's clock.
///
/// # Errors
/// With the answer to send where there is nothing to issue.
pub(super) fn decide<'r, 't>(
    request: &'r TokenRequest,
    audiences: &[String],
    now: i64,
    lookup: impl FnOnce(&str) -> Option<Registered<'t>>,
) -> Result<(&'r str, &'r str), Reply> {
    let grant_type = required(request.grant_type.as_deref(), "grant_type")?;
    let client_id = required(request.client_id.as_deref(), "client_id")?;
    let known = lookup(client_id).ok_or_else(unauthorized)?;
    prove(request, &known, client_id, now)?;
    if grant_type != "client_credentials" || !known.grants {
        let text = format!("Grant type '{grant_type}' not allowed for the client.");
        return Err(Reply::oauth(403, "unauthorized_client", &text));
    }
    let audience = required(request.audience.as_deref(), "audience")?;
    if !audiences.iter().any(|known| known == audience) {
        let text = format!("Service not enabled within domain: {audience}");
        return Err(Reply::oauth(403, "access_denied", &text));
    }
    if !known.authorized {
        let text = format!(
            "Client is not authorized to access \"{audience}\". You need to create a \"client-grant\" associated to this API."
        );
        return Err(Reply::oauth(403, "access_denied", &text));
    }
    Ok((client_id, audience))
}

/// The proof must be of the kind that the client is registered with: secret and key are exclusive.
fn prove(request: &TokenRequest, known: &Registered<'_>, client_id: &str, now: i64) -> Result<(), Reply> {
    match (&request.client_assertion, known.key) {
        (Some(_), _) if request.client_secret.is_some() => {
            Err(Reply::oauth(400, "invalid_request", "client_secret and client_assertion exclude each other"))
        }
        (Some(assertion), Some(key)) => {
            key.check(request.client_assertion_type.as_deref(), assertion, client_id, now)
        }
        (Some(_), None) => {
            Err(Reply::oauth(401, "invalid_client", "The client does not use Private Key JWT"))
        }
        (None, _) if known.secret.is_some() && known.secret == request.client_secret => Ok(()),
        (None, _) => Err(unauthorized()),
    }
}

fn unauthorized() -> Reply {
    Reply::oauth(401, "access_denied", "Unauthorized")
}

fn required<'v>(value: Option<&'v str>, name: &str) -> Result<&'v str, Reply> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Reply::oauth(400, "invalid_request", &format!("Missing required parameter: {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(id: &str) -> Option<Registered<'static>> {
        let known = |grants, authorized| {
            Some(Registered { secret: Some("s+/".into()), key: None, grants, authorized })
        };
        match id {
            "me" => known(true, true),
            "spa" => known(false, true),
            "stranger" => known(true, false),
            "jwt" => Some(Registered { secret: None, key: None, grants: true, authorized: true }),
            _ => None,
        }
    }

    fn decide_form(form: &str) -> Result<String, (u16, String)> {
        let request = read(Some("application/x-www-form-urlencoded"), None, form.as_bytes()).unwrap();
        decide(&request, &["https://t/api/v2/".to_owned()], 0, lookup)
            .map(|(_, audience)| audience.to_owned())
            .map_err(|reply| (reply.status, String::from_utf8(reply.body.to_vec()).unwrap()))
    }

    #[test]
    fn each_mistake_has_its_own_answer() {
        let good = "grant_type=client_credentials&client_id=me&client_secret=s%2B%2F&audience=https%3A%2F%2Ft%2Fapi%2Fv2%2F";
        assert_eq!(decide_form(good), Ok("https://t/api/v2/".to_owned()));
        for (form, status, said) in [
            (good.replace("s%2B", "x"), 401, "Unauthorized"),
            (good.replace("client_id=me", "client_id=you"), 401, "access_denied"),
            (
                good.replace("client_id=me", "client_id=jwt").replace("&client_secret=s%2B%2F", ""),
                401,
                "access_denied",
            ),
            (good.replace("client_id=me", "client_id=spa"), 403, "'client_credentials' not allowed"),
            (good.replace("client_id=me", "client_id=stranger"), 403, "client-grant"),
            (good.replace("client_credentials", "password"), 403, "unauthorized_client"),
            (
                good.replace("%2Ft%2F", "%2Fother%2F"),
                403,
                "Service not enabled within domain: https://other/api/v2/",
            ),
            (good.replace("&audience=", "&x="), 400, "audience"),
            (String::new(), 400, "grant_type"),
            (format!("{good}&client_assertion=a.b.c"), 400, "exclude each other"),
            (
                good.replace("client_secret=s%2B%2F", "client_assertion=a.b.c"),
                401,
                "does not use Private Key JWT",
            ),
        ] {
            let (answered, body) = decide_form(&form).unwrap_err();
            assert_eq!(answered, status, "{form}: {body}");
            assert!(body.contains(said), "{form}: {body}");
        }
    }

    #[test]
    fn id_and_secret_may_come_in_the_header() {
        let header = format!("Basic {}", STANDARD.encode("me:s%2B%2F"));
        let request = read(Some("application/json; charset=utf-8"), Some(&header), b"{}").unwrap();
        assert_eq!(
            (request.client_id.as_deref(), request.client_secret.as_deref()),
            (Some("me"), Some("s+/"))
        );
    }
}
