//! Lists that belong to an object: enabled clients, permissions, enabled connections.

use super::*;

impl Caller {
    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        answer(self.request(method, path).json(&body).send().await.unwrap()).await
    }

    fn object(&self, kind: &str, name: &str) -> String {
        self.tenant().object_id(kind, name).unwrap_or_else(|| panic!("no {name} of {kind}"))
    }
}

#[tokio::test]
async fn clients_are_enabled_and_disabled_for_a_connection() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.object("connections", "acme-employees");
    let (one, list) = (format!("/api/v2/connections/{id}"), format!("/api/v2/connections/{id}/clients"));
    let client = caller.id_of("acme-portal-dev");
    let shown = async || caller.get(&one).await.1["enabled_clients"].as_array().unwrap().clone();
    let before = shown().await.len();
    let set = async |status: bool| {
        caller.send(Method::PATCH, &list, json!([{"client_id": client, "status": status}])).await
    };
    let on = async |status| set(status).await.0;
    let client_list = async || caller.get(&list).await.1["clients"].as_array().unwrap().clone();
    if shown().await.contains(&json!(client)) {
        assert_eq!(on(false).await, 204);
    }
    let without = shown().await.len();
    assert_eq!((on(true).await, on(true).await), (204, 204), "twice is once");
    assert_eq!(shown().await.len(), without + 1);
    assert!(client_list().await.contains(&json!({"client_id": client})));
    assert!(before <= without + 1);
    let event = caller.tenant().events().pop().unwrap();
    assert_eq!(
        (&event["description"], &event["details"]["request"]["path"]),
        (&json!("Update a connection"), &json!(list))
    );

    for (body, said) in [
        (json!([{"client_id": "nobody", "status": true}]), "The client does not exist: nobody"),
        (json!([{"client_id": client}]), "Missing required property: status"),
        (json!([]), "Array is too short (0), minimum 1"),
        (json!(vec![json!({"client_id": client, "status": true}); 51]), "Array is too long (51), maximum 50"),
        (json!({"clients": []}), "Expected type array but found type object"),
    ] {
        let (status, told) = caller.send(Method::PATCH, &list, body).await;
        assert!(status == 400 && told["message"].to_string().contains(said), "{told}");
    }
    assert_eq!(
        caller
            .send(
                Method::PATCH,
                "/api/v2/connections/con_no/clients",
                json!([{"client_id": client, "status": true}])
            )
            .await
            .0,
        404
    );

    // With a client goes its place in every connection; the old field in the body sets the whole list.
    let gone = caller.request(Method::DELETE, &format!("/api/v2/clients/{client}")).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert!(!shown().await.contains(&json!(client)));
    let other = caller.id_of("acme-shop-dev");
    let (status, changed) = caller.send(Method::PATCH, &one, json!({"enabled_clients": [other]})).await;
    assert_eq!((status, &changed["enabled_clients"]), (200, &json!([other])));
    assert_eq!(client_list().await, [json!({"client_id": other})]);
    let (status, told) = caller.send(Method::PATCH, &one, json!({"enabled_clients": ["nobody"]})).await;
    assert!(status == 400 && told["message"].to_string().contains("nobody"), "{told}");
}

#[tokio::test]
async fn enabled_clients_are_walked_by_checkpoint() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.object("connections", "Username-Password-Authentication");
    let list = format!("/api/v2/connections/{id}/clients");
    let first = caller.get(&format!("{list}?take=5")).await.1;
    let next = first["next"].as_str().unwrap();
    let second = caller.get(&format!("{list}?take=5&from={next}")).await.1;
    assert_eq!(
        (first["clients"].as_array().unwrap().len(), second["clients"].as_array().unwrap().len()),
        (5, 3)
    );
    assert_eq!(second.get("next"), None);
    assert_eq!(caller.get(&format!("{list}?page=1")).await.0, 400);
}

#[tokio::test]
async fn a_role_is_given_permissions_of_apis_that_there_are() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.object("roles", "Viewer");
    let list = format!("/api/v2/roles/{id}/permissions");
    let api = "https://billing.acme.example/api";
    let permission = |name: &str| json!({"resource_server_identifier": api, "permission_name": name});
    let before = caller.get(&list).await.1.as_array().unwrap().len();
    let both = json!({"permissions": [permission("read:billing"), permission("write:billing")]});
    assert_eq!(caller.send(Method::POST, &list, both.clone()).await, (201, json!({})));
    let (_, page) = caller.get(&format!("{list}?include_totals=true&per_page=100")).await;
    assert_eq!(page["total"], json!(before + 2));
    let shown = page["permissions"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(shown["permission_name"], json!("write:billing"));
    assert_eq!(
        (&shown["resource_server_name"], &shown["description"]),
        (&json!("billing API"), &json!("write billing"))
    );
    assert_eq!(
        caller.tenant().object("roles", &id).unwrap()["permissions"].as_array().unwrap().len(),
        before + 2
    );
    assert_eq!(caller.send(Method::DELETE, &list, both).await.0, 200);
    assert_eq!(caller.get(&list).await.1.as_array().unwrap().len(), before);
    for (body, said) in [
        (json!({"permissions": [permission("fly:billing")]}), "no permission fly:billing"),
        (
            json!({"permissions": [{"resource_server_identifier": "urn:no", "permission_name": "x"}]}),
            "does not exist: urn:no",
        ),
        (
            json!({"permissions": [{"permission_name": "x"}]}),
            "Missing required property: resource_server_identifier",
        ),
        (json!({"permission": []}), "Additional properties not allowed: permission"),
    ] {
        let (status, told) = caller.send(Method::POST, &list, body).await;
        assert!(status == 400 && told["message"].to_string().contains(said), "{told}");
    }
    // The role itself neither shows nor takes them.
    assert_eq!(caller.get(&format!("/api/v2/roles/{id}")).await.1.get("permissions"), None);
    assert_eq!(
        caller.send(Method::PATCH, &format!("/api/v2/roles/{id}"), json!({"permissions": []})).await.0,
        400
    );
}

#[tokio::test]
async fn an_organization_enables_connections_one_at_a_time() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.object("organizations", "acme");
    let list = format!("/api/v2/organizations/{id}/enabled_connections");
    let connection = caller.object("connections", "email");
    let item = format!("{list}/{connection}");
    let body = json!({"connection_id": connection, "assign_membership_on_login": true});
    let (status, made) = caller.send(Method::POST, &list, body.clone()).await;
    assert_eq!(status, 201);
    assert_eq!((&made["show_as_button"], &made["connection"]["name"]), (&json!(true), &json!("email")));
    assert_eq!(caller.send(Method::POST, &list, body).await.0, 409);
    assert_eq!(caller.send(Method::POST, &list, json!({"connection_id": "con_no"})).await.0, 400);
    let (status, changed) = caller.send(Method::PATCH, &item, json!({"show_as_button": false})).await;
    assert_eq!(
        (status, &changed["show_as_button"], &changed["assign_membership_on_login"]),
        (200, &json!(false), &json!(true))
    );
    assert_eq!(caller.get(&item).await.1["show_as_button"], json!(false));
    let all = caller.get(&format!("{list}?include_totals=true")).await.1;
    assert_eq!((&all["total"], all["enabled_connections"].as_array().unwrap().len()), (&json!(3), 3));
    let gone = caller.request(Method::DELETE, &item).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(caller.get(&item).await.0, 404);
    assert_eq!(caller.send(Method::PATCH, &item, json!({"show_as_button": false})).await.0, 404);
    // With a connection goes its place in every organization.
    let first = caller.object("connections", "Username-Password-Authentication");
    assert!(caller.tenant().remove_object("connections", &first));
    assert_eq!(caller.get(&list).await.1.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn calls_below_an_object_are_counted_struck_and_refused_as_updates_and_reads() {
    let faults = "patch:503=#1,get:500=#1".parse().unwrap();
    let caller = Caller::with(|options| options.faults = faults).await;
    let list = format!("/api/v2/roles/{}/permissions", caller.object("roles", "Viewer"));
    let body = json!({"permissions": [{"resource_server_identifier": "https://orders.acme.example/api", "permission_name": "admin:orders"}]});
    assert_eq!(caller.get(&list).await.0, 500);
    assert_eq!(caller.send(Method::POST, &list, body.clone()).await.0, 503);
    assert_eq!(caller.send(Method::POST, &list, body).await.0, 201);
    let counters = caller.tenant().counters();
    assert_eq!((counters.patch, counters.get, counters.faults), (2, 1, 2));
    assert_eq!((counters.patches[0].kind, &counters.patches[0].path), ("roles", &list));
}
