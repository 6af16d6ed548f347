//! A file from `get`, of any kind and in each form, is a job that changes what was edited in it, and nothing else.

use patchwave::catalogue::{Kind, kinds};
use patchwave::sandbox::Options;
use serde_json::{Value, json};

use super::changes::{Change, Inventor};
use super::values::{text, toml};
use super::{Plan, Planned, is_the_services, state, tenant, writes};
use crate::common::{Case, Served};

/// A form of such files.
struct Form {
    extension: &'static str,
    /// Edits the file so that an object's field holds another value; whether the form has a place for it.
    edit: fn(&mut File, &str, &Change) -> bool,
}

/// A fetched file in the hands of somebody who edits it.
struct File {
    kind: &'static Kind,
    text: String,
}

/// One field of each object is edited, of each another one.
fn edited(form: &Form) {
    let served = tenant(Options::default());
    let case = served.case();
    for kind in kinds() {
        let name = format!("{}.{}", kind.name, form.extension);
        case.run(["get", kind.name.as_str(), "-o", &name]).exits(0);
        unedited_is_nothing_to_do(&served, &case, &name);
        let before = state(&served);
        let objects = &before[kind.name.as_str()];
        let inventor = Inventor::new(kind, objects, 0);
        let mut file = File { kind, text: case.read(&name) };
        let (mut planned, mut done) = (Vec::new(), Vec::new());
        for body in objects.iter().filter(|body| !is_the_services(&served, kind, body)) {
            let id = text(body, &kind.endpoint.id_field).to_owned();
            let mut steps: Vec<_> = inventor.steps(body).into_iter().filter(|step| step.len() == 1).collect();
            steps.sort_by_key(|step| done.contains(&step[0].what()));
            let made = steps.into_iter().find(|step| (form.edit)(&mut file, &id, &step[0]));
            done.extend(made.iter().flatten().map(Change::what));
            planned.extend(made.map(|step| Planned { kind, id, step, update: String::new() }));
        }
        assert!(planned.len() > 1, "{name}: nothing could be edited");
        std::fs::write(case.path(&name), &file.text).unwrap();
        let plan = Plan { planned, before };
        let done = case.run(["apply", &name, "--yes"]);
        done.exits(0);
        let updated = case.result_words().into_iter().filter(|word| word == "updated").count();
        assert_eq!(updated, plan.planned.len(), "{done}");
        plan.is_carried_out(&served);
    }
}

fn unedited_is_nothing_to_do(served: &Served, case: &Case, name: &str) {
    let sent = writes(served);
    case.run(["plan", name, "--detailed-exitcode"]).exits(0);
    case.run(["apply", name, "--yes"]).exits(0);
    assert_eq!(writes(served), sent, "{name}");
}

#[test]
fn an_edited_json_file_of_any_kind_changes_what_was_edited() {
    let edit = |file: &mut File, id: &str, change: &Change| {
        let mut all: Value = serde_json::from_str(&file.text).unwrap();
        let id_field = &file.kind.endpoint.id_field;
        let object = all.as_array_mut().unwrap().iter_mut().find(|object| object[id_field] == id).unwrap();
        change.path.put(object.as_object_mut().unwrap(), change.after.clone().unwrap_or_default());
        file.text = serde_json::to_string_pretty(&all).unwrap();
        true
    };
    edited(&Form { extension: "json", edit });
}

#[test]
fn an_edited_toml_file_of_any_kind_changes_what_was_edited() {
    let edit = |file: &mut File, id: &str, change: &Change| {
        let Some(value) = &change.after else { return false };
        let id_line = format!("{} = {}", file.kind.endpoint.id_field, json!(id));
        let key = format!("set.{} = ", change.path);
        let line = format!("{key}{}", toml(value));
        let mut lines: Vec<&str> = file.text.lines().collect();
        let begin = lines.iter().position(|line| *line == id_line).unwrap();
        let length = lines[begin..].iter().position(|line| line.is_empty()).unwrap_or(lines.len() - begin);
        match lines[begin..begin + length].iter().position(|line| line.starts_with(&key)) {
            Some(at) => lines[begin + at] = &line,
            None => lines.insert(begin + 1, &line),
        }
        file.text = lines.join("\n") + "\n";
        true
    };
    edited(&Form { extension: "toml", edit });
}

#[test]
fn an_edited_csv_file_of_any_kind_changes_what_was_edited() {
    let edit = |file: &mut File, id: &str, change: &Change| {
        let Some(value) = &change.after else { return false };
        let mut csv = csv::Reader::from_reader(file.text.as_bytes());
        let header = csv.headers().unwrap().clone();
        let Some(column) = header.iter().position(|name| name == change.path.to_string()) else {
            return false;
        };
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(&header).unwrap();
        for record in csv.records() {
            let record = record.unwrap();
            let cell = |(at, cell): (usize, &str)| match value {
                Value::String(text) if at == column && &record[0] == id => text.clone(),
                value if at == column && &record[0] == id => value.to_string(),
                _ => cell.to_owned(),
            };
            out.write_record(record.iter().enumerate().map(cell)).unwrap();
        }
        file.text = String::from_utf8(out.into_inner().unwrap()).unwrap();
        true
    };
    edited(&Form { extension: "csv", edit });
}
