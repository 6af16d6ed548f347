//! The service's named text formats, as far as its documentation tells what they take.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text has a format. A format that nothing is known of takes everything.
pub(super) fn fits(format: &str, text: &str) -> bool {
    match format {
        "callback-url" => is_url(text, &[]),
        "url-with-placeholders" => is_url(text, &[]),
        "absolute-uri-or-empty" => text.is_empty() || is_url(text, &[]),
        "absolute-https-uri-or-empty"
        | "absolute-https-uri-with-placeholders-or-empty"
        | "absolute-https-uri-with-placeholders" => text.is_empty() || is_url(text, &["https"]),
        "url" | "uri" | "absolute-uri" => is_url(text, &[]),
        "url-or-null" => text.is_empty() || is_url(text, &["http", "https"]),
        "organization-id" => has_id(text, "org_", 16),
        "credential-id" => has_id(text, "cred_", 0),
        "client-id" => !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
        "user-attribute-profile-id" => has_id(text, "uap_", 0),
        "connection-profile-id" => has_id(text, "cop_", 0),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_network::<Ipv4Addr>(text, 32),
        "ipv6_cidr" => is_network::<Ipv6Addr>(text, 128),
        _ => true,
    }
}

/// An address, a slash, and how many of its bits count.
fn is_network<A: std::str::FromStr>(text: &str, bits: u8) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<A>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= bits)
    })
}

fn has_id(text: &str, prefix: &str, length: usize) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        !rest.is_empty()
            && (length == 0 || rest.len() == length)
            && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// An absolute address: a scheme (one of `schemes`, where any are named) and something behind it. In http(s) the host may
/// begin with one `*` for its left-most label (Auth0, "Subdomain URL Placeholders").
fn is_url(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(legal) {
        return false;
    }
    if rest.is_empty()
        || text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"'))
    {
        return false;
    }
    let scheme = scheme.to_ascii_lowercase();
    if !schemes.is_empty() && !schemes.contains(&scheme.as_str()) {
        return false;
    }
    match scheme.as_str() {
        "http" | "https" => {
            rest.strip_prefix("//").is_some_and(|rest| is_host(rest.split(['/', '?', '#']).next()))
        }
        "javascript" | "data" => false,
        _ => true,
    }
}

fn is_host(authority: Option<&str>) -> bool {
    let authority = authority.unwrap_or_default();
    let labels = match authority.split_once('*') {
        None => return !authority.is_empty() && !authority.starts_with(':'),
        // `https://*.example.com` and `https://app-*.example.com`: the star belongs to the first label.
        Some((before, after)) if !before.contains('.') => after,
        Some(_) => return false,
    };
    labels.contains('.') && !labels.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_absolute_and_wildcards_stand_first() {
        for good in [
            "https://acme.example/cb?x=1",
            "http://localhost:3000",
            "com.acme.app://cb",
            "https://*.acme.example",
            "https://app-*.acme.example/cb",
            "https://{organization_name}.acme.example",
        ] {
            assert!(fits("callback-url", good), "{good}");
        }
        for bad in [
            "",
            "acme.example",
            "https://",
            "https:///cb",
            "https://a b",
            "https://a.*.example",
            "https://*.*.example",
            "https://*",
            "javascript:alert(1)",
            "//acme.example",
            "https://<x>",
        ] {
            assert!(!fits("callback-url", bad), "{bad}");
        }
        assert!(!fits("absolute-https-uri-with-placeholders-or-empty", "http://acme.example"));
    }
}
