use super::*;

fn answer(status: u16, code: Option<&str>, message: &str) -> ApiError {
    ApiError::of_answer(status, ErrorBody { code: code.map(str::to_owned), message: message.to_owned() }, 1)
}

#[test]
fn a_missing_scope_is_told_from_a_missing_feature() {
    let scope =
        answer(403, Some("insufficient_scope"), "Insufficient scope, expected any of: update:clients");
    let feature = answer(403, Some("insufficient_scope"), "Please upgrade your subscription");
    assert!(scope.stops_tenant() && !feature.stops_tenant());
    assert!(scope.to_string().contains("grant the application `update:clients`"));
    assert_eq!(feature.error_code(), Some("insufficient_scope"));
}

#[test]
fn each_status_has_its_class() {
    let class = |status| answer(status, None, "m").class().as_str();
    assert_eq!(
        [400, 401, 403, 404, 409, 422, 503].map(class),
        ["validation", "auth", "auth", "not_found", "conflict", "validation", "api"]
    );
}

#[test]
fn every_error_is_one_line_that_says_what_to_do() {
    let token = |status, code: &str, message: &str| ApiError::TokenRefused {
        status,
        error_code: Some(code.into()),
        message: message.into(),
        by_key: false,
    };
    let by_key = ApiError::TokenRefused {
        status: 401,
        error_code: Some("invalid_client".into()),
        message: "Unauthorized".into(),
        by_key: true,
    };
    let cases = [
        (by_key, "public half of the key"),
        (token(401, "access_denied", "Unauthorized"), "client secret"),
        (token(403, "access_denied", "Service not enabled within domain: https://x/"), "audience must be"),
        (token(403, "access_denied", "You need to create a \"client-grant\""), "authorize the application"),
        (token(403, "unauthorized_client", "Grant type not allowed"), "grant type"),
        (answer(503, None, "busy"), "try again later"),
        (ApiError::Unauthorized { message: "Expired token".into(), ready_made: true }, "get a new one"),
    ];
    for (error, advice) in cases {
        let line = error.to_string();
        assert!(line.contains(advice) && !line.contains('\n'), "{line}");
    }
}
