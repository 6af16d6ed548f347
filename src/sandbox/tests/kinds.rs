//! Objects of every kind of the catalogue, clients among them: what one kind can, another can too.

use super::*;
use crate::catalogue::{Kind, kinds};

fn others() -> impl Iterator<Item = &'static Kind> {
    kinds().filter(|kind| kind.name != "clients")
}

pub(super) fn path(kind: &Kind, id: &str) -> String {
    format!("/api/v2/{}/{}", kind.endpoint.path, id.replace('|', "%7C"))
}

fn id_of(kind: &Kind, body: &Body) -> String {
    body[&kind.endpoint.id_field].as_str().unwrap().to_owned()
}

/// What an answer holds as a list, in whatever form it comes.
fn items(kind: &Kind, answer: &Value) -> Vec<Value> {
    let list = answer.as_array().or_else(|| answer[&kind.endpoint.collection].as_array());
    list.unwrap_or_else(|| panic!("{} answers no list: {answer}", kind.name)).clone()
}

/// A change that every object of a kind takes, and that none has made before.
fn change(kind: &Kind) -> Value {
    match kind.name.as_str() {
        "resource-servers" => json!({"token_lifetime": 4711}),
        "client-grants" => json!({"scope": ["read:something"]}),
        "connections" => json!({"display_name": "Changed"}),
        "rules" => json!({"order": 77}),
        "users" => json!({"nickname": "changed"}),
        "actions" => json!({"code": "// changed"}),
        "clients" | "roles" => json!({"description": "changed"}),
        "organizations" => json!({"display_name": "Changed"}),
        _ => {
            let name = kind.endpoint.name_field.clone();
            Value::Object([(name, json!("changed"))].into_iter().collect())
        }
    }
}

#[tokio::test]
async fn every_kind_is_listed_read_and_changed() {
    let caller = Caller::with(|_| {}).await;
    for kind in kinds() {
        let (status, list) = caller.get(&format!("/api/v2/{}", kind.endpoint.path)).await;
        assert_eq!(status, 200, "{}: {list}", kind.name);
        let listed = items(kind, &list);
        assert!(!listed.is_empty(), "{}", kind.name);
        let id = id_of(kind, listed[0].as_object().unwrap());
        // The first client is the global one, of which little can be changed.
        let id = if kind.name == "clients" { caller.id_of("acme-portal-dev") } else { id };
        let (status, one) = caller.get(&path(kind, &id)).await;
        assert_eq!(status, 200, "{}: {one}", kind.name);
        assert_eq!(id_of(kind, one.as_object().unwrap()), id);

        let change = change(kind);
        let sent = caller.request(Method::PATCH, &path(kind, &id)).json(&change).send().await.unwrap();
        let (status, changed) = answer(sent).await;
        assert_eq!(status, 200, "{}: {changed}", kind.name);
        for (field, value) in change.as_object().unwrap() {
            assert_eq!(&changed[field], value);
            assert_eq!(&caller.get(&path(kind, &id)).await.1[field], value);
            assert_eq!(&caller.tenant().object(&kind.name, &id).unwrap()[field], value);
        }
        let seen = caller.tenant().counters().patches.pop().unwrap();
        assert_eq!((seen.kind, seen.id.as_str()), (kind.name.as_str(), id.as_str()));
        let event = caller.tenant().events().pop().unwrap();
        assert!(event["description"].as_str().unwrap().ends_with(&kind.singular), "{event:?}");
        assert_eq!(event["details"]["request"]["path"], json!(path(kind, &id)));
        assert_eq!(event["details"]["request"]["body"], change);

        let again = caller.request(Method::PATCH, &path(kind, &id)).json(&change).send().await.unwrap();
        assert_eq!(again.status(), 200);
    }
    assert_eq!(caller.tenant().counters().idle as usize, kinds().count());
}

#[tokio::test]
async fn what_is_not_there_is_not_found_under_every_kind() {
    let caller = Caller::with(|_| {}).await;
    for kind in kinds() {
        let nowhere = path(kind, "nothing0000");
        for (method, body) in [(Method::GET, None), (Method::PATCH, Some(change(kind)))] {
            let request = caller.request(method, &nowhere);
            let request = if let Some(body) = body { request.json(&body) } else { request };
            let (status, told) = answer(request.send().await.unwrap()).await;
            assert_eq!(status, 404, "{}: {told}", kind.name);
            assert_eq!(told["errorCode"].as_str(), kind.endpoint.absent_code.as_deref(), "{}", kind.name);
            assert_eq!(told["error"], "Not Found");
        }
    }
    assert_eq!(caller.get("/api/v2/hooks").await.0, 404);
}

#[tokio::test]
async fn every_kind_takes_the_parameters_of_its_lists_and_no_others() {
    let caller = Caller::with(|_| {}).await;
    for kind in others() {
        let (list, endpoint) = (format!("/api/v2/{}", kind.endpoint.path), &kind.endpoint);
        let paging = endpoint.paging;
        let status = async |query: &str| caller.get(&format!("{list}?{query}")).await;
        for (query, taken) in [
            ("page=0&per_page=1", paging.numbers),
            ("include_totals=true", paging.totals),
            ("take=1", paging.checkpoints),
            ("fields=name&include_fields=true", endpoint.projection),
            ("nothing=1", false),
        ] {
            let (status, told) = status(query).await;
            assert_eq!(status, if taken { 200 } else { 400 }, "{} {query}: {told}", kind.name);
            if !taken {
                assert_eq!(told["errorCode"], "invalid_query_string");
                let message = told["message"].as_str().unwrap();
                assert!(message.contains("Additional properties not allowed"), "{message}");
            }
        }
        if paging.numbers {
            let (status, told) = status("page=11&per_page=100").await;
            assert_eq!((status, &told["errorCode"]), (400, &json!("invalid_paging")), "{}", kind.name);
        }
        if paging.totals {
            let page = status("page=1&per_page=1&include_totals=true").await.1;
            let total = caller.tenant().objects(&kind.name).len();
            assert_eq!(
                (&page["start"], &page["limit"], &page["total"]),
                (&json!(1), &json!(1), &json!(total))
            );
            assert_eq!(items(kind, &page).len(), 1);
        }
        if endpoint.projection {
            let first = &items(kind, &status(&format!("fields={}", endpoint.name_field)).await.1)[0];
            assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), [&endpoint.name_field]);
        }
        for filter in &endpoint.filters {
            let last = caller.tenant().objects(&kind.name).pop().unwrap();
            // Made-up objects do not hold everything.
            let Some(wanted) = last.get(&filter.field).cloned() else { continue };
            let Some(text) = wanted.as_str() else { continue };
            let text = text.replace(' ', "%20").replace(':', "%3A").replace('/', "%2F");
            let found = items(kind, &status(&format!("{}={text}", filter.parameter)).await.1);
            assert!(!found.is_empty() && found.iter().all(|object| object[&filter.field] == wanted));
            assert!(items(kind, &status(&format!("{}=nobody", filter.parameter)).await.1).is_empty());
        }
    }
}

#[tokio::test]
async fn checkpoints_lead_through_every_object_once() {
    let caller = Caller::with(|_| {}).await;
    for kind in others().filter(|kind| kind.endpoint.paging.checkpoints) {
        let (mut seen, mut from) = (0, String::new());
        loop {
            let (_, page) = caller.get(&format!("/api/v2/{}?take=2{from}", kind.endpoint.path)).await;
            seen += items(kind, &page).len();
            let Some(next) = page["next"].as_str() else { break };
            from = format!("&from={next}");
        }
        assert_eq!(seen, caller.tenant().objects(&kind.name).len(), "{}", kind.name);
    }
}

#[tokio::test]
async fn actions_are_counted_in_every_list_and_deployed_after_a_change() {
    let caller = Caller::with(|_| {}).await;
    let list = caller.get("/api/v2/actions/actions?page=0&per_page=100").await.1;
    assert_eq!((&list["total"], &list["per_page"]), (&json!(2), &json!(100)));
    let id = caller.tenant().object_id("actions", "Add roles to tokens").unwrap();
    let action = format!("/api/v2/actions/actions/{id}");
    assert_eq!(caller.get(&action).await.1["all_changes_deployed"], json!(true));
    let body = json!({"code": "// new", "secrets": [{"name": "key", "value": "hush"}]});
    let (_, changed) = answer(caller.request(Method::PATCH, &action).json(&body).send().await.unwrap()).await;
    assert_eq!((&changed["all_changes_deployed"], &changed["status"]), (&json!(false), &json!("pending")));
    assert_eq!(changed["secrets"][0].get("value"), None);
    let deployed = caller.request(Method::POST, &format!("{action}/deploy")).send().await.unwrap();
    let (status, version) = answer(deployed).await;
    assert_eq!((status, &version["deployed"], &version["code"]), (202, &json!(true), &json!("// new")));
    let (_, live) = caller.get(&action).await;
    assert_eq!((&live["all_changes_deployed"], &live["status"]), (&json!(true), &json!("built")));
    assert_eq!(live["deployed_version"]["number"], json!(1));
    let event = caller.tenant().events().pop().unwrap();
    assert_eq!(
        (&event["description"], &event["details"]["request"]["method"]),
        (&json!("Deploy an action"), &json!("post"))
    );
}

#[tokio::test]
async fn users_are_found_by_their_mail_and_never_show_a_password() {
    let caller = Caller::with(|_| {}).await;
    let (status, found) = caller.get("/api/v2/users-by-email?email=ada.lovelace%40acme.example").await;
    assert_eq!((status, found.as_array().unwrap().len()), (200, 1));
    let nobody = caller.get("/api/v2/users-by-email?email=nobody%40acme.example").await;
    assert_eq!(nobody, (200, json!([])));
    let (_, some) = caller.get("/api/v2/users-by-email?email=ada.lovelace%40acme.example&fields=email").await;
    assert_eq!(some, json!([{"email": "ada.lovelace@acme.example"}]));
    assert_eq!(caller.get("/api/v2/users-by-email").await.0, 400);
    let id = found[0]["user_id"].as_str().unwrap();
    let user = format!("/api/v2/users/{}", id.replace('|', "%7C"));
    let patch = async |body: Value| {
        answer(caller.request(Method::PATCH, &user).json(&body).send().await.unwrap()).await
    };
    let (status, changed) = patch(json!({"password": "open sesame"})).await;
    assert_eq!((status, changed.get("password")), (200, None));
    let (_, changed) = patch(json!({"user_metadata": {"language": null, "size": 3}})).await;
    assert_eq!(changed["user_metadata"], json!({"size": 3}));
    let (status, refused) = patch(json!({"password": "x", "email": "a@b.example"})).await;
    assert_eq!((status, &refused["errorCode"]), (400, &json!("invalid_body")));
    let (status, refused) = patch(json!({"user_id": "x", "logins_count": 7})).await;
    let said = refused["message"].as_str().unwrap();
    assert!(
        status == 400 && said.contains("Additional properties not allowed: user_id,logins_count"),
        "{said}"
    );
}

#[tokio::test]
async fn a_token_needs_the_scopes_of_the_kind() {
    let caller = Caller::with(|options| options.scopes = vec!["read:clients".to_owned()]).await;
    for kind in others() {
        let (status, told) = caller.get(&format!("/api/v2/{}", kind.endpoint.path)).await;
        let wanted = kind.endpoint.scopes.read.join(",");
        assert_eq!(status, 403);
        assert_eq!(told["message"], json!(format!("Insufficient scope, expected any of: {wanted}")));
        let gone = caller.request(Method::DELETE, &path(kind, "x")).send().await.unwrap();
        let told = answer(gone).await.1;
        assert!(told["message"].as_str().unwrap().contains("expected any of: delete:"), "{told}");
    }
    let list = "/api/v2/organizations/org_1/enabled_connections";
    assert!(caller.get(list).await.1["message"].to_string().contains("read:organization_connections"));
    let granted = known_scopes();
    for kind in kinds() {
        assert!(kind.endpoint.scopes.update.iter().all(|scope| granted.contains(scope)), "{}", kind.name);
    }
}

#[tokio::test]
async fn tenants_hold_the_same_names_under_other_ids_and_as_many_as_asked_for() {
    let options = Options {
        clients: 3,
        tenants: 2,
        objects: [("users".to_owned(), 45), ("rules".to_owned(), 0)].into(),
        load_objects: [(
            "roles".to_owned(),
            vec![json!({"id": "rol_mine", "name": "Mine"}).as_object().unwrap().clone()],
        )]
        .into(),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let [one, two] = sandbox.tenants() else { panic!() };
    for kind in others().filter(|kind| kind.name != "roles") {
        let told = |tenant: &TenantHandle, field: &str| {
            tenant.objects(&kind.name).iter().map(|object| object[field].clone()).collect::<Vec<_>>()
        };
        let name = &kind.endpoint.name_field;
        let own = |names: Vec<Value>| {
            names.into_iter().filter(|name| !name.to_string().contains("127.0.0.1")).collect::<Vec<_>>()
        };
        assert_eq!(own(told(one, name)), own(told(two, name)));
        let ids = told(two, &kind.endpoint.id_field);
        assert!(told(one, &kind.endpoint.id_field).iter().all(|id| !ids.contains(id)), "{}", kind.name);
    }
    assert_eq!((one.objects("users").len(), one.objects("rules").len()), (45, 0));
    assert_eq!(one.objects("roles").len(), 1);
    assert_eq!(one.objects("client-grants").len(), 4);
}

#[tokio::test]
async fn essentials_counts_what_it_limits_apart() {
    let caller = Caller::with(|options| options.tier = "essentials".parse().unwrap()).await;
    let left = async |method: Method, path: &str| {
        let sent = caller.request(method, path).json(&json!({})).send().await.unwrap();
        sent.headers()["x-ratelimit-limit"].to_str().unwrap().to_owned()
    };
    assert_eq!(left(Method::GET, "/api/v2/users").await, "40");
    assert_eq!(left(Method::GET, "/api/v2/roles").await, "10");
    assert_eq!(left(Method::GET, "/api/v2/connections").await, "5");
}
