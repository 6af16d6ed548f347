//! What would be written, or selected, by accident if it were not for a rule: each of these a careful reader once fell for.

use serde_json::{Value, json};

use super::{World, check};

fn client(fields: Value) -> Value {
    let mut body = json!({"client_id": "a", "name": "Billing"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn world(fields: Value) -> World {
    World::new(json!([client(fields)]))
}

fn on_a(lines: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\n{lines}\n")
}

fn all(lines: &str) -> String {
    format!("[[update]]\nmatch = {{ name = \"*\" }}\n{lines}\n")
}

#[test]
fn add_and_remove_never_empty_a_list() {
    let world = world(json!({"callbacks": ["https://a.example"]})).vars(json!({"extra": null}));
    for lines in [
        "add.callbacks = \"{{ client_metadata.more | default(none) }}\"",
        "remove.callbacks = \"{{ client_metadata.old | default([]) }}\"",
        "add.callbacks = \"{{ none }}\"",
    ] {
        assert_eq!(world.plan("job.toml", on_a(lines)), "a unchanged", "{lines}");
    }
    let told = world.plan("job.toml", on_a("add.callbacks = \"{{ client_metadata.more }}\""));
    assert!(told.starts_with("exit 64") && told.contains("default([])"), "{told}");
    let rows =
        "[[update]]\nrows = \"r.csv\"\nclient_id = \"{{ row.id }}\"\nremove.callbacks = \"{{ row.cb }}\"\n";
    let told = world.file("r.csv", "id,cb\na,@null\n").plan("job.toml", rows);
    assert!(told.starts_with("exit 64") && told.contains("@null"), "{told}");
}

#[test]
fn what_is_absent_equals_no_list_and_no_object() {
    let world = world(json!({}));
    for condition in
        ["callbacks == ['https://b.example']", "callbacks == []", "addons == {}", "['x'] == callbacks"]
    {
        let told = world.plan("job.toml", format!("[[update]]\nwhere = \"{condition}\"\nset.sso = true\n"));
        assert!(told.ends_with("skipped no_match"), "{condition}: {told}");
    }
    let told = world.plan(
        "job.toml",
        "[[update]]\nwhere = \"none == callbacks and callbacks == web_origins\"\nset.sso = true\n",
    );
    assert_eq!(told, "a sso absent → true");
}

#[test]
fn defined_is_what_has_a_value() {
    let world = world(json!({"description": "x"}));
    let told = |condition: &str| {
        world.plan("job.toml", format!("[[update]]\nwhere = \"{condition}\"\nset.sso = true\n"))
    };
    assert_eq!(told("description is defined and initiate_login_uri is undefined"), "a sso absent → true");
    assert!(told("client_metadata.team is defined").ends_with("no_match"));
}

#[test]
fn a_misspelt_name_behind_client_is_an_error_however_it_is_spelt() {
    let world = world(json!({}));
    for code in ["client['nmae'] != 'x'", "client.name and client['nmae'] is none"] {
        let told = world.plan("job.toml", format!("[[update]]\nwhere = \"{code}\"\nset.sso = true\n"));
        assert!(told.starts_with("exit 64") && told.contains("name"), "{code}: {told}");
    }
}

#[test]
fn a_variable_that_is_empty_does_not_widen_a_pattern() {
    let told = world(json!({}))
        .var("prefix", "")
        .plan("job.toml", "[[update]]\nmatch.name = \"{{ vars.prefix }}*\"\nset.sso = true\n");
    assert!(told.starts_with("exit 64") && told.contains("vars.prefix"), "{told}");
}

#[test]
fn replace_empties_no_key_for_want_of_another_field() {
    let world = world(json!({"client_metadata": {"team": "billing"}}));
    let told =
        world.plan("job.toml", on_a("replace.client_metadata = { team = \"{{ client_metadata.taem }}\" }"));
    assert!(told.starts_with("exit 64") && told.contains("client_metadata.taem"), "{told}");
}

#[test]
fn nothing_that_is_made_of_an_absent_field_empties_another_one() {
    let world =
        world(json!({"allowed_logout_urls": ["https://l.example"], "description": "hello", "sso": true}));
    for lines in [
        "set.allowed_logout_urls = \"{{ callbacks | list }}\"",
        "set.allowed_logout_urls = \"{{ client_metadata.zzz | sort }}\"",
        "set.description = \"{{ callbacks | join(',') }}\"",
        "set.sso = \"{{ client_metadata.zzz | bool }}\"",
    ] {
        let told = world.plan("job.toml", on_a(lines));
        assert!(told.starts_with("exit 64") && told.contains(" is none"), "{lines}: {told}");
    }
    assert_eq!(
        world.plan("job.toml", on_a("set.callbacks = \"{{ callbacks | reject('eq', 'x') | list }}\"")),
        "a unchanged"
    );
}

#[test]
fn an_id_that_looks_like_a_formula_survives_a_spreadsheet_of_get() {
    let world = World::new(json!([{"client_id": "-aaaa", "name": "=x"}]));
    let file = world.get("csv");
    assert_eq!(world.plan("all.csv", &file), "-aaaa unchanged", "{file}");
    assert_eq!(world.plan("all.csv", file.replace("'=x", "y")), "-aaaa name \"=x\" → \"y\"");
}

#[test]
fn text_is_not_compared_with_numbers_nor_numbers_with_text() {
    for (condition, words) in [
        ("client_metadata.level > 6", "client_metadata.level | int"),
        ("refresh_token.leeway == '30'", "without quotes"),
        ("is_first_party == 'true'", "not is_first_party"),
        ("client_secret is none", "is a secret"),
    ] {
        let told = check("job.toml", format!("[[update]]\nwhere = \"{condition}\"\nset.sso = true\n"));
        assert!(told.contains(words), "{condition}: {told}");
    }
    assert_eq!(
        check(
            "job.toml",
            "[[update]]\nwhere = \"client_metadata.level == '6' and refresh_token.leeway > 6\"\nset.sso = true\n"
        ),
        "ok"
    );
}

#[test]
fn an_edit_of_a_fetched_file_that_cannot_be_read_is_an_error() {
    let world = world(
        json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 30}, "description": "cafe"}),
    );
    let file = world.get("json");
    for (from, to) in [("30", "1e999"), ("\"cafe\"", "\"caf\\ud83d\"")] {
        let told = world.plan("all.json", file.replace(from, to));
        assert!(told.starts_with("exit 64") && told.contains("cannot be read"), "{to}: {told}");
    }
}

#[test]
fn an_empty_cell_joined_to_text_is_an_error_unless_the_code_provides_for_it() {
    let rows = |text: &str| {
        format!("[[update]]\nrows = \"r.csv\"\nclient_id = \"{{{{ row.id }}}}\"\nset.name = \"{text}\"\n")
    };
    let world = world(json!({})).file("r.csv", "id,name\na,\n");
    for text in ["{{ row.name ~ ' EU' }}", "{{ 'EU ' ~ row.name }}", "EU {{ row.name }}"] {
        let told = world.plan("job.toml", rows(text));
        assert!(told.starts_with("exit 64") && told.contains("row 2"), "{text}: {told}");
    }
    let filled = world.plan("job.toml", rows("{{ (row.name or name) ~ ' EU' }}"));
    assert!(filled.starts_with("exit 4: ") && filled.contains("again"), "{filled}");
    assert_eq!(
        world.plan("job.toml", rows("{% if row.name %}{{ row.name }}{% else %}Shop{% endif %}")),
        "a name \"Billing\" → \"Shop\""
    );
}

#[test]
fn an_expectation_that_equals_the_new_value_is_still_an_expectation() {
    let told = world(json!({"description": "first"})).plan(
        "job.toml",
        on_a("set.description = \"zzz\"\nset.client_metadata.q = \"2\"\nexpect.description = \"zzz\""),
    );
    assert_eq!(told, "a conflict expect");
}

#[test]
fn an_update_that_runs_once_does_not_hide_another_that_changes_again() {
    let job = all("repeatable = false\nadd.client_aliases = [\"once\"]")
        + &all("add.client_aliases = [\"n{{ client_aliases | default([]) | length }}\"]");
    let told = world(json!({})).plan("job.toml", job);
    assert!(told.starts_with("exit 4: update 2"), "{told}");
}

#[test]
fn a_quote_that_is_not_doubled_swallows_no_row() {
    let told = check("job.csv", "match.name,description\nShop,\"Hello\nPay,\"World\"\nBilling,\"x\"\n");
    assert!(told.contains("job.csv:3:5") && told.contains("closing quote"), "{told}");
    assert_eq!(check("job.csv", "match.name,description\nShop,\"Say \"\"hi\"\"\"\nPay,a \"b\" c\n"), "ok");
}

#[test]
fn an_edited_number_of_an_unknown_field_stays_a_number() {
    let world = world(json!({"addons": {"samlp": {"mappings": {"n": 7.5}}}}));
    let file = world.get("csv");
    assert_eq!(world.plan("all.csv", file.replace("7.5", "8")), "a addons.samlp.mappings.n 7.5 → 8");
}

#[test]
fn replace_removes_nothing_that_holds_a_secret() {
    let world = world(
        json!({"addons": {"samlp": {"audience": "a"}, "azure_sb": {"namespace": "n", "sasKey": "hush"}}}),
    );
    let told = world.plan("job.toml", on_a("replace.addons = { samlp = { audience = \"b\" } }"));
    assert!(
        told.starts_with("exit 64") && told.contains("addons.azure_sb") && !told.contains("hush"),
        "{told}"
    );
}

#[test]
fn numbers_of_guards_may_be_written_in_any_radix() {
    let two = "[[update]]\nmatch = { name = \"*\" }\ncount = 0b1\nset.sso = true\n";
    assert_eq!(world(json!({})).plan("job.toml", two), "a sso absent → true");
}

#[test]
fn many_rows_of_one_client_are_judged_in_one_go() {
    let rows: String = (0..3000).map(|at| format!("a,c{at}\n")).collect();
    let told = world(json!({})).plan("job.csv", format!("client_id,add.allowed_clients\n{rows}"));
    assert_eq!(told.lines().count(), 1);
    assert!(told.contains("\"c2999\""));
}

#[test]
fn a_listed_value_in_another_spelling_is_a_mistake_wherever_it_selects() {
    for (job, place) in [
        ("[[update]]\nmatch.app_type = \"SPA\"\nset.sso = true\n", "job.toml:2:18"),
        ("[[update]]\nmatch.app_type = \"Regular Web\"\nset.sso = true\n", "job.toml:2:18"),
        ("[[update]]\nwhere = \"app_type == 'SPA'\"\nset.sso = true\n", "job.toml:2:"),
        ("[[update]]\nwhere = \"'SPA' != app_type\"\nset.sso = true\n", "job.toml:2:"),
    ] {
        let told = check("job.toml", job);
        assert!(told.contains(place) && told.contains("`app_type` is never"), "{job}: {told}");
    }
    // What is in no list may be newer than the list.
    assert_eq!(check("job.toml", "[[update]]\nmatch.app_type = \"holo\"\nset.sso = true\n"), "ok");
    assert_eq!(check("job.toml", "[[update]]\nwhere = \"app_type == 'spa'\"\nset.sso = true\n"), "ok");
    assert_eq!(check("job.toml", "[[update]]\nmatch.app_type = \"S*\"\nset.sso = true\n"), "ok");
    let told = check("job.csv", "match.app_type,sso\nspa,true\nSPA,true\n");
    assert!(told.contains("job.csv:3:1") && told.contains("did you mean spa?"), "{told}");
}

#[test]
fn the_mark_of_a_formula_is_warned_of_where_nothing_will_drop_it() {
    let world = world(json!({"name": "=SUM(A1)"}));
    let get = world.get("csv");
    assert!(get.contains("'=SUM(A1)"), "{get}");
    assert_eq!(world.plan("job.csv", &get), "a unchanged", "an unedited file plans nothing");
    let told = world.plan("job.csv", "client_id,name\na,'=SUM(A1)\n");
    assert!(
        told.starts_with("warning: job.csv:2:3: row 2, column B (`name`): the text begins with a `'`"),
        "{told}"
    );
    assert!(told.contains("_base"), "{told}");
}

#[test]
fn a_client_whose_new_name_was_made_of_its_old_one_is_found_again() {
    for (rename, new) in [
        ("{{ name }} EU", "Billing EU"),
        ("{{ name | lower }}", "billing"),
        ("{{ name }} {{ app_type }}", "Billing spa"),
        ("{{ name }} {{ vars.v }}", "Billing 2"),
    ] {
        let job = format!("[vars]\nv = 2\n[[update]]\nmatch.name = \"Billing\"\nset.name = \"{rename}\"\n");
        let told = world(json!({"app_type": "spa"})).plan("job.toml", &job);
        assert_eq!(told, format!("a name \"Billing\" → {new:?}"));
        let told = world(json!({"app_type": "spa", "name": new})).plan("job.toml", &job);
        assert_eq!(told, "a unchanged", "{rename}");
    }
    // Somebody else's client, or one that differs otherwise.
    let job = "[[update]]\nmatch.name = \"Billing\"\nset.name = \"{{ name }} EU\"\nset.description = \"{{ name }}\"\n";
    assert!(world(json!({"name": "Shop EU"})).plan("job.toml", job).contains("failed not_found"));
    assert!(world(json!({"name": "Billing EU"})).plan("job.toml", job).contains("failed not_found"));
    assert_eq!(
        world(json!({"name": "Billing EU", "description": "Billing"})).plan("job.toml", job),
        "a unchanged"
    );
}

#[test]
fn below_a_key_of_metadata_that_is_not_there_is_none_as_well() {
    let job = on_a("set.description = \"{{ client_metadata.nix.deeper | default('D') }}\"");
    assert_eq!(world(json!({})).plan("job.toml", &job), "a description absent → \"D\"");
    let told = check("job.toml", on_a("set.description = \"{{ client_metadata.team.upper() }}\""));
    assert!(told.contains("`client_metadata.team` is text"), "{told}");
}

#[test]
fn the_mark_of_a_secret_means_nothing_where_none_was() {
    let world = world(json!({"description": "x"}));
    for (form, edit) in [
        ("json", ("\"description\": \"x\"", "\"description\": \"(secret: kept as it is)\"")),
        ("csv", (",x,", ",(secret: kept as it is),")),
    ] {
        let get = world.get(form);
        let edited = get.replace(edit.0, edit.1);
        assert_ne!(get, edited, "{get}");
        let told = world.plan(&format!("job.{form}"), edited);
        assert!(told.starts_with("exit 64") && told.contains("the mark of a secret"), "{form}: {told}");
    }
}

#[test]
fn rows_that_results_give_to_a_tenant_are_for_that_tenant() {
    let job = "[[update]]\nrows = \"results.csv\"\nmatch.name = \"{{ row.App }}\"\nset.description = \"x\"\n";
    let world = |tenant: &str| {
        world(json!({})).file("results.csv", format!("App,_result,_tenant\nBilling,failed,{tenant}\n"))
    };
    assert_eq!(world("").plan("job.toml", job), "a description absent → \"x\"");
    assert_eq!(world("dev").plan("job.toml", job), "a description absent → \"x\"");
    assert_eq!(world("prod").plan("job.toml", job), "");
}

#[test]
fn a_file_that_is_cut_off_is_no_whole_file() {
    let mut bytes: Vec<u8> = [0xfeff_u16]
        .into_iter()
        .chain("match.name,description\nBilling,abc".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(check("job.csv", &bytes), "ok");
    bytes.pop();
    assert!(check("job.csv", &bytes).starts_with("exit 64"));
}

#[test]
fn an_object_that_lost_its_base_is_named() {
    let world = World::new(json!([{"client_id": "a", "name": "A"}, {"client_id": "b", "name": "B"}]));
    let get = world.get("json");
    let begin = get.rfind(",\"_base\"").or_else(|| get.rfind("\"_base\"")).unwrap();
    let end = begin + get[begin..].find('}').unwrap();
    let lost = format!("{}{}", get[..begin].trim_end().trim_end_matches(','), &get[end..]);
    let told = world.plan("job.json", lost);
    assert!(told.starts_with("exit 64") && told.contains("item 2 has no `_base`"), "{told}\n{get}");
}
