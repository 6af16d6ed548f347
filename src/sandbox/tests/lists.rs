//! Lists and pages.

use std::collections::BTreeSet;

use super::*;

fn ids(body: &Value) -> Vec<String> {
    let list = body.as_array().or_else(|| body["clients"].as_array()).unwrap();
    list.iter().map(|client| client["client_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn page_numbers_show_every_client_once_and_end_in_an_empty_page() {
    let caller = Caller::with(|options| options.clients = 253).await;
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    for page in 0..4 {
        let (status, body) = caller
            .get(&format!("/api/v2/clients?per_page=100&page={page}&include_totals=true&is_global=false"))
            .await;
        assert_eq!(status, 200);
        assert_eq!(
            (&body["total"], &body["limit"], &body["start"]),
            (&json!(254), &json!(100), &json!(page * 100))
        );
        sizes.push(ids(&body).len());
        seen.extend(ids(&body));
    }
    assert_eq!(sizes, [100, 100, 54, 0]);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 254);
}

#[tokio::test]
async fn checkpoints_show_every_client_once_and_the_last_page_has_no_next() {
    let caller = Caller::with(|options| options.clients = 120).await;
    let (mut seen, mut from) = (BTreeSet::new(), String::new());
    for page in 0.. {
        assert!(page < 4, "the walk does not end");
        let (_, body) = caller.get(&format!("/api/v2/clients?take=50{from}")).await;
        seen.extend(ids(&body));
        match body.get("next") {
            Some(next) => from = format!("&from={}", next.as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 122, "120, the runner's own, and the global one");
}

#[tokio::test]
async fn without_paging_fifty_come_as_a_plain_list_with_links() {
    let caller = Caller::with(|options| options.clients = 120).await;
    let response = caller.request(Method::GET, "/api/v2/clients").send().await.unwrap();
    let link = response.headers()["link"].to_str().unwrap().to_owned();
    assert!(link.contains("rel=\"next\"") && link.contains("page=2>; rel=\"last\""), "{link}");
    assert_eq!(ids(&answer(response).await.1).len(), 50);
    let (status, body) = caller.get("/api/v2/clients?per_page=101").await;
    assert_eq!((status, &body["errorCode"]), (400, &json!("invalid_query_string")));
}

#[tokio::test]
async fn the_global_client_is_listed_unless_asked_not_to() {
    let caller = Caller::with(|_| {}).await;
    let names = async |query: &str| {
        let (_, body) = caller.get(&format!("/api/v2/clients?{query}")).await;
        body.as_array().unwrap().iter().map(|client| client["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("is_global=true").await, ["All Applications"]);
    assert!(names("").await.contains(&json!("All Applications")));
    let rest = names("is_global=false").await;
    assert!(rest.contains(&json!("Patchwave Runner")) && !rest.contains(&json!("All Applications")));
    assert_eq!(names("app_type=native&is_global=false").await, ["acme-mobile-dev"]);
}

#[tokio::test]
async fn a_projection_shows_what_was_asked_for_and_the_tenant() {
    let caller = Caller::with(|_| {}).await;
    let keys = |client: &Value| client.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (_, body) = caller.get("/api/v2/clients?fields=client_id,name&include_fields=true").await;
    assert_eq!(keys(&body[1]), ["client_id", "name", "tenant"].map(String::from).into());
    let (_, body) = caller.get("/api/v2/clients?fields=client_id,name&include_fields=false").await;
    assert!(!keys(&body[1]).contains("name") && keys(&body[1]).contains("app_type"));
}

#[tokio::test]
async fn the_subject_of_a_certificate_reads_otherwise_in_a_list() {
    let caller = Caller::with(|_| {}).await;
    let (_, list) = caller.get("/api/v2/clients?fields=client_id,signing_keys&is_global=false").await;
    let id = list[1]["client_id"].as_str().unwrap();
    let (_, one) = caller.get(&format!("/api/v2/clients/{id}")).await;
    assert_eq!(list[1]["signing_keys"][0]["subject"], "deprecated");
    assert_ne!(one["signing_keys"][0]["subject"], "deprecated");
}

#[tokio::test]
async fn filters_narrow_what_is_counted() {
    let clients = [
        json!({"client_id": "a", "name": "A", "app_type": "spa"}),
        json!({"client_id": "b", "name": "B", "app_type": "native", "is_first_party": false}),
        json!({"client_id": "c", "name": "C", "app_type": "regular_web", "external_client_id": "https://c.example/d.json"}),
    ];
    let caller = Caller::with(|options| options.load = loaded(&clients)).await;
    for (query, found) in [
        ("is_first_party=false", "b"),
        ("is_first_party=true&app_type=spa,native,regular_web", "a c"),
        ("app_type=spa,native", "a b"),
        ("app_type=zoom", ""),
        ("external_client_id=https://c.example/d.json", "c"),
        ("external_client_id=https://c.example/d.json&app_type=spa", ""),
    ] {
        let (_, body) = caller.get(&format!("/api/v2/clients?{query}&include_totals=true")).await;
        assert_eq!(ids(&body).join(" "), found, "{query}");
        assert_eq!(body["total"], ids(&body).len(), "{query}");
    }
}

#[tokio::test]
async fn an_empty_page_is_no_error() {
    let caller = Caller::with(|_| {}).await;
    assert_eq!(caller.get("/api/v2/clients?page=9").await, (200, json!([])));
    assert_eq!(caller.get("/api/v2/clients?per_page=0").await, (200, json!([])));
    let (_, body) = caller.get("/api/v2/clients?per_page=0&include_totals=true").await;
    assert_eq!(body, json!({"total": 14, "start": 0, "limit": 0, "clients": []}));
}

#[tokio::test]
async fn checkpoints_win_where_both_ways_of_paging_are_asked_for() {
    let caller = Caller::with(|_| {}).await;
    let (status, body) = caller.get("/api/v2/clients?page=1&per_page=2&include_totals=true&take=5").await;
    assert_eq!((status, ids(&body).len(), body.get("total")), (200, 5, None));
}

#[tokio::test]
async fn a_search_by_grants_finds_none_since_no_client_here_has_any() {
    let caller = Caller::with(|_| {}).await;
    for q in ["client_grant.organization_id:org_0123456789abcdef", "client_grant.allow_any_organization:true"]
    {
        assert_eq!(
            caller.get(&format!("/api/v2/clients?take=10&q={q}")).await,
            (200, json!({"clients": []}))
        );
    }
}
