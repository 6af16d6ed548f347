//! What an error answer says: Auth0's own JSON where it is that, one short line where an edge server sent a page.

use serde_json::Value;

use crate::model::Body;

/// Longest line kept of a message of the API.
const API_LINE: usize = 600;
/// Longest line kept of a code, and of anything else, such as an HTML page.
const PAGE_LINE: usize = 120;

/// The body of an answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ErrorBody {
    /// `errorCode` of the API, `error` of the token endpoint.
    pub(crate) code: Option<String>,
    /// The message, on one line.
    pub(crate) message: String,
}

impl ErrorBody {
    /// Reads a body of the Management API or of the token endpoint, or whatever else it is.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Body>(body) {
            Ok(json) => Self::of_json(&json),
            Err(_) => Self {
                code: None,
                message: one_line(&visible_text(&String::from_utf8_lossy(body)), PAGE_LINE),
            },
        }
    }

    /// What is of another type than it is today is shown as it stands.
    fn of_json(json: &Body) -> Self {
        let text = |key: &str| match json.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let oauth = text("error_description");
        let code = if oauth.is_some() { text("error") } else { text("errorCode") };
        let message = text("message").or(oauth).or_else(|| text("error")).unwrap_or_default();
        Self { code: code.map(|code| one_line(&code, PAGE_LINE)), message: one_line(&message, API_LINE) }
    }
}

/// The scopes of "Insufficient scope, expected any of: a,b".
pub(crate) fn scopes_wanted(message: &str) -> Option<Vec<String>> {
    let (_, list) = message.split_once("expected any of:")?;
    let scopes = list.split(',').map(|scope| scope.trim().trim_end_matches('.').to_owned());
    Some(scopes.filter(|scope| !scope.is_empty()).collect())
}

/// A page's title, or its text without tags.
fn visible_text(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = || {
        let start = lower.find("<title>")? + "<title>".len();
        let end = start + lower.get(start..)?.find("</title>")?;
        page.get(start..end)
    };
    if let Some(title) = title() {
        return title.to_owned();
    }
    let mut inside = false;
    page.chars()
        .filter(|&c| {
            let keep = !inside && c != '<';
            inside = (inside || c == '<') && c != '>';
            keep
        })
        .collect()
}

/// One line without control characters, cut after `longest` characters.
fn one_line(text: &str, longest: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", words.get(..at).unwrap_or_default()),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_own_message_is_kept() {
        let body = br#"{"statusCode":404,"error":"Not Found","message":"No such\nclient","errorCode":"inexistent_client"}"#;
        let read = ErrorBody::read(body);
        assert_eq!(
            read,
            ErrorBody { code: Some("inexistent_client".into()), message: "No such client".into() }
        );
    }

    #[test]
    fn the_token_endpoints_form_is_read() {
        let read = ErrorBody::read(br#"{"error":"access_denied","error_description":"Unauthorized"}"#);
        assert_eq!(read, ErrorBody { code: Some("access_denied".into()), message: "Unauthorized".into() });
    }

    #[test]
    fn a_refusal_of_tomorrow_is_read_as_far_as_it_is_known() {
        let read = ErrorBody::read(
            br#"{"errorCode":17,"message":["Insufficient scope, expected any of: update:clients"],"error":{"of":1}}"#,
        );
        assert_eq!(read.code.as_deref(), Some("17"));
        assert!(read.message.contains("Insufficient scope"), "{}", read.message);
        let read =
            ErrorBody::read(br#"{"errorCode":"new_code","message":null,"error":"Bad Request","more":[1]}"#);
        assert_eq!(read, ErrorBody { code: Some("new_code".into()), message: "Bad Request".into() });
    }

    #[test]
    fn a_code_is_one_short_line_too() {
        let read = |code: &str| {
            ErrorBody::read(serde_json::json!({ "errorCode": code }).to_string().as_bytes()).code.unwrap()
        };
        assert_eq!(read("a\nb\u{1b}[31m"), "a b [31m");
        assert!(read(&"x".repeat(5000)).chars().count() <= PAGE_LINE + 1);
    }

    #[test]
    fn a_page_becomes_one_short_line() {
        let read = |page: &str| ErrorBody::read(page.as_bytes()).message;
        assert_eq!(
            read("<html><head><title>502 Bad\nGateway</title></head><body>x</body>"),
            "502 Bad Gateway"
        );
        assert_eq!(read("<p>Service <b>down</b></p>\x1b[31m"), "Service down [31m");
        assert_eq!(read("upstream connect error"), "upstream connect error");
        assert_eq!(read(""), "");
        assert!(read(&"word ".repeat(500)).chars().count() <= PAGE_LINE + 1);
    }

    #[test]
    fn missing_scopes_are_listed() {
        let scopes =
            scopes_wanted("Insufficient scope, expected any of: update:clients, update:client_keys.");
        assert_eq!(scopes.unwrap(), ["update:clients", "update:client_keys"]);
        assert_eq!(scopes_wanted("Forbidden"), None);
    }
}
