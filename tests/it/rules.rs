//! The job language from the command line: its flags, its files, and what `get` writes in each form.

use serde_json::{Value, json};

use crate::common::{Case, Served};

const RULE: &str = "[[update]]\nmatch = { name = \"acme-*-dev\", app_type = \"spa\" }\n";

/// The JSON of `plan --output json`.
fn planned(case: &Case, args: &[&str]) -> Value {
    let done = case.run(args.iter().copied().chain(["--output", "json"]));
    let text = done.exits(0).stdout.clone();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {done}"))
}

/// The values that each change leads to.
fn afters(plan: &Value) -> Vec<Value> {
    let changes =
        plan["tenants"].as_array().unwrap().iter().flat_map(|tenant| tenant["changes"].as_array().unwrap());
    changes
        .flat_map(|change| change["fields"].as_array().unwrap())
        .map(|field| field["after"].clone())
        .collect()
}

#[test]
fn a_rule_with_templates_is_applied_and_finds_nothing_to_do_the_second_time() {
    let served = Served::quick();
    let job = format!(
        "{RULE}set.name = \"{{{{ name | removesuffix('-dev') }}}}-test\"\nadd.callbacks = [\"https://new.example\"]\n"
    );
    let case = served.case().file("job.toml", job);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    let names: Vec<Value> =
        served.tenant().state().into_iter().map(|client| client["name"].clone()).collect();
    assert!(
        names.contains(&json!("acme-portal-test")) && !names.contains(&json!("acme-portal-dev")),
        "{names:?}"
    );
    let sent = served.counters().patch;
    assert_eq!(sent, 3);
    let done = case.run(["apply", "job.toml", "--yes"]);
    assert!(done.exits(0).stderr.contains("update 1 fits no client"), "{done}");
    assert_eq!(served.counters().patch, sent);
    assert_eq!(case.result_words(), ["skipped"]);
}

#[test]
fn a_job_that_would_change_again_is_refused_with_update_client_and_both_values() {
    let served = Served::quick();
    let case = served.case().file("job.toml", format!("{RULE}set.name = \"{{{{ name }}}} EU-dev\"\n"));
    let done = case.run(["apply", "job.toml", "--yes"]);
    let id = served.id("acme-portal-dev");
    for words in
        ["update 1", &id, "acme-portal-dev EU-dev", "acme-portal-dev EU-dev EU-dev", "repeatable = false"]
    {
        assert!(done.exits(4).stderr.contains(words), "nothing says {words}: {done}");
    }
    assert_eq!(served.counters().patch, 0);
    let once = case.read("job.toml") + "repeatable = false\n";
    let case = case.file("once.toml", once);
    case.run(["apply", "once.toml", "--yes"]).exits(0);
    assert_eq!(served.counters().patch, 3);
}

#[test]
fn variables_come_from_the_command_line_before_the_tenant_before_the_job() {
    let job = format!(
        "[vars]\na = \"job\"\nb = \"job\"\nc = \"job\"\nd = \"job\"\n{RULE}set.description = \"{{{{ vars.a }}}} {{{{ vars.b }}}} {{{{ vars.c }}}} {{{{ vars.d }}}}\"\n"
    );
    let served = Served::quick();
    let tenant = served.tenant();
    let config = format!(
        "[tenants.dev]\ndomain = \"{}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"DEV_KEY\" }}\nvars = {{ b = \"tenant\", c = \"tenant\", d = \"tenant\" }}\ntags = {{ ring = \"canary\" }}\n",
        tenant.domain().base_url(),
        tenant.client_id()
    );
    let case = Case::new()
        .env("DEV_KEY", tenant.client_secret().expose())
        .env("PATCHWAVE_VAR", "c=line\nd=line\n")
        .file("patchwave.toml", config)
        .file("job.toml", job)
        .file(
            "tags.toml",
            format!("{RULE}set.description = \"{{{{ tenant.tags.ring }}}} {{{{ tenant.name }}}}\"\n"),
        );
    let plan = planned(&case, &["plan", "job.toml", "--tenant", "dev", "--var", "d=flag=x"]);
    assert!(afters(&plan).iter().all(|after| after == "job tenant line flag=x"), "{plan}");
    assert!(
        afters(&planned(&case, &["plan", "tags.toml", "--tenant", "dev"])).contains(&json!("canary dev"))
    );
}

#[test]
fn a_job_may_allow_tenants_by_tag() {
    let job = |tag: &str| format!("tenants = [\"tag:ring={tag}\"]\n{RULE}set.description = \"x\"\n");
    let config = "[tenants.dev]\ndomain = \"127.0.0.1:1\"\nclient_id = \"a\"\nclient_secret = { env = \"K\" }\ntags = { ring = \"canary\" }\n";
    let case = Case::new()
        .env("K", "x")
        .file("patchwave.toml", config)
        .file("early.toml", job("early"))
        .file("canary.toml", job("canary"));
    assert!(case.run(["plan", "early.toml", "--tenant", "dev"]).exits(4).stderr.contains("tag:ring=early"));
    // Allowed, and then there is nobody at that address.
    case.run(["plan", "canary.toml", "--tenant", "dev", "--max-retries", "0"]).exits(3);
}

#[test]
fn a_missing_variable_is_named_with_its_near_miss_and_the_ways_to_give_it() {
    let case = Case::new()
        .file("job.toml", format!("[vars]\nhost = \"x\"\n{RULE}set.description = \"{{{{ vars.hots }}}}\"\n"));
    let done = case.run(["plan", "job.toml", "--sandbox"]);
    assert!(done.exits(64).stderr.contains("there is no `vars.hots`"), "{done}");
    assert!(done.stderr.contains("did you mean `vars.host`?") && done.stderr.contains("job.toml:"), "{done}");
    let case = Case::new().file("job.toml", format!("{RULE}set.description = \"{{{{ vars.region }}}}\"\n"));
    assert!(case.run(["plan", "job.toml", "--sandbox"]).exits(64).stderr.contains("--var region="));
}

#[test]
fn the_environment_is_seen_only_by_permission_and_credentials_never() {
    let job = format!("{RULE}set.description = \"{{{{ env('REGION') }}}}\"\n");
    let case = Case::new().env("REGION", "EU").file("job.toml", job);
    let done = case.run(["plan", "job.toml", "--sandbox"]);
    assert!(done.exits(64).stderr.contains("--allow-env REGION"), "{done}");
    let plan = planned(&case, &["plan", "job.toml", "--sandbox", "--allow-env", "REGION"]);
    assert!(afters(&plan).contains(&json!("EU")), "{plan}");
    let case = case.env("AUTH0_CLIENT_SECRET", "hush");
    let done = case.run(["plan", "job.toml", "--sandbox", "--allow-env", "AUTH0_CLIENT_SECRET"]);
    assert!(done.exits(64).stderr.contains("credential") && !done.shown().contains("hush"), "{done}");
}

#[test]
fn where_on_the_command_line_narrows_every_update_and_skips_the_rest() {
    let served = Served::quick();
    let case = served.case().file("job.toml", format!("{RULE}set.description = \"x\"\n"));
    case.run(["apply", "job.toml", "--yes", "--where", "name == 'acme-shop-dev'"]).exits(0);
    let results = case.results();
    let of = |name: &str| {
        let row = results.iter().find(|row| row["_client_name"] == name).unwrap();
        (row["_result"].clone(), row["_reason"].clone())
    };
    assert_eq!(of("acme-shop-dev"), ("updated".into(), String::new()));
    assert_eq!(of("acme-portal-dev"), ("skipped".into(), "where".into()));
    assert_eq!(served.counters().patch, 1);
    let done = case.run(["plan", "job.toml", "--where", "nmae == 'x'"]);
    assert!(done.exits(64).stderr.contains("did you mean `name`?"), "{done}");
}

#[test]
fn protected_clients_are_left_out_of_rules_and_refuse_a_job_that_names_them() {
    let served = Served::quick();
    let (portal, shop) = (served.id("acme-portal-dev"), served.id("acme-shop-dev"));
    let guard = format!("guards.protect = [\"{portal}\"]\n");
    let case = served
        .case()
        .file("rule.toml", format!("{guard}{RULE}set.description = \"x\"\n"))
        .file("id.toml", format!("{guard}[[update]]\nclient_id = \"{portal}\"\nset.description = \"y\"\n[[update]]\nclient_id = \"{shop}\"\nset.description = \"y\"\n"));
    case.run(["apply", "rule.toml", "--yes"]).exits(0);
    assert!(served.client(&portal).get("description").is_none_or(|text| text != "x"));
    assert_eq!(served.client(&shop)["description"], "x");
    assert!(case.result_words().contains(&"skipped".to_owned()));
    let done = case.run(["apply", "id.toml", "--yes"]);
    assert!(done.exits(4).stderr.contains(&portal), "{done}");
    assert_eq!(served.client(&shop)["description"], "x", "nothing was written");
    case.run(["apply", "id.toml", "--yes", "--force", "protect"]).exits(0);
    assert_eq!(served.client(&portal)["description"], "y");
}

#[test]
fn an_entry_of_protect_that_protects_nobody_is_no_secret() {
    let served = Served::quick();
    let (portal, job) = (served.id("acme-portal-dev"), format!("{RULE}set.sso = true\n"));
    let with = |entry: &str| format!("[guards]\nprotect = [\"{entry}\"]\n{job}");
    let case = served
        .case()
        .file("name.toml", with("Acme Portal"))
        .file("typo.toml", with(&format!("{portal}x")))
        .file("right.toml", with(&portal));
    let name = case.run(["check", "name.toml"]);
    assert!(name.exits(64).stderr.contains("`protect` takes ids of clients"), "{name}");
    let typo = case.run(["plan", "typo.toml"]);
    assert!(typo.exits(0).stderr.contains(&format!("`protect` names {portal}x")), "{typo}");
    let right = case.run(["plan", "right.toml"]);
    assert!(!right.exits(0).stderr.contains("`protect` names"), "{right}");
}

#[test]
fn a_long_value_is_cut_in_the_middle_and_shown_whole_where_all_is_asked_for() {
    let served = Served::quick();
    let long = format!("begin {} middle {} end", "a".repeat(55), "b".repeat(55));
    let case = served.case().file("job.toml", format!("{RULE}set.description = \"{long}\"\n"));
    let short = case.run(["plan", "job.toml"]);
    assert!(!short.exits(0).stdout.contains("middle aaa"), "{short}");
    assert!(!short.stdout.contains(&long) && short.stdout.contains("--full shows all"), "{short}");
    let full = case.run(["plan", "job.toml", "--full"]);
    assert!(full.exits(0).stdout.contains(&long) && !full.stdout.contains("--full shows all"), "{full}");
}

#[test]
fn what_to_type_after_a_mistake_reads_the_job_as_this_command_did() {
    let served = Served::quick();
    let case = served.case().file("job.csv", "match.name,nmae,Extra\nA,b,c\n");
    let done =
        case.run(["plan", "job.csv", "--ignore-column", "Extra", "--encoding=windows-1252", "--limit", "3"]);
    let next = "next:  patchwave check job.csv --ignore-column Extra --encoding=windows-1252\n";
    assert!(done.exits(64).stderr.ends_with(next), "{done}");
}

#[test]
fn a_column_that_the_spreadsheet_lacks_is_told_once_at_the_job() {
    let case = Case::new()
        .file("s.csv", "Alt;Neu\na;b\nc;d\ne;f\n")
        .file("job.toml", "[[update]]\nrows = \"s.csv\"\nmatch.name = \"{{ row.Alt }}\"\nset.name = \"{{ row.Nue }}\"\nset.description = \"{{ row.Absender }}\"\n");
    let done = case.run(["check", "job.toml"]);
    let said = &done.exits(64).stderr;
    assert!(said.contains("job.toml:4:") && said.contains("did you mean `row['Neu']`"), "{done}");
    assert!(said.contains("job.toml:5:") && said.contains("s.csv has the columns `Alt`, `Neu`"), "{done}");
    assert!(said.contains("2 mistakes"), "{done}");
}

#[test]
fn a_field_that_was_not_asked_for_may_be_added_to_a_fetched_file() {
    let served = Served::quick();
    let case = served.case();
    for form in ["json", "csv"] {
        let (file, id) = (format!("some.{form}"), served.id("acme-billing"));
        case.run(["get", &id, "--fields", "name,app_type", "-o", &file]).exits(0);
        assert!(!case.read(&file).contains("description"));
        let added = match form {
            "json" => case.read(&file).replacen('{', "{\"description\": \"new\",", 1),
            _ => {
                let text = case.read(&file);
                let mut lines = text.lines();
                let (header, row) = (lines.next().unwrap(), lines.next().unwrap());
                format!("description,{header}\nnew,{row}\n")
            }
        };
        let name = format!("added.{form}");
        std::fs::write(case.path(&name), added).unwrap();
        let plan = planned(&case, &["plan", &name]);
        assert_eq!(afters(&plan), [json!("new")], "{plan}");
    }
}

#[test]
fn get_writes_no_form_that_it_does_not_know() {
    let served = Served::quick();
    let case = served.case();
    let done = case.run(["get", "--all", "-o", "clients.xlsx"]);
    assert!(done.exits(64).stderr.contains("xlsx is no form"), "{done}");
    let done = case.run(["get", "--all", "--fields", "nme"]);
    assert!(done.exits(64).stderr.ends_with("next:  patchwave get --help\n"), "{done}");
    let done = case.run(["check", "."]);
    assert!(done.exits(64).stderr.contains("name the files in it, as in ./*.toml"), "{done}");
    let done = case.run(["get", "--all", "-o", "nowhere/clients.csv"]);
    assert!(done.exits(3).stderr.contains("there is no folder nowhere"), "{done}");
}

#[test]
fn the_flags_of_a_job_may_stand_in_the_environment_and_its_permissions_in_the_configuration() {
    let served = Served::quick();
    let tenant = served.tenant();
    let id = served.id("acme-portal-dev");
    let sheet = [b"client_id,name,Notes\n".as_slice(), id.as_bytes(), b",B\xfcro,x\n"].concat();
    let config = format!(
        "allow_env = [\"STAGE\"]\nextra_fields = [\"brand_new\"]\n[tenants.dev]\ndomain = \"{}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"DEV_KEY\" }}\n",
        tenant.domain().base_url(),
        tenant.client_id()
    );
    let case = Case::new()
        .env("DEV_KEY", tenant.client_secret().expose())
        .env("STAGE", "blue")
        .env("PATCHWAVE_TENANT", "dev")
        .env("PATCHWAVE_WHERE", "name == 'acme-portal-dev'")
        .env("PATCHWAVE_IGNORE_COLUMN", "Notes")
        .env("PATCHWAVE_ENCODING", "windows-1252")
        .file("patchwave.toml", config)
        .file("job.csv", sheet)
        .file(
            "job.toml",
            format!("{RULE}set.description = \"{{{{ env('STAGE') }}}}\"\nset.brand_new = \"x\"\n"),
        );
    assert_eq!(afters(&planned(&case, &["plan", "job.csv"])), [json!("Büro")]);
    let plan = planned(&case, &["plan", "job.toml"]);
    assert_eq!(afters(&plan), [json!("blue"), json!("x")], "{plan}");
    case.run(["check", "job.toml", "job.csv"]).exits(0);
}

#[test]
fn count_refuses_another_number_of_clients() {
    let case = Case::new().file("job.toml", format!("{RULE}set.description = \"x\"\ncount = 2\n"));
    let done = case.run(["apply", "job.toml", "--sandbox"]);
    assert!(done.exits(4).stderr.contains("update 1 must select 2 clients, and 3 fit"), "{done}");
    let case = Case::new().file("job.toml", format!("{RULE}set.description = \"x\"\ncount = \"3..5\"\n"));
    case.run(["apply", "job.toml", "--sandbox"]).exits(0);
}

#[test]
fn rows_of_a_spreadsheet_of_any_layout_are_read_from_beside_the_job_and_repeated_in_the_report() {
    let served = Served::quick();
    let (a, b) = (served.id("acme-portal-dev"), served.id("acme-shop-dev"));
    let sheet = format!("App ID;Neuer Name;Notiz\r\n{a}; Portal ;wichtig\r\n{b};;\r\n");
    let job = "[[update]]\nrows = \"sheets/apps.csv\"\nclient_id = \"{{ row['App ID'] }}\"\nset.name = \"{{ row['Neuer Name'] | trim }}\"\n";
    let case = served.case().file("jobs/job.toml", job).file("jobs/sheets/apps.csv", sheet);
    case.run(["apply", "jobs/job.toml", "--yes"]).exits(0);
    assert_eq!(served.client(&a)["name"], "Portal");
    assert_eq!(served.client(&b)["name"], "acme-shop-dev");
    let rows = case.results();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0]["Notiz"].as_str(), rows[0]["_row"].as_str(), rows[0]["_result"].as_str()),
        ("wichtig", "2", "updated")
    );
    assert_eq!(
        (rows[1]["App ID"].as_str(), rows[1]["_row"].as_str(), rows[1]["_result"].as_str()),
        (b.as_str(), "3", "unchanged")
    );
}

#[test]
fn a_mistake_in_a_row_is_shown_in_the_spreadsheet() {
    let job = "[[update]]\nrows = \"apps.csv\"\nclient_id = \"{{ row.id }}\"\nset.sso = \"{{ row.single | lower }}\"\n";
    let case = Case::new().file("job.toml", job).file("apps.csv", "id,single\na,TRUE\nb,perhaps\n,false\n");
    let done = case.run(["check", "job.toml"]);
    for words in ["apps.csv:3:3", "row 3, column B (`single`)", "true or false", "apps.csv:4:1", "row 4"] {
        assert!(done.exits(64).stderr.contains(words), "nothing says {words}: {done}");
    }
}

#[test]
fn a_file_in_another_encoding_and_columns_that_mean_nothing_are_read_where_that_is_said() {
    let served = Served::quick();
    let id = served.id("acme-portal-dev");
    let sheet = [b"client_id,name,Notes\n".as_slice(), id.as_bytes(), b",B\xfcro,x\n"].concat();
    let case = served.case().file("job.csv", sheet);
    let done = case.run(["check", "job.csv", "--ignore-column", "Notes"]);
    assert!(done.exits(64).stderr.contains("--encoding windows-1252"), "{done}");
    let done = case.run(["check", "job.csv", "--encoding", "windows-1252"]);
    assert!(done.exits(64).stderr.contains("--ignore-column 'Notes'"), "{done}");
    case.run(["apply", "job.csv", "--yes", "--ignore-column", "Notes", "--encoding", "windows-1252"])
        .exits(0);
    assert_eq!(served.client(&id)["name"], "Büro");
    assert_eq!(case.results()[0]["Notes"], "x");
}

#[test]
fn a_field_that_auth0_added_lately_is_let_through_where_that_is_said() {
    let case = Case::new()
        .file("job.toml", "[[update]]\nmatch.name = \"Billing\"\nset.brand_new_setting = { a = 1 }\n");
    let done = case.run(["check", "job.toml"]);
    assert!(done.exits(64).stderr.contains("--allow-field 'brand_new_setting'"), "{done}");
    case.run(["check", "job.toml", "--allow-field", "brand_new_setting"]).exits(0);
    let plan = planned(&case, &["plan", "job.toml", "--sandbox", "--allow-field", "brand_new_setting"]);
    assert_eq!(plan["tenants"][0]["changes"][0]["patch"], json!({"brand_new_setting": {"a": 1}}));
}

#[test]
fn what_get_writes_in_each_form_is_a_job_that_plans_nothing() {
    let served = Served::quick();
    let case = served.case();
    for file in ["all.json", "all.jsonl", "all.csv", "all.toml"] {
        case.run(["get", "--all", "-o", file]).exits(0);
        let before = served.counters().by_status.values().sum::<u64>();
        let done = case.run(["plan", file, "--detailed-exitcode"]);
        assert!(done.exits(0).stdout.contains("Nothing to do"), "{done}");
        assert_eq!(served.counters().by_status.values().sum::<u64>(), before, "{file}: nothing need be read");
    }
    let done = case.run(["get", "--all", "--format", "csv"]);
    let header = done.exits(0).stdout.lines().next().unwrap();
    assert!(header.starts_with("client_id,name,") && header.ends_with(",_base"), "{header}");
    assert!(!header.split(',').any(|column| column == "tenant"), "{header}");
    assert!(done.stdout.contains("'=SUM(A1) imported"), "a formula is guarded");
}

#[test]
fn one_edited_cell_of_a_fetched_spreadsheet_is_one_patch_of_that_field() {
    let served = Served::quick();
    let case = served.case();
    case.run([
        "get",
        "--where",
        "app_type == 'spa'",
        "--fields",
        "callbacks,client_metadata.owner",
        "-o",
        "spa.csv",
    ])
    .exits(0);
    let sheet = case.read("spa.csv");
    assert!(sheet.lines().next().unwrap().starts_with("client_id,name,callbacks"), "{sheet}");
    let edited = sheet.replace("acme-portal-dev,", "Portal dev,");
    assert_ne!(edited, sheet);
    let case = case.file("edited.csv", edited);
    case.run(["apply", "edited.csv", "--yes"]).exits(0);
    let patches = served.counters().patches;
    let bodies: Vec<Value> =
        patches.iter().map(|patch| serde_json::from_slice(&patch.body).unwrap()).collect();
    assert_eq!(bodies, [json!({"name": "Portal dev"})]);
}

#[test]
fn get_takes_the_kind_by_name_and_refuses_what_makes_no_sense() {
    let case = Case::new();
    let done = case.run(["get", "clients", "--sandbox", "--fields", "app_type", "--format", "jsonl"]);
    let first: Value = serde_json::from_str(done.exits(0).stdout.lines().next().unwrap()).unwrap();
    let keys: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["client_id", "name", "app_type", "_base"]);
    for (args, words) in [
        (vec!["get", "--all", "--sandbox", "--fields", "nmae"], "did you mean `name`?"),
        (vec!["get", "--sandbox", "--where", "app_type = 'spa'"], "`==`"),
        (vec!["get", "--all", "--sandbox", "--format", "csv", "-o", "x.json"], "different forms"),
    ] {
        let done = case.run(args);
        assert!(done.exits(64).stderr.contains(words), "nothing says {words}: {done}");
    }
}

#[test]
fn a_template_that_has_no_value_for_many_clients_is_told_once_and_nothing_is_sent() {
    let served = Served::quick();
    let case = served.case().file(
        "job.toml",
        "[[update]]\nmatch = { name = \"*\" }\nset.description = \"of {{ client_metadata.nobody }}\"\n",
    );
    let done = case.run(["apply", "job.toml", "--yes"]);
    assert!(done.exits(64).stderr.contains("`client_metadata.nobody` is none"), "{done}");
    assert_eq!(done.stderr.matches("is none").count(), 1, "{done}");
    assert!(done.stderr.contains(" more: "), "{done}");
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn a_planned_value_that_the_api_refuses_is_found_before_anything_is_sent() {
    let served = Served::quick();
    let case = served.case().file("job.toml", format!("{RULE}set.description = \"{{{{ name * 20 }}}}\"\n"));
    let done = case.run(["apply", "job.toml", "--yes"]);
    let id = served.id("acme-portal-dev");
    for words in ["update 1", &id, "acme-portal-dev", "at most 140"] {
        assert!(done.exits(64).stderr.contains(words), "nothing says {words}: {done}");
    }
    assert_eq!(served.counters().patch, 0);
}
