//! The server's named format checks, as far as they are known. A format that is not listed passes: the server has the last word.
//! Sources: the formats' names in Auth0's OpenAPI document, and its page "Subdomain URL Placeholders". Uses `model`.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::model::suggest;

/// Checks text against a format, or against alternatives separated by `|`; the error says what is wrong, to stand after "it".
pub(super) fn check(format: &str, text: &str) -> Result<(), String> {
    if format.contains('|') {
        let fits = format.split('|').any(|one| check(one, text).is_ok());
        return fits.then_some(()).ok_or_else(|| "is no IP address and no CIDR range".to_owned());
    }
    if text.is_empty() && format.ends_with("-or-empty") {
        return Ok(());
    }
    match format {
        "callback-url" | "url-with-placeholders" => absolute(text).and_then(|()| wildcard(text)),
        "absolute-https-uri-or-empty" | "absolute-https-uri-with-placeholders-or-empty" => https(text),
        "url-or-null" | "strict-https-uri-or-null" if text.is_empty() => Ok(()),
        "strict-https-uri-or-null" => https(text),
        "url-or-null" => web(text),
        "absolute-uri-or-empty" | "url" | "strict-uri" | "ec-initiate-login-uri-template-url" => {
            absolute(text)
        }
        "grant-type" => grant_type(text),
        "organization-id" => prefixed(text, "org_", 16),
        "credential-id" => prefixed(text, "cred_", 1),
        "ipv4" => parsed::<Ipv4Addr>(text),
        "ipv6" => parsed::<Ipv6Addr>(text),
        "cidr" => range::<Ipv4Addr>(text, 32),
        "ipv6_cidr" => range::<Ipv6Addr>(text, 128),
        _ => Ok(()),
    }
}

/// Any scheme is taken: native apps are called back under schemes of their own.
fn absolute(text: &str) -> Result<(), String> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("holds a blank or a line break".to_owned());
    }
    if let Some(sign) = text.chars().find(|c| matches!(c, '<' | '>' | '"')) {
        return Err(format!("holds {sign:?}, which no URL may"));
    }
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(legal);
    let is_port = rest.starts_with(|c: char| c.is_ascii_digit());
    let has_host = rest.strip_prefix("//").is_none_or(|host| !host.is_empty());
    if !is_scheme || is_port || rest.is_empty() {
        return Err("is no absolute URL; it begins with a scheme such as https://".to_owned());
    }
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next());
    let no_host = web && authority.is_none_or(|host| host.is_empty() || host.starts_with(':'));
    if !has_host || no_host {
        return Err("has no host".to_owned());
    }
    let runs = ["javascript", "data"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    if runs { Err("is code rather than a place".to_owned()) } else { Ok(()) }
}

fn web(text: &str) -> Result<(), String> {
    absolute(text)?;
    let (scheme, _) = text.split_once(':').unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if is_web { Ok(()) } else { Err("must begin with https:// or http://".to_owned()) }
}

fn https(text: &str) -> Result<(), String> {
    absolute(text)?;
    let scheme = text.get(..8).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("https://") { Ok(()) } else { Err("must begin with https://".to_owned()) }
}

/// A `*` stands for a subdomain: once, in the left-most label of the host of an http or https URL.
fn wildcard(text: &str) -> Result<(), String> {
    if !text.contains('*') {
        return Ok(());
    }
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = host else {
        return Err("has a `*`, which http and https URLs alone may have".to_owned());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let first_label = host.split('.').next().unwrap_or_default();
    if text.matches('*').count() > 1 {
        Err("has more than one `*`".to_owned())
    } else if first_label.contains('*') && host.contains('.') {
        Ok(())
    } else {
        Err("has its `*` elsewhere than in the left-most part of the host".to_owned())
    }
}

/// Grants with a name of their own (RFC 6749); those of extensions are URIs, and which of them there are the server knows.
const GRANT_TYPES: [&str; 5] =
    ["authorization_code", "implicit", "refresh_token", "client_credentials", "password"];

fn grant_type(text: &str) -> Result<(), String> {
    let uri = ["urn:", "http://", "https://"].iter().any(|start| text.starts_with(start));
    if GRANT_TYPES.contains(&text) || uri && absolute(text).is_ok() {
        return Ok(());
    }
    let near = suggest::nearest(text, GRANT_TYPES)
        .map_or_else(String::new, |near| format!(" (did you mean {near:?}?)"));
    Err(format!("is no grant type{near}; there are {}, and others that are URIs", GRANT_TYPES.join(", ")))
}

/// An id: its prefix, and at least so many letters and digits.
fn prefixed(text: &str, prefix: &str, least: usize) -> Result<(), String> {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    if rest.len() >= least && rest.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(format!("is no id of the form {prefix}…"))
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(|_| ()).map_err(|_| "is no IP address".to_owned())
}

fn range<T: std::str::FromStr>(text: &str, bits: u8) -> Result<(), String> {
    let (address, length) = text.split_once('/').unwrap_or_default();
    parsed::<T>(address)?;
    match length.parse::<u8>() {
        Ok(length) if length <= bits => Ok(()),
        _ => Err("is no CIDR range".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_grant_is_one_that_has_a_name_or_the_uri_of_an_extension() {
        for good in
            ["implicit", "client_credentials", "http://auth0.com/oauth/grant-type/mfa-oob", "urn:example:new"]
        {
            assert_eq!(check("grant-type", good), Ok(()));
        }
        let why = check("grant-type", "authorisation_code").unwrap_err();
        assert!(why.contains("did you mean \"authorization_code\"?"), "{why}");
    }

    #[test]
    fn urls_need_a_scheme_and_no_blanks() {
        for good in [
            "https://a.example/cb",
            "com.acme.app://login",
            "myapp:/cb",
            "http://localhost:3000",
            "https://{organization_name}.a.example",
        ] {
            assert_eq!(check("callback-url", good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a.example/cb",
            "localhost:3000",
            "/cb",
            "https://",
            "https://a .example",
            "1a://x",
            "https://a.example\n",
        ] {
            assert!(check("callback-url", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_wildcard_stands_once_in_the_left_most_label() {
        for good in ["https://*.a.example/cb", "http://pr-*.a.example", "https://*-dev.a.example:8443"] {
            assert_eq!(check("url-with-placeholders", good), Ok(()), "{good}");
        }
        for bad in [
            "https://a.*.example",
            "https://*.*.a.example",
            "https://a.example/*",
            "app://*.a.example",
            "https://*",
        ] {
            assert!(check("url-with-placeholders", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn https_alone_where_it_is_asked_for_and_empty_where_it_is_allowed() {
        let format = "absolute-https-uri-with-placeholders-or-empty";
        assert_eq!(check(format, ""), Ok(()));
        assert_eq!(check(format, "https://a.example/{x}"), Ok(()));
        assert!(check(format, "http://a.example").is_err());
        assert!(check("url", "").is_err());
    }

    #[test]
    fn addresses_fit_any_of_the_alternatives() {
        let format = "ipv4|ipv6|cidr|ipv6_cidr";
        for good in ["192.0.2.1", "2001:db8::1", "192.0.2.0/24", "2001:db8::/32"] {
            assert_eq!(check(format, good), Ok(()), "{good}");
        }
        for bad in ["192.0.2.300", "192.0.2.0/33", "host"] {
            assert!(check(format, bad).is_err(), "{bad}");
        }
    }
}
