//! A job sets a secret from where it is kept, and nothing but the request that sends it ever holds it.

use std::path::Path;

use patchwave::sandbox::Options;
use serde_json::json;

use crate::common::{Case, Done, Served};

/// Long, and like nothing else that a tenant holds.
const NEW: &str = "new-s3cret-of-the-shop-8f1d02c7a95e4b63";

/// An application to be given a secret, and one with an add-on that has one inside.
fn options() -> Options {
    let shop = json!({
        "name": "Shop", "app_type": "regular_web", "description": "sells", "token_endpoint_auth_method": "client_secret_post",
        "client_secret": "old-s3cret",
    });
    let layer = json!({
        "name": "Layer", "app_type": "regular_web",
        "addons": {"layer": {"providerId": "p", "keyId": "k", "privateKey": "old-key", "principal": "me"}},
    });
    let load = [shop, layer].map(|client| client.as_object().unwrap().clone()).to_vec();
    Options { load: Some(load), tier: "unlimited".parse().unwrap(), ..Options::default() }
}

fn served() -> Served {
    Served::with(options())
}

/// A tenant whose token may write secrets and see none.
fn unseeing() -> Served {
    let scopes = ["read:clients", "update:clients", "update:client_keys"].map(str::to_owned).to_vec();
    Served::with(Options { scopes, ..options() })
}

const JOB: &str = "[[update]]\nmatch.name = \"Shop\"\nset.client_secret = { env = \"SHOP_SECRET\" }\nset.description = \"sells more\"\n";

fn case(served: &Served) -> Case {
    served.case().env("SHOP_SECRET", NEW).file("job.toml", JOB)
}

fn secret_of(served: &Served, name: &str) -> String {
    served.client(&served.id(name))["client_secret"].as_str().unwrap().to_owned()
}

/// The files below a folder that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(text) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// The secret is in nothing that a command says or leaves behind.
fn keeps_it_to_itself(case: &Case, done: &Done) {
    for secret in [NEW, "old-s3cret"] {
        assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{done}");
        assert_eq!(holding(case.root(), secret), Vec::<String>::new());
    }
}

#[test]
fn a_secret_is_taken_from_a_variable_and_is_in_nothing_that_is_said_or_left_behind() {
    let served = served();
    let case = case(&served);
    let done = case.run(["apply", "job.toml", "--yes", "-v", "-v", "--verify", "--report=report.json"]);
    done.exits(0);
    assert_eq!(secret_of(&served, "Shop"), NEW);
    assert!(done.stdout.contains("(another secret) → (secret from env SHOP_SECRET)"), "{done}");
    keeps_it_to_itself(&case, &done);
}

#[test]
fn a_second_time_nothing_is_written_where_the_tenant_shows_what_it_holds() {
    let served = served();
    let case = case(&served);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    let done = case.run(["plan", "job.toml", "--detailed-exitcode"]);
    done.exits(0);
    keeps_it_to_itself(&case, &done);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!((served.counters().patch, case.result_words()), (1, vec!["unchanged".to_owned()]));
    // Another value there is a change again.
    case.env("SHOP_SECRET", "an0ther-s3cret-0123456789abcdef")
        .run(["plan", "job.toml", "--detailed-exitcode"])
        .exits(2);
}

#[test]
fn where_the_tenant_does_not_show_it_it_is_written_each_time_and_the_plan_says_so() {
    let served = unseeing();
    let case = case(&served);
    for _ in 0..2 {
        let done = case.run(["apply", "job.toml", "--yes", "--verify"]);
        done.exits(0);
        assert!(
            done.stdout.contains("(not shown, cannot be compared) → (secret from env SHOP_SECRET)"),
            "{done}"
        );
        assert_eq!(secret_of(&served, "Shop"), NEW);
        keeps_it_to_itself(&case, &done);
    }
    assert_eq!(served.counters().patch, 2);
}

#[test]
fn a_secret_inside_an_object_is_set_and_its_siblings_stay() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Layer\"\nset.addons.layer.privateKey = { file = \"keys/layer\" }\n";
    let case = served.case().file("jobs/job.toml", job).file("jobs/keys/layer", format!("{NEW}\n"));
    let done = case.run(["apply", "jobs/job.toml", "--yes", "--verify"]);
    done.exits(0);
    let layer = served.client(&served.id("Layer"))["addons"]["layer"].clone();
    assert_eq!(layer, json!({"providerId": "p", "keyId": "k", "privateKey": NEW, "principal": "me"}));
    assert_eq!(holding(case.root(), NEW), [case.path("jobs/keys/layer").display().to_string()]);
    std::fs::remove_file(case.path("jobs/keys/layer")).unwrap();
    keeps_it_to_itself(&case, &done);
    let case = case.file("jobs/keys/layer", NEW);
    case.run(["plan", "jobs/job.toml", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_stands_beside_a_secret_that_was_set_is_still_sent_with_it() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Layer\"\nset.addons.layer.keyId = \"k2\"\n";
    let case = served.case().file("job.toml", job);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    let layer = served.client(&served.id("Layer"))["addons"]["layer"].clone();
    assert_eq!((layer["keyId"].clone(), layer["privateKey"].clone()), (json!("k2"), json!("old-key")));
}

#[test]
fn a_variable_of_the_tenant_says_where_it_is_kept() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Shop\"\nset.client_secret = \"{{ vars.client_secret_of_shop }}\"\n";
    for source in ["env = \"SHOP_SECRET\"", "file = \"keys/shop\"", "command = \"printenv SHOP_SECRET\""] {
        let vars = format!("vars = {{ client_secret_of_shop = {{ {source} }} }}");
        let case =
            served.configured("", &vars).env("SHOP_SECRET", NEW).file("job.toml", job).file("keys/shop", NEW);
        let id = served.id("Shop");
        served.tenant().edit(&id, |client| drop(client.insert("client_secret".into(), "old-s3cret".into())));
        let done = case.run(["apply", "job.toml", "--tenant=t0", "--yes"]);
        done.exits(0);
        assert_eq!(secret_of(&served, "Shop"), NEW, "{source}");
        assert!(done.stdout.contains("(secret from variable client_secret_of_shop)"), "{done}");
        std::fs::remove_file(case.path("keys/shop")).unwrap();
        keeps_it_to_itself(&case, &done);
    }
}

#[test]
fn a_variable_of_the_job_may_say_it_too() {
    let served = served();
    let job = "vars.shop = { env = \"SHOP_SECRET\" }\n[[update]]\nmatch.name = \"Shop\"\nset.client_secret = \"{{ vars.shop }}\"\n";
    case(&served).file("job.toml", job).run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!(secret_of(&served, "Shop"), NEW);
}

#[test]
fn a_secret_in_plain_text_is_refused_with_the_way_to_say_it_and_not_repeated() {
    let served = served();
    let toml = |set: &str| format!("[[update]]\nmatch.name = \"Shop\"\nset.client_secret = {set}\n");
    let case = case(&served)
        .file("literal.toml", toml(&format!("\"{NEW}\"")))
        .file("around.toml", toml("\"x{{ vars.shop }}\""))
        .file("command.toml", toml("{ command = \"cat secret\" }"))
        .file("own.toml", toml("{ env = \"AUTH0_CLIENT_SECRET\" }"))
        .file("two.toml", toml("{ env = \"A\", file = \"b\" }"))
        .file("marker.toml", toml("\"(secret from env SHOP_SECRET)\""))
        .file("rows.csv", "name,secret\nShop,x\n")
        .file("row.toml", "[[update]]\nrows = \"rows.csv\"\nmatch.name = \"{{ row.name }}\"\nset.client_secret = \"{{ row.secret }}\"\n")
        .file("var.toml", toml("\"{{ vars.shop }}\""));
    let mut told = String::new();
    for job in ["literal", "around", "command", "own", "two", "marker", "row"] {
        let done = case.run(["check", &format!("{job}.toml")]);
        done.exits(64);
        told.push_str(&format!("--- {job}\n{}", done.shown()));
        assert!(!done.stderr.contains(NEW), "{done}");
    }
    let done = case.run(["apply", "var.toml", "--yes", &format!("--var=shop={NEW}")]);
    done.exits(64);
    assert!(!done.stderr.contains(NEW), "{done}");
    told.push_str(&format!("--- var\n{}", done.shown()));
    insta::assert_snapshot!(told);
    assert_eq!(served.counters().get, 0);
}

#[test]
fn a_text_that_looks_like_the_place_of_a_secret_is_written_nowhere() {
    let served = served();
    let text = "(secret from env SHOP_SECRET)";
    let case = case(&served)
        .file("cell.csv", format!("client_id,description\n{},{text}\n", served.id("Shop")))
        .file("body.json", json!([{"client_id": served.id("Shop"), "description": text}]).to_string())
        .file("template.toml", "[[update]]\nmatch.name = \"Shop\"\nset.description = \"{{ vars.text }}\"\n");
    let var = format!("--var=text={text}");
    let object =
        format!("vars.x = {{ layer = {{ privateKey = \"{text}\" }} }}\n[[update]]\nmatch.name = \"Layer\"\n");
    let case = case
        .file("secret.json", json!([{"client_id": served.id("Shop"), "client_secret": text}]).to_string())
        .file("object.toml", format!("{object}set.addons = \"{{{{ vars.x }}}}\"\n"))
        .file(
            "replace.toml",
            format!(
                "{object}replace.addons.layer = {{ privateKey = \"{{{{ vars.x.layer.privateKey }}}}\" }}\n"
            ),
        );
    for args in [
        vec!["cell.csv"],
        vec!["body.json", "--no-base"],
        vec!["secret.json", "--no-base"],
        vec!["template.toml", &var],
        vec!["object.toml"],
        vec!["replace.toml"],
    ] {
        let done = case.run([&["apply", "--yes"], args.as_slice()].concat());
        done.exits(64);
        assert!(["description", "secret", "addons"].iter().any(|word| done.stderr.contains(word)), "{done}");
    }
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn secrets_that_are_not_to_be_had_are_all_told_before_anything_is_read() {
    let served = Served::with(Options { tenants: 2, ..options() });
    let job = "[[update]]\nmatch.name = \"Shop\"\nset.client_secret = { env = \"NOT_SET\" }\n\
               [[update]]\nmatch.name = \"Layer\"\nset.addons.layer.privateKey = { file = \"not-there\" }\nset.client_secret = \"{{ vars.shop }}\"\n\
               [[update]]\nmatch.name = \"None\"\nset.client_secret = \"{{ vars.nowhere }}\"\n";
    let case = served.configured("", "vars = { shop = { env = \"NOT_SET_EITHER\" } }").file("job.toml", job);
    let done = case.run(["apply", "job.toml", "--tenant=t0", "--tenant=t1", "--yes"]);
    done.exits(64);
    insta::assert_snapshot!(done.shown());
    assert_eq!(served.counters().get, 0);
}

#[test]
fn a_saved_plan_names_the_place_and_takes_the_secret_from_there_when_it_is_applied() {
    let served = served();
    let case = case(&served);
    case.run(["plan", "job.toml", "--out=plan.jsonl"]).exits(0);
    assert!(case.read("plan.jsonl").contains("(secret from env SHOP_SECRET)"));
    let rotated = "r0tated-s3cret-0123456789abcdef";
    let case = case.env("SHOP_SECRET", rotated);
    let done = case.run(["apply", "plan.jsonl", "--yes"]);
    done.exits(0);
    assert_eq!(secret_of(&served, "Shop"), rotated);
    keeps_it_to_itself(&case, &done);
    let case = case.without_env("SHOP_SECRET");
    let done = case.run(["apply", "plan.jsonl", "--yes"]);
    done.exits(3);
    assert!(done.stderr.contains("SHOP_SECRET"), "{done}");
    // As planned already: with the secret at hand, that is seen.
    case.env("SHOP_SECRET", rotated).run(["apply", "plan.jsonl", "--yes"]).exits(0);
    assert_eq!(served.counters().patch, 1);
}

#[test]
fn a_run_that_stopped_takes_the_secret_from_its_place_again_or_does_not_go_on() {
    let served = served();
    let case = case(&served);
    served.tenant().set_faults("patch:503=100%".parse().unwrap());
    case.run(["apply", "job.toml", "--yes", "--max-retries=0"]).exits(1);
    served.tenant().set_faults("".parse().unwrap());
    let case = case.without_env("SHOP_SECRET");
    case.run(["resume", "--failed", "--yes"]).exits(3);
    let case = case.env("SHOP_SECRET", NEW);
    let done = case.run(["resume", "--failed", "--yes"]);
    done.exits(0);
    assert_eq!(secret_of(&served, "Shop"), NEW);
    keeps_it_to_itself(&case, &done);
}

#[test]
fn an_answer_that_was_lost_is_settled_also_where_the_secret_cannot_be_seen() {
    for served in [served(), unseeing()] {
        let case = case(&served);
        served.tenant().set_faults("patch:reset-after=#1".parse().unwrap());
        let done = case.run(["apply", "job.toml", "--yes"]);
        done.exits(0);
        assert_eq!(
            (secret_of(&served, "Shop"), case.result_words()),
            (NEW.to_owned(), vec!["updated".to_owned()])
        );
        keeps_it_to_itself(&case, &done);
    }
}

#[test]
fn an_add_on_that_is_new_is_found_in_place_where_the_answer_was_lost() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Shop\"\nset.addons.layer.providerId = \"p\"\nset.addons.layer.keyId = \"k\"\n\
               set.addons.layer.principal = \"me\"\nset.addons.layer.privateKey = { env = \"SHOP_SECRET\" }\n";
    let case = case(&served).file("job.toml", job);
    served.tenant().set_faults("patch:reset-after=#1".parse().unwrap());
    let done = case.run(["apply", "job.toml", "--yes"]);
    done.exits(0);
    // There was none before that could be lost.
    assert!(!done.stderr.contains("loses"), "{}", done.stderr);
    assert_eq!(served.client(&served.id("Shop"))["addons"]["layer"]["privateKey"], NEW);
    assert_eq!((served.counters().patch, case.result_words()), (1, vec!["updated".to_owned()]));
    keeps_it_to_itself(&case, &done);
}

#[test]
fn a_secret_that_somebody_removed_meanwhile_is_a_conflict_and_another_one_is_not() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Layer\"\nset.addons.layer.privateKey = { env = \"SHOP_SECRET\" }\n";
    let case = case(&served).file("job.toml", job);
    case.run(["plan", "job.toml", "--out=plan.jsonl"]).exits(0);
    let id = served.id("Layer");
    let without = json!({"layer": {"providerId": "p", "keyId": "k", "principal": "me"}});
    served.tenant().edit(&id, |client| drop(client.insert("addons".into(), without.clone())));
    let done = case.run(["apply", "plan.jsonl", "--yes"]);
    done.exits(1);
    assert!(done.stdout.contains("was a secret when planned"), "{done}");
    let key = || served.client(&id)["addons"]["layer"]["privateKey"].clone();
    case.run(["apply", "plan.jsonl", "--yes", "--on-conflict=overwrite"]).exits(0);
    assert_eq!(key(), NEW);
    let another =
        json!({"layer": {"providerId": "p", "keyId": "k", "privateKey": "other", "principal": "me"}});
    served.tenant().edit(&id, |client| drop(client.insert("addons".into(), another.clone())));
    case.run(["apply", "plan.jsonl", "--yes"]).exits(0);
    assert_eq!(key(), NEW);
}

#[test]
fn a_secret_that_is_gone_by_now_is_not_needed_to_set_another_in_its_place() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Layer\"\nset.addons.layer.privateKey = { env = \"SHOP_SECRET\" }\n";
    let case = case(&served).file("job.toml", job);
    served.tenant().set_faults("patch:503=100%".parse().unwrap());
    case.run(["apply", "job.toml", "--yes", "--max-retries=0"]).exits(1);
    served.tenant().set_faults("".parse().unwrap());
    let id = served.id("Layer");
    let without = json!({"layer": {"providerId": "p", "keyId": "k", "principal": "me"}});
    served.tenant().edit(&id, |client| drop(client.insert("addons".into(), without.clone())));
    case.run(["resume", "--failed", "--yes", "--on-conflict=overwrite"]).exits(0);
    assert_eq!(served.client(&id)["addons"]["layer"]["privateKey"], NEW);
}

#[test]
fn one_secret_that_is_kept_at_two_places_is_one_secret() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Shop\"\nset.client_secret = { env = \"SHOP_SECRET\" }\n\
               [[update]]\nmatch.name = \"Layer\"\nset.client_secret = { env = \"ALSO_IT\" }\n";
    let case = case(&served).env("ALSO_IT", NEW).file("job.toml", job);
    case.run(["plan", "job.toml", "--out=plan.jsonl"]).exits(0);
    case.run(["apply", "job.toml", "--yes", "--verify"]).exits(0);
    assert_eq!((secret_of(&served, "Shop"), secret_of(&served, "Layer")), (NEW.to_owned(), NEW.to_owned()));
    for job in ["job.toml", "plan.jsonl"] {
        case.run(["apply", job, "--yes"]).exits(0);
        assert_eq!(case.result_words(), ["unchanged", "unchanged"]);
    }
    assert_eq!(served.counters().patch, 2);
}

#[test]
fn a_refusal_that_quotes_the_secret_is_told_without_it() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Shop\"\nset.addons.azure_blob.accountName = \"acme\"\n\
               set.addons.azure_blob.storageAccessKey = { env = \"BLOB_KEY\" }\n";
    let key = format!("{}==", "k".repeat(86));
    let case = served.case().env("BLOB_KEY", &key).file("job.toml", job);
    case.run(["plan", "job.toml", "--out=plan.jsonl"]).exits(0);
    // Since then the place holds something else, which the tenant does not take.
    let case = case.env("BLOB_KEY", NEW);
    let done = case.run(["apply", "plan.jsonl", "--yes"]);
    done.exits(1);
    assert!(case.results()[0]["_error"].contains("does not match pattern"), "{:?}", case.results());
    keeps_it_to_itself(&case, &done);
    // A job would have been told before anything is read.
    let done = case.run(["plan", "job.toml"]);
    done.exits(64);
    keeps_it_to_itself(&case, &done);
}

#[test]
fn a_key_of_several_lines_is_taken_whole() {
    let served = served();
    let job = "[[update]]\nmatch.name = \"Layer\"\nset.addons.layer.privateKey = { file = \"key.pem\" }\n";
    let case = served.case().file("job.toml", job).file("key.pem", "-----BEGIN\nabc\n-----END\n");
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    let layer = served.client(&served.id("Layer"))["addons"]["layer"].clone();
    assert_eq!(layer["privateKey"], "-----BEGIN\nabc\n-----END");
    case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
    // A secret that stands by itself has one line.
    let job = "[[update]]\nmatch.name = \"Shop\"\nset.client_secret = { file = \"key.pem\" }\n";
    case.file("job.toml", job).run(["plan", "job.toml"]).exits(64);
}

#[test]
fn undo_puts_the_other_fields_back_and_says_of_the_secret_that_it_cannot() {
    let served = served();
    let case = case(&served);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    let planned = case.run(["undo", "latest", "--dry-run", "--tenant", &served.tenant().domain().base_url()]);
    assert!(planned.stdout.contains("cannot_restore: client_secret was given a new secret"), "{planned}");
    let done = case.run(["undo", "latest", "--yes", "--tenant", &served.tenant().domain().base_url()]);
    done.exits(1);
    assert_eq!(secret_of(&served, "Shop"), NEW);
    assert_eq!(served.client(&served.id("Shop"))["description"], "sells");
    assert_eq!(case.results()[0]["_reason"], "cannot_restore");
    keeps_it_to_itself(&case, &done);
}

#[test]
fn the_runs_change_set_asks_each_target_for_a_secret_of_its_own() {
    let served = Served::with(Options { tenants: 2, ..options() });
    let case = served.configured("", "").env("SHOP_SECRET", NEW).file("job.toml", JOB);
    case.run(["apply", "job.toml", "--tenant=t0", "--yes"]).exits(0);
    let changeset = case.runs().pop().unwrap().join("changeset.toml");
    let text = std::fs::read_to_string(&changeset).unwrap();
    assert!(text.contains("set.client_secret = \"{{ vars.client_secret_of_shop }}\""), "{text}");
    let replay = ["replay", changeset.to_str().unwrap(), "--tenant=t1", "--yes"];
    let missing = case.run(replay);
    missing.exits(64);
    assert!(missing.stderr.contains("there is no `vars.client_secret_of_shop` for tenant t1"), "{missing}");
    let config = case.read("patchwave.toml").replace(
        "{ env = \"SECRET_1\" }\n",
        "{ env = \"SECRET_1\" }\nvars = { client_secret_of_shop = { env = \"PROD_SHOP_SECRET\" } }\n",
    );
    let case = case.file("patchwave.toml", config).env("PROD_SHOP_SECRET", "pr0d-s3cret-0123456789abcdef");
    let done = case.run(replay);
    done.exits(0);
    let id = crate::common::id_of(served.at(1), "Shop");
    assert_eq!(served.at(1).client(&id).unwrap()["client_secret"], "pr0d-s3cret-0123456789abcdef");
    keeps_it_to_itself(&case, &done);
    case.run(replay).exits(0);
    assert_eq!(served.at(1).counters().patch, 1);
}

#[test]
fn a_token_that_may_not_write_secrets_is_found_out_before_the_first_write() {
    let scopes = ["read:clients", "update:clients"].map(str::to_owned).to_vec();
    let served = Served::with(Options { scopes, ..options() });
    let done = case(&served).run(["apply", "job.toml", "--yes"]);
    done.exits(3);
    assert!(done.stderr.contains("update:client_keys"), "{done}");
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn the_runners_own_secret_is_not_changed() {
    let served = served();
    let job = format!(
        "[[update]]\nclient_id = \"{}\"\nset.client_secret = {{ env = \"SHOP_SECRET\" }}\n",
        served.tenant().client_id()
    );
    case(&served).file("job.toml", job).run(["apply", "job.toml", "--yes"]).exits(4);
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn what_patchwave_signs_in_with_at_any_tenant_is_sent_to_none() {
    let served = Served::with(Options { tenants: 2, ..options() });
    let job = |place: &str| JOB.replace("{ env = \"SHOP_SECRET\" }", place);
    let mut case = served
        .configured("", "")
        .file("env.toml", job("{ env = \"SECRET_0\" }"))
        .file("file.toml", job("{ file = \"keys/../runner.key\" }"))
        .file("dotenv.toml", job("{ file = \".env\" }"))
        .file(".env", "OTHER=runners-0wn-s3cret\n")
        .file("keys/other", "x")
        .file("runner.key", "runners-0wn-s3cret");
    let config = case.read("patchwave.toml");
    let same = "{ env = \"SECRET_0\" }";
    for (name, own) in [("env", same), ("file", "{ file = \"runner.key\" }"), ("dotenv", same)] {
        case = case.file("patchwave.toml", config.replacen("{ env = \"SECRET_0\" }", own, 1));
        let done = case.run(["apply", &format!("{name}.toml"), "--tenant=t1", "--yes"]);
        done.exits(64);
        assert!(done.stderr.contains("what patchwave signs in with is kept there"), "{done}");
    }
    assert_eq!(served.at(1).counters().patch, 0);
}
