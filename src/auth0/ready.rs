//! Whether a token that was obtained elsewhere can be for this tenant, before anything is sent with it. Central function: [`check`].

use jiff::{SignedDuration, Timestamp};

use crate::model::Domain;

use super::access::Access;
use super::claims::Claims;
use super::error::ApiError;

/// A token that ended so lately may still be good: our clock is not the tenant's.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Refuses a token that names another tenant, or that has ended. An opaque one says nothing, and is taken.
///
/// `aud` decides where it is there: with a custom domain `iss` may be either of the tenant's names.
pub(super) fn check(access: &Access, claims: &Claims, now: Timestamp) -> Result<(), ApiError> {
    if let Some(whose) = of_another(access, claims) {
        return Err(ApiError::TokenUnfit(format!(
            "the token that was given is {whose}, and not for {}{}: choose the tenant that it belongs to, or get a token for this one",
            access.audience,
            until(claims, now)
        )));
    }
    match claims.expires() {
        Some(end) if end + LEEWAY < now => Err(ApiError::TokenUnfit(format!(
            "the token that was given ended {}: get a new one, or give a client id with a secret or a key, which renew it",
            told(end, now)
        ))),
        _ => Ok(()),
    }
}

/// Whose it is, where it is certain that it is another's.
fn of_another(access: &Access, claims: &Claims) -> Option<String> {
    let audiences = claims.audiences();
    if audiences.iter().any(|audience| plain(audience) == plain(&access.audience)) {
        return None;
    }
    let ours = [Some(host(access.domain.base_url().as_str())), Some(host(&access.audience))];
    let is_other = |name: &str| host(name).is_some_and(|found| !ours.contains(&Some(Some(found))));
    if !audiences.is_empty() && audiences.iter().all(|audience| is_other(audience)) {
        return Some(format!("for {}", audiences.join(", ")));
    }
    let issuer = claims.issuer().filter(|issuer| is_other(issuer))?;
    Some(format!("of {issuer}"))
}

/// The host of a URL; an identifier such as `urn:acme` has none. A machine's own two names are one.
fn host(url: &str) -> Option<String> {
    let domain = url.contains("://").then(|| Domain::parse(url).ok())??;
    Some(domain.as_str().replace("localhost", "127.0.0.1"))
}

fn plain(audience: &str) -> String {
    let audience = host(audience).map_or_else(
        || audience.to_owned(),
        |host| {
            let path = audience.splitn(4, '/').nth(3).unwrap_or_default();
            format!("{host}/{path}")
        },
    );
    audience.trim_end_matches('/').to_owned()
}

fn until(claims: &Claims, now: Timestamp) -> String {
    match claims.expires() {
        Some(end) if end < now => format!(" (it ended {})", told(end, now)),
        Some(end) => format!(" (it is good until {end})"),
        None => String::new(),
    }
}

fn told(end: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(end).as_mins();
    let ago = match minutes {
        ..1 => "a moment".to_owned(),
        1 => "a minute".to_owned(),
        2..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    };
    format!("at {end}, {ago} ago")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::auth0::Credential;
    use crate::auth0::claims::tests::jwt;
    use crate::model::Secret;

    const NOW: i64 = 1_700_000_000;

    fn checked(domain: &str, audience: Option<&str>, claims: &Value) -> Result<(), String> {
        let domain = Domain::parse(domain).unwrap();
        let audience = audience.map_or_else(|| domain.default_audience(), str::to_owned);
        let access = Access { domain, audience, credential: Credential::Token(Secret::new("t")) };
        let now = Timestamp::from_second(NOW).unwrap();
        check(&access, &Claims::of(&jwt(claims)), now).map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_for_this_tenant_is_taken_whichever_name_it_goes_by() {
        let ours = "https://acme.eu.auth0.com/api/v2/";
        for claims in [
            json!({"aud": ours, "iss": "https://acme.eu.auth0.com/"}),
            json!({"aud": [ours, "https://acme.eu.auth0.com/userinfo"], "iss": "https://login.acme.example/"}),
            json!({"aud": "HTTPS://ACME.eu.auth0.com/api/v2", "exp": NOW + 10}),
            json!({"iss": "https://acme.eu.auth0.com/"}),
            json!({"aud": "urn:something", "iss": "https://acme.eu.auth0.com/"}),
            json!({}),
        ] {
            assert_eq!(checked("acme.eu.auth0.com", None, &claims), Ok(()), "{claims}");
            assert_eq!(checked("login.acme.example", Some(ours), &claims), Ok(()), "{claims}");
        }
        let local = json!({"aud": "https://127.0.0.1:4000/api/v2/", "iss": "https://127.0.0.1:4000/"});
        assert_eq!(checked("http://localhost:4000", None, &local), Ok(()));
        let named = json!({"aud": "urn:acme", "iss": "https://elsewhere.example/"});
        assert_eq!(checked("acme.eu.auth0.com", Some("urn:acme"), &named), Ok(()));
    }

    #[test]
    fn a_token_of_another_tenant_is_refused_with_whose_it_is_and_until_when() {
        let other = json!({"aud": "https://prod.eu.auth0.com/api/v2/", "iss": "https://acme.eu.auth0.com/", "exp": NOW + 3600});
        let said = checked("acme.eu.auth0.com", None, &other).unwrap_err();
        assert_eq!(
            said,
            "the token that was given is for https://prod.eu.auth0.com/api/v2/, and not for https://acme.eu.auth0.com/api/v2/ \
             (it is good until 2023-11-14T23:13:20Z): choose the tenant that it belongs to, or get a token for this one"
        );
        let by_issuer = json!({"iss": "https://prod.eu.auth0.com/", "exp": NOW - 7200});
        let said = checked("acme.eu.auth0.com", None, &by_issuer).unwrap_err();
        assert!(
            said.contains("is of https://prod.eu.auth0.com/, and not") && said.contains("2 hours ago"),
            "{said}"
        );
        let port = json!({"aud": "https://127.0.0.1:4001/api/v2/"});
        assert!(checked("http://127.0.0.1:4000", None, &port).is_err());
    }

    #[test]
    fn a_token_that_has_ended_is_refused_with_when_but_not_for_a_clock_that_differs() {
        let ended = |seconds: i64| checked("acme.eu.auth0.com", None, &json!({"exp": NOW - seconds}));
        assert_eq!(ended(30), Ok(()));
        let said = ended(600).unwrap_err();
        assert!(
            said.starts_with(
                "the token that was given ended at 2023-11-14T22:03:20Z, 10 minutes ago: get a new one"
            ),
            "{said}"
        );
        assert!(ended(86_400 * 3).unwrap_err().contains("3 days ago"));
    }
}
