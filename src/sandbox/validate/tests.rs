use super::*;
use serde_json::json;

fn judge(body: Value, purpose: Purpose) -> Result<(), String> {
    let validator = Validator::new(crate::catalogue::kind("clients").unwrap().root());
    let Value::Object(body) = body else { panic!("no object") };
    validator.check(&body, purpose).map_err(|refusal| refusal.message)
}

fn fault(body: Value) -> String {
    judge(body, Purpose::Patch).unwrap_err()
}

#[test]
fn each_kind_of_fault_has_the_words_of_the_service() {
    let error = "Payload validation error: ";
    for (body, said) in [
        (json!({}), "'Too few properties defined (0), minimum 1'."),
        (
            json!({"client_id": "x", "tenant": "t", "nmae": "y"}),
            "'Additional properties not allowed: client_id,tenant,nmae'.",
        ),
        (json!({"callbacks": null}), "'Expected type array but found type null' on property callbacks."),
        (
            json!({"jwt_configuration": {"lifetime_in_seconds": "1"}}),
            "'Expected type integer but found type string' on property jwt_configuration.lifetime_in_seconds.",
        ),
        (
            json!({"par_request_expiry": true}),
            "'Expected type integer,null but found type boolean' on property par_request_expiry.",
        ),
        (json!({"app_type": "SPA"}), "'Invalid value \"SPA\"' on property app_type."),
        (
            json!({"grant_types": [""]}),
            "'String is too short (0 chars), minimum 1' on property grant_types[0].",
        ),
        (
            json!({"grant_types": ["a", "b", "b"]}),
            "'Array items are not unique (indexes 1 and 2)' on property grant_types.",
        ),
        (
            json!({"description": "x".repeat(141)}),
            "'String is too long (141 chars), maximum 140' on property description.",
        ),
        (
            json!({"par_request_expiry": 9}),
            "'Value 9 is less than minimum 10' on property par_request_expiry.",
        ),
        (
            json!({"par_request_expiry": 601}),
            "'Value 601 is greater than maximum 600' on property par_request_expiry.",
        ),
        (json!({"name": "a<b"}), "'String does not match pattern ^[^<>]+$: a<b' on property name."),
        (
            json!({"refresh_token": {"rotation_type": "rotating"}}),
            "'Missing required property: expiration_type' on property refresh_token.",
        ),
        (
            json!({"callbacks": ["nowhere"]}),
            "'Object didn't pass validation for format callback-url: nowhere' on property callbacks[0].",
        ),
        (
            json!({"session_transfer": {"speed": 1}}),
            "'Additional properties not allowed: speed' on property session_transfer.",
        ),
        (
            json!({"jwt_configuration": {"secret_encoded": false}}),
            "'Additional properties not allowed: secret_encoded' on property jwt_configuration.",
        ),
        (
            json!({"client_metadata": {"a": 1}}),
            "'Expected type string,null but found type integer' on property client_metadata.a.",
        ),
        (
            json!({"default_organization": {"flows": ["client_credentials"]}}),
            "'Missing required property: organization_id' on property default_organization.",
        ),
    ] {
        assert_eq!(fault(body), format!("{error}{said}"));
    }
}

#[test]
fn several_faults_are_told_together() {
    assert_eq!(
        fault(json!({"name": 1, "sso": "yes"})),
        "Payload validation error: 'Expected type boolean but found type string' on property sso. (also) \
         Payload validation error: 'Expected type string but found type integer' on property name."
    );
    let eleven: Body = (0..11).map(|n| (format!("k{n}"), json!("v"))).collect();
    assert!(
        fault(json!({"client_metadata": eleven})).contains("Too many properties defined (11), maximum 10")
    );
}

#[test]
fn a_key_that_begins_with_digits_is_told_like_an_index() {
    assert_eq!(
        fault(json!({"client_metadata": {"7": 1, "7a": 1}})),
        "Payload validation error: 'Expected type string,null but found type integer' on property client_metadata[7]a. (also) \
         Payload validation error: 'Expected type string,null but found type integer' on property client_metadata[7]."
    );
}

#[test]
fn one_of_several_forms_is_enough() {
    for addresses in [json!("https://a.example"), json!(["https://a.example", "x"]), json!([])] {
        assert_eq!(
            judge(json!({"addons": {"sharepoint": {"external_url": addresses}}}), Purpose::Patch),
            Ok(())
        );
    }
    let networks = json!(["10.1.2.3", "10.0.0.0/8", "2001:db8::1", "2001:db8::/32"]);
    let access = json!({"credentials": [], "ip_allowlist": networks});
    assert_eq!(judge(json!({"token_vault_privileged_access": access}), Purpose::Patch), Ok(()));
    assert!(fault(json!({"addons": {"sharepoint": {"external_url": ["x", 1]}}})).contains(
        "'Expected type string but found type integer' on property addons.sharepoint.external_url[1]."
    ));
    assert!(
        fault(json!({"token_vault_privileged_access": {"credentials": [], "ip_allowlist": [1, "10.0.0.0/33"]}}))
            .ends_with("'Expected type string but found type integer' on property token_vault_privileged_access.ip_allowlist[0].")
    );
}

#[test]
fn a_credential_is_named_by_its_id_in_an_update_and_given_whole_at_creation() {
    let methods = |credential: Value| json!({"name": "n", "client_authentication_methods": {"private_key_jwt": {"credentials": [credential]}}});
    let (by_id, whole) =
        (json!({"id": "cred_abc"}), json!({"credential_type": "public_key", "pem": "-----BEGIN"}));
    assert_eq!(judge(methods(by_id.clone()), Purpose::Patch), Ok(()));
    assert_eq!(judge(methods(whole.clone()), Purpose::Create), Ok(()));
    let refused = |body, purpose| judge(body, purpose).unwrap_err();
    assert!(refused(methods(by_id), Purpose::Create).contains("'Additional properties not allowed: id'"));
    assert!(
        refused(methods(whole), Purpose::Patch)
            .contains("'Additional properties not allowed: credential_type,pem'")
    );
}

#[test]
fn good_bodies_pass() {
    for body in [
        json!({"name": "Kasse", "callbacks": ["https://*.acme.example/cb", "com.acme.app://cb"], "addons": null}),
        json!({"client_metadata": {"owner": null, "floor": "2"}, "token_endpoint_auth_method": null}),
        json!({"initiate_login_uri": "", "logo_uri": "", "description": "", "third_party_security_mode": "strict"}),
        json!({"par_request_expiry": 60.0}),
    ] {
        assert_eq!(judge(body, Purpose::Patch), Ok(()));
    }
    assert_eq!(
        judge(json!({"name": "Kasse", "jwt_configuration": {"secret_encoded": true}}), Purpose::Create),
        Ok(())
    );
    assert!(judge(json!({"app_type": "spa"}), Purpose::Create).unwrap_err().contains("property: name"));
}
