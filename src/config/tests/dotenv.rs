use proptest::prelude::*;

use super::{environment, lines, put, with_file};
use crate::config::env::{Environment, Origin};

fn value(env_file: &str, name: &str) -> Option<String> {
    environment("", env_file).get(name).map(|var| var.expose().to_owned())
}

#[test]
fn the_lines_of_auth0s_tutorial_are_taken_as_they_are() {
    let text = "CLIENT_DOMAIN=\"acme.eu.auth0.com\";\nCLIENT_ID=\"abc\";\nCLIENT_SECRET=\"de-f_1\";\n";
    for text in
        [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_owned()]
    {
        assert_eq!(value(&text, "CLIENT_DOMAIN").as_deref(), Some("acme.eu.auth0.com"));
        assert_eq!(value(&text, "CLIENT_ID").as_deref(), Some("abc"));
        assert_eq!(value(&text, "CLIENT_SECRET").as_deref(), Some("de-f_1"));
    }
}

#[test]
fn a_key_in_pem_is_read_with_quotes_and_without() {
    let pem = "-----BEGIN PRIVATE KEY-----\nAQ+/\nAQ==\n-----END PRIVATE KEY-----";
    let escaped = pem.replace('\n', "\\n");
    for (written, read) in [
        (pem.to_owned(), pem),
        (format!(" {pem} # said"), pem),
        (pem.replace('\n', "\r\n"), pem),
        (format!("\"{pem}\""), pem),
        (format!("'{pem}'"), pem),
        (escaped.clone(), &escaped),
        (format!("'{escaped}'"), &escaped),
        (format!("\"{escaped}\""), pem),
    ] {
        let text = format!("A=1\nX={written}\nB=2\n");
        assert_eq!(value(&text, "X").as_deref(), Some(read), "{text}");
        assert_eq!(
            (value(&text, "A").as_deref(), value(&text, "B").as_deref()),
            (Some("1"), Some("2")),
            "{text}"
        );
    }
}

#[test]
fn a_pasted_key_without_an_end_takes_no_line_of_another_variable() {
    let text = "X=-----BEGIN PRIVATE KEY-----\nAQ==\nB=2\nC='-----BEGIN A-----\nAQ==\n-----END A-----'\n";
    let said = lines(&with_file("", text).unwrap_err());
    assert!(said.contains(".env:1:1") && !said.contains(".env:3"), "{said}");
}

#[test]
fn every_common_way_to_write_a_line_is_read() {
    for line in [
        "X=v1",
        "export X=v1",
        "  export\tX=v1  ",
        "X = v1",
        "X='v1'",
        "X=\"v1\"",
        "X='v1';",
        "X=\"v1\" ; # said",
        "X=v1 # said",
        "X=\"v1\" # don't",
        "# don't\nX=v1",
        "X=v0\nX=v1",
        "\n\n  # A=\"\nX=v1 ",
    ] {
        assert_eq!(value(line, "X").as_deref(), Some("v1"), "{line:?}");
    }
}

#[test]
fn a_dollar_and_other_signs_stay_as_they_are() {
    for (line, expected) in [
        ("X=a$HOME", "a$HOME"),
        ("X=\"a${HOME}b$\"", "a${HOME}b$"),
        ("X='a$HOME'", "a$HOME"),
        ("X=\"a\\$b\"", "a$b"),
        ("X=a#b;c=d", "a#b;c=d"),
        ("X=abc;", "abc;"),
        ("X='a\"b'", "a\"b"),
        ("A=1\nX=$A", "$A"),
    ] {
        assert_eq!(value(line, "X").as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn a_quoted_value_may_have_lines_and_the_next_variable_keeps_its_line_number() {
    let env = environment("", "KEY=\"one\ntwo=\nthree\"\nX=1\n");
    assert_eq!(env.get("KEY").unwrap().expose(), "one\ntwo=\nthree");
    assert_eq!(env.get("X").unwrap().origin, Origin::EnvFile(".env".into(), 4));
}

#[test]
fn an_empty_value_is_as_good_as_none() {
    let env = environment("A= B=1", "A=file\nB=file\nC=\nD=\"\"\n");
    assert_eq!(env.get("A").unwrap().expose(), "file");
    assert_eq!(env.get("B").unwrap().expose(), "1");
    assert_eq!(env.get("B").unwrap().origin, Origin::Environment);
    assert!(env.get("C").is_none() && env.get("D").is_none());
}

#[test]
fn lines_that_cannot_be_read_are_all_named_by_place_and_without_their_value() {
    let text = "A=1\nsecret-words here\n  CLIENT_SECRET=s3cret words\nX=\"s3cret\n";
    let problems = with_file("", text).unwrap_err();
    let said = lines(&problems);
    assert!(said.contains(".env:2:1: this line cannot be read"), "{said}");
    assert!(said.contains(".env:3:3: this line cannot be read"), "{said}");
    assert!(said.contains(".env:4:1: the quote"), "{said}");
    assert!(!format!("{problems:?}").contains("s3cret"));
    assert!(!format!("{problems:?}").contains("secret-words"));
    assert!(format!("{problems:?}").contains("CLIENT_SECRET=************"));
}

#[test]
fn a_credential_set_twice_and_differently_in_one_file_is_refused() {
    let said =
        lines(&with_file("", "AUTH0_DOMAIN=a.auth0.com\nX=1\nX=2\nAUTH0_DOMAIN=b.auth0.com\n").unwrap_err());
    assert!(said.starts_with(".env:4:1: AUTH0_DOMAIN is set before, at .env:1, to another value"), "{said}");
    assert!(with_file("", "AUTH0_DOMAIN=a.auth0.com\nAUTH0_DOMAIN=a.auth0.com\n").is_ok());
}

#[test]
fn the_file_is_found_in_the_folder_or_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let read =
        |named: Option<&str>| Environment::read(named.map(AsRef::as_ref), folder.path(), std::iter::empty());
    assert!(read(None).unwrap().get("X").is_none());
    put(&folder.path().join(".env"), b"X=1\n");
    put(&folder.path().join("other.env"), b"X=2\n");
    put(&folder.path().join("wide.env"), b"\xff\xfeX\0=\0");
    assert_eq!(read(None).unwrap().get("X").unwrap().expose(), "1");
    let other = read(Some("other.env")).unwrap();
    assert_eq!(other.get("X").unwrap().expose(), "2");
    assert_eq!(other.get("X").unwrap().origin.to_string(), "other.env:1");
    assert!(lines(&read(Some("none.env")).unwrap_err()).contains("none.env (--env-file) does not exist"));
    assert!(lines(&read(Some("wide.env")).unwrap_err()).contains("wide.env is not UTF-8 text"));
}

#[test]
fn a_folder_called_env_is_no_env_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".env")).unwrap();
    assert!(Environment::read(None, folder.path(), std::iter::empty()).is_ok());
}

#[test]
fn flags_have_variables_except_those_that_disarm() {
    let env = environment(
        "PATCHWAVE_STATE_DIR=/s PATCHWAVE_YES=1 PATCHWAVE_ALLOW_FIELD=x PATCHWAVE_FORCE=protect",
        "",
    );
    assert_eq!(env.flag("state-dir").unwrap().expose(), "/s");
    assert!(env.flag("yes").is_none() && env.flag("allow-field").is_none() && env.flag("force").is_none());
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(text in "[A-Z=\"'; #$\\\\\n\r\t{}é]{0,60}") {
        let _ = with_file("", &text);
    }

    #[test]
    fn a_single_quoted_value_comes_back_as_it_was(value in "[ -&(-\\[\\]-~]{1,64}") {
        let text = format!("A=0\nX='{value}'\nB=1\n");
        let env = environment("", &text);
        prop_assert_eq!(env.get("X").map_or("", |var| var.expose()), value.trim());
        prop_assert_eq!(env.get("B").unwrap().expose(), "1");
    }

    #[test]
    fn a_value_of_auth0s_alphabet_and_dollars_comes_back_in_any_quotes(
        value in "[A-Za-z0-9_$-]{1,64}",
        quote in "|'|\"",
        tail in "|;| |; # end",
    ) {
        prop_assume!(!(quote.is_empty() && tail.starts_with(';')));
        let env = environment("", &format!("X={quote}{value}{quote}{tail}\n"));
        prop_assert_eq!(env.get("X").unwrap().expose(), value);
    }
}
