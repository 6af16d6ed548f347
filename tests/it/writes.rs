//! Never write what was not asked: bodies, siblings, secrets, requests.

use serde_json::{Value, json};

use crate::common::{Case, Served};

/// The bodies of the PATCHes that a tenant received, in order.
fn bodies(served: &Served) -> Vec<Value> {
    served.counters().patches.iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

fn apply(served: &Served, job: &str) -> Case {
    let case = served.case().file("job.toml", job);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    case
}

#[test]
fn one_leaf_of_an_object_changes_and_its_siblings_stay_as_they_were() {
    let served = Served::quick();
    let id = served.id("Customer Portal");
    served.tenant().edit(&id, |client| {
        client.insert("client_metadata".into(), json!({"owner": "web", "tier": "gold"}));
        client.insert("refresh_token".into(), json!({"rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 7,
            "token_lifetime": 31557600, "idle_token_lifetime": 2592000, "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true}));
        client.insert("jwt_configuration".into(), json!({"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false}));
    });
    let before = served.client(&id);
    apply(
        &served,
        &format!(
            "[[update]]\nclient_id = \"{id}\"\nset.refresh_token.leeway = 30\nset.jwt_configuration.lifetime_in_seconds = 600\nset.client_metadata.owner = \"identity\"\n"
        ),
    );
    let mut expected = before;
    expected["refresh_token"]["leeway"] = json!(30);
    expected["jwt_configuration"]["lifetime_in_seconds"] = json!(600);
    expected["client_metadata"]["owner"] = json!("identity");
    assert_eq!(Value::Object(served.client(&id)), Value::Object(expected));
    let sent = bodies(&served);
    assert_eq!(sent.len(), 1);
    // Merged objects are sent leaf by leaf; what nobody has seen merged is sent whole.
    assert_eq!(sent[0]["client_metadata"], json!({"owner": "identity"}));
    assert_eq!(sent[0]["jwt_configuration"], json!({"lifetime_in_seconds": 600}));
    assert_eq!(sent[0]["refresh_token"]["rotation_type"], "non-rotating");
    assert_eq!(sent[0].as_object().unwrap().len(), 3);
}

#[test]
fn the_body_of_a_rename_is_the_name_alone() {
    let served = Served::quick();
    let id = served.id("Billing");
    apply(&served, &format!("[[update]]\nclient_id = \"{id}\"\nset.name = \"Billing EU\"\n"));
    assert_eq!(bodies(&served), [json!({"name": "Billing EU"})]);
}

#[test]
fn a_secret_beside_a_change_goes_along_and_is_neither_shown_nor_kept() {
    let served = Served::quick();
    let id = served.id("Billing");
    served.tenant().edit(&id, |client| {
        client.insert(
            "addons".into(),
            json!({"azure_sb": {"namespace": "acme", "sasKeyName": "send", "sasKey": "hush-hush-key"}}),
        );
    });
    let case = apply(
        &served,
        &format!("[[update]]\nclient_id = \"{id}\"\nset.addons.azure_sb.namespace = \"acme-eu\"\n"),
    );
    assert_eq!(
        served.client(&id)["addons"]["azure_sb"],
        json!({"namespace": "acme-eu", "sasKeyName": "send", "sasKey": "hush-hush-key"})
    );
    assert_nowhere(&case, "hush-hush-key");
}

#[test]
fn rows_of_one_client_become_one_patch_and_contradictions_are_refused() {
    let served = Served::quick();
    let id = served.id("Billing");
    let case = served
        .case()
        .file("job.csv", format!("client_id,name,description\n{id},Billing EU,\n{id},,For invoices\n"));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert_eq!(bodies(&served), [json!({"name": "Billing EU", "description": "For invoices"})]);
    assert_eq!(case.result_words(), ["updated", "updated"]);
    assert_eq!(case.summary()["clients"]["updated"], 1);
    let case = served.case().file("job.toml", format!(
        "[[update]]\nclient_id = \"{id}\"\nset.name = \"A\"\n[[update]]\nmatch.name = \"Billing*\"\nset.name = \"B\"\n"
    ));
    let done = case.run(["apply", "job.toml", "--yes"]);
    assert!(done.exits(64).stderr.contains("also changed by update 1"), "{done}");
    assert_eq!(served.counters().patch, 1);
}

#[test]
fn the_requests_are_one_token_the_pages_of_the_list_and_one_patch_a_changed_client() {
    let served = Served::quick();
    let ids = served.ids(40);
    served.tenant().edit(&ids[0], |client| drop(client.insert("name".into(), json!("NEW"))));
    let rows: String = ids.iter().map(|id| format!("{id},NEW\n")).collect();
    let case = served.case().file("job.csv", format!("client_id,name\n{rows}"));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let counters = served.counters();
    assert_eq!((counters.token, counters.patch), (1, 39), "the client that is as asked is not written");
    // 102 clients are two pages, and after the first of them 40 single reads would cost no less.
    assert!(counters.list + counters.get <= 3, "{counters:?}");
    assert_eq!(counters.by_status.keys().copied().collect::<Vec<_>>(), [200]);
}

#[test]
fn a_single_client_is_read_by_itself() {
    let served = Served::quick();
    let id = served.id("Billing");
    apply(&served, &format!("[[update]]\nclient_id = \"{id}\"\nset.name = \"Billing EU\"\n"));
    assert_eq!((served.counters().list, served.counters().get), (0, 1));
}

#[test]
fn every_write_carries_the_run_and_the_row() {
    let served = Served::quick();
    let id = served.id("Billing");
    let case = apply(&served, &format!("[[update]]\nclient_id = \"{id}\"\nset.name = \"Billing EU\"\n"));
    let run = case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let seen = &served.counters().patches[0];
    assert_eq!(seen.correlation_id.as_deref(), Some(format!("{run}/u1").as_str()));
    assert_eq!(
        seen.user_agent.as_deref(),
        Some(format!("patchwave/{} run/{run}", env!("CARGO_PKG_VERSION")).as_str())
    );
}

#[test]
fn the_global_client_and_the_runners_own_are_protected() {
    let served = Served::quick();
    let own = served.tenant().client_id().to_owned();
    let global = served.id("All Applications");
    let refused = [
        (format!("[[update]]\nclient_id = \"{global}\"\nset.name = \"x\"\n"), "global client"),
        (
            format!(
                "[[update]]\nclient_id = \"{global}\"\nset.name = \"x\"\n[[update]]\nclient_id = \"{}\"\nset.name = \"x\"\n",
                served.id("Billing")
            ),
            "global client",
        ),
        (format!("[[update]]\nclient_id = \"{own}\"\nset.grant_types = []\n"), "signs in with"),
    ];
    for (job, words) in refused {
        let done = served.case().file("job.toml", job).run(["apply", "job.toml", "--yes"]);
        assert!(done.exits(4).stderr.contains(words), "{done}");
    }
    assert_eq!(served.counters().patch, 0);
    let case = apply(&served, "[[update]]\nmatch.name = \"Patchwave*\"\nset.oidc_conformant = false\n");
    assert_eq!(case.results()[0]["_reason"], "protected");
    apply(&served, &format!("[[update]]\nclient_id = \"{own}\"\nset.description = \"Bulk changes\"\n"));
    assert_eq!(served.counters().patch, 1, "what cannot lock it out may be changed by id");
}

/// Searches all that a command left in its folders.
fn assert_nowhere(case: &Case, secret: &str) {
    fn search(folder: &std::path::Path, secret: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, secret);
            } else {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains(secret), "{} holds a secret", path.display());
            }
        }
    }
    search(case.root(), secret);
}

#[test]
fn no_secret_is_in_any_output_file_or_log() {
    let served = Served::quick();
    let tenant = served.tenant();
    let ids = served.ids(10);
    let rows: String = ids.iter().map(|id| format!("{id},NEW\n")).collect();
    let case = served.case().file("job.csv", format!("client_id,name\n{rows}"));
    let mut shown = String::new();
    for args in [
        vec!["get", "--all", "-o", "all.json"],
        vec!["get", "--all"],
        vec!["get", "--self", "-vv"],
        vec!["plan", "job.csv", "-vv"],
        vec!["plan", "job.csv", "--output", "json", "-v", "--log-format", "json"],
        vec!["apply", "job.csv", "--yes", "-vv"],
        vec!["apply", "all.json", "--yes", "-vv"],
    ] {
        shown.push_str(&case.run(args).exits(0).shown());
    }
    let failing = case.run(["plan", "job.csv", "-vv", "--tenant", "no-such-tenant"]);
    shown.push_str(&failing.exits(64).shown());
    for line in ["\"PATCH\"", "\"GET\"", "\"POST\"", "/oauth/token"] {
        assert!(shown.contains(line), "-v shows requests: {line}");
    }
    let mut secrets = vec![tenant.client_secret().expose().to_owned(), "eyJ".to_owned()];
    secrets.extend(
        tenant
            .state()
            .iter()
            .filter_map(|client| client.get("client_secret"))
            .map(|s| s.as_str().unwrap().to_owned()),
    );
    assert!(secrets.len() > 50, "the sandbox does answer with secrets");
    for secret in secrets {
        assert!(!shown.contains(&secret), "a secret was printed");
        assert_nowhere(&case, &secret);
    }
}

#[test]
fn an_object_in_a_cell_sets_its_keys_and_leaves_their_siblings() {
    let served = Served::quick();
    let id = served.id("Billing");
    served.tenant().edit(&id, |client| {
        client.insert("client_metadata".into(), json!({"owner": "web", "tier": "gold"}));
        client.insert("addons".into(), json!({"azure_sb": {"namespace": "acme", "sasKey": "hush"}, "samlp": {"audience": "a", "recipient": "r"}}));
    });
    let job = format!(
        "client_id;client_metadata;addons\n{id};\"{{\"\"owner\"\":\"\"identity\"\"}}\";\"{{\"\"samlp\"\":{{\"\"audience\"\":\"\"b\"\"}}}}\"\n"
    );
    let case = served.case().file("job.csv", job);
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let client = served.client(&id);
    assert_eq!(client["client_metadata"], json!({"owner": "identity", "tier": "gold"}));
    assert_eq!(
        client["addons"],
        json!({"azure_sb": {"namespace": "acme", "sasKey": "hush"}, "samlp": {"audience": "b", "recipient": "r"}})
    );
    assert_nowhere(&case, "hush");
}

#[test]
fn an_empty_match_cell_never_widens_a_row() {
    let served = Served::quick();
    let case = served.case().file("job.csv", "match.name,match.app_type,description\n,spa,WIDE\n");
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(64).stderr.contains("row 2, column A (`match.name`)"), "{done}");
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn a_client_that_only_has_the_new_name_is_never_written() {
    let served = Served::quick();
    let case = served.case().file("job.csv", "match.name,name,description\nTypo,Billing,OVERWRITTEN\n");
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(1).stdout.contains("has the new name already"), "{done}");
    assert_eq!((served.counters().patch, case.results()[0]["_reason"].as_str()), (0, "not_found"));
}

#[test]
fn secrets_are_refused_wherever_a_job_could_hold_them() {
    let secret = "TOPSECRET123";
    let served = Served::quick();
    let id = served.id("Billing");
    let marker = "(secret: kept as it is)";
    for job in [
        format!("client_id,name,expect.client_secret\n{id},x,{secret}\n"),
        format!("match.client_secret,name\n{secret},x\n"),
        format!("client_id,name,client_secret\n{id},x,{secret}\n"),
        format!(
            "client_id,expect.addons,name\n{id},\"{{\"\"azure_sb\"\":{{\"\"sasKey\"\":\"\"{secret}\"\"}}}}\",x\n"
        ),
        format!("client_id,addons\n{id},\"{{\"\"azure_sb\"\":{{\"\"sasKey\"\":\"\"{secret}\"\"}}}}\"\n"),
        format!("client_id,name\n{id},{marker}\n"),
    ] {
        let case = served.case().file("job.csv", &job);
        let done = case.run(["apply", "job.csv", "--yes"]);
        assert!(!done.exits(64).shown().contains(secret), "{done}");
        assert!(case.runs().is_empty());
    }
}

#[test]
fn an_object_that_is_sent_whole_is_made_anew_where_its_answer_was_lost() {
    let served = Served::quick();
    let id = served.id("Customer Portal");
    served.tenant().edit(&id, |client| {
        client.insert(
            "refresh_token".into(),
            json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 100, "idle_token_lifetime": 50}),
        );
    });
    // The first PATCH is lost before anything was written; meanwhile somebody else changes a sibling.
    served.tenant().set_faults("patch:reset-before=#1".parse().unwrap());
    let case = served.case().file("job.csv", format!("client_id,refresh_token.token_lifetime\n{id},200\n"));
    let running = case.spawn(["apply", "job.csv", "--yes"]);
    served.until(|counters| counters.faults > 0);
    served.tenant().edit(&id, |client| client["refresh_token"]["leeway"] = json!(55));
    running.wait().exits(0);
    let client = served.client(&id);
    assert_eq!(
        (&client["refresh_token"]["leeway"], &client["refresh_token"]["token_lifetime"]),
        (&json!(55), &json!(200))
    );
}
