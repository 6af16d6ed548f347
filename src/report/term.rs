//! Text for terminals: styles, and values from outside made safe and short.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde_json::Value;

/// What was.
pub const OLD: Style = AnsiColor::Red.on_default();
/// What will be, and what went well.
pub const NEW: Style = AnsiColor::Green.on_default();
/// What needs a look.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Headings and names.
pub const STRONG: Style = Style::new().bold();
/// What is there for reference.
pub const FAINT: Style = Style::new().dimmed();

/// Puts text into a style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Text from a tenant or a file, made harmless: control characters, and those that turn the direction of writing,
/// are shown as escapes, so that a client's name cannot rewrite the line it stands in.
pub fn safe(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

/// The same for text of several lines of our own.
pub fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// A value as the diff shows it: JSON, or `absent`, in at most so many characters.
pub fn value(value: Option<&Value>, most: usize) -> String {
    let text = value.map_or_else(|| "absent".to_owned(), Value::to_string);
    shorten(&safe(&text), most)
}

/// Cuts the middle out of a long text, since both ends of an URL or a name tell more than its middle.
pub fn shorten(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most || most < 8 {
        return text.to_owned();
    }
    let head = (most - 1) * 2 / 3;
    let tail = most - 1 - head;
    let mut short: String = text.chars().take(head).collect();
    short.push('…');
    short.extend(text.chars().skip(length - tail));
    short
}

/// `1 client`, `3 clients`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A duration as people say it: `0.4 s`, `16 s`, `4 min 10 s`, `2 h 5 min`.
pub fn duration(time: std::time::Duration) -> String {
    let seconds = time.as_secs_f64();
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `just now`, `12 minutes ago`, `3 days ago`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    let ago = |number: i64, unit: &str| {
        format!("{} ago", count(usize::try_from(number).unwrap_or(usize::MAX), unit))
    };
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => ago(seconds / 60, "minute"),
        3600..86_400 => ago(seconds / 3600, "hour"),
        _ => ago(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_rewrite_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\r\u{202e}"), r"a\u{1b}[2Jb\u{d}\u{202e}");
        assert_eq!(safe("Käse → Wurst"), "Käse → Wurst");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        let now = Timestamp::from_second(10_000_000).unwrap();
        let told = |seconds: i64| age(Timestamp::from_second(10_000_000 - seconds).unwrap(), now);
        assert_eq!(
            [-5, 59, 60, 7300, 86_400 * 3].map(told),
            ["just now", "just now", "1 minute ago", "2 hours ago", "3 days ago"]
        );
    }

    #[test]
    fn long_values_keep_both_ends() {
        assert_eq!(shorten("https://example.com/very/long/callback", 20), "https://exam…allback");
        assert_eq!(shorten("short", 20), "short");
    }
}
