//! The `q` of a log search: a modest part of Lucene's syntax, terms joined by AND. Whatever else is asked is refused, which
//! beats an answer with events that do not fit. Central type: [`Search`].

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::reply::Refusal;
use super::entry::Entry;

/// Fields that can be searched (Auth0, "Log Event Search Query Syntax").
const FIELDS: [&str; 16] = [
    "client_id",
    "client_name",
    "connection",
    "connection_id",
    "date",
    "description",
    "hostname",
    "ip",
    "log_id",
    "organization_id",
    "strategy",
    "strategy_type",
    "type",
    "user_agent",
    "user_id",
    "user_name",
];
const UNDERSTOOD: &str =
    "The sandbox understands field:value, field:\"some words\" and date:[A TO B], joined by AND";

/// What events must fit; all of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Search(Vec<Term>);

#[derive(Debug, PartialEq)]
enum Term {
    Is {
        field: &'static str,
        text: String,
    },
    /// Microseconds since 1970, both ends among them.
    Between {
        from: i64,
        to: i64,
    },
}

impl Search {
    /// # Errors
    /// 400 for what is not understood, or a field that cannot be searched.
    pub(super) fn read(q: &str) -> Result<Self, Refusal> {
        let mut terms = Vec::new();
        let mut rest = q.trim();
        while !rest.is_empty() {
            if !terms.is_empty() {
                rest = rest.strip_prefix("AND ").ok_or_else(not_understood)?.trim_start();
            }
            let (term, behind) = read_term(rest)?;
            terms.push(term);
            rest = behind.trim_start();
        }
        Ok(Self(terms))
    }

    pub(super) fn fits(&self, event: &Entry) -> bool {
        self.0.iter().all(|term| match term {
            Term::Is { field, text } => event.text(field).as_ref() == Some(text),
            Term::Between { from, to } => (*from..=*to).contains(&event.micros),
        })
    }
}

fn not_understood() -> Refusal {
    Refusal::query(UNDERSTOOD, "q")
}

/// The first term of a text, and what stands behind it.
fn read_term(text: &str) -> Result<(Term, &str), Refusal> {
    let (name, value) = text.split_once(':').ok_or_else(not_understood)?;
    let field = FIELDS.into_iter().find(|field| *field == name);
    let field = field.ok_or_else(|| Refusal::query(&format!("Field {name} cannot be searched"), "q"))?;
    if let Some(range) = value.strip_prefix('[') {
        let (range, behind) = range.split_once(']').ok_or_else(not_understood)?;
        let (from, to) = range.split_once(" TO ").filter(|_| field == "date").ok_or_else(not_understood)?;
        return Ok((Term::Between { from: begin(from.trim())?, to: end(to.trim())? }, behind));
    }
    let (text, behind) = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or_else(not_understood)?,
        None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
    };
    let plain = |c: char| !matches!(c, '*' | '?' | '~' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\\');
    let separate = behind.is_empty() || behind.starts_with(char::is_whitespace);
    if field == "date" || text.is_empty() || !text.chars().all(plain) || !separate {
        return Err(not_understood());
    }
    Ok((Term::Is { field, text: text.to_owned() }, behind))
}

fn begin(text: &str) -> Result<i64, Refusal> {
    match text {
        "*" => Ok(i64::MIN),
        _ => Ok(moment(text)?.0),
    }
}

fn end(text: &str) -> Result<i64, Refusal> {
    match text {
        "*" => Ok(i64::MAX),
        _ => Ok(moment(text)?.1),
    }
}

/// The first and the last microsecond that a text means: a day is all of it, in UTC, and a moment the millisecond it names,
/// since that is what events show.
fn moment(text: &str) -> Result<(i64, i64), Refusal> {
    const DAY: &str = "2026-08-01";
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    let time = text.parse::<Timestamp>().ok().or_else(|| utc(text.parse().ok()?));
    let start = time.ok_or_else(|| Refusal::query(&format!("{text} is no date"), "q"))?.as_microsecond();
    let lasts = if text.len() == DAY.len() { 86_400_000_000 } else { 1000 };
    Ok((start, start + lasts - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_words_quotes_and_ranges_of_dates_joined_by_and() {
        let Search(terms) = Search::read(
            "type:sapi AND description:\"Update a client\" AND date:[2026-08-01 TO 2026-08-01T10:15:00.087Z] AND user_name:a@b.example",
        )
        .unwrap();
        let is = |field, text: &str| Term::Is { field, text: text.to_owned() };
        let day = "2026-08-01T00:00:00Z".parse::<Timestamp>().unwrap().as_microsecond();
        let to = "2026-08-01T10:15:00.087999Z".parse::<Timestamp>().unwrap().as_microsecond();
        assert_eq!(
            terms,
            [
                is("type", "sapi"),
                is("description", "Update a client"),
                Term::Between { from: day, to },
                is("user_name", "a@b.example")
            ]
        );
        assert_eq!(Search::read("  ").unwrap(), Search::default());
        assert_eq!(
            Search::read("date:[* TO *]").unwrap(),
            Search(vec![Term::Between { from: i64::MIN, to: i64::MAX }])
        );
    }

    #[test]
    fn whatever_else_is_asked_is_refused() {
        for (q, said) in [
            ("sapi", "The sandbox understands"),
            ("type:sapi OR type:s", "The sandbox understands"),
            ("type:sapi client_id:x", "The sandbox understands"),
            ("NOT type:sapi", "NOT type cannot be searched"),
            ("type:s*", "The sandbox understands"),
            ("type:(sapi)", "The sandbox understands"),
            ("description:\"Update", "The sandbox understands"),
            ("description:\"Update\"x", "The sandbox understands"),
            ("type:", "The sandbox understands"),
            ("date:2026-08-01", "The sandbox understands"),
            ("date:[2026-08-01]", "The sandbox understands"),
            ("type:[a TO b]", "The sandbox understands"),
            ("date:[yesterday TO *]", "yesterday is no date"),
            ("details.request.path:x", "details.request.path cannot be searched"),
        ] {
            let refusal = Search::read(q).unwrap_err();
            assert!(refusal.message.contains(said), "{q}: {}", refusal.message);
            assert_eq!((refusal.status, refusal.code), (400, Some("invalid_query_string")));
        }
    }
}
