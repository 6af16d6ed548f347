//! Objects of other kinds than clients come into being and go.

use super::*;
use crate::catalogue::kinds;

async fn send(caller: &Caller, method: Method, path: &str, body: Value) -> Answer {
    answer(caller.request(method, &format!("/api/v2/{path}")).json(&body).send().await.unwrap()).await
}

async fn make(caller: &Caller, path: &str, body: Value) -> Answer {
    send(caller, Method::POST, path, body).await
}

#[tokio::test]
async fn an_object_is_made_with_defaults_once_and_deleted() {
    let caller = Caller::with(|_| {}).await;
    let client = caller.id_of("acme-portal-dev");
    let grant = json!({"client_id": client, "audience": "https://new.example", "scope": []});
    for (path, body, status, defaults, said) in [
        (
            "connections",
            json!({"name": "new", "strategy": "auth0"}),
            201,
            json!({"realms": ["new"], "enabled_clients": [], "authentication": {"active": true}}),
            Some("same name already exists"),
        ),
        (
            "resource-servers",
            json!({"identifier": "https://new.example", "name": "New"}),
            201,
            json!({"signing_alg": "RS256", "token_lifetime": 86400, "allow_offline_access": false}),
            Some("same identifier"),
        ),
        ("client-grants", grant, 201, json!({"subject_type": "client"}), Some("already exists")),
        ("roles", json!({"name": "New"}), 200, json!({}), Some("already exists")),
        ("organizations", json!({"name": "new"}), 201, json!({}), Some("already exists")),
        (
            "actions/actions",
            json!({"name": "New", "supported_triggers": [{"id": "post-login", "version": "v3"}]}),
            201,
            json!({"status": "pending", "all_changes_deployed": false, "secrets": [], "runtime": "node22"}),
            None,
        ),
        (
            "rules",
            json!({"name": "new", "script": "x"}),
            201,
            json!({"enabled": true, "stage": "login_success", "order": 3}),
            Some("already exists"),
        ),
        (
            "users",
            json!({"connection": "Username-Password-Authentication", "email": "New@acme.example", "password": "hush"}),
            201,
            json!({"email": "new@acme.example", "email_verified": false, "nickname": "New"}),
            Some("The user already exists."),
        ),
    ] {
        let kind = kinds().find(|kind| kind.endpoint.path == path).unwrap();
        let (answered, made) = make(&caller, path, body.clone()).await;
        assert_eq!(answered, status, "{path}: {made}");
        for (field, value) in defaults.as_object().unwrap() {
            assert_eq!(&made[field], value, "{path} {field}");
        }
        assert_eq!(made.get("password"), None);
        let id = made[&kind.endpoint.id_field].as_str().unwrap();
        assert!(id.starts_with(kind.endpoint.id_prefix.as_deref().unwrap_or_default()), "{id}");
        if let Some(said) = said {
            let (answered, told) = make(&caller, path, body.clone()).await;
            assert_eq!(answered, 409, "{path}: {told}");
            assert!(told["message"].as_str().unwrap().contains(said), "{told}");
        }
        let (answered, told) = make(&caller, path, json!({})).await;
        assert!(
            answered == 400 && told["message"].to_string().contains("Missing required property"),
            "{told}"
        );
        let event = caller.tenant().events().pop().unwrap();
        assert_eq!(event["details"]["response"]["statusCode"], json!(status));
        assert!(event["description"].to_string().contains("Create a"), "{event:?}");
        if path != "resource-servers" {
            let gone = caller.request(Method::DELETE, &super::kinds::path(kind, id)).send().await.unwrap();
            assert_eq!(gone.status(), if path == "roles" { 200 } else { 204 });
            assert_eq!(caller.get(&super::kinds::path(kind, id)).await.0, 404);
        }
    }
    assert!(caller.tenant().counters().create > 8);
}

#[tokio::test]
async fn what_names_something_that_is_not_there_is_refused() {
    let caller = Caller::with(|_| {}).await;
    let client = caller.id_of("acme-portal-dev");
    for (path, body, status, said) in [
        (
            "client-grants",
            json!({"client_id": client, "audience": "urn:no", "scope": []}),
            404,
            "The resource server does not exist",
        ),
        (
            "client-grants",
            json!({"client_id": "nobody", "audience": "https://orders.acme.example/api", "scope": []}),
            400,
            "The client does not exist: nobody",
        ),
        (
            "users",
            json!({"connection": "nowhere", "email": "a@b.example"}),
            400,
            "The connection does not exist.",
        ),
        (
            "organizations",
            json!({"name": "x", "enabled_connections": [{"connection_id": "con_no"}]}),
            400,
            "The connection does not exist: con_no",
        ),
        ("connections", json!({"name": "a b", "strategy": "auth0"}), 400, "does not match pattern"),
    ] {
        let (answered, told) = make(&caller, path, body).await;
        assert!(answered == status && told["message"].as_str().unwrap().contains(said), "{told}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_given_by_an_update_either() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.tenant().object_id("roles", "Viewer").unwrap();
    let role = format!("roles/{id}");
    assert_eq!(send(&caller, Method::PATCH, &role, json!({"name": "Editor"})).await.0, 409);
    assert_eq!(send(&caller, Method::PATCH, &role, json!({"name": "Viewer"})).await.0, 200);
    let user = caller.tenant().object_id("users", "ada.lovelace@acme.example").unwrap().replace('|', "%7C");
    let user = format!("users/{user}");
    let mail = |name: &str| json!({ "email": format!("{name}@acme.example") });
    assert_eq!(send(&caller, Method::PATCH, &user, mail("Grace.Lovelace")).await.0, 409);
    assert_eq!(send(&caller, Method::PATCH, &user, mail("ada.king")).await.0, 200);
    let api = caller.tenant().object_id("resource-servers", "Auth0 Management API").unwrap();
    let api = format!("resource-servers/{api}");
    assert_eq!(send(&caller, Method::PATCH, &api, json!({"name": "Mine"})).await.0, 400);
    assert_eq!(send(&caller, Method::PATCH, &api, json!({"token_lifetime": 60})).await.0, 200);
    assert_eq!(send(&caller, Method::DELETE, &api, json!({})).await.0, 400);
}

#[tokio::test]
async fn options_of_a_connection_are_replaced_and_every_scope_takes_the_others_away() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.tenant().object_id("connections", "acme-partners").unwrap();
    let options = json!({"issuer": "https://x.example", "client_secret": "new"});
    let (_, changed) =
        send(&caller, Method::PATCH, &format!("connections/{id}"), json!({"options": options})).await;
    assert_eq!(changed["options"], options, "whole, the secret with it");
    let event = caller.tenant().events().pop().unwrap();
    assert_eq!(event["details"]["response"]["body"]["options"]["client_secret"], json!("REDACTED"));
    let grant = caller.tenant().objects("client-grants")[0]["id"].as_str().unwrap().to_owned();
    let grant = format!("client-grants/{grant}");
    let (_, all) = send(&caller, Method::PATCH, &grant, json!({"allow_all_scopes": true})).await;
    assert_eq!(all.get("scope"), None);
}

#[tokio::test]
async fn tests_change_objects_behind_the_api_and_people_do_in_the_dashboard() {
    let caller = Caller::with(|_| {}).await;
    let tenant = caller.tenant();
    let body = |value: Value| value.as_object().unwrap().clone();
    assert!(tenant.add_object("roles", body(json!({"name": "Added"}))));
    let id = tenant.object_id("roles", "Added").unwrap();
    assert!(tenant.edit_object("roles", &id, |role| {
        role.insert("description".to_owned(), json!("edited"));
    }));
    assert_eq!(caller.get(&format!("/api/v2/roles/{id}")).await.1["description"], json!("edited"));
    let user = DashboardUser { name: "Ada".to_owned(), email: "ada@acme.example".to_owned() };
    tenant.patch_object_as(&user, "roles", &id, &body(json!({"description": "by hand"}))).unwrap();
    assert_eq!(tenant.object("roles", &id).unwrap()["description"], json!("by hand"));
    let event = tenant.events().pop().unwrap();
    assert_eq!(
        (&event["description"], &event["user_name"]),
        (&json!("Update a role"), &json!("ada@acme.example"))
    );
    assert!(tenant.patch_object_as(&user, "roles", &id, &body(json!({"nmae": "x"}))).is_err());
    assert!(tenant.patch_object_as(&user, "hooks", &id, &body(json!({}))).is_err());
    assert!(tenant.remove_object("roles", &id) && !tenant.remove_object("roles", &id));
    assert!(tenant.objects("hooks").is_empty());
    assert_eq!(tenant.objects("clients"), tenant.state());
}
